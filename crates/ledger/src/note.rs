//! Signed notes (C2SP signed-note): text, an empty line, and signature lines. Ed25519, signature type 0x01; the other type is in
//! `ecdsa.rs`.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;
use zeroize::Zeroizing;

/// The signature type of Ed25519.
const ED25519_TYPE: u8 = 1;
/// What the text of a private key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
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

    /// Reads a private key as [`private_key`] writes it. Does not repeat the text in the error.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let rest = text.trim().strip_prefix(PRIVATE).ok_or(NoteError::WrongKey)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::WrongKey);
        };
        let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| NoteError::WrongKey)?);
        let Some((&ED25519_TYPE, seed)) = key.split_first() else { return Err(NoteError::WrongKey) };
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| NoteError::WrongKey)?);
        let signer = Self::new(name, &seed)?;
        if hex::encode(signer.verifier().key_id()) == id { Ok(signer) } else { Err(NoteError::WrongKey) }
    }

    /// Signs `text`, which ends in a newline.
    pub fn sign(&self, text: &str) -> String {
        format!("{text}\n{}", self.line(text))
    }

    /// Adds a signature to a note that others signed.
    pub fn cosign(&self, note: &str) -> Result<String, NoteError> {
        let cut = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        Ok(format!("{note}{}", self.line(&note[..=cut])))
    }

    fn line(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        line(&self.name, &[&self.verifier().key_id(), signature.as_ref()].concat())
    }
}

/// The text form of a private key, as Go's signed notes have it: `PRIVATE+KEY+name+hash+key`.
pub fn private_key(name: &str, seed: &[u8; 32]) -> Result<Zeroizing<String>, NoteError> {
    let id = hex::encode(Signer::new(name, seed)?.verifier().key_id());
    let mut bytes = Zeroizing::new([ED25519_TYPE; 33]);
    bytes[1..].copy_from_slice(seed);
    let encoded = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
    // Made at its full length at once: growing would leave copies in memory.
    let mut text =
        Zeroizing::new(String::with_capacity(PRIVATE.len() + name.len() + id.len() + encoded.len() + 2));
    for part in [PRIVATE, name, "+", &id, "+", &encoded] {
        text.push_str(part);
    }
    Ok(text)
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
        let (name, id, public) = key_parts(vkey, ED25519_TYPE)?;
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
        key_text(&self.name, self.key_id(), ED25519_TYPE, &self.public)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note and gives its text. Signatures by others are passed over, as the specification asks.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        opened(note, (&self.name, self.key_id()), |text, signature| key.verify(text, signature).is_ok())
    }

    /// SHA-256 over name, newline, type and key. Notes name a key by the first 4 bytes of it.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of_parts(&[self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public])
    }

    fn key_id(&self) -> [u8; 4] {
        let mut id = [0; 4];
        id.copy_from_slice(&self.id().as_bytes()[..4]);
        id
    }
}

/// The name, the key id and the key of a verifier key's text, if it is of this signature type.
pub(crate) fn key_parts(vkey: &str, of_type: u8) -> Result<(&str, &str, Vec<u8>), NoteError> {
    let mut parts = vkey.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::WrongKey);
    };
    let key = STANDARD.decode(key).map_err(|_| NoteError::WrongKey)?;
    match key.split_first() {
        Some((found, public)) if *found == of_type => Ok((name, id, public.to_vec())),
        _ => Err(NoteError::WrongKey),
    }
}

/// A verifier key as text: `name+hash+base64`.
pub(crate) fn key_text(name: &str, key_id: [u8; 4], of_type: u8, public: &[u8]) -> String {
    let key = [&[of_type], public].concat();
    format!("{name}+{}+{}", hex::encode(key_id), STANDARD.encode(key))
}

/// The text of a note that this key signed; each signature by it must fit. Those of others are passed over, as the
/// specification asks.
pub(crate) fn opened<'a>(
    note: &'a str,
    (name, key_id): (&str, [u8; 4]),
    fits: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<&'a str, NoteError> {
    let (text, lines) = signatures(note)?;
    let mut seen = Err(NoteError::NotSigned(name.to_owned()));
    for (by, bytes) in lines {
        let Some(signature) = bytes.strip_prefix(&key_id).filter(|_| by == name) else { continue };
        if !fits(text.as_bytes(), signature) {
            return Err(NoteError::WrongSignature(name.to_owned()));
        }
        seen = Ok(text);
    }
    seen
}

/// What a signature line holds: a name, and a key id with a signature.
type Held<'a> = (&'a str, Vec<u8>);

/// The text of a note, and its signature lines.
pub(crate) fn signatures(note: &str) -> Result<(&str, Vec<Held<'_>>), NoteError> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteError::Malformed);
    }
    let cut = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, lines) = (&note[..=cut], &note[cut + 2..]);
    if lines.is_empty() || !lines.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    let mut held = Vec::new();
    for line in lines.lines() {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed)?;
        let (name, encoded) = rest.rsplit_once(' ').ok_or(NoteError::Malformed)?;
        held.push((name, STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?));
    }
    Ok((text, held))
}

/// A signature line.
pub(crate) fn line(name: &str, key_id_and_signature: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", STANDARD.encode(key_id_and_signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of golang.org/x/mod/sumdb/note.
    const PRIVATE_KEY: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn private_keys_are_those_of_gos_signed_notes() {
        let signer = Signer::parse(PRIVATE_KEY).unwrap();
        assert_eq!(signer.sign(TEXT), format!("{TEXT}\n{LINE}"));
        let seed: [u8; 32] =
            STANDARD.decode(PRIVATE_KEY.rsplit_once('+').map(|_| &PRIVATE_KEY[34..]).unwrap()).unwrap()[1..]
                .try_into()
                .unwrap();
        assert_eq!(private_key("PeterNeumann", &seed).unwrap().as_str(), PRIVATE_KEY);
        for bad in ["", "PRIVATE+KEY+a+b", &PRIVATE_KEY.replace("c74", "c75"), &PRIVATE_KEY[12..]] {
            assert!(Signer::parse(bad).is_err());
        }
    }

    #[test]
    fn two_can_sign_one_note() {
        let (one, two) = (Signer::new("one", &[1; 32]).unwrap(), Signer::new("two", &[2; 32]).unwrap());
        let note = two.cosign(&one.sign("text\n")).unwrap();
        assert_eq!(one.verifier().open(&note), Ok("text\n"));
        assert_eq!(two.verifier().open(&note), Ok("text\n"));
    }
}
