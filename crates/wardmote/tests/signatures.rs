//! A version leaves the house with signature and proof, and whoever gets it checks it alone: with us, and with the OpenSSF tool.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;
#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use common::{example, json, stable, trainer};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A house whose first version is approved, and what `model export` wrote of it in `out`.
fn exported(dir: &Path) {
    let trainer = trainer();
    json(dir, &["init", "--trainer", trainer.to_str().unwrap()]);
    json(dir, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv");
    json(dir, &["data", "import", "credit-raw", file.to_str().unwrap(), "--label", "first", "--as", "diego"]);
    json(dir, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
    json(dir, &["model", "train", "credit-scoring", "--as", "ada"]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
    json(dir, &["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    let out = dir.join("out");
    json(dir, &["model", "export", "credit-scoring", "1", "--out", out.to_str().unwrap(), "--as", "priya"]);
}

const CHECK: [&str; 7] =
    ["model", "verify", "out/artefact", "--signature", "out/model.sig", "--public-key", "out/key.pub"];

/// What is said by somebody who stands in the house's folder; each call with its exit code.
fn said(dir: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wardmote")).current_dir(dir).args(words).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = stable(dir, &format!("$ wardmote {}\n{text}", words.join(" ")));
    let line = |line: &str| match line.split_once("recorded at ") {
        Some((before, after)) => format!("{before}recorded at TIME{}", after.split_once('Z').unwrap().1),
        None => line.to_owned(),
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    format!("{}\nexit {}\n", lines.join("\n"), output.status.code().unwrap_or(-1))
}

#[test]
fn who_gets_a_version_checks_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    exported(dir);
    let key = dir.join("ledger/log.vkey");
    assert_eq!(fs::read(&key).unwrap(), fs::read(dir.join("out/log.vkey")).unwrap());
    let mut all = said(dir, &CHECK);
    let with_log = [&CHECK[..], &["--log-key", "ledger/log.vkey"]].concat();
    all.push_str(&said(dir, &with_log));
    fs::write(dir.join("out/artefact/.gitignore"), "").unwrap();
    all.push_str(&said(dir, &CHECK));
    all.push_str(&said(dir, &[&CHECK[..], &["--ignore", ".gitignore"]].concat()));
    let model = dir.join("out/artefact/model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    bytes[100] ^= 1;
    fs::write(&model, bytes).unwrap();
    all.push_str(&said(dir, &CHECK));
    insta::assert_snapshot!(all);
}

#[test]
fn the_tool_of_openssf_accepts_what_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    exported(dir);
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/tests/peer/requirements.txt");
    let tool = venv::of("model-signing", &list).join("bin/model_signing");
    let verified = || {
        let words =
            ["verify", "key", "out/artefact", "--signature", "out/model.sig", "--public_key", "out/key.pub"];
        Command::new(&tool).current_dir(dir).args(words).output().unwrap()
    };
    let output = verified();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(dir.join("out/artefact/more"), "").unwrap();
    assert!(!verified().status.success(), "a file more is refused");
}

#[test]
fn mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    exported(dir);
    let mut all = String::new();
    let with = |place: usize, word: &'static str| {
        let mut words = CHECK;
        words[place] = word;
        said(dir, &words)
    };
    all.push_str(&with(2, "nowhere"));
    all.push_str(&with(4, "nowhere.sig"));
    all.push_str(&with(4, "out/key.pub"));
    all.push_str(&with(6, "out/log.vkey"));
    all.push_str(&with(2, "out"));
    all.push_str(&said(dir, &[&CHECK[..], &["--log-key", "out/key.pub"]].concat()));
    let other = dir.join("other.pub");
    fs::write(&other, "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==\n-----END PUBLIC KEY-----\n").unwrap();
    all.push_str(&with(6, "other.pub"));
    std::os::unix::fs::symlink("/etc/hostname", dir.join("out/artefact/link")).unwrap();
    all.push_str(&said(dir, &CHECK));
    insta::assert_snapshot!(all);
}
