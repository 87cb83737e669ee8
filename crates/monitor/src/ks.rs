//! The two-sample Kolmogorov-Smirnov test: the distance in whole numbers, its p-value exactly where that can be afforded.
//!
//! Sources: Hodges (1958), "The significance probability of the Smirnov two-sample test", for paths through the lattice;
//! Gnedenko and Korolyuk (1951) for samples of the same size; Kolmogorov (1933) for the limit. With ties the exact
//! p-value is an upper bound, as everywhere.

use crate::special::kolmogorov_tail;
use serde::{Deserialize, Serialize};

/// Where a p-value comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By counting: no approximation.
    Exact,
    /// By the distribution that large samples tend to.
    #[default]
    Asymptotic,
}

/// The outcome of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest distance between the two empirical distributions, 0 to 1.
    pub statistic: f64,
    /// The chance of this distance or more if both samples come from one distribution.
    pub p_value: f64,
    /// How the p-value was found.
    pub method: Method,
}

/// Samples up to this size, both of them, are counted out exactly (the bound of SciPy's `method="auto"`).
pub const MAX_EXACT: usize = 10_000;

/// The test of two sorted samples without NaN; none if one of them is empty.
pub fn two_sample(a: &[f64], b: &[f64]) -> Option<KolmogorovSmirnov> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (n, m) = (a.len(), b.len());
    let gap = largest_gap(a, b);
    let statistic = gap as f64 / (n as f64 * m as f64);
    let exact = n.max(m) <= MAX_EXACT;
    let p_value = if exact { exact_tail(n, m, gap) } else { kolmogorov_tail(statistic, n, m) };
    Some(KolmogorovSmirnov {
        statistic,
        p_value,
        method: if exact { Method::Exact } else { Method::Asymptotic },
    })
}

/// The largest `|i m - j n|`, where `i` of `a` and `j` of `b` are no larger than some number: `n m` times the distance,
/// without rounding. Ties are stepped over together.
fn largest_gap(a: &[f64], b: &[f64]) -> u64 {
    let (n, m) = (a.len() as u64, b.len() as u64);
    let (mut i, mut j, mut most) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        i += a[i..].iter().take_while(|value| **value <= at).count();
        j += b[j..].iter().take_while(|value| **value <= at).count();
        most = most.max((i as u64 * m).abs_diff(j as u64 * n));
    }
    most
}

/// The chance that a random path from (0, 0) to (n, m) meets `|x m - y n| >= gap`.
fn exact_tail(n: usize, m: usize, gap: u64) -> f64 {
    if gap == 0 {
        return 1.0;
    }
    let (big, small) = (n.max(m) as f64, n.min(m) as f64);
    let distance = gap as f64 / (big * small);
    // By Dvoretzky, Kiefer and Wolfowitz the tail is below e times this exponential: too small for a number.
    if 2.0 * distance * distance * big * small / (big + small) > 760.0 {
        return 0.0;
    }
    let tail = if n == m { equal_sizes(n, gap.div_ceil(n as u64)) } else { paths(n, m, gap as i64) };
    tail.clamp(0.0, 1.0)
}

/// `2 (C(2n, n-h) - C(2n, n-2h) + ...) / C(2n, n)`, nested so that no term overflows.
fn equal_sizes(n: usize, h: u64) -> f64 {
    let n = n as u64;
    let shrink =
        |k: u64| (0..h).fold(1.0, |product, j| product * (n - k * h - j) as f64 / (n + k * h + j + 1) as f64);
    2.0 * (0..n / h).rev().fold(0.0, |rest, k| shrink(k) * (1.0 - rest))
}

/// Column by column through the lattice: the chance that a random path to (x, y) was outside at some point is 1
/// outside, and inside the mean over its two possible last steps. Only sums of positive numbers: small tails keep
/// their digits.
fn paths(n: usize, m: usize, gap: i64) -> f64 {
    let (width, height) = (n as i64, m as i64);
    let mut chance = vec![1.0f64; m + 1];
    for x in 0..=width {
        // Inside is `|x height - y width| < gap`.
        let lowest = ((x * height - gap).div_euclid(width) + 1).max(0);
        let highest = ((x * height + gap - 1).div_euclid(width)).min(height);
        if lowest > 0 {
            chance[lowest as usize - 1] = 1.0;
        }
        for y in lowest..=highest {
            let at = y as usize;
            let left = if x > 0 { x as f64 * chance[at] } else { 0.0 };
            let below = if y > 0 { y as f64 * chance[at - 1] } else { 0.0 };
            chance[at] = if x + y > 0 { (left + below) / (x + y) as f64 } else { 0.0 };
        }
    }
    chance[m]
}

