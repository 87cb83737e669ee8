//! The public keys of CloudTrail, as `aws cloudtrail list-public-keys` prints them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A digest is signed soon after its hour, maybe with a key that is younger than that hour.
const SIGNED_WITHIN_SECONDS: i64 = 24 * 60 * 60;

/// Public keys by fingerprint. They are trusted: get them from AWS, not from whoever gives you the folder.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys {
    keys: BTreeMap<String, Key>,
}

#[derive(Debug, Clone)]
struct Key {
    /// RSAPublicKey in DER (PKCS #1).
    der: Vec<u8>,
    from: Timestamp,
    to: Timestamp,
}

/// What a key says about a signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Good,
    NoSuchKey,
    Wrong,
    /// The key was not valid then.
    OutOfTime(Timestamp, Timestamp),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    public_key_list: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    value: String,
    fingerprint: String,
    validity_start_time: Time,
    validity_end_time: Time,
}

/// The AWS CLI prints times in one of two ways.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Text(Timestamp),
    Seconds(f64),
}

impl Time {
    fn read(&self) -> Option<Timestamp> {
        match self {
            Self::Text(time) => Some(*time),
            // Seconds of this age are far below what a float holds exactly.
            Self::Seconds(seconds) if (0.0..1e11).contains(seconds) => {
                Timestamp::from_unix_ms((seconds * 1000.0) as i64).ok()
            }
            Self::Seconds(_) => None,
        }
    }
}

impl PublicKeys {
    /// Reads what `aws cloudtrail list-public-keys --output json` printed.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let list: List = serde_json::from_slice(json)
            .map_err(|error| format!("it is not what `aws cloudtrail list-public-keys` prints: {error}"))?;
        let mut keys = BTreeMap::new();
        for listed in list.public_key_list {
            let name = listed.fingerprint.escape_debug().to_string();
            let wrong = |what: &str| format!("the {what} of the key `{name}` cannot be read");
            let der = STANDARD.decode(&listed.value).map_err(|_| wrong("value"))?;
            let from = listed.validity_start_time.read().ok_or_else(|| wrong("time"))?;
            let to = listed.validity_end_time.read().ok_or_else(|| wrong("time"))?;
            if keys.insert(listed.fingerprint, Key { der, from, to }).is_some() {
                return Err(format!("the key `{name}` is listed twice"));
            }
        }
        Ok(Self { keys })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Whether `signature`, in hexadecimal, is over `text` by the key with this fingerprint, which was valid at `time`.
    pub(crate) fn check(
        &self,
        fingerprint: &str,
        (text, signature): (&str, &str),
        time: Timestamp,
    ) -> Signature {
        let Some(key) = self.keys.get(fingerprint) else { return Signature::NoSuchKey };
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.der);
        let Ok(signature) = hex::decode(signature) else { return Signature::Wrong };
        if public.verify(text.as_bytes(), &signature).is_err() {
            return Signature::Wrong;
        }
        if key.from > time.plus_seconds(SIGNED_WITHIN_SECONDS) || key.to < time {
            return Signature::OutOfTime(key.from, key.to);
        }
        Signature::Good
    }
}
