//! `wardmote watch` on an account in the emulator: what gets worse is an incident, once, whatever breaks on the way; what is
//! better closes it, and nothing else does.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/on_aws.rs"]
mod aws_house;
mod common;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use aws_house::{House, on_aws, text};
use common::stable;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::proxy::{Fate, Proxy, json_error, xml_error};
use support::{Emulator, script};

/// Only what the tests change, so that a round is short.
const SCOPE: [&str; 4] = ["--control", "S3-02", "--name", "watched*"];

impl House {
    /// What a command says and how it ends, without what differs from run to run.
    fn said(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = text(&output).replace(&self.address.to_string(), "ENDPOINT");
        let code = output.status.code().unwrap();
        let said: Vec<String> = stable(&self.dir(), &said).lines().map(timeless).collect();
        format!("$ wardmote {}\n{}\nexit {code}\n\n", words.join(" "), said.join("\n"))
    }

    /// The rounds of one run that ends by itself.
    fn once(&self, more: &[&str]) -> Vec<Value> {
        let words = ["--json", "watch", "--once", "--as", "selma"];
        let output = on_aws(&self.dir(), self.address).args(words).args(SCOPE).args(more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn watch(&self, queue: &str) -> Child {
        let words = ["watch", "--every", "168h", "--as", "selma", "--queue", queue];
        let mut command = on_aws(&self.dir(), self.address);
        command.args(words).args(SCOPE).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn open(&self) -> Vec<Value> {
        self.json(&["incident", "list"]).as_array().unwrap().clone()
    }

    fn all(&self) -> Vec<Value> {
        self.json(&["incident", "list", "--all"]).as_array().unwrap().clone()
    }

    /// Waits until it is so.
    fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(40);
        while !is(self) {
            assert!(Instant::now() < end, "{what} did not happen: {:#?}", self.all());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A line without the time of the day.
fn timeless(line: &str) -> String {
    let word = |word: &str| match word.strip_prefix("DATET") {
        Some(rest) => format!("DATE{}", if rest.ends_with(':') { ":" } else { "" }),
        None => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn account(what: &str, names: &str) -> String {
    script("watch.py", what, Emulator::get().address, names).trim().to_owned()
}

fn left(queue: &str) -> u32 {
    account("left", queue).parse().unwrap()
}

fn terminate(mut child: Child) -> Option<i32> {
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap().code()
}

#[test]
fn an_event_opens_an_incident_and_the_mended_account_closes_it() {
    let house = House::founded();
    account("bucket", "watched-a");
    let queue = account("queue", "told");
    assert_eq!(house.once(&[])[0]["opened"], serde_json::json!([]));
    let watch = house.watch(&queue);
    account("open", "watched-a");
    account("event", "told|watched-a|DeletePublicAccessBlock");
    // The same again, and one of something else.
    account("event", "told|watched-a|DeletePublicAccessBlock");
    account("event", "told|elsewhere|PutBucketTagging");
    house.until("an incident", |house| house.open().len() == 1);
    let incident = house.open().remove(0);
    assert_eq!((&incident["control"], &incident["resource"]), (&"S3-02".into(), &"watched-a".into()));
    if incident["cause"].is_object() {
        assert_eq!(incident["cause"]["call"], "s3:DeletePublicAccessBlock", "{incident:#}");
        assert_eq!(incident["cause"]["by"], "arn:aws:iam::123456789012:user/mallory");
        assert_eq!(incident["changed"], serde_json::json!(["PublicAccessBlockConfiguration"]));
    }
    house.until("the queue is empty", |_| left("told") == 0);
    account("close", "watched-a");
    account("event", "told|watched-a|PutPublicAccessBlock");
    house.until("it is over", |house| house.open().is_empty());
    assert_eq!(terminate(watch), Some(0));
    let all = house.all();
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0]["closed"]["reason"], "holds");
    assert!(house.run(&["verify"]).status.success());
}

#[test]
fn what_got_worse_while_nobody_watched_is_found_and_opened_once() {
    let house = House::founded();
    account("bucket", "watched-a");
    account("bucket", "watched-old");
    account("open", "watched-old");
    let first = house.once(&[]);
    assert_eq!((&first[0]["opened"], &first[0]["counts"]["broken"]), (&serde_json::json!([]), &1.into()));
    account("open", "watched-a");
    account("bucket", "watched-new");
    account("open", "watched-new");
    let opened: Vec<Value> = house.once(&[])[0]["opened"].as_array().unwrap().clone();
    let of: Vec<&str> = opened.iter().map(|one| one["resource"].as_str().unwrap()).collect();
    assert_eq!(of, ["watched-a", "watched-new"], "what is broken from the start is no incident");
    assert_eq!(house.once(&[])[0]["opened"], serde_json::json!([]));
    // What is out of scope this time is neither better nor gone.
    let other = on_aws(&house.dir(), house.address)
        .args(["--json", "watch", "--once", "--as", "selma", "--control", "S3-12", "--incident-at", "low"])
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", text(&other));
    assert_eq!(house.open().len(), 2);
    // What is asked for the first time was perhaps broken all along.
    let counts = serde_json::from_slice::<Value>(&other.stdout).unwrap();
    assert!(counts["counts"]["broken"].as_u64().unwrap() > 0, "{counts:#}");
    account("delete", "watched-new");
    let closed = house.once(&[])[0]["closed"].as_array().unwrap().clone();
    assert_eq!((closed.len(), &closed[0]["closed"]["reason"]), (1, &"gone".into()));
}

#[test]
fn what_is_not_known_neither_opens_nor_closes() {
    let mut house = House::founded();
    account("bucket", "watched-a");
    account("bucket", "watched-b");
    house.once(&[]);
    account("open", "watched-a");
    assert_eq!(house.once(&[])[0]["opened"].as_array().unwrap().len(), 1);
    account("close", "watched-a");
    account("open", "watched-b");
    let (direct, proxy) = (house.address, Proxy::before(Some(house.address)));
    house.address = proxy.address;
    proxy.always("publicAccessBlock", xml_error(403, "AccessDenied"));
    let round = house.once(&[]).remove(0);
    assert_eq!((&round["opened"], &round["closed"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert!(round["counts"]["unknown"].as_u64().unwrap() >= 2, "{round:#}");
    // Whole types that cannot be listed are not gone.
    let none = Proxy::before(Some(direct));
    none.always("GET /?", xml_error(403, "AccessDenied"));
    none.always("GET / ", xml_error(403, "AccessDenied"));
    house.address = none.address;
    assert_eq!(house.once(&[])[0]["closed"], serde_json::json!([]));
    house.address = direct;
    let round = house.once(&[]).remove(0);
    assert_eq!(round["closed"][0]["resource"], "watched-a");
    assert_eq!(round["opened"][0]["resource"], "watched-b");
}

#[test]
fn every_call_may_fail_once_and_nothing_is_lost_or_twice() {
    let mut house = House::founded();
    let fates = [
        xml_error(500, "InternalError"),
        xml_error(403, "AccessDenied"),
        Fate::Reset,
        Fate::Half,
        Fate::Lost,
        Fate::Silence,
    ];
    let names = ["watched-1", "watched-2", "watched-3", "watched-4", "watched-5", "watched-6"];
    names.iter().for_each(|name| drop(account("bucket", name)));
    let queue = account("queue", "failing");
    house.once(&[]);
    for (fate, name) in fates.into_iter().zip(names) {
        account("open", name);
        account("event", &format!("failing|{name}|DeletePublicAccessBlock"));
        let proxy = Proxy::before(Some(Emulator::get().address));
        proxy.fail_each_once(fate, &[]);
        let queue = queue.replace(&Emulator::get().address.to_string(), &proxy.address.to_string());
        let words = ["--json", "watch", "--once", "--as", "selma", "--queue", &queue];
        // A run that could not read says so, and the next goes on. Silence is longer than anybody waits here.
        let mut run = on_aws(&house.dir(), proxy.address);
        run.env("WARDMOTE_AWS_TIMEOUT", "0.3").args(words).args(SCOPE).output().unwrap();
    }
    house.address = Emulator::get().address;
    std::thread::sleep(Duration::from_millis(1100));
    house.once(&["--queue", &queue]);
    let all = house.all();
    let of: BTreeSet<&str> = all.iter().map(|one| one["resource"].as_str().unwrap()).collect();
    assert_eq!((of, all.len()), (BTreeSet::from(names), names.len()), "{all:#?}");
    assert!(all.iter().all(|one| one.get("closed").is_none()), "{all:#?}");
    assert_eq!(left("failing"), 0);
}

#[test]
fn a_log_file_is_read_instead_of_the_account() {
    let house = House::founded();
    account("bucket", "watched-a");
    account("bucket", "trail");
    let queue = account("queue", "logged");
    house.once(&[]);
    account("open", "watched-a");
    // The sweep of the run finds it; the log file says by which call, and nothing else is read again.
    account("log", "logged|watched-a|DeletePublicAccessBlock");
    let rounds = house.once(&["--queue", &queue]);
    let swept: Vec<&Value> = rounds.iter().map(|round| &round["swept"]).collect();
    assert_eq!(
        (swept, &rounds[1]["messages"]),
        (vec![&true.into(), &false.into()], &1.into()),
        "{rounds:#?}"
    );
    assert_eq!((&rounds[0]["opened"][0]["resource"], left("logged")), (&"watched-a".into(), 0));
    let watch = house.watch(&queue);
    account("close", "watched-a");
    account("log", "logged|watched-a|PutPublicAccessBlock");
    house.until("it is over", |house| house.open().is_empty());
    terminate(watch);
    // What cannot be read as a log file costs a sweep, and is said. In a queue of its own: what was just ended may still have a
    // question open at the first, which takes the next message there.
    let queue = account("queue", "unread");
    account("log", "unread|broken");
    let rounds = house.once(&["--queue", &queue]);
    assert_eq!(rounds[1]["swept"], true, "{rounds:#?}");
    let remarks = rounds[1]["remarks"].to_string();
    assert!(remarks.contains("broken.json.gz` in `trail` could not be read, so everything was"), "{remarks}");
    assert_eq!(left("unread"), 0);
}

#[test]
fn killed_at_any_moment_it_opens_each_incident_once() {
    let house = House::founded();
    let queue = account("queue", "killed");
    account("bucket", "watched-0");
    house.once(&[]);
    for turn in 0..3_u64 {
        let name = format!("watched-{}", turn + 1);
        account("bucket", &name);
        account("open", &name);
        account("event", &format!("killed|{name}|DeletePublicAccessBlock"));
        let mut watch = house.watch(&queue);
        std::thread::sleep(Duration::from_millis(150 + 350 * turn));
        watch.kill().unwrap();
        watch.wait().unwrap();
    }
    // Messages that were given out to the killed come again.
    std::thread::sleep(Duration::from_millis(1200));
    house.once(&["--queue", &queue]);
    let all = house.all();
    let mut of: Vec<&str> = all.iter().map(|one| one["resource"].as_str().unwrap()).collect();
    of.sort_unstable();
    assert_eq!(of, ["watched-1", "watched-2", "watched-3"], "{all:#?}");
    assert_eq!(left("killed"), 0);
    assert!(house.run(&["verify"]).status.success());
}

#[test]
fn what_nobody_can_read_is_set_aside() {
    let house = House::founded();
    let queue = account("queue", "poison");
    account("say", "poison|{\"hello\": 1}");
    let rounds = house.once(&["--queue", &queue]);
    let remarks = rounds[1]["remarks"].to_string();
    assert!(remarks.contains("set aside") && remarks.contains("no event of CloudTrail"), "{remarks}");
    assert_eq!(left("poison"), 0);
    let log = house.json(&["log", "--limit", "10"]).to_string();
    assert!(log.contains("set_aside"), "{log}");
    let digest = remarks.split("set-aside/").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let kept = std::fs::read_to_string(house.dir().join("objects/set-aside").join(digest)).unwrap();
    assert_eq!(kept, "{\"hello\": 1}");
}

/// The words that grant a waiver of the bucket.
fn grant(owner: &'static str, who: &'static str, until: &'static str) -> Vec<&'static str> {
    let control = ["waiver", "grant", "S3-02", "watched-a", "--reason", "moves next week"];
    control.into_iter().chain(["--owner", owner, "--expires", until, "--as", who]).collect()
}

fn all_said(house: &House, commands: &[&[&str]]) -> String {
    commands.iter().map(|words| house.said(words)).collect()
}

#[test]
fn a_waiver_lets_it_stay_until_it_ends() {
    let house = House::founded();
    account("bucket", "watched-a");
    house.once(&[]);
    account("open", "watched-a");
    let unknown =
        ["waiver", "grant", "S3-99", "x", "--owner", "ada", "--reason", "r", "--expires", "2999-12-31"];
    let mut all = all_said(
        &house,
        &[
            &grant("selma", "selma", "2999-12-31"),
            &grant("ada", "ada", "2999-12-31"),
            &grant("nobody", "selma", "2999-12-31"),
            &grant("ada", "selma", "2020-01-01"),
            &grant("ada", "selma", "tomorrow"),
            &[&unknown[..], &["--as", "selma"]].concat(),
            &["waiver", "withdraw", "W-1", "--as", "selma"],
            &["waiver", "list"],
            &grant("ada", "selma", "2999-12-31"),
            &["waiver", "list"],
        ],
    );
    assert_eq!(house.once(&[])[0]["opened"], serde_json::json!([]));
    let scope = ["--control", "S3-02", "--name", "watched-a", "--fail-on", "low"];
    let audit = house.run(&[&["audit", "--live", "--granted"][..], &scope].concat());
    assert!(audit.status.success(), "{}", text(&audit));
    all += &all_said(
        &house,
        &[
            &["waiver", "withdraw", "W-1", "--reason", "not needed", "--as", "carla"],
            &["waiver", "withdraw", "W-1", "--as", "carla"],
            &["waiver", "list"],
        ],
    );
    assert_eq!(house.once(&[])[0]["opened"].as_array().unwrap().len(), 1);
    all += &all_said(
        &house,
        &[
            &["incident", "acknowledge", "I-1", "--note", "on it", "--as", "ada"],
            &["incident", "acknowledge", "I-9", "--as", "selma"],
            &["incident", "acknowledge", "I-1", "--note", "on it", "--as", "selma"],
            &["incident", "list"],
            &grant("ada", "selma", "2999-12-31"),
        ],
    );
    assert_eq!(house.once(&[])[0]["closed"][0]["closed"]["waiver"], "W-2");
    all += &all_said(
        &house,
        &[
            &["incident", "list", "--all"],
            &["incident", "acknowledge", "I-1", "--as", "selma"],
            &["watch", "--once", "--as", "ada"],
            &["watch", "--every", "7x", "--as", "selma"],
            &["watch", "--once", "--queue", "nonsense", "--as", "selma"],
            &["controls", "config-rules", "--control", "BR-01"],
        ],
    );
    insta::assert_snapshot!(all);
}

#[test]
fn security_hub_has_what_does_not_pass_and_archives_what_is_over() {
    let house = House::founded();
    account("hub", "");
    account("bucket", "watched-a");
    account("open", "watched-a");
    let findings = || -> Vec<Value> { serde_json::from_str(&account("findings", "")).unwrap() };
    house.once(&["--push", "security-hub"]);
    let first = findings();
    assert_eq!((first.len(), &first[0]["Compliance"]["Status"]), (1, &"FAILED".into()), "{first:#?}");
    std::thread::sleep(Duration::from_millis(1100));
    let again = house.once(&["--push", "security-hub"]);
    assert_eq!(
        findings()[0]["UpdatedAt"],
        first[0]["UpdatedAt"],
        "what is the same is not written again: {again:#?}"
    );
    account("close", "watched-a");
    house.once(&["--push", "security-hub"]);
    let over = findings();
    assert_eq!(over.len(), 1);
    assert_eq!(
        (&over[0]["RecordState"], &over[0]["Compliance"]["Status"]),
        (&"ARCHIVED".into(), &"PASSED".into())
    );
    assert_eq!(over[0]["CreatedAt"], first[0]["CreatedAt"]);
}

#[test]
fn rules_of_config_are_answered_and_never_compliant_by_ignorance() {
    let mut house = House::founded();
    account("bucket", "watched-a");
    account("bucket", "watched-b");
    account("open", "watched-b");
    let queue = account("queue", "rules");
    for name in ["watched-a", "watched-b", "watched-none", ""] {
        account("rule", &format!("rules|{name}|S3-02"));
    }
    let proxy = Proxy::before(Some(house.address));
    proxy
        .always("PutEvaluations", Fate::Answer(200, String::new(), "{\"FailedEvaluations\": []}".to_owned()));
    house.address = proxy.address;
    let through = queue.replace(&Emulator::get().address.to_string(), &proxy.address.to_string());
    house.once(&["--queue", &through, "--push", "config"]);
    let told = |proxy: &Proxy| -> Vec<String> {
        let seen = proxy.seen();
        let bodies = seen.iter().filter(|request| request.contains("PutEvaluations"));
        let mut all: Vec<String> = bodies
            .map(|request| {
                let body: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
                let one = &body["Evaluations"][0];
                format!("{} {} {}", one["ComplianceResourceId"], one["ComplianceType"], body["ResultToken"])
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(
        told(&proxy),
        [
            "\"123456789012\" \"NON_COMPLIANT\" \"token-of-S3-02\"",
            "\"watched-a\" \"COMPLIANT\" \"token-of-S3-02\"",
            "\"watched-b\" \"NON_COMPLIANT\" \"token-of-S3-02\"",
            "\"watched-none\" \"NOT_APPLICABLE\" \"token-of-S3-02\"",
        ]
    );
    assert_eq!(left("rules"), 0);
    let allowed = text(&house.run(&["aws", "permissions", "watch"]));
    for action in [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "config:PutEvaluations",
        "securityhub:BatchImportFindings",
    ] {
        assert!(allowed.contains(action), "{allowed}");
    }
    // What cannot be read is not compliant; what cannot be answered is asked again.
    account("rule", "rules|watched-a|S3-02");
    proxy.always("watched-a?publicAccessBlock", xml_error(403, "AccessDenied"));
    house.once(&["--queue", &through, "--push", "config"]);
    assert_eq!(told(&proxy), ["\"watched-a\" \"NON_COMPLIANT\" \"token-of-S3-02\""]);
    account("rule", "rules|watched-a|S3-02");
    let refusing = Proxy::before(Some(Emulator::get().address));
    refusing.always("PutEvaluations", json_error(403, "AccessDeniedException"));
    house.address = refusing.address;
    let words = ["--json", "watch", "--once", "--as", "selma", "--push", "config", "--queue"];
    let queue = queue.replace(&Emulator::get().address.to_string(), &refusing.address.to_string());
    let output = on_aws(&house.dir(), house.address).args(words).arg(queue).args(SCOPE).output().unwrap();
    assert!(text(&output).contains("is not answered"), "{}", text(&output));
    assert_eq!(left("rules"), 1);
}
