//! What a signature holds for, what it does not, and what is said then; with the ledger's proof inside.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod common;

use common::Key;
use facts::{Actor, ActorKind, Digest};
use ledger::{Checkpoint, Entry, Outcome, Signer, TlogProof, Tree, Verifier, leaf_hash};
use serde_json::{Value, json};
use signing::{Fault, Recorded, Resource, VerifyingKey, in_order, open, with_proof};

fn files() -> Vec<Resource> {
    in_order(["MLmodel", "model.onnx", "data/x"].map(|name| (name.to_owned(), Digest::of(name.as_bytes()))))
}

fn entry(outcome: Outcome, body: Value) -> Vec<u8> {
    let entry = Entry {
        v: 1,
        stream: "model/credit-scoring".parse().unwrap(),
        stream_seq: 0,
        stream_prev: None,
        time: "2026-11-21T04:30:00.123Z".parse().unwrap(),
        actor: Actor::new("wardmote-automation".parse().unwrap(), ActorKind::Service, Vec::new()),
        action: "key.use".to_owned(),
        resource: "model/credit-scoring".to_owned(),
        outcome,
        body,
    };
    entry.encode().unwrap()
}

/// A log of nine entries with this one in the middle, and the proof of it.
fn log(leaf: &[u8]) -> (TlogProof, Verifier) {
    let signer = Signer::new("bank.example/ledger", &[7; 32]).unwrap();
    let mut tree = Tree::default();
    for index in 0..9 {
        tree.push(if index == 4 { leaf_hash(leaf) } else { leaf_hash(&[index]) });
    }
    let checkpoint = Checkpoint { origin: "bank.example/ledger".to_owned(), size: 9, root: tree.root() };
    let path = tree.inclusion(4, 9).unwrap();
    (TlogProof { index: 4, path, checkpoint: checkpoint.sign(&signer) }, signer.verifier())
}

fn event(bundle: &[u8]) -> Value {
    json!({ "event": { "event": "signed", "bundle": Digest::of(bundle) } })
}

/// A bundle with its proof.
fn proved(key: &Key) -> (Vec<u8>, Verifier) {
    let bundle = key.signed(&files());
    let leaf = entry(Outcome::Done, event(&bundle));
    let (proof, log) = log(&leaf);
    (with_proof(&bundle, &leaf, &proof, &log).unwrap(), log)
}

#[test]
fn a_proof_inside_a_bundle_holds() {
    let key = Key::new();
    let (bundle, log) = proved(&key);
    let signed = open(&bundle, &key.public).unwrap();
    signed.holds_for(&files()).unwrap();
    assert_eq!(signed.house, Some(json!({ "version": 1 })));
    let time = "2026-11-21T04:30:00.123Z".parse().unwrap();
    let expected = Recorded { log: "bank.example/ledger".to_owned(), index: 4, time, size: 9 };
    assert_eq!(signed.recorded(&log).unwrap(), expected);
}

#[test]
fn no_bit_of_a_bundle_changes_what_is_believed() {
    let key = Key::new();
    let (bundle, log) = proved(&key);
    let believed = |bundle: &[u8]| {
        let signed = open(bundle, &key.public).ok()?;
        let recorded = signed.recorded(&log).ok()?;
        Some((signed.subject, signed.resources, signed.house, recorded))
    };
    let truth = believed(&bundle);
    assert!(truth.is_some());
    let mut refused = 0;
    // One bit of each byte, another one from byte to byte.
    for at in 0..bundle.len() {
        let mut changed = bundle.clone();
        changed[at] ^= 1 << (at * 3 % 8);
        match believed(&changed) {
            None => refused += 1,
            other => assert_eq!(other, truth, "byte {at}"),
        }
    }
    assert!(refused > bundle.len() * 3 / 4, "only {refused} of {} are refused", bundle.len());
}

