//! Runs as events of OpenLineage, spec 2-0-2: one JSON object for each, with a START and an end for every run.
//!
//! Source: OpenLineage.json (`https://openlineage.io/spec/2-0-2/OpenLineage.json`) and the facets named below.

use facts::{Digest, Timestamp};
use serde_json::{Map, Value, json};

const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
const FACETS: &str = "https://openlineage.io/spec/facets";
/// Who says all this; there is no address that would stay.
const PRODUCER: &str = concat!("urn:x-wardmote:", env!("CARGO_PKG_VERSION"));

/// A data set, or a version of a model, as OpenLineage has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name in the namespace of the house.
    pub name: String,
    /// Which version of it: a digest, if that is known.
    pub version: Option<String>,
    /// Its columns, if they are known.
    pub columns: Vec<String>,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id, a UUID.
    pub id: String,
    /// The job that it is a run of: `train.credit-scoring`.
    pub job: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether it ended well.
    pub well: bool,
    /// What it read.
    pub inputs: Vec<Dataset>,
    /// What it made.
    pub outputs: Vec<Dataset>,
    /// The ledger entry that says so.
    pub evidence: String,
    /// More that is known: commit, parameters.
    pub more: Map<String, Value>,
}

/// A UUID (version 8 of RFC 9562) that follows from a text, so that the same entry is the same run each time.
#[must_use]
pub fn uuid_of(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    let hex = digest.to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// A UUID that MLflow writes without its dashes; nothing if it is none.
#[must_use]
pub fn dashed(id: &str) -> Option<String> {
    let plain = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
    let all = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    plain.then(|| all.join("-").to_ascii_lowercase())
}

impl Run {
    /// Its two events, in the namespace of a house.
    #[must_use]
    pub fn events(&self, namespace: &str) -> [Value; 2] {
        let end = if self.well { "COMPLETE" } else { "FAIL" };
        [self.event(namespace, "START", self.began), self.event(namespace, end, self.ended)]
    }

    fn event(&self, namespace: &str, kind: &str, time: Timestamp) -> Value {
        let datasets = |all: &[Dataset]| all.iter().map(|one| one.to_json(namespace)).collect::<Vec<_>>();
        let mut known = self.more.clone();
        known.insert("evidence".to_owned(), Value::from(self.evidence.clone()));
        json!({
            "eventType": kind,
            "eventTime": time.to_string(),
            "producer": PRODUCER,
            "schemaURL": format!("{SPEC}#/$defs/RunEvent"),
            "run": {
                "runId": self.id,
                "facets": { "wardmote_record": facet(&format!("{SPEC}#/$defs/RunFacet"), known) },
            },
            "job": {
                "namespace": namespace,
                "name": self.job,
                "facets": {
                    "jobType": facet(
                        &format!("{FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"),
                        fields(json!({ "processingType": "BATCH", "integration": "WARDMOTE", "jobType": "JOB" })),
                    ),
                },
            },
            "inputs": datasets(&self.inputs),
            "outputs": datasets(&self.outputs),
        })
    }
}

impl Dataset {
    fn to_json(&self, namespace: &str) -> Value {
        let mut facets = Map::new();
        if let Some(version) = &self.version {
            let url =
                format!("{FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
            facets.insert("version".to_owned(), facet(&url, fields(json!({ "datasetVersion": version }))));
        }
        if !self.columns.is_empty() {
            let url = format!("{FACETS}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet");
            let columns: Vec<Value> = self.columns.iter().map(|name| json!({ "name": name })).collect();
            facets.insert("schema".to_owned(), facet(&url, fields(json!({ "fields": columns }))));
        }
        json!({ "namespace": namespace, "name": self.name, "facets": facets })
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn facet(schema: &str, more: Map<String, Value>) -> Value {
    let mut facet = fields(json!({ "_producer": PRODUCER, "_schemaURL": schema }));
    facet.extend(more);
    Value::Object(facet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_runs() {
        assert_eq!(uuid_of("a"), uuid_of("a"));
        assert_ne!(uuid_of("a"), uuid_of("b"));
        let id = uuid_of("a");
        assert!(id.len() == 36 && id.as_bytes()[14] == b'8' && id.as_bytes()[19] == b'8', "{id}");
        let dashes = dashed("0123456789ABCDEF0123456789abcdef");
        assert_eq!(dashes.as_deref(), Some("01234567-89ab-cdef-0123-456789abcdef"));
        for wrong in ["", "0123", "0123456789abcdef0123456789abcdeg", "01234567-89ab-cdef-0123-456789abcdef"]
        {
            assert_eq!(dashed(wrong), None, "{wrong}");
        }
    }
}
