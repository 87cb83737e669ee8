//! What the tests stand on: the emulator, a proxy that breaks things, and settings that lead to them.

pub(crate) mod account;
pub(crate) mod kubernetes;
pub(crate) mod proxy;
mod venv;

use aws::{Client, Settings, Sources};
use proxy::Proxy;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// What must never be seen outside of a signature.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKENEXAMPLETOKEN";
pub(crate) const REGION: &str = "eu-central-1";

/// The emulator, one for this process. It ends when its standard input does, which is when this process ends.
pub(crate) struct Emulator {
    pub(crate) address: SocketAddr,
    _process: Child,
}

impl Emulator {
    pub(crate) fn get() -> &'static Self {
        static ONE: OnceLock<Emulator> = OnceLock::new();
        ONE.get_or_init(|| {
            let mut process = Command::new(python())
                .arg(folder().join("serve.py"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("the emulator starts");
            let mut line = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let port: u16 = line.trim().parse().expect("the emulator tells its port");
            Self { address: ([127, 0, 0, 1], port).into(), _process: process }
        })
    }

    /// Makes a bucket.
    pub(crate) fn bucket(&self, name: &str) {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20250101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nhost: {}\r\nauthorization: {authorization}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{place}",
            self.address,
            place.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Python with the emulator.
pub(crate) fn python() -> PathBuf {
    venv::of("emulator", &folder().join("requirements.txt")).join("bin/python")
}

/// What `outlets.py` prints.
pub(crate) fn outlets(what: &str, address: SocketAddr, name: &str) -> String {
    script("outlets.py", what, address, name)
}

/// What one of the scripts beside this prints.
pub(crate) fn script(file: &str, what: &str, address: SocketAddr, name: &str) -> String {
    let url = format!("http://{address}");
    let output = Command::new(python()).arg(folder().join(file)).args([what, &url, name]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Found from the tests of every room.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/tests/emulator")
}

/// The environment of somebody whose endpoint is at `address`.
pub(crate) fn variables(address: SocketAddr) -> BTreeMap<String, String> {
    let mut all = bare(address);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all
}

/// The same without credentials.
pub(crate) fn bare(address: SocketAddr) -> BTreeMap<String, String> {
    [
        ("AWS_ENDPOINT_URL", format!("http://{address}").as_str()),
        ("AWS_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Settings of tests: short pauses, short waits.
pub(crate) fn settings(variables: BTreeMap<String, String>) -> Settings {
    quick(Settings::load(Sources::only(variables, None), None).unwrap())
}

pub(crate) fn quick(settings: Settings) -> Settings {
    settings.with_timeout(Duration::from_secs(30)).with_pause(Duration::from_millis(1))
}

pub(crate) fn client(address: SocketAddr) -> Client {
    Client::new(settings(variables(address))).unwrap()
}

/// A proxy before the emulator, and a client that goes through it.
pub(crate) fn proxied() -> (Proxy, Client) {
    let proxy = Proxy::before(Some(Emulator::get().address));
    let client = client(proxy.address);
    (proxy, client)
}
