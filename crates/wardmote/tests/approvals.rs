//! Approvals with the approver's own key, by the ordinary commands: made, demanded, confirmed, taken back, verified.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;

use candidate::{said, with_candidate};
use common::json;
use std::path::Path;

fn demanding(text: &str) -> String {
    text.replace("count: 1, valid_days: 90}", "count: 1, valid_days: 90, signed: true}")
}

#[test]
fn a_signed_approval_from_the_key_to_the_proof() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, keys) = (folder.path().join("house"), folder.path().join("keys"));
    let dir = dir.as_path();
    std::fs::create_dir(dir).unwrap();
    with_candidate(dir, demanding);
    let (bruno, forged) = (keys.join("bruno.key"), keys.join("forged.key"));
    let (bruno, forged) = (bruno.to_str().unwrap(), forged.to_str().unwrap());
    let mut all = String::new();
    let mut say = |words: &[&str]| {
        all.push_str(&said(dir, words).replace(keys.to_str().unwrap(), "KEYS"));
    };
    say(&["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    let made = json(dir, &["key", "new", "--out", bruno, "--as", "bruno"]);
    let key = made["key"]["key"].as_str().unwrap().to_owned();
    say(&["key", "new", "--out", bruno, "--as", "bruno"]);
    say(&["key", "new", "--out", forged, "--as", "bruno"]);
    assert!(!Path::new(forged).exists(), "a key that was not registered is left behind");
    say(&["key", "approvers"]);
    say(&["model", "approve", "credit-scoring", "1", "--key", bruno, "--as", "bruno"]);
    say(&["key", "confirm", "bruno", &key, "--as", "bruno"]);
    say(&["key", "confirm", "bruno", &key, "--as", "carla"]);
    say(&["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    say(&["model", "approve", "credit-scoring", "1", "--key", bruno, "--as", "bruno"]);
    say(&["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    say(&["verify"]);
    // Whoever has bruno's key from bruno needs nobody's word.
    let genuine = keys.join("genuine.txt");
    std::fs::write(&genuine, format!("# from bruno himself\n{key}\n")).unwrap();
    say(&["verify", "--approvers", genuine.to_str().unwrap()]);
    say(&["model", "revoke-approval", "credit-scoring", "1", "--reason", "no", "--as", "nadia"]);
    say(&[
        "model",
        "revoke-approval",
        "credit-scoring",
        "1",
        "--of",
        "bruno",
        "--reason",
        "no",
        "--as",
        "nadia",
    ]);
    say(&[
        "model",
        "revoke-approval",
        "credit-scoring",
        "1",
        "--reason",
        "the data were wrong",
        "--as",
        "bruno",
    ]);
    say(&["history", "--model", "credit-scoring"]);
    insta::assert_snapshot!(all);
}

#[test]
fn whoever_runs_the_house_cannot_approve_for_others_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, keys) = (folder.path().join("house"), folder.path().join("keys"));
    let dir = dir.as_path();
    std::fs::create_dir(dir).unwrap();
    with_candidate(dir, str::to_owned);
    let (bruno, forged) = (keys.join("bruno.key"), keys.join("forged.key"));
    let made = json(dir, &["key", "new", "--out", bruno.to_str().unwrap(), "--as", "bruno"]);
    let genuine = keys.join("genuine.txt");
    std::fs::write(&genuine, made["key"]["key"].as_str().unwrap()).unwrap();
    // With every access key in hand: the key is withdrawn, another is registered, and it approves.
    json(dir, &["key", "withdraw", "bruno", "--reason", "lost", "--as", "carla"]);
    let mut all = said(dir, &["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    json(dir, &["key", "new", "--out", forged.to_str().unwrap(), "--as", "bruno"]);
    json(
        dir,
        &["model", "approve", "credit-scoring", "1", "--key", forged.to_str().unwrap(), "--as", "bruno"],
    );
    for words in [
        &["model", "show", "credit-scoring", "1"] as &[&str],
        &["key", "approvers"],
        &["verify"],
        &["verify", "--approvers", genuine.to_str().unwrap()],
    ] {
        let text = said(dir, words).replace(keys.to_str().unwrap(), "KEYS");
        // Figures of the model are not what this is about.
        let lines = text.lines().filter(|line| {
            ["artefact", "snapshot", "parameter", "criterion", "code", "  signed"]
                .iter()
                .all(|word| !line.trim().starts_with(word.trim()))
        });
        all.push_str(&lines.collect::<Vec<_>>().join("\n"));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_key_named_by_the_charter_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, keys) = (folder.path().join("house"), folder.path().join("keys"));
    let dir = dir.as_path();
    std::fs::create_dir(dir).unwrap();
    with_candidate(dir, demanding);
    let (old, new) = (keys.join("old.key"), keys.join("new.key"));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let made = json(dir, &["key", "new", "--out", old, "--as", "bruno"]);
    let pinned = made["key"]["key"].as_str().unwrap().to_owned();
    json(dir, &["key", "new", "--out", new, "--replaces", old, "--as", "bruno"]);
    let path = dir.join("charter.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let whole = "name: Bruno Keller, roles: [business-owner]}";
    let named = |key: &str| {
        text.replace(whole, &format!("name: Bruno Keller, roles: [business-owner], public_key: \"{key}\"}}"))
    };
    let mut all = String::new();
    for wrong in ["bruno's key", &pinned.replacen("bruno", "nadia", 1)] {
        std::fs::write(&path, named(wrong)).unwrap();
        all.push_str(&said(dir, &["plan"]));
    }
    std::fs::write(&path, named(&pinned)).unwrap();
    all.push_str(&said(dir, &["plan"]));
    json(dir, &["apply", "--as", "carla"]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
    for key in [new, old] {
        let text = said(dir, &["model", "approve", "credit-scoring", "1", "--key", key, "--as", "bruno"]);
        all.push_str(&text.replace(keys.to_str().unwrap(), "KEYS"));
    }
    all.push_str(&said(dir, &["verify"]));
    insta::assert_snapshot!(all);
}
