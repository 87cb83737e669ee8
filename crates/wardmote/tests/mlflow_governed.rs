//! What only a governed registry does, as unmodified MLflow clients see it: production needs approvals, what was
//! tampered with or not approved does not load, and who may not is told who may.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;
#[path = "mlflow/support.rs"]
mod support;

use common::{example, json, run, stable};
use std::fmt::Write as _;
use std::path::Path;
use support::{Client, Login, Server};

/// A charter that wants two business owners to approve, and takes a run's own figures for a model that is not ONNX.
fn strict(charter: String) -> String {
    let changes = [
        ("{role: business-owner, count: 1,", "{role: business-owner, count: 2,"),
        ("      validation_share: 0.3", "      accept_run_metrics: true\n      validation_share: 0.3"),
    ];
    changes.iter().fold(charter, |charter, (from, to)| {
        assert!(charter.contains(from), "the example's charter has no `{from}`");
        charter.replace(from, to)
    })
}

/// What several people saw, one after the other.
struct Told<'a> {
    server: &'a Server,
    client: Client,
    text: String,
}

impl Told<'_> {
    fn by(&mut self, who: Login<'_>, words: &[&str]) {
        let text = self.server.script(self.client, who, "governed.py", words);
        writeln!(self.text, "{who:?} {}", words.join(" ")).unwrap();
        for line in text.lines() {
            writeln!(self.text, "  {line}").unwrap();
        }
    }

    /// Without what differs from run to run.
    fn stable(&self) -> String {
        stable(self.server.dir(), &self.text)
    }
}

