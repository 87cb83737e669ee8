//! Pointers into the ledger.

use crate::{Digest, ParseError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Names one ledger entry: its index and the first 12 hexadecimal digits of its leaf hash, as `e17-3fa9c2d1b4e8`.
///
/// The index finds the entry; the digits make a pointer into another log, or to a rewritten entry, fail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct EvidenceId {
    index: u64,
    prefix: String,
}

impl EvidenceId {
    /// The pointer to entry `index`, whose leaf hash is `leaf_hash`.
    pub fn new(index: u64, leaf_hash: &Digest) -> Self {
        Self { index, prefix: leaf_hash.short() }
    }

    /// Position in the log, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Whether the entry with `leaf_hash` at this index is the one that was meant.
    pub fn matches(&self, leaf_hash: &Digest) -> bool {
        self.prefix == leaf_hash.short()
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}-{}", self.index, self.prefix)
    }
}

impl FromStr for EvidenceId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("evidence id", text, "the form `e17-3fa9c2d1b4e8`");
        let (index, prefix) =
            text.strip_prefix('e').and_then(|rest| rest.split_once('-')).ok_or_else(wrong)?;
        let hex = prefix.len() == 12 && prefix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let plain = index.bytes().all(|b| b.is_ascii_digit());
        match index.parse() {
            Ok(index) if hex && plain => Ok(Self { index, prefix: prefix.to_owned() }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for EvidenceId {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<EvidenceId> for String {
    fn from(id: EvidenceId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back() {
        let hash = Digest::of(b"entry");
        let id = EvidenceId::new(17, &hash);
        assert_eq!(id.to_string().parse::<EvidenceId>().unwrap(), id);
        assert!(id.matches(&hash) && !id.matches(&Digest::of(b"other")));
        for bad in ["17-3fa9c2d1b4e8", "e-3fa9c2d1b4e8", "e1", "e1-3FA9C2D1B4E8", "e+1-3fa9c2d1b4e8"] {
            assert!(bad.parse::<EvidenceId>().is_err(), "{bad}");
        }
    }
}
