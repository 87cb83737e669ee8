//! The story of the bank on AWS alone: data in S3 under KMS, versions in SageMaker's registry, an endpoint of SageMaker with
//! its own capture, alarms, a pipeline that trains again, and the way back. Against the emulator.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, trainer};
use on_aws::{actions, json, run};
use serde_json::{Value, json as object};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use support::proxy::{Proxy, json_error};
use support::{Emulator, outlets, script};

const NAME: &str = "bank";
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";

/// Where the model serves: canaries, capture, an alarm that takes an update back.
fn endpoint() -> String {
    let image = format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@sha256:{}", "0".repeat(64));
    format!(
        "    endpoint:\n      serve_on:\n        sagemaker:\n          image: {image}\n          instance_type: ml.m5.large\n          \
         instances: 2\n          role: arn:aws:iam::123456789012:role/serving\n          subnets: [subnet-0a1b2c3d]\n          \
         security_groups: [sg-0a1b2c3d]\n          artefacts: s3://{NAME}/models/\n          capture: s3://{NAME}/capture/\n          \
         key: {KEY}\n          alarms: [{NAME}-5xx]\n          traffic: {{canary: {{percent: 10, minutes: 10}}}}\n"
    )
}

/// A house that has nothing but its record on this machine.
fn founded(dir: &Path, at: SocketAddr) {
    Emulator::get().bucket(NAME);
    let topic = outlets("make", at, NAME);
    script("pipelines.py", "make", at, NAME);
    script("alarm.py", "quiet", at, &format!("{NAME}-5xx"));
    let (objects, keys) = (format!("s3://{NAME}/house/"), format!("kms:alias/{NAME}/"));
    let trainer = trainer();
    let words = ["init", "--trainer", trainer.to_str().unwrap(), "--objects", &objects, "--keys", &keys];
    let signals =
        ["--metrics", "Wardmote/bank", "--alerts", topic.trim(), "--events", NAME, "--retraining", NAME];
    let logs = ["--logs", "/wardmote/bank", "--logs-key", KEY];
    json(dir, at, &[&words[..], &signals, &logs].concat());
    let charter = dir.join("charter.yaml");
    let text = fs::read_to_string(&charter).unwrap();
    fs::write(&charter, text.replacen("    endpoint:\n", &endpoint(), 1)).unwrap();
    json(dir, at, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv").display().to_string();
    json(dir, at, &["data", "import", "credit-raw", &file, "--label", "first", "--as", "diego"]);
    json(dir, at, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
}

fn deployed(dir: &Path, at: SocketAddr, version: &str) -> Value {
    json(dir, at, &["model", "train", "credit-scoring", "--as", "ada"]);
    json(dir, at, &["model", "validate", "credit-scoring", version, "--as", "ada"]);
    json(dir, at, &["model", "approve", "credit-scoring", version, "--as", "bruno"]);
    json(dir, at, &["model", "deploy", "credit-scoring", version, "--as", "ada"])
}

/// What SageMaker would have captured of 400 requests that were all answered with "bad", and the labels that say otherwise.
fn traffic(dir: &Path, at: SocketAddr) -> (String, String) {
    let out = dir.join("out");
    let list = json(dir, at, &["data", "list"]);
    let training = list.as_array().unwrap().iter().find(|one| one["dataset"] == "credit-training").unwrap();
    let snapshot = format!("s3://datasets/{}/", training["name"].as_str().unwrap());
    json(
        dir,
        at,
        &["data", "read", &snapshot, "--out", out.to_str().unwrap(), "--as", "wardmote-automation"],
    );
    let table = if out.is_dir() {
        let mut files = fs::read_dir(&out).unwrap().map(|file| file.unwrap().path());
        files.find(|path| path.extension().is_some_and(|kind| kind == "csv")).unwrap()
    } else {
        out
    };
    let table = fs::read_to_string(table).unwrap();
    let (head, rows) = table.split_once('\n').unwrap();
    let (mut captured, mut labels) = (String::new(), String::new());
    for (n, row) in rows.lines().take(400).enumerate() {
        let body = |mode: &str, kind: &str, data: &str| object!({"observedContentType": kind, "mode": mode, "data": data, "encoding": "CSV"});
        let record = object!({
            "captureData": {
                "endpointInput": body("INPUT", "text/csv", &format!("{head}\n{row}\n")),
                "endpointOutput": body("OUTPUT", "text/csv", "bad,0.1\n"),
            },
            "eventMetadata": {"eventId": format!("event-{n}"), "inferenceTime": "2025-10-02T10:00:00Z"},
            "eventVersion": "0",
        });
        captured.push_str(&format!("{record}\n"));
        let label = object!({
            "groundTruthData": {"data": "good", "encoding": "CSV"},
            "eventMetadata": {"eventId": format!("event-{n}")},
            "eventVersion": "0",
        });
        labels.push_str(&format!("{label}\n"));
    }
    (captured, labels)
}

/// Puts a file of traffic where the endpoint's capture goes.
fn captured(dir: &Path, at: SocketAddr, name: &str, text: &str) {
    let file = dir.join("captured.jsonl");
    fs::write(&file, text).unwrap();
    let key = format!("capture/credit-scoring/{name}");
    script("captured.py", "put", at, &format!("{NAME}|{key}|{}", file.display()));
}

/// What the lifecycle of a bucket has ended in its time is not missed; what is gone before is.
fn ended(dir: &Path, at: SocketAddr, lines: &str) {
    let only = ["monitor", "credit-scoring", "--look-only", "--as", "wardmote-automation"];
    let clear = || script("captured.py", "clear", at, &format!("{NAME}|house/traffic/|"));
    let requests = || json(dir, at, &only)["report"]["requests"].clone();
    captured(dir, at, "v1/2020/10/02/10/old.jsonl", &lines.replace("2025-10-02", "2020-10-02"));
    assert_eq!(requests(), 400);
    clear();
    assert_eq!(requests(), 0);
    captured(dir, at, "v1/2099/10/02/10/new.jsonl", &lines.replace("2025-10-02", "2099-10-02"));
    assert_eq!(requests(), 400);
    clear();
    let missed = run(dir, at, &only);
    assert_eq!(missed.status.code(), Some(5), "{}", String::from_utf8_lossy(&missed.stderr));
}

/// How many lines wait to be sent.
fn waiting(dir: &Path) -> usize {
    fs::read_dir(dir.join("waiting/logs")).unwrap().count()
}

/// A look whose line cannot be delivered; the policy that is printed has all that is called for it.
fn lines_wait(dir: &Path, look: &[&str]) {
    let closed = Proxy::before(Some(Emulator::get().address));
    closed.always_of("Logs_20140328.PutLogEvents", json_error(400, "AccessDeniedException"));
    let output = run(dir, closed.address, &[look, &["--look-only"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(
        said.contains("the report is recorded, and not all of it was sent: `logs:PutLogEvents` failed"),
        "{said}"
    );
    assert_eq!(waiting(dir), 1);
    let allowed = actions(&json(dir, closed.address, &["aws", "permissions", "monitor"]));
    let called = closed.seen();
    let called =
        called.iter().filter_map(|request| request.split("Logs_20140328.").nth(1)?.split('\r').next());
    for name in called {
        assert!(allowed.contains(&format!("logs:{name}")), "`logs:{name}` is called and not allowed");
    }
}

/// What waited is there, and the line of the look after it.
fn lines_arrived(dir: &Path, at: SocketAddr) {
    let logged: Value = serde_json::from_str(&script("logs.py", "read", at, "/wardmote/bank")).unwrap();
    assert_eq!((&logged["retention"], &logged["key"]), (&365.into(), &KEY.into()));
    let evidence =
        logged["events"].as_array().unwrap().iter().map(|event| event["evidence"].as_str().unwrap());
    assert_eq!(
        evidence.collect::<BTreeSet<_>>().len(),
        2,
        "what waited, and the line of this look: {logged}"
    );
    assert_eq!(waiting(dir), 0);
}

/// The reference architecture of the charter has no finding of ours.
fn audited(dir: &Path, at: SocketAddr, out: &Path) {
    let planned = run(dir, at, &["plan", "--aws", "--out", out.to_str().unwrap()]);
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let template = out.join("template.yaml");
    let audited = run(dir, at, &["audit", template.to_str().unwrap(), "--fail-on", "low", "--allow-unknown"]);
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
}

/// The last version that served turns out to be poisoned: it is taken off the endpoint, and nothing comes back by itself.
fn quarantined(dir: &Path, at: SocketAddr) {
    let words = ["model", "quarantine", "credit-scoring", "1", "--reason", "the data were poisoned"];
    let held = json(dir, at, &[&words as &[&str], &["--as", "selma"]].concat());
    assert_eq!((&held["place"], &held["already"]), (&"empty".into(), &false.into()), "{held}");
    let really = run(dir, at, &["model", "serving"]);
    let said = String::from_utf8_lossy(&really.stdout).into_owned();
    assert!(really.status.success() && said.contains("nothing serves in the record, and there"), "{said}");
    for words in [
        &["model", "deploy", "credit-scoring", "1", "--as", "ada"] as &[&str],
        &["model", "release", "credit-scoring", "1", "--finding", "x", "--as", "selma"],
    ] {
        assert_eq!(run(dir, at, words).status.code(), Some(3), "{words:?}");
    }
    json(
        dir,
        at,
        &["model", "release", "credit-scoring", "1", "--finding", "it was another set", "--as", "bruno"],
    );
    assert_eq!(json(dir, at, &["history", "--model", "credit-scoring"])["serving"], Value::Null);
}

#[test]
fn data_registry_endpoint_capture_alarm_pipeline_and_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, at) = (folder.path().join("house"), Emulator::get().address);
    founded(&dir, at);
    let first = deployed(&dir, at, "1");
    assert_eq!(first["on"]["platform"], "SageMaker", "{first}");
    let second = deployed(&dir, at, "2");
    assert_eq!((&second["version"], &second["replaced"]), (&2.into(), &1.into()));
    json(&dir, at, &["aws", "alarms", "--put"]);
    let mirror = run(&dir, at, &["aws", "registry", "--sync", "--as", "selma"]);
    assert!(mirror.status.success(), "{}", String::from_utf8_lossy(&mirror.stderr));

    let look = ["monitor", "credit-scoring", "--as", "wardmote-automation"];
    let (lines, labels) = traffic(&dir, at);
    captured(&dir, at, "v2/2025/10/02/10/one.jsonl", &lines);
    let file = dir.join("labels.jsonl");
    fs::write(&file, labels).unwrap();
    json(
        &dir,
        at,
        &["labels", "import", "credit-scoring", file.to_str().unwrap(), "--as", "wardmote-automation"],
    );
    lines_wait(&dir, &look);
    let report = json(&dir, at, &look);
    lines_arrived(&dir, at);
    assert_eq!(
        (&report["report"]["requests"], &report["report"]["labelled"]),
        (&400.into(), &400.into()),
        "{report}"
    );

    // The bad version is gone, and the training has begun; both once.
    let serving = json(&dir, at, &["history", "--model", "credit-scoring"]);
    assert_eq!(
        (&serving["serving"]["version"], &serving["serving"]["how"]),
        (&1.into(), &"rolled_back_to".into())
    );
    let really = run(&dir, at, &["model", "serving"]);
    assert!(really.status.success(), "{}", String::from_utf8_lossy(&really.stdout));
    let started: Value = serde_json::from_str(&script("pipelines.py", "read", at, NAME)).unwrap();
    assert_eq!(started["pipeline"].as_array().unwrap().len(), 1);
    let segments = || {
        let log = json(&dir, at, &["log", "--stream", "endpoint/credit-scoring", "--limit", "1000"]);
        log.as_array().unwrap().iter().filter(|one| one.to_string().contains("traffic_captured")).count()
    };
    let before = segments();
    assert_eq!(before, 1, "the traffic is on record");
    run(&dir, at, &look);
    assert_eq!(segments(), before, "a file is taken once");

    ended(&dir, at, &lines);

    // What cannot be read is no good news.
    captured(&dir, at, "v1/2025/10/02/11/two.jsonl", "{\"captureData\": 1}\n");
    let blind = run(&dir, at, &look);
    let said = String::from_utf8_lossy(&blind.stderr).into_owned();
    assert!(!blind.status.success());
    insta::assert_snapshot!(said);

    quarantined(&dir, at);
    let mirrored = run(&dir, at, &["aws", "registry", "--sync", "--as", "selma"]);
    let failed = String::from_utf8_lossy(&mirrored.stderr);
    assert!(mirrored.status.success(), "{}{failed}", String::from_utf8_lossy(&mirrored.stdout));
    let verified = json(&dir, at, &["verify"]);
    assert_eq!(verified["findings"].as_array().map(Vec::len), Some(0), "{verified}");
    audited(&dir, at, &folder.path().join("plan"));
}
