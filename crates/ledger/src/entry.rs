//! What is written: one entry per decision or event, done or refused.

use facts::{Actor, Digest, StreamName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

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
    pub body: Value,
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
    pub body: Value,
}

impl Eq for Entry {}

/// The longest leaf: entry bundles of C2SP tlog-tiles give lengths in 16 bits.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// An entry that cannot be encoded, or bytes that are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Too long.
    #[error("the entry has {0} bytes; at most {MAX_LEAF_BYTES} are possible")]
    TooLong(usize),
    /// Not an entry.
    #[error("the bytes are not an entry: {0}")]
    NotAnEntry(String),
    /// An entry in another spelling than the one there is.
    #[error("the entry is not in canonical form")]
    NotCanonical,
    /// A number that canonical JSON would round.
    #[error(
        "the number `{0}` of the entry would be changed by canonical JSON (RFC 8785): numbers have 53 bits there, longer ones are to be written as text"
    )]
    Rounded(String),
    /// Lists in lists in lists.
    #[error("the body of the entry is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

/// The deepest nesting of a body; `serde_json` reads 127 levels, and the entry is the first.
const MAX_DEPTH: usize = 126;
/// From here on not every whole number is a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Entry {
    /// The one and only encoding: RFC 8785 JSON. Refuses what would not be read back as it is.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        readable(&self.body, MAX_DEPTH)?;
        let bytes = serde_json_canonicalizer::to_vec(self)
            .map_err(|error| EntryError::NotAnEntry(error.to_string()))?;
        if bytes.len() > MAX_LEAF_BYTES { Err(EntryError::TooLong(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads an entry; refuses any spelling but [`Entry::encode`]'s.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let entry: Self =
            serde_json::from_slice(bytes).map_err(|error| EntryError::NotAnEntry(error.to_string()))?;
        if entry.encode()? == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }
}

/// Whether a reader gets the same value. Canonical JSON writes all numbers as 64-bit floats, in the shortest form; a
/// whole number survives if the reader's whole number of that form is the same.
fn readable(value: &Value, depth: usize) -> Result<(), EntryError> {
    match value {
        Value::Number(number) if !exact(number) => Err(EntryError::Rounded(number.to_string())),
        Value::Array(_) | Value::Object(_) if depth == 0 => Err(EntryError::TooDeep),
        Value::Array(list) => list.iter().try_for_each(|inner| readable(inner, depth - 1)),
        Value::Object(map) => map.values().try_for_each(|inner| readable(inner, depth - 1)),
        _ => Ok(()),
    }
}

fn exact(number: &Number) -> bool {
    let Some(float) = number.as_f64() else { return false };
    if number.is_f64() || float.abs() < EXACT {
        return true;
    }
    // Shortest digits, filled up with zeros, as RFC 8785 and `Display` both write whole numbers of this size.
    float.to_string() == number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use facts::ActorKind;

    pub(crate) fn sample() -> Entry {
        Entry {
            v: 1,
            stream: "model/credit-scoring".parse().unwrap(),
            stream_seq: 3,
            stream_prev: Some(Digest::of(b"previous")),
            time: "2026-11-21T04:30:00.123Z".parse().unwrap(),
            actor: Actor::new(
                "bruno".parse().unwrap(),
                ActorKind::Human,
                vec!["business-owner".parse().unwrap()],
            ),
            action: "model.approve".into(),
            resource: "model/credit-scoring/2".into(),
            outcome: Outcome::Done,
            body: serde_json::json!({"z": 1, "a": "ä\u{7}", "n": 0.1, "m": 1e21}),
        }
    }

    #[test]
    fn the_encoding_never_changes() {
        // Golden: every log ever written depends on these bytes.
        let text = String::from_utf8(sample().encode().unwrap()).unwrap();
        insta::assert_snapshot!(text, @r#"{"action":"model.approve","actor":{"id":"bruno","kind":"human","roles":["business-owner"]},"body":{"a":"ä\u0007","m":1e+21,"n":0.1,"z":1},"outcome":"done","resource":"model/credit-scoring/2","stream":"model/credit-scoring","stream_prev":"sha256:6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d","stream_seq":3,"time":"2026-11-21T04:30:00.123Z","v":1}"#);
        assert_eq!(Entry::decode(&sample().encode().unwrap()).unwrap(), sample());
    }

    #[test]
    fn there_is_one_spelling_only() {
        let bytes = sample().encode().unwrap();
        let spaced = String::from_utf8(bytes.clone()).unwrap().replace("\"v\":1", "\"v\": 1");
        assert_eq!(Entry::decode(spaced.as_bytes()), Err(EntryError::NotCanonical));
        assert!(matches!(Entry::decode(&bytes[1..]), Err(EntryError::NotAnEntry(_))));
        let mut long = sample();
        long.body = serde_json::json!({ "text": "x".repeat(70_000) });
        insta::assert_snapshot!(long.encode().unwrap_err(), @"the entry has 70338 bytes; at most 65535 are possible");
    }
}
