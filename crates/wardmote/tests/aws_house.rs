//! A house that keeps its objects in S3 and its keys in KMS: the same commands, over HTTP against the emulator, and
//! what each of them may need there.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "common/served.rs"]
mod served;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, stable, trainer, wardmote};
use on_aws::{actions, json, on_aws, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::proxy::{Fate, Proxy, json_error, xml_error};
use support::{Emulator, outlets, script};

const PLACES: [&str; 4] = ["--objects", "s3://BUCKET/house/", "--keys", "kms:alias/BUCKET/"];

fn places(bucket: &str) -> Vec<String> {
    PLACES.iter().map(|word| word.replace("BUCKET", bucket)).collect()
}

/// A house whose objects and keys are behind `address`; not founded yet.
fn house(dir: &Path, address: SocketAddr, bucket: &str) {
    Emulator::get().bucket(bucket);
    let (trainer, places) = (trainer(), places(bucket));
    let mut words = vec!["init", "--trainer", trainer.to_str().unwrap()];
    words.extend(places.iter().map(String::as_str));
    json(dir, address, &words);
}

/// The IAM action of a request.
fn action(request: &str) -> String {
    if let Some((_, rest)) = request.split_once("TrentService.") {
        return format!("kms:{}", rest.split("\r\n").next().unwrap());
    }
    if request.contains("AWSEvents.PutEvents") {
        return "events:PutEvents".to_owned();
    }
    if request.contains("SageMaker.StartPipelineExecution") {
        return "sagemaker:StartPipelineExecution".to_owned();
    }
    for (service, name) in
        [("cloudwatch", "PutMetricData"), ("cloudwatch", "PutMetricAlarm"), ("sns", "Publish")]
    {
        if request.contains(&format!("Action={name}&")) {
            return format!("{service}:{name}");
        }
    }
    let line = request.lines().next().unwrap();
    let name = match line.split(' ').next().unwrap() {
        "PUT" => "PutObject",
        "GET" if line.contains("list-type=2") => "ListBucket",
        "GET" => "GetObject",
        "DELETE" => "DeleteObject",
        other => panic!("`{other}` is not expected"),
    };
    format!("s3:{name}")
}

/// Files of a folder, by their paths in it.
fn files(dir: &Path, within: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(within).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files(dir, &entry.path(), found);
        } else {
            found.push(entry.path().strip_prefix(dir).unwrap().display().to_string());
        }
    }
}

/// What commands need for programs at gates and for emergencies, which the charter of the example does not have.
const BESIDE: [(&str, &str); 4] = [
    ("model validate", "s3:PutObject"),
    ("model approve", "kms:Decrypt"),
    ("model deploy", "s3:PutObject"),
    ("model deploy", "kms:Sign"),
];

