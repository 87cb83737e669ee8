//! Searches: `metrics.auc > 0.5 AND tags.team = 'risk'`, orders, and pages.
//!
//! Source: MLflow documentation, "Search Runs" and "Search Experiments"; what the pages leave open is as MLflow 3.17
//! answers.

mod filter;
mod lex;
mod order;
mod page;
mod things;

pub use filter::{Comparison, Entity, Filter, Literal, Op};
pub use order::Order;
pub use page::{Page, page};

use std::borrow::Cow;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Experiments.
    Experiments,
    /// Runs.
    Runs,
    /// Logged models.
    LoggedModels,
    /// Registered models.
    RegisteredModels,
    /// Versions of registered models.
    ModelVersions,
}

impl Kind {
    /// Attributes that are text, then attributes that are numbers.
    fn attributes(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Experiments => {
                (&["name", "experiment_id", "lifecycle_stage"], &["creation_time", "last_update_time"])
            }
            Self::Runs => (
                &["run_id", "run_name", "status", "artifact_uri", "user_id", "lifecycle_stage"],
                &["start_time", "end_time"],
            ),
            Self::LoggedModels => (
                &["name", "model_id", "model_type", "status", "source_run_id", "experiment_id"],
                &["creation_timestamp", "last_updated_timestamp"],
            ),
            Self::RegisteredModels => (&["name"], &["creation_timestamp", "last_updated_timestamp"]),
            Self::ModelVersions => (
                &["name", "run_id", "source_path", "user_id", "current_stage"],
                &["version_number", "creation_timestamp", "last_updated_timestamp"],
            ),
        }
    }

    /// The attribute under its first name; clients know several.
    fn attribute(self, name: &str) -> Option<&'static str> {
        let name = match (self, name) {
            (Self::Runs, "id" | "run id") => "run_id",
            (Self::Runs, "run name" | "Run name" | "Run Name" | "name") => "run_name",
            (Self::Runs, "created" | "Created") => "start_time",
            (Self::LoggedModels, "creation_time" | "creation_timestamp_ms") => "creation_timestamp",
            (Self::LoggedModels, "last_updated_timestamp_ms") => "last_updated_timestamp",
            (Self::ModelVersions, "version") => "version_number",
            (Self::ModelVersions, "source") => "source_path",
            (Self::RegisteredModels | Self::ModelVersions, "timestamp") => "last_updated_timestamp",
            (_, name) => name,
        };
        let (texts, numbers) = self.attributes();
        texts.iter().chain(numbers).find(|known| **known == name).copied()
    }

    fn is_number(self, attribute: &str) -> bool {
        self.attributes().1.contains(&attribute)
    }
}

/// Something that is searched.
pub trait Searched {
    /// The text of a key, if it has one.
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>>;
    /// The number of a key, if it has one.
    fn number(&self, entity: Entity, key: &str) -> Option<f64>;
    /// All texts of a key: a run has several data sets.
    fn texts(&self, entity: Entity, key: &str) -> Vec<Cow<'_, str>> {
        self.text(entity, key).into_iter().collect()
    }
}
