//! What is beside the ordinary way, by the ordinary commands: own work, emergencies, reviews, fallbacks, gates that programs
//! decide, and questions whose answers can be taken away and proved elsewhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;

use candidate::{said, with_candidate};
use common::{json, run, wardmote};
use serde_json::{Value, json as value};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MODEL: &str = "credit-scoring";

/// Changes the charter of a house; what is to be changed must be there.
fn change(dir: &Path, from: &str, to: &str) {
    let path = dir.join("charter.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "the charter has no `{from}`");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn with(keys: &str) -> impl Fn(&str) -> String {
    let keys = format!("    {keys}\n    approvals:");
    move |text| text.replacen("    approvals:", &keys, 1)
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

/// So many seconds from now.
fn in_seconds(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = facts::Timestamp::from_unix_ms(i64::try_from(now.as_millis()).unwrap()).unwrap();
    time.plus_seconds(seconds).to_string()
}

fn trained(dir: &Path, version: &str) {
    json(dir, &["model", "train", MODEL, "--as", "ada"]);
    json(dir, &["model", "validate", MODEL, version, "--as", "ada"]);
}

fn git(dir: &Path, author: &str, words: &[&str]) {
    let status = Command::new("git")
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "x"), ("GIT_COMMITTER_NAME", "x")])
        .envs([("GIT_AUTHOR_EMAIL", author), ("GIT_COMMITTER_EMAIL", "ada@bank.example")])
        .args(words)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}

fn commit(dir: &Path, author: &str, message: &str) {
    fs::write(dir.join("notes.txt"), message).unwrap();
    git(dir, author, &["add", "notes.txt"]);
    git(dir, author, &["commit", "-q", "-m", message]);
}

#[test]
fn whoever_committed_the_code_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    git(dir, "bruno@bank.example", &["init", "-q"]);
    commit(dir, "bruno@bank.example", "by bruno");
    with_candidate(dir, |text| {
        let text =
            text.replacen("roles: [ml-engineer]}", "roles: [ml-engineer], emails: [ada@bank.example]}", 1);
        text.replacen(
            "Bruno Keller, roles: [business-owner]}",
            "Bruno Keller, roles: [business-owner], emails: [bruno@bank.example, bruno@home.example]}",
            1,
        )
    });
    let mut all = said(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    json(dir, &["model", "approve", MODEL, "1", "--as", "nadia"]);
    // Others approved what bruno committed: it is nobody's own any more. But who is the co-author?
    commit(dir, "ada@bank.example", "more\n\nCo-authored-by: Eve <eve@elsewhere.example>");
    trained(dir, "2");
    all.push_str(&said(dir, &["model", "approve", MODEL, "2", "--as", "bruno"]));
    let shown = said(dir, &["model", "show", MODEL, "2"]);
    assert!(shown.contains("1 address in Git stands with nobody in the charter"), "{shown}");
    change(dir, "people:\n", "outside_committers: [eve@elsewhere.example]\npeople:\n");
    all.push_str(&said(dir, &["plan"]));
    json(dir, &["apply", "--as", "carla"]);
    trained(dir, "3");
    json(dir, &["model", "approve", MODEL, "3", "--as", "bruno"]);
    let shown = said(dir, &["model", "show", MODEL, "3"]);
    assert!(!shown.contains("bruno: committed its code"), "{shown}");
    // What is in no commit is committed by nobody.
    fs::write(dir.join("notes.txt"), "changed").unwrap();
    trained(dir, "4");
    all.push_str(&said(dir, &["model", "approve", MODEL, "4", "--as", "nadia"]));
    insta::assert_snapshot!(all);
}

