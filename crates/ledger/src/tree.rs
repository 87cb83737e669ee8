//! The Merkle tree of RFC 6962, section 2: hashes of all perfect subtrees, level by level.

use facts::Digest;

/// The hash of a leaf: SHA-256 over 0x00 and its bytes.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], leaf])
}

/// The hash of a node: SHA-256 over 0x01, left and right.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// A tree in memory: 64 bytes a leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    // INVARIANT: `levels[l][i]` is the hash of the perfect subtree over leaves `i * 2^l .. (i + 1) * 2^l`.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hash of leaf `index`.
    pub fn leaf(&self, index: u64) -> Option<&Digest> {
        self.levels.first()?.get(usize::try_from(index).ok()?)
    }

    /// The hash of the perfect subtree number `index` of `2^level` leaves.
    pub fn node(&self, level: usize, index: u64) -> Option<&Digest> {
        self.levels.get(level)?.get(usize::try_from(index).ok()?)
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            let [.., left, right] = row.as_slice() else { return };
            if row.len() % 2 == 1 {
                return;
            }
            hash = node_hash(left, right);
        }
    }

    /// The root over the first `size` leaves; none if there are fewer.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        (size <= self.size()).then(|| self.range(0, size))
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        self.range(0, self.size())
    }

    /// The inclusion proof (RFC 6962 PATH) of leaf `index` in the tree of the first `size` leaves.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, size);
        let mut path = Vec::new();
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.range(middle, to));
                to = middle;
            } else {
                path.push(self.range(from, middle));
                from = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The consistency proof (RFC 6962 PROOF) between the first `old` and the first `new` leaves.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        if old > new || new > self.size() {
            return None;
        }
        if old == 0 || old == new {
            return Some(Vec::new());
        }
        let (mut from, mut to, mut whole) = (0, new, true);
        let mut path = Vec::new();
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                path.push(self.range(middle, to));
                to = middle;
            } else {
                path.push(self.range(from, middle));
                from = middle;
                whole = false;
            }
        }
        if !whole {
            path.push(self.range(from, to));
        }
        path.reverse();
        Some(path)
    }

    /// The hash over leaves `from..to`, where `from` is where a subtree of RFC 6962 begins.
    fn range(&self, from: u64, to: u64) -> Digest {
        let count = to - from;
        if count == 0 {
            return Digest::of(b"");
        }
        if count.is_power_of_two() && from.is_multiple_of(count) {
            let level = count.trailing_zeros() as usize;
            return self.levels[level][(from >> level) as usize];
        }
        let middle = from + split(count);
        node_hash(&self.range(from, middle), &self.range(middle, to))
    }
}

/// The largest power of two below `count` (which is at least 2).
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}
