//! `wardmote remediate` against an account in the emulator: every fix mends, is verified and is undone to exactly what was
//! before; and what must not be done is not done.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

#[path = "common/on_aws.rs"]
mod aws_house;
mod common;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use aws_house::{House, on_aws, text};
use common::stable;
use controls::{fixes, verdict_on};
use facts::Verdict;
use facts::inventory::Inventory;
use facts::remediation::Target;
use serde_json::Value;
use std::collections::BTreeSet;
use support::proxy::{Fate, Proxy, xml_error};
use support::{Emulator, script};

impl House {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// What a command says and how it ends, without what differs from run to run.
    fn said(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = text(&output).replace(&self.address.to_string(), "ENDPOINT");
        let said = said.replace(&self.file(""), "FOLDER/");
        let name = words.join(" ").replace(&self.file(""), "FOLDER/");
        digests(&format!(
            "$ wardmote {name}\n{}exit {}\n\n",
            stable(&self.dir(), &said),
            output.status.code().unwrap()
        ))
    }

    fn inventory(&self) -> Inventory {
        let path = self.file("inventory.json");
        self.json(&["audit", "--live", "--control", "S3-13", "--save", &path]);
        Inventory::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn plan(&self, scope: &[&str]) -> Value {
        let path = self.file("plan.json");
        let words = ["remediate", "plan", "--live", "--as", "selma", "--out", &path];
        self.json(&words.into_iter().chain(scope.iter().copied()).collect::<Vec<_>>())["plan"].clone()
    }

    fn approve(&self) {
        self.json(&["remediate", "approve", &self.file("plan.json"), "--as", "carla"]);
    }

    fn apply(&self) -> Value {
        let words =
            ["remediate", "apply", &self.file("plan.json"), "--as", "selma", "--writes-per-second", "100"];
        let output = on_aws(&self.dir(), self.address).arg("--json").args(words).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)))
    }

    /// The events of plans on record, in their order.
    fn events(&self) -> Vec<String> {
        let all = self.json(&["log", "--limit", "1000"]);
        let events =
            all.as_array().unwrap().iter().filter_map(|entry| entry["body"]["event"]["event"].as_str());
        events.map(str::to_owned).collect()
    }
}

fn digests(text: &str) -> String {
    let mut out = text.to_owned();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let digest =
            word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word != "123456789012";
        if digest {
            out = out.replace(word, "DIGEST");
        } else if word.starts_with("AKIA") && word.len() == 20 {
            out = out.replace(word, "AKIA");
        }
    }
    out
}

fn target(value: &Value) -> Target {
    serde_json::from_value(value.clone()).unwrap()
}

fn steps(plan: &Value) -> &Vec<Value> {
    plan["steps"].as_array().unwrap()
}

/// What no undoing brings back, and the plan says so: versioning was never on, the day of a deletion, when an endpoint was
/// last changed. Of a trail without a key the emulator tells an empty one once there was one; that the step brought back
/// what it looks at was held before.
const LEFT: [&str; 4] = ["VersioningConfiguration", "DeletionDate", "LastModifiedTime", "KMSKeyId"];

/// The account when no endpoint is on its way any more: making and updating one takes some looks.
fn settled(house: &House) -> Inventory {
    let moves = |seen: &Inventory| {
        let text = serde_json::to_string(seen).unwrap();
        ["\"Creating\"", "\"Updating\""].iter().any(|word| text.contains(word))
    };
    let mut seen = house.inventory();
    for _ in 0..MOST_LOOKS {
        if moves(&seen) {
            seen = house.inventory();
        }
    }
    seen
}

const MOST_LOOKS: u32 = 4;