#[test]
fn a_small_team_makes_no_secret_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, keys) = (folder.path().join("house"), folder.path().join("keys"));
    let dir = dir.as_path();
    fs::create_dir(dir).unwrap();
    let small = with(
        "separation: {not_achievable: the team has two people, compensating: [{cooling_off: {hours: 24}}]}",
    );
    with_candidate(dir, |text| {
        small(text).replacen(
            "Ada Okafor, roles: [ml-engineer]",
            "Ada Okafor, roles: [ml-engineer, business-owner]",
            1,
        )
    });
    let mut all = said(dir, &["model", "approve", MODEL, "1", "--as", "ada"]);
    change(
        dir,
        "[{cooling_off: {hours: 24}}]",
        "[signed_approval, {review: {role: auditor, within_hours: 336}}]",
    );
    all.push_str(&said(dir, &["plan"]));
    json(dir, &["apply", "--as", "carla"]);
    json(dir, &["model", "validate", MODEL, "1", "--as", "ada"]);
    all.push_str(&said(dir, &["model", "approve", MODEL, "1", "--as", "ada"]));
    let key = keys.join("ada.key");
    let made = json(dir, &["key", "new", "--out", key.to_str().unwrap(), "--as", "ada"]);
    let public = made["key"]["key"].as_str().unwrap().to_owned();
    let approve = ["model", "approve", MODEL, "1", "--key", key.to_str().unwrap(), "--as", "ada"];
    all.push_str(&said(dir, &approve));
    json(dir, &["key", "confirm", "ada", &public, "--as", "carla"]);
    all.push_str(&said(dir, &approve));
    json(dir, &["model", "deploy", MODEL, "1", "--as", "ada"]);
    for words in [
        &["who-approved", MODEL, "1"] as &[&str],
        &["history", "--model", MODEL],
        &["model", "reviews"],
        &["model", "review", MODEL, "--upheld", "--note", "fine", "--as", "ada"],
        &["model", "review", MODEL, "--upheld", "--note", "fine", "--as", "bruno"],
        &["model", "review", MODEL, "--upheld", "--note", "the figures are right", "--as", "omar"],
        &["model", "review", MODEL, "--upheld", "--note", "again", "--as", "omar"],
        &["model", "reviews", MODEL],
    ] {
        all.push_str(&said(dir, words));
    }
    insta::assert_snapshot!(all.replace(keys.to_str().unwrap(), "KEYS"));
    let cards = folder.path().join("cards");
    json(dir, &["card", MODEL, "--out", cards.to_str().unwrap(), "--as", "ada"]);
    for card in [format!("{MODEL}-v1.md"), format!("{MODEL}-v1.html"), format!("{MODEL}-v1.sagemaker.json")] {
        let text = fs::read_to_string(cards.join(&card)).unwrap();
        assert!(text.contains("separation of duties NOT achieved"), "{card}: {text}");
    }
    for words in [&["model", "show", MODEL, "1"] as &[&str], &["model", "list"]] {
        let text = said(dir, words);
        assert!(text.contains("separation of duties NOT achieved"), "{text}");
    }
}

#[test]
fn the_glass_is_broken_and_somebody_looks() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let glass = "break_glass: {roles: [ml-engineer], max_hours: 24, review: {role: compliance-officer, within_hours: 72}}";
    with_candidate(dir, with(glass));
    let (later, long) = (in_seconds(3600), in_seconds(1_000_000));
    let breaks = |version: &str, until: &str, who: &str| {
        let words = ["model", "deploy", MODEL, version, "--break-glass", "--reason", "the old one is wrong"];
        said(dir, &[&words as &[&str], &["--until", until, "--as", who]].concat())
    };
    let mut all = breaks("1", &long, "ada") + &breaks("1", &later, "bruno");
    json(dir, &["model", "train", MODEL, "--as", "ada"]);
    all.push_str(&breaks("2", &later, "ada"));
    all.push_str(&said(dir, &["model", "deploy", MODEL, "1", "--break-glass", "--as", "ada"]));
    all.push_str(&breaks("1", &in_seconds(15), "ada"));
    all.push_str(&said(dir, &["history", "--model", MODEL]));
    // When its time is over and nothing else may serve, nothing does.
    let mut serve = wardmote(dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_start_matches("listening on http://").split(';').next().unwrap().to_owned();
    let start = Instant::now();
    let lost = || json(dir, &["model", "show", MODEL, "1"])["losses"][0].is_object();
    while !lost() && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(200));
    }
    while start.elapsed() < Duration::from_secs(120)
        && !invoked(dir, &address).contains("no version is deployed")
    {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(invoked(dir, &address).contains("no version is deployed"));
    drop(serve.stdin.take());
    serve.wait().unwrap();
    for words in [
        &["history", "--model", MODEL] as &[&str],
        &["model", "review", MODEL, "--not-upheld", "--note", "it could have waited", "--as", "ada"],
        &["model", "review", MODEL, "--not-upheld", "--note", "it could have waited", "--as", "carla"],
        &["model", "reviews", MODEL],
    ] {
        all.push_str(&said(dir, words));
    }
    insta::assert_snapshot!(all);
}