#[test]
fn each_command_calls_what_its_policy_allows_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    house(&dir, at, "commands");
    assert!(proxy.seen().is_empty(), "`init` calls nobody");
    let file = example().join("german-credit.csv").display().to_string();
    let out = dir.join("out").display().to_string();
    let snapshot = |dataset: &str| {
        let list = json(&dir, at, &["data", "list"]);
        let found = list.as_array().unwrap().iter().find(|one| one["dataset"] == dataset).unwrap().clone();
        found["name"].as_str().unwrap().to_owned()
    };
    let check = |words: &[&str], name: &str| {
        proxy.seen();
        json(&dir, at, words);
        let called: BTreeSet<String> = proxy.seen().iter().map(|request| action(request)).collect();
        let mut words = vec!["aws", "permissions"];
        words.extend(name.split(' '));
        let mut allowed = actions(&json(&dir, at, &words));
        // What cannot be seen in one run that goes well: the check that an absent object is absent, tags of a new key,
        // the ways out when a key cannot be named or parts cannot be put together, reading what a put finds there.
        for unseen in
            ["s3:ListBucket", "s3:AbortMultipartUpload", "kms:TagResource", "kms:ScheduleKeyDeletion"]
        {
            allowed.remove(unseen);
        }
        let mut missed: Vec<&String> = allowed.difference(&called).collect();
        missed.retain(|action| !(name == "apply" && *action == "s3:GetObject"));
        // `disable` and `enable` are one use of the port.
        missed.retain(|action| !matches!(action.as_str(), "kms:EnableKey" | "kms:DisableKey"));
        missed.retain(|action| !BESIDE.contains(&(name, action.as_str())));
        assert!(called.is_subset(&allowed), "`{name}` calls {called:?}, and may {allowed:?}");
        assert!(missed.is_empty(), "`{name}` may {missed:?}, and does not");
    };
    check(&["apply", "--as", "carla"], "apply");
    check(&["plan"], "plan");
    check(&["data", "import", "credit-raw", &file, "--as", "diego"], "data import");
    check(&["data", "pseudonymise", "credit-training", "--as", "diego"], "data pseudonymise");
    check(&["data", "list"], "data list");
    let training = snapshot("credit-training");
    check(&["data", "read", &training, "--out", &out, "--as", "wardmote-automation"], "data read");
    check(&["model", "train", "credit-scoring", "--as", "ada"], "model train");
    check(&["model", "validate", "credit-scoring", "1", "--as", "ada"], "model validate");
    check(&["model", "approve", "credit-scoring", "1", "--as", "bruno"], "model approve");
    check(&["model", "deploy", "credit-scoring", "1", "--as", "ada"], "model deploy");
    check(&["model", "list"], "model list");
    check(&["model", "show", "credit-scoring", "1"], "model show");
    check(
        &["model", "export", "credit-scoring", "1", "--out", &out_dir(&dir), "--as", "priya"],
        "model export",
    );
    check(&["card", "credit-scoring", "--as", "priya"], "card");
    check(&["history", "--model", "credit-scoring"], "history");
    check(&["key", "list"], "key list");
    check(&["key", "disable", "credit-data", "--as", "selma"], "key disable");
    check(&["key", "enable", "credit-data", "--as", "selma"], "key enable");
    check(&["key", "rotate", "credit-data", "--as", "selma"], "key rotate");
    check(&["credential", "issue", "ada", "--as", "carla"], "credential issue");
    check(&["verify"], "verify");
    check(&["log"], "log");

    let mut found = Vec::new();
    files(&dir, &dir, &mut found);
    let strays: Vec<_> =
        found.iter().filter(|name| name.starts_with("keys/") || name.starts_with("objects/")).collect();
    assert!(strays.is_empty(), "keys and objects are on AWS, not in the folder: {strays:?}");
}

fn out_dir(dir: &Path) -> String {
    dir.join("exported").display().to_string()
}

#[test]
fn the_whole_story_on_aws() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let proxy = Proxy::before(Some(Emulator::get().address));
    Emulator::get().bucket("story");
    let topic = outlets("make", Emulator::get().address, "story");
    let (trainer, places) = (trainer(), places("story"));
    let mut words = vec!["--json", "demo", "--trainer", trainer.to_str().unwrap()];
    words.extend(places.iter().map(String::as_str));
    words.extend(["--metrics", "Wardmote/story", "--alerts", topic.trim(), "--events", "story"]);
    script("pipelines.py", "make", Emulator::get().address, "story");
    words.extend(["--retraining", "story"]);
    let output = run(&dir, proxy.address, &words);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(end["finished"], true);

    let seen = proxy.seen();
    let called: BTreeSet<String> = seen.iter().map(|request| action(request)).collect();
    let allowed = actions(&json(&dir, proxy.address, &["aws", "permissions", "demo"]));
    assert!(called.is_subset(&allowed), "{called:?} within {allowed:?}");
    for request in seen.iter().filter(|request| request.starts_with("PUT ")) {
        assert!(request.starts_with("PUT /story/house/"), "{request}");
        assert!(request.contains("x-amz-server-side-encryption: aws:kms\r\n"), "encrypted once more by S3");
        assert!(!request.contains("critical account/ other credits"), "plain data left the house");
    }
    // The folder has nothing left but the record: what was decided, what may act, what waits to be sealed.
    let mut found = Vec::new();
    files(&dir, &dir, &mut found);
    assert!(
        found.iter().all(|name| !name.starts_with("keys/") && !name.starts_with("objects/")),
        "{found:?}"
    );
    let report = json(&dir, proxy.address, &["verify"]);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report}");
    let served = json(&dir, proxy.address, &["history", "--model", "credit-scoring"]);
    assert_eq!(
        (&served["serving"]["version"], &served["serving"]["how"]),
        (&2.into(), &"rolled_back_to".into())
    );
    signals_arrived(&dir, &proxy);
}

