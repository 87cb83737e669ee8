//! A version in quarantine is taken off a folder and an endpoint of SageMaker, or it is said that it may still serve.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/candidate.rs"]
mod candidate;
mod common;
#[path = "common/elsewhere.rs"]
mod elsewhere;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use elsewhere::{Told, called, link, sagemaker, two_approved};
use on_aws::{actions, json, run};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use support::Emulator;
use support::proxy::{Proxy, json_error};

#[test]
fn what_is_in_quarantine_is_taken_out_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at: SocketAddr = ([127, 0, 0, 1], 9).into();
    two_approved(&dir, at, "credit-scoring", "{directory: {path: serving}}");
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    let first = link(&dir);
    json(&dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]);
    let mut told = Told { text: String::new(), at };
    told.remark("the fallback cannot be read: nothing serves");
    let shown = json(&dir, at, &["model", "show", "credit-scoring", "1"]);
    let object = dir.join("objects").join(shown["registration"]["object"].as_str().unwrap());
    let aside = object.with_extension("aside");
    fs::rename(&object, &aside).unwrap();
    fs::rename(dir.join("serving/releases"), dir.join("serving/elsewhere")).unwrap();
    told.say(&dir, "model quarantine credit-scoring 2 --reason poisoned --as selma");
    assert!(fs::symlink_metadata(dir.join("serving/current")).is_err(), "nothing serves");
    told.say(&dir, "model serving");
    fs::rename(aside, object).unwrap();
    fs::rename(dir.join("serving/elsewhere"), dir.join("serving/releases")).unwrap();
    told.remark("the fallback is there: it serves");
    json(&dir, at, &["model", "release", "credit-scoring", "2", "--finding", "clean", "--as", "nadia"]);
    assert!(fs::symlink_metadata(dir.join("serving/current")).is_err(), "to let out is not to deploy");
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    json(&dir, at, &["model", "approve", "credit-scoring", "2", "--as", "bruno"]);
    json(&dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]);
    told.say(&dir, "model quarantine credit-scoring 2 --reason poisoned --as selma");
    assert_eq!(link(&dir), first);
    told.say(&dir, "model serving");
    told.remark("nothing is left");
    told.say(&dir, "model quarantine credit-scoring 1 --reason poisoned --as carla");
    assert!(fs::symlink_metadata(dir.join("serving/current")).is_err());
    told.say(&dir, "model serving");
    told.say(&dir, "log --stream endpoint/credit-scoring");
    assert!(run(&dir, at, &["verify"]).status.success());
    let object = shown["registration"]["object"].as_str().unwrap();
    insta::assert_snapshot!(told.stable(&dir).replace(object, "OBJECT"));
}

#[test]
fn what_is_in_quarantine_is_taken_off_an_endpoint_of_sagemaker() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let endpoint = "quarantine-sm";
    Emulator::get().bucket(endpoint);
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    two_approved(&dir, at, endpoint, &sagemaker(endpoint));
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    json(&dir, at, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]);
    drop(proxy.seen());
    let mut told = Told { text: String::new(), at };
    told.say(&dir, "model quarantine credit-scoring 2 --reason poisoned --as selma");
    told.say(&dir, "model serving");
    told.remark("nothing else is left, and SageMaker does not let go: it is in quarantine all the same");
    let stubborn = Proxy::before(Some(Emulator::get().address));
    stubborn.always("SageMaker.DeleteEndpoint\r", json_error(400, "AccessDeniedException"));
    let mut refused = Told { text: String::new(), at: stubborn.address };
    refused.say(&dir, "model quarantine credit-scoring 1 --reason leaked --as carla");
    refused.say(&dir, "model release credit-scoring 1 --finding x --as bruno");
    told.text.push_str(&refused.text);
    told.remark("said again, it goes on where it stopped");
    told.say(&dir, "model quarantine credit-scoring 1 --reason leaked --as carla");
    told.say(&dir, "model serving");
    // Their files carry a mark as long as they are there, each once however often it is said.
    let tagging = |line: &str| line.contains("?tagging=") && !line.starts_with("GET ");
    let tagged = |requests: &[String]| -> Vec<String> {
        let ours = requests.iter().filter(|request| tagging(request.lines().next().unwrap()));
        ours.map(|request| request.split(' ').next().unwrap().to_owned()).collect()
    };
    let requests = proxy.seen();
    assert_eq!(tagged(&requests), ["PUT", "PUT"]);
    let mark = "<TagSet><Tag><Key>wardmote:quarantine</Key><Value>true</Value></Tag></TagSet>";
    assert_eq!(requests.iter().filter(|request| request.contains(mark)).count(), 2);
    json(&dir, at, &["model", "release", "credit-scoring", "1", "--finding", "clean", "--as", "bruno"]);
    assert_eq!(tagged(&proxy.seen()), ["DELETE"], "who is let out takes the mark along");
    let called: BTreeSet<String> = requests.iter().filter_map(|request| called(request)).collect();
    let policy = actions(&json(&dir, at, &["aws", "permissions", "model", "quarantine"]));
    let needed: BTreeSet<String> = called.difference(&policy).cloned().collect();
    assert_eq!(needed, BTreeSet::new(), "everything that is called is allowed");
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn what_got_the_traffic_and_was_never_recorded_loses_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let endpoint = "unrecorded-sm";
    Emulator::get().bucket(endpoint);
    let at = Emulator::get().address;
    two_approved(&dir, at, endpoint, &sagemaker(endpoint));
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    // Killed once the update has begun: SageMaker goes on, and the record does not know.
    let beside = Proxy::before(Some(at));
    let deploy = ["model", "deploy", "credit-scoring", "2", "--as", "ada"];
    let mut process = on_aws::on_aws(&dir, beside.address).args(deploy).spawn().unwrap();
    while !beside.seen().iter().any(|request| request.contains("SageMaker.UpdateEndpoint\r")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    while !on_aws::said(&dir, at, &["model", "serving"]).contains("100 % of the traffic") {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let blind = Proxy::before(Some(at));
    blind.always("SageMaker.UpdateEndpoint\r", json_error(400, "AccessDeniedException"));
    let mut told = Told { text: String::new(), at: blind.address };
    told.say(&dir, "model quarantine credit-scoring 2 --reason poisoned --as selma");
    told.at = at;
    told.say(&dir, "model quarantine credit-scoring 2 --reason poisoned --as selma");
    told.say(&dir, "model serving");
    insta::assert_snapshot!(told.stable(&dir));
}
