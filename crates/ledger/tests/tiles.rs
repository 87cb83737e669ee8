//! The layout of static files: paths as agreed upon, and tiles that `tlog_tiles` reads as we do.

use ledger::tiles::{BundleError, Tile, all, bundle, completed_by, unbundle};
use ledger::{Tree, leaf_hash};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tlog_tiles::{TileHashReader, TileReader};

fn grow(size: u64) -> Tree {
    let mut tree = Tree::default();
    (0..size).for_each(|n| tree.push(leaf_hash(&n.to_be_bytes())));
    tree
}

#[test]
fn paths_are_those_of_the_specification() {
    let mut text = String::new();
    for size in [0, 1, 255, 256, 257, 512, 70_000] {
        let paths: Vec<String> = all(size).map(|tile| tile.to_string()).collect();
        let shown =
            if paths.len() > 8 { [&paths[..2], &paths[paths.len() - 2..]].concat() } else { paths.clone() };
        text.push_str(&format!("{size}: {} files: {}\n", paths.len(), shown.join(" ")));
    }
    for (level, index, size) in
        [(0, 1_234_067, 1 << 40), (0, 999, 1 << 40), (1, 1000, 1 << 40), (2, 67, (67 << 24) + (3 << 16))]
    {
        text.push_str(&format!("{}\n", Tile::hashes(level, index, size).unwrap()));
    }
    text.push_str(&format!("{}\n", Tile::entries(1_234_067, 1_234_067 * 256 + 8).unwrap()));
    insta::assert_snapshot!(text);
    assert_eq!(Tile::hashes(0, 1, 256), None);
    assert_eq!(Tile::hashes(7, u64::MAX, u64::MAX), None);
}

#[test]
fn what_becomes_full_is_what_is_full_in_the_end() {
    let mut one_by_one: Vec<Tile> = (0..600).flat_map(completed_by).collect();
    let mut at_once: Vec<Tile> = all(600 * 256 + 17).filter(Tile::is_full).collect();
    one_by_one.sort();
    at_once.sort();
    assert_eq!(one_by_one, at_once);
    assert_eq!(completed_by(255).count(), 3, "two tiles and the bundle");
    assert_eq!(completed_by(255).last().unwrap().level(), None, "the bundle comes last");
}

/// Our tiles, by path, for a reader by others.
struct Files(BTreeMap<String, Vec<u8>>);

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // The crate speaks the older layout of Go, with the height in the path.
        let read = |tile: &tlog_tiles::Tile| self.0[&tile.path().replacen("tile/8/", "tile/", 1)].clone();
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn tlog_tiles_proves_the_same_from_our_tiles() {
    for size in [1u64, 2, 255, 256, 257, 700, 66_000] {
        let tree = grow(size);
        let tiles = all(size).filter(|tile| tile.level().is_some());
        let files = Files(tiles.map(|tile| (tile.to_string(), tile.hash_bytes(&tree).unwrap())).collect());
        let root = tlog_tiles::Hash(*tree.root().as_bytes());
        let reader = TileHashReader::new(size, root, &files);
        assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap().0, root.0);
        for index in [0, size / 3, size - 1] {
            let theirs = tlog_tiles::prove_record(size, index, &reader).unwrap();
            let ours = tree.inclusion(index, size).unwrap();
            assert_eq!(
                theirs.iter().map(|h| h.0).collect::<Vec<_>>(),
                ours.iter().map(|h| *h.as_bytes()).collect::<Vec<_>>()
            );
        }
        for old in [1, size / 2 + 1, size] {
            let theirs = tlog_tiles::prove_tree(size, old, &reader).unwrap();
            let ours = tree.consistency(old, size).unwrap();
            assert_eq!(
                theirs.iter().map(|h| h.0).collect::<Vec<_>>(),
                ours.iter().map(|h| *h.as_bytes()).collect::<Vec<_>>()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_path_is_the_one_that_tlog_tiles_has(level in 0u8..4, index in 0u64..5_000_000, width in 1u64..=256) {
        let ours = Tile::hashes(level, index, (index * 256 + width) << (8 * level)).unwrap();
        let theirs = tlog_tiles::Tile::new(8, level, index, u32::try_from(width).unwrap(), false);
        prop_assert_eq!(ours.to_string(), theirs.path().replacen("tile/8/", "tile/", 1));
        let data = tlog_tiles::Tile::new(8, 0, index, u32::try_from(width).unwrap(), true);
        let bundle = Tile::entries(index, index * 256 + width).unwrap();
        prop_assert_eq!(bundle.to_string(), data.path().replacen("tile/8/data/", "tile/entries/", 1));
    }

    #[test]
    fn bundles_are_read_as_they_were_written(entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20), cut in 1usize..400) {
        let bytes = bundle(entries.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(unbundle(&bytes).unwrap(), entries.clone());
        // Cut anywhere, it is refused or has fewer entries, never others.
        let shorter = &bytes[..bytes.len().saturating_sub(cut)];
        if let Ok(read) = unbundle(shorter) {
            prop_assert!(entries.is_empty() || read.len() < entries.len());
            prop_assert!(read.iter().zip(&entries).all(|(a, b)| a == b));
        }
    }
}

#[test]
fn a_bundle_takes_what_a_leaf_may_be_and_no_more() {
    let longest = vec![1; ledger::MAX_LEAF_BYTES];
    assert_eq!(unbundle(&bundle([longest.as_slice()]).unwrap()).unwrap(), [longest.as_slice()]);
    assert_eq!(bundle([vec![1; 65_536].as_slice()]), Err(BundleError::TooLong(65_536)));
    assert_eq!(unbundle(&[0]), Err(BundleError::CutOff));
    assert_eq!(unbundle(&[0, 2, 7]), Err(BundleError::CutOff));
}
