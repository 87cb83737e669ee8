//! What happens to registered models.

use crate::entity::Pair;
use facts::{Digest, PersonId};
use serde::{Deserialize, Serialize};

/// When, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Who.
    pub by: PersonId,
}

/// The files of a version, as they were when it was made; they never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Digest of the list of names and digests.
    pub digest: Digest,
    /// The object that says where they are.
    pub object: String,
    /// How many.
    pub count: u32,
    /// Their size together.
    pub size_bytes: u64,
}

/// What is said when a version is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// Where it came from, as the client said.
    pub source: String,
    /// The run that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The logged model that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// A link to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_link: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Pair>,
    /// Its files, if we keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A model was made.
    ModelCreated {
        /// Its name.
        name: String,
        /// Its description.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        description: String,
        /// Its tags.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<Pair>,
    },
    /// It was described anew.
    ModelUpdated {
        /// Its name.
        name: String,
        /// Its description.
        description: String,
    },
    /// It has another name.
    ModelRenamed {
        /// The old name.
        name: String,
        /// The new one.
        to: String,
    },
    /// It was deleted.
    ModelDeleted {
        /// Its name.
        name: String,
    },
    /// A tag of it was set, or deleted.
    ModelTagged {
        /// Its name.
        name: String,
        /// The key.
        key: String,
        /// The value; none if deleted.
        value: Option<String>,
    },
    /// A version was made.
    VersionCreated {
        /// The model.
        name: String,
        /// Its number.
        version: u32,
        /// What was said of it.
        new: Box<NewVersion>,
    },
    /// It was described anew.
    VersionUpdated {
        /// The model.
        name: String,
        /// Its number.
        version: u32,
        /// Its description.
        description: String,
    },
    /// It was deleted.
    VersionDeleted {
        /// The model.
        name: String,
        /// Its number.
        version: u32,
    },
    /// A tag of it was set, or deleted.
    VersionTagged {
        /// The model.
        name: String,
        /// Its number.
        version: u32,
        /// The key.
        key: String,
        /// The value; none if deleted.
        value: Option<String>,
    },
    /// It is in another stage.
    StageChanged {
        /// The model.
        name: String,
        /// Its number.
        version: u32,
        /// The stage.
        stage: String,
        /// Versions that were archived with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        archived: Vec<u32>,
    },
    /// An alias names a version, or none any more.
    AliasSet {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version; none if deleted.
        version: Option<u32>,
    },
}

impl Event {
    /// The model it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::ModelCreated { name, .. }
            | Self::ModelUpdated { name, .. }
            | Self::ModelRenamed { name, .. }
            | Self::ModelDeleted { name }
            | Self::ModelTagged { name, .. }
            | Self::VersionCreated { name, .. }
            | Self::VersionUpdated { name, .. }
            | Self::VersionDeleted { name, .. }
            | Self::VersionTagged { name, .. }
            | Self::StageChanged { name, .. }
            | Self::AliasSet { name, .. } => name,
        }
    }
}

/// An event that cannot follow the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inconsistent {
    what: &'static str,
    name: String,
}

impl Inconsistent {
    pub(super) fn new(what: &'static str, name: &str) -> Self {
        Self { what, name: name.to_owned() }
    }
}

impl std::fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of `{}` does not follow from what is recorded before it", self.what, self.name)
    }
}

impl std::error::Error for Inconsistent {}
