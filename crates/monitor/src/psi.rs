//! The population stability index: `sum (q - p) ln(q / p)` over bins, with what chance does to it.
//!
//! Bins are the deciles of the reference, or its words; missing values, where there are any, are a bin of their own, as
//! scorecards have it.

use crate::special::chi_square_quantile;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What falls into a bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// Numbers below this one; only where the smallest number of the reference is also its first decile.
    Below(f64),
    /// Numbers above the bin before, up to and with this one.
    UpTo(f64),
    /// Numbers above all bins before.
    Above,
    /// One word.
    Word(String),
    /// All other words: rare ones, and ones that only the window has.
    Other,
    /// Nothing was there.
    Missing,
}

/// A bin, counted on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// What falls into it.
    pub range: Range,
    /// How many of the reference.
    pub reference: u64,
    /// How many of the window.
    pub current: u64,
}

/// Bins of a column and the index over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bins(pub Vec<Bin>);

/// Shares below this are taken as this, so that an empty bin does not make the index infinite.
pub const FLOOR: f64 = 1e-4;

/// Words that fewer records of the reference have are not named in what is declared.
const MIN_NAMED: u64 = 10;

const QUANTILES: usize = 10;
/// So many words are named at most, and none that is longer.
const MAX_NAMED: usize = 10;
const MAX_NAMED_BYTES: usize = 64;

impl Bins {
    /// Both sides sorted. A bin ends at the smallest value that so many tenths of the reference do not exceed.
    pub fn of_numbers(reference: &[f64], current: &[f64]) -> Self {
        let quantile = |n: usize| reference.get((reference.len() * n).div_ceil(QUANTILES).saturating_sub(1));
        let mut edges: Vec<f64> = (1..QUANTILES).filter_map(quantile).copied().collect();
        edges.dedup();
        let mut ranges: Vec<Range> = edges.iter().map(|edge| Range::UpTo(*edge)).collect();
        // A value that many share must be told from what is below it, as it is from what is above.
        if let Some(least) = reference.first().copied().filter(|least| edges.first() <= Some(least)) {
            edges.insert(0, least.next_down());
            ranges.insert(0, Range::Below(least));
        }
        ranges.push(Range::Above);
        let mut bins: Vec<Bin> =
            ranges.into_iter().map(|range| Bin { range, reference: 0, current: 0 }).collect();
        let place = |value: f64| edges.partition_point(|edge| *edge < value);
        reference.iter().for_each(|value| bins[place(*value)].reference += 1);
        current.iter().for_each(|value| bins[place(*value)].current += 1);
        Self(bins)
    }

    /// A bin for every word of either side, in alphabetical order.
    pub fn of_words(reference: &[&str], current: &[&str]) -> Self {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        reference.iter().for_each(|word| counts.entry(word).or_default().0 += 1);
        current.iter().for_each(|word| counts.entry(word).or_default().1 += 1);
        let bin = |(word, (reference, current)): (&str, (u64, u64))| Bin {
            range: Range::Word(word.to_owned()),
            reference,
            current,
        };
        Self(counts.into_iter().map(bin).collect())
    }

    /// Two bins: what is there, and what is missing.
    pub fn of_presence(there: (u64, u64), missing: (u64, u64)) -> Self {
        Self(vec![Bin { range: Range::Other, reference: there.0, current: there.1 }])
            .with_missing(missing.0, missing.1)
    }

    /// With a bin for missing values, if there are any.
    #[must_use]
    pub fn with_missing(mut self, reference: u64, current: u64) -> Self {
        if reference + current > 0 {
            self.0.push(Bin { range: Range::Missing, reference, current });
        }
        self
    }

    /// The index; none if a side is empty.
    pub fn psi(&self) -> Option<f64> {
        let (n, m) = self.totals()?;
        Some(self.0.iter().map(|bin| part(shares(bin, n, m))).sum())
    }

