//! Models that serve elsewhere than on the house's gateway: from a folder, and on an endpoint of SageMaker.
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

use candidate::with_candidate;
use elsewhere::{Told, called, link, sagemaker, serving_on, two_approved};
use on_aws::{actions, json, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use support::proxy::{Fate, Proxy, json_error};
use support::{Emulator, script};
use world::Clock;

#[test]
fn a_folder_serves_what_the_record_says() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at: SocketAddr = ([127, 0, 0, 1], 9).into();
    two_approved(&dir, at, "credit-scoring", "{directory: {path: serving}}");
    let mut told = Told { text: String::new(), at };
    told.say(&dir, "model serving");
    told.say(&dir, "model deploy credit-scoring 1 --as ada");
    let first = link(&dir);
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    let second = link(&dir);
    assert_ne!(first, second);
    let exported = folder.path().join("exported");
    json(
        &dir,
        at,
        &["model", "export", "credit-scoring", "2", "--out", exported.to_str().unwrap(), "--as", "ada"],
    );
    assert_eq!(
        fs::read(dir.join("serving/current/model.onnx")).unwrap(),
        fs::read(exported.join("artefact/model.onnx")).unwrap(),
        "byte for byte what was signed"
    );
    told.say(&dir, "model serving");

    told.remark("somebody leads it back to version 1 by hand");
    let by_hand = |target: &str| {
        fs::remove_file(dir.join("serving/current")).unwrap();
        std::os::unix::fs::symlink(target, dir.join("serving/current")).unwrap();
    };
    by_hand(&first);
    told.say(&dir, "model serving credit-scoring");
    told.say(&dir, "model serving --record --as ada");
    told.say(&dir, "model serving --record --as ada");
    told.say(&dir, "incident list");
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    assert_eq!(link(&dir), second);
    told.say(&dir, "incident list");

    told.remark("somebody changes the files");
    let file = dir.join("serving/current/model.onnx");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, b"another model").unwrap();
    told.say(&dir, "model serving credit-scoring");
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    fs::write(&file, whole).unwrap();

    told.remark("back to version 1, and a crash that left a link undone");
    told.say(&dir, "model rollback credit-scoring --reason errors --as ada");
    assert_eq!(link(&dir), first);
    told.say(&dir, "model serving credit-scoring --prune --as ada");
    fs::remove_file(dir.join("serving/current")).unwrap();
    told.say(&dir, "model serving credit-scoring");
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    told.say(&dir, "log --stream endpoint/credit-scoring");
    told.say(&dir, "verify");
    insta::assert_snapshot!(told.stable(&dir));
}

fn somebody(what: &str, endpoint: &str) {
    script("somebody.py", what, Emulator::get().address, &format!("{endpoint}|none|{endpoint}"));
}

fn alarm(what: &str, endpoint: &str) {
    script("alarm.py", what, Emulator::get().address, &format!("{endpoint}-5xx"));
}

