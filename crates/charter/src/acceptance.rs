//! Checks of acceptance criteria: metrics that there are, bounds that something can meet, groups that can be compared.

use crate::check::Checker;
use crate::model::Model;
use crate::node::Step::{Item, Key};
use facts::{AgainstIncumbent, Bound};

/// The metrics that acceptance criteria can ask for, and whether each lies between 0 and 1.
const ACCEPTANCE_METRICS: [(&str, bool); 13] = [
    ("accuracy", true),
    ("auc", true),
    ("brier", true),
    ("data_duplicate_share", true),
    ("data_missing_share", true),
    ("data_rows", false),
    ("demographic_parity_difference", true),
    ("equal_opportunity_difference", true),
    ("equalized_odds_difference", true),
    ("f1", true),
    ("log_loss", false),
    ("precision", true),
    ("recall", true),
];

impl Checker<'_> {
    pub(crate) fn acceptance(&mut self, at: usize, model: &Model) {
        let dataset = self.charter.datasets.iter().find(|dataset| dataset.id == model.training.dataset);
        let known: Vec<String> = ACCEPTANCE_METRICS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for (n, criterion) in model.acceptance.iter().enumerate() {
            let inside = |key: &'static str| [Key("models"), Item(at), Key("acceptance"), Item(n), Key(key)];
            self.refers(&inside("metric"), "metric", &criterion.metric, &known);
            let bounded = ACCEPTANCE_METRICS
                .iter()
                .any(|(name, bounded)| *bounded && *name == criterion.metric.as_str());
            let (key, bound) = match criterion.bound {
                Bound::AtLeast(bound) => ("at_least", bound),
                Bound::AtMost(bound) => ("at_most", bound),
            };
            if bounded && !(0.0..=1.0).contains(&bound) {
                let message = format!(
                    "`{}` lies between 0 and 1, so `{key}: {bound}` is met by every version or by none",
                    criterion.metric
                );
                self.error(&inside(key), message, "choose a number from 0 to 1".to_owned());
            }
            if let Some(wanted) = criterion.against_incumbent {
                let (key, by) = match wanted {
                    AgainstIncumbent::WorseByAtMost(by) => ("worse_by_at_most", by),
                    AgainstIncumbent::BetterByAtLeast(by) => ("better_by_at_least", by),
                };
                if !(by.is_finite() && by >= 0.0 && (by <= 1.0 || !bounded)) {
                    let place = [
                        Key("models"),
                        Item(at),
                        Key("acceptance"),
                        Item(n),
                        Key("against_incumbent"),
                        Key(key),
                    ];
                    let message = format!("a difference of {by} is met by every version or by none");
                    let help = "write how much, as a number from 0 on, such as 0.01".to_owned();
                    self.error(&place, message, help);
                }
            }
            let fairness = criterion.metric.as_str().ends_with("_difference");
            match (&criterion.group, dataset) {
                (None, _) if fairness => {
                    let message = format!("`{}` compares groups, and no `group` is named", criterion.metric);
                    self.error(&inside("metric"), message, "add `group:` with a sensitive column".to_owned());
                }
                (Some(group), Some(dataset)) if fairness => {
                    let columns: Vec<String> =
                        dataset.columns.iter().map(|column| column.name.to_string()).collect();
                    self.refers(&inside("group"), "column", group, &columns);
                }
                _ => {}
            }
        }
    }
}
