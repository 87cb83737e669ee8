//! The two-sample Kolmogorov-Smirnov test: the distance in whole numbers, its p-value exactly where that can be afforded.
//!
//! Sources: Hodges (1958), "The significance probability of the Smirnov two-sample test", for paths through the lattice;
//! Gnedenko and Korolyuk (1951) for samples of the same size. Which method is taken when, and what beyond, is that of
//! SciPy's `ks_2samp(method="auto")`. With ties the exact p-value is an upper bound, as there.

use crate::kolmogorov;
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
pub const MAX_EXACT: u64 = 10_000;

/// Values in ascending order, each once, and how often each occurs.
pub type Counted = [(f64, u64)];

/// The test of two counted samples without NaN; none if one of them is empty.
pub fn two_sample(a: &Counted, b: &Counted) -> Option<KolmogorovSmirnov> {
    let (n, m) = (size(a), size(b));
    if n == 0 || m == 0 {
        return None;
    }
    Some(of_gap(n, m, largest_gap(a, b)))
}

/// The least and the most that the test can say of two samples that are known by their counts in cells of one
/// [`crate::distribution::Grid`]: between two edges every order is possible, at an edge there is none.
pub fn bounds(a: &[[u64; 1]], b: &[[u64; 1]]) -> Option<(KolmogorovSmirnov, KolmogorovSmirnov)> {
    let total = |side: &[[u64; 1]]| side.iter().map(|[count]| count).sum::<u64>();
    let (n, m) = (total(a), total(b));
    if n == 0 || m == 0 {
        return None;
    }
    let (wide_n, wide_m) = (u128::from(n), u128::from(m));
    let (mut i, mut j, mut least, mut most) = (0u128, 0u128, 0u128, 0u128);
    for (at, ([x], [y])) in a.iter().zip(b).enumerate() {
        let (next_i, next_j) = (i + u128::from(*x), j + u128::from(*y));
        if at % 2 == 0 {
            let ahead = (next_i * wide_m).saturating_sub(j * wide_n);
            let behind = (next_j * wide_n).saturating_sub(i * wide_m);
            most = most.max(ahead).max(behind);
        }
        (i, j) = (next_i, next_j);
        least = least.max((i * wide_m).abs_diff(j * wide_n));
    }
    Some((of_gap(n, m, least), of_gap(n, m, most.max(least))))
}

/// The outcome for a distance of `gap / (n m)`, both sizes above 0.
pub fn of_gap(n: u64, m: u64, gap: u128) -> KolmogorovSmirnov {
    let statistic = gap as f64 / (n as f64 * m as f64);
    let exact = if n.max(m) <= MAX_EXACT { exact_tail(n, m, gap) } else { None };
    let (p_value, method) = exact
        .map_or_else(|| (large_sample_tail(n, m, statistic), Method::Asymptotic), |p| (p, Method::Exact));
    KolmogorovSmirnov { statistic, p_value, method }
}

fn size(side: &Counted) -> u64 {
    side.iter().map(|(_, count)| count).sum()
}

/// `ks_2samp(method="asymp")`: the one-sample distribution at the effective size, rounded half to even.
fn large_sample_tail(n: u64, m: u64, statistic: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    kolmogorov::tail((n * m / (n + m)).round_ties_even() as u64, statistic)
}

/// The largest `|i m - j n|`, where `i` of `a` and `j` of `b` are no larger than some number: `n m` times the distance,
/// without rounding. Ties are stepped over together.
fn largest_gap(a: &Counted, b: &Counted) -> u128 {
    let (n, m) = (u128::from(size(a)), u128::from(size(b)));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let (mut i, mut j, mut most) = (0, 0, 0u128);
    while let (Some((x, _)), Some((y, _))) = (a.peek(), b.peek()) {
        let at = x.min(*y);
        while let Some((_, count)) = a.next_if(|(value, _)| *value <= at) {
            i += u128::from(*count);
        }
        while let Some((_, count)) = b.next_if(|(value, _)| *value <= at) {
            j += u128::from(*count);
        }
        most = most.max((i * m).abs_diff(j * n));
    }
    most
}

