//! `wardmote apply --aws` on the emulator: shown first, then made, changed and deleted without what holds evidence.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, stable};
use on_aws::{json, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use support::{Emulator, script};

const ORG: &str = "first-example-bank";

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_stack_is_shown_made_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    fs::create_dir(&dir).unwrap();
    fs::copy(example().join("charter.yaml"), dir.join("charter.yaml")).unwrap();
    let at = Emulator::get().address;
    script("stack.py", "prepare", at, ORG);
    Emulator::get().bucket("templates");
    let apply = ["apply", "--aws", "--templates", "s3://templates/stacks/"];

    // Too large for a call, and nowhere to put it; a parameter that there is not; nobody who says yes.
    let mut all = said(&dir, at, &["apply", "--aws"]);
    let wrong = [&apply[..], &["--parameter", "Image=x"]].concat();
    all.push_str(&said(&dir, at, &wrong));
    let unasked = said(&dir, at, &apply);
    all.push_str(&unasked);
    assert!(!run(&dir, at, &["apply", "--aws", "--destroy", "--yes"]).status.success(), "nothing is there");

    let yes = [&apply[..], &["--yes"]].concat();
    let made = json(&dir, at, &yes);
    assert_eq!(made["status"], "CREATE_COMPLETE");
    let template = folder.path().join("template.json");
    let printed = run(&dir, at, &["plan", "--aws", "--format", "json"]);
    fs::write(&template, &printed.stdout).unwrap();
    made_what_the_emulator_makes(&template, at);

    let charter = fs::read_to_string(dir.join("charter.yaml")).unwrap();
    // Data stewards may sign too.
    let changed = charter.replace("users: [automation]", "users: [automation, data-steward]");
    assert_ne!(charter, changed);
    fs::write(dir.join("charter.yaml"), changed).unwrap();
    all.push_str(&said(&dir, at, &apply));
    // The emulator executes no update of a template with conditions: it makes what they leave out.
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy", "--yes"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy", "--yes"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--permissions"]));
    insta::assert_snapshot!(stable(&dir, &all));
}

/// Every resource is there but those of types that the emulator does not make, which the documentation lists.
fn made_what_the_emulator_makes(template: &std::path::Path, at: std::net::SocketAddr) {
    let lacks = lines(&script("stack.py", "lacks", at, template.to_str().unwrap()));
    let document = fs::read_to_string(example().join("../../docs/reference-architecture.md")).unwrap();
    let listed = document.lines().filter_map(|line| line.strip_prefix("- `AWS::"));
    let listed = listed.map(|line| format!("AWS::{}", line.trim_end_matches('`'))).collect();
    assert_eq!(lacks, listed, "the list in docs/reference-architecture.md");
    let text: Value = serde_json::from_str(&fs::read_to_string(template).unwrap()).unwrap();
    let mut wanted: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for resource in text["Resources"].as_object().unwrap().values() {
        let kind = resource["Type"].as_str().unwrap();
        // Nothing is served yet, and nobody is told.
        if resource.get("Condition").is_none_or(|one| one == "MakesTheRecorder") && !lacks.contains(kind) {
            *wanted.entry(kind).or_default() += 1;
        }
    }
    let wanted: BTreeSet<String> = wanted.iter().map(|(kind, number)| format!("{kind} {number}")).collect();
    assert_eq!(lines(&script("stack.py", "there", at, ORG)), wanted);
}
