//! The nouns of Wardmote: typed names, digests, ARNs, tags, time stamps, actors, verdicts, and the five documents
//! that people bring along. Everything here parses from text, prints back to the same text, and says clearly
//! what was wrong when it does not parse.
//!
//! Invariants: no I/O, no clock, no randomness, nothing asynchronous. A value of a type in this crate is valid;
//! there is no second "validate" step.

mod actor;
mod arn;
mod criterion;
mod diagnostic;
mod digest;
mod documents;
mod error;
mod evidence;
pub mod inventory;
mod lineage;
mod name;
mod quantity;
pub mod remediation;
pub mod serving;
mod tags;
mod time;
mod uri;
mod verdict;
mod verifier_key;

pub use actor::{Actor, ActorKind};
pub use arn::Arn;
pub use criterion::{AgainstIncumbent, Bound, Criterion};
pub use diagnostic::{Diagnostic, Severity};
pub use digest::Digest;
pub use documents::{
    Action, AlertRule, ControlRule, Direction, ModelVersionDocument, OneOrMany, PolicyStatement,
    StatementEffect,
};
pub use error::ParseError;
pub use evidence::EvidenceId;
pub use lineage::LineageKind;
pub use name::{
    ColumnName, DatasetId, DocumentKind, EndpointName, GateId, KeyId, MetricName, ModelName, PersonId,
    RoleId, SnapshotName, StreamName, TeamId,
};
pub use quantity::{Days, Share};
pub use tags::{DataClassification, ModelStage, TagSet, Tags};
pub use time::Timestamp;
pub use uri::{percent_decoded, percent_encoded, relative_reference};
pub use verdict::Verdict;
pub use verifier_key::VerifierKey;
