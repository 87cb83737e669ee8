//! A version that nobody may use until somebody else has looked at it: put in at once, taken out of service, refused at
//! every door, and let out by other eyes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;

use candidate::{said, with_candidate};
use common::{json, run, wardmote};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MODEL: &str = "credit-scoring";

fn with_rules(text: &str) -> String {
    let rules = "    rollback: {review: {role: auditor, within_hours: 72}}\n    break_glass: {roles: [ml-engineer], max_hours: 24, \
                 review: {role: compliance-officer, within_hours: 72}}\n    approvals:";
    text.replacen("    approvals:", rules, 1)
}

fn approved(dir: &Path, version: &str) {
    if version != "1" {
        json(dir, &["model", "train", MODEL, "--as", "ada"]);
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

/// What the application is told that asks for a score.
fn invoked(dir: &Path, address: &str) -> String {
    let keys: Value = serde_json::from_slice(&fs::read(dir.join("credentials.json")).unwrap()).unwrap();
    let key = keys["credit-app"].as_str().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /endpoints/credit-scoring/invocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: text/csv\r\ncontent-length: 1\r\n\r\nx"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
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
    let long = "x".repeat(1001);
    let refused = said(dir, &["model", "quarantine", MODEL, "2", "--reason", &long, "--as", "selma"]);
    assert!(refused.contains("has 1001 letters, of at most 1000"), "{refused}");
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
    let mut serve = wardmote(dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.trim_start_matches("listening on http://").split(';').next().unwrap().trim().to_owned();
    let until = |what: &str| {
        let start = Instant::now();
        while !invoked(dir, &address).contains(what) && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(100));
        }
        let answer = invoked(dir, &address);
        assert!(answer.contains(what), "{answer}");
    };
    assert!(!invoked(dir, &address).contains("no version is deployed"));
    let mut all = String::new();
    let mut say = |words: &[&str]| all.push_str(&said(dir, words));
    say(&["model", "quarantine", MODEL, "1", "--reason", "the artefact was leaked", "--as", "diego"]);
    until("no version is deployed");
    assert!(invoked(dir, &address).starts_with("HTTP/1.1 409"), "{}", invoked(dir, &address));
    say(&["history", "--model", MODEL]);
    say(&["model", "list"]);
    say(&["model", "rollback", MODEL, "--reason", "x", "--as", "bruno"]);
    json(dir, &["model", "release", MODEL, "1", "--finding", "it was another file", "--as", "nadia"]);
    assert_eq!(json(dir, &["model", "list"])[0]["serving"], Value::Null);
    say(&["model", "deploy", MODEL, "1", "--as", "ada"]);
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    until("15 inputs");
    drop(serve.stdin.take());
    serve.wait().unwrap();
    let cards = folder.path().join("cards");
    json(dir, &["model", "quarantine", MODEL, "1", "--reason", "again", "--as", "carla"]);
    json(dir, &["card", MODEL, "1", "--out", cards.to_str().unwrap(), "--as", "ada"]);
    for card in [format!("{MODEL}-v1.md"), format!("{MODEL}-v1.html"), format!("{MODEL}-v1.sagemaker.json")] {
        let text = fs::read_to_string(cards.join(&card)).unwrap();
        assert!(text.contains("IN QUARANTINE") && text.contains("nobody may use it"), "{card}: {text}");
    }
    insta::assert_snapshot!(all);
}
