//! Plans of fixes: only of what is broken and known, each part changed once, and the same for the same account.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use controls::{Options, Selection, control_named, fixes, plan_fixes, verdict_on};
use facts::inventory::Inventory;
use facts::remediation::{Look, Plan, Target};
use facts::{Timestamp, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn every_fix_is_of_a_control_that_concerns_its_type() {
    let mut names = BTreeSet::new();
    for fix in fixes() {
        let control = control_named(fix.control).unwrap();
        assert_eq!(control.id, fix.control);
        assert!(control.kinds.contains(&fix.kind), "{}", fix.name);
        assert!(names.insert(fix.name) && !fix.does.is_empty() && !fix.touches.is_empty(), "{}", fix.name);
        let twice = fixes().filter(|other| (other.control, other.kind) == (fix.control, fix.kind)).count();
        assert_eq!(twice, 1, "{}", fix.name);
    }
    assert!(names.len() >= 20);
}

/// A bucket with tags; `unknown` is a property that was denied.
fn inventory(tags: &[(&str, &str)], unknown: Option<&str>) -> Inventory {
    let at = "2026-11-21T10:00:00.000Z";
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let provenance =
        unknown.map_or(json!({}), |name| json!({ name: {"call": "s3:GetIt", "at": at, "status": "denied"} }));
    let mut properties = json!({"BucketName": "data", "Tags": tags});
    if let Some(name) = unknown {
        properties.as_object_mut().unwrap().remove(name);
    }
    let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1", "read_at": at,
        "read": ["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::S3::AccountPublicAccessBlock", "AWS::CloudTrail::Trail"],
        "resources": [{"type": "AWS::S3::Bucket", "id": "data", "arn": "arn:aws:s3:::data", "properties": properties, "provenance": provenance}]});
    Inventory::from_json(&text.to_string()).unwrap()
}

fn plan(inventory: &Inventory, controls: &[&str], tag: Option<&str>, key: Option<&str>) -> Plan {
    let mut selection = controls.iter().fold(Selection::default(), |all, name| all.control(name).unwrap());
    if let Some(tag) = tag {
        selection = selection.tag(tag, None);
    }
    let options = Options { kms_key: key.map(str::to_owned), ..Options::default() };
    let mut look = |look: &Look| match look.call.operation.as_str() {
        "GetBucketVersioning" => Ok(json!({})),
        "GetBucketLogging" => Err("`s3:GetBucketLogging` failed".to_owned()),
        _ => Ok(Value::Null),
    };
    plan_fixes(inventory, &selection, (&options, Timestamp::EPOCH), &mut look)
}

fn told(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().map(|step| format!("{} {} {}", step.number, step.fix, step.production));
    let others = plan.not_planned.iter().map(|not| format!("{}: {}", not.control, not.because));
    steps.chain(others).collect()
}

#[test]
fn a_plan_says_what_is_done_what_undoes_it_and_who_is_touched() {
    let plan = plan(
        &inventory(&[("modelStage", "staging")], None),
        &["S3-12", "S3-07", "S3EncryptionEnabled"],
        None,
        None,
    );
    insta::assert_snapshot!(plan.to_file());
}

#[test]
fn what_is_unknown_undecided_or_twice_is_not_planned() {
    let bare = inventory(&[], None);
    insta::assert_snapshot!(
        told(&plan(&bare, &["S3-12", "S3-13", "S3-14", "S3-02", "S3-03"], None, None)).join("\n")
    );
    let classed = inventory(&[("data-class", "personal")], None);
    insta::assert_snapshot!(told(&plan(&classed, &["S3-05"], None, None)).join("\n"));
    assert_eq!(
        told(&plan(&classed, &["S3-05"], None, Some("arn:aws:kms:eu-central-1:123456789012:key/1"))),
        ["1 enable_kms_encryption true"]
    );
    let hidden = inventory(&[], Some("VersioningConfiguration"));
    insta::assert_snapshot!(told(&plan(&hidden, &["S3-12"], None, None)).join("\n"));
    let untagged = inventory(&[], Some("Tags"));
    insta::assert_snapshot!(told(&plan(&untagged, &["S3-12", "S3-05"], Some("owner"), None)).join("\n"));
    insta::assert_snapshot!(told(&plan(&untagged, &["S3-12", "S3-05"], None, None)).join("\n"));
}

#[test]
fn two_statements_of_one_policy_are_two_plans() {
    let mut keyed = inventory(&[], None);
    let key = json!({"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-central-1:123456789012:key/1"}}]});
    keyed.resources[0].properties.insert("BucketEncryption".to_owned(), key);
    insta::assert_snapshot!(told(&plan(&keyed, &["S3-07", "S3-08"], None, None)).join("\n"));
}

#[test]
fn the_same_account_gives_the_same_plan() {
    let one = plan(&inventory(&[], None), &["S3-12", "S3-07"], None, None);
    let other = plan(&inventory(&[], None), &["S3-12", "S3-07"], None, None);
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn a_verdict_is_of_one_resource_now() {
    let there = inventory(&[], None);
    let on = |id: &str| {
        verdict_on(&there, "S3-12", &Target { kind: "AWS::S3::Bucket".to_owned(), id: id.to_owned() })
    };
    assert!(matches!(on("data"), Verdict::Broken { .. }));
    assert!(matches!(on("gone"), Verdict::Unknown { .. }));
}
