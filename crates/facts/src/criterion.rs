//! Acceptance criteria: a metric, the bound that it must keep, and how it must stand beside what serves.

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

/// How a metric must stand beside the same metric of the version that serves. Which side is better follows from the bound
/// of the criterion: with `at_least` more is better, with `at_most` less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AgainstIncumbent {
    /// Worse than that by so much at most; 0 is "not worse".
    WorseByAtMost(f64),
    /// Better than that by so much at least.
    BetterByAtLeast(f64),
}

/// What the rounding of subtraction may do to a difference of two figures.
const ROUNDING: f64 = 1e-12;

/// One acceptance criterion: `{metric: accuracy, at_least: 0.7}`,
/// `{metric: demographic_parity_difference, group: sex, at_most: 0.1}`,
/// `{metric: auc, at_least: 0.7, against_incumbent: {worse_by_at_most: 0.01}}`.
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
    /// How it must stand beside the version that serves; where nothing serves, this asks for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_incumbent: Option<AgainstIncumbent>,
}

impl Criterion {
    /// The name under which the measured value is recorded: `accuracy`, or `demographic_parity_difference by sex`.
    pub fn key(&self) -> String {
        match &self.group {
            None => self.metric.to_string(),
            Some(group) => format!("{} by {group}", self.metric),
        }
    }

    /// The bound alone, without the comparison with what serves.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { against_incumbent: None, ..self.clone() }
    }

    /// Judges a measured value beside that of the version that serves, `incumbent`. A value that is missing, or is no
    /// number, is Unknown; a criterion that asks for no comparison does not apply.
    pub fn compare(&self, measured: Option<f64>, (incumbent, theirs): (&str, Option<f64>)) -> Verdict {
        let key = self.key();
        let Some(wanted) = self.against_incumbent else {
            return Verdict::NotApplicable { reason: format!("`{key}` is not compared with what serves") };
        };
        let number = |value: Option<f64>| value.filter(|value| !value.is_nan());
        let (Some(mine), Some(theirs)) = (number(measured), number(theirs)) else {
            let whose = if number(measured).is_none() { "" } else { incumbent };
            let of = if whose.is_empty() { String::new() } else { format!(" of {whose}") };
            return Verdict::Unknown { missing: format!("no value of `{key}`{of} was measured") };
        };
        let better = match self.bound {
            Bound::AtLeast(_) => mine - theirs,
            Bound::AtMost(_) => theirs - mine,
        };
        let (kept, wanted) = match wanted {
            AgainstIncumbent::WorseByAtMost(most) => {
                (-better <= most + ROUNDING, format!("worse by {most} at most is accepted"))
            }
            AgainstIncumbent::BetterByAtLeast(least) => {
                (better >= least - ROUNDING, format!("better by {least} at least is wanted"))
            }
        };
        if kept {
            return Verdict::Holds;
        }
        let is = match better {
            same if same.abs() <= ROUNDING => "the same".to_owned(),
            better if better > 0.0 => format!("better by {better:.4}"),
            worse => format!("worse by {:.4}", -worse),
        };
        Verdict::Broken {
            reason: format!("`{key}` is {mine:.4}, and {theirs:.4} of {incumbent}: {is}, and {wanted}"),
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
            Bound::AtLeast(bound) => write!(f, "{} at least {bound}", self.key())?,
            Bound::AtMost(bound) => write!(f, "{} at most {bound}", self.key())?,
        }
        match self.against_incumbent {
            None => Ok(()),
            Some(AgainstIncumbent::WorseByAtMost(most)) => {
                write!(f, ", worse than what serves by {most} at most")
            }
            Some(AgainstIncumbent::BetterByAtLeast(least)) => {
                write!(f, ", better than what serves by {least} at least")
            }
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

    #[test]
    fn the_bound_says_which_side_is_better() {
        let of = |text: &str| serde_json::from_str::<Criterion>(text).unwrap();
        let auc = of(r#"{"metric":"auc","at_least":0.7,"against_incumbent":{"worse_by_at_most":0.01}}"#);
        let loss =
            of(r#"{"metric":"log_loss","at_most":0.7,"against_incumbent":{"better_by_at_least":0.1}}"#);
        let beside = |one: &Criterion, mine, theirs| one.compare(mine, ("version 1", theirs));
        // 0.8 - 0.79 is more than 0.01 in binary.
        assert_eq!(beside(&auc, Some(0.79), Some(0.8)), Verdict::Holds);
        assert_eq!(beside(&auc, Some(0.9), Some(0.8)), Verdict::Holds);
        assert_eq!(beside(&loss, Some(0.3), Some(0.4)), Verdict::Holds);
        assert!(matches!(beside(&auc.alone(), Some(0.9), Some(0.8)), Verdict::NotApplicable { .. }));
        let all = [
            auc.to_string(),
            loss.to_string(),
            beside(&auc, Some(0.78), Some(0.8)).to_string(),
            beside(&loss, Some(0.45), Some(0.4)).to_string(),
            beside(&loss, Some(0.35), Some(0.4)).to_string(),
            beside(&loss, Some(0.4), Some(0.4)).to_string(),
            beside(&auc, None, Some(0.8)).to_string(),
            beside(&auc, Some(0.8), Some(f64::NAN)).to_string(),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
