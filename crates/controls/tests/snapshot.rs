//! Snapshots of AWS Config: what they hold is judged as in a live account, and what they do not hold is unknown.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use controls::{Finding, Selection, is_snapshot, live, scan, snapshot};
use serde_json::{Value, json};

const TEXT: &str = include_str!("snapshot/config.json");

fn verdict(text: &str, control: &str, resource: &str) -> (String, String) {
    let report = scan(&live(&snapshot(text).unwrap()), &Selection::default());
    let all: Vec<&Finding> = report.findings().iter().filter(|f| f.control() == control).collect();
    let found = all.iter().find(|f| f.subject.id == resource || f.subject.name.as_deref() == Some(resource));
    let found = found.unwrap_or_else(|| {
        panic!("{control} {resource}: {:?}", all.iter().map(|f| &f.subject.id).collect::<Vec<_>>())
    });
    (found.word().to_owned(), found.reason().to_owned())
}

#[test]
fn what_config_recorded_is_judged() {
    let mut wrong = Vec::new();
    for (control, resource, word) in [
        ("S3-12", "ml-data", "holds"),
        ("S3-12", "ml-open", "broken"),
        ("S3-02", "ml-data", "holds"),
        ("S3-02.policy", "ml-open", "broken"),
        ("S3-05", "ml-data", "holds"),
        ("S3-05", "ml-open", "broken"),
        ("S3-06", "ml-data", "broken"),
        ("S3-07", "ml-data", "holds"),
        ("S3-07", "ml-open", "broken"),
        ("S3-14", "ml-data", "holds"),
        ("S3-15", "ml-data", "unknown"),
        ("S3-15.rule", "ml-data", "holds"),
        ("S3-15.rule", "ml-open", "broken"),
        ("S3-11", "ml-data", "unknown"),
        ("KMS-01", "1111aaaa-22bb-33cc-44dd-555566667777", "broken"),
        ("IAM-01", "training", "broken"),
        ("LOG-01.validation", "main", "broken"),
        ("LOG-01.regions", "main", "holds"),
        ("LOG-01.on", "main", "unknown"),
        ("SM-07", "scorer", "broken"),
        ("SM-01", "lab", "broken"),
        ("SM-03", "lab", "holds"),
    ] {
        let (found, reason) = verdict(TEXT, control, resource);
        if found != word {
            wrong.push(format!("{control} {resource}: {found}, {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(verdict(TEXT, "LOG-01.on", "main").1, "AWS Config does not record it");
}

#[test]
fn the_inventory_of_a_snapshot() {
    let inventory = snapshot(TEXT).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&inventory).unwrap());
}

#[test]
fn what_is_recorded_twice_wrapped_or_by_the_other_call_is_the_same() {
    let mut document: Value = serde_json::from_str(TEXT).unwrap();
    let items = document["configurationItems"].as_array_mut().unwrap();
    for item in items.iter_mut() {
        // BatchGetResourceConfig writes the configuration as text, and two names otherwise.
        item["configuration"] = json!(item["configuration"].to_string());
        let wrapped: serde_json::Map<String, Value> = item["supplementaryConfiguration"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    match value {
                        Value::String(_) => value.clone(),
                        other => json!(other.to_string()),
                    },
                )
            })
            .collect();
        item["supplementaryConfiguration"] = Value::Object(wrapped);
        item["accountId"] = item["awsAccountId"].take();
        item["arn"] = item["ARN"].take();
    }
    let other = json!({"baseConfigurationItems": items, "unprocessedResourceKeys": []}).to_string();
    assert!(is_snapshot(&other) && is_snapshot(TEXT));
    assert_eq!(snapshot(&other).unwrap(), snapshot(TEXT).unwrap());
}

#[test]
fn what_is_no_snapshot_is_said() {
    let item = |changes: Value| {
        let mut item = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "a", "awsAccountId": "1", "awsRegion": "r",
            "configurationItemCaptureTime": "2026-11-20T08:00:00Z", "configuration": {"name": "a"}});
        changes.as_object().unwrap().iter().for_each(|(name, value)| item[name] = value.clone());
        item
    };
    let refusals: Vec<String> = [
        json!({}),
        json!({"configurationItems": []}),
        json!({"configurationItems": [item(json!({"resourceType": 7}))]}),
        json!({"configurationItems": [item(json!({"configurationItemCaptureTime": "yesterday"}))]}),
        json!({"configurationItems": [item(json!({})), item(json!({"awsAccountId": "2"}))]}),
    ]
    .iter()
    .map(|document| snapshot(&document.to_string()).unwrap_err())
    .collect();
    insta::assert_snapshot!(refusals.join("\n"));
    assert!(!is_snapshot("Resources:\n  A:\n    Type: AWS::S3::Bucket\n"));
    assert!(!is_snapshot(
        "{\"AWSTemplateFormatVersion\": \"2010-09-09\", \"Description\": \"\\\"configurationItems\\\"\"}"
    ));
}

/// Whatever is taken out of a snapshot, nothing that was broken or unknown comes to hold by it, but for what Config says by
/// leaving it out.
#[test]
fn what_is_missing_is_not_good() {
    let document: Value = serde_json::from_str(TEXT).unwrap();
    let before = scan(&live(&snapshot(TEXT).unwrap()), &Selection::default());
    let mut wrong = Vec::new();
    for (at, item) in document["configurationItems"].as_array().unwrap().iter().enumerate() {
        for part in item["supplementaryConfiguration"].as_object().unwrap().keys() {
            let mut less = document.clone();
            less["configurationItems"][at]["supplementaryConfiguration"]
                .as_object_mut()
                .unwrap()
                .remove(part);
            let after = scan(&live(&snapshot(&less.to_string()).unwrap()), &Selection::default());
            for finding in after.findings().iter().filter(|finding| finding.word() == "holds") {
                let same = |other: &&Finding| {
                    other.control() == finding.control() && other.subject.id == finding.subject.id
                };
                if before.findings().iter().find(same).is_some_and(|f| f.word() == "broken") {
                    wrong.push(format!(
                        "without {part} {} holds on {}",
                        finding.control(),
                        finding.subject.id
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
