//! TLS: what curl and MLflow's own client see, which files are refused, and that nothing is broken off at the end.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/certificate.rs"]
mod certificate;
mod common;
#[path = "common/served.rs"]
mod served;

use certificate::certificate;
use common::{founded, run, stable, wardmote};
use serde_json::{Value, json};
use served::{Server, key};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

struct House {
    folder: tempfile::TempDir,
    cert: String,
    key: String,
}

impl House {
    fn founded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        founded(folder.path());
        let (cert, key) = certificate(folder.path(), "server");
        Self { folder, cert, key }
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn serve(&self) -> Server {
        Server::of(wardmote(self.dir()), &["--tls-cert", &self.cert, "--tls-key", &self.key])
    }

    /// curl that trusts the certificate, with ada's key.
    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert", &self.cert]);
        curl.args(["--oauth2-bearer", &key(self.dir(), "ada")]);
        curl
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn curl_speaks_tls_1_2_and_1_3_and_nothing_older() {
    let house = House::founded();
    let server = house.serve();
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let get = format!("{}/api/2.0/mlflow/experiments/get?experiment_id=0", server.url);
    for version in ["--tlsv1.3", "--tlsv1.2", "--tls-max"] {
        let mut curl = house.curl();
        curl.arg(version);
        if version == "--tls-max" {
            curl.arg("1.2");
        }
        let output = curl.arg(&get).output().unwrap();
        let answer: Value =
            serde_json::from_str(&text(&output)).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(answer["experiment"]["name"], "Default");
    }
    let old = house
        .curl()
        .args(["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", &get])
        .output();
    assert!(!old.unwrap().status.success(), "TLS 1.1 was spoken");
    let stranger = Command::new("curl").args(["--silent", "--noproxy", "*", &get]).output().unwrap();
    assert_eq!(stranger.status.code(), Some(60), "nobody trusts the certificate without being told");
    // Who does not speak TLS gets no answer in the clear, and whoever comes next is served.
    let mut plain = TcpStream::connect(server.address()).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer));
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
    assert!(house.curl().arg(&get).output().unwrap().status.success());
}

#[test]
fn what_has_begun_is_finished_when_the_server_stops() {
    let house = House::founded();
    let mut server = house.serve();
    let create = format!("{}/api/2.0/mlflow/runs/create", server.url);
    let run = house.curl().args(["--data", r#"{"experiment_id":"0"}"#, &create]).output().unwrap();
    let run: Value = serde_json::from_str(&text(&run)).unwrap();
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let file = house.dir().join("artefact.bin");
    fs::write(&file, vec![7u8; 600_000]).unwrap();
    let put = format!("{}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/a.bin", server.url);
    // Somebody connected and says nothing; somebody else is in the middle of something.
    let silent = TcpStream::connect(server.address()).unwrap();
    let upload = house
        .curl()
        .args([
            "--limit-rate",
            "300k",
            "--write-out",
            "%{http_code}",
            "--upload-file",
            file.to_str().unwrap(),
            &put,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let started = Instant::now();
    server.stop();
    let upload = upload.wait_with_output().unwrap();
    assert_eq!(text(&upload), "200", "{upload:?}");
    assert!(server.stopped());
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    drop(silent);
    assert!(TcpStream::connect(server.address()).is_err());
    // It was kept.
    let again = house.serve();
    let get = put.replace(&server.url, &again.url);
    assert_eq!(house.curl().arg(&get).output().unwrap().stdout.len(), 600_000);
}

#[test]
fn a_new_certificate_is_taken_while_the_server_runs() {
    let house = House::founded();
    let server = house.serve();
    let health = format!("{}/health", server.url);
    let old = house.dir().join("old.pem");
    fs::copy(&house.cert, &old).unwrap();
    // First what cannot be used: the earlier one stays.
    fs::write(&house.cert, "nothing").unwrap();
    std::thread::sleep(Duration::from_secs(11));
    let trusting = |file: &Path| {
        let words = ["--silent", "--noproxy", "*", "--cacert", file.to_str().unwrap(), &health];
        text(&Command::new("curl").args(words).output().unwrap())
    };
    assert_eq!(trusting(&old), "OK");
    let (cert, _) = certificate(house.dir(), "server");
    let until = Instant::now() + Duration::from_secs(30);
    while trusting(Path::new(&cert)) != "OK" {
        assert!(Instant::now() < until, "the new certificate is not in use");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn files_and_addresses_that_are_refused() {
    let house = House::founded();
    let dir = house.dir();
    let (cert, key) = (house.cert.as_str(), house.key.as_str());
    let (_, other) = certificate(dir, "other");
    let file = |name: &str, mode: u32, content: &[u8]| -> String {
        let path: PathBuf = dir.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let secret = fs::read(key).unwrap();
    let (open, group) = (file("open.key", 0o644, &secret), file("group.key", 0o640, &secret));
    let (empty, nonsense) = (file("empty.pem", 0o600, b""), file("nonsense.pem", 0o600, &[0xff; 64]));
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = file("broken.pem", 0o600, broken);
    let mut all = String::new();
    for words in [
        &["--tls-cert", cert] as &[&str],
        &["--tls-cert", "DIR-nowhere.pem", "--tls-key", key],
        &["--tls-cert", cert, "--tls-key", "DIR-nowhere.key"],
        &["--tls-cert", cert, "--tls-key", &open],
        &["--tls-cert", cert, "--tls-key", &group],
        &["--tls-cert", cert, "--tls-key", &other],
        &["--tls-cert", cert, "--tls-key", &empty],
        &["--tls-cert", cert, "--tls-key", cert],
        &["--tls-cert", &empty, "--tls-key", key],
        &["--tls-cert", &nonsense, "--tls-key", key],
        &["--tls-cert", &broken, "--tls-key", key],
        &["--tls-cert", key, "--tls-key", cert],
        &["--listen", "0.0.0.0:0"],
        &["--listen", "[::]:0"],
        &["--listen", "0.0.0.0:0", "--without-tls", "--tls-cert", cert, "--tls-key", key],
    ] {
        let mut line = vec!["serve"];
        if !words.contains(&"--listen") {
            line.extend(["--listen", "127.0.0.1:0"]);
        }
        line.extend(words);
        let output = run(dir, &line);
        all.push_str(&format!("$ wardmote {}\n", line.join(" ")));
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        all.push_str(&format!("exit {}\n\n", output.status.code().unwrap()));
    }
    insta::assert_snapshot!(stable(dir, &all));
    // Asked for, it listens in the clear; and to this machine itself always.
    for words in [&["--listen", "0.0.0.0:0", "--without-tls"] as &[&str], &["--listen", "[::1]:0"]] {
        let mut command = wardmote(dir);
        command.args(["--json", "serve", "--until-stdin-closes"]).args(words);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            said["listening"].as_str().unwrap().starts_with("http://")
                && said["doors"] == json!(["access keys"])
        );
    }
}
