//! Acceptance criteria: a metric and the bound that it must keep.

use crate::{ColumnName, MetricName, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which side of the number is right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The metric must be this much or more.
    AtLeast(f64),
    /// The metric must be this much or less.
    AtMost(f64),
}

/// One acceptance criterion: `{metric: accuracy, at_least: 0.7}`,
/// `{metric: demographic_parity_difference, group: sex, at_most: 0.1}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Criterion {
    /// What is measured.
    pub metric: MetricName,
    /// The sensitive column by which a fairness metric compares groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ColumnName>,
    /// The bound, as `at_least` or `at_most`.
    #[serde(flatten)]
    pub bound: Bound,
}

impl Criterion {
    /// The name under which the measured value is recorded: `accuracy`, or `demographic_parity_difference by sex`.
    pub fn key(&self) -> String {
        match &self.group {
            None => self.metric.to_string(),
            Some(group) => format!("{} by {group}", self.metric),
        }
    }

    /// Judges a measured value. No value, or one that is not a number, is Unknown.
    pub fn judge(&self, measured: Option<f64>) -> Verdict {
        let Some(value) = measured.filter(|value| !value.is_nan()) else {
            return Verdict::Unknown { missing: format!("no value of `{}` was measured", self.key()) };
        };
        let (kept, side, bound) = match self.bound {
            Bound::AtLeast(bound) => (value >= bound, "below", bound),
            Bound::AtMost(bound) => (value <= bound, "above", bound),
        };
        if kept {
            Verdict::Holds
        } else {
            Verdict::Broken { reason: format!("`{}` is {value:.4}, {side} {bound}", self.key()) }
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bound {
            Bound::AtLeast(bound) => write!(f, "{} at least {bound}", self.key()),
            Bound::AtMost(bound) => write!(f, "{} at most {bound}", self.key()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_and_names_the_number() {
        let criterion: Criterion =
            serde_json::from_str(r#"{"metric":"demographic_parity_difference","group":"sex","at_most":0.1}"#)
                .unwrap();
        assert_eq!(criterion.judge(Some(0.1)), Verdict::Holds);
        insta::assert_snapshot!(criterion.judge(Some(0.25)), @"broken: `demographic_parity_difference by sex` is 0.2500, above 0.1");
        insta::assert_snapshot!(criterion.judge(Some(f64::NAN)), @"unknown: no value of `demographic_parity_difference by sex` was measured");
        insta::assert_snapshot!(criterion, @"demographic_parity_difference by sex at most 0.1");
    }
}
