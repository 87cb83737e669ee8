//! The SageMaker Model Registry as a mirror: what the record says is there, and what somebody else does there is found.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, founded, stable};
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

/// What is there, without what differs from run to run.
fn shown() -> String {
    let mut shown: Value = serde_json::from_str(&somebody(&["show"])).unwrap();
    for package in shown["packages"].as_array_mut().unwrap() {
        let why =
            package["ApprovalDescription"].as_str().unwrap().split("evidence ").next().unwrap().to_owned();
        package["ApprovalDescription"] = format!("{why}evidence EVIDENCE").into();
        let Some(properties) = package["CustomerMetadataProperties"].as_object_mut() else { continue };
        for (name, value) in properties.iter_mut() {
            let varies = ["wardmote:artefact", "wardmote:commit", "wardmote:evidence", "wardmote:snapshot"];
            if varies.contains(&name.as_str()) {
                *value = name.trim_start_matches("wardmote:").to_ascii_uppercase().into();
            }
        }
        // The code of the example may be in no commit.
        properties.remove("wardmote:commit");
    }
    serde_json::to_string_pretty(&shown).unwrap()
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
    let (look, sync) = (["aws", "registry"], ["aws", "registry", "--sync"]);
    let mut all = said(&dir, at, &look);
    assert!(!proxy.seen().iter().any(|request| request.contains("SageMaker.Create")), "only looked at");
    all.push_str(&said(&dir, at, &sync));
    all.push_str(&said(&dir, at, &look));
    all.push_str(&shown());

    // Approved there and not here: it is found, it deploys nothing, and it is taken back.
    somebody(&["approve", "2"]);
    all.push_str("\n\nsomebody approves version 2 in SageMaker\n");
    all.push_str(&said(&dir, at, &look));
    assert_eq!(
        run(&dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]).status.code(),
        Some(3)
    );
    all.push_str(&said(&dir, at, &sync));
    all.push_str(&said(&dir, at, &look));

    // Approved here: the mirror follows, also when calls fail.
    json(&dir, at, &["model", "approve", "credit-scoring", "2", "--as", "bruno"]);
    for trouble in [json_error(400, "ThrottlingException"), Fate::Lost, Fate::Half, Fate::Reset] {
        proxy.fail_each_once(trouble, &[".CreateModelPackage"]);
        run(&dir, at, &look);
    }
    all.push_str("bruno approves version 2\n");
    all.push_str(&said(&dir, at, &sync));
    proxy.fail_each_once(Fate::Pass, &[]);
    all.push_str(&shown());

    somebody(&["create"]);
    all.push_str("\n\nsomebody puts a package into the group\n");
    all.push_str(&said(&dir, at, &sync));

    let called: BTreeSet<String> = proxy
        .seen()
        .iter()
        .filter_map(|request| request.split_once("x-amz-target: SageMaker.").map(|(_, rest)| rest.to_owned()))
        .map(|rest| format!("sagemaker:{}", rest.split("\r\n").next().unwrap()))
        .collect();
    let policy = json(&dir, at, &["aws", "registry", "--sync", "--permissions"]);
    let mut allowed = actions(&policy);
    assert!(allowed.remove("sagemaker:AddTags"), "tags go with the group");
    assert_eq!(called, allowed, "not one action more or less");
    assert!(actions(&json(&dir, at, &["aws", "registry", "--permissions"])).iter().all(|name| {
        ["List", "Describe"].iter().any(|reads| name.starts_with(&format!("sagemaker:{reads}")))
    }));
    all.push_str(&serde_json::to_string_pretty(&policy).unwrap());
    let all = all.replace(GROUP, "GROUP");
    insta::assert_snapshot!(stable(&dir, &all));
}
