//! The ledger's proof inside a bundle, in the place and shape of Sigstore's `TransparencyLogEntry`: the entry as it was
//! hashed, its way to the root, and the signed checkpoint. Verifiers that do not know the log pass it over.
//!
//! Source: `sigstore_rekor.proto` of Sigstore's protobuf specifications; C2SP tlog-checkpoint; RFC 6962, section 2.1.1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::{Digest, Timestamp};
use ledger::{Checkpoint, Entry, Outcome, TlogProof, Verifier, leaf_hash};
use serde::Deserialize;
use serde_json::{Value, json};

const KIND: &str = "wardmote-ledger-entry";
/// A tree of 2^63 entries is 63 levels high.
const MAX_PATH: usize = 63;

/// That a signature was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The name of the log.
    pub log: String,
    /// Which entry.
    pub index: u64,
    /// When it was written.
    pub time: Timestamp,
    /// How many entries the checkpoint covers.
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    log_index: String,
    kind_version: KindVersion,
    inclusion_proof: InclusionProof,
    canonicalized_body: String,
}

#[derive(Deserialize)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof {
    log_index: String,
    root_hash: String,
    tree_size: String,
    hashes: Vec<String>,
    checkpoint: Note,
}

#[derive(Deserialize)]
struct Note {
    envelope: String,
}

/// A bundle of ours with the proof of the entry that recorded it. `leaf` is the entry as it was hashed. Nothing if one of them
/// is not what it should be.
#[must_use]
pub fn with_proof(bundle: &[u8], leaf: &[u8], proof: &TlogProof, log: &Verifier) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(bundle).ok()?;
    let checkpoint = proof.verify(&leaf_hash(leaf), log).ok()?;
    let entry = Entry::decode(leaf).ok()?;
    let hashes: Vec<String> = proof.path.iter().map(|hash| STANDARD.encode(hash.as_bytes())).collect();
    let index = proof.index.to_string();
    *value.pointer_mut("/verificationMaterial/tlogEntries")? = json!([{
        "logIndex": index,
        "logId": { "keyId": STANDARD.encode(log.id().as_bytes()) },
        "kindVersion": { "kind": KIND, "version": entry.v.to_string() },
        "integratedTime": (entry.time.unix_ms() / 1_000).to_string(),
        "inclusionProof": {
            "logIndex": index,
            "rootHash": STANDARD.encode(checkpoint.root.as_bytes()),
            "treeSize": checkpoint.size.to_string(),
            "hashes": hashes,
            "checkpoint": { "envelope": proof.checkpoint },
        },
        "canonicalizedBody": STANDARD.encode(leaf),
    }]);
    Some(value.to_string().into_bytes())
}

/// The digest of a bundle as it was before a proof came into it; that is what the ledger's entry names.
pub(crate) fn without(bundle: &[u8]) -> Option<Digest> {
    let mut value: Value = serde_json::from_slice(bundle).ok()?;
    if let Some(entries) = value.pointer_mut("/verificationMaterial/tlogEntries") {
        *entries = json!([]);
    }
    Some(Digest::of(value.to_string().as_bytes()))
}

/// Checks one entry of `tlogEntries`; a sentence if it proves nothing.
pub(crate) fn check(entry: &Value, log: &Verifier, as_signed: &Digest) -> Result<Recorded, String> {
    let entry: LogEntry = serde_json::from_value(entry.clone()).map_err(|error| error.to_string())?;
    let KindVersion { kind, version } = &entry.kind_version;
    if kind != KIND {
        return Err(format!("it is of a log of another kind, `{kind}` `{version}`"));
    }
    let proof = &entry.inclusion_proof;
    let body = STANDARD.decode(&entry.canonicalized_body).map_err(|_| "its body is not Base64")?;
    let index: u64 = entry.log_index.parse().map_err(|_| "its index is not a number")?;
    if proof.hashes.len() > MAX_PATH {
        return Err("it is too long".to_owned());
    }
    let path =
        proof.hashes.iter().map(|hash| STANDARD.decode(hash).ok()?.try_into().ok().map(Digest::from_bytes));
    let path = path.collect::<Option<Vec<Digest>>>().ok_or("one of its hashes is not a hash")?;
    let travelled = TlogProof { index, path, checkpoint: proof.checkpoint.envelope.clone() };
    let Checkpoint { origin, size, root } =
        travelled.verify(&leaf_hash(&body), log).map_err(|error| error.to_string())?;
    let said_twice = (&proof.log_index, &proof.tree_size, &proof.root_hash);
    if said_twice != (&entry.log_index, &size.to_string(), &STANDARD.encode(root.as_bytes())) {
        return Err("it says another index, size or root than its checkpoint".to_owned());
    }
    let recorded = Entry::decode(&body).map_err(|error| error.to_string())?;
    let event = &recorded.body["event"];
    if recorded.outcome != Outcome::Done
        || event["event"] != "signed"
        || event["bundle"] != as_signed.to_string()
    {
        return Err(format!("entry {index} does not record this signature"));
    }
    Ok(Recorded { log: origin, index, time: recorded.time, size })
}
