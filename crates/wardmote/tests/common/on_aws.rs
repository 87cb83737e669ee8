//! Running the binary as somebody whose endpoints are the emulator's.

use crate::common::wardmote;
use crate::support::{Emulator, variables};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program as somebody whose endpoints are at `address`, and who has no shared files.
pub(crate) fn on_aws(dir: &Path, address: SocketAddr) -> Command {
    let mut command = wardmote(dir);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(variables(address)).env("HOME", dir.parent().unwrap());
    command
}

pub(crate) fn run(dir: &Path, address: SocketAddr, words: &[&str]) -> Output {
    on_aws(dir, address).args(words).output().unwrap()
}

pub(crate) fn json(dir: &Path, address: SocketAddr, words: &[&str]) -> Value {
    let output = on_aws(dir, address).arg("--json").args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

pub(crate) fn said(dir: &Path, address: SocketAddr, words: &[&str]) -> String {
    let output = run(dir, address, words);
    let text = text(&output).replace(&address.to_string(), "ENDPOINT");
    let text = text.replace(dir.parent().unwrap().to_str().unwrap(), "PARENT");
    format!("$ wardmote {}\n{}exit {}\n\n", words.join(" "), text, output.status.code().unwrap_or(-1))
}

/// The actions that a policy allows.
pub(crate) fn actions(policy: &Value) -> std::collections::BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let of = |statement: &Value| statement["Action"].as_array().unwrap().clone();
    statements.flat_map(of).map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// A house founded by `init` and `apply`, and the files beside it.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl House {
    pub(crate) fn founded() -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap(), address: Emulator::get().address };
        for words in [&["init"][..], &["apply", "--as", "carla"]] {
            let output = house.run(words);
            assert!(output.status.success(), "{}", text(&output));
        }
        house
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("house")
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        run(&self.dir(), self.address, words)
    }

    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let output = on_aws(&self.dir(), self.address).arg("--json").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// All that a command wrote: what it remarked, then what it answered.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}
