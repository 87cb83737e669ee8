//! The population stability index: `sum (q - p) ln(q / p)` over bins, with what chance does to it.
//!
//! Bins are the deciles of the reference, or its words. Shares below [`FLOOR`] are taken as that, so that an empty bin
//! does not make the index infinite. Bins are not recorded: their words and edges are values of somebody's record, and
//! the ledger holds no plain data.

use crate::special::chi_square_quantile;

/// What falls into a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Numbers below this one; only where the smallest number of the reference is also its first decile.
    Below(f64),
    /// Numbers above the bin before, up to and with this one.
    UpTo(f64),
    /// Numbers above all bins before.
    Above,
    /// One word.
    Word,
    /// All words that only the window has, where they are too many to be held apart.
    Other,
}

/// A bin, counted on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// What falls into it.
    pub range: Range,
    /// How many of the reference.
    pub reference: u64,
    /// How many of the window.
    pub current: u64,
}

/// Bins of a feature and the index over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bins(pub Vec<Bin>);

/// The smallest share.
pub const FLOOR: f64 = 1e-4;

impl Bins {
    /// The index; none if a side is empty.
    pub fn psi(&self) -> Option<f64> {
        let (n, m) = self.totals()?;
        Some(self.0.iter().map(|bin| part(bin.reference as f64 / n, bin.current as f64 / m)).sum())
    }

    /// The least that the index can be if the window's part of the bin [`Range::Other`] is made of an unknown number of
    /// different words that the reference does not have. A part of the index grows faster than its share, so it is
    /// least where every one of those words occurs once.
    pub fn least(&self) -> Option<f64> {
        let (n, m) = self.totals()?;
        let least = |bin: &Bin| match bin.range {
            Range::Other => bin.current as f64 * part(0.0, 1.0 / m),
            _ => part(bin.reference as f64 / n, bin.current as f64 / m),
        };
        Some(self.0.iter().map(least).sum())
    }

    /// The index that chance alone exceeds with probability `tail`: `(1/n + 1/m)` times a chi-square quantile.
    pub fn noise(&self, tail: f64) -> Option<f64> {
        let (n, m) = self.totals()?;
        let freedom = self.freedom();
        Some(if freedom < 1.0 { 0.0 } else { (1.0 / n + 1.0 / m) * chi_square_quantile(tail, freedom) })
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

    fn totals(&self) -> Option<(f64, f64)> {
        let (n, m) = self.0.iter().fold((0, 0), |(n, m), bin| (n + bin.reference, m + bin.current));
        (n > 0 && m > 0).then_some((n as f64, m as f64))
    }

    fn freedom(&self) -> f64 {
        let used = self.0.iter().filter(|bin| bin.reference + bin.current > 0).count();
        used.saturating_sub(1) as f64
    }
}

fn part(p: f64, q: f64) -> f64 {
    let (p, q) = (p.max(FLOOR), q.max(FLOOR));
    (q - p) * (q / p).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(range: Range, reference: u64, current: u64) -> Bin {
        Bin { range, reference, current }
    }

    #[test]
    fn a_side_without_values_has_no_index() {
        let bins = Bins(vec![bin(Range::UpTo(1.0), 30, 0), bin(Range::Above, 30, 0)]);
        assert_eq!((bins.psi(), bins.noise(0.01), bins.chi_square()), (None, None, None));
        let same = Bins(vec![bin(Range::UpTo(1.0), 30, 3), bin(Range::Above, 0, 0)]);
        assert_eq!((same.psi(), same.noise(0.01)), (Some(0.0), Some(0.0)));
    }
}
