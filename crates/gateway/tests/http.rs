//! The gateway over real HTTP on loopback: every refusal, the bounds, capture, and exchanging the bundle under load.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{ColumnName, EndpointName, PersonId, Timestamp};
use gateway::{
    Bundle, BundleSlot, Capture, CaptureSettings, CaptureSink, Gateway, Principal, RefusedCalls, Route,
    Segment,
};
use guard::quota::Plan;
use guard::{AccessKey, HashedKey};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use world::{Clock, Entropy, Kind, LoadedModel, PortError, Score};

/// Says "good" to small amounts. A model as simple as can be: the gateway's affair is everything around it.
struct Small {
    inputs: Vec<ColumnName>,
}

impl LoadedModel for Small {
    fn inputs(&self) -> &[ColumnName] {
        &self.inputs
    }
    fn score(&self, rows: &[Vec<String>]) -> Result<Vec<Score>, PortError> {
        let score = |(at, row): (usize, &Vec<String>)| {
            let wrong = || {
                PortError::new(
                    Kind::Invalid,
                    format!("row {}, column `amount`: `{}` is not a number", at + 1, row[0]),
                )
            };
            let amount: f64 = row[0].parse().map_err(|_| wrong())?;
            let good = if amount < 1000.0 { 0.75 } else { 0.25 };
            let label = if good > 0.5 { "good" } else { "bad" };
            Ok(Score {
                label: label.into(),
                probabilities: BTreeMap::from([("good".into(), good), ("bad".into(), 1.0 - good)]),
            })
        };
        rows.iter().enumerate().map(score).collect()
    }
}

struct Fixed;
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        "2026-11-21T04:30:00Z".parse().unwrap()
    }
}
impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), PortError> {
        out.fill(7);
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Segment>>>, Arc<Mutex<Vec<RefusedCalls>>>);
impl CaptureSink for Kept {
    fn take(&mut self, segment: Segment) -> Result<(), PortError> {
        self.0.lock().unwrap().push(segment);
        Ok(())
    }
    fn refused(&mut self, calls: Vec<RefusedCalls>) -> Result<(), PortError> {
        self.1.lock().unwrap().extend(calls);
        Ok(())
    }
}

fn key(holder: &str) -> AccessKey {
    AccessKey::new(&holder.parse().unwrap(), [u8::try_from(holder.len()).unwrap(); 32])
}

fn bundle(version: u32) -> Bundle {
    let allowed: BTreeSet<PersonId> = ["app", "kiosk"].iter().map(|id| id.parse().unwrap()).collect();
    let inputs = vec!["amount".parse().unwrap(), "job".parse().unwrap()];
    let route = Route {
        model: "credit".into(),
        version,
        loaded: Box::new(Small { inputs }),
        positive_label: "good".into(),
        allowed,
        capture_share: 1.0,
    };
    let plan = |holder: &str| {
        (holder == "kiosk").then_some(Plan { requests_per_second: 1.0, burst: 2, requests_per_day: None })
    };
    Bundle {
        routes: BTreeMap::from([
            ("credit".parse().unwrap(), Some(Arc::new(route))),
            ("empty".parse().unwrap(), None),
        ]),
        principals: ["app", "kiosk", "stranger"]
            .iter()
            .map(|id| Principal { id: id.parse().unwrap(), key: HashedKey::of(&key(id)), plan: plan(id) })
            .collect(),
    }
}

/// A gateway on a free port; stops when dropped.
struct Running {
    address: SocketAddr,
    slot: BundleSlot,
    kept: Kept,
    folder: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn start() -> Running {
    start_in(tempfile::tempdir().unwrap())
}

fn start_in(folder: tempfile::TempDir) -> Running {
    let (slot, kept) = (BundleSlot::default(), Kept::default());
    slot.put(bundle(1));
    let settings =
        CaptureSettings { max_age: Duration::from_secs(600), max_bytes: 1 << 20, max_queue_bytes: 8 << 20 };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (sender, receiver) = std::sync::mpsc::channel();
    let (slot_in, sink, dir) = (slot.clone(), kept.clone(), folder.path().to_owned());
    let thread = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let writer = runtime.block_on(async {
            let (capture, writer) = Capture::start(&dir, settings, Arc::new(Fixed), Box::new(sink)).unwrap();
            let address = "127.0.0.1:0".parse().unwrap();
            let gateway =
                Gateway::bind(address, slot_in, Some(capture), Arc::new(Fixed), &Fixed).await.unwrap();
            sender.send(gateway.local_addr()).unwrap();
            gateway.run(async { stopped.await.unwrap_or_default() }).await;
            writer
        });
        drop(runtime);
        writer.join().unwrap();
    });
    Running { address: receiver.recv().unwrap(), slot, kept, folder, stop: Some(stop), thread: Some(thread) }
}

