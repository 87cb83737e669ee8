//! Bundles: written for us, read from anybody.

use crate::proof::{self, Recorded};
use crate::statement::{PAYLOAD_TYPE, PREDICATE, STATEMENT, pae, root};
use crate::{Resource, VerifyingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;
use ledger::Verifier;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// More is not read: 10,000 files with long names take a few MiB.
pub const MAX_BUNDLE_BYTES: usize = 64 << 20;
/// So many files are named in a message.
const NAMED: usize = 3;

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not such a file.
    #[error("it is not a model signing bundle: {0}")]
    NotABundle(String),
    /// Another key.
    #[error("it names another public key")]
    OtherKey,
    /// A wrong signature.
    #[error("the signature does not fit the public key")]
    WrongSignature,
    /// A statement of another kind.
    #[error("the signed statement is not one that model signing knows: {0}")]
    OtherStatement(String),
    /// The files are not those that were signed.
    #[error("it was made for another artefact: {0}")]
    OtherFiles(String),
    /// There is no proof in it.
    #[error("it carries no proof that it was recorded")]
    NoProof,
    /// The proof does not hold.
    #[error("the proof that it was recorded does not hold: {0}")]
    WrongProof(String),
}

/// A signature that fits its key. What it was made for is still to be compared: [`Signed::holds_for`].
#[derive(Debug, Clone)]
pub struct Signed {
    /// The name under which it was signed.
    pub subject: String,
    /// The files, in the order in which they were signed.
    pub resources: Vec<Resource>,
    /// What the house that signed it said: model, version, data, approvals. Nothing in signatures of others.
    pub house: Option<Value>,
    /// The entry of a ledger, as it stands in the bundle.
    entry: Option<Value>,
    /// The digest of the bundle as it was before the entry came in.
    as_signed: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: PublicKey,
    #[serde(default)]
    tlog_entries: Vec<Value>,
}

#[derive(Deserialize)]
struct PublicKey {
    #[serde(default)]
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<File>,
    #[serde(default)]
    wardmote: Option<Value>,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
}

#[derive(Deserialize)]
struct File {
    name: String,
    algorithm: String,
    digest: String,
}

/// The bundle around a signature (DER) of [`pae`] of the payload.
#[must_use]
pub fn bundle(payload: &[u8], signature_der: &[u8], key: &VerifyingKey) -> Vec<u8> {
    json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": { "publicKey": { "hint": key.hint() }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{ "sig": STANDARD.encode(signature_der), "keyid": "" }],
        },
    })
    .to_string()
    .into_bytes()
}

/// Reads a bundle and checks that `key` signed it. Only the first signature counts, as with the tool.
pub fn open(text: &[u8], key: &VerifyingKey) -> Result<Signed, Fault> {
    let not_a_bundle = |why: String| Fault::NotABundle(why);
    if text.len() > MAX_BUNDLE_BYTES {
        return Err(not_a_bundle(format!("it has more than {MAX_BUNDLE_BYTES} bytes")));
    }
    let bundle: Bundle = serde_json::from_slice(text).map_err(|error| not_a_bundle(error.to_string()))?;
    if bundle.media_type != MEDIA_TYPE {
        return Err(not_a_bundle(format!("its `mediaType` is `{}`, not `{MEDIA_TYPE}`", bundle.media_type)));
    }
    let envelope = bundle.dsse_envelope;
    if envelope.payload_type != PAYLOAD_TYPE {
        let found = envelope.payload_type;
        return Err(not_a_bundle(format!("its `payloadType` is `{found}`, not `{PAYLOAD_TYPE}`")));
    }
    let hint = bundle.verification_material.public_key.hint.unwrap_or_default();
    if !hint.is_empty() && hint != key.hint() {
        return Err(Fault::OtherKey);
    }
    let decoded = |name: &str, text: &str| {
        STANDARD.decode(text).map_err(|error| not_a_bundle(format!("its `{name}` is not Base64: {error}")))
    };
    let payload = decoded("payload", &envelope.payload)?;
    let first = envelope.signatures.first().ok_or_else(|| not_a_bundle("it has no signature".to_owned()))?;
    if !key.made(&pae(&payload), &decoded("sig", &first.sig)?) {
        return Err(Fault::WrongSignature);
    }
    let mut signed = read(&payload)?;
    signed.entry = bundle.verification_material.tlog_entries.into_iter().next();
    signed.as_signed = proof::without(text).ok_or_else(|| not_a_bundle("it cannot be read".to_owned()))?;
    Ok(signed)
}

