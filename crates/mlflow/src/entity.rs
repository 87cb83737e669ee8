//! Experiments, runs and logged models in the form of the wire, which is also the form in which they are kept.

use crate::lenient;
use facts::PersonId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `active`.
pub const ACTIVE: &str = "active";
/// `deleted`.
pub const DELETED: &str = "deleted";

/// A key and its value: a tag or a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The value.
    #[serde(default)]
    pub value: String,
}

/// Sets the value of a key.
pub fn set(pairs: &mut Vec<Pair>, new: Pair) {
    match pairs.iter_mut().find(|pair| pair.key == new.key) {
        Some(pair) => pair.value = new.value,
        None => pairs.push(new),
    }
}

/// The value of a key.
pub fn value_of<'a>(pairs: &'a [Pair], key: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str())
}

/// A figure at a moment of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// The figure.
    #[serde(with = "lenient::number")]
    #[schemars(with = "f64")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    pub timestamp: i64,
    /// The step of the training.
    #[serde(default, deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    pub step: i64,
    /// The logged model that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The data set that it was measured on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    /// The digest of that data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
    /// The run that measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

impl Metric {
    /// Whether it is later than `other`: by step, then by time, then by figure, as MLflow has it.
    pub fn follows(&self, other: &Self) -> bool {
        let key = |metric: &Self| (metric.step, metric.timestamp);
        key(self) > key(other) || (key(self) == key(other) && self.value >= other.value)
    }
}

/// A group of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Its id.
    pub experiment_id: String,
    /// Its name; no two active ones have the same.
    pub name: String,
    /// Where artefacts of its runs go.
    pub artifact_location: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Milliseconds since 1970.
    pub creation_time: i64,
    /// Milliseconds since 1970.
    pub last_update_time: i64,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Pair>,
}

/// What a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Its id.
    pub run_id: String,
    /// The same, for older clients.
    pub run_uuid: String,
    /// Its name.
    pub run_name: String,
    /// The experiment.
    pub experiment_id: String,
    /// The user, as the client says; who really called is kept beside it.
    pub user_id: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// Milliseconds since 1970.
    pub start_time: i64,
    /// Milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// Where its artefacts are.
    pub artifact_uri: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
}

/// What a run logged: the latest figure of each metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunData {
    /// The latest figure of each.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Parameters, each set once.
    #[serde(default)]
    pub params: Vec<Pair>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<Pair>,
}

/// Data that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// The digest that the client made of it.
    pub digest: String,
    /// `local`, `http`, `s3`, ...
    #[serde(default)]
    pub source_type: String,
    /// Where it came from.
    #[serde(default)]
    pub source: String,
    /// Its columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Data, and how the run used it (`mlflow.data.context`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetInput {
    /// How.
    #[serde(default)]
    pub tags: Vec<Pair>,
    /// What.
    pub dataset: Dataset,
}

/// A logged model that a run read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelInput {
    /// Which.
    pub model_id: String,
}

/// A logged model that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelOutput {
    /// Which.
    pub model_id: String,
    /// At which step.
    #[serde(default, deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    pub step: i64,
}

/// What a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunInputs {
    /// Data.
    #[serde(default)]
    pub dataset_inputs: Vec<DatasetInput>,
    /// Models.
    #[serde(default)]
    pub model_inputs: Vec<ModelInput>,
}

/// What a run made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunOutputs {
    /// Models.
    #[serde(default)]
    pub model_outputs: Vec<ModelOutput>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// What it is.
    pub info: RunInfo,
    /// What it logged.
    pub data: RunData,
    /// What it read.
    pub inputs: RunInputs,
    /// What it made.
    pub outputs: RunOutputs,
}

/// What a logged model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedModelInfo {
    /// Its id: `m-...`.
    pub model_id: String,
    /// The experiment.
    pub experiment_id: String,
    /// Its name.
    pub name: String,
    /// Milliseconds since 1970.
    pub creation_timestamp_ms: i64,
    /// Milliseconds since 1970.
    pub last_updated_timestamp_ms: i64,
    /// Where its files are.
    pub artifact_uri: String,
    /// `LOGGED_MODEL_PENDING`, `LOGGED_MODEL_READY` or `LOGGED_MODEL_UPLOAD_FAILED`.
    pub status: String,
    /// What kind of model the client says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// The run that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_run_id: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Pair>,
}

/// What is known about a logged model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedModelData {
    /// Parameters.
    #[serde(default)]
    pub params: Vec<Pair>,
    /// Figures.
    #[serde(default)]
    pub metrics: Vec<Metric>,
}

/// A model that a run logged and that is not registered yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedModel {
    /// What it is.
    pub info: LoggedModelInfo,
    /// What is known about it.
    #[serde(default)]
    pub data: LoggedModelData,
}

/// Something kept, and who made it: the caller, not whom the client names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owned<T> {
    /// Who.
    pub by: PersonId,
    /// What.
    pub what: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(step: i64, timestamp: i64, value: f64) -> Metric {
        Metric {
            key: "auc".into(),
            value,
            timestamp,
            step,
            model_id: None,
            dataset_name: None,
            dataset_digest: None,
            run_id: None,
        }
    }

    #[test]
    fn the_latest_figure_is_that_of_the_last_step() {
        assert!(metric(2, 0, 0.1).follows(&metric(1, 9, 0.9)));
        assert!(metric(1, 2, 0.1).follows(&metric(1, 1, 0.9)));
        assert!(!metric(1, 1, 0.1).follows(&metric(1, 1, 0.9)));
    }

    #[test]
    fn figures_that_json_has_no_form_for_are_words() {
        let text = serde_json::to_string(&metric(0, 0, f64::INFINITY)).unwrap();
        assert!(text.contains(r#""value":"Infinity""#), "{text}");
        let back = serde_json::from_str::<Metric>(&text).unwrap().value;
        assert!(back.is_infinite() && back > 0.0);
    }
}
