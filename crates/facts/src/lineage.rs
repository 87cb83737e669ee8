//! What can be demanded to be on record of where a version comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of the lineage of a version, beside the data that it was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineageKind {
    /// The Git commit of its code, without changes that are in no commit.
    Commit,
    /// The libraries that it was made with: the digest of a lock file.
    Environment,
    /// The container image that it was made in, by digest.
    Image,
    /// The seed of what is random in its training.
    Seed,
}

impl LineageKind {
    /// What it is, in words.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Commit => "the commit of its code, without other changes,",
            Self::Environment => "a lock file of its libraries",
            Self::Image => "its container image by digest",
            Self::Seed => "the seed of its training",
        }
    }
}

impl fmt::Display for LineageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Environment => "environment",
            Self::Image => "image",
            Self::Seed => "seed",
        })
    }
}
