//! Keys, and signatures made with them.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use signing::{Resource, VerifyingKey};

/// A P-256 key pair, and its public half in PEM.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    pub(crate) pem: String,
    pub(crate) public: VerifyingKey,
}

impl Key {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        let public = VerifyingKey::parse(&pem).unwrap();
        Self { pair, pem, public }
    }

    /// A bundle as the house makes it.
    pub(crate) fn signed(&self, resources: &[Resource]) -> Vec<u8> {
        self.around(&signing::statement("model", resources, &json!({ "version": 1 })))
    }

    /// A bundle around any payload.
    pub(crate) fn around(&self, payload: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), &signing::pae(payload)).unwrap();
        signing::bundle(payload, signature.as_ref(), &self.public)
    }
}
