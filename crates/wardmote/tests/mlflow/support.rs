//! The clients in their environment, and a house that serves.

#[path = "../../../aws/tests/emulator/support/venv.rs"]
mod venv;

use crate::common::{run, wardmote};
use serde_json::{Map, Value};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The scripts and what was recorded of them.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mlflow")
}

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Two,
    Three,
}

impl Client {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Two => "2.22",
            Self::Three => "3",
        }
    }
}

/// As whom, and how that is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Login<'a> {
    Nobody,
    /// The access key of this person as a bearer token.
    Token(&'a str),
    /// This text as a bearer token.
    Bearer(&'a str),
    /// The name of this person and the access key as password.
    Password(&'a str),
    /// A key that nobody has.
    WrongKey,
}

/// A house with a charter in force, and its server.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    process: Child,
    pub(crate) url: String,
    certificate: Option<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with_charter(|charter| charter)
    }

    /// With a charter that was changed before it came into force.
    pub(crate) fn with_charter(change: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        founded_with(folder.path(), change);
        Self::of(folder, &[], None)
    }

    /// Over a house that is there, with more words, for clients that trust only this certificate.
    pub(crate) fn of(folder: tempfile::TempDir, words: &[&str], certificate: Option<&str>) -> Self {
        let mut process = wardmote(folder.path())
            .args(["--json", "serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let url = answer["listening"].as_str().unwrap().to_owned();
        Self { folder, process, url, certificate: certificate.map(str::to_owned) }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// What a script prints, run by somebody.
    pub(crate) fn script(&self, client: Client, login: Login<'_>, file: &str, words: &[&str]) -> String {
        let output =
            self.command(client, login).arg(folder().join(file)).arg(&self.url).args(words).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{file}` failed: {text}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Python with a client, as somebody.
    fn command(&self, client: Client, login: Login<'_>) -> Command {
        let home = self.dir().join("home");
        fs::create_dir_all(&home).unwrap();
        let environment = environment();
        let mut command = Command::new(environment.join("bin/python"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MLFLOW_"))
        {
            command.env_remove(name);
        }
        // Somebody's work folder and home, so that nothing is read from or left in those of the tests.
        command
            .current_dir(&home)
            .env("HOME", &home)
            .env("TMPDIR", &home)
            // Compiled once: what a client loads takes seconds otherwise, each time.
            .env("PYTHONPYCACHEPREFIX", environment.join("compiled"))
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .env_remove("PYTHONPATH");
        command.env("MLFLOW_DISABLE_TELEMETRY", "true").env("DO_NOT_TRACK", "true");
        // A failure is to be seen at once.
        command.env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1");
        if client == Client::Three {
            command.env("PYTHONPATH", environment.join("three"));
        }
        if let Some(certificate) = &self.certificate {
            command.env("REQUESTS_CA_BUNDLE", certificate);
        }
        match login {
            Login::Nobody => {}
            Login::Token(who) => {
                command.env("MLFLOW_TRACKING_TOKEN", self.access_key(who));
            }
            Login::Bearer(token) => {
                command.env("MLFLOW_TRACKING_TOKEN", token);
            }
            Login::Password(who) => {
                command
                    .env("MLFLOW_TRACKING_USERNAME", who)
                    .env("MLFLOW_TRACKING_PASSWORD", self.access_key(who));
            }
            Login::WrongKey => {
                let mut key = self.access_key("ada");
                let last = key.pop();
                key.push(if last == Some('0') { '1' } else { '0' });
                command.env("MLFLOW_TRACKING_TOKEN", key);
            }
        }
        command
    }

    /// The access key of a person or service.
    pub(crate) fn access_key(&self, who: &str) -> String {
        let file = fs::read(self.dir().join("credentials.json")).unwrap();
        let keys: Map<String, Value> = serde_json::from_slice(&file).unwrap();
        keys[who].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

fn founded_with(dir: &Path, change: impl Fn(String) -> String) {
    let trainer = crate::common::trainer();
    let words = ["init", "--trainer", trainer.to_str().unwrap()];
    assert!(run(dir, &words).status.success());
    let charter = dir.join("charter.yaml");
    let text = fs::read_to_string(&charter).unwrap();
    fs::write(&charter, change(text)).unwrap();
    assert!(run(dir, &["apply", "--as", "carla"]).status.success());
}

/// Python with the clients.
fn environment() -> PathBuf {
    let [wanted, three] = ["requirements.txt", "three.txt"].map(|name| folder().join(name));
    venv::made("mlflow", &[&wanted, &three], |place| {
        let over = place.join("three").display().to_string();
        let [wanted, three] = [&wanted, &three].map(|list| list.display().to_string());
        // Every package is named with its version, so nothing has to be worked out.
        [vec!["-r".to_owned(), wanted], vec!["--target".to_owned(), over, "-r".to_owned(), three]]
            .map(|more| ["--no-compile", "--no-deps"].map(str::to_owned).into_iter().chain(more).collect())
            .to_vec()
    })
}