/// All alerts of the story, the figures of both versions, and an alarm for each rule of the charter.
fn signals_arrived(dir: &Path, proxy: &Proxy) {
    let at = proxy.address;
    proxy.seen();
    let mut all = said(dir, at, &["aws", "alarms"]);
    assert!(!proxy.seen().iter().any(|request| request.contains("PutMetricAlarm")), "only shown");
    json(dir, at, &["aws", "alarms", "--put"]);
    let called: BTreeSet<String> = proxy.seen().iter().map(|request| action(request)).collect();
    let allowed = actions(&json(dir, at, &["aws", "permissions", "aws", "alarms"]));
    assert!(called.is_subset(&allowed), "{called:?} within {allowed:?}");
    let arrived: Value = serde_json::from_str(&outlets("read", Emulator::get().address, "story")).unwrap();
    let texts = |list: &str, path: &str| -> Vec<String> {
        let list = arrived[list].as_array().unwrap().iter();
        list.map(|one| one.pointer(path).unwrap().as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("topic", "/attributes/did"), ["retrained", "notified", "notified", "rolled_back"]);
    assert_eq!(texts("bus", "/detail/did"), ["retrained", "notified", "notified", "rolled_back"]);
    let started = script("pipelines.py", "read", Emulator::get().address, "story");
    let started: Value = serde_json::from_str(&started).unwrap();
    assert_eq!(started["pipeline"].as_array().unwrap().len(), 1, "once, for the one alert that retrains");
    let log = json(dir, at, &["log", "--limit", "100000"]);
    let known: BTreeSet<&str> =
        log.as_array().unwrap().iter().map(|entry| entry["evidence"].as_str().unwrap()).collect();
    for evidence in texts("bus", "/detail/evidence/0") {
        assert!(known.contains(evidence.as_str()), "{evidence} is in the ledger");
    }
    let metrics = arrived["metrics"].as_array().unwrap().iter();
    let versions: BTreeSet<&str> = metrics
        .filter(|metric| metric["name"] == "model_accuracy")
        .filter_map(|metric| metric["dimensions"]["Version"].as_str())
        .collect();
    assert_eq!(versions, BTreeSet::from(["2", "3"]));
    let look = ["monitor", "credit-scoring", "--look-only", "--as", "wardmote-automation"];
    let line = run(dir, at, &[&look as &[&str], &["--emf", "Wardmote/story"]].concat());
    let line: Value = serde_json::from_slice(&line.stdout).unwrap();
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Wardmote/story");
    assert_eq!((&line["Model"], &line["Version"]), (&"credit-scoring".into(), &"2".into()));
    proxy.always("Action=PutMetricData", xml_error(403, "AccessDenied"));
    let output = run(dir, at, &look);
    assert!(!output.stdout.is_empty(), "the answer comes all the same");
    all.push_str(&String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!(stable(dir, &all));
    assert_eq!(output.status.code(), Some(8));
}

#[test]
fn a_house_goes_on_when_every_call_fails_once() {
    let file = example().join("german-credit.csv").display().to_string();
    // Each fault of each call is in the tests of the adapters; here it is the commands that go on.
    let troubles = [xml_error(503, "SlowDown"), Fate::Lost];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("house");
        let proxy = Proxy::before(Some(Emulator::get().address));
        house(&dir, proxy.address, &format!("every-call-{n}"));
        // What may have been made is not made again, so the two calls that make something are spared.
        proxy.fail_each_once(trouble, &[".CreateKey\r", ".RotateKeyOnDemand\r"]);
        json(&dir, proxy.address, &["apply", "--as", "carla"]);
        json(&dir, proxy.address, &["data", "import", "credit-raw", &file, "--as", "diego"]);
        json(&dir, proxy.address, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
        assert_eq!(json(&dir, proxy.address, &["key", "list"]).as_array().unwrap().len(), 2);
        assert!(run(&dir, proxy.address, &["verify"]).status.success());
    }
}

#[test]
fn what_aws_refuses_is_told_and_nothing_is_recorded_as_done() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    house(&dir, at, "refusals");
    json(&dir, at, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv").display().to_string();
    let import = ["data", "import", "credit-raw", file.as_str(), "--as", "diego"];
    let mut all = String::new();
    // The charter is read first; then a data key is made; then the snapshot is put.
    proxy.next([Fate::Pass, json_error(400, "DisabledException")]);
    all.push_str(&said(&dir, at, &import));
    proxy.next([Fate::Pass, json_error(400, "AccessDeniedException")]);
    all.push_str(&said(&dir, at, &import));
    proxy.next([Fate::Pass, Fate::Pass, xml_error(403, "AccessDenied")]);
    all.push_str(&said(&dir, at, &import));
    proxy.next([xml_error(404, "NoSuchBucket")]);
    all.push_str(&said(&dir, at, &["data", "list"]));
    proxy.next([Fate::Reset, Fate::Reset, Fate::Reset]);
    all.push_str(&said(&dir, at, &["data", "list"]));
    assert_eq!(json(&dir, at, &["data", "list"]).as_array().unwrap().len(), 0);
    assert!(run(&dir, at, &["verify"]).status.success());
    // What the record rests on cannot be read: that is not said to be whole.
    let page = Fate::Answer(200, String::new(), "<html>sign in first</html>".to_owned());
    for trouble in [page, Fate::Reset] {
        proxy.always("GET /", trouble);
        // Whose root is another each time.
        let text = said(&dir, at, &["verify"]);
        all.extend(text.split_inclusive('\n').filter(|line| !line.starts_with("the ledger")));
        assert_eq!(run(&dir, at, &["verify"]).status.code(), Some(8));
        proxy.calm();
    }
    insta::assert_snapshot!(stable(&dir, &all));
}

#[test]
fn a_key_disabled_in_kms_closes_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at = Emulator::get().address;
    house(&dir, at, "disabled");
    json(&dir, at, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv").display().to_string();
    let made = json(&dir, at, &["data", "import", "credit-raw", &file, "--as", "diego"]);
    let snapshot = made["name"].as_str().unwrap();
    json(&dir, at, &["key", "disable", "credit-data", "--as", "selma"]);
    insta::assert_snapshot!(stable(&dir, &said(&dir, at, &["data", "read", snapshot, "--as", "diego"])));
    json(&dir, at, &["key", "enable", "credit-data", "--as", "selma"]);
    assert!(run(&dir, at, &["data", "read", snapshot, "--as", "diego"]).status.success());
}

#[test]
fn the_smallest_policies() {
    let folder = tempfile::tempdir().unwrap();
    let at = Emulator::get().address;
    let dir = folder.path().join("house");
    let key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let mut init = vec!["init", "--objects-key", key, "--bucket-owner", "123456789012"];
    let places = places("bank");
    init.extend(places.iter().map(String::as_str));
    json(&dir, at, &init);
    let mut all = String::new();
    for words in [
        &["data", "import"] as &[&str],
        &["apply"],
        &["model", "approve"],
        &["key", "rotate"],
        &["data", "list"],
        &["verify"],
        &["iam", "who-can"],
        &["iam", "what-can"],
        &["model"],
        &["modle", "train"],
        &["aws", "registry"],
        &[],
        &["data", "import", "--administration"],
    ] {
        all.push_str(&said(&dir, at, &[&["aws", "permissions"], words].concat()));
    }
    // With another caller for keys, each has a policy of its own.
    let apart = folder.path().join("apart");
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), "[profile security]\nregion = eu-central-1\n").unwrap();
    init.extend(["--administration-profile", "security"]);
    json(&apart, at, &init);
    all.push_str(&said(&apart, at, &["aws", "permissions", "apply"]));
    all.push_str(&said(&apart, at, &["aws", "permissions", "apply", "--administration"]));
    // In the embedded default nobody is called.
    let embedded = folder.path().join("embedded");
    all.push_str(&said(&embedded, at, &["aws", "permissions", "model", "train"]));
    insta::assert_snapshot!(all);
}

