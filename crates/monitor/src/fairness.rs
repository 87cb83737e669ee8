//! Fairness: does the model treat groups differently? The figures of Fairlearn: differences are largest minus smallest
//! over all groups.

use crate::quality::{Outcome, ratio, score_interval};
use crate::special::normal_quantile;
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
    /// 95 % intervals of the differences, by their names. The rates of all groups lie in Wilson intervals widened after
    /// Bonferroni, so that all hold together; what follows for the difference holds too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, (f64, f64)>,
    /// Why a figure is absent, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undefined: BTreeMap<String, String>,
}

/// The name of a figure.
pub const DEMOGRAPHIC_PARITY: &str = "demographic_parity_difference";
/// The name of a figure.
pub const DEMOGRAPHIC_PARITY_RATIO: &str = "demographic_parity_ratio";
/// The name of a figure.
pub const EQUAL_OPPORTUNITY: &str = "equal_opportunity_difference";
/// The name of a figure.
pub const EQUALIZED_ODDS: &str = "equalized_odds_difference";

/// Compares groups of at least `min_group` records; records without a group are left out. With fewer than two such
/// groups nothing is compared.
pub fn compare(outcomes: &[Outcome], groups: &[Option<String>], min_group: u64) -> Fairness {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (outcome, group) in outcomes.iter().zip(groups) {
        if let Some(group) = group {
            tallies.entry(group).or_default().add(outcome);
        }
    }
    let (large, small): (BTreeMap<&str, Tally>, BTreeMap<&str, Tally>) =
        tallies.into_iter().partition(|(_, tally)| tally.samples() >= min_group);
    let mut fairness = Fairness {
        groups: large.iter().map(|(name, tally)| ((*name).to_owned(), tally.describe())).collect(),
        suppressed: small.keys().map(|name| (*name).to_owned()).collect(),
        ..Fairness::default()
    };
    if large.len() < 2 {
        let reason = format!(
            "{} of at least {min_group} records, and a comparison needs two",
            if large.is_empty() { "there is no group" } else { "there is one group" }
        );
        for name in [DEMOGRAPHIC_PARITY, DEMOGRAPHIC_PARITY_RATIO, EQUAL_OPPORTUNITY, EQUALIZED_ODDS] {
            fairness.undefined.insert(name.to_owned(), reason.clone());
        }
        return fairness;
    }
    let selection = Spread::of(&large, &Tally::selected, "no records");
    let tpr = Spread::of(&large, &Tally::true_positives, "no actual positives");
    let fpr = Spread::of(&large, &Tally::false_positives, "no actual negatives");
    let ratio = selection.as_ref().map_err(Clone::clone).and_then(|spread| {
        let nobody = || "nobody was predicted positive".to_owned();
        (spread.most > 0.0).then(|| spread.least / spread.most).ok_or_else(nobody)
    });
    fairness.demographic_parity_ratio = fairness.note(DEMOGRAPHIC_PARITY_RATIO, ratio);
    fairness.demographic_parity_difference = fairness.difference(DEMOGRAPHIC_PARITY, selection);
    fairness.equal_opportunity_difference = fairness.difference(EQUAL_OPPORTUNITY, tpr.clone());
    let odds = tpr.and_then(|tpr| fpr.map(|fpr| tpr.or_wider(&fpr)));
    fairness.equalized_odds_difference = fairness.difference(EQUALIZED_ODDS, odds);
    fairness
}

impl Fairness {
    fn note<T>(&mut self, name: &str, figure: Result<T, String>) -> Option<T> {
        figure.map_err(|reason| self.undefined.insert(name.to_owned(), reason)).ok()
    }

    fn difference(&mut self, name: &str, spread: Result<Spread, String>) -> Option<f64> {
        let spread = self.note(name, spread)?;
        self.intervals.insert(name.to_owned(), spread.interval);
        Some(spread.difference)
    }
}

/// A part and its whole.
type Part = (u64, u64);

/// A rate over all groups.
#[derive(Debug, Clone)]
struct Spread {
    least: f64,
    most: f64,
    difference: f64,
    interval: (f64, f64),
}

impl Spread {
    /// The rates that `part` tells of each group; the error says which group has none.
    fn of(
        groups: &BTreeMap<&str, Tally>,
        part: &dyn Fn(&Tally) -> Part,
        without: &str,
    ) -> Result<Self, String> {
        let z = normal_quantile(0.05 / groups.len() as f64);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        // Of the ends of the intervals: largest and smallest lower, largest and smallest upper.
        let (mut low, mut high) = ((f64::NEG_INFINITY, f64::INFINITY), (f64::NEG_INFINITY, f64::INFINITY));
        for (name, tally) in groups {
            let (part, whole) = part(tally);
            let rate = ratio(part, whole).ok_or_else(|| format!("the group `{name}` has {without}"))?;
            let (from, to) = score_interval(rate, whole as f64, z);
            (least, most) = (least.min(rate), most.max(rate));
            low = (low.0.max(from), low.1.min(from));
            high = (high.0.max(to), high.1.min(to));
        }
        let interval = ((low.0 - high.1).max(0.0), high.0 - low.1);
        Ok(Self { least, most, difference: most - least, interval })
    }

    /// The larger difference, as equalized odds has it.
    fn or_wider(mut self, other: &Self) -> Self {
        self.difference = self.difference.max(other.difference);
        self.interval = (self.interval.0.max(other.interval.0), self.interval.1.max(other.interval.1));
        self
    }
}

