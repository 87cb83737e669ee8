//! The layout of a log as static files (c2sp.org/tlog-tiles): which tiles there are, what they are called, and what is
//! in them. Pure: whoever writes or serves the files asks here.

use crate::entry::MAX_LEAF_BYTES;
use crate::tree::Tree;
use std::fmt;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// A tile, or the bundle of entries under a tile of level 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// The level of the tile; none is a bundle of entries.
    level: Option<u8>,
    index: u64,
    width: u64,
}

impl Tile {
    /// The tile of hashes at `level`, number `index`, in a tree of `size` leaves; none if it is empty.
    pub fn hashes(level: u8, index: u64, size: u64) -> Option<Self> {
        let nodes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        Self::of(Some(level), index, nodes)
    }

    /// The bundle of entries number `index` in a log of `size` entries; none if it is empty.
    pub fn entries(index: u64, size: u64) -> Option<Self> {
        Self::of(None, index, size)
    }

    fn of(level: Option<u8>, index: u64, nodes: u64) -> Option<Self> {
        let width = nodes.saturating_sub(index.checked_mul(TILE_WIDTH)?).min(TILE_WIDTH);
        (width > 0).then_some(Self { level, index, width })
    }

    /// The level; none for a bundle of entries.
    pub fn level(&self) -> Option<u8> {
        self.level
    }

    /// How many hashes or entries are in it.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Whether it is complete, and so never changes again.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The first entry in a bundle; for a tile the first node of its level.
    pub fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    /// The content of a tile of hashes; none if the tree does not reach so far.
    pub fn hash_bytes(&self, tree: &Tree) -> Option<Vec<u8>> {
        let level = 8 * usize::from(self.level?);
        let nodes = (self.first()..self.first() + self.width).map(|node| tree.node(level, node));
        Some(nodes.collect::<Option<Vec<_>>>()?.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }
}

/// The path, relative to where `checkpoint` is: `tile/0/x001/067.p/8`, `tile/entries/000`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => write!(f, "tile/entries/")?,
        }
        let groups = std::iter::successors(Some(self.index), |rest| (*rest >= 1000).then_some(rest / 1000));
        let groups: Vec<u64> = groups.map(|rest| rest % 1000).collect();
        for (place, group) in groups.iter().enumerate().rev() {
            if place > 0 {
                write!(f, "x{group:03}/")?;
            } else {
                write!(f, "{group:03}")?;
            }
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// All tiles and bundles of a log of `size` entries, partial ones last in their level.
pub fn all(size: u64) -> impl Iterator<Item = Tile> {
    let bundles = (0..).map_while(move |index| Tile::entries(index, size));
    let tiles =
        (0..8u8).flat_map(move |level| (0..).map_while(move |index| Tile::hashes(level, index, size)));
    tiles.chain(bundles)
}

/// What becomes full with the last entry of bundle `index`: tiles from the lowest level up, then the bundle itself.
pub fn completed_by(index: u64) -> impl Iterator<Item = Tile> {
    let size = index.saturating_add(1).saturating_mul(TILE_WIDTH);
    let tiles = (0..8u8).map_while(move |level| {
        let whole =
            size.checked_shr(8 * u32::from(level)).filter(|nodes| nodes << (8 * u32::from(level)) == size)?;
        let last = whole.is_multiple_of(TILE_WIDTH).then(|| whole / TILE_WIDTH - 1)?;
        Tile::hashes(level, last, size)
    });
    tiles.chain(Tile::entries(index, size))
}

/// An entry bundle that cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry that the length before it cannot tell.
    #[error("an entry of {0} bytes does not fit an entry bundle; at most {MAX_LEAF_BYTES} are possible")]
    TooLong(usize),
    /// The bytes end in an entry, or in a length.
    #[error("the entry bundle ends in the middle of an entry")]
    CutOff,
}

/// Entries, each after its length as a big-endian `uint16`.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong(entry.len()))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle.
pub fn unbundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(BundleError::CutOff)?;
        let (entry, rest) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(BundleError::CutOff)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}
