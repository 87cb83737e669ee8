//! Alert rules: `{"metric": "model_accuracy", "threshold": 0.75, "action": "trigger_retraining_pipeline"}`.
//!
//! A rule fires when the number is beyond its threshold, rests on enough observations, and its 95 % interval, where
//! there is one, lies wholly beyond: a lucky or unlucky handful of labels moves nothing. It fires once an episode: not
//! again until the number was back on the right side, or the cool-down is over with it still wrong.

use crate::measure::{Measurements, WINDOW_METRICS};
use facts::{AlertRule, Direction, Timestamp};
use serde::{Deserialize, Serialize};

/// What a rule says about a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to do; says why.
    Quiet {
        /// The sentence.
        why: String,
    },
    /// It cannot be said.
    Unknown {
        /// What is missing.
        missing: String,
    },
    /// It fires.
    Fire {
        /// The number.
        value: f64,
        /// Observations behind it.
        samples: u64,
        /// The sentence, with the numbers.
        sentence: String,
    },
    /// It would fire, and has fired in this episode already.
    CoolingDown {
        /// From when on it may fire again.
        until: Timestamp,
    },
}

/// What is remembered of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// When it last fired.
    pub last_fired: Option<Timestamp>,
    /// Whether the number was on the right side since then.
    pub recovered_since: bool,
}

/// Six hours.
const DEFAULT_COOL_DOWN_SECONDS: u32 = 6 * 3600;

/// Evaluates one rule.
pub fn evaluate(
    rule: &AlertRule,
    measurements: &Measurements,
    min_samples: u32,
    memory: Memory,
    now: Timestamp,
) -> Outcome {
    let name = rule.metric.as_str();
    if !WINDOW_METRICS.contains(&name) {
        let known = WINDOW_METRICS.map(|name| format!("`{name}`")).join(", ");
        return Outcome::Unknown { missing: format!("nothing measures `{name}`; known are {known}") };
    }
    let Some(measured) = measurements.get(name) else {
        return Outcome::Unknown { missing: format!("`{name}` could not be measured in this window") };
    };
    let needed = u64::from(rule.min_samples.unwrap_or(min_samples));
    if measured.samples < needed {
        return Outcome::Unknown {
            missing: format!("`{name}` rests on {} observations; {needed} are needed", measured.samples),
        };
    }
    let (side, beyond, surely) = match rule.direction() {
        Direction::Below => {
            let high = measured.interval.map_or(measured.value, |(_, high)| high);
            ("below", measured.value < rule.threshold, high < rule.threshold)
        }
        Direction::Above => {
            let low = measured.interval.map_or(measured.value, |(low, _)| low);
            ("above", measured.value > rule.threshold, low > rule.threshold)
        }
    };
    let number = format!("`{name}` is {:.4} over {} observations", measured.value, measured.samples);
    if let (true, Some((low, high))) = (measured.approximate, measured.interval)
        && low <= rule.threshold
        && rule.threshold <= high
    {
        let missing = format!("{number}, but only approximately: it lies between {low:.4} and {high:.4}");
        return Outcome::Unknown { missing };
    }
    if !beyond {
        return Outcome::Quiet { why: format!("{number}, not {side} {}", rule.threshold) };
    }
    if !surely {
        let (low, high) = measured.interval.unwrap_or((measured.value, measured.value));
        let why = format!(
            "{number}, {side} {}, and may be chance: the 95 % interval is {low:.4} to {high:.4}",
            rule.threshold
        );
        return Outcome::Quiet { why };
    }
    if let Some(fired) = memory.last_fired.filter(|_| !memory.recovered_since) {
        let until =
            fired.plus_seconds(i64::from(rule.cool_down_seconds.unwrap_or(DEFAULT_COOL_DOWN_SECONDS)));
        if now < until {
            return Outcome::CoolingDown { until };
        }
    }
    let sentence = format!("{number}, {side} {}: {}", rule.threshold, rule.action);
    Outcome::Fire { value: measured.value, samples: measured.samples, sentence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measurement;

    fn rule(text: &str) -> AlertRule {
        serde_json::from_str(text).unwrap()
    }

    fn at(name: &str, value: f64, samples: u64, interval: Option<(f64, f64)>) -> Measurements {
        Measurements([(name.to_owned(), Measurement { value, samples, interval, approximate: false })].into())
    }

    const ARTICLE: &str =
        r#"{"metric": "model_accuracy", "threshold": 0.75, "action": "trigger_retraining_pipeline"}"#;

    #[test]
    fn says_what_it_sees() {
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let say = |rule_text: &str, m: &Measurements| {
            serde_json::to_string(&evaluate(&rule(rule_text), m, 100, Memory::default(), noon)).unwrap()
        };
        let accuracy = |value, samples, interval| at("model_accuracy", value, samples, Some(interval));
        insta::assert_snapshot!(say(ARTICLE, &accuracy(0.6, 400, (0.55, 0.65))), @r#"{"outcome":"fire","value":0.6,"samples":400,"sentence":"`model_accuracy` is 0.6000 over 400 observations, below 0.75: trigger_retraining_pipeline"}"#);
        insta::assert_snapshot!(say(ARTICLE, &accuracy(0.73, 120, (0.64, 0.8))), @r#"{"outcome":"quiet","why":"`model_accuracy` is 0.7300 over 120 observations, below 0.75, and may be chance: the 95 % interval is 0.6400 to 0.8000"}"#);
        insta::assert_snapshot!(say(ARTICLE, &accuracy(0.8, 400, (0.7, 0.9))), @r#"{"outcome":"quiet","why":"`model_accuracy` is 0.8000 over 400 observations, not below 0.75"}"#);
        insta::assert_snapshot!(say(ARTICLE, &accuracy(0.2, 40, (0.1, 0.3))), @r#"{"outcome":"unknown","missing":"`model_accuracy` rests on 40 observations; 100 are needed"}"#);
        insta::assert_snapshot!(say(ARTICLE, &Measurements::default()), @r#"{"outcome":"unknown","missing":"`model_accuracy` could not be measured in this window"}"#);
        let psi = r#"{"metric": "max_feature_psi", "threshold": 0.2, "action": "notify"}"#;
        let mut rough = at("max_feature_psi", 0.3, 400, Some((0.19, 0.3)));
        rough.0.values_mut().for_each(|measured| measured.approximate = true);
        insta::assert_snapshot!(say(psi, &rough), @r#"{"outcome":"unknown","missing":"`max_feature_psi` is 0.3000 over 400 observations, but only approximately: it lies between 0.1900 and 0.3000"}"#);
        insta::assert_snapshot!(say(psi, &at("max_feature_psi", 0.5, 400, None)), @r#"{"outcome":"fire","value":0.5,"samples":400,"sentence":"`max_feature_psi` is 0.5000 over 400 observations, above 0.2: notify"}"#);
    }

    #[test]
    fn fires_once_an_episode() {
        let fired: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let bad = at("model_accuracy", 0.5, 400, Some((0.45, 0.55)));
        let ask = |recovered_since, after| {
            let memory = Memory { last_fired: Some(fired), recovered_since };
            evaluate(&rule(ARTICLE), &bad, 100, memory, fired.plus_seconds(after))
        };
        assert!(matches!(ask(false, 60), Outcome::CoolingDown { .. }));
        assert!(matches!(ask(true, 60), Outcome::Fire { .. }));
        assert!(matches!(ask(false, 7 * 3600), Outcome::Fire { .. }));
    }
}