/// Broken, planned, approved, carried out, holds; undone, and as it was.
fn round(house: &House, scope: &[&str]) -> BTreeSet<String> {
    let before = settled(house);
    let plan = house.plan(scope);
    let word = |inventory: &Inventory, step: &Value, which: &str| match verdict_on(
        inventory,
        step["control"].as_str().unwrap(),
        &target(&step[which]),
    ) {
        Verdict::Holds => "holds",
        Verdict::Broken { .. } => "broken",
        _ => "undecided",
    };
    for step in steps(&plan) {
        assert_eq!(word(&before, step, "resource"), "broken", "{step:#}");
    }
    house.approve();
    let applied = house.apply();
    let ended: Vec<&Value> = applied["steps"].as_array().unwrap().iter().collect();
    let bad: Vec<&&Value> = ended.iter().filter(|step| step["ended"] != "verified").collect();
    assert!(bad.is_empty() && ended.len() == steps(&plan).len(), "{bad:#?}\n{plan:#}");
    let after = house.inventory();
    for step in steps(&plan) {
        assert_eq!(word(&after, step, "proof"), "holds", "{step:#}");
    }
    let again = house.apply();
    assert!(
        again["steps"].as_array().unwrap().iter().all(|step| step["ended"] == "already_done"),
        "{again:#}"
    );
    let undone = house.json(&["remediate", "undo", &house.file("plan.json"), "--as", "selma"]);
    assert_eq!(undone["steps"].as_array().unwrap().len(), steps(&plan).len(), "{undone:#}");
    let mut difference = before.difference(&settled(house));
    difference.changed.retain(|_, names| {
        names.retain(|name| !LEFT.contains(&name.as_str()));
        !names.is_empty()
    });
    assert_eq!(difference, facts::inventory::Difference::default());
    steps(&plan).iter().map(|step| step["fix"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_fix_mends_and_is_undone_to_what_was_before() {
    let house = House::founded();
    let key = script("remedy.py", "account", house.address, "").trim().to_owned();
    let named = ["--kms-key", &key, "--log-bucket", "logs-of-fixes", "--capture-bucket", "fix-capture"];
    let controls = [
        "S3-01", "S3-02", "S3-05", "S3-07", "S3-11", "S3-12", "S3-14", "S3-15", "KMS-01", "KMS-02", "IAM-03",
        "IAM-09", "CTR-05", "LOG-01", "LOG-02", "LOG-04", "NET-02", "NET-03", "NET-05", "SM-07", "SM-10",
        "SM-11", "SM-12",
    ];
    let all = controls.iter().flat_map(|control| ["--control", control]).chain(named).collect::<Vec<_>>();
    let mut done = round(&house, &all);
    for (control, name) in [("S3-03", "fix-read"), ("S3-04", "fix-write"), ("S3-08", "fix-capture")] {
        done.extend(round(&house, &["--control", control, "--name", name]));
    }
    let wanted: BTreeSet<String> = fixes().map(|fix| fix.name.to_owned()).collect();
    assert_eq!(done, wanted);
}

fn bucket(house: &House, name: &str) {
    script("remedy.py", "bucket", house.address, name);
}

fn versioning(name: &str) -> String {
    script("remedy.py", "versioning", Emulator::get().address, name).trim().to_owned()
}

const VERSIONS: [&str; 2] = ["--control", "S3-12"];

#[test]
fn what_changed_since_the_plan_is_refused() {
    let house = House::founded();
    bucket(&house, "drifted");
    house.plan(&VERSIONS);
    house.approve();
    script("remedy.py", "suspend", house.address, "drifted");
    let said = house.said(&["remediate", "apply", &house.file("plan.json"), "--as", "selma"]);
    insta::assert_snapshot!(said);
    assert_eq!(house.events(), ["planned", "approved", "not_applied"]);
    assert_eq!(versioning("drifted"), "Suspended");
}

#[test]
fn what_is_not_known_is_never_planned() {
    let mut house = House::founded();
    bucket(&house, "hidden");
    let proxy = Proxy::before(Some(house.address));
    proxy.always("hidden?versioning=", xml_error(403, "AccessDenied"));
    proxy.always("hidden?tagging=", xml_error(403, "AccessDenied"));
    house.address = proxy.address;
    let out = house.file("plan.json");
    let planned = |scope: &[&str]| {
        let words = ["remediate", "plan", "--live", "--as", "selma", "--out", &out];
        house.said(&words.into_iter().chain(scope.iter().copied()).collect::<Vec<_>>())
    };
    insta::assert_snapshot!(planned(&["--control", "S3-12", "--control", "S3-05"]));
    insta::assert_snapshot!(planned(&["--control", "S3-15", "--tag", "owner=ml"]));
}

#[test]
fn what_cuts_deep_needs_the_eyes_of_somebody_else() {
    let house = House::founded();
    script("remedy.py", "access-key", house.address, "bruno");
    let plan = house.file("plan.json");
    let mut all =
        house.said(&["remediate", "plan", "--live", "--control", "IAM-09", "--as", "selma", "--out", &plan]);
    for words in [
        ["remediate", "apply", &plan, "--as", "selma"],
        ["remediate", "approve", &plan, "--as", "selma"],
        ["remediate", "approve", &plan, "--as", "ada"],
        ["remediate", "approve", &plan, "--as", "carla"],
        ["remediate", "apply", &plan, "--as", "carla"],
        ["remediate", "apply", &plan, "--as", "selma"],
        ["remediate", "undo", &plan, "--as", "selma"],
        ["remediate", "undo", &plan, "--as", "selma"],
        ["remediate", "apply", &plan, "--as", "selma"],
    ] {
        all.push_str(&house.said(&words));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_write_that_fails_leaves_everything_as_it_was_and_a_true_record() {
    let mut house = House::founded();
    for name in ["failing-1", "failing-2"] {
        bucket(&house, name);
    }
    house.plan(&VERSIONS);
    house.approve();
    let proxy = Proxy::before(Some(house.address));
    proxy.always("PUT /failing-1?versioning=", xml_error(403, "AccessDenied"));
    house.address = proxy.address;
    let said = house.said(&["remediate", "apply", &house.file("plan.json"), "--as", "selma"]);
    insta::assert_snapshot!(said);
    assert_eq!(house.events(), ["planned", "approved", "started", "not_applied"]);
    let both = ["failing-1", "failing-2"].map(versioning);
    assert_eq!(both, ["never", "never"], "after one error nothing more is tried");
}

#[test]
fn what_may_have_happened_is_looked_at_and_not_done_twice() {
    let house = House::founded();
    bucket(&house, "torn");
    house.plan(&VERSIONS);
    house.approve();
    let proxy = Proxy::before(Some(house.address));
    // The write is carried out, its answer is lost, and the program is killed at some moment after it.
    proxy.always("PUT /torn?versioning=", Fate::Lost);
    let words = ["remediate", "apply", &house.file("plan.json"), "--as", "selma"];
    let mut running = on_aws(&house.dir(), proxy.address).args(words).spawn().unwrap();
    while versioning("torn") != "Enabled" {
        std::thread::yield_now();
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let again = house.apply();
    let ended = again["steps"][0]["ended"].as_str().unwrap();
    assert!(["verified", "already_done"].contains(&ended), "{again:#}");
    let events = house.events();
    assert_eq!(events, ["planned", "approved", "started", "applied", "verified"]);
}

#[test]
fn every_wrong_use_says_what_to_do() {
    let house = House::founded();
    bucket(&house, "plain");
    let plan = house.file("plan.json");
    house.plan(&VERSIONS);
    std::fs::write(
        house.file("edited.json"),
        std::fs::read_to_string(&plan).unwrap().replace("plain", "other"),
    )
    .unwrap();
    std::fs::write(house.file("torn.json"), "{").unwrap();
    let mut all = String::new();
    for words in [
        &["remediate", "approve", &house.file("none.json"), "--as", "carla"][..],
        &["remediate", "approve", &house.file("torn.json"), "--as", "carla"],
        &["remediate", "approve", &house.file("edited.json"), "--as", "carla"],
        &["remediate", "undo", "0123456789abcdef", "--as", "selma"],
        &["remediate", "undo", "0123", "--as", "selma"],
        &["remediate", "undo", &plan, "--as", "selma"],
        &["remediate", "undo", &plan, "7", "--as", "selma"],
        &["remediate", "approve", &plan, "--as", "carla"],
        &["remediate", "apply", &plan, "--as", "selma", "--region", "eu-west-1"],
        &["remediate", "plan", "--out", &plan],
        &["remediate", "list"],
    ] {
        all.push_str(&house.said(words));
    }
    // A plan that another house made is not known here.
    let other = House::founded();
    all.push_str(
        &other.said(&["remediate", "approve", &plan, "--as", "carla"]).replace(&house.file(""), "FOLDER/"),
    );
    insta::assert_snapshot!(all);
}