#[test]
fn an_endpoint_of_sagemaker_serves_what_the_record_says() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let endpoint = "story-sm";
    Emulator::get().bucket(endpoint);
    alarm("quiet", endpoint);
    two_approved(&dir, proxy.address, endpoint, &sagemaker(endpoint));
    let mut told = Told { text: String::new(), at: proxy.address };
    drop(proxy.seen());
    told.say(&dir, "model deploy credit-scoring 1 --as ada");
    told.say(&dir, "model serving");

    told.remark("an alarm goes off while traffic goes over to version 2");
    alarm("loud", endpoint);
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    told.say(&dir, "model list");
    told.say(&dir, "model serving");
    alarm("quiet", endpoint);

    told.remark("the wire is cut in the middle; the next run goes on");
    let cut = |proxy: &Proxy| {
        proxy.always("SageMaker.DescribeEndpoint\r", json_error(400, "AccessDeniedException"));
    };
    let beside = Proxy::before(Some(Emulator::get().address));
    beside.always("SageMaker.UpdateEndpoint\r", Fate::Lost);
    let lost = run(&dir, beside.address, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]);
    assert!(
        lost.status.success(),
        "an answer that is lost is looked for: {}",
        String::from_utf8_lossy(&lost.stderr)
    );
    told.say(&dir, "model serving");

    told.remark("what cannot be read is not known");
    let blind = Proxy::before(Some(Emulator::get().address));
    cut(&blind);
    let mut blindly = Told { text: String::new(), at: blind.address };
    blindly.say(&dir, "model serving");
    blindly.say(&dir, "model rollback credit-scoring --reason errors --as ada");
    told.text.push_str(&blindly.text);

    told.remark("the alarm is on, and the way back is open");
    alarm("loud", endpoint);
    told.say(&dir, "model rollback credit-scoring --reason errors --as ada");
    told.say(&dir, "model serving");
    alarm("quiet", endpoint);

    told.remark("somebody updates the endpoint by hand");
    somebody("weights", endpoint);
    // It takes a few looks.
    let until = |word: &str| {
        (0..20).any(|_| {
            let output = run(&dir, proxy.address, &["model", "serving"]);
            String::from_utf8_lossy(&output.stdout).contains(word)
        })
    };
    assert!(until("25 % of the traffic"));
    told.say(&dir, "model serving --record --as ada");
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    told.say(&dir, "log --stream endpoint/story-sm");

    let called: BTreeSet<String> = proxy.seen().iter().filter_map(|request| called(request)).collect();
    let mut policy = actions(&json(&dir, proxy.address, &["aws", "permissions", "model", "deploy"]));
    let needed: BTreeSet<String> = called.difference(&policy).cloned().collect();
    assert_eq!(needed, BTreeSet::new(), "everything that is called is allowed");
    policy.retain(|action| action.starts_with("sagemaker:"));
    told.text.push_str(&format!("{policy:#?}\n"));
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn weights_in_a_folder_are_moved_recorded_and_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at: SocketAddr = ([127, 0, 0, 1], 9).into();
    let on = "{directory: {path: serving, traffic: {weights: {percent: 40, minutes: 0}}}}";
    two_approved(&dir, at, "credit-scoring", on);
    let mut told = Told { text: String::new(), at };
    told.say(&dir, "model deploy credit-scoring 1 --as ada");
    let first = link(&dir).replace("releases/", "");
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    let second = link(&dir).replace("releases/", "");
    let weights = dir.join("serving/weights.json");
    assert!(first != second && !weights.exists());
    told.remark("somebody gives version 1 a share by hand");
    fs::write(&weights, format!("{{\"{first}\": 30, \"{second}\": 70}}")).unwrap();
    told.say(&dir, "model serving --record --as ada");
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    assert!(!weights.exists());
    fs::write(&weights, "thirty").unwrap();
    told.say(&dir, "model serving credit-scoring");
    fs::remove_file(&weights).unwrap();
    let bodies = |line: &Value| line["body"].clone();
    let log = json(&dir, at, &["log", "--stream", "endpoint/credit-scoring"]);
    let moved = log.as_array().unwrap().iter().map(bodies).filter(|body| body["event"]["event"] == "weighed");
    let shares: Vec<u64> = moved.map(|body| body["event"]["percent"].as_u64().unwrap()).collect();
    assert_eq!(shares, [40, 80]);
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn whoever_waits_for_weights_is_told_and_may_stop() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at: SocketAddr = ([127, 0, 0, 1], 9).into();
    let on = "{directory: {path: serving, traffic: {weights: {percent: 30, minutes: 1}}}}";
    two_approved(&dir, at, "credit-scoring", on);
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    let first = link(&dir);
    let weights = dir.join("serving/weights.json");
    let mut told = Told { text: String::new(), at };
    let deploy = ["model", "deploy", "credit-scoring", "2", "--as", "ada"];
    // The same again goes on with the part that it has, and a program that reads the answer is told nothing beside it.
    for words in [&deploy[..], &deploy, &[&["--json"], &deploy[..]].concat()] {
        let file = folder.path().join("said");
        let mut process = on_aws::on_aws(&dir, at)
            .args(words)
            .stdout(std::process::Stdio::null())
            .stderr(fs::File::create(&file).unwrap())
            .spawn()
            .unwrap();
        let quiet = words[0] == "--json";
        let begun = std::time::Instant::now();
        loop {
            let said = fs::read_to_string(&file).unwrap();
            if said.contains("watched for") || (quiet && begun.elapsed().as_secs() > 8) {
                break;
            }
            assert!(process.try_wait().unwrap().is_none(), "it waits for a minute: {said}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // As Ctrl-C does.
        let id = process.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        process.wait().unwrap();
        told.text.push_str(&format!("{}\n", fs::read_to_string(&file).unwrap()));
        let shares: Value = serde_json::from_slice(&fs::read(&weights).unwrap()).unwrap();
        let mut shares: Vec<u64> =
            shares.as_object().unwrap().values().map(|one| one.as_u64().unwrap()).collect();
        shares.sort_unstable();
        assert_eq!((shares, link(&dir)), (vec![30, 70], first.clone()), "it has its part, and no more");
    }
    told.say(&dir, "model serving credit-scoring");
    for version in ["1", "2"] {
        told.places(&dir, version);
    }
    told.say(&dir, "model serving credit-scoring --sync --as ada");
    told.places(&dir, "1");
    told.places(&dir, "2");
    assert!(!weights.exists() && link(&dir) == first, "all of it went back to what is on record");
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn weights_of_sagemaker_are_taken_back_gone_on_with_and_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let (endpoint, proxy) = ("weights-sm", Proxy::before(Some(Emulator::get().address)));
    Emulator::get().bucket(endpoint);
    alarm("quiet", endpoint);
    let on = sagemaker(endpoint)
        .replace("canary: {percent: 10, minutes: 10}", "weights: {percent: 40, minutes: 0}");
    two_approved(&dir, proxy.address, endpoint, &on);
    let mut told = Told { text: String::new(), at: proxy.address };
    json(&dir, proxy.address, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);

    told.remark("an alarm goes off once version 2 has a share");
    let ringing = format!(
        "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms><member><AlarmName>{endpoint}-5xx</AlarmName>\
         <StateValue>ALARM</StateValue></member></MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>"
    );
    proxy.always_of("DescribeAlarms", Fate::Answer(200, String::new(), ringing));
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    told.say(&dir, "model serving");

    told.remark("nobody can say whether one is on");
    proxy.calm();
    proxy.always_of("DescribeAlarms", Fate::Answer(403, String::new(), "<html>no</html>".to_owned()));
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    proxy.calm();

    told.remark("killed while weights are moved: what it has is ours, and what somebody makes of it is not");
    let deploy = ["model", "deploy", "credit-scoring", "2", "--as", "ada"];
    let moved = |proxy: &Proxy| {
        proxy.seen().iter().filter(|request| request.contains("UpdateEndpointWeightsAndCapacities")).count()
    };
    drop(proxy.seen());
    let mut process = on_aws::on_aws(&dir, proxy.address).args(deploy).spawn().unwrap();
    while moved(&proxy) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let until = |word: &str| (0..20).any(|_| said(&dir, proxy.address, &["model", "serving"]).contains(word));
    assert!(until("80 % of the traffic"));
    told.say(&dir, "model serving");
    somebody("weigh", endpoint);
    assert!(until("37 % of the traffic"));
    told.say(&dir, "model serving --record --as ada");

    told.remark("the next run goes on");
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    told.say(&dir, "model serving");
    told.say(&dir, "log --stream endpoint/weights-sm");
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn a_crash_while_traffic_goes_over_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let endpoint = "crash-sm";
    Emulator::get().bucket(endpoint);
    let at = Emulator::get().address;
    two_approved(&dir, at, endpoint, &sagemaker(endpoint));
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    let deploy = ["model", "deploy", "credit-scoring", "2", "--as", "ada"];
    let updated = |proxy: &Proxy| {
        while !proxy.seen().iter().any(|request| request.contains("SageMaker.UpdateEndpoint\r")) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    let mut told = Told { text: String::new(), at };

    told.remark("killed once the update has begun");
    let beside = Proxy::before(Some(at));
    let mut process = on_aws::on_aws(&dir, beside.address).args(deploy).spawn().unwrap();
    updated(&beside);
    process.kill().unwrap();
    process.wait().unwrap();
    while !said(&dir, at, &["model", "serving"]).contains("100 % of the traffic") {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    told.say(&dir, "model serving");
    let again = Proxy::before(Some(at));
    told.at = again.address;
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    let made = again.seen().iter().filter(|request| request.contains("SageMaker.Create")).count();
    assert_eq!(made, 0, "nothing is made twice");
    told.say(&dir, "model rollback credit-scoring --reason errors --as ada");

    told.remark("once the update has begun, the endpoint cannot be read");
    json(&dir, at, &["model", "approve", "credit-scoring", "2", "--as", "bruno"]);
    let blinded = Proxy::before(Some(at));
    let output = std::thread::scope(|scope| {
        let (dir, address) = (&dir, blinded.address);
        let process = scope.spawn(move || run(dir, address, &deploy));
        updated(&blinded);
        blinded.always("SageMaker.DescribeEndpoint\r", json_error(400, "AccessDeniedException"));
        process.join().unwrap()
    });
    told.text.push_str(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(8));
    told.say(&dir, "model list");
    while said(&dir, at, &["model", "serving"]).contains("UNKNOWN") {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    told.say(&dir, "model deploy credit-scoring 2 --as ada");
    told.say(&dir, "model serving");
    insta::assert_snapshot!(told.stable(&dir));
}

#[test]
fn what_broke_the_glass_stops_serving_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at: SocketAddr = ([127, 0, 0, 1], 9).into();
    with_candidate(&dir, |text| serving_on(text, "credit-scoring", "{directory: {path: serving}}"));
    let until = local::SystemClock.now().plus_seconds(5).to_string();
    let words = [
        "model",
        "deploy",
        "credit-scoring",
        "1",
        "--break-glass",
        "--reason",
        "fire",
        "--until",
        &until,
        "--as",
        "ada",
    ];
    json(&dir, at, &words);
    assert!(dir.join("serving/current/model.onnx").is_file());
    let mut serve = common::wardmote(&dir)
        .args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let gone = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        !dir.join("serving/current").exists()
    });
    drop(serve.stdin.take());
    serve.wait().unwrap();
    assert!(gone, "it went when its time was over");
    insta::assert_snapshot!(said(&dir, at, &["model", "serving"]), @r"
    $ wardmote model serving
    credit-scoring at `credit-scoring` on a directory: nothing serves in the record, and there
    exit 0
    ");
}

#[test]
fn an_approval_that_is_taken_back_meanwhile_takes_the_traffic_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let endpoint = "meanwhile-sm";
    Emulator::get().bucket(endpoint);
    let at = Emulator::get().address;
    two_approved(&dir, at, endpoint, &sagemaker(endpoint));
    json(&dir, at, &["model", "deploy", "credit-scoring", "1", "--as", "ada"]);
    // The endpoint takes some looks, with a second and more between them, and Bruno has second thoughts.
    let slow = Proxy::before(Some(at));
    let deploying = std::thread::scope(|scope| {
        let address = slow.address;
        let dir = &dir;
        let deploy = scope
            .spawn(move || run(dir, address, &["model", "deploy", "credit-scoring", "2", "--as", "ada"]));
        while !slow.seen().iter().any(|request| request.contains("SageMaker.UpdateEndpoint\r")) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        json(
            dir,
            at,
            &["model", "revoke-approval", "credit-scoring", "2", "--reason", "doubts", "--as", "bruno"],
        );
        deploy.join().unwrap()
    });
    assert_eq!(deploying.status.code(), Some(3), "{}", String::from_utf8_lossy(&deploying.stderr));
    let mut told = Told { text: String::new(), at };
    told.say(&dir, "model serving");
    let log = run(&dir, at, &["log", "--stream", "endpoint/meanwhile-sm", "--json"]);
    let reasons: Vec<Value> = String::from_utf8_lossy(&log.stdout)
        .lines()
        .flat_map(|line| serde_json::from_str::<Value>(line).ok())
        .collect();
    assert!(
        serde_json::to_string(&reasons).unwrap().contains("refused while it was shifted, and taken back")
    );
    insta::assert_snapshot!(told.stable(&dir));
}
