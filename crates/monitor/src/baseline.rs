//! What a window is compared with: the features of the reference, each with its bins.

use crate::distribution::Grid;
use crate::psi::{Bin, Bins, Range};
use facts::ColumnName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column of the reference.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; missing ones are none. What is not finite counts as missing.
    Numeric(Vec<Option<f64>>),
    /// Words; missing ones are none.
    Category(Vec<Option<String>>),
}

/// How much of a window is held. Beyond a limit figures are approximate, and say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Different numbers of a feature: 24 to 40 bytes each.
    pub numbers: usize,
    /// Different words of a feature that the reference does not have; at most 1 MiB of them too.
    pub words: usize,
    /// Different words of a feature of the reference; with more it is not a category.
    pub known_words: usize,
    /// Groups of a sensitive column.
    pub groups: usize,
}

impl Default for Limits {
    /// More different numbers than exact p-values need (10,000).
    fn default() -> Self {
        Self { numbers: 16_384, words: 4_096, known_words: 10_000, groups: 1_000 }
    }
}

/// The features of the reference, in the order in which records bring them.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    pub(crate) features: Vec<Feature>,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feature {
    pub(crate) name: ColumnName,
    pub(crate) rows: u64,
    pub(crate) present: u64,
    pub(crate) values: Values,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Numbers(Numbers),
    /// Words in alphabetical order.
    Words(Vec<(String, u64)>),
    /// More words than a category has.
    Text,
}

/// The numbers of the reference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    /// Each once, ascending.
    pub(crate) counted: Vec<(f64, u64)>,
    /// Thousandths of the reference, its smallest and its largest number.
    pub(crate) grid: Arc<Grid>,
    /// The reference in the cells of the grid.
    pub(crate) cells: Vec<[u64; 1]>,
    /// Bins of the PSI, each with its last cell.
    bins: Vec<(Range, usize)>,
}

const QUANTILES: u64 = 1_000;
const TENTHS: u64 = 10;

impl Baseline {
    /// Takes the reference in. It holds every different number, 16 bytes each.
    pub fn new(columns: impl IntoIterator<Item = (ColumnName, Column)>, limits: Limits) -> Self {
        let features = columns.into_iter().map(|(name, column)| Feature::new(name, column, &limits));
        Self { features: features.collect(), limits }
    }
}

impl Feature {
    fn new(name: ColumnName, column: Column, limits: &Limits) -> Self {
        match column {
            Column::Numeric(cells) => {
                let rows = cells.len() as u64;
                // Adding 0 makes both zeros one.
                let mut values: Vec<f64> =
                    cells.into_iter().flatten().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
                values.sort_by(f64::total_cmp);
                Self {
                    name,
                    rows,
                    present: values.len() as u64,
                    values: Values::Numbers(Numbers::new(&values)),
                }
            }
            Column::Category(cells) => {
                let rows = cells.len() as u64;
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                cells.into_iter().flatten().for_each(|word| *counts.entry(word).or_default() += 1);
                let present = counts.values().sum();
                let text = counts.len() > limits.known_words;
                let values = if text { Values::Text } else { Values::Words(counts.into_iter().collect()) };
                Self { name, rows, present, values }
            }
        }
    }
}

impl Numbers {
    fn new(sorted: &[f64]) -> Self {
        let counted: Vec<(f64, u64)> =
            sorted.chunk_by(|a, b| a >= b).map(|run| (run[0], run.len() as u64)).collect();
        // The smallest value that `part` of `of` parts do not exceed.
        let quantile = |part: u64, of: u64| {
            let at = (sorted.len() as u64 * part).div_ceil(of).saturating_sub(1);
            sorted.get(at as usize).copied()
        };
        let (first, last) = (sorted.first().copied(), sorted.last().copied());
        let edges = (1..QUANTILES).filter_map(|part| quantile(part, QUANTILES)).chain(first).chain(last);
        let grid = Grid::new(edges);
        let mut tenths: Vec<f64> = (1..TENTHS).filter_map(|part| quantile(part, TENTHS)).collect();
        tenths.dedup();
        let mut bins: Vec<(Range, usize)> = Vec::new();
        // A value that many share must be told from what is below it, as it is from what is above.
        if let Some(least) = first.filter(|least| tenths.first() <= Some(least)) {
            bins.push((Range::Below(least), grid.place(least) - 1));
        }
        bins.extend(tenths.iter().map(|edge| (Range::UpTo(*edge), grid.place(*edge))));
        bins.push((Range::Above, grid.cells() - 1));
        let cells = grid.count(counted.iter().map(|(value, count)| (*value, [*count])));
        Self { counted, grid: Arc::new(grid), cells, bins }
    }

    /// The bins of the PSI, from both sides' cells.
    pub(crate) fn bins(&self, current: &[[u64; 1]]) -> Bins {
        let mut from = 0;
        let bin = |(range, last): &(Range, usize)| {
            let cells = from..=*last;
            from = last + 1;
            let sum = |side: &[[u64; 1]]| side[cells.clone()].iter().map(|[count]| count).sum();
            Bin { range: *range, reference: sum(&self.cells), current: sum(current) }
        };
        Bins(self.bins.iter().map(bin).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(values: impl IntoIterator<Item = f64>) -> Numbers {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Numbers::new(&values)
    }

    fn against(reference: &Numbers, current: &[f64]) -> Bins {
        reference.bins(&reference.grid.count(current.iter().map(|value| (*value, [1]))))
    }

    /// The same bins by asking of every value which of the ranges holds it.
    fn slow_counts(bins: &Bins, values: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; bins.0.len()];
        for value in values {
            let holds = |bin: &Bin| match bin.range {
                Range::Below(edge) => *value < edge,
                Range::UpTo(edge) => *value <= edge,
                _ => true,
            };
            counts[bins.0.iter().position(holds).unwrap()] += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn bins_hold_what_their_ranges_say(
            a in proptest::collection::vec(-3i8..8, 1..200), b in proptest::collection::vec(-6i8..12, 0..200),
        ) {
            let list = |side: &[i8]| -> Vec<f64> { side.iter().map(|v| f64::from(*v)).collect() };
            let (a, b) = (list(&a), list(&b));
            let bins = against(&numbers(a.clone()), &b);
            prop_assert_eq!(bins.0.iter().map(|bin| bin.reference).collect::<Vec<_>>(), slow_counts(&bins, &a));
            prop_assert_eq!(bins.0.iter().map(|bin| bin.current).collect::<Vec<_>>(), slow_counts(&bins, &b));
            prop_assert!(bins.psi().is_none_or(|psi| psi >= 0.0));
        }
    }

    #[test]
    fn tenths_of_a_reference_without_ties_are_tenths() {
        let bins = against(&numbers((0..300).map(f64::from)), &[]);
        assert_eq!(bins.0.iter().map(|bin| bin.reference).collect::<Vec<_>>(), [30; 10]);
    }

    #[test]
    fn a_constant_is_told_from_what_lies_on_either_side() {
        let constant = numbers([0.0; 100]);
        for shifted in [[-1.0; 100], [1.0; 100], [f64::MIN_POSITIVE; 100]] {
            assert!(against(&constant, &shifted).psi().unwrap() > 5.0);
        }
        let same = against(&constant, &[-0.0; 50]);
        assert_eq!((same.psi(), same.noise(0.01)), (Some(0.0), Some(0.0)));
        let sides: Vec<(u64, u64)> = same.0.iter().map(|bin| (bin.reference, bin.current)).collect();
        assert_eq!(sides, [(0, 0), (100, 50), (0, 0)]);
    }
}
