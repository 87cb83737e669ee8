//! A ledger whose own file may not grow: what is said, that nothing acknowledged is lost, and that it goes on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{json, stable, trainer, wardmote};
use std::path::Path;
use std::process::{Command, Output};

/// Runs a command that may write files of at most `kib` KiB; beyond that a write fails, as on a full disk.
fn limited(dir: &Path, kib: u32, words: &[&str]) -> Output {
    let plain = wardmote(dir);
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\""), "bash"]);
    shell.arg(plain.get_program()).args(plain.get_args()).args(words);
    for (name, value) in plain.get_envs() {
        assert!(value.is_none());
        shell.env_remove(name);
    }
    shell.output().unwrap()
}

#[test]
fn a_commit_that_finds_no_room_is_refused_and_the_ledger_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    json(dir, &["init", "--trainer", trainer().to_str().unwrap()]);
    // Room for SQLite's index (32 KiB) and the first commits, not for a dozen access keys at once.
    let output = limited(dir, 33, &["apply", "--as", "carla"]);
    let said = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(stable(dir, &format!("{said}exit {}\n", output.status.code().unwrap_or(-1))));
    let before = json(dir, &["verify"]);
    assert!(before["findings"].as_array().unwrap().is_empty(), "{before}");
    assert_eq!(before["entries"], 2, "what was acknowledged before is there");
    json(dir, &["apply", "--as", "carla"]);
    let after = json(dir, &["verify"]);
    assert!(after["findings"].as_array().unwrap().is_empty() && after["sealed"] == true, "{after}");
    assert_eq!(after["entries"], 14, "there is room again, and it goes on");
}
