//! The registry over HTTP, without a client: who may call what, and bytes in and out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;
#[path = "common/served.rs"]
mod served;

use serde_json::json;
use served::{Server, key};
use std::path::Path;

/// Every call of the document: without a key nobody, and nobody without the right.
#[test]
fn no_call_is_answered_to_whoever_may_not() {
    let dir = tempfile::tempdir().unwrap();
    common::founded(dir.path());
    let server = Server::start(dir.path());
    let (ada, app) = (key(dir.path(), "ada"), key(dir.path(), "credit-app"));
    assert_eq!(
        server.call(&ada, "POST", "/registered-models/create", &json!({ "name": "credit-scoring" })).0,
        200
    );
    let run = server.call(&ada, "POST", "/runs/create", &json!({ "experiment_id": "0" })).1;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let made = server.call(&ada, "POST", "/logged-models", &json!({ "experiment_id": "0" })).1;
    let model = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let input = json!({
        "experiment_id": "0", "experiment_name": "Default", "experiment_ids": ["0"], "run_id": run, "model_id": model,
        "name": "credit-scoring", "new_name": "other", "key": "k", "value": "1", "metric_key": "k", "alias": "a",
        "version": "1", "stage": "Staging", "status": "LOGGED_MODEL_READY", "model_json": "{}", "description": "d",
        "source": "models:/credit-scoring/1", "run": { "runId": run }, "eventTime": "2025-10-01T00:00:00Z",
        "job": { "namespace": "n", "name": "j" },
    });
    let document = server::document();
    let mut refused = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{model_id}", &model).replace("{key}", "k");
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            let (status, said) = server.call("", &method, &path, &input);
            assert_eq!(
                (status, said["error_code"].as_str()),
                (401, Some("UNAUTHENTICATED")),
                "{method} {path}"
            );
            let (status, said) =
                server.call("wmk_ada_0000000000000000000000000000000000000000000", &method, &path, &input);
            assert_eq!(status, 401, "{method} {path}: {said}");
            if operation["x-cedar-action"] == "registry.read" {
                continue;
            }
            // What says production asks last, after the version is found.
            let (status, said) = server.call(&app, &method, &path, &input);
            assert!(status == 403 || status == 404, "{method} {path}: {status} {said}");
            refused += usize::from(status == 403);
        }
    }
    assert!(refused > 35, "only {refused} calls were refused by policy");
}

#[test]
fn an_artefact_comes_back_bit_for_bit_and_in_ranges() {
    let dir = tempfile::tempdir().unwrap();
    common::founded(dir.path());
    let server = Server::start(dir.path());
    let ada = key(dir.path(), "ada");
    let run = server.call(&ada, "POST", "/runs/create", &json!({ "experiment_id": "0" })).1;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {ada}");
    let auth = ("authorization", bearer.as_str());
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/big.bin");
    let bytes: Vec<u8> = (0..9_000_001u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(server.ask(("PUT", &path), &[auth], &bytes).0, 200);
    let (status, head, back) = server.ask(("GET", &path), &[auth], b"");
    assert!(status == 200 && back == bytes, "{status} {head}");
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=4194300-4194310", 4_194_300, 4_194_311),
        ("bytes=8999999-", 8_999_999, 9_000_001),
        ("bytes=-5", 8_999_996, 9_000_001),
    ] {
        let (status, head, back) = server.ask(("GET", &path), &[auth, ("range", range)], b"");
        assert!(status == 206 && back == bytes[from..to], "{range}: {status} {head} {}", back.len());
    }
    assert_eq!(server.ask(("GET", &path), &[auth, ("range", "bytes=9000001-")], b"").0, 400);
    for wrong in ["0/../1", "0", "nowhere/x/artifacts/a", "versions/credit-scoring/1/a"] {
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{wrong}");
        let status = server.ask(("PUT", &path), &[auth], b"x").0;
        assert!((400..=404).contains(&status), "{wrong}: {status}");
    }
    // Nothing of it lies in the clear.
    let plain = &bytes[1000..1064];
    for entry in std::fs::read_dir(dir.path().join("objects/files")).unwrap() {
        let stored = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!stored.windows(plain.len()).any(|window| window == plain));
    }
    // One bit of the first part is enough.
    flip(&dir.path().join("objects/files"));
    let (status, _, body) = server.ask(("GET", &path), &[auth], b"");
    assert!(status == 403 || body != bytes, "{status}");
}

/// What says production is refused while a gate is closed, and shows that people approved their own work.
#[test]
fn a_closed_gate_and_own_work_are_seen_by_clients() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let says = |verdict: &str| std::fs::write(dir.join("verdict.json"), verdict).unwrap();
    says(r#"{"verdict": "holds"}"#);
    candidate::with_candidate(dir, |text| {
        let keys = "    gates: [{id: robustness, command: [sh, -c, 'cp verdict.json $SM_OUTPUT_DATA_DIR/']}]\n    \
            separation: {not_achievable: there are two of us, compensating: [{review: {role: auditor, within_hours: 9}}]}\n    \
            approvals:";
        let text = text.replacen("    approvals:", keys, 1);
        text.replacen(
            "Ada Okafor, roles: [ml-engineer]",
            "Ada Okafor, roles: [ml-engineer, business-owner]",
            1,
        )
    });
    says(r#"{"verdict": "broken", "reason": "it is brittle"}"#);
    let house = |words: &[&str]| common::run(dir, &[words, &["credit-scoring", "1", "--as", "ada"]].concat());
    assert!(!house(&["model", "validate"]).status.success());
    let server = Server::start(dir);
    let ada = key(dir, "ada");
    let version = json!({ "name": "credit-scoring", "version": "1" });
    let alias = json!({ "name": "credit-scoring", "version": "1", "alias": "champion" });
    let (status, said) = server.call(&ada, "POST", "/registered-models/alias", &alias);
    assert_eq!(status, 403);
    insta::assert_snapshot!(said["message"].as_str().unwrap());
    says(r#"{"verdict": "holds"}"#);
    for words in [["model", "validate"], ["model", "approve"]] {
        let output = house(&words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (status, said) = server.call(&ada, "POST", "/registered-models/alias", &alias);
    assert_eq!(status, 200, "{said}");
    let shown = server.call(&ada, "GET", "/model-versions/get?name=credit-scoring&version=1", &version).1;
    let tags = shown["model_version"]["tags"].to_string();
    assert!(tags.contains("separation of duties NOT achieved: the approver submitted it"), "{shown}");
    let tag = json!({ "name": "credit-scoring", "version": "1", "key": "wardmote.separation_of_duties", "value": "fine" });
    let (status, said) = server.call(&ada, "POST", "/model-versions/set-tag", &tag);
    assert_eq!(status, 400);
    insta::assert_snapshot!(said["message"].as_str().unwrap());
}

fn flip(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
}
