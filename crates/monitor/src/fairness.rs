//! Fairness: does the model treat groups differently? The figures of Fairlearn: differences are largest minus smallest
//! over all groups.

use crate::quality::{Outcome, ratio};
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
    let mut by_group: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for (outcome, group) in outcomes.iter().zip(groups) {
        if let Some(group) = group {
            by_group.entry(group).or_default().push(outcome);
        }
    }
    let mut fairness = Fairness::default();
    for (name, members) in by_group {
        if (members.len() as u64) < min_group {
            fairness.suppressed.push(name.to_owned());
        } else {
            fairness.groups.insert(name.to_owned(), describe(&members));
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

fn describe(members: &[&Outcome]) -> Group {
    let count = |wanted: &dyn Fn(&Outcome) -> bool| members.iter().filter(|o| wanted(o)).count() as u64;
    let samples = members.len() as u64;
    let positive = count(&|o| o.actual);
    Group {
        samples,
        selection_rate: ratio(count(&|o| o.predicted), samples),
        true_positive_rate: ratio(count(&|o| o.actual && o.predicted), positive),
        false_positive_rate: ratio(count(&|o| !o.actual && o.predicted), samples - positive),
        accuracy: ratio(count(&|o| o.actual == o.predicted), samples),
    }
}
