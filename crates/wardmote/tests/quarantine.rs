//! A version that nobody may use until somebody else has looked at it: put in at once, taken out of service, refused at
//! every door, and let out by other eyes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;
#[path = "common/served.rs"]
mod served;

use candidate::{said, with_candidate};
use common::{example, json, run};
use serde_json::Value;
use served::{Server, key};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MODEL: &str = "credit-scoring";

fn with_rules(text: &str) -> String {
    let rules = "    rollback: {review: {role: auditor, within_hours: 72}}\n    break_glass: {roles: [ml-engineer], max_hours: 24, \
                 review: {role: compliance-officer, within_hours: 72}}\n    approvals:";
    text.replacen("    approvals:", rules, 1)
}

fn approved(dir: &Path, version: &str) {
    if version != "1" {
        // Of other bytes than the one before.
        json(dir, &["model", "train", MODEL, "--set", &format!("l2={version}.0"), "--as", "ada"]);
        json(dir, &["model", "validate", MODEL, version, "--as", "ada"]);
    }
    json(dir, &["model", "approve", MODEL, version, "--as", "bruno"]);
}

/// An hour from now.
fn soon() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = facts::Timestamp::from_unix_ms(i64::try_from(now.as_millis()).unwrap()).unwrap();
    time.plus_seconds(3600).to_string()
}

/// What the application is told that asks for scores.
fn invoked(server: &Server, dir: &Path, rows: &str) -> (u16, String) {
    let bearer = format!("Bearer {}", key(dir, "credit-app"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    let (status, _, body) =
        server.ask(("POST", "/endpoints/credit-scoring/invocations"), &headers, rows.as_bytes());
    (status, String::from_utf8(body).unwrap())
}

/// A reason is a sentence and not a file.
fn bounded(dir: &Path) {
    let long = "x".repeat(1001);
    let refused = said(dir, &["model", "quarantine", MODEL, "2", "--reason", &long, "--as", "selma"]);
    assert!(refused.contains("has 1001 letters, of at most 1000"), "{refused}");
}

/// What is taken away proves the same.
fn proved_elsewhere(dir: &Path) {
    let proof = dir.join("proof");
    let proof = proof.to_str().unwrap();
    for words in [&["who-approved", MODEL, "2"] as &[&str], &["history", "--model", MODEL]] {
        let words: Vec<&str> = words.iter().copied().chain(["--proof", proof]).collect();
        json(dir, &words);
        assert!(run(dir, &["log", "verify-proof", proof]).status.success());
        fs::remove_dir_all(proof).unwrap();
    }
}

#[test]
fn what_serves_is_taken_out_refused_at_every_door_and_let_out_by_other_eyes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, with_rules);
    approved(dir, "1");
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    approved(dir, "2");
    json(dir, &["model", "deploy", MODEL, "2", "--as", "ada"]);
    let out = dir.join("out");
    let out = out.to_str().unwrap();
    let (before, soon) = (json(dir, &["history", "--model", MODEL]), soon());
    let mut all = String::new();
    let mut say = |words: &[&str]| all.push_str(&said(dir, words));
    let put_in = |reason: &'static str, who: &'static str| {
        ["model", "quarantine", MODEL, "2", "--reason", reason, "--as", who]
    };
    say(&put_in("", "selma"));
    say(&put_in("the training data were poisoned", "omar"));
    say(&["model", "quarantine", MODEL, "7", "--reason", "x", "--as", "selma"]);
    say(&["model", "release", MODEL, "2", "--finding", "x", "--as", "bruno"]);
    say(&put_in("the training data were poisoned", "selma"));
    say(&put_in("again", "diego"));
    for words in [
        &["model", "list"] as &[&str],
        &["history", "--model", MODEL],
        &["who-approved", MODEL, "2"],
        &["model", "approve", MODEL, "2", "--as", "nadia"],
        &["model", "deploy", MODEL, "2", "--as", "ada"],
        &["model", "deploy", MODEL, "2", "--break-glass", "--reason", "x", "--until", &soon, "--as", "ada"],
        &["model", "fallback", MODEL, "2", "--as", "ada"],
        &["model", "export", MODEL, "2", "--out", out, "--as", "ada"],
        &["model", "reviews", MODEL],
    ] {
        say(words);
    }
    let let_out = |finding: &'static str, who: &'static str| {
        ["model", "release", MODEL, "2", "--finding", finding, "--as", who]
    };
    for (finding, who) in [
        ("fine", "selma"),
        ("fine", "ada"),
        ("fine", "omar"),
        ("", "bruno"),
        ("the poisoned rows were in no training data", "bruno"),
        ("again", "bruno"),
    ] {
        say(&let_out(finding, who));
    }
    bounded(dir);
    for words in [
        &["model", "deploy", MODEL, "2", "--as", "ada"] as &[&str],
        &["model", "approve", MODEL, "2", "--as", "nadia"],
        &["who-approved", MODEL, "2"],
        &["model", "deploy", MODEL, "2", "--as", "ada"],
        &["model", "review", MODEL, "--upheld", "--note", "it had to be looked at", "--as", "omar"],
    ] {
        say(words);
    }
    let shown = said(dir, &["model", "show", MODEL, "2"]);
    assert!(shown.contains("quarantine     from"), "{shown}");
    let graph = said(dir, &["lineage", MODEL, "2", "--format", "mermaid"]);
    assert!(graph.contains("put in quarantine by selma"), "{graph}");
    assert!(run(dir, &["verify"]).status.success());
    // It served then, and whoever asks hears what was made of it since.
    let then = said(dir, &["history", "--model", MODEL, "--as-of", before["as_of"].as_str().unwrap()]);
    assert!(then.contains("version 2 of credit-scoring was serving"), "{then}");
    assert!(then.contains("quarantine: from") && then.contains("poisoned rows"), "{then}");
    proved_elsewhere(dir);
    insta::assert_snapshot!(all);
}

