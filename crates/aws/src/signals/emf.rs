//! Embedded metric format: figures as one line of a log, from which CloudWatch Logs makes metrics.
//!
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".

use super::{Figure, Measured};
use serde_json::{Map, Value, json};

/// The line. Its metadata name the figures; the figures themselves stand beside them.
pub fn emf_line(namespace: &str, measured: &Measured) -> String {
    let sets: Vec<Vec<&String>> = measured.dimensions.iter().map(|set| set.keys().collect()).collect();
    let metric = |figure: &Figure| json!({ "Name": figure.name, "Unit": figure.unit() });
    let metrics: Vec<Value> = measured.figures.iter().map(metric).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": measured.time.unix_ms(),
            "CloudWatchMetrics": [{ "Namespace": namespace, "Dimensions": sets, "Metrics": metrics }],
        }),
    );
    for (name, value) in measured.dimensions.iter().flatten() {
        line.insert(name.clone(), value.clone().into());
    }
    for figure in &measured.figures {
        line.insert(figure.name.clone(), figure.value.into());
    }
    line.insert("evidence".to_owned(), measured.evidence.clone().into());
    Value::Object(line).to_string()
}
