//! What a charter may ask of a version beyond its own figures: that it is no worse than what serves, where it comes from,
//! documents, and figures that are not too old.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;

use candidate::{said, with_candidate};
use common::{json, run};
use std::fs;
use std::path::Path;
use std::process::Command;

const MODEL: &str = "credit-scoring";

fn with(from: &'static str, to: &'static str) -> impl Fn(&str) -> String {
    move |text| {
        assert!(text.contains(from), "the charter has no `{from}`");
        text.replacen(from, to, 1)
    }
}

fn trained(dir: &Path, number: &str, l2: &str) {
    json(dir, &["model", "train", MODEL, "--set", &format!("l2={l2}"), "--as", "ada"]);
    run(dir, &["model", "validate", MODEL, number, "--as", "ada"]);
}

/// The last comparison of a version with what serves.
fn compared(dir: &Path, version: &str) -> serde_json::Value {
    let shown = json(dir, &["model", "show", MODEL, version]);
    let gates = shown["gates"].as_array().unwrap();
    let last = gates.iter().rev().find(|gate| gate[0]["gate"] == "incumbent").unwrap();
    last[0].clone()
}

#[test]
fn a_version_is_compared_with_what_serves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(
        dir,
        with(
            "{metric: auc, at_least: 0.7}",
            "{metric: auc, at_least: 0.6, against_incumbent: {worse_by_at_most: 0.005}}",
        ),
    );
    let first = compared(dir, "1");
    assert_eq!(
        (&first["verdict"]["verdict"], &first["stage"]),
        (&"not_applicable".into(), &"validation".into())
    );
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    // Next to nothing is learnt: worse than what serves, though good enough by itself.
    let mut all = String::new();
    json(dir, &["model", "train", MODEL, "--set", "l2=3000", "--as", "ada"]);
    all.push_str(&said(dir, &["model", "validate", MODEL, "2", "--as", "ada"]));
    all.push_str(&said(dir, &["model", "approve", MODEL, "2", "--as", "bruno"]));
    let with = compared(dir, "2");
    assert_eq!(with["incumbent"]["version"], 1);
    assert_eq!(with["incumbent"]["basis"]["basis"], "measured");
    let theirs = json(dir, &["model", "show", MODEL, "1"])["validation"][0]["metrics"]["auc"].clone();
    assert_eq!(with["incumbent"]["figures"]["auc"], theirs, "measured anew on the same rows");
    // Versions 3 and 4 are as good as what serves; when 3 does, 4 is compared with that before it is deployed.
    trained(dir, "3", "1.0");
    trained(dir, "4", "1.0");
    for version in ["3", "4"] {
        json(dir, &["model", "approve", MODEL, version, "--as", "bruno"]);
    }
    json(dir, &["model", "deploy", MODEL, "3", "--as", "ada"]);
    json(dir, &["model", "deploy", MODEL, "4", "--as", "ada"]);
    let last = compared(dir, "4");
    assert_eq!((&last["stage"], &last["incumbent"]["version"]), (&"deployment".into(), &3.into()));
    all.push_str(&said(dir, &["model", "show", MODEL, "4"]));
    let card = dir.join("card");
    json(dir, &["card", MODEL, "4", "--out", card.to_str().unwrap(), "--as", "ada"]);
    let text = fs::read_to_string(card.join("credit-scoring-v4.md")).unwrap();
    let line = text.lines().find(|line| line.contains("gate incumbent")).unwrap();
    assert!(line.contains("version 3, which served then, on the same"), "{line}");
    // What a stricter charter would have made of it.
    let new = folder.path().join("new.yaml");
    let charter = fs::read_to_string(dir.join("charter.yaml")).unwrap();
    fs::write(&new, charter.replacen("{worse_by_at_most: 0.005}", "{better_by_at_least: 0.01}", 1)).unwrap();
    all.push_str(&said(dir, &["charter", "rehearse", new.to_str().unwrap()]));
    insta::assert_snapshot!(all.replace(folder.path().to_str().unwrap(), "TMP"));
}

