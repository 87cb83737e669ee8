//! Access keys: `wmk_<holder>_<43 letters>`. The house keeps only their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use facts::{Digest, PersonId};
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

const PREFIX: &str = "wmk_";
/// 32 bytes in base64url without padding.
const SECRET_LENGTH: usize = 43;

/// An access key in the clear. Shows itself only through [`AccessKey::reveal`].
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct AccessKey {
    text: String,
    #[zeroize(skip)]
    holder: PersonId,
}

/// A text that is no access key. Does not repeat the text: it may be a secret with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an access key: expected `wmk_`, the holder's id, `_`, and {SECRET_LENGTH} letters")]
pub struct NotAKey;

impl AccessKey {
    /// A key for `holder` from 32 fresh random bytes.
    pub fn new(holder: &PersonId, mut random: [u8; 32]) -> Self {
        let text = format!("{PREFIX}{holder}_{}", URL_SAFE_NO_PAD.encode(random));
        random.zeroize();
        Self { text, holder: holder.clone() }
    }

    /// Reads a key. Says nothing about whether it is valid.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotAKey)?;
        let (holder, secret) = rest.split_once('_').ok_or(NotAKey)?;
        let holder: PersonId = holder.parse().map_err(|_| NotAKey)?;
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if secret.len() != SECRET_LENGTH || !secret.bytes().all(letters) {
            return Err(NotAKey);
        }
        Ok(Self { text: text.to_owned(), holder })
    }

    /// Whose key it says it is.
    pub fn holder(&self) -> &PersonId {
        &self.holder
    }

    /// The secret text, to be handed to its holder.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({}, ...)", self.holder)
    }
}

/// The hash of an access key. SHA-256 is enough: the key has 256 bits of its own, so there is nothing to guess.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashedKey(Digest);

impl HashedKey {
    /// The hash of `key`.
    pub fn of(key: &AccessKey) -> Self {
        Self(Digest::of(key.text.as_bytes()))
    }

    /// Whether `key` is the one, in constant time.
    pub fn verify(&self, key: &AccessKey) -> bool {
        self.0.as_bytes().ct_eq(Digest::of(key.text.as_bytes()).as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_only_it_verifies() {
        let holder: PersonId = "credit-app".parse().unwrap();
        let key = AccessKey::new(&holder, [7; 32]);
        let hashed = HashedKey::of(&key);
        let read = AccessKey::parse(key.reveal()).unwrap();
        assert_eq!(read.holder(), &holder);
        assert!(hashed.verify(&read));
        assert!(!hashed.verify(&AccessKey::new(&holder, [8; 32])));
    }

    #[test]
    fn debug_and_errors_keep_the_secret() {
        let key = AccessKey::new(&"ada".parse().unwrap(), [7; 32]);
        assert_eq!(format!("{key:?}"), "AccessKey(ada, ...)");
        let error = AccessKey::parse(&key.reveal()[..20]).unwrap_err();
        insta::assert_snapshot!(error, @"this is not an access key: expected `wmk_`, the holder's id, `_`, and 43 letters");
        for bad in ["", "wmk_", "wmk_ada", "wmk_Ada_x", "bearer"] {
            assert!(AccessKey::parse(bad).is_err(), "{bad}");
        }
    }
}
