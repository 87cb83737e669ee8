//! Incidents, told to where `house.json` says.

use crate::house::House;
use aws::signals::{Figure, IncidentSignal, Measured};
use engine::{Counts, IncidentNews};
use local::SystemClock;
use serde_json::json;
use std::collections::BTreeMap;
use world::Clock as _;

/// Sends incidents of which nobody was told yet how they stand, and how many findings there are; gives back the ids of those
/// that were sent, and what failed. Without signals in the house, nobody is to be told.
pub(crate) fn send(house: &House, untold: &[IncidentNews], counts: &Counts) -> (Vec<String>, Option<String>) {
    let signals = match house.settings().and_then(|settings| settings.signals()) {
        Ok(Some(signals)) => signals,
        Ok(None) => return (Vec::new(), None),
        Err(failure) => return (Vec::new(), Some(failure.to_text())),
    };
    let time = SystemClock.now();
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    for one in untold {
        let of = &one.opening;
        let (open, state) =
            (one.closed.is_none(), if one.closed.is_none() { "is broken" } else { "is over" });
        let signal = IncidentSignal {
            id: one.incident.clone(),
            open,
            sentence: format!("{} on {} {state} ({}): {}", of.control, of.resource, of.severity, of.reason),
            incident: json!(one),
            evidence: one.evidence.to_string(),
        };
        let errors = signals.incident(&signal, time);
        if errors.is_empty() {
            sent.push(one.incident.clone());
        }
        failed.extend(errors);
    }
    if counts.resources > 0 {
        let figure = |name: &str, value: u32| Figure {
            name: name.to_owned(),
            value: f64::from(value),
            is_count: true,
        };
        let figures =
            vec![figure("controls_broken", counts.broken), figure("controls_unknown", counts.unknown)];
        let dimensions = vec![BTreeMap::new()];
        failed
            .extend(signals.measured(&Measured { time, dimensions, figures, evidence: String::new() }).err());
    }
    (sent, failed.first().map(|first| format!("not everybody was told: {first}")))
}
