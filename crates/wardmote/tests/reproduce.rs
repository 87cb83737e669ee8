//! A version trained again: the same bytes, from the commit that is on record; and what is said when it is not the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{example, json, run, stable, trainer};
use std::fs;
use std::path::Path;
use std::process::Command;

fn git(dir: &Path, words: &[&str]) {
    let who = ["-c", "user.name=ada", "-c", "user.email=ada@bank.example"];
    let output = Command::new("git").current_dir(dir).args(who).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The training code: the example's program, with another strength of regularisation.
fn write(dir: &Path, strength: &str) {
    let program = trainer();
    let code = format!(
        "SM_HPS=$(printf %s \"$SM_HPS\" | sed 's/\"l2\":\"[^\"]*\"/\"l2\":\"'\"{strength}\"'\"/')\nexport SM_HPS\nexec {}\n",
        program.display()
    );
    fs::write(dir.join("train.sh"), code).unwrap();
}

fn commit(dir: &Path) {
    git(dir, &["add", "train.sh"]);
    git(dir, &["commit", "-qm", "training"]);
}

/// A house whose training code is in Git.
fn founded(dir: &Path) {
    let program = trainer();
    json(dir, &["init", "--trainer", program.to_str().unwrap()]);
    let path = dir.join("charter.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let command = text.lines().find(|line| line.contains("command: [")).unwrap();
    fs::write(&path, text.replace(command, "      command: [sh, train.sh]")).unwrap();
    git(dir, &["init", "-q"]);
    json(dir, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv");
    json(dir, &["data", "import", "credit-raw", file.to_str().unwrap(), "--label", "first", "--as", "diego"]);
    json(dir, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
}

fn trained(dir: &Path) {
    let answer = json(dir, &["model", "train", "credit-scoring", "--as", "ada"]);
    let version = answer["version"].to_string();
    json(dir, &["model", "validate", "credit-scoring", &version, "--as", "ada"]);
}

/// What is said, with the exit code; commits and digests differ from run to run.
fn said(dir: &Path, words: &[&str]) -> String {
    let output = run(dir, &[&["model", "reproduce"], words].concat());
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let masked = |word: &str| {
        let hex = word.strip_prefix("sha256:").unwrap_or(word);
        let long = hex.len() >= 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if long { "HASH".to_owned() } else { word.to_owned() }
    };
    let lines = text.lines().map(|line| line.split(' ').map(masked).collect::<Vec<_>>().join(" ") + "\n");
    let text = stable(dir, &lines.collect::<String>());
    format!(
        "$ wardmote model reproduce {}\n{text}exit {}\n",
        words.join(" "),
        output.status.code().unwrap_or(-1)
    )
}

#[test]
fn a_version_is_trained_again_from_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    write(dir, "1.0");
    commit(dir);
    trained(dir);
    let mut all = String::from("the code is as it was\n");
    all.push_str(&said(dir, &["credit-scoring", "1", "--as", "omar"]));
    write(dir, "800.0");
    commit(dir);
    all.push_str("\nthere are later commits\n");
    all.push_str(&said(dir, &["credit-scoring", "1", "--as", "omar"]));
    assert!(
        fs::read_to_string(dir.join("train.sh")).unwrap().contains("800.0"),
        "the folder is left as it is"
    );
    // The strength comes from a file that nobody recorded.
    fs::write(folder.path().join("strength"), "1.0").unwrap();
    write(dir, &format!("$(cat {})", folder.path().join("strength").display()));
    commit(dir);
    trained(dir);
    fs::write(folder.path().join("strength"), "800.0").unwrap();
    all.push_str("\nwhat it rests on is not all on record\n");
    all.push_str(&said(dir, &["credit-scoring", "2", "--tolerance", "0.001", "--as", "ada"]));
    all.push_str(&said(dir, &["credit-scoring", "2", "--tolerance", "0.5", "--as", "ada"]));
    fs::write(folder.path().join("strength"), "1.0").unwrap();
    write(dir, "30.0");
    trained(dir);
    write(dir, "800.0");
    all.push_str("\nthe code was in no commit\n");
    all.push_str(&said(dir, &["credit-scoring", "3", "--as", "ada"]));
    fs::write(dir.join("train.sh"), "echo no rows >&2; exit 3\n").unwrap();
    all.push_str("\nthe program fails\n");
    all.push_str(&said(dir, &["credit-scoring", "3", "--as", "ada"]));
    insta::assert_snapshot!(all);
    let log = json(dir, &["log"]);
    let facts = log.as_array().unwrap().iter().filter(|entry| entry["body"]["fact"] == "reproduced");
    assert_eq!(facts.count(), 6, "each is on record, whatever came of it");
}

#[test]
fn mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    write(dir, "1.0");
    commit(dir);
    trained(dir);
    let mut all = said(dir, &["credit-scoring", "1", "--as", "bruno"]);
    all.push_str(&said(dir, &["credit-scoring", "7", "--as", "omar"]));
    all.push_str(&said(dir, &["credit-scoring", "1", "--tolerance", "much", "--as", "omar"]));
    insta::assert_snapshot!(all);
}
