//! Numbers by chance that are the same everywhere.

/// SplitMix64; the same seed gives the same cases everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// One of a list; if it is empty, nothing in particular.
    pub(crate) fn pick<T: Clone + Default>(&mut self, list: &[T]) -> T {
        list.get(self.below(list.len())).cloned().unwrap_or_default()
    }
}