/// Counts of one group: actual positives predicted positive and negative, actual negatives likewise.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    tp: u64,
    fn_: u64,
    fp: u64,
    tn: u64,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        let count = match (outcome.actual, outcome.predicted) {
            (true, true) => &mut self.tp,
            (true, false) => &mut self.fn_,
            (false, true) => &mut self.fp,
            (false, false) => &mut self.tn,
        };
        *count += 1;
    }

    fn samples(&self) -> u64 {
        self.tp + self.fn_ + self.fp + self.tn
    }

    fn selected(&self) -> Part {
        (self.tp + self.fp, self.samples())
    }

    fn true_positives(&self) -> Part {
        (self.tp, self.tp + self.fn_)
    }

    fn false_positives(&self) -> Part {
        (self.fp, self.fp + self.tn)
    }

    fn describe(&self) -> Group {
        let of = |(part, whole): Part| ratio(part, whole);
        Group {
            samples: self.samples(),
            selection_rate: of(self.selected()),
            true_positive_rate: of(self.true_positives()),
            false_positive_rate: of(self.false_positives()),
            accuracy: of((self.tp + self.tn, self.samples())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(list: &[(&str, bool, bool, usize)]) -> (Vec<Outcome>, Vec<Option<String>>) {
        let one = |(group, actual, predicted, times): &(&str, bool, bool, usize)| {
            let outcome = Outcome { actual: *actual, predicted: *predicted, probability: 0.5 };
            let group = (!group.is_empty()).then(|| (*group).to_owned());
            vec![(outcome, group); *times]
        };
        list.iter().flat_map(one).unzip()
    }

    fn said(list: &[(&str, bool, bool, usize)]) -> String {
        let (outcomes, groups) = records(list);
        let fairness = compare(&outcomes, &groups, 10);
        let lines = fairness.undefined.iter().map(|(name, reason)| format!("{name}: {reason}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        insta::assert_snapshot!(said(&[]), @r"
        demographic_parity_difference: there is no group of at least 10 records, and a comparison needs two
        demographic_parity_ratio: there is no group of at least 10 records, and a comparison needs two
        equal_opportunity_difference: there is no group of at least 10 records, and a comparison needs two
        equalized_odds_difference: there is no group of at least 10 records, and a comparison needs two
        ");
        insta::assert_snapshot!(said(&[("f", true, true, 30), ("m", true, true, 9), ("", true, true, 50)]), @r"
        demographic_parity_difference: there is one group of at least 10 records, and a comparison needs two
        demographic_parity_ratio: there is one group of at least 10 records, and a comparison needs two
        equal_opportunity_difference: there is one group of at least 10 records, and a comparison needs two
        equalized_odds_difference: there is one group of at least 10 records, and a comparison needs two
        ");
        insta::assert_snapshot!(said(&[("f", true, true, 30), ("m", false, false, 30)]), @r"
        equal_opportunity_difference: the group `m` has no actual positives
        equalized_odds_difference: the group `m` has no actual positives
        ");
        insta::assert_snapshot!(said(&[("f", true, false, 30), ("m", false, false, 30)]), @r"
        demographic_parity_ratio: nobody was predicted positive
        equal_opportunity_difference: the group `m` has no actual positives
        equalized_odds_difference: the group `m` has no actual positives
        ");
    }

    #[test]
    fn a_small_group_is_named_and_left_out() {
        let (outcomes, groups) = records(&[
            ("f", true, true, 10),
            ("f", false, false, 10),
            ("m", true, true, 15),
            ("m", false, true, 5),
            ("d", true, false, 9),
        ]);
        let fairness = compare(&outcomes, &groups, 10);
        assert_eq!(fairness.suppressed, ["d"]);
        assert_eq!(fairness.groups.keys().collect::<Vec<_>>(), ["f", "m"]);
        assert_eq!(fairness.demographic_parity_difference, Some(0.5));
        assert_eq!(fairness.equal_opportunity_difference, Some(0.0));
        assert_eq!(fairness.equalized_odds_difference, Some(1.0));
        assert!(fairness.undefined.is_empty());
        let text = serde_json::to_string(&fairness).unwrap();
        assert_eq!(serde_json::from_str::<Fairness>(&text).unwrap(), fairness);
    }

    proptest! {
        #[test]
        fn differences_lie_in_their_intervals_in_any_order(
            cells in proptest::collection::vec((0usize..3, any::<bool>(), any::<bool>()), 0..200),
        ) {
            let list: Vec<(&str, bool, bool, usize)> =
                cells.iter().map(|(group, a, p)| (["f", "m", "d"][*group], *a, *p, 1)).collect();
            let (mut outcomes, mut groups) = records(&list);
            let fairness = compare(&outcomes, &groups, 10);
            for (name, figure) in [
                (DEMOGRAPHIC_PARITY, fairness.demographic_parity_difference),
                (EQUAL_OPPORTUNITY, fairness.equal_opportunity_difference),
                (EQUALIZED_ODDS, fairness.equalized_odds_difference),
            ] {
                let interval = fairness.intervals.get(name);
                prop_assert_eq!(figure.is_none(), fairness.undefined.contains_key(name));
                prop_assert_eq!(figure.is_some(), interval.is_some());
                if let (Some(figure), Some((low, high))) = (figure, interval) {
                    prop_assert!(0.0 <= *low && *low <= figure && figure <= high + 1e-15 && *high <= 1.0);
                }
            }
            outcomes.reverse();
            groups.reverse();
            prop_assert_eq!(compare(&outcomes, &groups, 10), fairness);
        }
    }
}
