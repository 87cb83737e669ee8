//! Registered models in the form of the wire, and what searches see of them.

use super::{Model, Version};
use crate::entity::{Pair, value_of};
use crate::search::{Entity, Searched};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AliasView {
    /// Its name.
    pub alias: String,
    /// The version that it names.
    pub version: String,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ModelVersionView {
    /// The model.
    pub name: String,
    /// Its number, as text.
    pub version: String,
    /// Milliseconds since 1970.
    pub creation_timestamp: i64,
    /// Milliseconds since 1970.
    pub last_updated_timestamp: i64,
    /// Who made it.
    pub user_id: String,
    /// MLflow's stage.
    pub current_stage: String,
    /// Its description.
    pub description: String,
    /// Where it came from.
    pub source: String,
    /// The run that made it.
    pub run_id: String,
    /// `READY`.
    pub status: &'static str,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// A link to the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_link: Option<String>,
    /// The logged model that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Its aliases.
    pub aliases: Vec<String>,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RegisteredModelView {
    /// Its name.
    pub name: String,
    /// Milliseconds since 1970.
    pub creation_timestamp: i64,
    /// Milliseconds since 1970.
    pub last_updated_timestamp: i64,
    /// Who made it.
    pub user_id: String,
    /// Its description.
    pub description: String,
    /// The newest version of each stage.
    pub latest_versions: Vec<ModelVersionView>,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// Its aliases.
    pub aliases: Vec<AliasView>,
}

impl Version {
    /// The form of the wire.
    pub fn view(&self, model: &Model) -> ModelVersionView {
        ModelVersionView {
            name: model.name.clone(),
            version: self.number.to_string(),
            creation_timestamp: self.at.time_ms,
            last_updated_timestamp: self.updated_ms,
            user_id: self.at.by.to_string(),
            current_stage: self.stage.clone(),
            description: self.description.clone(),
            source: self.made.source.clone(),
            run_id: self.made.run_id.clone().unwrap_or_default(),
            status: "READY",
            tags: self.tags.clone(),
            run_link: self.made.run_link.clone(),
            model_id: self.made.model_id.clone(),
            aliases: model.aliases_of(self.number).map(str::to_owned).collect(),
        }
    }
}

impl Model {
    /// The form of the wire.
    pub fn view(&self) -> RegisteredModelView {
        RegisteredModelView {
            name: self.name.clone(),
            creation_timestamp: self.at.time_ms,
            last_updated_timestamp: self.updated_ms,
            user_id: self.at.by.to_string(),
            description: self.description.clone(),
            latest_versions: self.latest().map(|version| version.view(self)).collect(),
            tags: self.tags.clone(),
            aliases: self
                .aliases
                .iter()
                .map(|(alias, version)| AliasView { alias: alias.clone(), version: version.to_string() })
                .collect(),
        }
    }
}

impl Searched for Model {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        match (entity, key) {
            (Entity::Attribute, "name") => Some(Cow::Borrowed(&self.name)),
            (Entity::Tag, key) => value_of(&self.tags, key).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn number(&self, _: Entity, key: &str) -> Option<f64> {
        match key {
            "creation_timestamp" => Some(self.at.time_ms as f64),
            "last_updated_timestamp" => Some(self.updated_ms as f64),
            _ => None,
        }
    }
}

/// A version beside its model, to be searched.
impl Searched for (&Model, &Version) {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        let (model, version) = *self;
        match (entity, key) {
            (Entity::Attribute, "name") => Some(Cow::Borrowed(&model.name)),
            (Entity::Attribute, "run_id") => version.made.run_id.as_deref().map(Cow::Borrowed),
            (Entity::Attribute, "source_path") => Some(Cow::Borrowed(&version.made.source)),
            (Entity::Attribute, "user_id") => Some(Cow::Borrowed(version.by().as_str())),
            (Entity::Attribute, "current_stage") => Some(Cow::Borrowed(&version.stage)),
            (Entity::Tag, key) => value_of(&version.tags, key).map(Cow::Borrowed),
            _ => None,
        }
    }

    fn number(&self, _: Entity, key: &str) -> Option<f64> {
        let (_, version) = *self;
        match key {
            "version_number" => Some(f64::from(version.number)),
            "creation_timestamp" => Some(version.at.time_ms as f64),
            "last_updated_timestamp" => Some(version.updated_ms as f64),
            _ => None,
        }
    }
}
