//! Everything that was measured, by name: what acceptance criteria and alert rules ask for.

use crate::drift::DriftReport;
use crate::fairness::Fairness;
use crate::quality::BinaryQuality;
use facts::ColumnName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The number.
    pub value: f64,
    /// How many observations.
    pub samples: u64,
    /// The 95 % interval, where there is one; of a number that is approximate, what it certainly lies between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Whether it is approximate, because the window had more different values than are held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approximate: bool,
}

/// Numbers by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measurements(pub BTreeMap<String, Measurement>);

/// The names that alert rules can ask for in a window.
pub const WINDOW_METRICS: [&str; 12] = [
    "demographic_parity_difference",
    "drifted_features",
    "equal_opportunity_difference",
    "labels",
    "max_feature_psi",
    "model_accuracy",
    "model_auc",
    "model_f1",
    "model_precision",
    "model_recall",
    "positive_rate",
    "requests",
];

impl Measurements {
    /// The numbers of a validation, under the names of acceptance criteria ([`facts::Criterion::key`]).
    pub fn of_validation(quality: &BinaryQuality, fairness: &BTreeMap<ColumnName, Fairness>) -> Self {
        let mut all = Self::default();
        all.quality("", quality);
        all.put("log_loss", quality.log_loss, quality.samples, None);
        all.put("brier", quality.brier, quality.samples, None);
        for (group, fairness) in fairness {
            all.fairness(&format!(" by {group}"), fairness, quality.samples);
        }
        all
    }

    /// The numbers of a window of traffic, under the names of alert rules.
    pub fn of_window(window: &Window<'_>) -> Self {
        let mut all = Self::default();
        all.put("requests", Some(window.requests as f64), window.requests, None);
        all.put("labels", Some(window.quality.samples as f64), window.requests, None);
        let rate = crate::quality::ratio(window.positives, window.requests);
        all.put(
            "positive_rate",
            rate,
            window.requests,
            crate::quality::wilson(window.positives, window.requests),
        );
        let drift = window.drift;
        all.put("max_feature_psi", drift.max_psi(), window.requests, None);
        all.bound("max_feature_psi", drift.max_psi_bounds());
        let known = drift.max_psi().map(|_| drift.drifted() as f64);
        all.put("drifted_features", known, window.requests, None);
        all.bound("drifted_features", drift.drifted_bounds());
        all.quality("model_", window.quality);
        // With several sensitive columns, the worst of them speaks.
        for fairness in window.fairness.values() {
            let mut one = Self::default();
            one.fairness("", fairness, window.quality.samples);
            for (name, measurement) in one.0 {
                let known = all.0.get(&name).map_or(f64::NEG_INFINITY, |known| known.value);
                if measurement.value > known {
                    all.0.insert(name, measurement);
                }
            }
        }
        all
    }

    /// One number.
    pub fn get(&self, name: &str) -> Option<&Measurement> {
        self.0.get(name)
    }

    /// The bare numbers.
    pub fn values(&self) -> BTreeMap<String, f64> {
        self.0.iter().map(|(name, measurement)| (name.clone(), measurement.value)).collect()
    }

    fn put(&mut self, name: &str, value: Option<f64>, samples: u64, interval: Option<(f64, f64)>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.0.insert(name.to_owned(), Measurement { value, samples, interval, approximate: false });
        }
    }

    /// Marks a number as approximate, if there are bounds.
    fn bound(&mut self, name: &str, bounds: Option<(f64, f64)>) {
        if let (Some(measured), Some(bounds)) = (self.0.get_mut(name), bounds) {
            measured.interval = Some(bounds);
            measured.approximate = true;
        }
    }

    fn quality(&mut self, prefix: &str, quality: &BinaryQuality) {
        let n = quality.samples;
        self.put(&format!("{prefix}accuracy"), quality.accuracy, n, quality.accuracy_interval);
        self.put(&format!("{prefix}auc"), quality.auc, n, None);
        self.bound(&format!("{prefix}auc"), quality.auc_bounds);
        self.put(&format!("{prefix}precision"), quality.precision, n, None);
        self.put(&format!("{prefix}recall"), quality.recall, n, None);
        self.put(&format!("{prefix}f1"), quality.f1, n, None);
    }

    fn fairness(&mut self, suffix: &str, fairness: &Fairness, samples: u64) {
        self.put(
            &format!("demographic_parity_difference{suffix}"),
            fairness.demographic_parity_difference,
            samples,
            None,
        );
        self.put(
            &format!("equal_opportunity_difference{suffix}"),
            fairness.equal_opportunity_difference,
            samples,
            None,
        );
        self.put(
            &format!("equalized_odds_difference{suffix}"),
            fairness.equalized_odds_difference,
            samples,
            None,
        );
    }
}

/// A window of traffic, looked at.
pub struct Window<'a> {
    /// Requests in it.
    pub requests: u64,
    /// Of which were predicted positive.
    pub positives: u64,
    /// Its features against the reference.
    pub drift: &'a DriftReport,
    /// Its labelled part.
    pub quality: &'a BinaryQuality,
    /// By sensitive column.
    pub fairness: &'a BTreeMap<ColumnName, Fairness>,
}