#[test]
fn an_incumbent_that_cannot_be_measured_lets_nobody_pass() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(
        dir,
        with(
            "{metric: auc, at_least: 0.7}",
            "{metric: auc, at_least: 0.7, against_incumbent: {worse_by_at_most: 0.5}}",
        ),
    );
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    let object =
        json(dir, &["model", "show", MODEL, "1"])["registration"]["object"].as_str().unwrap().to_owned();
    let path = dir.join("objects").join(object);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    trained(dir, "2", "1.0");
    let last = compared(dir, "2");
    assert_eq!(last["verdict"]["verdict"], "unknown", "{last}");
    let refused = said(dir, &["model", "approve", MODEL, "2", "--as", "bruno"]);
    assert!(refused.contains("version 1, which serves, cannot be compared with"), "{refused}");
}

fn git(dir: &Path, words: &[&str]) {
    let done = Command::new("git")
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=ada", "-c", "user.email=ada@bank.example"])
        .args(words)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn what_the_charter_demands_is_on_record_or_nobody_approves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, |text| {
        let evidence = "    evidence:\n      lineage: [commit, environment, image, seed]\n      \
            documents: [model-card, impact-assessment]\n      validation_days: 30\n    approvals:";
        text.replacen("    approvals:", evidence, 1)
            .replacen("{metric: auc, at_least: 0.7}", "{metric: auc, at_least: 0.7}\n      - {metric: data_rows, at_least: 100}\n      - {metric: data_missing_share, at_most: 0.1}\n      - {metric: data_duplicate_share, at_most: 0.05}", 1)
    });
    let approve = |version| said(dir, &["model", "approve", MODEL, version, "--as", "bruno"]);
    let mut all = approve("1");
    // The program says what it runs in; the lock file lies beside it; all of it is committed.
    let charter = fs::read_to_string(dir.join("charter.yaml")).unwrap();
    let start = charter.find("command: [").unwrap() + "command: [".len();
    let command = charter[start..].split(']').next().unwrap().trim_matches('"').to_owned();
    let digest = "3b".repeat(32);
    let script = format!(
        "#!/bin/sh\nprintf '{{\"image\": \"bank/trainer@sha256:{digest}\"}}' > \"$SM_OUTPUT_DATA_DIR/lineage.json\"\nexec '{command}' \"$@\"\n"
    );
    fs::write(dir.join("train.sh"), script).unwrap();
    fs::write(dir.join("uv.lock"), "version = 1\n").unwrap();
    fs::write(dir.join("requirements.txt"), "numpy==2.1\n").unwrap();
    fs::write(
        dir.join("charter.yaml"),
        charter.replacen(&charter[start..][..charter[start..].find(']').unwrap()], "sh, train.sh", 1),
    )
    .unwrap();
    git(dir, &["init", "-q"]);
    git(dir, &["add", "train.sh", "uv.lock", "requirements.txt", "charter.yaml"]);
    git(dir, &["commit", "-q", "-m", "all of it"]);
    json(dir, &["apply", "--as", "carla"]);
    json(dir, &["model", "train", MODEL, "--set", "seed=7", "--as", "ada"]);
    all.push_str(&said(dir, &["model", "validate", MODEL, "2", "--as", "ada"]));
    let shown = json(dir, &["model", "show", MODEL, "2"]);
    let made_in = &shown["registration"]["environment"];
    assert_eq!(made_in["lock_files"].as_object().unwrap().len(), 1, "{made_in}");
    assert_eq!(made_in["lock_files"]["uv.lock"], facts::Digest::of(b"version = 1\n").to_string());
    assert_eq!(made_in["image"], format!("bank/trainer@sha256:{digest}"));
    all.push_str(&approve("2"));
    json(dir, &["card", MODEL, "2", "--as", "ada"]);
    all.push_str(&approve("2"));
    let paper = dir.join("impact.md");
    fs::write(&paper, "nobody is hurt\n").unwrap();
    let on_record =
        |kind| said(dir, &["model", "document", MODEL, "2", kind, paper.to_str().unwrap(), "--as", "ada"]);
    all.push_str(&on_record("model-card"));
    all.push_str(&on_record("impact-assessment"));
    all.push_str(&approve("2"));
    let graph = json(dir, &["lineage", MODEL, "2"]);
    let nodes = graph["nodes"].as_array().unwrap();
    let image =
        nodes.iter().find(|node| node["name"].as_str().unwrap().starts_with("bank/trainer@")).unwrap();
    assert_eq!(image["basis"], "claimed", "{image}");
    assert!(nodes.iter().any(|node| node["kind"] == "environment" && node.to_string().contains("uv.lock")));
    insta::assert_snapshot!(all.replace(folder.path().to_str().unwrap(), "TMP"));
}