    /// The index that chance alone exceeds with probability `tail`: `(1/n + 1/m)` times a chi-square quantile.
    pub fn noise(&self, tail: f64) -> Option<f64> {
        let (n, m) = self.totals()?;
        let freedom = self.freedom();
        Some(if freedom < 1.0 { 0.0 } else { (1.0 / n + 1.0 / m) * chi_square_quantile(tail, freedom) })
    }

    /// An approximate interval for the index of the two populations, `z` standard errors to each side. Chance adds
    /// `freedom (1/n + 1/m)` to the index on average, which is taken off first; the error is that of the delta method
    /// (which alone would be nothing where nothing has changed) together with that of chance.
    pub fn interval(&self, z: f64) -> Option<(f64, f64)> {
        let (n, m) = self.totals()?;
        let psi = self.psi()?;
        let (freedom, per_sample) = (self.freedom(), 1.0 / n + 1.0 / m);
        let moments = |side: &dyn Fn(&Bin) -> (f64, f64)| -> f64 {
            let (mean, square) =
                self.0.iter().map(side).fold((0.0, 0.0), |(mean, square), (share, slope)| {
                    (mean + share * slope, square + share * slope * slope)
                });
            (square - mean * mean).max(0.0)
        };
        let reference = moments(&|bin| {
            let (p, q) = shares(bin, n, m);
            (bin.reference as f64 / n, (p / q).ln() + 1.0 - q / p)
        });
        let current = moments(&|bin| {
            let (p, q) = shares(bin, n, m);
            (bin.current as f64 / m, (q / p).ln() + 1.0 - p / q)
        });
        let chance = 2.0 * freedom * per_sample * per_sample;
        let error = (reference / n + current / m + chance).sqrt();
        let centre = psi - freedom * per_sample;
        Some(((centre - z * error).max(0.0), (centre + z * error).max(psi)))
    }

    /// The statistic and the degrees of freedom of the contingency table of both sides, without correction.
    pub fn chi_square(&self) -> Option<(f64, f64)> {
        let (n, m) = self.totals()?;
        let cell = |observed: u64, expected: f64| {
            let off = observed as f64 - expected;
            off * off / expected
        };
        let used = self.0.iter().filter(|bin| bin.reference + bin.current > 0);
        let statistic = used
            .map(|bin| {
                let both = (bin.reference + bin.current) as f64;
                cell(bin.reference, both * n / (n + m)) + cell(bin.current, both * m / (n + m))
            })
            .sum();
        Some((statistic, self.freedom()))
    }

    /// What may be shown and recorded: few bins, and no word that only few records of the reference have.
    pub fn declared(&self) -> Vec<Bin> {
        let is_word = |bin: &Bin| matches!(bin.range, Range::Word(_));
        let may_be_named = |bin: &Bin| {
            let short = matches!(&bin.range, Range::Word(word) if word.len() <= MAX_NAMED_BYTES);
            short && bin.reference >= MIN_NAMED
        };
        let (mut declared, mut other): (Vec<Bin>, Vec<Bin>) =
            self.0.iter().filter(|bin| is_word(bin)).cloned().partition(may_be_named);
        declared.sort_by_key(|bin| Reverse(bin.reference));
        other.extend(declared.drain(declared.len().min(MAX_NAMED)..));
        if !other.is_empty() {
            let (reference, current) = other
                .iter()
                .fold((0, 0), |(reference, current), bin| (reference + bin.reference, current + bin.current));
            declared.push(Bin { range: Range::Other, reference, current });
        }
        declared.extend(self.0.iter().filter(|bin| !is_word(bin)).cloned());
        declared
    }

    fn totals(&self) -> Option<(f64, f64)> {
        let (n, m) = self.0.iter().fold((0, 0), |(n, m), bin| (n + bin.reference, m + bin.current));
        (n > 0 && m > 0).then_some((n as f64, m as f64))
    }

    fn freedom(&self) -> f64 {
        let used = self.0.iter().filter(|bin| bin.reference + bin.current > 0).count();
        used.saturating_sub(1) as f64
    }
}

fn shares(bin: &Bin, n: f64, m: f64) -> (f64, f64) {
    ((bin.reference as f64 / n).max(FLOOR), (bin.current as f64 / m).max(FLOOR))
}

