//! Fairness: does the model treat groups differently? The figures of Fairlearn: differences are largest minus smallest
//! over all groups.

use crate::quality::{Outcome, ratio};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its records.
    pub samples: u64,
    /// Share predicted positive.
    pub selection_rate: Option<f64>,
    /// Share of the actual positive that were predicted positive.
    pub true_positive_rate: Option<f64>,
    /// Share of the actual negative that were predicted positive.
    pub false_positive_rate: Option<f64>,
    /// Share of right predictions.
    pub accuracy: Option<f64>,
}

/// All groups, compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// The groups that are large enough to speak about.
    pub groups: BTreeMap<String, Group>,
    /// The groups that are not: left out, so that nobody is singled out.
    pub suppressed: Vec<String>,
    /// Set if there were more groups than are held; then nothing is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_groups_than: Option<u64>,
    /// Largest minus smallest selection rate.
    pub demographic_parity_difference: Option<f64>,
    /// Smallest over largest selection rate.
    pub demographic_parity_ratio: Option<f64>,
    /// Largest minus smallest true positive rate.
    pub equal_opportunity_difference: Option<f64>,
    /// The larger of the differences in true and in false positive rate.
    pub equalized_odds_difference: Option<f64>,
}

/// Compares groups of at least `min_group` records. With fewer than two such groups nothing is compared.
pub fn compare(outcomes: &[Outcome], groups: &[Option<String>], min_group: u64) -> Fairness {
    let mut all = Groups::new(usize::MAX);
    for (outcome, group) in outcomes.iter().zip(groups) {
        if let Some(group) = group {
            all.push(group, outcome);
        }
    }
    all.compare(min_group)
}

/// Outcomes by group, counted one at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups(Words<4>);

impl Groups {
    /// Nothing yet. With more groups than `limit`, nothing will be compared.
    pub fn new(limit: usize) -> Self {
        Self(Words::new(limit))
    }

    /// Counts an outcome of a group.
    pub fn push(&mut self, group: &str, outcome: &Outcome) {
        let mut counts = [0; 4];
        counts[outcome.cell()] = 1;
        self.0.add(group, counts);
    }

    /// Adds what another with the same limit has counted.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// Compares groups of at least `min_group` records.
    pub fn compare(&self, min_group: u64) -> Fairness {
        let mut fairness = Fairness::default();
        let Some(groups) = self.0.counted() else {
            fairness.more_groups_than = Some(self.0.limit() as u64);
            return fairness;
        };
        for (name, counts) in groups {
            if counts.iter().sum::<u64>() < min_group {
                fairness.suppressed.push(name.clone());
            } else {
                fairness.groups.insert(name.clone(), describe(*counts));
            }
        }
        let spread = |f: &dyn Fn(&Group) -> Option<f64>| -> Option<(f64, f64)> {
            let values: Vec<f64> = fairness.groups.values().map(f).collect::<Option<_>>()?;
            let (least, most) =
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
            (values.len() >= 2).then_some((least, most))
        };
        let difference = |spread: Option<(f64, f64)>| spread.map(|(least, most)| most - least);
        let selection = spread(&|group| group.selection_rate);
        let tpr = difference(spread(&|group| group.true_positive_rate));
        let fpr = difference(spread(&|group| group.false_positive_rate));
        fairness.demographic_parity_difference = difference(selection);
        fairness.demographic_parity_ratio =
            selection.filter(|(_, most)| *most > 0.0).map(|(least, most)| least / most);
        fairness.equal_opportunity_difference = tpr;
        fairness.equalized_odds_difference = tpr.zip(fpr).map(|(tpr, fpr)| tpr.max(fpr));
        fairness
    }
}

fn describe([tp, fp, tn, fn_]: [u64; 4]) -> Group {
    let samples = tp + fp + tn + fn_;
    Group {
        samples,
        selection_rate: ratio(tp + fp, samples),
        true_positive_rate: ratio(tp, tp + fn_),
        false_positive_rate: ratio(fp, fp + tn),
        accuracy: ratio(tp + tn, samples),
    }
}
