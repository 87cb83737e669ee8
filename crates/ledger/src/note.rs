//! Signed notes (C2SP signed-note): text, an empty line, and signature lines. Ed25519, signature type 0x01.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;

/// The signature type of Ed25519.
const ED25519_TYPE: u8 = 1;
/// A note is small; whatever is longer is none.
const MAX_NOTE_BYTES: usize = 1 << 20;

/// A note that cannot be trusted, or a key that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note.
    #[error("this is not a signed note")]
    Malformed,
    /// No signature by the key asked for.
    #[error("the note is not signed by `{0}`")]
    NotSigned(String),
    /// A signature by that key that does not fit the text.
    #[error("the signature of `{0}` does not fit the text")]
    WrongSignature(String),
    /// A key that is no key.
    #[error("this is not a key: expected `name+hash+key`")]
    WrongKey,
}

/// A name with a private key.
pub struct Signer {
    name: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// A signer from 32 secret bytes. The name has no spaces and no `+`.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let proper =
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::WrongKey)?;
        if proper { Ok(Self { name: name.to_owned(), pair }) } else { Err(NoteError::WrongKey) }
    }

    /// The public half.
    pub fn verifier(&self) -> Verifier {
        let mut public = [0; 32];
        public.copy_from_slice(self.pair.public_key().as_ref());
        Verifier { name: self.name.clone(), public }
    }

    /// Signs `text`, which ends in a newline.
    pub fn sign(&self, text: &str) -> String {
        let verifier = self.verifier();
        let mut signature = verifier.key_id().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(signature))
    }
}

/// A name with a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public: [u8; 32],
}

impl Verifier {
    /// Reads a verifier key: `name+hash+base64`.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let mut parts = vkey.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::WrongKey);
        };
        let key = STANDARD.decode(key).map_err(|_| NoteError::WrongKey)?;
        let Some((&ED25519_TYPE, public)) = key.split_first() else { return Err(NoteError::WrongKey) };
        let verifier =
            Self { name: name.to_owned(), public: public.try_into().map_err(|_| NoteError::WrongKey)? };
        if hex::encode(verifier.key_id()) == id && !name.is_empty() {
            Ok(verifier)
        } else {
            Err(NoteError::WrongKey)
        }
    }

    /// The verifier key as text.
    pub fn vkey(&self) -> String {
        let key = [&[ED25519_TYPE], self.public.as_slice()].concat();
        format!("{}+{}+{}", self.name, hex::encode(self.key_id()), STANDARD.encode(key))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note and gives its text. Signatures by others are passed over, as the specification asks.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed);
        }
        let cut = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, signatures) = (&note[..=cut], &note[cut + 2..]);
        if signatures.is_empty() || !signatures.ends_with('\n') {
            return Err(NoteError::Malformed);
        }
        let mut seen = Err(NoteError::NotSigned(self.name.clone()));
        for line in signatures.lines() {
            let (name, encoded) = line
                .strip_prefix("\u{2014} ")
                .and_then(|rest| rest.rsplit_once(' '))
                .ok_or(NoteError::Malformed)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
            if name != self.name || bytes.get(..4) != Some(self.key_id().as_slice()) {
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, self.public);
            key.verify(text.as_bytes(), &bytes[4..])
                .map_err(|_| NoteError::WrongSignature(self.name.clone()))?;
            seen = Ok(text);
        }
        seen
    }

    /// The first 4 bytes of SHA-256 over name, newline, type and key.
    fn key_id(&self) -> [u8; 4] {
        let digest = Digest::of_parts(&[self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public]);
        let mut id = [0; 4];
        id.copy_from_slice(&digest.as_bytes()[..4]);
        id
    }
}