fn part((p, q): (f64, f64)) -> f64 {
    (q - p) * (q / p).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(mut values: Vec<f64>) -> Vec<f64> {
        values.sort_by(f64::total_cmp);
        values
    }

    /// The same bins by asking of every value which of the declared ranges holds it.
    fn slow_counts(bins: &Bins, values: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; bins.0.len()];
        for value in values {
            let holds = |bin: &Bin| match bin.range {
                Range::Below(edge) => *value < edge,
                Range::UpTo(edge) => *value <= edge,
                Range::Above => true,
                _ => false,
            };
            counts[bins.0.iter().position(holds).unwrap()] += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn what_is_declared_is_what_was_counted(
            a in proptest::collection::vec(-3i8..8, 1..200), b in proptest::collection::vec(-6i8..12, 0..200),
        ) {
            let list = |side: &[i8]| sorted(side.iter().map(|v| f64::from(*v)).collect());
            let (a, b) = (list(&a), list(&b));
            let bins = Bins::of_numbers(&a, &b);
            prop_assert_eq!(bins.0.iter().map(|bin| bin.reference).collect::<Vec<_>>(), slow_counts(&bins, &a));
            prop_assert_eq!(bins.0.iter().map(|bin| bin.current).collect::<Vec<_>>(), slow_counts(&bins, &b));
            prop_assert_eq!(bins.declared(), bins.0.clone());
        }

        #[test]
        fn the_index_is_never_negative_and_zero_for_the_same(
            a in proptest::collection::vec(-1e6f64..1e6, 1..200), b in proptest::collection::vec(-1e6f64..1e6, 1..200),
        ) {
            let (a, b) = (sorted(a), sorted(b));
            prop_assert_eq!(Bins::of_numbers(&a, &a).psi(), Some(0.0));
            let bins = Bins::of_numbers(&a, &b);
            let (psi, (low, high)) = (bins.psi().unwrap(), bins.interval(1.96).unwrap());
            prop_assert!(psi >= 0.0 && low >= 0.0 && low <= psi && psi <= high, "{low} {psi} {high}");
        }
    }

    #[test]
    fn tenths_of_a_reference_without_ties_are_tenths() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        let bins = Bins::of_numbers(&values, &[]);
        assert_eq!(bins.0.iter().map(|bin| bin.reference).collect::<Vec<_>>(), [30; 10]);
        assert_eq!(
            (bins.psi(), bins.noise(0.01), bins.interval(2.0), bins.chi_square()),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_constant_is_told_from_what_lies_on_either_side() {
        let constant = [0.0; 100];
        for shifted in [[-1.0; 100], [1.0; 100], [f64::MIN_POSITIVE; 100]] {
            assert!(Bins::of_numbers(&constant, &shifted).psi().unwrap() > 5.0);
        }
        let same = Bins::of_numbers(&constant, &[-0.0; 50]);
        assert_eq!(
            (same.psi(), same.noise(0.01), same.interval(3.0)),
            (Some(0.0), Some(0.0), Some((0.0, 0.0)))
        );
        insta::assert_snapshot!(serde_json::to_string(&same.0).unwrap(), @r#"[{"range":{"below":0.0},"reference":0,"current":0},{"range":{"up_to":0.0},"reference":100,"current":50},{"range":"above","reference":0,"current":0}]"#);
    }

    #[test]
    fn rare_and_new_words_are_not_named() {
        let reference: Vec<&str> =
            ["rent"; 40].into_iter().chain(["own"; 20]).chain(["Mx Unique Name"]).collect();
        let current = ["rent", "rent", "my account is DE02", "own"];
        let declared = Bins::of_words(&reference, &current).with_missing(0, 1).declared();
        insta::assert_snapshot!(serde_json::to_string(&declared).unwrap(), @r#"[{"range":{"word":"rent"},"reference":40,"current":2},{"range":{"word":"own"},"reference":20,"current":1},{"range":"other","reference":1,"current":1},{"range":"missing","reference":0,"current":1}]"#);
    }
}
