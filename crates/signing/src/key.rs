//! Public keys that signatures are checked with: elliptic curves, as SubjectPublicKeyInfo in PEM (RFC 5280, RFC 7468).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, EcdsaVerificationAlgorithm,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// A key of the longest curve has 268 characters.
const MAX_PEM_BYTES: usize = 4_096;

/// What stands before the point: the curve by its object identifier, and the point's length (RFC 5480). The point is
/// uncompressed: one byte, and two numbers.
const CURVES: [(&[u8], usize, &EcdsaVerificationAlgorithm); 3] = [
    (b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00", 65, &ECDSA_P256_SHA256_ASN1),
    (b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00", 97, &ECDSA_P384_SHA384_ASN1),
    (b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00", 133, &ECDSA_P521_SHA512_ASN1),
];

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not PEM, or something else in PEM.
    #[error("it is not a public key in PEM: a block between `{BEGIN}` and `{END}`")]
    NotPem,
    /// Another kind of key.
    #[error("it is not a key of the curves P-256, P-384 and P-521, which model signing knows")]
    OtherKind,
}

/// A public key, with the algorithm that its curve goes with.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    der: Vec<u8>,
    point: Vec<u8>,
    algorithm: &'static EcdsaVerificationAlgorithm,
}

impl VerifyingKey {
    /// Reads PEM.
    pub fn parse(pem: &str) -> Result<Self, KeyFault> {
        let body = (pem.len() <= MAX_PEM_BYTES).then_some(pem.trim());
        let body =
            body.and_then(|text| text.strip_prefix(BEGIN)?.strip_suffix(END)).ok_or(KeyFault::NotPem)?;
        let text: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(text).map_err(|_| KeyFault::NotPem)?;
        let known = CURVES.iter().find_map(|(head, length, algorithm)| {
            let point = der.strip_prefix(*head).filter(|point| point.len() == *length && point[0] == 4)?;
            Some((point.to_vec(), *algorithm))
        });
        let (point, algorithm) = known.ok_or(KeyFault::OtherKind)?;
        Ok(Self { der, point, algorithm })
    }

    /// Whether the key made this signature (DER) of the message.
    pub(crate) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.point).verify(message, signature).is_ok()
    }

    /// How bundles name the key: the SHA-256 of its PEM as OpenSSL writes it, in lower hex.
    pub(crate) fn hint(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = format!("{BEGIN}\n");
        // Base64 has one byte a character.
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(END);
        pem.push('\n');
        Digest::of(pem.as_bytes()).to_hex()
    }
}