#[test]
fn where_nothing_else_may_serve_nothing_does() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, str::to_owned);
    approved(dir, "1");
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    let server = Server::start(dir);
    let until = |status: u16, what: &str| {
        let start = Instant::now();
        while invoked(&server, dir, "x").0 != status && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(100));
        }
        let (said, answer) = invoked(&server, dir, "x");
        assert!(said == status && answer.contains(what), "{said} {answer}");
    };
    until(400, "15 inputs");
    let mut all = String::new();
    let mut say = |words: &[&str]| all.push_str(&said(dir, words));
    say(&["model", "quarantine", MODEL, "1", "--reason", "the artefact was leaked", "--as", "diego"]);
    until(409, "no version is deployed");
    say(&["history", "--model", MODEL]);
    say(&["model", "list"]);
    say(&["model", "rollback", MODEL, "--reason", "x", "--as", "bruno"]);
    json(dir, &["model", "release", MODEL, "1", "--finding", "it was another file", "--as", "nadia"]);
    assert_eq!(json(dir, &["model", "list"])[0]["serving"], Value::Null);
    say(&["model", "deploy", MODEL, "1", "--as", "ada"]);
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    until(400, "15 inputs");
    drop(server);
    let cards = folder.path().join("cards");
    // The same bytes under another number are what they were.
    json(dir, &["model", "train", MODEL, "--as", "ada"]);
    json(dir, &["model", "validate", MODEL, "2", "--as", "ada"]);
    say(&["model", "quarantine", MODEL, "1", "--reason", "again", "--as", "carla"]);
    say(&["model", "approve", MODEL, "2", "--as", "bruno"]);
    let out = folder.path().join("out").display().to_string();
    assert!(
        said(dir, &["model", "export", MODEL, "2", "--out", &out, "--as", "ada"])
            .contains("of the same bytes")
    );
    json(dir, &["card", MODEL, "1", "--out", cards.to_str().unwrap(), "--as", "ada"]);
    for card in [format!("{MODEL}-v1.md"), format!("{MODEL}-v1.html"), format!("{MODEL}-v1.sagemaker.json")] {
        let text = fs::read_to_string(cards.join(&card)).unwrap();
        assert!(text.contains("IN QUARANTINE") && text.contains("nobody may use it"), "{card}: {text}");
    }
    insta::assert_snapshot!(all);
}

/// Rows of the example with what the model reads of them, in its order.
fn rows(inputs: &str, count: usize) -> Vec<String> {
    let text = fs::read_to_string(example().join("german-credit.csv")).unwrap();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let columns: Vec<usize> = inputs
        .split(", ")
        .map(|name| head.iter().position(|column| *column == name.trim_matches('`')).unwrap())
        .collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        columns.iter().map(|at| cells[*at]).collect::<Vec<_>>().join(",")
    };
    // A line with a quote has commas in its fields.
    lines.filter(|line| !line.contains('"')).take(count).map(row).collect()
}

#[test]
fn an_alert_puts_in_quarantine_and_lets_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let rule =
        "{metric: positive_rate, threshold: 0.999, direction: below, min_samples: 50, action: quarantine}";
    with_candidate(dir, |text| {
        let was = "{metric: positive_rate, threshold: 0.2, action: rollback}";
        assert!(text.contains(was));
        text.replacen(was, rule, 1)
    });
    approved(dir, "1");
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    let mut server = Server::start(dir);
    let (_, why) = invoked(&server, dir, "x");
    let why: Value = serde_json::from_str(&why).unwrap();
    let inputs = why["message"].as_str().unwrap().split_once("inputs: ").unwrap().1.to_owned();
    for row in rows(&inputs, 100) {
        let (status, answer) = invoked(&server, dir, &row);
        assert_eq!(status, 200, "{answer}");
    }
    server.stop();
    assert!(server.stopped());
    let look = said(dir, &["monitor", MODEL, "--as", "wardmote-automation"]);
    assert!(look.contains("alert put version 1 in quarantine; NOTHING serves in its place"), "{look}");
    let shown = json(dir, &["model", "show", MODEL, "1"]);
    let held = &shown["quarantines"][0];
    assert_eq!(held["by"], "alert-positive-rate");
    // Its entry is the cause, and its sentence the reason.
    let alert = held["trigger"]["alert"]["evidence"].as_str().unwrap();
    let log = json(dir, &["log", "--stream", "model/credit-scoring"]);
    let fired = log.as_array().unwrap().iter().find(|entry| entry["evidence"] == alert).unwrap();
    assert_eq!(
        (&fired["body"]["fact"], &fired["body"]["sentence"]),
        (&"alert_fired".into(), &held["reason"])
    );
    let refused = said(dir, &["monitor", MODEL, "--as", "wardmote-automation"]);
    assert!(refused.contains("no version of `credit-scoring` is serving"), "{refused}");
    let automation =
        said(dir, &["model", "release", MODEL, "1", "--finding", "x", "--as", "wardmote-automation"]);
    assert!(automation.contains("only people can"), "{automation}");
    json(dir, &["model", "release", MODEL, "1", "--finding", "a bad week", "--as", "bruno"]);
    assert!(run(dir, &["verify"]).status.success());
}