fn read(payload: &[u8]) -> Result<Signed, Fault> {
    let other = |why: String| Fault::OtherStatement(why);
    let statement: Statement = serde_json::from_slice(payload).map_err(|error| other(error.to_string()))?;
    if statement.kind != STATEMENT || statement.predicate_type != PREDICATE {
        return Err(other(format!("`{}` about `{}`", statement.kind, statement.predicate_type)));
    }
    let Predicate { serialization, resources, wardmote } = statement.predicate;
    if serialization.method != "files" || serialization.hash_type != "sha256" {
        let Serialization { method, hash_type } = serialization;
        return Err(other(format!(
            "method `{method}` with `{hash_type}`; only `files` with `sha256` is checked"
        )));
    }
    let resources: Vec<Resource> = resources.into_iter().map(resource).collect::<Result<_, _>>()?;
    let [subject] = statement.subject.as_slice() else {
        return Err(other(format!("{} subjects; there must be one", statement.subject.len())));
    };
    if subject.digest.get("sha256") != Some(&root(&resources).to_hex()) {
        return Err(other("the digest of its subject is not that of its files".to_owned()));
    }
    Ok(Signed {
        subject: subject.name.clone(),
        resources,
        house: wardmote,
        entry: None,
        as_signed: Digest::of(b""),
    })
}

fn resource(file: File) -> Result<Resource, Fault> {
    let digest =
        (file.algorithm == "sha256").then(|| format!("sha256:{}", file.digest).parse().ok()).flatten();
    let digest = digest.ok_or_else(|| {
        Fault::OtherStatement(format!("`{}` has no SHA-256 digest but `{}`", file.name, file.algorithm))
    })?;
    Ok((file.name, digest))
}

impl Signed {
    /// Whether it was made for exactly these files: none changed, none missing, none that nobody signed.
    pub fn holds_for(&self, files: &[Resource]) -> Result<(), Fault> {
        let signed: BTreeMap<&str, &Digest> =
            self.resources.iter().map(|(name, digest)| (name.as_str(), digest)).collect();
        let there: BTreeMap<&str, &Digest> =
            files.iter().map(|(name, digest)| (name.as_str(), digest)).collect();
        if signed.len() != self.resources.len() {
            return Err(Fault::OtherStatement("a file stands in it twice".to_owned()));
        }
        let changed =
            there.iter().filter(|(name, digest)| signed.get(*name).is_some_and(|was| was != *digest));
        let missing = signed.keys().filter(|name| !there.contains_key(*name));
        let unsigned = there.keys().filter(|name| !signed.contains_key(*name));
        let differences: Vec<String> = [
            ("changed", changed.map(|(name, _)| *name).collect::<Vec<_>>()),
            ("missing", missing.copied().collect()),
            ("not signed", unsigned.copied().collect()),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| said(what, &names))
        .collect();
        if differences.is_empty() { Ok(()) } else { Err(Fault::OtherFiles(differences.join("; "))) }
    }

    /// Checks the proof in the bundle: the entry is in the log of `log`, and it records this very signature.
    pub fn recorded(&self, log: &Verifier) -> Result<Recorded, Fault> {
        let entry = self.entry.as_ref().ok_or(Fault::NoProof)?;
        proof::check(entry, log, &self.as_signed).map_err(Fault::WrongProof)
    }

    /// Whether a proof came with it.
    #[must_use]
    pub fn has_proof(&self) -> bool {
        self.entry.is_some()
    }
}

fn said(what: &str, names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{what}: {}{rest}", first.join(", "))
}
