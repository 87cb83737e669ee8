//! The public half of an Ed25519 key, in the form of C2SP signed notes: `name+hash+key`.

use crate::{Digest, ParseError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The signature type of Ed25519.
const ED25519_TYPE: u8 = 1;
const EXPECTED: &str = "`name+hash+key` of an Ed25519 key, as `wardmote key new` prints it";

/// A verifier key that is well formed: its hash fits its name and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierKey(String);

impl VerifierKey {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it says it is: `first-example-bank/bruno`.
    pub fn name(&self) -> &str {
        self.0.split('+').next().unwrap_or_default()
    }

    /// The eight hexadecimal digits by which people tell keys apart.
    pub fn fingerprint(&self) -> &str {
        self.0.split('+').nth(1).unwrap_or_default()
    }
}

fn well_formed(text: &str) -> bool {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(bytes) = STANDARD.decode(key) else { return false };
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &bytes]);
    !name.is_empty()
        && text.len() <= 400
        && !name.contains(|c: char| c.is_whitespace() || c.is_control())
        && bytes.len() == 33
        && bytes.first() == Some(&ED25519_TYPE)
        && hex::encode(&digest.as_bytes()[..4]) == hash
}

impl FromStr for VerifierKey {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if well_formed(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("verifier key", text, EXPECTED))
        }
    }
}

impl TryFrom<String> for VerifierKey {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<VerifierKey> for String {
    fn from(key: VerifierKey) -> Self {
        key.0
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for VerifierKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VerifierKey".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$",
            "description": "verifier key",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_must_fit() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!((key.name(), key.fingerprint(), key.as_str()), ("PeterNeumann", "c74f20a3", text));
        for bad in [
            "",
            "a+b",
            &text.replace("c74", "c75"),
            &text.replace("Peter", "Petra"),
            &text.replace("TW", "TV"),
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }
}
