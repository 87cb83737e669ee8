//! Lineage by the ordinary commands: a model's whole life as a graph, events that OpenLineage's own client reads, and what
//! that client sends.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/served.rs"]
mod served;
#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use common::{example, founded, json, run, stable};
use serde_json::{Value, json};
use served::{Server, key};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A house in which a version serves.
fn lived(dir: &Path) {
    founded(dir);
    let file = example().join("german-credit.csv");
    json(dir, &["data", "import", "credit-raw", file.to_str().unwrap(), "--label", "first", "--as", "diego"]);
    json(dir, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
    json(dir, &["model", "train", "credit-scoring", "--as", "ada"]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
    json(dir, &["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    json(dir, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
}

/// What differs from run to run is replaced: evidence, digests, commits, dates, how long it took.
fn masked(dir: &Path, text: &str) -> String {
    let mut out = String::new();
    let stable = stable(dir, text);
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let hex = word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit());
        if word.parse::<facts::EvidenceId>().is_ok() {
            out.push_str("EVIDENCE");
        } else if hex && [12, 32, 40, 64].contains(&word.len()) {
            out.push_str("HASH");
        } else if hex && word.len() == 10 && word.starts_with("20") {
            out.push_str("DATE");
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for letter in stable.chars() {
        if letter.is_ascii_alphanumeric() || letter == '-' {
            word.push(letter);
        } else {
            flush(&mut word, &mut out);
            out.push(letter);
        }
    }
    flush(&mut word, &mut out);
    out
}

fn python() -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lineage/requirements.txt");
    venv::of("openlineage", &list).join("bin/python")
}

fn openlineage(words: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lineage/events.py");
    let output = Command::new(python()).arg(script).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn a_whole_life_is_one_graph() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    lived(dir);
    let graph = json(dir, &["lineage", "credit-scoring", "1"]);
    let ids: BTreeSet<&str> =
        graph["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    for edge in graph["edges"].as_array().unwrap() {
        assert!(
            ids.contains(edge["from"].as_str().unwrap()) && ids.contains(edge["to"].as_str().unwrap()),
            "{edge}"
        );
    }
    // Every node that is on record names an entry that `log` shows.
    let log = json(dir, &["log", "--limit", "1000"]).to_string();
    for node in graph["nodes"].as_array().unwrap().iter().filter(|node| node["basis"] == "recorded") {
        assert!(log.contains(node["evidence"].as_str().unwrap()), "{node}");
    }
    let mermaid = String::from_utf8(run(dir, &["lineage", "credit-scoring", "1"]).stdout).unwrap();
    insta::assert_snapshot!(masked_lasting(&masked(dir, &mermaid)));
    let again = String::from_utf8(run(dir, &["lineage", "credit-scoring"]).stdout).unwrap();
    assert_eq!(again.replace("all versions", "version 1"), mermaid, "one version is all versions");
    let file = dir.join("lineage.svg");
    json(dir, &["lineage", "credit-scoring", "--format", "svg", "--out", file.to_str().unwrap()]);
    assert!(fs::read_to_string(&file).unwrap().ends_with("</svg>\n"));
    let events =
        String::from_utf8(run(dir, &["lineage", "credit-scoring", "--format", "openlineage"]).stdout)
            .unwrap();
    let file = dir.join("events.jsonl");
    fs::write(&file, &events).unwrap();
    // Import, pseudonymisation and training, each with its beginning and its end.
    assert_eq!(events.lines().count(), 6);
    assert_eq!(openlineage(&["read", file.to_str().unwrap()]), "same\n".repeat(6));
}

/// How long training took, and the digest of what it made, which depends on the machine.
fn masked_lasting(text: &str) -> String {
    let lasted = |line: &str| match line.split_once("lasted: ") {
        Some((before, after)) => {
            format!("{before}lasted: TIME{}", after.split_once(" s").map_or("", |(_, rest)| rest))
        }
        None => line.to_owned(),
    };
    text.lines().map(|line| lasted(line) + "\n").collect()
}

#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    let mut all = String::new();
    for words in [
        &["lineage", "credit-scoring"] as &[&str],
        &["lineage", "credit-scoring", "3"],
        &["lineage", "no-such-model"],
        &["lineage", "credit-scoring", "--format", "png"],
    ] {
        let output = run(dir, words);
        let text =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        all.push_str(&format!(
            "$ wardmote {}\n{text}exit {}\n",
            words.join(" "),
            output.status.code().unwrap()
        ));
    }
    insta::assert_snapshot!(stable(dir, &all));
}

#[test]
fn what_openlineage_tells_of_a_run_is_kept_with_it() {
    let folder = tempfile::tempdir().unwrap();
    founded(folder.path());
    let server = Server::start(folder.path());
    let ada = key(folder.path(), "ada");
    let made = server.call(&ada, "POST", "/runs/create", &json!({ "experiment_id": "0" })).1;
    let run = made["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let sent = openlineage(&["send", &server.url, &ada, &run, "wardmote://first-example-bank"]);
    assert_eq!(sent, "sent\n");
    let known = server.call(&ada, "GET", &format!("/runs/get?run_id={run}"), &json!({})).1;
    let inputs: Vec<String> = known["run"]["inputs"]["dataset_inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| {
            let (what, tag) = (&input["dataset"], &input["tags"][0]);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            format!(
                "{} {}@{} from {}",
                text(&tag["value"]),
                text(&what["name"]),
                text(&what["digest"]),
                text(&what["source"])
            )
        })
        .collect();
    insta::assert_snapshot!(inputs.join("\n"), @r"
    input s3://bank-lake/customers/2025@v7 from airflow/nightly.train
    input credit-training/first@ from airflow/nightly.train
    output s3://bank-lake/scores/2025@ from airflow/nightly.train
    ");
    let event = |run: &str, inputs: Value| json!({ "run": { "runId": run }, "job": { "namespace": "n", "name": "j" }, "inputs": inputs, "eventTime": "x" });
    let one = json!({ "namespace": "n", "name": "d" });
    let said = |who: &str, event: &Value| {
        let (status, answer) = server.call(&key(folder.path(), who), "POST", "/api/v1/lineage", event);
        format!("{status} {}", answer["message"].as_str().unwrap_or_default().replace(&run, "RUN"))
    };
    let lines = [
        said("ada", &event(&run, json!([one]))),
        said("credit-app", &event(&run, json!([one]))),
        said("ada", &event("00000000-0000-4000-8000-000000000000", json!([one]))),
        said("ada", &event("nightly", json!([one]))),
        said("ada", &event(&run, json!(vec![one.clone(); 201]))),
        said("ada", &event(&run, json!([{ "namespace": "n", "name": "d".repeat(501) }]))),
        said("ada", &json!({ "dataset": one, "eventTime": "x" })),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}
