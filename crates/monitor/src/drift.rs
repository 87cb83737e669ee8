//! Drift: has the population changed since the model was made?
//!
//! A verdict has three parts, because each alone misleads: the difference must be *significant* (all features of a
//! window together, by Benjamini and Hochberg, 1995), *large enough* to matter (PSI above a bound), and there must be
//! *enough* data. PSI alone is meaningless without the number of samples: with 100 rows it exceeds 0.1 by chance in
//! most windows; `psi_noise` is the value that chance alone exceeds in one of a hundred.

use crate::ks::{self, Method};
use crate::special::{chi_square_quantile, chi_square_tail};
use facts::{ColumnName, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A column of a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; missing ones are none.
    Numeric(Vec<Option<f64>>),
    /// Words; missing ones are none.
    Category(Vec<Option<String>>),
}

/// What counts as drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftSettings {
    /// The PSI from which a difference matters.
    pub psi: f64,
    /// The share of false alarms among alarms that is put up with.
    pub significance: f64,
    /// The fewest values, on each side, from which anything is concluded.
    pub min_samples: usize,
}

/// How one feature compares with the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature.
    pub feature: ColumnName,
    /// `ks` (two-sample Kolmogorov-Smirnov) or `chi2` (two-sample contingency).
    pub test: String,
    /// Whether the p-value of `ks` was counted out or is that of large samples; that of `chi2` is always asymptotic.
    #[serde(default)]
    pub method: Method,
    /// The test's statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
    /// Population stability index.
    pub psi: f64,
    /// The PSI that chance alone exceeds in one of a hundred windows of this size.
    pub psi_noise: f64,
    /// Values in the reference and in the window.
    pub samples: (u64, u64),
    /// Share of missing values in the reference and in the window.
    pub missing: (f64, f64),
    /// Holds if there is no drift.
    pub verdict: Verdict,
}

impl FeatureDrift {
    /// Whether it has drifted.
    pub fn drifted(&self) -> bool {
        matches!(self.verdict, Verdict::Broken { .. })
    }
}

/// All features, the most changed first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// The features.
    pub features: Vec<FeatureDrift>,
}

impl DriftReport {
    /// How many have drifted.
    pub fn drifted(&self) -> usize {
        self.features.iter().filter(|feature| feature.drifted()).count()
    }

    /// The largest PSI among the features with enough data.
    pub fn max_psi(&self) -> Option<f64> {
        let known =
            self.features.iter().filter(|feature| !matches!(feature.verdict, Verdict::Unknown { .. }));
        known.map(|feature| feature.psi).max_by(f64::total_cmp)
    }
}

/// Compares every feature that both sides have; a feature that one side lacks is Unknown.
pub fn report(
    reference: &BTreeMap<ColumnName, Column>,
    current: &BTreeMap<ColumnName, Column>,
    settings: &DriftSettings,
) -> DriftReport {
    let mut features: Vec<FeatureDrift> =
        reference.iter().map(|(name, column)| compare(name, column, current.get(name), settings)).collect();
    let limit = benjamini_hochberg(&features, settings.significance);
    for feature in &mut features {
        if feature.verdict != Verdict::Holds {
            continue;
        }
        if feature.p_value <= limit && feature.psi > settings.psi {
            let reason =
                format!("PSI {:.3} is above {}, p = {:.2e}", feature.psi, settings.psi, feature.p_value);
            feature.verdict = Verdict::Broken { reason };
        }
    }
    features.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
    DriftReport { features }
}

/// The largest p-value that is significant among all.
fn benjamini_hochberg(features: &[FeatureDrift], level: f64) -> f64 {
    let mut p: Vec<f64> = features
        .iter()
        .filter(|feature| feature.verdict == Verdict::Holds)
        .map(|feature| feature.p_value)
        .collect();
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    let passes = |(rank, p): &(usize, &f64)| **p <= level * (*rank as f64 + 1.0) / count;
    p.iter().enumerate().filter(passes).map(|(_, p)| *p).next_back().unwrap_or(-1.0)
}