/// The chance that a random path from (0, 0) to (n, m) meets `|x m - y n| >= gap`, sizes up to [`MAX_EXACT`]; none if
/// rounding has left no probability, where SciPy falls back to large samples too.
fn exact_tail(n: u64, m: u64, gap: u128) -> Option<f64> {
    let gap = i64::try_from(gap).ok()?;
    if gap == 0 {
        return Some(1.0);
    }
    let distance = gap as f64 / (n as f64 * m as f64);
    // By Dvoretzky, Kiefer and Wolfowitz the tail is below e times this exponential: too small for a number.
    if 2.0 * distance * distance * n as f64 * m as f64 / (n + m) as f64 > 760.0 {
        return Some(0.0);
    }
    let tail =
        if n == m { equal_sizes(n, gap.unsigned_abs().div_ceil(n)) } else { paths(n.max(m), n.min(m), gap) };
    (0.0..=1.0).contains(&tail).then_some(tail)
}

/// `2 (C(2n, n-h) - C(2n, n-2h) + ...) / C(2n, n)`, nested so that no term overflows.
fn equal_sizes(n: u64, h: u64) -> f64 {
    let shrink =
        |k: u64| (0..h).fold(1.0, |product, j| (n - k * h - j) as f64 * product / (n + k * h + j + 1) as f64);
    2.0 * (0..n / h).rev().fold(0.0, |rest, k| shrink(k) * (1.0 - rest))
}

/// Column by column through the lattice: the chance that a random path to (x, y) was outside at some point is 1
/// outside, and inside the mean over its two possible last steps. Only sums of positive numbers: small tails keep
/// their digits.
fn paths(n: u64, m: u64, gap: i64) -> f64 {
    let (width, height) = (n as i64, m as i64);
    let mut chance = vec![1.0f64; m as usize + 1];
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
    chance[m as usize]
}

#[cfg(test)]
mod tests {
    //! Goal: distance and p-value as their definitions say. Method: all arrangements of small samples, one by one.
    use super::*;
    use proptest::prelude::*;

    /// A sample as it is counted.
    fn counted(values: impl IntoIterator<Item = u32>) -> Vec<(f64, u64)> {
        let mut counts = std::collections::BTreeMap::new();
        values.into_iter().for_each(|value| *counts.entry(value).or_insert(0) += 1);
        counts.into_iter().map(|(value, count)| (f64::from(value), count)).collect()
    }

    /// The distance by its definition: at every value that occurs.
    fn slow_distance(a: &[u32], b: &[u32]) -> f64 {
        let share =
            |side: &[u32], at: u32| side.iter().filter(|v| **v <= at).count() as f64 / side.len() as f64;
        a.iter().chain(b).map(|at| (share(a, *at) - share(b, *at)).abs()).fold(0.0, f64::max)
    }

    /// The share of all arrangements of n and m different values with a gap of at least this.
    fn slow_tail(n: u32, m: u32, gap: u128) -> f64 {
        let (mut beyond, mut all) = (0u32, 0u32);
        for mask in 0u32..1 << (n + m) {
            if mask.count_ones() == n {
                let side = |one: u32| counted((0..n + m).filter(|at| mask >> at & 1 == one));
                all += 1;
                beyond += u32::from(largest_gap(&side(1), &side(0)) >= gap);
            }
        }
        f64::from(beyond) / f64::from(all)
    }

    #[test]
    fn exact_tails_are_those_of_all_arrangements() {
        for (n, m) in [(1, 1), (1, 5), (4, 4), (5, 5), (3, 6), (6, 4), (7, 5)] {
            for gap in 0..=u128::from(n * m) {
                // None is a 1 that rounding has made larger.
                let fast = exact_tail(n.into(), m.into(), gap).unwrap_or(1.0);
                let slow = slow_tail(n, m, gap);
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
        let exact = of_gap(9_000, 8_000, 9_000 * 8_000 / 50);
        let limit = large_sample_tail(9_000, 8_000, exact.statistic);
        assert!((exact.p_value / limit - 1.0).abs() < 0.1, "{} {limit}", exact.p_value);
        assert_eq!((exact.method, of_gap(10_001, 8_000, 5).method), (Method::Exact, Method::Asymptotic));
        assert_eq!(two_sample(&counted([1]), &[]), None);
    }

    proptest! {
        #[test]
        fn the_distance_is_as_defined(a in proptest::collection::vec(0u32..12, 1..30), b in proptest::collection::vec(0u32..12, 1..30)) {
            let (left, right) = (counted(a.clone()), counted(b.clone()));
            let test = two_sample(&left, &right).unwrap();
            prop_assert!((test.statistic - slow_distance(&a, &b)).abs() < 1e-14);
            prop_assert!((0.0..=1.0).contains(&test.p_value));
            prop_assert_eq!(two_sample(&right, &left), Some(test));
        }
    }
}
