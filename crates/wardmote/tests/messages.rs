//! Every error that a user can make has its words, and the words are agreed upon here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{example, founded, run, stable, wardmote};
use std::path::Path;

/// What is said, and the exit code.
fn said(dir: &Path, words: &[&str]) -> String {
    let output = run(dir, words);
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    format!("$ wardmote {}\n{}exit {}\n", words.join(" "), text, output.status.code().unwrap_or(-1))
}

#[test]
fn before_there_is_anything() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let mut all = String::new();
    for words in [
        &["verify"] as &[&str],
        &["plan"],
        &["apply", "--as", "carla"],
        &["history", "--model", "credit-scoring"],
        &["data", "list"],
        &["history", "--model", "Credit Scoring"],
        &["history", "--model", "credit-scoring", "--as-of", "yesterday"],
        &["model", "approve"],
        &["modle", "list"],
    ] {
        all.push_str(&said(&dir, words));
    }
    insta::assert_snapshot!(stable(&dir, &all));
}

#[test]
fn a_charter_with_a_typing_error() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    run(dir, &["init"]);
    let text = std::fs::read_to_string(dir.join("charter.yaml")).unwrap();
    std::fs::write(dir.join("charter.yaml"), text.replace("acceptance:", "aceptance:")).unwrap();
    insta::assert_snapshot!(stable(dir, &said(dir, &["plan"])));
}

#[test]
fn mistakes_in_a_house() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    let file = example().join("german-credit.csv");
    let file = file.to_str().unwrap();
    let wrong = dir.join("wrong.csv");
    let table = std::fs::read_to_string(file).unwrap();
    std::fs::write(&wrong, table.replace("credit_amount", "amount")).unwrap();
    let cell = dir.join("cell.csv");
    std::fs::write(&cell, table.replacen(",1169,", ",much,", 1)).unwrap();
    let ragged = dir.join("ragged.csv");
    std::fs::write(&ragged, "a,b\n1\n").unwrap();
    let mut all = String::new();
    for words in [
        &["init"] as &[&str],
        &["apply", "--as", "ada"],
        &["apply"],
        &["data", "import", "credit-raw", "no-such-file.csv", "--as", "diego"],
        &["data", "import", "credit-raw", wrong.to_str().unwrap(), "--as", "diego"],
        &["data", "import", "credit-raw", cell.to_str().unwrap(), "--as", "diego"],
        &["data", "import", "credit-raw", ragged.to_str().unwrap(), "--as", "diego"],
        &["data", "import", "credit-rav", file, "--as", "diego"],
        &["data", "import", "credit-training", file, "--as", "diego"],
        &["data", "import", "credit-raw", file, "--as", "ada"],
        &["data", "import", "credit-raw", file, "--as", "nobody"],
        &["data", "import", "credit-raw", file],
        &["data", "pseudonymise", "credit-training", "--as", "diego"],
        &["data", "import", "credit-raw", file, "--label", "first", "--as", "diego"],
        &["data", "import", "credit-raw", file, "--label", "first", "--as", "diego"],
        &["data", "read", "credit-raw/first", "--out", "/dev/full", "--as", "diego"],
        &["data", "read", "credit-raw/second", "--as", "diego"],
        &["data", "read", "s3://datasets/credit-raw/second/", "--as", "diego"],
        &["data", "read", "s3://datasets/credit-raw/", "--as", "diego"],
        &["data", "read", "s3://bank-lake/credit-raw/first/", "--as", "diego"],
        &["key", "disable", "credit-data", "--as", "diego"],
        &["key", "disable", "credit-data", "--as", "selma"],
        &["data", "read", "credit-raw/first", "--as", "diego"],
        &["key", "enable", "credit-data", "--as", "selma"],
        &["key", "rotate", "no-such-key", "--as", "selma"],
        &["model", "train", "credit-skoring", "--as", "ada"],
        &["model", "train", "credit-scoring", "--as", "ada"],
        &[
            "model",
            "train",
            "credit-scoring",
            "--snapshot",
            "s3://datasets/credit-training/x.csv",
            "--as",
            "ada",
        ],
        &["model", "validate", "credit-scoring", "1", "--as", "ada"],
        &["model", "deploy", "credit-scoring", "7", "--as", "ada"],
        &["model", "rollback", "credit-scoring", "--reason", "no reason", "--as", "ada"],
        &["monitor", "credit-scoring", "--as", "ada"],
        &["labels", "import", "credit-scoring", ragged.to_str().unwrap(), "--as", "ada"],
        &["history", "--model", "credit-skoring"],
    ] {
        all.push_str(&said(dir, words));
    }
    insta::assert_snapshot!(stable(dir, &all));
}

#[test]
fn a_port_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = said(dir, &["serve", "--listen", &address]);
    insta::assert_snapshot!(text.replace(&address, "ADDRESS"));
}

#[test]
fn an_access_key_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    let mut all = String::new();
    for key in ["secret", &format!("wmk_ada_{}", "A".repeat(43))] {
        let output = wardmote(dir)
            .args(["model", "train", "credit-scoring"])
            .env("WARDMOTE_ACCESS_KEY", key)
            .output()
            .unwrap();
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains(key));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_help_of_every_command() {
    let mut all = String::new();
    for words in [
        &[] as &[&str],
        &["demo"],
        &["init"],
        &["plan"],
        &["apply"],
        &["schema"],
        &["data"],
        &["data", "import"],
        &["data", "read"],
        &["key"],
        &["credential"],
        &["model"],
        &["model", "train"],
        &["model", "approve"],
        &["serve"],
        &["labels", "import"],
        &["monitor"],
        &["card"],
        &["history"],
        &["log"],
        &["verify"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wardmote"))
            .args(words)
            .arg("--help")
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        all.push_str(&format!(
            "=== wardmote {}\n{}\n",
            words.join(" "),
            String::from_utf8_lossy(&output.stdout)
        ));
    }
    insta::assert_snapshot!(all);
}
