//! What searches see of experiments, runs and logged models.

use super::{Entity, Searched};
use crate::entity::{DatasetInput, Experiment, LoggedModel, Metric, Run, value_of};
use std::borrow::Cow;

impl Searched for Experiment {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        match (entity, key) {
            (Entity::Attribute, "name") => Some(Cow::Borrowed(&self.name)),
            (Entity::Attribute, "experiment_id") => Some(Cow::Borrowed(&self.experiment_id)),
            (Entity::Attribute, "lifecycle_stage") => Some(Cow::Borrowed(&self.lifecycle_stage)),
            (Entity::Tag, key) => value_of(&self.tags, key).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn number(&self, _: Entity, key: &str) -> Option<f64> {
        match key {
            "creation_time" => Some(self.creation_time as f64),
            "last_update_time" => Some(self.last_update_time as f64),
            _ => None,
        }
    }
}

fn figure(metrics: &[Metric], key: &str) -> Option<f64> {
    metrics.iter().find(|metric| metric.key == key).map(|metric| metric.value)
}

fn dataset<'a>(input: &'a DatasetInput, key: &str) -> Option<Cow<'a, str>> {
    match key {
        "name" => Some(Cow::Borrowed(&input.dataset.name)),
        "digest" => Some(Cow::Borrowed(&input.dataset.digest)),
        _ => value_of(&input.tags, "mlflow.data.context").map(Cow::Borrowed),
    }
}

impl Searched for Run {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        let info = &self.info;
        let attribute = match (entity, key) {
            (Entity::Attribute, "run_id") => &info.run_id,
            (Entity::Attribute, "run_name") => &info.run_name,
            (Entity::Attribute, "status") => &info.status,
            (Entity::Attribute, "artifact_uri") => &info.artifact_uri,
            (Entity::Attribute, "user_id") => &info.user_id,
            (Entity::Attribute, "lifecycle_stage") => &info.lifecycle_stage,
            (Entity::Tag, key) => return value_of(&self.data.tags, key).map(Cow::Borrowed),
            (Entity::Param, key) => return value_of(&self.data.params, key).map(Cow::Borrowed),
            _ => return None,
        };
        Some(Cow::Borrowed(attribute))
    }

    fn number(&self, entity: Entity, key: &str) -> Option<f64> {
        match (entity, key) {
            (Entity::Metric, key) => figure(&self.data.metrics, key),
            (Entity::Attribute, "start_time") => Some(self.info.start_time as f64),
            (Entity::Attribute, "end_time") => self.info.end_time.map(|time| time as f64),
            _ => None,
        }
    }

    fn texts(&self, entity: Entity, key: &str) -> Vec<Cow<'_, str>> {
        if entity == Entity::Dataset {
            return self.inputs.dataset_inputs.iter().filter_map(|input| dataset(input, key)).collect();
        }
        self.text(entity, key).into_iter().collect()
    }
}

impl Searched for LoggedModel {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        let info = &self.info;
        match (entity, key) {
            (Entity::Attribute, "name") => Some(Cow::Borrowed(&info.name)),
            (Entity::Attribute, "model_id") => Some(Cow::Borrowed(&info.model_id)),
            (Entity::Attribute, "model_type") => info.model_type.as_deref().map(Cow::Borrowed),
            (Entity::Attribute, "status") => {
                Some(Cow::Borrowed(info.status.trim_start_matches("LOGGED_MODEL_")))
            }
            (Entity::Attribute, "source_run_id") => info.source_run_id.as_deref().map(Cow::Borrowed),
            (Entity::Attribute, "experiment_id") => Some(Cow::Borrowed(&info.experiment_id)),
            (Entity::Tag, key) => value_of(&info.tags, key).map(Cow::Borrowed),
            (Entity::Param, key) => value_of(&self.data.params, key).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn number(&self, entity: Entity, key: &str) -> Option<f64> {
        match (entity, key) {
            (Entity::Metric, key) => figure(&self.data.metrics, key),
            (Entity::Attribute, "creation_timestamp") => Some(self.info.creation_timestamp_ms as f64),
            (Entity::Attribute, "last_updated_timestamp") => Some(self.info.last_updated_timestamp_ms as f64),
            _ => None,
        }
    }
}
