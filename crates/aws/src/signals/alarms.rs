//! Alarms of CloudWatch: a second watch, which also notices when no figures come any more.

use super::{PUT_ALARM, Signals, dimension_form};
use crate::error::{AwsError, Trouble};
use std::collections::BTreeMap;

/// What the names of all alarms begin with.
pub(super) const PREFIX: &str = "wardmote/";

/// An alarm on one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name after `wardmote/`; an alarm of the same name is replaced.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The figure.
    pub metric: String,
    /// The dimensions of the figure.
    pub dimensions: BTreeMap<String, String>,
    /// Whether what is above the threshold is bad, or what is below.
    pub above: bool,
    /// The threshold.
    pub threshold: f64,
    /// How long one look lasts, in seconds: a multiple of 60.
    pub period_seconds: u32,
}

impl Alarm {
    /// Its name in CloudWatch.
    pub fn full_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}

impl Signals {
    /// Makes or replaces an alarm. It tells the topic, if there is one. No figure in a period is an alarm too: what is not
    /// known is not well.
    pub fn put_alarm(&self, alarm: &Alarm) -> Result<(), AwsError> {
        let Some(namespace) = &self.settings.namespace else {
            return Err(AwsError::new(
                Trouble::Unconfigured,
                "an alarm watches a metric, and no metrics are sent",
            )
            .with_help("name a namespace for metrics"));
        };
        // The worst figure of a period counts.
        let (statistic, comparison) =
            if alarm.above { ("Maximum", "GreaterThanThreshold") } else { ("Minimum", "LessThanThreshold") };
        let text = |name: &str, value: String| (name.to_owned(), value);
        let mut form = vec![
            text("AlarmName", alarm.full_name()),
            text("AlarmDescription", alarm.description.clone()),
            text("Namespace", namespace.clone()),
            text("MetricName", alarm.metric.clone()),
            text("Statistic", statistic.to_owned()),
            text("ComparisonOperator", comparison.to_owned()),
            text("Threshold", alarm.threshold.to_string()),
            text("Period", alarm.period_seconds.to_string()),
            text("EvaluationPeriods", "1".to_owned()),
            text("TreatMissingData", "breaching".to_owned()),
        ];
        let actions =
            self.settings.topic.iter().map(|topic| text("AlarmActions.member.1", topic.to_string()));
        form.extend(actions);
        dimension_form("", &alarm.dimensions, &mut form);
        let form: Vec<_> =
            form.into_iter().map(|(name, value)| (name.trim_start_matches('.').to_owned(), value)).collect();
        self.form(&self.client, &PUT_ALARM, &form)
    }
}