#[test]
fn who_calls_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at = Emulator::get().address;
    let mut all = said(&dir, at, &["aws", "identity"]);
    let output = on_aws(&dir, at)
        .args(["aws", "identity", "--json"])
        .env("AWS_ENDPOINT_URL_KMS", "https://vpce-1.kms.eu-central-1.vpce.amazonaws.com")
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
        .output()
        .unwrap();
    all.push_str(&String::from_utf8_lossy(&output.stdout).replace(&at.to_string(), "ENDPOINT"));
    let role = "arn:aws:iam::123456789012:role/ml-training";
    let at_role = folder.path().join("role");
    json(&at_role, at, &["init", "--role", role, "--session-tag", "role=ml-training"]);
    let caller = json(&at_role, at, &["aws", "identity"])["arn"].clone();
    assert!(caller.as_str().unwrap().contains(":assumed-role/ml-training/"), "{caller}");
    let nobody = wardmote(&dir)
        .args(["aws", "identity"])
        .envs(support::bare(at))
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("HOME", folder.path())
        .output()
        .unwrap();
    all.push_str(&String::from_utf8_lossy(&nobody.stderr));
    for secret in [support::SECRET, support::TOKEN] {
        assert!(!all.contains(secret));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn calls_are_traced_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, trace, at) =
        (folder.path().join("house"), folder.path().join("trace"), Emulator::get().address);
    house(&dir, at, "traced");
    json(&dir, at, &["apply", "--as", "carla"]);
    let mut command = on_aws(&dir, at);
    command.env("WARDMOTE_AWS_TRACE", &trace);
    let server = served::Server::of(command, &[]);
    let (status, _, body) = server.ask(("GET", "/metrics"), &[], b"");
    let counted = String::from_utf8(body).unwrap();
    assert_eq!(status, 200);
    assert!(counted.contains("\nwardmote_invocations_total 0\n"), "{counted}");
    let mine =
        |line: &&str| line.starts_with("wardmote_aws_calls_total{service=\"s3\",operation=\"GetObject\"");
    let found: Vec<_> = counted.lines().filter(mine).collect();
    assert!(matches!(found[..], [line] if line.contains("outcome=\"ok\"}")), "{counted}");
    drop(server);
    let text = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_objects = |line: &&Value| line["operation"] == "GetObject";
    let line = lines.iter().find(of_objects).unwrap();
    assert_eq!(
        (&line["service"], &line["region"], &line["attempt"], &line["outcome"]),
        (&"s3".into(), &"eu-central-1".into(), &1.into(), &"ok".into())
    );
    assert!(
        line["elapsed_ms"].as_f64().unwrap() > 0.0 && line["time"].as_str().unwrap().ends_with('Z'),
        "{line}"
    );
    assert!(!text.contains(support::SECRET) && !text.contains(support::TOKEN));
    let mut wrong = on_aws(&dir, at);
    let wrong = wrong.env("WARDMOTE_AWS_TRACE", "/nowhere/trace").args(["aws", "identity"]).output().unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&wrong.stderr), @r"
    error: cannot write the trace `/nowhere/trace`: entity not found
      help: set WARDMOTE_AWS_TRACE to a file in a folder that is there, to `-`, or unset it
    ");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at = Emulator::get().address;
    let role = "arn:aws:iam::123456789012:role/security";
    let keys = ["--keys", "kms:alias/bank/"];
    let mut all = String::new();
    for words in [
        &["init", "--objects", "bank"] as &[&str],
        &["init", "--objects", "s3://Bank/"],
        &["init", "--objects", "s3://bank/../x/"],
        &["init", "--keys", "kms:bank"],
        &["init", "--keys", "kms:alias/aws/x"],
        &["init", "--bucket-owner", "123456789012"],
        &["init", "--objects", "s3://bank/", "--bucket-owner", "12"],
        &["init", "--objects", "s3://bank/", "--region", "Frankfurt"],
        &[&["init"], &keys as &[&str], &["--key-administrator", role, "--key-user", role]].concat(),
        &[&["init"], &keys as &[&str], &["--administration-profile", "security"]].concat(),
        &["init", "--metrics", "AWS/bank"],
        &["init", "--alerts", "arn:aws:sqs:eu-central-1:123456789012:queue"],
        &["init", "--events", "my bus"],
        &["init", "--retraining", "my pipeline"],
        &["init", "--session-tag", "role=ml-training"],
        &["init", "--role", role, "--session-tag", "ml-training"],
        &["init", "--role", "arn:aws:iam::123456789012:user/ada"],
        &["init", "--objects", "s3://bank/", "--objects-key", role],
        &["aws", "alarms", "--period-seconds", "90"],
    ] {
        all.push_str(&said(&dir, at, words));
    }
    assert!(!dir.exists(), "nothing was written");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("house.json"), "{\"objects\": {\"place\": \"s3://bank/\", \"kmskey\": \"x\"}}")
        .unwrap();
    all.push_str(&said(&dir, at, &["aws", "permissions"]));
    std::fs::write(dir.join("house.json"), "{\"objects\": {\"place\": \"s3://bank/\"}}").unwrap();
    all.push_str(&said(&dir, at, &["init", "--objects", "s3://other/"]));
    insta::assert_snapshot!(all);
}

