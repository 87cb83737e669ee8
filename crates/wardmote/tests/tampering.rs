//! What is read and is not what was registered: an incident, once, and a version that is neither deployed nor served until it
//! was put right.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;

use candidate::{said, with_candidate};
use common::{json, run, wardmote};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

const MODEL: &str = "credit-scoring";

fn artefact(dir: &Path) -> PathBuf {
    let shown = json(dir, &["model", "show", MODEL, "1"]);
    dir.join("objects").join(shown["registration"]["object"].as_str().unwrap())
}

/// Turns one bit near the end of a file, and back again if it is done twice.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 40;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn open_incidents(dir: &Path) -> usize {
    json(dir, &["incident", "list"]).as_array().unwrap().len()
}

#[test]
fn what_is_not_what_was_registered_is_an_incident() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, str::to_owned);
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    let path = artefact(dir);
    flip(&path);
    let out = dir.join("out");
    let out = out.to_str().unwrap();
    let hide = |text: String| text.replace(path.file_name().unwrap().to_str().unwrap(), "OBJECT");
    let mut all = hide(said(dir, &["model", "export", MODEL, "1", "--out", out, "--as", "ada"]));
    // Once for each version and cause, not once for each read.
    for _ in 0..2 {
        assert!(!run(dir, &["model", "export", MODEL, "1", "--out", out, "--as", "ada"]).status.success());
    }
    assert_eq!(open_incidents(dir), 1);
    let mut say = |words: &[&str]| all.push_str(&hide(said(dir, words)));
    say(&["model", "deploy", MODEL, "1", "--as", "ada"]);
    say(&["incident", "list"]);
    say(&["model", "list"]);
    say(&["incident", "resolve", "I-1", "--as", "nadia"]);
    say(&["incident", "resolve", "I-1", "--as", "selma"]);
    flip(&path);
    // That the bytes are right again is shown by reading them, not by saying so.
    say(&["model", "deploy", MODEL, "1", "--as", "ada"]);
    say(&["incident", "resolve", "I-1", "--note", "put back from the copy", "--as", "selma"]);
    say(&["incident", "resolve", "I-1", "--as", "selma"]);
    say(&["incident", "resolve", "I-7", "--as", "selma"]);
    say(&["model", "deploy", MODEL, "1", "--as", "ada"]);
    let shown = said(dir, &["model", "show", MODEL, "1"]);
    assert!(shown.contains("were again what was registered in"), "{shown}");
    assert_eq!(open_incidents(dir), 0);
    insta::assert_snapshot!(all);
    assert!(run(dir, &["verify"]).status.success());
}

#[test]
fn what_serves_and_is_tampered_with_serves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, str::to_owned);
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    let path = artefact(dir);
    flip(&path);
    let mut serve = wardmote(dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("listening on"), "{line}");
    drop(serve.stdin.take());
    let ended = serve.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(told.contains("serves nothing, because its version is not what was registered"), "{told}");
    assert_eq!(open_incidents(dir), 1);
    let history = said(dir, &["history", "--model", MODEL]);
    assert!(
        history.contains("NOT what was registered") && history.contains("WITHOUT its evidence"),
        "{history}"
    );
    let refused = said(dir, &["model", "rollback", MODEL, "--reason", "x", "--as", "bruno"]);
    assert!(refused.contains("no earlier version"), "{refused}");
    let shown = said(dir, &["model", "show", MODEL, "1"]);
    assert!(shown.contains("on the gateway of the house, where the record lets it serve no more"), "{shown}");
    flip(&path);
    json(dir, &["incident", "resolve", "I-1", "--as", "selma"]);
    let shown = json(dir, &["model", "show", MODEL, "1"]);
    assert!(!shown["tampering"][0]["restored"].is_null(), "{shown}");
    assert_eq!(shown["serving"][0]["state"], "serves", "{shown}");
}

#[test]
fn a_record_that_rests_on_what_cannot_be_read_is_not_said_to_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    with_candidate(dir, str::to_owned);
    assert!(run(dir, &["verify"]).status.success());
    let charters = dir.join("objects/charters");
    for charter in fs::read_dir(&charters).unwrap() {
        fs::write(charter.unwrap().path(), "damaged").unwrap();
    }
    let verified = run(dir, &["verify"]);
    assert_eq!(verified.status.code(), Some(7));
    let text = String::from_utf8(verified.stdout).unwrap();
    assert!(text.contains("the approvals were not checked: the object `charters/"), "{text}");
    // A copy of the ledger alone is another thing: nothing else is expected beside it.
    fs::remove_dir_all(dir.join("objects")).unwrap();
    assert!(run(dir, &["verify"]).status.success());
}
