//! Words counted one at a time in bounded memory: by word while they are few, in one pool beyond.
//!
//! As with [`crate::distribution`], what is kept depends only on which words came and how often.

use std::collections::BTreeMap;

/// Words, counted in `N` ways.
#[derive(Debug, Clone, PartialEq)]
pub struct Words<const N: usize> {
    limit: usize,
    bytes_left: usize,
    seen: BTreeMap<String, [u64; N]>,
    pool: Option<[u64; N]>,
}

/// The letters of all words together, in bytes.
const MAX_BYTES: usize = 1 << 20;

impl<const N: usize> Words<N> {
    /// Nothing yet. Beyond `limit` different words, or 1 MiB of them, all are counted as one.
    pub fn new(limit: usize) -> Self {
        Self { limit, bytes_left: MAX_BYTES, seen: BTreeMap::new(), pool: None }
    }

    /// Counts a word.
    pub fn add(&mut self, word: &str, counts: [u64; N]) {
        let to = match (&mut self.pool, self.seen.get_mut(word)) {
            (Some(pool), _) => pool,
            (None, Some(seen)) => seen,
            (None, None) => return self.add_new(word, counts),
        };
        to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
    }

    fn add_new(&mut self, word: &str, counts: [u64; N]) {
        if self.seen.len() == self.limit || word.len() > self.bytes_left {
            self.collapse();
            return self.add(word, counts);
        }
        self.bytes_left -= word.len();
        self.seen.insert(word.to_owned(), counts);
    }

    /// Adds what another has counted, with the same limit.
    pub fn merge(&mut self, other: &Self) {
        other.seen.iter().for_each(|(word, counts)| self.add(word, *counts));
        if let Some(pool) = other.pool {
            self.collapse();
            self.add("", pool);
        }
    }

    /// The words and their counts; none if there are too many.
    pub fn counted(&self) -> Option<&BTreeMap<String, [u64; N]>> {
        self.pool.is_none().then_some(&self.seen)
    }

    /// The counts of all words together.
    pub fn total(&self) -> [u64; N] {
        self.seen.values().copied().chain(self.pool).fold([0; N], |mut total, counts| {
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
            total
        })
    }

    /// How many different words are counted apart at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn collapse(&mut self) {
        self.pool = Some(self.total());
        self.seen.clear();
        self.bytes_left = 0;
    }
}
