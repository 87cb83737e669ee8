//! The OpenSSF tool `model_signing` accepts what we sign and refuses what was changed; and we read what it signs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod common;
#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use common::Key;
use facts::Digest;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use signing::{Resource, VerifyingKey};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDERS: usize = 200;
const FLIPS: usize = 1_000;

/// Contents of folders: names of one to three parts out of pieces that sort differently by parts than as texts, letters of
/// many scripts, empty files.
fn folders(count: usize) -> Vec<BTreeMap<String, Vec<u8>>> {
    let piece = "(a|a-b|a\\.b|ab|A|Z|é|e\u{301}|模型|🦀|ß|модель|w e|\\.hidden|b!|[a-z]{1,8}|\\PC{1,6})";
    let piece = proptest::string::string_regex(piece).unwrap().prop_filter("one part of a path", |name| {
        !name.contains(['/', '\0']) && name != "." && name != ".." && name.len() < 100
    });
    let path = proptest::collection::vec(piece, 1..4).prop_map(|parts| parts.join("/"));
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..200);
    let folder = proptest::collection::btree_map(path, bytes, 1..12);
    let mut runner = TestRunner::deterministic();
    let mut list: Vec<BTreeMap<String, Vec<u8>>> =
        (0..count).map(|_| folder.new_tree(&mut runner).unwrap().current()).collect();
    list[0] = [("a/x", "1"), ("a-b/y", "2"), ("a.txt", "3"), ("Z", ""), ("a/x-y/z", "5"), ("a/x.y", "6")]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .into();
    for files in &mut list {
        // A name cannot be a file and a folder.
        let names: Vec<String> = files.keys().cloned().collect();
        files.retain(|name, _| !names.iter().any(|other| other.starts_with(&format!("{name}/"))));
    }
    list
}

fn write(root: &Path, folders: &[BTreeMap<String, Vec<u8>>]) -> Vec<(PathBuf, Vec<Resource>)> {
    let mut list = Vec::new();
    for (index, files) in folders.iter().enumerate() {
        let folder = root.join(index.to_string());
        let resources = files.iter().map(|(name, bytes)| {
            let path = folder.join("model").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
            (name.clone(), Digest::of(bytes))
        });
        list.push((folder.clone(), signing::in_order(resources)));
    }
    list
}

fn tool(words: &[&str]) -> serde_json::Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer");
    let python = venv::of("model-signing", &here.join("requirements.txt")).join("bin/python");
    let output = Command::new(python).arg(here.join("peer.py")).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn the_tool_accepts_our_signatures_and_refuses_what_was_changed() {
    let root = tempfile::tempdir().unwrap();
    let key = Key::new();
    fs::write(root.path().join("key.pub"), &key.pem).unwrap();
    for (folder, resources) in write(root.path(), &folders(FOLDERS)) {
        let bundle = key.signed(&resources);
        fs::write(folder.join("model.sig"), &bundle).unwrap();
        signing::open(&bundle, &key.public).unwrap().holds_for(&resources).unwrap();
    }
    let found = tool(&["check", root.path().to_str().unwrap(), &FLIPS.to_string()]);
    let expected = serde_json::json!({ "folders": FOLDERS, "refused": [], "flips": FLIPS, "passed": [] });
    assert_eq!(found, expected);
}

#[test]
fn we_read_what_the_tool_signs_with_each_curve() {
    let root = tempfile::tempdir().unwrap();
    let written = write(root.path(), &folders(30));
    let found = tool(&["sign", root.path().to_str().unwrap()]);
    assert_eq!(found, serde_json::json!({ "failed": [], "curves": 3 }));
    let keys: Vec<VerifyingKey> = (0..3)
        .map(|curve| fs::read_to_string(root.path().join(format!("{curve}.pub"))).unwrap())
        .map(|pem| VerifyingKey::parse(&pem).unwrap())
        .collect();
    for (index, (folder, mut resources)) in written.into_iter().enumerate() {
        let bundle = fs::read(folder.join("theirs.sig")).unwrap();
        let signed = signing::open(&bundle, &keys[index % 3]).unwrap();
        signed.holds_for(&resources).unwrap();
        assert_eq!(signed.resources, resources, "both order alike");
        assert_eq!(signing::open(&bundle, &keys[(index + 1) % 3]).unwrap_err(), signing::Fault::OtherKey);
        resources[0].1 = Digest::of(b"changed");
        signed.holds_for(&resources).unwrap_err();
    }
}