/// Every mistake, and its message.
#[test]
fn what_does_not_hold_is_said() {
    let key = Key::new();
    let bundle = key.signed(&files());
    let text = String::from_utf8(bundle.clone()).unwrap();
    let mut said = Vec::new();
    let mut fault = |name: &str, fault: Fault| said.push(format!("{name}: {fault}"));
    let opened = |text: &str| open(text.as_bytes(), &key.public).unwrap_err();
    fault("no JSON", opened("model"));
    fault("media type", opened(&text.replace("bundle.v0.3", "bundle.v0.1")));
    fault("payload type", opened(&text.replace("in-toto+json\"", "other\"")));
    fault("not Base64", opened(&text.replace("\"payload\":\"", "\"payload\":\"!")));
    fault("no signature", {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["dsseEnvelope"]["signatures"] = json!([]);
        opened(&value.to_string())
    });
    fault("another key", open(&bundle, &Key::new().public).unwrap_err());
    fault("a changed payload", opened(&text.replace("\"payload\":\"e", "\"payload\":\"f")));
    for (name, payload) in [
        ("no statement", json!({})),
        (
            "another predicate",
            statement(|value| value["predicateType"] = json!("https://slsa.dev/provenance/v1")),
        ),
        (
            "another method",
            statement(|value| value["predicate"]["serialization"]["method"] = json!("shards")),
        ),
        (
            "another hash",
            statement(|value| value["predicate"]["resources"][0]["algorithm"] = json!("blake3")),
        ),
        (
            "another root",
            statement(|value| value["predicate"]["resources"][0]["digest"] = json!("0".repeat(64))),
        ),
        (
            "two subjects",
            statement(|value| value["subject"] = json!([value["subject"][0], value["subject"][0]])),
        ),
    ] {
        fault(name, opened(&String::from_utf8(key.around(payload.to_string().as_bytes())).unwrap()));
    }
    let signed = open(&bundle, &key.public).unwrap();
    let with = |name: &str| (name.to_owned(), Digest::of(b"more"));
    let changed: Vec<Resource> = [with("MLmodel"), with("a"), with("b"), with("c"), with("d")].to_vec();
    fault("other files", signed.holds_for(&changed).unwrap_err());
    let (_, log) = proved(&key);
    fault("no proof", signed.recorded(&log).unwrap_err());
    insta::assert_snapshot!(said.join("\n"));
}

fn statement(change: impl Fn(&mut Value)) -> Value {
    let mut value = serde_json::from_slice(&signing::statement("model", &files(), &json!({}))).unwrap();
    change(&mut value);
    value
}

/// A proof that is right in itself proves nothing about another signature, a refusal, or another log.
#[test]
fn a_proof_of_something_else_is_refused() {
    let key = Key::new();
    let bundle = key.signed(&files());
    let mut said = Vec::new();
    for leaf in [
        entry(Outcome::Done, event(b"another bundle")),
        entry(Outcome::Refused, event(&bundle)),
        entry(Outcome::Done, json!({ "fact": "key_used", "bundle": Digest::of(&bundle) })),
    ] {
        let (proof, log) = log(&leaf);
        let joined = with_proof(&bundle, &leaf, &proof, &log).unwrap();
        said.push(open(&joined, &key.public).unwrap().recorded(&log).unwrap_err().to_string());
    }
    let (joined, _) = proved(&key);
    let other = Signer::new("bank.example/ledger", &[8; 32]).unwrap().verifier();
    said.push(open(&joined, &key.public).unwrap().recorded(&other).unwrap_err().to_string());
    let mut foreign: Value = serde_json::from_slice(&joined).unwrap();
    foreign["verificationMaterial"]["tlogEntries"][0]["kindVersion"] =
        json!({ "kind": "dsse", "version": "0.0.1" });
    let foreign = open(foreign.to_string().as_bytes(), &key.public).unwrap();
    said.push(foreign.recorded(&other).unwrap_err().to_string());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn other_keys_are_refused() {
    let windows = Key::new().pem.replace('\n', "\r\n");
    VerifyingKey::parse(&windows).unwrap();
    let said = ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"]
    .map(|pem| VerifyingKey::parse(pem).unwrap_err().to_string());
    insta::assert_snapshot!(said.join("\n"));
}
