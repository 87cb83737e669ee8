//! What is written: one entry per decision or event, done or refused.

use facts::{Actor, Digest, StreamName, Timestamp};
use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// Policy or a gate refused it; the body says why.
    Refused,
    /// It was allowed and then failed; the body says how.
    Failed,
}

/// An entry before it has a place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// If given, the sequence number that it must get in its stream, or the append is refused.
    pub expected_seq: Option<u64>,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was attempted: `model.approve`.
    pub action: String,
    /// On what: `model/credit-scoring/2`.
    pub resource: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The rest, as a JSON object.
    pub body: serde_json::Value,
}

/// An entry of the log: exactly what is encoded (RFC 8785) and hashed (RFC 6962).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Version of this format: 1.
    pub v: u32,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its number in the stream, from 0 without gaps.
    pub stream_seq: u64,
    /// The leaf hash of the previous entry of the stream; none for the first.
    pub stream_prev: Option<Digest>,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was attempted.
    pub action: String,
    /// On what.
    pub resource: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The rest, as a JSON object.
    pub body: serde_json::Value,
}

impl Eq for Entry {}