/// What `locks.py` prints.
fn locks(what: &str, bucket: &str) -> String {
    let url = format!("http://{}", Emulator::get().address);
    let script = support::folder().join("locks.py");
    let output = Command::new(support::python()).arg(script).args([what, &url, bucket]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_archive_is_locked_continued_and_binds() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    common::founded(&dir);
    locks("make", "archive");
    let place = ["aws", "archive", "s3://archive/ledger", "--retain-days", "3650"];
    let allowed = actions(&json(&dir, at, &[&place as &[&str], &["--permissions"]].concat()));
    let first = json(&dir, at, &place);
    assert_eq!(first["put"].as_u64().unwrap(), first["files"].as_u64().unwrap() + 1, "and the key");
    json(&dir, at, &["credential", "issue", "ada", "--as", "carla"]);
    let second = json(&dir, at, &place);
    assert!(second["entries"].as_u64() > first["entries"].as_u64());
    proxy.seen();
    assert_eq!(json(&dir, at, &[&place as &[&str], &["--compare"]].concat())["put"], 0);
    let seen = proxy.seen();
    let called: BTreeSet<String> = seen.iter().map(|request| action(request)).collect();
    assert!(
        called.is_subset(&allowed) && allowed.contains("s3:PutObjectRetention"),
        "{called:?} within {allowed:?}"
    );
    assert!(
        !seen.iter().any(|request| request.starts_with("PUT /archive/ledger/checkpoint ")),
        "nothing is new"
    );

    // Every version of every file is locked, and nobody can delete one.
    let shown: Value = serde_json::from_str(&locks("show", "archive")).unwrap();
    let shown = shown.as_object().unwrap();
    assert_eq!(shown["ledger/checkpoint"].as_array().unwrap().len(), 2, "the earlier one is kept");
    for version in shown.values().flat_map(|versions| versions.as_array().unwrap()) {
        assert_eq!(*version, serde_json::json!(["COMPLIANCE", false]));
    }
    // The copy is what an export is.
    let export = folder.path().join("export");
    json(&dir, at, &["log", "export", "--tiles", export.to_str().unwrap()]);
    let mut exported = Vec::new();
    files(&export, &export, &mut exported);
    assert!(exported.len() >= 4 && exported.iter().all(|name| shown.contains_key(&format!("ledger/{name}"))));

    // Another ledger is not put over it, nor an archive where no lock can be.
    let other = folder.path().join("other");
    common::founded(&other);
    let mut all = said(&other, at, &place);
    Emulator::get().bucket("unlocked");
    all.push_str(&said(&other, at, &["aws", "archive", "s3://unlocked/", "--retain-days", "1"]));
    all.push_str(&said(&other, at, &["aws", "archive", "s3://unlocked/", "--retain-days", "0"]));
    all.push_str(&said(&other, at, &["aws", "archive", "s3://unlocked/"]));
    for (n, trouble) in [xml_error(503, "SlowDown"), Fate::Lost, Fate::Half].into_iter().enumerate() {
        proxy.fail_each_once(trouble, &[]);
        let place = format!("s3://unlocked/trouble-{n}/");
        json(&other, at, &["aws", "archive", &place]);
        assert_eq!(json(&other, at, &["aws", "archive", &place, "--compare"])["put"], 0);
    }
    let left = std::fs::read_dir(&other).unwrap().flatten();
    assert!(!left.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with("archive")));
    // The emulator makes up ids of requests.
    let all: String = all
        .split('`')
        .map(|part| if part.len() > 50 && !part.contains(' ') { "ID" } else { part })
        .collect::<Vec<_>>()
        .join("`");
    insta::assert_snapshot!(stable(&other, &all));
}