impl Running {
    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Sends raw bytes on a connection of its own and reads all of the answer.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // A refusal may come, and the connection go, before all is sent.
        drop(stream.write_all(request.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn call(&self, who: Option<&str>, endpoint: &str, (kind, body): (&str, &str)) -> String {
        let authorization =
            who.map_or_else(String::new, |who| format!("authorization: Bearer {}\r\n", key(who).reveal()));
        self.raw(&format!(
            "POST /endpoints/{endpoint}/invocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Status line, the headers that matter, and the body.
fn essence(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let wanted = [
        "x-amzn-errortype",
        "retry-after",
        "www-authenticate",
        "x-amzn-invoked-production-variant",
        "allow:",
    ];
    let lines = head
        .lines()
        .enumerate()
        .filter(|(at, line)| *at == 0 || wanted.iter().any(|name| line.to_lowercase().starts_with(name)));
    let mut lines: Vec<&str> = lines.map(|(_, line)| line).collect();
    lines[1..].sort_unstable();
    format!("{}\n{body}\n", lines.join("\n"))
}

const GOOD: (&str, &str) = ("application/json", r#"{"instances":[{"amount":500,"job":"nurse"}]}"#);

#[test]
fn every_answer_has_its_form() {
    let gateway = start();
    let mut all = String::new();
    let mut show = |what: &str, answer: &str| {
        assert!(answer.contains("x-amzn-requestid: "), "{what}: {answer}");
        all.push_str(&format!("=== {what}\n{}\n", essence(answer)));
    };
    show("a good call", &gateway.call(Some("app"), "credit", GOOD));
    show("csv", &gateway.call(Some("app"), "credit", ("text/csv", "5000,smith\n20,\"a, b\"\n")));
    show("no key", &gateway.call(None, "credit", GOOD));
    show("no consumer", &gateway.call(Some("stranger"), "credit", GOOD));
    show("an unknown endpoint", &gateway.call(Some("app"), "nothing", GOOD));
    show("nothing deployed", &gateway.call(Some("app"), "empty", GOOD));
    show("a wrong cell", &gateway.call(Some("app"), "credit", ("text/csv", "much,smith")));
    show("too few cells", &gateway.call(Some("app"), "credit", ("text/csv", "1")));
    show("no JSON", &gateway.call(Some("app"), "credit", ("application/json", "{")));
    show("another type", &gateway.call(Some("app"), "credit", ("image/png", "x")));
    show("the kiosk's first", &gateway.call(Some("kiosk"), "credit", GOOD));
    show("its second", &gateway.call(Some("kiosk"), "credit", GOOD));
    show("its third", &gateway.call(Some("kiosk"), "credit", GOOD));
    show(
        "GET",
        &gateway.raw("GET /endpoints/credit/invocations HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    );
    show("elsewhere", &gateway.raw("GET /admin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    show("ping", &gateway.raw("GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_too_large_is_refused() {
    let gateway = start();
    let many = "1,x\n".repeat(1_001);
    assert!(gateway.call(Some("app"), "credit", ("text/csv", &many)).starts_with("HTTP/1.1 400"));
    let header = format!("GET /ping HTTP/1.1\r\nhost: x\r\nx-big: {}\r\n\r\n", "a".repeat(200_000));
    assert!(!gateway.raw(&header).starts_with("HTTP/1.1 200"));
    // The refusal may be lost with the connection when the client goes on sending; that nothing was scored is not.
    let body = "1,x\n".repeat(2_000_000);
    assert!(!gateway.call(Some("app"), "credit", ("text/csv", &body)).starts_with("HTTP/1.1 200"));
    assert!(gateway.call(Some("app"), "credit", GOOD).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_quota_holds_under_many_hands() {
    let gateway = start();
    let admitted: usize = std::thread::scope(|scope| {
        let hands: Vec<_> =
            (0..16).map(|_| scope.spawn(|| gateway.call(Some("kiosk"), "credit", GOOD))).collect();
        hands.into_iter().map(|hand| usize::from(hand.join().unwrap().starts_with("HTTP/1.1 200"))).sum()
    });
    assert_eq!(admitted, 2);
}

#[test]
fn captured_traffic_is_handed_over_and_reads_as_sagemakers() {
    let mut gateway = start();
    gateway.call(Some("app"), "credit", GOOD);
    gateway.call(Some("app"), "credit", ("text/csv", "5000,smith\n"));
    gateway.call(None, "credit", GOOD);
    gateway.stop();
    let segments = gateway.kept.0.lock().unwrap().clone();
    assert_eq!(segments.len(), 1);
    let endpoint: EndpointName = "credit".parse().unwrap();
    assert_eq!((&segments[0].endpoint, segments[0].variant.as_str()), (&endpoint, "v1"));
    let text = String::from_utf8(segments[0].bytes.clone()).unwrap();
    let records: Vec<monitor::capture::CaptureRecord> =
        monitor::capture::lines(&text).collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].capture_data.endpoint_input.data, GOOD.1);
    assert_eq!(records[1].capture_data.endpoint_input.encoding, "CSV");
    let refused = gateway.kept.1.lock().unwrap().clone();
    assert_eq!(
        refused
            .iter()
            .map(|calls| (calls.status, calls.count, calls.principal.is_some()))
            .collect::<Vec<_>>(),
        [(401, 1, false)]
    );
}

#[test]
fn what_a_crash_left_is_handed_over_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("credit/v3/2026/11/21/04");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("1-0.jsonl"), "{\"whole\":1}\n{\"cut off").unwrap();
    let mut gateway = start_in(folder);
    gateway.stop();
    let segments = gateway.kept.0.lock().unwrap().clone();
    assert_eq!(segments.len(), 1);
    assert_eq!(
        (segments[0].variant.as_str(), segments[0].bytes.as_slice()),
        ("v3", b"{\"whole\":1}\n".as_slice())
    );
    assert!(!gateway.folder.path().join("credit/v3/2026/11/21/04/1-0.jsonl").exists());
}

#[test]
fn exchanging_the_bundle_loses_no_request() {
    let gateway = start();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..40)
                        .filter(|_| gateway.call(Some("app"), "credit", GOOD).starts_with("HTTP/1.1 200"))
                        .count()
                })
            })
            .collect();
        for version in 2..30 {
            gateway.slot.put(bundle(version));
            std::thread::sleep(Duration::from_millis(3));
        }
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == 40));
    });
}