#[cfg(test)]
mod tests {
    //! Goal: distance and p-value as their definitions say. Method: all arrangements of small samples, one by one.
    use super::*;
    use proptest::prelude::*;

    fn sorted(values: &[u8]) -> Vec<f64> {
        let mut values: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The distance by its definition: at every value that occurs.
    fn slow_distance(a: &[f64], b: &[f64]) -> f64 {
        let share =
            |side: &[f64], at: f64| side.iter().filter(|v| **v <= at).count() as f64 / side.len() as f64;
        a.iter().chain(b).map(|at| (share(a, *at) - share(b, *at)).abs()).fold(0.0, f64::max)
    }

    /// The share of all arrangements of n and m different values with a gap of at least this.
    fn slow_tail(n: usize, m: usize, gap: u64) -> f64 {
        let (mut beyond, mut all) = (0u32, 0u32);
        for mask in 0u32..1 << (n + m) {
            if mask.count_ones() as usize == n {
                let side = |one: u32| -> Vec<f64> {
                    (0..n + m).filter(|at| mask >> at & 1 == one).map(|at| at as f64).collect()
                };
                all += 1;
                beyond += u32::from(largest_gap(&side(1), &side(0)) >= gap);
            }
        }
        f64::from(beyond) / f64::from(all)
    }

    #[test]
    fn exact_tails_are_those_of_all_arrangements() {
        for (n, m) in [(1, 1), (1, 5), (4, 4), (5, 5), (3, 6), (6, 4), (7, 5)] {
            for gap in 0..=(n * m) as u64 {
                let (fast, slow) = (exact_tail(n, m, gap), slow_tail(n, m, gap));
                assert!((fast - slow).abs() < 1e-13, "{n} {m} {gap}: {fast} is not {slow}");
            }
        }
    }

    #[test]
    fn both_ways_of_counting_agree() {
        for h in 1..=60u64 {
            let (closed, walked) = (equal_sizes(60, h), paths(60, 60, (h * 60) as i64));
            assert!((closed - walked).abs() <= 1e-11 * walked, "{h}: {closed} is not {walked}");
        }
    }

    #[test]
    fn the_limit_takes_over_smoothly() {
        // Just below the bound the limit is off by no more than its order, 1/sqrt(n).
        let a: Vec<f64> = (0..9_000).map(f64::from).collect();
        let b: Vec<f64> = (0..8_000).map(|v| f64::from(v) * 1.125 + 200.0).collect();
        let exact = two_sample(&a, &b).unwrap();
        let limit = kolmogorov_tail(exact.statistic, a.len(), b.len());
        assert!((exact.p_value / limit - 1.0).abs() < 0.1, "{} {limit}", exact.p_value);
        let larger: Vec<f64> = (0..10_001).map(f64::from).collect();
        assert_eq!(two_sample(&larger, &b).unwrap().method, Method::Asymptotic);
        assert_eq!(two_sample(&a, &[]), None);
    }

    proptest! {
        #[test]
        fn the_distance_is_as_defined(a in proptest::collection::vec(0u8..12, 1..30), b in proptest::collection::vec(0u8..12, 1..30)) {
            let (a, b) = (sorted(&a), sorted(&b));
            let test = two_sample(&a, &b).unwrap();
            prop_assert!((test.statistic - slow_distance(&a, &b)).abs() < 1e-14);
            prop_assert!((0.0..=1.0).contains(&test.p_value));
            prop_assert_eq!(two_sample(&b, &a).unwrap().statistic, test.statistic);
            prop_assert!((two_sample(&b, &a).unwrap().p_value - test.p_value).abs() < 1e-12);
        }
    }
}