/// The snapshot for training, which the training service has read.
fn snapshot(dir: &Path) -> String {
    let file = example().join("german-credit.csv").display().to_string();
    json(dir, &["data", "import", "credit-raw", &file, "--as", "diego"]);
    let made = json(dir, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
    let name = made["name"].as_str().unwrap().to_owned();
    let rows = dir.join("rows.csv").display().to_string();
    let read = ["data", "read", &name, "--part", "training", "--out", &rows, "--as", "training-job"];
    json(dir, &read);
    name
}

fn approve(dir: &Path, who: &str) {
    json(dir, &["model", "approve", "credit-scoring", "1", "--as", who]);
}

#[test]
fn production_needs_approvals() {
    let server = Server::with_charter(strict);
    let dir = server.dir();
    let snapshot = snapshot(dir);
    let mut told = Told { server: &server, client: Client::Three, text: String::new() };
    told.by(Login::Token("training-job"), &["register", &snapshot]);
    told.by(Login::Token("ada"), &["promote", "1"]);
    told.by(Login::Token("credit-app"), &["load", "/1", "@production"]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
    approve(dir, "bruno");
    told.by(Login::Token("ada"), &["promote", "1", "champion"]);
    approve(dir, "nadia");
    told.by(Login::Token("ada"), &["promote", "1"]);
    told.by(Login::Token("credit-app"), &["load", "@production", "/1", "/Production"]);
    insta::assert_snapshot!(told.stable());
}

#[test]
fn what_rests_on_no_known_data_is_not_approved() {
    for client in [Client::Three, Client::Two] {
        let server = Server::with_charter(strict);
        let mut told = Told { server: &server, client, text: String::new() };
        told.by(Login::Token("ada"), &["register"]);
        told.by(Login::Token("ada"), &["load", "/1"]);
        told.by(Login::Token("credit-app"), &["load", "/1"]);
        told.by(Login::Token("ada"), &["promote", "1", "candidate"]);
        for words in [["validate", "ada"], ["approve", "bruno"]] {
            let [what, who] = words;
            let output = run(server.dir(), &["model", what, "credit-scoring", "1", "--as", who]);
            assert!(!output.status.success());
            writeln!(told.text, "{what} {who}\n{}", String::from_utf8_lossy(&output.stderr)).unwrap();
        }
        insta::assert_snapshot!(format!("unknown-data-{}", client.name()), told.stable());
    }
}

#[test]
fn what_was_tampered_with_does_not_load() {
    let server = Server::with_charter(strict);
    let dir = server.dir();
    // By where it came from, as a program that reads from S3 names its data.
    let snapshot = format!("s3://datasets/{}/", snapshot(dir));
    let mut told = Told { server: &server, client: Client::Two, text: String::new() };
    told.by(Login::Token("training-job"), &["register", &snapshot]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
    approve(dir, "bruno");
    approve(dir, "nadia");
    let said = [
        ("files", "is not what was kept"),
        ("manifests", "is not what was recorded"),
        ("signatures", "is not the one that was recorded"),
    ];
    for (folder, sentence) in said {
        let objects = dir.join("objects").join(folder);
        flip(&objects);
        let answer =
            server.script(Client::Two, Login::Password("credit-app"), "governed.py", &["load", "/1"]);
        assert!(answer.contains(sentence) && !answer.contains("\"ok\""), "{folder}: {answer}");
        flip(&objects);
        // It is marked until somebody shows that all of it is right again.
        let marked =
            server.script(Client::Two, Login::Password("credit-app"), "governed.py", &["load", "/1"]);
        assert!(marked.contains("is not what was registered"), "{folder}: {marked}");
        let open = json(dir, &["incident", "list"]);
        let id = open[0]["incident"].as_str().unwrap().to_owned();
        json(dir, &["incident", "resolve", &id, "--as", "selma"]);
    }
    let answer = server.script(Client::Two, Login::Password("credit-app"), "governed.py", &["load", "/1"]);
    assert!(answer.contains("\"ok\": true"), "{answer}");
    // What is in quarantine is handed out to nobody, whatever else they may load.
    json(dir, &["model", "quarantine", "credit-scoring", "1", "--reason", "poisoned", "--as", "selma"]);
    for who in [Login::Password("credit-app"), Login::Password("ada"), Login::Password("omar")] {
        let held = server.script(Client::Two, who, "governed.py", &["load", "/1"]);
        assert!(held.contains("put there by `selma`") && held.contains(": poisoned"), "{held}");
        assert!(held.contains("wardmote model release") && !held.contains("\"ok\""), "{held}");
    }
    let promoted = server.script(Client::Two, Login::Password("ada"), "governed.py", &["promote", "1"]);
    assert!(promoted.contains("is in quarantine since"), "{promoted}");
}

#[test]
fn a_gate_is_asked_when_a_client_registers() {
    let gated = |charter: String| {
        let gates =
            "    gates: [{id: robustness, command: [./gate], time_limit_seconds: 20}]\n    approvals:";
        strict(charter).replacen("    approvals:", gates, 1)
    };
    let server = Server::with_charter(gated);
    let dir = server.dir();
    let snapshot = snapshot(dir);
    let mut told = Told { server: &server, client: Client::Three, text: String::new() };
    let gate = |text: &str| {
        let path = dir.join("gate");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    // A program that is not there has not said that it holds.
    told.by(Login::Token("training-job"), &["register", &snapshot]);
    gate(
        "test -s \"$SM_CHANNEL_TRAINING/model/MLmodel\" || exit 3\n\
        echo '{\"verdict\": \"broken\", \"reason\": \"it is fooled by noise\"}' > \"$SM_OUTPUT_DATA_DIR/verdict.json\"",
    );
    told.by(Login::Token("training-job"), &["register", &snapshot]);
    gate("echo '{\"verdict\": \"holds\"}' > \"$SM_OUTPUT_DATA_DIR/verdict.json\"");
    told.by(Login::Token("training-job"), &["register", &snapshot]);
    insta::assert_snapshot!(told.stable());
    for (version, verdict) in [("1", "unknown"), ("2", "broken"), ("3", "holds")] {
        let shown = json(dir, &["model", "show", "credit-scoring", version]);
        let asked = &shown["gates"][0][0];
        assert_eq!(
            (&asked["stage"], &asked["verdict"]["verdict"]),
            (&"registration".into(), &verdict.into())
        );
    }
}

#[test]
fn who_may_not_is_told_who_may() {
    let server = Server::start();
    let mut told = Told { server: &server, client: Client::Three, text: String::new() };
    told.by(Login::Token("ada"), &["register"]);
    told.by(Login::Nobody, &["read"]);
    told.by(Login::WrongKey, &["read"]);
    told.by(Login::Token("omar"), &["read"]);
    told.by(Login::Token("diego"), &["write"]);
    told.by(Login::Password("credit-app"), &["write"]);
    insta::assert_snapshot!(told.stable());
    let refused = json(server.dir(), &["log", "--refused", "--limit", "1000"]);
    let refused = serde_json::to_string(&refused).unwrap();
    assert!(refused.contains("diego") && refused.contains("credit-app"), "refusals are on record: {refused}");
    assert!(run(server.dir(), &["verify"]).status.success());
}

/// Turns one bit in the middle of every object, and back again if it is done twice.
fn flip(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            flip(&path);
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        std::fs::write(&path, bytes).unwrap();
    }
}
