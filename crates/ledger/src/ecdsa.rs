//! Signatures of type 0x02 in signed notes: ECDSA on P-256 over SHA-256, in DER, by a key that a key service holds and never
//! gives out. A note can have them beside others.
//!
//! Source: C2SP signed-note, "Signature types"; the key id is the beginning of SHA-256 over the SubjectPublicKeyInfo.

use crate::note::{NoteError, Verifier, key_parts, key_text, line, opened, signatures};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;

const ECDSA_TYPE: u8 = 2;
/// What a SubjectPublicKeyInfo of an uncompressed point on P-256 begins with (RFC 5480), and how long it is.
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const SPKI_BYTES: usize = 91;

/// A name with a public key on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcdsaVerifier {
    name: String,
    spki: Vec<u8>,
}

impl EcdsaVerifier {
    /// A key as key services give it: SubjectPublicKeyInfo in PEM.
    ///
    /// # Errors
    /// If it is not one on P-256, or the name has spaces or a `+`.
    pub fn from_pem(name: &str, pem: &str) -> Result<Self, NoteError> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Self::new(name, STANDARD.decode(body.trim()).map_err(|_| NoteError::WrongKey)?)
    }

    fn new(name: &str, spki: Vec<u8>) -> Result<Self, NoteError> {
        let named =
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control());
        if named && spki.len() == SPKI_BYTES && spki.starts_with(&P256) {
            Ok(Self { name: name.to_owned(), spki })
        } else {
            Err(NoteError::WrongKey)
        }
    }

    /// Reads a verifier key: `name+hash+base64`.
    ///
    /// # Errors
    /// If it is none of this type.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let (name, id, spki) = key_parts(vkey, ECDSA_TYPE)?;
        let verifier = Self::new(name, spki)?;
        if hex::encode(verifier.key_id()) == id { Ok(verifier) } else { Err(NoteError::WrongKey) }
    }

    /// The verifier key as text.
    pub fn vkey(&self) -> String {
        key_text(&self.name, self.key_id(), ECDSA_TYPE, &self.spki)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note and gives its text. Signatures by others are passed over.
    ///
    /// # Errors
    /// If it is no note, or this key did not sign its text.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.spki);
        opened(note, (&self.name, self.key_id()), |text, der| key.verify(text, der).is_ok())
    }

    /// Adds a signature of this key over the text of a note that others signed.
    ///
    /// # Errors
    /// If it is no note, or the signature is not one of this key over its text.
    pub fn add(&self, note: &str, der: &[u8]) -> Result<String, NoteError> {
        signatures(note)?;
        let both = format!("{note}{}", line(&self.name, &[&self.key_id(), der].concat()));
        self.open(&both)?;
        Ok(both)
    }

    fn key_id(&self) -> [u8; 4] {
        let mut id = [0; 4];
        id.copy_from_slice(&Digest::of(&self.spki).as_bytes()[..4]);
        id
    }
}

/// A key that checks notes, of either type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteVerifier {
    /// Type 0x01.
    Ed25519(Verifier),
    /// Type 0x02.
    Ecdsa(EcdsaVerifier),
}

impl NoteVerifier {
    /// Reads a verifier key of either type.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        Verifier::parse(vkey).map(Self::Ed25519).or_else(|_| EcdsaVerifier::parse(vkey).map(Self::Ecdsa))
    }

    /// Checks a note and gives its text.
    ///
    /// # Errors
    /// If it is no note, or this key did not sign its text.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        match self {
            Self::Ed25519(verifier) => verifier.open(note),
            Self::Ecdsa(verifier) => verifier.open(note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

    const TEXT: &str = "test.example\n1\nAAAA\n";

    fn pair() -> (EcdsaKeyPair, EcdsaVerifier) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = [&P256[..26], pair.public_key().as_ref()].concat();
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki));
        let verifier = EcdsaVerifier::from_pem("test.example", &pem).unwrap();
        (pair, verifier)
    }

    fn sign(pair: &EcdsaKeyPair, text: &str) -> Vec<u8> {
        pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
    }

    #[test]
    fn a_note_has_both_signatures_and_each_is_checked() {
        let own = Signer::new("test.example", &[7; 32]).unwrap();
        let note = own.sign(TEXT);
        let (pair, verifier) = pair();
        assert_eq!(verifier.open(&note), Err(NoteError::NotSigned("test.example".into())));
        let both = verifier.add(&note, &sign(&pair, TEXT)).unwrap();
        assert_eq!((own.verifier().open(&both), verifier.open(&both)), (Ok(TEXT), Ok(TEXT)));
        let wrong = NoteError::WrongSignature("test.example".into());
        assert_eq!(verifier.add(&note, &sign(&pair, "other\n")), Err(wrong.clone()), "of another text");
        assert_eq!(verifier.open(&both.replacen("\n1\n", "\n2\n", 1)), Err(wrong));
        let (_, other) = self::pair();
        assert_eq!(other.open(&both), Err(NoteError::NotSigned("test.example".into())));
    }

    #[test]
    fn verifier_keys_are_read_again_and_others_are_not() {
        let (_, verifier) = pair();
        let vkey = verifier.vkey();
        assert_eq!(EcdsaVerifier::parse(&vkey), Ok(verifier.clone()));
        assert_eq!(NoteVerifier::parse(&vkey), Ok(NoteVerifier::Ecdsa(verifier)));
        let own = Signer::new("test.example", &[7; 32]).unwrap().verifier();
        assert_eq!(NoteVerifier::parse(&own.vkey()), Ok(NoteVerifier::Ed25519(own.clone())));
        for bad in ["", "a+b+c", &vkey.replacen("+", "+0", 1), &vkey[..vkey.len() - 8], &own.vkey()] {
            assert_eq!(EcdsaVerifier::parse(bad), Err(NoteError::WrongKey), "{bad}");
        }
        assert_eq!(EcdsaVerifier::from_pem("a b", "AAAA"), Err(NoteError::WrongKey));
    }
}
