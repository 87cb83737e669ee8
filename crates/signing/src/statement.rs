//! What is signed: the list of files, and what the house knows about them.

use crate::Resource;
use facts::Digest;
use serde_json::{Value, json};

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
pub(crate) const STATEMENT: &str = "https://in-toto.io/Statement/v1";
pub(crate) const PREDICATE: &str = "https://model_signing/signature/v1.0";

/// The files in the order of a signature: by the parts of their paths, so that `a/x` comes before `a-b/y`.
#[must_use]
pub fn in_order(files: impl IntoIterator<Item = Resource>) -> Vec<Resource> {
    let mut list: Vec<Resource> = files.into_iter().collect();
    list.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
    list
}

/// The statement that is signed: the files, which are [`in_order`], and what the house knows about them.
#[must_use]
pub fn statement(model: &str, resources: &[Resource], evidence: &Value) -> Vec<u8> {
    let list: Value = resources
        .iter()
        .map(|(name, digest)| json!({ "name": name, "algorithm": "sha256", "digest": digest.to_hex() }))
        .collect();
    json!({
        "_type": STATEMENT,
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

/// The digest of all digests, in the order of the list.
pub(crate) fn root(resources: &[Resource]) -> Digest {
    let raw: Vec<u8> = resources.iter().flat_map(|(_, digest)| *digest.as_bytes()).collect();
    Digest::of(&raw)
}

/// The bytes that the signature is over: DSSE's pre-authentication encoding.
#[must_use]
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use facts::Digest;

    #[test]
    fn paths_are_ordered_by_their_parts() {
        let names = ["a.txt", "a-b/y", "a/x", "Z", "a/x/b", "é"];
        let sorted = in_order(names.map(|name| (name.to_owned(), Digest::of(b""))));
        let sorted: Vec<&str> = sorted.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(sorted, ["Z", "a/x", "a/x/b", "a-b/y", "a.txt", "é"]);
    }
}