/// Answers from which something was taken, and into which something was put, with all their entries beside them.
fn left_out(dir: &Path, elsewhere: &Path, folder: &Path) -> String {
    let mut all = String::new();
    let check = |name: &str, words: &[&str], change: &dyn Fn(&mut Value)| {
        let proof = folder.join(name);
        let shown = proof.to_str().unwrap();
        let words: Vec<&str> = words.iter().copied().chain(["--proof", shown]).collect();
        json(dir, &words);
        assert!(run(elsewhere, &["log", "verify-proof", shown]).status.success(), "{name}");
        let answer = proof.join("answer.json");
        let mut value: Value = serde_json::from_slice(&fs::read(&answer).unwrap()).unwrap();
        change(&mut value);
        fs::write(&answer, value.to_string()).unwrap();
        let output = run(elsewhere, &["log", "verify-proof", shown]);
        assert_eq!(output.status.code(), Some(7), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        let found = text.lines().find(|line| line.starts_with("  ")).unwrap();
        let found = found.split(": {").next().unwrap().trim();
        // Evidence ids differ from run to run.
        let found = found.split("\"e").next().unwrap();
        format!("{name}: {found}\n")
    };
    let who = ["who-approved", MODEL, "2"];
    let diff = ["model", "diff", MODEL, "1", "2"];
    all.push_str(&check("an-approval-less", &who, &|value| value["approvals"] = value!([])));
    all.push_str(&check("an-approval-twice", &who, &|value| {
        let one = value["approvals"][0].clone();
        value["approvals"].as_array_mut().unwrap().push(one);
    }));
    all.push_str(&check("no-validation", &who, &|value| value["validation"] = Value::Null));
    all.push_str(&check("a-difference-less", &diff, &|value| {
        value["changes"].as_array_mut().unwrap().remove(0);
    }));
    all.push_str(&check("another-difference", &diff, &|value| value["changes"][0]["to"] = "none".into()));
    all
}

#[test]
fn a_fallback_needs_nobody_and_answers_can_be_proved_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, proof) = (folder.path().join("house"), folder.path().join("proof"));
    let dir = dir.as_path();
    fs::create_dir(dir).unwrap();
    with_candidate(dir, with("rollback: {review: {role: auditor, within_hours: 72}}"));
    let mut all = said(dir, &["model", "fallback", MODEL, "1", "--as", "ada"]);
    json(dir, &["model", "approve", MODEL, "1", "--as", "bruno"]);
    all.push_str(&said(dir, &["model", "fallback", MODEL, "1", "--as", "bruno"]));
    all.push_str(&said(dir, &["model", "fallback", MODEL, "1", "--as", "ada"]));
    json(dir, &["model", "train", MODEL, "--set", "l2=3.0", "--as", "ada"]);
    json(dir, &["model", "validate", MODEL, "2", "--as", "ada"]);
    json(dir, &["model", "approve", MODEL, "2", "--as", "nadia"]);
    json(dir, &["model", "deploy", MODEL, "2", "--as", "ada"]);
    all.push_str(&said(dir, &["model", "rollback", MODEL, "--reason", "odd scores", "--as", "bruno"]));
    all.push_str(&said(dir, &["model", "reviews"]));
    let shown = proof.to_str().unwrap();
    all.push_str(&said(dir, &["who-approved", MODEL, "2", "--proof", shown]));
    let vkey = dir.join("ledger/log.vkey").display().to_string();
    // Nothing of the house is needed to check it.
    let elsewhere = folder.path().join("elsewhere");
    all.push_str(&said(&elsewhere, &["log", "verify-proof", shown, "--vkey", &vkey]));
    all.push_str(&said(&elsewhere, &["log", "verify-proof", shown]));
    let answer = proof.join("answer.json");
    let entry = fs::read_dir(&proof).unwrap().map(|file| file.unwrap().path());
    let entry =
        entry.filter(|path| path.extension().is_some_and(|e| e == "json") && *path != answer).min().unwrap();
    let whole = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, whole.replacen("ada", "eve", 1).replacen("bruno", "eve", 1) + " ").unwrap();
    let numbered = |text: String| {
        let word = |word: &str| if word.parse::<u64>().is_ok() { "N".to_owned() } else { word.to_owned() };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    all.push_str(&numbered(said(&elsewhere, &["log", "verify-proof", shown, "--vkey", &vkey])));
    fs::remove_file(&entry).unwrap();
    let missing = numbered(said(&elsewhere, &["log", "verify-proof", shown]));
    all.push_str(&missing.replace(entry.file_name().unwrap().to_str().unwrap(), "N.json"));
    fs::write(&entry, whole).unwrap();
    // An entry that the answer names, and no proof of it.
    fs::rename(entry.with_extension("tlog-proof"), proof.join("aside")).unwrap();
    all.push_str(&numbered(said(&elsewhere, &["log", "verify-proof", shown])));
    all.push_str(&said(&elsewhere, &["log", "verify-proof", dir.to_str().unwrap()]));
    fs::rename(proof.join("aside"), entry.with_extension("tlog-proof")).unwrap();
    assert!(run(&elsewhere, &["log", "verify-proof", shown]).status.success());
    let whole = fs::read_to_string(&answer).unwrap();
    fs::write(&answer, whole.replace("\"nadia\"", "\"carla\"")).unwrap();
    all.push_str(&numbered(said(&elsewhere, &["log", "verify-proof", shown])));
    fs::write(&answer, &whole).unwrap();
    all.push_str(&left_out(dir, &elsewhere, folder.path()));
    let list = said(dir, &["model", "list"]);
    assert!(list.lines().any(|line| line.contains("  1  ") && line.ends_with(", the fallback")), "{list}");
    let diff = said(dir, &["model", "diff", MODEL, "1", "2"]);
    assert!(
        diff.contains("  l2: 1.0 -> 3.0") && diff.contains("approved by bruno: as business-owner -> -"),
        "{diff}"
    );
    let new = folder.path().join("new.yaml");
    let text = fs::read_to_string(dir.join("charter.yaml")).unwrap();
    fs::write(&new, text.replacen("{role: business-owner, count: 1,", "{role: business-owner, count: 2,", 1))
        .unwrap();
    all.push_str(&said(dir, &["charter", "rehearse", new.to_str().unwrap()]));
    all.push_str(&said(dir, &["charter", "rehearse", dir.join("charter.yaml").to_str().unwrap()]));
    insta::assert_snapshot!(all.replace(folder.path().to_str().unwrap(), "TMP"));
}

