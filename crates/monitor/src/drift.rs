//! Drift: has the population changed since the model was made?
//!
//! A verdict has three parts, because each alone misleads: the difference must be *significant* (all tests of a
//! window together, by Benjamini and Hochberg, 1995), *large enough* to matter (PSI above a bound), and there must be
//! *enough* data. PSI alone is meaningless without the number of samples: with 100 rows it exceeds 0.1 by chance in
//! most windows; `psi_noise` is the value that chance alone exceeds in one of a hundred, `psi_interval` what the index
//! of the populations may be.
//!
//! Two tests are made of each feature: of the values that are there (Kolmogorov-Smirnov for numbers, a contingency
//! table for words), and of the share that is missing.

use crate::ks::{self, Method};
use crate::psi::{Bin, Bins};
use crate::special::{chi_square_tail, normal_quantile};
use facts::{ColumnName, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A column of a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; missing ones are none. What is not finite counts as missing.
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
    /// `ks` (two-sample Kolmogorov-Smirnov) or `chi2` (two-sample contingency); empty if nothing could be compared.
    pub test: String,
    /// Whether the p-value of `ks` was counted out or is that of large samples; `chi2` is always asymptotic.
    #[serde(default)]
    pub method: Method,
    /// The test's statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
    /// Population stability index; missing values are a bin of their own.
    pub psi: f64,
    /// The PSI that chance alone exceeds in one of a hundred windows of this size.
    pub psi_noise: f64,
    /// What the PSI of the populations may be: approximate, 95 % for all features of the window together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psi_interval: Option<(f64, f64)>,
    /// Values in the reference and in the window.
    pub samples: (u64, u64),
    /// Share of missing values in the reference and in the window.
    pub missing: (f64, f64),
    /// The p-value of the difference in missing values; none if nothing is missing, or there are too few rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_p_value: Option<f64>,
    /// Whether a test is significant, among all of the window.
    #[serde(default)]
    pub significant: bool,
    /// Whether the PSI is above the bound.
    #[serde(default)]
    pub large: bool,
    /// The bins of the PSI; given for the most changed features only ([`MAX_DECLARED`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<Bin>,
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

/// Features of a report that show their bins: a report is recorded, and records are bounded.
pub const MAX_DECLARED: usize = 16;

impl DriftReport {
    /// How many have drifted.
    pub fn drifted(&self) -> usize {
        self.features.iter().filter(|feature| feature.drifted()).count()
    }

    /// The largest PSI among the features with enough data.
    pub fn max_psi(&self) -> Option<f64> {
        self.known().map(|feature| feature.psi).max_by(f64::total_cmp)
    }

    /// The 95 % interval of the largest PSI among the features with enough data.
    pub fn max_psi_interval(&self) -> Option<(f64, f64)> {
        let intervals = self.known().filter_map(|feature| feature.psi_interval);
        intervals.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// The largest share of missing values in the window.
    pub fn max_missing(&self) -> Option<f64> {
        let compared = self.features.iter().filter(|feature| !feature.test.is_empty());
        compared.map(|feature| feature.missing.1).max_by(f64::total_cmp)
    }

    fn known(&self) -> impl Iterator<Item = &FeatureDrift> {
        self.features.iter().filter(|feature| !matches!(feature.verdict, Verdict::Unknown { .. }))
    }
}

/// Compares every feature; one that a side lacks is Unknown.
pub fn report(
    reference: &BTreeMap<ColumnName, Column>,
    current: &BTreeMap<ColumnName, Column>,
    settings: &DriftSettings,
) -> DriftReport {
    let names: BTreeSet<&ColumnName> = reference.keys().chain(current.keys()).collect();
    // Bonferroni: each interval a little wider, so that all hold together.
    let z = normal_quantile(0.05 / names.len().max(1) as f64);
    let mut features: Vec<FeatureDrift> = names
        .iter()
        .map(|name| describe(name, (reference.get(*name), current.get(*name)), settings, z))
        .collect();
    let limit = benjamini_hochberg(&features, settings);
    features.iter_mut().for_each(|feature| judge(feature, limit, settings));
    features.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
    features.iter_mut().skip(MAX_DECLARED).for_each(|feature| feature.bins.clear());
    DriftReport { features }
}

/// Compares one feature on its own.
pub fn compare(
    name: &ColumnName,
    reference: &Column,
    current: &Column,
    settings: &DriftSettings,
) -> FeatureDrift {
    let mut feature = describe(name, (Some(reference), Some(current)), settings, normal_quantile(0.05));
    let limit = benjamini_hochberg(std::slice::from_ref(&feature), settings);
    judge(&mut feature, limit, settings);
    feature
}

/// The largest p-value that is significant among all tests that have enough data.
fn benjamini_hochberg(features: &[FeatureDrift], settings: &DriftSettings) -> f64 {
    let mut p: Vec<f64> = features.iter().flat_map(|feature| p_values(feature, settings)).collect();
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    let passes = |(rank, p): &(usize, &f64)| **p <= settings.significance * (*rank as f64 + 1.0) / count;
    p.iter().enumerate().filter(passes).map(|(_, p)| *p).next_back().unwrap_or(-1.0)
}

/// The p-values of a feature that rest on enough data: of its values, and of what is missing.
fn p_values(feature: &FeatureDrift, settings: &DriftSettings) -> impl Iterator<Item = f64> + use<> {
    let enough = feature.verdict == Verdict::Holds && least(feature.samples) >= settings.min_samples as u64;
    enough.then_some(feature.p_value).into_iter().chain(feature.missing_p_value)
}

fn least(sides: (u64, u64)) -> u64 {
    sides.0.min(sides.1)
}

fn judge(feature: &mut FeatureDrift, limit: f64, settings: &DriftSettings) {
    if feature.verdict != Verdict::Holds {
        return;
    }
    feature.significant = p_values(feature, settings).any(|p| p <= limit);
    feature.large = feature.psi > settings.psi;
    let least = least(feature.samples);
    if feature.significant && feature.large {
        let of_values = least >= settings.min_samples as u64 && feature.p_value <= limit;
        let size = format!("PSI {:.3} is above {}", feature.psi, settings.psi);
        let reason = match feature.missing_p_value {
            Some(p) if !of_values => format!(
                "{size}, {:.1} % of the values are missing where {:.1} % were, p = {p:.2e}",
                feature.missing.1 * 100.0,
                feature.missing.0 * 100.0
            ),
            _ => format!("{size}, p = {:.2e}", feature.p_value),
        };
        feature.verdict = Verdict::Broken { reason };
    } else if least < settings.min_samples as u64 {
        feature.verdict = Verdict::Unknown {
            missing: format!("{least} values are too few; {} are needed", settings.min_samples),
        };
    }
}

/// Everything but the judgement. The verdict is Holds if the columns can be compared.
fn describe(
    name: &ColumnName,
    sides: (Option<&Column>, Option<&Column>),
    settings: &DriftSettings,
    z: f64,
) -> FeatureDrift {
    let mut drift = FeatureDrift {
        feature: name.clone(),
        test: String::new(),
        method: Method::Asymptotic,
        statistic: 0.0,
        p_value: 1.0,
        psi: 0.0,
        psi_noise: 0.0,
        psi_interval: None,
        samples: (0, 0),
        missing: (0.0, 0.0),
        missing_p_value: None,
        significant: false,
        large: false,
        bins: Vec::new(),
        verdict: Verdict::Holds,
    };
    let unknown = |missing: &str| Verdict::Unknown { missing: missing.to_owned() };
    let (reference, current) = match sides {
        (Some(reference), Some(current)) => (reference, current),
        (None, _) => {
            return FeatureDrift { verdict: unknown("the feature is not in the reference"), ..drift };
        }
        (_, None) => return FeatureDrift { verdict: unknown("the feature is not in the window"), ..drift },
    };
    let (a, b) = (Values::of(reference), Values::of(current));
    let rows = (reference.rows(), current.rows());
    drift.samples = (a.count() as u64, b.count() as u64);
    let absent = (rows.0 - drift.samples.0, rows.1 - drift.samples.1);
    drift.missing = (absent.0 as f64 / rows.0.max(1) as f64, absent.1 as f64 / rows.1.max(1) as f64);
    let bins = match (&a, &b) {
        (Values::Numbers(a), Values::Numbers(b)) => number_test(&mut drift, a, b),
        (Values::Words(a), Values::Words(b)) => word_test(&mut drift, a, b),
        // What is wholly missing is of any kind.
        (Values::Numbers(a), Values::Words(b)) if b.is_empty() => number_test(&mut drift, a, &[]),
        (Values::Words(a), Values::Numbers(b)) if b.is_empty() => word_test(&mut drift, a, &[]),
        _ => {
            drift.verdict = unknown("numbers on one side, words on the other");
            return drift;
        }
    };
    if least(rows) >= settings.min_samples as u64 && absent != (0, 0) {
        let table = Bins::of_presence(drift.samples, absent).chi_square();
        drift.missing_p_value = table.map(|(statistic, freedom)| chi_square_tail(statistic, freedom));
    }
    let bins = bins.with_missing(absent.0, absent.1);
    drift.psi = bins.psi().unwrap_or(0.0);
    drift.psi_noise = bins.noise(0.01).unwrap_or(0.0);
    drift.psi_interval = bins.interval(z);
    drift.bins = bins.declared();
    drift
}

fn number_test(drift: &mut FeatureDrift, a: &[f64], b: &[f64]) -> Bins {
    "ks".clone_into(&mut drift.test);
    if let Some(test) = ks::two_sample(a, b) {
        (drift.statistic, drift.p_value, drift.method) = (test.statistic, test.p_value, test.method);
    }
    Bins::of_numbers(a, b)
}

fn word_test(drift: &mut FeatureDrift, a: &[&str], b: &[&str]) -> Bins {
    "chi2".clone_into(&mut drift.test);
    let bins = Bins::of_words(a, b);
    if let Some((statistic, freedom)) = bins.chi_square() {
        (drift.statistic, drift.p_value) = (statistic, chi_square_tail(statistic, freedom));
    }
    bins
}

/// What is there; numbers in order.
enum Values<'a> {
    Numbers(Vec<f64>),
    Words(Vec<&'a str>),
}

impl<'a> Values<'a> {
    fn of(column: &'a Column) -> Self {
        match column {
            Column::Numeric(cells) => {
                let mut values: Vec<f64> =
                    cells.iter().copied().flatten().filter(|v| v.is_finite()).collect();
                values.sort_by(f64::total_cmp);
                Self::Numbers(values)
            }
            Column::Category(cells) => Self::Words(cells.iter().flatten().map(String::as_str).collect()),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Words(values) => values.len(),
        }
    }
}

impl Column {
    fn rows(&self) -> u64 {
        match self {
            Self::Numeric(cells) => cells.len() as u64,
            Self::Category(cells) => cells.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the three parts of a verdict, each shown alone and together, and what does not depend on order.
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: DriftSettings = DriftSettings { psi: 0.2, significance: 0.01, min_samples: 50 };

    fn name(text: &str) -> ColumnName {
        text.parse().unwrap()
    }

    fn numbers(values: impl Iterator<Item = f64>) -> Column {
        Column::Numeric(values.map(Some).collect())
    }

    fn words(list: &[(&str, usize)]) -> Column {
        let cells = list.iter().flat_map(|(word, times)| std::iter::repeat_n(*word, *times));
        Column::Category(cells.map(|word| (!word.is_empty()).then(|| word.to_owned())).collect())
    }

    fn verdict(reference: &Column, current: &Column) -> String {
        let drift = compare(&name("x"), reference, current, &SETTINGS);
        format!("significant {}, large {}: {}", drift.significant, drift.large, drift.verdict)
    }

    #[test]
    fn each_part_of_the_verdict_is_needed() {
        let line = |n: u32, shift: f64| numbers((0..n).map(move |v| f64::from(v) / f64::from(n) + shift));
        insta::assert_snapshot!(verdict(&line(400, 0.0), &line(400, 0.0)), @"significant false, large false: holds");
        insta::assert_snapshot!(verdict(&line(400, 0.0), &line(400, 0.4)), @"significant true, large true: broken: PSI 3.404 is above 0.2, p = 2.41e-29");
        insta::assert_snapshot!(verdict(&line(9000, 0.0), &line(9000, 0.03)), @"significant true, large false: holds");
        insta::assert_snapshot!(verdict(&line(60, 0.0), &line(51, 0.14)), @"significant false, large true: holds");
        insta::assert_snapshot!(verdict(&line(400, 0.0), &line(49, 9.0)), @"significant false, large true: unknown: 49 values are too few; 50 are needed");
    }

    #[test]
    fn what_goes_missing_is_drift() {
        let full = words(&[("a", 200), ("b", 200)]);
        insta::assert_snapshot!(verdict(&full, &words(&[("a", 100), ("b", 100), ("", 200)])), @"significant true, large true: broken: PSI 4.604 is above 0.2, 50.0 % of the values are missing where 0.0 % were, p = 6.05e-60");
        insta::assert_snapshot!(verdict(&full, &words(&[("", 400)])), @"significant true, large true: broken: PSI 17.725 is above 0.2, 100.0 % of the values are missing where 0.0 % were, p = 5.40e-176");
        insta::assert_snapshot!(verdict(&full, &Column::Numeric(vec![None; 400])), @"significant true, large true: broken: PSI 17.725 is above 0.2, 100.0 % of the values are missing where 0.0 % were, p = 5.40e-176");
        insta::assert_snapshot!(verdict(&Column::Numeric(vec![None; 400]), &numbers((0..400).map(f64::from))), @"significant true, large true: broken: PSI 18.419 is above 0.2, 0.0 % of the values are missing where 100.0 % were, p = 5.40e-176");
        insta::assert_snapshot!(verdict(&Column::Numeric(vec![None; 400]), &Column::Numeric(vec![None; 400])), @"significant false, large false: unknown: 0 values are too few; 50 are needed");
        insta::assert_snapshot!(verdict(&words(&[("a", 200), ("", 200)]), &words(&[("a", 190), ("", 210)])), @"significant false, large false: holds");
    }

    #[test]
    fn what_cannot_be_compared_is_unknown_and_never_a_pass() {
        insta::assert_snapshot!(verdict(&words(&[("a", 100)]), &numbers((0..100).map(f64::from))), @"significant false, large false: unknown: numbers on one side, words on the other");
        insta::assert_snapshot!(verdict(&words(&[("a", 100)]), &Column::Numeric(Vec::new())), @"significant false, large false: unknown: 0 values are too few; 50 are needed");
        let not_finite = numbers([f64::NAN, f64::INFINITY].into_iter().cycle().take(100));
        insta::assert_snapshot!(verdict(&not_finite, &not_finite), @"significant false, large false: unknown: 0 values are too few; 50 are needed");
        let one = |text: &str| BTreeMap::from([(name(text), words(&[("a", 100)]))]);
        let report = report(&one("gone"), &one("new"), &SETTINGS);
        let said: Vec<String> = report
            .features
            .iter()
            .map(|feature| format!("{}: {}", feature.feature, feature.verdict))
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        gone: unknown: the feature is not in the window
        new: unknown: the feature is not in the reference
        ");
        assert_eq!((report.max_psi(), report.max_psi_interval(), report.max_missing()), (None, None, None));
    }

    #[test]
    fn new_words_are_found() {
        let reference = words(&[("a", 200), ("b", 200)]);
        let current = words(&[("a", 150), ("b", 150), ("c", 100)]);
        insta::assert_snapshot!(verdict(&reference, &current), @"significant true, large true: broken: PSI 2.027 is above 0.2, p = 1.52e-25");
        let drift = compare(&name("x"), &reference, &current, &SETTINGS);
        insta::assert_snapshot!(serde_json::to_string(&drift).unwrap(), @r#"{"feature":"x","test":"chi2","method":"asymptotic","statistic":114.28571428571429,"p_value":1.5246580905345681e-25,"psi":2.0271496162259326,"psi_noise":0.04605170185988092,"psi_interval":[1.6158914990102584,2.418407733441607],"samples":[400,400],"missing":[0.0,0.0],"significant":true,"large":true,"bins":[{"range":{"word":"a"},"reference":200,"current":150},{"range":{"word":"b"},"reference":200,"current":150},{"range":"other","reference":0,"current":100}],"verdict":{"verdict":"broken","reason":"PSI 2.027 is above 0.2, p = 1.52e-25"}}"#);
        assert_eq!(
            serde_json::from_str::<FeatureDrift>(&serde_json::to_string(&drift).unwrap()).unwrap(),
            drift
        );
    }

    #[test]
    fn a_report_of_many_features_can_be_recorded() {
        let columns = |shift: f64| -> BTreeMap<ColumnName, Column> {
            let column = |n: u32| numbers((0..997).map(move |v| f64::from(v * (n + 3) % 997) / 7.0 + shift));
            (0..100).map(|n| (name(&format!("a-feature-with-a-long-name-{n}")), column(n))).collect()
        };
        let report = report(&columns(0.0), &columns(50.0), &SETTINGS);
        assert_eq!(report.drifted(), 100);
        let bytes = serde_json::to_vec(&report).unwrap().len();
        assert!(
            bytes < 60_000,
            "{bytes} bytes do not fit into an entry of the ledger with the rest of a report"
        );
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            mut a in proptest::collection::vec(proptest::option::of(0u8..30), 60..120),
            mut b in proptest::collection::vec(proptest::option::of(5u8..40), 60..120),
        ) {
            let both = |a: &[Option<u8>], b: &[Option<u8>]| {
                let number = |side: &[Option<u8>]| Column::Numeric(side.iter().map(|v| v.map(f64::from)).collect());
                let word = |side: &[Option<u8>]| Column::Category(side.iter().map(|v| v.map(|v| (v % 7).to_string())).collect());
                let table = |side: &[Option<u8>]| BTreeMap::from([(name("n"), number(side)), (name("w"), word(side))]);
                report(&table(a), &table(b), &DriftSettings { min_samples: 5, ..SETTINGS })
            };
            let before = both(&a, &b);
            a.reverse();
            b.rotate_left(17);
            prop_assert_eq!(&before, &both(&a, &b));
            let itself = both(&a, &a);
            prop_assert_eq!((itself.max_psi(), itself.drifted()), (Some(0.0), 0));
        }
    }
}
