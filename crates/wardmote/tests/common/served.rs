//! A house that serves, and requests without a client of anybody.

use super::common::wardmote;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A server; it stops when dropped.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    /// `http://127.0.0.1:12345`.
    pub(crate) url: String,
    /// What it said when it began.
    pub(crate) said: Value,
}

impl Server {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::of(wardmote(dir), &[])
    }

    /// With a command of one's own, and more words.
    pub(crate) fn of(mut command: Command, words: &[&str]) -> Self {
        let mut child = command
            .args(["--json", "serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let url = said["listening"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { stdin: child.stdin.take(), child, url, said }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("//").unwrap().1
    }

    /// Asks it to stop, and does not wait.
    pub(crate) fn stop(&mut self) {
        drop(self.stdin.take());
    }

    /// Waits until it has stopped.
    pub(crate) fn stopped(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// One request on a connection of its own: status, head and body.
    pub(crate) fn ask(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        let body = answer.get(end + 4..).unwrap_or_default().to_vec();
        (status, head, body)
    }

    /// One of MLflow's calls, with a bearer token.
    pub(crate) fn call(&self, token: &str, method: &str, path: &str, input: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/2.0/mlflow{path}") };
        let (status, _, body) =
            self.ask((method, &path), &[("authorization", &bearer)], input.to_string().as_bytes());
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        drop(self.child.wait());
    }
}

/// The access key of somebody.
pub(crate) fn key(dir: &Path, holder: &str) -> String {
    let all: Value = serde_json::from_slice(&std::fs::read(dir.join("credentials.json")).unwrap()).unwrap();
    all[holder].as_str().unwrap().to_owned()
}
