//! The log as static files (c2sp.org/tlog-tiles): full tiles beside the ledger, written as they become full, and the
//! whole log with its partial tiles on demand. They are copies: what is lost is written again, what is there and full
//! is never rewritten.

use super::published::with_others;
use super::{CHECKPOINT, DB, VKEY, read_vkey, schema};
use crate::files;
use ledger::tiles::{TILE_WIDTH, Tile, all, bundle, completed_by};
use ledger::{Checkpoint, Tree, leaf_hash};
use rusqlite::Connection;
use serde::Serialize;
use std::path::Path;
use world::{Kind, PortError};

/// How far the full tiles beside a ledger reach.
pub(super) struct FullTiles {
    dir: std::path::PathBuf,
    bundles: u64,
}

impl FullTiles {
    /// Looks from the end how many bundles are there; a bundle is written after the tiles that it completes.
    pub(super) fn found(dir: &Path, size: u64) -> Self {
        let there = |index: u64| dir.join(name_of_bundle(index)).exists();
        let bundles = (0..size / TILE_WIDTH).rev().find(|index| there(*index)).map_or(0, |index| index + 1);
        Self { dir: dir.to_owned(), bundles }
    }

    /// Writes what has become full since.
    pub(super) fn complete(&mut self, connection: &Connection, tree: &Tree) -> Result<(), PortError> {
        for index in self.bundles..tree.size() / TILE_WIDTH {
            for tile in completed_by(index) {
                let bytes = content(connection, tree, &tile)?;
                write_full(&self.dir.join(tile.to_string()), &bytes)?;
            }
            self.bundles = index + 1;
        }
        Ok(())
    }
}

fn name_of_bundle(index: u64) -> String {
    Tile::entries(index, u64::MAX).map_or_else(String::new, |tile| tile.to_string())
}

/// What is in the files of a tile or bundle.
fn content(connection: &Connection, tree: &Tree, tile: &Tile) -> Result<Vec<u8>, PortError> {
    let missing = || {
        let text = format!("the entries of `{tile}` are not all there");
        PortError::new(Kind::Damaged, text)
            .with_help("run `wardmote verify` to see which entries are damaged")
    };
    if tile.level().is_some() {
        return tile.hash_bytes(tree).ok_or_else(missing);
    }
    let width = usize::try_from(tile.width()).unwrap_or(usize::MAX);
    let leaves = schema::leaves(connection, tile.first(), width)?;
    let fits = |(n, (index, leaf)): (u64, &(u64, Vec<u8>))| {
        *index == tile.first() + n && tree.leaf(*index) == Some(&leaf_hash(leaf))
    };
    if leaves.len() != width || !(0..).zip(&leaves).all(fits) {
        return Err(missing());
    }
    bundle(leaves.iter().map(|(_, leaf)| leaf.as_slice()))
        .map_err(|error| PortError::new(Kind::Damaged, format!("`{tile}`: {error}")))
}

/// Writes a full tile; one that is there already must be the same. Returns whether it was new.
fn write_full(path: &Path, bytes: &[u8]) -> Result<bool, PortError> {
    match files::read(path) {
        Ok(there) if there == bytes => return Ok(false),
        Ok(_) => {
            let text = format!("`{}` is of another log, or damaged", path.display());
            return Err(PortError::new(Kind::Conflict, text)
                .with_help("move it away and run the command again: full tiles never change"));
        }
        Err(error) if error.kind() == Kind::Absent => {}
        Err(error) => return Err(error),
    }
    if let Some(dir) = path.parent() {
        files::private_dir(dir)?;
    }
    files::replace(path, bytes)?;
    Ok(true)
}

/// What was exported.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    /// The name of the log.
    pub origin: String,
    /// Entries covered by the checkpoint.
    pub entries: u64,
    /// Tiles and bundles that there are now for them.
    pub files: u64,
    /// How many of them were not there before.
    pub written: u64,
}

/// Writes the log in `dir` into the folder `out`, in the layout of C2SP tlog-tiles: `checkpoint`, `tile/…`, and the
/// verifier key in `log.vkey`. An earlier export of the same log in `out` is continued.
pub fn export_tiles(dir: &Path, out: &Path) -> Result<Exported, PortError> {
    if !dir.join(DB).exists() {
        return Err(PortError::new(Kind::Absent, format!("there is no ledger in `{}`", dir.display())));
    }
    let verifier = read_vkey(dir)?;
    let db = schema::open_read_only(dir)?;
    let state = db.unchecked_transaction().map_err(|error| schema::failed("read", &error))?;
    let note = schema::checkpoint(&state)?
        .ok_or_else(|| PortError::new(Kind::Absent, "the ledger is empty: there is nothing to export"))?;
    let (tree, _) = schema::tree(&state)?;
    let checkpoint = Checkpoint::open(&note, &verifier).ok();
    let Some(checkpoint) = checkpoint.filter(|it| it.size == tree.size() && it.root == tree.root()) else {
        let text = "the checkpoint in the ledger does not fit its entries; nothing was exported";
        return Err(PortError::new(Kind::Damaged, text)
            .with_help("run `wardmote verify` to see which entries are damaged"));
    };
    files::private_dir(out)?;
    if same_folder(dir, out) {
        let text = format!("`{}` is the folder of the ledger itself", out.display());
        return Err(PortError::new(Kind::Invalid, text).with_help("name another folder"));
    }
    continues(&out.join(CHECKPOINT), &verifier, &tree)?;
    let mut exported = Exported { origin: checkpoint.origin, entries: checkpoint.size, files: 0, written: 0 };
    for tile in all(checkpoint.size) {
        let path = out.join(tile.to_string());
        exported.files += 1;
        exported.written += u64::from(write_full(&path, &content(&state, &tree, &tile)?)?);
    }
    files::replace(&out.join(VKEY), format!("{}\n", verifier.vkey()).as_bytes())?;
    // Last: whatever it covers is there.
    files::replace(&out.join(CHECKPOINT), with_others(dir, note).as_bytes())?;
    Ok(exported)
}

fn same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// An earlier export may be continued only if it is a beginning of this log: it is somebody's evidence.
fn continues(path: &Path, verifier: &ledger::Verifier, tree: &Tree) -> Result<(), PortError> {
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == Kind::Absent => return Ok(()),
        Err(error) => return Err(error),
    };
    match Checkpoint::open(&String::from_utf8_lossy(&bytes), verifier) {
        Ok(earlier) if tree.root_at(earlier.size) == Some(earlier.root) => Ok(()),
        _ => {
            let text = format!("`{}` is not an earlier checkpoint of this ledger", path.display());
            Err(PortError::new(Kind::Conflict, text).with_help(
                "the ledger was rolled back, or the folder holds another log: name another folder",
            ))
        }
    }
}
