//! The SageMaker Model Registry as a mirror: what the record says is there, and what somebody else does there is found.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, founded, stable, trainer};
use on_aws::{actions, json, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::Emulator;
use support::proxy::{Fate, Proxy, json_error};

const GROUP: &str = "first-example-bank-credit-scoring";

/// What somebody else does there.
fn somebody(what: &[&str]) -> String {
    let url = format!("http://{}", Emulator::get().address);
    let mut words = vec![what[0], &url, GROUP];
    words.extend(&what[1..]);
    let script = support::folder().join("packages.py");
    let output = Command::new(support::python()).arg(script).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What differs from run to run, by the property.
const VARIES: [&str; 7] =
    ["artefact", "commit", "code", "evidence", "evidence-digest", "snapshot", "charter"];

/// What is there, without what differs from run to run.
fn shown() -> String {
    let mut shown: Value = serde_json::from_str(&somebody(&["show"])).unwrap();
    for package in shown["packages"].as_array_mut().unwrap() {
        for (place, cut) in
            [("/ApprovalDescription", "; digest "), ("/ModelLifeCycle/StageDescription", " log entry ")]
        {
            let Some(text) = package.pointer_mut(place).filter(|text| text.is_string()) else { continue };
            *text = format!("{}{cut}...", text.as_str().unwrap().split(cut).next().unwrap()).into();
        }
        if let Some(card) = package.pointer_mut("/ModelCard/ModelCardContent") {
            let content: Value = serde_json::from_str(card.as_str().unwrap()).unwrap();
            let names = |place: &str| {
                content
                    .pointer(place)
                    .and_then(Value::as_object)
                    .map(|of| of.keys().cloned().collect::<Vec<_>>())
            };
            *card = serde_json::json!({ "intended_uses": content["intended_uses"], "details": names("/additional_information/custom_details") });
        }
        let Some(properties) = package["CustomerMetadataProperties"].as_object_mut() else { continue };
        for (name, value) in properties.iter_mut() {
            let short = name.trim_start_matches("wardmote:");
            if VARIES.contains(&short) {
                *value = short.to_ascii_uppercase().into();
            }
            if let Some((start, _)) = value.as_str().unwrap().split_once(" log entry ") {
                *value = format!("{start} log entry EVIDENCE").into();
            }
        }
        // The code of the example may be in no commit.
        properties.remove("wardmote:commit");
        properties.remove("wardmote:code");
    }
    serde_json::to_string_pretty(&shown).unwrap()
}

/// What a command said, without times.
fn told(dir: &Path, at: SocketAddr, words: &[&str]) -> String {
    let time = |word: &str| match word.split_once('T') {
        Some((date, _)) if date.len() == 10 && date.as_bytes()[4] == b'-' => "TIME".to_owned(),
        _ => word.to_owned(),
    };
    let said = said(dir, at, words);
    let line = |line: &str| line.split(' ').map(time).collect::<Vec<_>>().join(" ");
    said.lines().map(line).collect::<Vec<_>>().join("\n") + "\n\n"
}

/// A house with a version that failed and one that passed.
fn two_versions(dir: &Path, at: SocketAddr) {
    founded(dir);
    let file = example().join("german-credit.csv").display().to_string();
    json(dir, at, &["data", "import", "credit-raw", &file, "--as", "diego"]);
    json(dir, at, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
    let two = [
        "model",
        "train",
        "credit-scoring",
        "--set",
        "features=duration_in_month,credit_amount",
        "--as",
        "ada",
    ];
    json(dir, at, &two);
    assert_eq!(
        run(dir, at, &["model", "validate", "credit-scoring", "1", "--as", "ada"]).status.code(),
        Some(3)
    );
    json(dir, at, &["model", "train", "credit-scoring", "--as", "ada"]);
    json(dir, at, &["model", "validate", "credit-scoring", "2", "--as", "ada"]);
}

#[test]
fn the_mirror_follows_the_record_and_not_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    two_versions(&dir, at);
    let look = ["aws", "registry"];
    let watched = ["aws", "registry", "--as", "selma"];
    let sync = ["aws", "registry", "--sync", "--as", "selma"];
    let mut all = told(&dir, at, &look);
    assert!(!proxy.seen().iter().any(|request| request.contains("SageMaker.Create")), "only looked at");
    all.push_str(&told(&dir, at, &["aws", "registry", "--sync"]));
    all.push_str(&told(&dir, at, &["aws", "registry", "--sync", "--as", "ada"]));
    all.push_str(&told(&dir, at, &sync));
    all.push_str(&told(&dir, at, &look));
    all.push_str(&shown());
    let before = shown();
    proxy.seen();
    json(&dir, at, &sync);
    assert!(
        !proxy.seen().iter().any(|request| request.contains(".UpdateModelPackage")),
        "nothing is written twice"
    );
    assert_eq!(before, shown());

    // Done there and not here: it is found, it deploys nothing, it is an incident, and it is taken back.
    for what in ["approve", "stage", "card", "property"] {
        somebody(&[what, "2"]);
    }
    all.push_str("\n\nsomebody approves version 2 in SageMaker, says that it is in production, and writes another card and properties\n");
    all.push_str(&told(&dir, at, &look));
    assert_eq!(
        run(&dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]).status.code(),
        Some(3)
    );
    all.push_str(&told(&dir, at, &watched));
    all.push_str(&told(&dir, at, &watched));
    let open = told(&dir, at, &["incident", "list"]);
    // Who watches the whole account leaves them to who watches the mirror.
    for _ in 0..2 {
        let watch =
            run(&dir, Emulator::get().address, &["watch", "--once", "--as", "selma", "--control", "KMS-01"]);
        assert!(watch.status.success(), "{}", String::from_utf8_lossy(&watch.stderr));
    }
    assert_eq!(told(&dir, at, &["incident", "list"]), open);
    all.push_str(&open);
    all.push_str(&told(&dir, at, &sync));
    all.push_str(&told(&dir, at, &watched));

    // Approved here: the mirror follows, also when calls fail.
    json(&dir, at, &["model", "approve", "credit-scoring", "2", "--as", "bruno"]);
    for trouble in [json_error(400, "ThrottlingException"), Fate::Lost, Fate::Half, Fate::Reset] {
        proxy.fail_each_once(trouble, &[".CreateModelPackage"]);
        run(&dir, at, &look);
    }
    all.push_str("bruno approves version 2\n");
    all.push_str(&told(&dir, at, &sync));
    proxy.fail_each_once(Fate::Pass, &[]);
    all.push_str(&shown());
    all.push_str(&format!("\n\n{}", life_of(&dir, at, &sync)));

    somebody(&["delete", "1"]);
    somebody(&["create"]);
    all.push_str("somebody deletes the package of version 1, and puts another one into the group\n");
    all.push_str(&told(&dir, at, &sync));
    all.push_str(&told(&dir, at, &watched));
    all.push_str(&policies(&dir, at, &proxy));
    let all = all.replace(GROUP, "GROUP");
    insta::assert_snapshot!(stable(&dir, &all));
}

/// From staging to production, into quarantine and out of it.
fn life_of(dir: &Path, at: SocketAddr, sync: &[&str]) -> String {
    let stage = || {
        let shown: Value = serde_json::from_str(&somebody(&["show"])).unwrap();
        let package = &shown["packages"][1];
        let cycle = &package["ModelLifeCycle"];
        format!(
            "{} {}, card {}, {}\n",
            cycle["Stage"],
            cycle["StageStatus"],
            package["ModelCard"]["ModelCardStatus"],
            package["ModelApprovalStatus"]
        )
    };
    let mut all = stage();
    json(dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]);
    all.push_str(&told(dir, at, sync));
    all.push_str(&stage());
    let held = json(
        dir,
        at,
        &["model", "quarantine", "credit-scoring", "2", "--reason", "poisoned", "--as", "selma"],
    );
    all.push_str(&told(dir, at, sync));
    all.push_str(&stage());
    let shown: Value = serde_json::from_str(&somebody(&["show"])).unwrap();
    let why = shown["packages"][1]["ApprovalDescription"].as_str().unwrap();
    let entry = held["quarantine"]["evidence"].as_str().unwrap();
    for said in
        ["wardmote: in quarantine since ", "put there by selma", "; digest sha256:", entry, ": poisoned"]
    {
        assert!(why.contains(said), "{why}");
    }
    json(dir, at, &["model", "release", "credit-scoring", "2", "--finding", "clean", "--as", "bruno"]);
    all.push_str(&told(dir, at, sync));
    all.push_str(&stage());
    all
}

