//! Numbers counted one at a time in bounded memory: exactly while few are different, in fixed cells beyond.
//!
//! What is kept depends only on which numbers came and how often, never on their order or on how they were split: the
//! counts collapse to cells when, and only when, more different numbers have come than the limit. So two distributions
//! merge to exactly that of both together.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Edges that cut the numbers into cells: what lies strictly between two edges, and each edge itself. An edge has a
/// cell of its own because a value that many share would else hide in its neighbourhood.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    // INVARIANT: ascending, distinct, finite.
    edges: Vec<f64>,
}

impl Grid {
    /// Edges in any order; what is not finite is left out.
    pub fn new(edges: impl IntoIterator<Item = f64>) -> Self {
        let mut edges: Vec<f64> = edges.into_iter().filter(|edge| edge.is_finite()).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        Self { edges }
    }

    /// How many cells: two for each edge, and one.
    pub fn cells(&self) -> usize {
        2 * self.edges.len() + 1
    }

    /// The cell of a number: odd for an edge, even for what lies between.
    pub fn place(&self, value: f64) -> usize {
        let at = self.edges.partition_point(|edge| *edge < value);
        2 * at + usize::from(self.edges.get(at).is_some_and(|edge| *edge <= value))
    }

    /// Counts in cells.
    pub fn count<const N: usize>(&self, values: impl Iterator<Item = (f64, [u64; N])>) -> Vec<[u64; N]> {
        let mut cells = vec![[0; N]; self.cells()];
        values.for_each(|(value, counts)| add(&mut cells[self.place(value)], counts));
        cells
    }
}

fn add<const N: usize>(to: &mut [u64; N], counts: [u64; N]) {
    to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
}

/// Finite numbers, counted in `N` ways.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution<const N: usize> {
    grid: Arc<Grid>,
    limit: usize,
    counts: Counts<N>,
}

#[derive(Debug, Clone, PartialEq)]
enum Counts<const N: usize> {
    /// By [`key`].
    Exact(BTreeMap<u64, [u64; N]>),
    Cells(Vec<[u64; N]>),
}

/// What has been counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted<'a, const N: usize> {
    /// Every different number, ascending.
    Exact(Vec<(f64, [u64; N])>),
    /// The cells of the grid.
    Cells(&'a [[u64; N]]),
}

impl<const N: usize> Distribution<N> {
    /// Nothing yet. Beyond `limit` different numbers, the cells of `grid` are counted: 8 `N` bytes each.
    pub fn new(grid: Arc<Grid>, limit: usize) -> Self {
        Self { grid, limit, counts: Counts::Exact(BTreeMap::new()) }
    }

    /// Counts a finite number.
    pub fn add(&mut self, value: f64, counts: [u64; N]) {
        match &mut self.counts {
            Counts::Exact(exact) => {
                add(exact.entry(key(value)).or_insert([0; N]), counts);
                if exact.len() > self.limit {
                    self.collapse();
                }
            }
            Counts::Cells(cells) => add(&mut cells[self.grid.place(value)], counts),
        }
    }

    /// Adds what another has counted, over the same grid and with the same limit.
    pub fn merge(&mut self, other: &Self) {
        match &other.counts {
            Counts::Exact(exact) => exact.iter().for_each(|(key, counts)| self.add(value(*key), *counts)),
            Counts::Cells(theirs) => {
                self.collapse();
                if let Counts::Cells(ours) = &mut self.counts {
                    ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| add(ours, *theirs));
                }
            }
        }
    }

    /// What has been counted so far.
    pub fn counted(&self) -> Counted<'_, N> {
        match &self.counts {
            Counts::Exact(exact) => {
                Counted::Exact(exact.iter().map(|(key, counts)| (value(*key), *counts)).collect())
            }
            Counts::Cells(cells) => Counted::Cells(cells),
        }
    }

    /// How many different numbers are counted exactly at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn collapse(&mut self) {
        if let Counts::Exact(exact) = &self.counts {
            self.counts =
                Counts::Cells(self.grid.count(exact.iter().map(|(key, counts)| (value(*key), *counts))));
        }
    }
}

const SIGN: u64 = 1 << 63;

/// A whole number that orders as the number does. Both zeros are one.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_order_as_numbers_do(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(key(a).cmp(&key(b)), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(value(key(a)).to_bits(), (a + 0.0).to_bits());
        }

        #[test]
        fn cells_hold_what_the_edges_say(edges in proptest::collection::vec(-9i8..9, 0..9), value in -20i8..20) {
            let grid = Grid::new(edges.iter().map(|edge| f64::from(*edge)));
            let below = grid.edges.iter().filter(|edge| **edge < f64::from(value)).count();
            prop_assert_eq!(grid.place(f64::from(value)), 2 * below + usize::from(edges.contains(&value)));
            prop_assert!(grid.place(f64::INFINITY) == grid.cells() - 1);
        }
    }
}
