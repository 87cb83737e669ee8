//! `wardmote aws lifecycle --put` on the emulator: our rules beside those of others, on record before and after, and every
//! call of it failing in every way.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{stable, trainer};
use on_aws::{actions, json, on_aws, run, said};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use support::proxy::{Fate, Proxy, xml_error};
use support::{Emulator, script};

const PUT: [&str; 6] = ["aws", "lifecycle", "--put", "--yes", "--as", "selma"];

/// A house in a bucket of its own, before which a proxy stands.
struct InBucket {
    folder: tempfile::TempDir,
    proxy: Proxy,
    bucket: &'static str,
}

impl InBucket {
    fn founded(bucket: &'static str) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            proxy: Proxy::before(Some(Emulator::get().address)),
            bucket,
        };
        let trainer = trainer();
        let place = format!("s3://{bucket}/house/");
        json(
            &house.dir(),
            house.straight(),
            &["init", "--trainer", trainer.to_str().unwrap(), "--objects", &place],
        );
        json(&house.dir(), house.straight(), &["apply", "--as", "carla"]);
        house
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("house")
    }

    fn straight(&self) -> SocketAddr {
        Emulator::get().address
    }

    fn said(&self, words: &[&str]) -> String {
        said(&self.dir(), self.proxy.address, words)
    }

    fn code(&self, words: &[&str]) -> Option<i32> {
        run(&self.dir(), self.proxy.address, words).status.code()
    }

    fn rules(&self) -> Vec<Value> {
        serde_json::from_str(&script("lifecycle.py", "show", self.straight(), self.bucket)).unwrap()
    }

    fn put(&self, rules: &Value) {
        let file = self.dir().join("rules.json");
        fs::write(&file, json!({ "Rules": rules }).to_string()).unwrap();
        script("lifecycle.py", "put", self.straight(), &format!("{}|{}", self.bucket, file.display()));
    }

    /// How the last change ended, as the record has it.
    fn ended(&self) -> String {
        let log = json(&self.dir(), self.straight(), &["log", "--limit", "100000"]);
        let all = log.as_array().unwrap().iter().filter(|entry| entry["body"]["fact"] == "lifecycle");
        let events: Vec<&str> = all.map(|entry| entry["body"]["event"]["event"].as_str().unwrap()).collect();
        events.last().copied().unwrap_or_default().to_owned()
    }

    /// The requests that put rules since the last question.
    fn puts(&self) -> usize {
        let puts = |request: &&String| request.starts_with("PUT ") && request.contains("/?lifecycle=");
        self.proxy.seen().iter().filter(puts).count()
    }

    fn always_put(&self, fate: Fate) {
        self.proxy.always(&format!("PUT /{}/?lifecycle=", self.bucket), fate);
    }
}

