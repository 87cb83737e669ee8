//! Who did it.

use crate::{PersonId, RoleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of being acts. Part of every hashed ledger entry, so that nobody can later claim that a person
/// decided what an alert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A natural person.
    Human,
    /// A program under its own identity: a training job, a client application.
    Service,
    /// A rule of the charter that fired.
    Alert,
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Service => "service",
            Self::Alert => "alert",
        })
    }
}

/// Someone or something that acts, with the roles that it held at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Who.
    pub id: PersonId,
    /// Human, service or alert.
    pub kind: ActorKind,
    /// The roles held, sorted, without repetitions.
    pub roles: Vec<RoleId>,
}

impl Actor {
    /// An actor; `roles` are sorted and repetitions dropped.
    pub fn new(id: PersonId, kind: ActorKind, mut roles: Vec<RoleId>) -> Self {
        roles.sort();
        roles.dedup();
        Self { id, kind, roles }
    }

    /// Whether the actor holds `role`.
    pub fn has_role(&self, role: &RoleId) -> bool {
        self.roles.contains(role)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        match self.kind {
            ActorKind::Human => Ok(()),
            kind => write!(f, " ({kind})"),
        }
    }
}
