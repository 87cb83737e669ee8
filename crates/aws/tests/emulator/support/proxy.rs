//! A small HTTP/1.1 proxy that does to the next requests what a list says: passes them, refuses them, breaks off.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It goes to the service, and the answer comes back.
    Pass,
    /// This answer (status, headers with line ends, body), and the service sees nothing.
    Answer(u16, String, String),
    /// The connection breaks before the service sees it.
    Reset,
    /// The service does it, and the answer is lost.
    Lost,
    /// The service does it, and half of the body of the answer comes back.
    Half,
    /// The service does it, and the answer comes slowly, in small parts.
    Slow,
    /// Nothing happens for a second.
    Silence,
    /// The service does it, half of the body of the answer comes back, and then nothing for a second.
    Stall,
}

/// Answers of the service by their questions, for proxies that share them.
pub(crate) type Memory = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A proxy and what it has seen.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// What happens to the next requests; after the last, all pass.
    fates: Mutex<VecDeque<Fate>>,
    /// What happens to every other request that holds none of these words, once the list is empty.
    every_other: Mutex<Option<(Fate, &'static [&'static str])>>,
    turn: AtomicBool,
    /// What happens to every request that holds a word, before all else.
    always: Mutex<Vec<(String, Fate)>>,
    /// What happens to one request that holds a word, after so many others that do; before all else.
    nth: Mutex<Option<(String, usize, Fate)>>,
    /// What happens to every request of an operation, as [`operation`] names it.
    of_operation: Mutex<HashMap<String, Fate>>,
    /// What happens to every question when it comes for the first time.
    at_first: Mutex<Option<(Fate, HashSet<String>)>>,
    /// Where answers are kept, if they are.
    memory: Option<Memory>,
    /// The heads and bodies of requests.
    seen: Mutex<Vec<Vec<u8>>>,
}

impl Proxy {
    /// A proxy before `service`; without one, requests that should pass are answered with 404.
    pub(crate) fn before(service: Option<SocketAddr>) -> Self {
        Self::with(service, Shared::default())
    }

    /// A proxy that asks the service each question once.
    pub(crate) fn remembering(service: SocketAddr, memory: &Memory) -> Self {
        Self::with(Some(service), Shared { memory: Some(Arc::clone(memory)), ..Shared::default() })
    }

