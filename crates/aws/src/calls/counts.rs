//! How often what was called, how it ended and how long it took: what Prometheus reads.

use super::Attempt;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Service, operation, outcome.
type Of = (&'static str, &'static str, &'static str);

/// Counts of attempts since the start, by service, operation and outcome.
#[derive(Debug, Default)]
pub struct Counts {
    of: Mutex<BTreeMap<Of, (u64, Duration)>>,
}

impl Counts {
    /// Nothing was called yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { of: Mutex::new(BTreeMap::new()) }
    }

    /// One more.
    pub fn add(&self, attempt: &Attempt<'_>) {
        let key = (attempt.operation.service.name, attempt.operation.name, attempt.outcome());
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, elapsed) = of.entry(key).or_default();
        *calls += 1;
        *elapsed += attempt.elapsed;
    }

    /// Two families of counters in Prometheus' text format 0.0.4; nothing if nothing was called.
    #[must_use]
    pub fn text(&self) -> String {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        if of.is_empty() {
            return text;
        }
        let mut family = |name: &str, help: &str, value: &dyn Fn(&(u64, Duration)) -> String| {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} counter\n"));
            for ((service, operation, outcome), counted) in of.iter() {
                let labels = format!("service=\"{service}\",operation=\"{operation}\",outcome=\"{outcome}\"");
                text.push_str(&format!("{name}{{{labels}}} {}\n", value(counted)));
            }
        };
        family("wardmote_aws_calls_total", "Attempts to call AWS.", &|(calls, _)| calls.to_string());
        family("wardmote_aws_call_seconds_total", "Time that they took.", &|(_, elapsed)| {
            elapsed.as_secs_f64().to_string()
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Trouble;

    #[test]
    fn counts_are_what_prometheus_reads() {
        let counts = Counts::new();
        assert_eq!(counts.text(), "");
        for (trouble, ms) in [(None, 20), (Some(Trouble::Throttled), 5), (None, 30)] {
            counts.add(&Attempt {
                operation: &crate::identity::WHO_AM_I,
                region: "eu-central-1",
                number: 1,
                trouble,
                request_id: None,
                elapsed: Duration::from_millis(ms),
            });
        }
        insta::assert_snapshot!(counts.text(), @r#"
        # HELP wardmote_aws_calls_total Attempts to call AWS.
        # TYPE wardmote_aws_calls_total counter
        wardmote_aws_calls_total{service="sts",operation="GetCallerIdentity",outcome="ok"} 2
        wardmote_aws_calls_total{service="sts",operation="GetCallerIdentity",outcome="throttled"} 1
        # HELP wardmote_aws_call_seconds_total Time that they took.
        # TYPE wardmote_aws_call_seconds_total counter
        wardmote_aws_call_seconds_total{service="sts",operation="GetCallerIdentity",outcome="ok"} 0.05
        wardmote_aws_call_seconds_total{service="sts",operation="GetCallerIdentity",outcome="throttled"} 0.005
        "#);
    }
}