/// What was called and what is allowed are the same.
fn policies(dir: &Path, at: SocketAddr, proxy: &Proxy) -> String {
    let called: BTreeSet<String> = proxy
        .seen()
        .iter()
        .filter_map(|request| request.split_once("x-amz-target: SageMaker.").map(|(_, rest)| rest.to_owned()))
        .map(|rest| format!("sagemaker:{}", rest.split("\r\n").next().unwrap()))
        .collect();
    let policy = json(dir, at, &["aws", "registry", "--sync", "--permissions"]);
    let allowed = actions(&policy);
    assert!(called.is_subset(&allowed), "{called:?}");
    let reads = actions(&json(dir, at, &["aws", "registry", "--permissions"]));
    assert!(reads.iter().all(|name| {
        ["List", "Describe"].iter().any(|reads| name.starts_with(&format!("sagemaker:{reads}")))
    }));
    serde_json::to_string_pretty(&policy).unwrap()
}

#[test]
fn figures_are_an_object_that_is_compared_too() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at = Emulator::get().address;
    Emulator::get().bucket("mirrored");
    json(&dir, at, &["init", "--trainer", trainer().to_str().unwrap(), "--objects", "s3://mirrored/house/"]);
    json(&dir, at, &["apply", "--as", "carla"]);
    let from = folder.path().join("model");
    std::fs::create_dir(&from).unwrap();
    std::fs::write(from.join("weights.bin"), b"weights").unwrap();
    json(&dir, at, &["model", "import", "credit-scoring", from.to_str().unwrap(), "--as", "ada"]);
    let sync = ["aws", "registry", "--sync", "--as", "wardmote-automation"];
    let mut all = told(&dir, at, &sync);
    let shown: Value = serde_json::from_str(&somebody(&["show"])).unwrap();
    let address = shown["packages"][0]["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let object = format!("mirror/{GROUP}/1/statistics.json");
    assert_eq!(address, format!("s3://mirrored/house/{object}"));
    let properties = &shown["packages"][0]["CustomerMetadataProperties"];
    assert_eq!(properties["wardmote:metrics"], "none on record");
    assert_eq!(
        (&properties["wardmote:snapshot"], &properties["wardmote:commit"]),
        (&"unknown".into(), &"unknown".into())
    );
    all.push_str(&told(&dir, at, &sync));
    let figures = |what: &str| object_in("mirrored", what, &format!("house/{object}"));
    let written = figures("get");
    let parsed: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        (&parsed["wardmote"]["basis"], &parsed["wardmote"]["version"]),
        (&"claimed".into(), &1.into())
    );
    for what in ["put", "delete"] {
        figures(what);
        all.push_str(&format!("somebody uses {what} on the object\n"));
        all.push_str(&told(&dir, at, &sync));
        assert_eq!(figures("get"), written);
    }
    all.push_str(&told(&dir, at, &sync));
    let policy = actions(&json(&dir, at, &["aws", "registry", "--sync", "--permissions"]));
    assert!(policy.contains("s3:PutObject") && policy.contains("s3:GetObject"));
    insta::assert_snapshot!(stable(&dir, &all).replace(GROUP, "GROUP"));
}

/// Somebody else's use of an object.
fn object_in(bucket: &str, what: &str, name: &str) -> String {
    let url = format!("http://{}", Emulator::get().address);
    let output = Command::new(support::python())
        .arg(support::folder().join("thing.py"))
        .args([what, &url, bucket, name])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