fn compare(
    name: &ColumnName,
    reference: &Column,
    current: Option<&Column>,
    settings: &DriftSettings,
) -> FeatureDrift {
    let mut drift = FeatureDrift {
        feature: name.clone(),
        test: String::new(),
        method: Method::Asymptotic,
        statistic: 0.0,
        p_value: 1.0,
        psi: 0.0,
        psi_noise: 0.0,
        samples: (0, 0),
        missing: (0.0, 0.0),
        verdict: Verdict::Holds,
    };
    match (reference, current) {
        (Column::Numeric(a), Some(Column::Numeric(b))) => {
            let (a, b) = (present(a, &mut drift.missing.0), present(b, &mut drift.missing.1));
            drift.samples = (a.len() as u64, b.len() as u64);
            drift.test = "ks".to_owned();
            if let Some(test) = ks::two_sample(&counted(&a), &counted(&b)) {
                (drift.statistic, drift.p_value, drift.method) = (test.statistic, test.p_value, test.method);
            }
            let counts = bin(&a, &b, 10);
            set_psi(&mut drift, &counts);
        }
        (Column::Category(a), Some(Column::Category(b))) => {
            let (a, b) = (words(a, &mut drift.missing.0), words(b, &mut drift.missing.1));
            drift.samples = (a.len() as u64, b.len() as u64);
            drift.test = "chi2".to_owned();
            let counts = count(&a, &b);
            let (statistic, freedom) = chi_square(&counts);
            drift.statistic = statistic;
            drift.p_value = chi_square_tail(statistic, freedom);
            set_psi(&mut drift, &counts);
        }
        (_, None) => {
            drift.verdict = Verdict::Unknown { missing: "the feature is not in the window".to_owned() }
        }
        _ => {
            drift.verdict = Verdict::Unknown { missing: "numbers on one side, words on the other".to_owned() }
        }
    }
    let least = drift.samples.0.min(drift.samples.1);
    if drift.verdict == Verdict::Holds && least < settings.min_samples as u64 {
        drift.verdict = Verdict::Unknown {
            missing: format!("{least} values are too few; {} are needed", settings.min_samples),
        };
    }
    drift
}

fn present(column: &[Option<f64>], missing: &mut f64) -> Vec<f64> {
    let mut values: Vec<f64> = column.iter().copied().flatten().filter(|value| value.is_finite()).collect();
    *missing = 1.0 - values.len() as f64 / column.len().max(1) as f64;
    values.sort_by(f64::total_cmp);
    values
}

fn words<'a>(column: &'a [Option<String>], missing: &mut f64) -> Vec<&'a str> {
    let values: Vec<&str> = column.iter().flatten().map(String::as_str).collect();
    *missing = 1.0 - values.len() as f64 / column.len().max(1) as f64;
    values
}

/// Each value once, with how often it occurs.
fn counted(sorted: &[f64]) -> Vec<(f64, u64)> {
    sorted.chunk_by(|a, b| a >= b).map(|run| (run[0], run.len() as u64)).collect()
}

/// Counts of both sides in bins at quantiles of the sorted reference: `(edge, edge]`, the outer ones open.
fn bin(reference: &[f64], current: &[f64], bins: usize) -> Vec<(f64, f64)> {
    let mut edges: Vec<f64> =
        (1..bins).filter_map(|n| reference.get(reference.len() * n / bins)).copied().collect();
    edges.dedup();
    let mut counts = vec![(0.0, 0.0); edges.len() + 1];
    let place = |value: f64| edges.partition_point(|edge| *edge < value);
    reference.iter().for_each(|value| counts[place(*value)].0 += 1.0);
    current.iter().for_each(|value| counts[place(*value)].1 += 1.0);
    counts
}

fn count(reference: &[&str], current: &[&str]) -> Vec<(f64, f64)> {
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    reference.iter().for_each(|word| counts.entry(word).or_default().0 += 1.0);
    current.iter().for_each(|word| counts.entry(word).or_default().1 += 1.0);
    counts.into_values().collect()
}

/// The statistic and the degrees of freedom of the 2 x k contingency table, without correction.
fn chi_square(counts: &[(f64, f64)]) -> (f64, f64) {
    let (n, m) = counts.iter().fold((0.0, 0.0), |(n, m), (a, b)| (n + a, m + b));
    let total: f64 = n + m;
    if n == 0.0 || m == 0.0 {
        return (0.0, 0.0);
    }
    let cell = |observed: f64, expected: f64| (observed - expected) * (observed - expected) / expected;
    let used: Vec<&(f64, f64)> = counts.iter().filter(|(a, b)| a + b > 0.0).collect();
    let statistic =
        used.iter().map(|(a, b)| cell(*a, (a + b) * n / total) + cell(*b, (a + b) * m / total)).sum();
    (statistic, used.len() as f64 - 1.0)
}

/// Shares below this are counted as this, so that an empty bin does not make the index infinite.
const FLOOR: f64 = 1e-4;

fn set_psi(drift: &mut FeatureDrift, counts: &[(f64, f64)]) {
    let (n, m) = (drift.samples.0 as f64, drift.samples.1 as f64);
    if n == 0.0 || m == 0.0 {
        return;
    }
    let part = |(a, b): &(f64, f64)| {
        let (p, q) = ((a / n).max(FLOOR), (b / m).max(FLOOR));
        (q - p) * (q / p).ln()
    };
    drift.psi = counts.iter().map(part).sum();
    let freedom = counts.len() as f64 - 1.0;
    drift.psi_noise =
        if freedom < 1.0 { 0.0 } else { (1.0 / n + 1.0 / m) * chi_square_quantile(0.01, freedom) };
}