fn masked(dir: &Path, text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(['(', ')', ',', ':']);
        let digest = bare.len() >= 8 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        let number = bare.strip_prefix('e').and_then(|rest| rest.split_once('-'));
        let evidence = number.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        let time = bare.starts_with("DATET");
        if digest || evidence || time { word.replace(bare, "ID") } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    stable(dir, text).lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Rules of somebody else in the same bucket.
fn others() -> Value {
    json!([
        {"ID": "wardmote-other/traffic", "Status": "Enabled", "Filter": {"Prefix": "other/traffic/"}, "Expiration": {"Days": 3}},
        {"ID": "logs & more", "Status": "Disabled", "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "<d>"}]}},
         "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}],
         "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}
    ])
}

#[test]
fn our_rules_are_put_beside_those_of_others_and_are_on_record() {
    Emulator::get().bucket("lifecycle-put");
    let house = InBucket::founded("lifecycle-put");
    house.put(&others());
    let before = house.rules();
    let mut all = house.said(&["aws", "lifecycle"]);
    for who in ["ada", "carla"] {
        all.push_str(&house.said(&["aws", "lifecycle", "--put", "--yes", "--as", who]));
    }
    all.push_str(&house.said(&["aws", "lifecycle", "--put", "--as", "selma"]));
    assert_eq!((house.rules(), house.puts()), (before.clone(), 0), "nobody said yes");
    all.push_str(&house.said(&PUT));
    assert_eq!(house.puts(), 1);
    assert_eq!(house.rules()[..2], before, "those of others are as they were");
    all.push_str(&house.said(&["aws", "lifecycle"]));
    // Once more there is nothing to do.
    assert_eq!((house.code(&PUT), house.puts()), (Some(0), 0));
    // The charter keeps traffic for another time, and snapshots for ever; one rule was put by hand before.
    let charter = house.dir().join("charter.yaml");
    let text = fs::read_to_string(&charter).unwrap();
    let changed = text.replace("capture_days: 190", "capture_days: 400");
    let first = changed.find("    retention_days:").unwrap();
    let line = changed[first..].find('\n').unwrap() + first + 1;
    fs::write(&charter, format!("{}{}", &changed[..first], &changed[line..])).unwrap();
    json(&house.dir(), house.straight(), &["apply", "--as", "carla"]);
    let mut by_hand = house.rules();
    by_hand[2]["ID"] = "wardmote-traffic".into();
    house.put(&by_hand.into());
    all.push_str(&house.said(&["aws", "lifecycle", "--put", "--yes", "--as", "diego"]));
    let ids: Vec<Value> = house.rules().iter().map(|rule| rule["ID"].clone()).collect();
    assert_eq!(ids[2..], ["wardmote-house/traffic", "wardmote-house/uploads"]);
    assert!(run(&house.dir(), house.straight(), &["verify"]).status.success());
    insta::assert_snapshot!(masked(&house.dir(), &all));
}

#[test]
fn what_rules_of_others_end_is_refused_and_locks_win() {
    let at = Emulator::get().address;
    script("lifecycle.py", "lock", at, "lifecycle-locked|400");
    let house = InBucket::founded("lifecycle-locked");
    let rule = |id: &str, prefix: &str| json!({"ID": id, "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 900}});
    let tagged = json!({"ID": "tagged", "Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 900}});
    let mut all = String::new();
    for wrong in [rule("all", ""), tagged, rule("wardmote-house/traffic", "elsewhere/")] {
        house.put(&json!([wrong]));
        let before = house.rules();
        all.push_str(&house.said(&PUT));
        assert_eq!((house.rules(), house.puts()), (before, 0));
    }
    all.push_str(&house.said(&["aws", "lifecycle"]));
    house.put(&json!([rule("others", "elsewhere/")]));
    assert_eq!(house.code(&PUT), Some(0), "a lock does not keep rules from being put");
    all.push_str(&house.said(&["aws", "lifecycle"]));
    house.proxy.always("?object-lock=", xml_error(403, "AccessDenied"));
    all.push_str(&house.said(&["aws", "lifecycle"]));
    insta::assert_snapshot!(masked(&house.dir(), &all));
}

#[test]
fn what_is_called_is_what_the_policy_allows() {
    Emulator::get().bucket("lifecycle-policy");
    let house = InBucket::founded("lifecycle-policy");
    let policy = actions(&json(&house.dir(), house.straight(), &["aws", "permissions", "aws", "lifecycle"]));
    for action in [
        "s3:GetLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:GetBucketObjectLockConfiguration",
    ] {
        assert!(policy.contains(action), "{policy:?}");
    }
    house.proxy.seen();
    let said = house.said(&PUT);
    assert!(said.ends_with("exit 0\n\n"), "{said}");
    let seen = house.proxy.seen();
    let put = seen.iter().find(|request| request.starts_with("PUT /lifecycle-policy/?lifecycle=")).unwrap();
    assert!(
        put.contains("x-amz-checksum-sha256: ") && put.contains("<ID>wardmote-house/uploads</ID>"),
        "{put}"
    );
    let read = |request: &String| request.starts_with("GET /lifecycle-policy/?lifecycle=");
    let place = seen.iter().position(|request| request == put).unwrap();
    assert!(read(&seen[place - 1]) && read(&seen[place + 1]), "read right before and right after");
}

#[test]
fn the_default_for_what_is_moved_goes_back_with_the_rules() {
    Emulator::get().bucket("lifecycle-header");
    let house = InBucket::founded("lifecycle-header");
    let body = "<LifecycleConfiguration><Rule><ID>1</ID><Status>Enabled</Status><Filter/><New>x</New></Rule></LifecycleConfiguration>";
    let header = "x-amz-transition-default-minimum-object-size: varies_by_storage_class\r\n";
    house
        .proxy
        .always("GET /lifecycle-header/?lifecycle=", Fate::Answer(200, header.to_owned(), body.to_owned()));
    assert_eq!(house.code(&PUT), Some(8), "it is read back as before");
    let put = house
        .proxy
        .seen()
        .into_iter()
        .find(|request| request.starts_with("PUT /lifecycle-header/?"))
        .unwrap();
    assert!(put.contains(header.trim_end()), "{put}");
    assert!(put.contains("<Rule><ID>1</ID><Status>Enabled</Status><Filter/><New>x</New></Rule>"), "{put}");
    assert_eq!(house.ended(), "unknown");
}

#[test]
fn every_way_in_which_a_put_fails_is_on_record_as_what_it_was() {
    let late = "<Error><Code>InternalError</Code><Message>because</Message></Error>";
    let mut all = String::new();
    Emulator::get().bucket("lifecycle-faults");
    let house = InBucket::founded("lifecycle-faults");
    let cases = [
        ("denied", xml_error(403, "AccessDenied"), 8, "failed"),
        ("malformed", xml_error(400, "MalformedXML"), 4, "failed"),
        ("throttled", xml_error(503, "SlowDown"), 8, "failed"),
        ("gone", xml_error(404, "NoSuchBucket"), 5, "failed"),
        ("server", xml_error(500, "InternalError"), 8, "unknown"),
        ("reset", Fate::Reset, 8, "unknown"),
        ("nothing was done", Fate::Answer(200, String::new(), late.to_owned()), 8, "unknown"),
        ("the answer is lost", Fate::Lost, 0, "settled"),
        ("half of the answer", Fate::Half, 0, "settled"),
        ("slowly", Fate::Slow, 0, "settled"),
    ];
    for (what, fate, code, ended) in cases {
        house.put(&others());
        house.always_put(fate);
        let said = house.said(&PUT);
        house.proxy.calm();
        all.push_str(&format!("-- {what}\n{said}"));
        assert!(said.contains(&format!("exit {code}\n")), "{what}: {said}");
        assert_eq!(house.ended(), ended, "{what}");
        assert_eq!(house.rules().len(), if code == 0 { 5 } else { 2 }, "{what}");
    }
    // The same command again finds out what became of what is not known, and goes on.
    house.put(&others());
    house.always_put(Fate::Reset);
    assert_eq!(house.code(&PUT), Some(8));
    house.proxy.calm();
    all.push_str(&house.said(&PUT));
    assert_eq!((house.ended().as_str(), house.rules().len()), ("settled", 5));
    insta::assert_snapshot!(masked(&house.dir(), &all));
}

#[test]
fn reads_that_fail_put_nothing_or_are_not_known() {
    Emulator::get().bucket("lifecycle-reads");
    let house = InBucket::founded("lifecycle-reads");
    house.put(&others());
    let read = "GET /lifecycle-reads/?lifecycle=";
    for fate in [xml_error(403, "AccessDenied"), xml_error(500, "InternalError"), Fate::Reset, Fate::Half] {
        house.proxy.always(read, fate);
        assert_eq!((house.code(&PUT), house.puts()), (Some(8), 0));
        house.proxy.calm();
    }
    assert_eq!(house.ended(), "", "nothing was begun");
    // Killed once it was put: the next one says that it is there.
    let mut killed = on_aws(&house.dir(), house.proxy.address);
    house.proxy.nth_of(read, 3, Fate::Stall);
    house.proxy.seen();
    let mut killed = killed
        .args(PUT)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while house.puts() == 0 {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    while !house.proxy.seen().iter().any(|request| request.starts_with(read)) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    house.proxy.calm();
    assert_eq!(house.ended(), "begun");
    assert!(house.said(&["aws", "lifecycle"]).contains("NOT seen to end"));
    assert_eq!((house.code(&PUT), house.ended().as_str()), (Some(0), "settled"));
}

#[test]
fn whoever_puts_at_the_same_moment_is_noticed() {
    Emulator::get().bucket("lifecycle-race");
    let house = InBucket::founded("lifecycle-race");
    house.put(&others());
    // Somebody's rules are there when they are read right before: nothing is put.
    let other = "<LifecycleConfiguration><Rule><ID>theirs</ID><Status>Enabled</Status><Filter><Prefix>x/</Prefix></Filter>\
        <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    let theirs = || Fate::Answer(200, String::new(), other.to_owned());
    let reads = "GET /lifecycle-race/?lifecycle=";
    let mut all = String::new();
    house.proxy.nth_of(reads, 2, theirs());
    all.push_str(&house.said(&PUT));
    assert_eq!((house.puts(), house.ended().as_str(), house.rules().len()), (0, "failed", 2));
    // They are there when they are read after.
    house.proxy.nth_of(reads, 3, theirs());
    all.push_str(&house.said(&PUT));
    assert_eq!((house.puts(), house.ended().as_str()), (1, "failed"));
    insta::assert_snapshot!(masked(&house.dir(), &all));
}