/// A gate that says what the file beside it says.
fn gate(dir: &Path) {
    let script = "#!/bin/sh\ngrep -q '\"contract\":1' \"$SM_CHANNEL_TRAINING/version.json\" || exit 3\n\
        test -s \"$SM_CHANNEL_TRAINING/model.onnx\" || exit 4\n. ./says\n";
    fs::write(dir.join("gate"), script).unwrap();
    fs::set_permissions(dir.join("gate"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn says(dir: &Path, verdict: &str) {
    let text = format!("printf '%s' '{verdict}' > \"$SM_OUTPUT_DATA_DIR/verdict.json\"\n");
    fs::write(dir.join("says"), text).unwrap();
}

const HOLDS: &str = r#"{"verdict": "holds", "figures": {"worst_case_auc": 0.74}}"#;

#[test]
fn a_gate_is_asked_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    gate(dir);
    says(dir, HOLDS);
    with_candidate(dir, with("gates: [{id: robustness, command: [./gate], time_limit_seconds: 2}]"));
    let mut all = String::new();
    let mut say = |words: &[&str]| all.push_str(&said(dir, words));
    let (validate, approve, deploy) = (
        ["model", "validate", MODEL, "1", "--as", "ada"],
        ["model", "approve", MODEL, "1", "--as", "bruno"],
        ["model", "deploy", MODEL, "1", "--as", "ada"],
    );
    says(dir, r#"{"verdict": "broken", "reason": "the worst case AUC is 0.61, below 0.70"}"#);
    say(&validate);
    say(&approve);
    says(dir, HOLDS);
    say(&validate);
    // It holds no more when somebody approves.
    fs::write(dir.join("says"), "exit 1\n").unwrap();
    say(&approve);
    says(dir, HOLDS);
    say(&approve);
    fs::write(dir.join("says"), "sleep 30\n").unwrap();
    say(&deploy);
    says(dir, "[]");
    say(&deploy);
    fs::remove_file(dir.join("gate")).unwrap();
    say(&deploy);
    gate(dir);
    says(dir, HOLDS);
    say(&deploy);
    insta::assert_snapshot!(all);
    let shown = json(dir, &["model", "show", MODEL, "1"]);
    let last = shown["gates"].as_array().unwrap().last().unwrap()[0].clone();
    assert_eq!(last["stage"], "deployment");
    assert_eq!(last["inputs"]["model.onnx"], shown["registration"]["artefact"]);
    // What went in and what came out is kept, byte for byte.
    for (object, digest) in [(0, &last["inputs"]["version.json"]), (1, &last["output"])] {
        let object = dir.join("objects").join(last["archived"][object].as_str().unwrap());
        assert_eq!(facts::Digest::of(&fs::read(object).unwrap()).to_string(), digest.as_str().unwrap());
    }
}
