//! An identity provider's half of tokens: keys, their public halves as JSON Web Keys, and signatures.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Base64url, as everything in tokens is.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of an issuer.
pub(crate) enum Key {
    Rsa(String, RsaKeyPair),
    Ec(String, EcdsaKeyPair),
}

impl Key {
    pub(crate) fn rsa(id: &str) -> Self {
        Self::Rsa(id.to_owned(), RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn ec(id: &str) -> Self {
        Self::Ec(id.to_owned(), EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Rsa(id, _) | Self::Ec(id, _) => id,
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(..) => "RS256",
            Self::Ec(..) => "ES256",
        }
    }

    /// The public half.
    pub(crate) fn public(&self) -> Value {
        match self {
            Self::Rsa(id, key) => {
                // RSAPublicKey of RFC 8017: a sequence of the modulus (257 bytes with its sign) and 65537.
                let der = key.public_key().as_ref();
                json!({ "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": b64(&der[9..265]), "e": "AQAB" })
            }
            Self::Ec(id, key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": b64(&point[1..33]), "y": b64(&point[33..]) })
            }
        }
    }

    /// The public half as others may have it: for tricks with it as a secret.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_, key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Ec(_, key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(_, key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
                signature
            }
            Self::Ec(_, key) => key.sign(&random, text).unwrap().as_ref().to_vec(),
        }
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm(), "kid": self.id(), "typ": "JWT" }), claims)
    }

    /// The same with another header.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = b64(self.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }
}

/// A set of public halves.
pub(crate) fn set(keys: &[&Key]) -> Vec<u8> {
    json!({ "keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>() }).to_string().into_bytes()
}

/// A token that an HMAC "signs", with what everybody knows as its secret.
pub(crate) fn confused(secret: &[u8], id: &str, claims: &Value) -> String {
    let header = json!({ "alg": "HS256", "kid": id, "typ": "JWT" });
    let text = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{text}.{}", b64(aws_lc_rs::hmac::sign(&key, text.as_bytes())))
}

/// A token that nobody signed.
pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", b64(r#"{"alg":"none","typ":"JWT"}"#), b64(claims.to_string()))
}