    fn with(service: Option<SocketAddr>, shared: Shared) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(shared);
        let given = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&given);
                std::thread::spawn(move || serve(stream, service, &shared));
            }
        });
        Self { address, shared }
    }

    /// Sets what happens to every request that holds a word.
    pub(crate) fn always(&self, word: &str, fate: Fate) {
        self.shared.always.lock().unwrap().push((word.to_owned(), fate));
    }

    /// Sets what happens to the request of this number, from now on and from 1, that holds a word.
    pub(crate) fn nth_of(&self, word: &str, number: usize, fate: Fate) {
        *self.shared.nth.lock().unwrap() = Some((word.to_owned(), number, fate));
    }

    /// Everything passes again.
    pub(crate) fn calm(&self) {
        self.shared.always.lock().unwrap().clear();
        self.shared.of_operation.lock().unwrap().clear();
        self.shared.fates.lock().unwrap().clear();
        *self.shared.every_other.lock().unwrap() = None;
        *self.shared.at_first.lock().unwrap() = None;
    }

    /// Sets what happens to every request of an operation, as [`operation`] names it.
    pub(crate) fn always_of(&self, operation: &str, fate: Fate) {
        self.shared.of_operation.lock().unwrap().insert(operation.to_owned(), fate);
    }

    /// Every question fails when it comes for the first time.
    pub(crate) fn fail_first(&self, fate: Fate) {
        *self.shared.at_first.lock().unwrap() = Some((fate, HashSet::new()));
    }

    /// Sets what happens to the next requests.
    pub(crate) fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.shared.fates.lock().unwrap() = fates.into_iter().collect();
    }

    /// Every call fails once, but those with one of `spared` in them.
    pub(crate) fn fail_each_once(&self, fate: Fate, spared: &'static [&'static str]) {
        *self.shared.every_other.lock().unwrap() = Some((fate, spared));
    }

    /// What came since the last question: head and body of each request.
    pub(crate) fn seen(&self) -> Vec<String> {
        let seen = self.seen_bytes();
        seen.iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect()
    }

    /// The same, byte by byte.
    pub(crate) fn seen_bytes(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

/// An error of a JSON service.
pub(crate) fn json_error(status: u16, code: &str) -> Fate {
    let body = format!(r#"{{"__type":"com.amazonaws.kms#{code}","message":"because"}}"#);
    Fate::Answer(status, "x-amzn-requestid: 11111111-2222\r\n".into(), body)
}

/// An error of S3.
pub(crate) fn xml_error(status: u16, code: &str) -> Fate {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>because</Message></Error>");
    Fate::Answer(status, "x-amz-request-id: 4442587FB7D0A2F9\r\n".into(), body)
}

impl Shared {
    fn nth_to(&self, text: &str) -> Option<Fate> {
        let mut nth = self.nth.lock().unwrap();
        let (word, number, _) = nth.as_mut()?;
        if !text.contains(word.as_str()) {
            return None;
        }
        *number -= 1;
        if *number > 0 { None } else { nth.take().map(|(_, _, fate)| fate) }
    }

    fn always_to(&self, request: &str) -> Option<Fate> {
        let always = self.always.lock().unwrap();
        always.iter().find(|(word, _)| request.contains(word.as_str())).map(|(_, fate)| fate.clone())
    }

    fn by_operation(&self, request: &str) -> Option<Fate> {
        let all = self.of_operation.lock().unwrap();
        if all.is_empty() { None } else { all.get(&operation(request)).cloned() }
    }

    fn for_the_first_time(&self, request: &str) -> Option<Fate> {
        let mut at_first = self.at_first.lock().unwrap();
        let (fate, known) = at_first.as_mut()?;
        known.insert(question(request)).then(|| fate.clone())
    }

    fn by_turns(&self, request: &str) -> Fate {
        match &*self.every_other.lock().unwrap() {
            Some((fate, spared)) if !spared.iter().any(|word| request.contains(word)) => {
                if self.turn.fetch_xor(true, Ordering::SeqCst) { Fate::Pass } else { fate.clone() }
            }
            _ => Fate::Pass,
        }
    }
}

/// What is asked, without when and by whom.
fn question(request: &str) -> String {
    let target = request.lines().find(|line| line.starts_with("x-amz-target: ")).unwrap_or_default();
    let line = request.lines().next().unwrap_or_default();
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    format!("{} {line} {target} {body}", signed_as(request))
}

/// The service that a request is signed for.
fn signed_as(request: &str) -> &str {
    let scope =
        request.split("Credential=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
    scope.split('/').nth(3).unwrap_or_default()
}

/// The operation that a request calls: its target, its action, or its method and path without identifiers.
pub(crate) fn operation(request: &str) -> String {
    if let Some(target) = request.lines().find_map(|line| line.strip_prefix("x-amz-target: ")) {
        return target.trim().to_owned();
    }
    if let Some(action) = request.split("Action=").nth(1).and_then(|rest| rest.split('&').next()) {
        return action.to_owned();
    }
    let mut line = request.lines().next().unwrap_or_default().split(' ');
    let (method, place) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    if let Some((_, rest)) = path.split_once("/namespaces/") {
        return format!("kubernetes {method} {}", rest.split('/').nth(1).unwrap_or_default());
    }
    let service = signed_as(request);
    if service == "s3" {
        let part = query.split(['=', '&']).next().unwrap_or_default();
        return format!("s3 {method} {}?{part}", if path == "/" { "/" } else { "/BUCKET" });
    }
    // Every second part of a path is an identifier.
    let base = path.strip_prefix("/v2").unwrap_or(path);
    let parts = base.split('/').skip(1).enumerate();
    let parts: Vec<&str> =
        parts.map(|(at, part)| if at % 2 == 1 && !part.is_empty() { "ID" } else { part }).collect();
    // One list of guardrails, and the versions of one.
    let of_one = if query.contains("guardrailIdentifier") { "?one" } else { "" };
    format!("{service} {method} {}/{}{of_one}", if base == path { "" } else { "/v2" }, parts.join("/"))
}

fn serve(mut stream: TcpStream, service: Option<SocketAddr>, shared: &Shared) {
    let Some(request) = whole(&mut stream) else { return };
    shared.seen.lock().unwrap().push(request.clone());
    let text = String::from_utf8_lossy(&request).into_owned();
    let listed = shared
        .nth_to(&text)
        .or_else(|| shared.always_to(&text))
        .or_else(|| shared.by_operation(&text))
        .or_else(|| shared.for_the_first_time(&text))
        .or_else(|| shared.fates.lock().unwrap().pop_front());
    let fate = listed.unwrap_or_else(|| shared.by_turns(&text));
    let forward = || {
        if let Some(known) =
            shared.memory.as_ref().and_then(|all| all.lock().unwrap().get(&question(&text)).cloned())
        {
            return Some(known);
        }
        let mut upstream = TcpStream::connect(service?).ok()?;
        upstream.write_all(&request).ok()?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).ok()?;
        if let Some(memory) = &shared.memory {
            memory.lock().unwrap().insert(question(&text), answer.clone());
        }
        Some(answer)
    };
    let answer = match fate {
        Fate::Pass => {
            forward().unwrap_or_else(|| b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec())
        }
        Fate::Answer(status, headers, body) => format!(
            "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        Fate::Reset => return,
        Fate::Lost => {
            forward();
            return;
        }
        Fate::Half => half(forward().unwrap_or_default()),
        Fate::Stall => {
            let _ = stream.write_all(&half(forward().unwrap_or_default()));
            std::thread::sleep(Duration::from_secs(1));
            return;
        }
        Fate::Slow => {
            for part in forward().unwrap_or_default().chunks(64) {
                let _ = stream.write_all(part);
                std::thread::sleep(Duration::from_millis(5));
            }
            Vec::new()
        }
        Fate::Silence => {
            std::thread::sleep(Duration::from_secs(1));
            return;
        }
    };
    let _ = stream.write_all(&answer);
    let _ = stream.shutdown(Shutdown::Both);
}

/// An answer with half of its body.
fn half(mut answer: Vec<u8>) -> Vec<u8> {
    let body = head_end(&answer).unwrap_or(0);
    answer.truncate(body + (answer.len() - body) / 2);
    answer
}

/// One request; the service is told to close the connection after it.
fn whole(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        if let Some(end) = head_end(&bytes) {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
            if bytes.len() >= end + length {
                let mut request = bytes[..end - 2].to_vec();
                request.extend_from_slice(b"connection: close\r\n\r\n");
                request.extend_from_slice(&bytes[end..]);
                return Some(request);
            }
        }
        match stream.read(&mut part) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
