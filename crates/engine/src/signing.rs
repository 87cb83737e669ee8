//! Signatures of model versions: OpenSSF Model Signing bundles (Sigstore bundle v0.3 around a DSSE envelope around an
//! in-toto statement), ECDSA P-256. `model_signing verify key` accepts them.
//!
//! Source: OpenSSF Model Signing specification v1.0; DSSE v1 (PAE); in-toto Statement v1.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;
use serde_json::{Value, json};
use world::PublicKey;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATE: &str = "https://model_signing/signature/v1.0";

/// A file of the model: name and digest.
pub(crate) type Resource = (String, Digest);

/// The statement that is signed: the files, and what the house knows about them.
pub(crate) fn statement(model: &str, resources: &[Resource], evidence: &Value) -> Vec<u8> {
    let list = listed(resources);
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": model, "digest": { "sha256": root(resources).to_hex() } }],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [] },
            "resources": list,
            "wardmote": evidence,
        },
    })
    .to_string()
    .into_bytes()
}

fn listed(resources: &[Resource]) -> Value {
    resources
        .iter()
        .map(|(name, digest)| json!({ "name": name, "algorithm": "sha256", "digest": digest.to_hex() }))
        .collect()
}

/// The digest of all digests, in the order of the list.
fn root(resources: &[Resource]) -> Digest {
    let raw: Vec<u8> = resources.iter().flat_map(|(_, digest)| *digest.as_bytes()).collect();
    Digest::of(&raw)
}

/// The bytes that the signature is over: DSSE's pre-authentication encoding.
pub(crate) fn pae(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The bundle.
pub(crate) fn bundle(payload: &[u8], signature_der: &[u8], key: &PublicKey) -> Vec<u8> {
    json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": { "publicKey": { "hint": Digest::of(key.0.as_bytes()).to_hex() }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{ "sig": STANDARD.encode(signature_der), "keyid": "" }],
        },
    })
    .to_string()
    .into_bytes()
}

/// Checks that a bundle is signed by `key` and speaks of exactly these files; a sentence if not.
pub(crate) fn verify(bundle: &[u8], key: &PublicKey, resources: &[Resource]) -> Result<(), String> {
    let bundle: Value = serde_json::from_slice(bundle).map_err(|_| "it is not a bundle".to_owned())?;
    let envelope = &bundle["dsseEnvelope"];
    let decode = |value: &Value| {
        value.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or("it is not a bundle")
    };
    if bundle["mediaType"] != MEDIA_TYPE || envelope["payloadType"] != PAYLOAD_TYPE {
        return Err("it is not a model signing bundle".to_owned());
    }
    let payload = decode(&envelope["payload"])?;
    let signature = decode(&envelope["signatures"][0]["sig"])?;
    let point = public_point(key).ok_or("the public key is damaged")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(&pae(&payload), &signature)
        .map_err(|_| "the signature does not fit the public key".to_owned())?;
    let statement: Value =
        serde_json::from_slice(&payload).map_err(|_| "the statement cannot be read".to_owned())?;
    if statement["predicate"]["resources"] != listed(resources)
        || statement["subject"][0]["digest"]["sha256"] != root(resources).to_hex()
    {
        return Err("it was made for another artefact".to_owned());
    }
    Ok(())
}

/// The uncompressed point at the end of a SubjectPublicKeyInfo.
fn public_point(key: &PublicKey) -> Option<Vec<u8>> {
    let text: String = key.0.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(text).ok()?;
    Some(der.get(der.len().checked_sub(65)?..)?.to_vec())
}
