//! Rules of customers on the command line, word by word.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::stable;
use std::path::Path;

const STACK: &str = "\
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: data
  Named:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: acme-data
  Nameless:
    Type: AWS::S3::Bucket
";

const RULES: &str = r#"rules:
  - id: ACME-01
    title: buckets are named after us
    severity: high
    type: AWS::S3::Bucket
    expression: resource.properties.BucketName.startsWith("acme-")
    fix: give it a name that begins with `acme-`
    aliases: [Names]
    frameworks: {gdpr: ["32(1)(a)"]}
    tests:
      - name: named so
        properties: {BucketName: acme-1}
        verdict: holds
      - properties: {BucketName: other}
        verdict: broken
"#;

const MORE: &str = r#"rules:
  - id: ACME-02
    title: no notebooks
    severity: low
    type: AWS::SageMaker::NotebookInstance
    expression: "false"
    message: use Studio
"#;

const FAILING: &str = r#"rules:
  - id: ACME-03
    title: keys are named after us
    severity: low
    type: AWS::KMS::Key
    expression: resource.properties.Description.contains("acme")
    tests:
      - name: described so
        properties: {Description: of acme}
        verdict: broken
      - properties: {}
        verdict: holds
"#;

const WAIVERS: &str = "waivers:\n  - {control: Names, resource: data, owner: dana, reason: moves, approver: carla, expires: 2026-12-31}\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("stack.yaml", STACK),
        ("acme.yaml", RULES),
        ("more.yaml", MORE),
        ("failing.yaml", FAILING),
        ("waivers.yaml", WAIVERS),
        (
            "torn.yaml",
            "rules:\n  - id: A-1\n    title: t\n    severity: low\n    type: AWS::S3::Bucket\n    expression: resource.\n",
        ),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What was typed in the folder, and what came.
fn dialogue(folder: &Path, commands: &[&str]) -> String {
    let mut all = String::new();
    for command in commands {
        let words = command.split(' ').map(|word| match word.strip_prefix("./") {
            Some(name) => folder.join(name).display().to_string(),
            None => word.to_owned(),
        });
        let output =
            common::wardmote(folder).args(words).env("SOURCE_DATE_EPOCH", "1782864000").output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        all += &format!("$ wardmote {command}\n{text}exit {}\n\n", output.status.code().unwrap_or(-1));
    }
    stable(folder, &all)
}

#[test]
fn rules_are_asked_beside_the_controls() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit ./stack.yaml --rules ./acme.yaml --control ACME-01",
            "audit ./stack.yaml --rules ./acme.yaml --rules ./more.yaml --control acme-* --fail-on high",
            "audit ./stack.yaml --rules ./acme.yaml --control names --waivers ./waivers.yaml --fail-on high --allow-unknown",
            "audit ./stack.yaml --rules ./acme.yaml --control Names --format junit",
            "audit ./stack.yaml --rules ./acme.yaml --control S3-02 --type AWS::KMS::*",
            "controls explain names --rules ./acme.yaml",
            "controls explain ACME-01 --rules ./acme.yaml --json",
            "controls export-guard ACME-01 SM-01 --rules ./acme.yaml --for templates",
            "controls export-guard Names KMS-02 --rules ./acme.yaml",
            "controls export-guard S3-12 --json",
            "controls test-rules ./acme.yaml ./more.yaml",
            "controls test-rules ./failing.yaml",
            "controls test-rules ./failing.yaml --json",
        ],
    ));
}

#[test]
fn the_lists_have_them() {
    let folder = folder();
    let plain = dialogue(folder.path(), &["controls list"]);
    let with = dialogue(folder.path(), &["controls list --rules ./acme.yaml"]);
    let more: Vec<&str> = with.lines().filter(|line| !plain.contains(line)).skip(1).collect();
    assert_eq!(more, ["ACME-01  high      buckets are named after us"]);
    let json = dialogue(folder.path(), &["controls list --rules ./acme.yaml --json"]);
    assert!(json.contains(r#""id":"ACME-01""#));
    let framework = dialogue(folder.path(), &["controls list --framework gdpr --rules ./acme.yaml"]);
    assert!(framework.lines().any(|line| line.ends_with(", ACME-01")), "{framework}");
}

#[test]
fn mistakes() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit ./stack.yaml --rules ./none.yaml",
            "audit ./stack.yaml --rules ./torn.yaml",
            "audit ./stack.yaml --rules ./stack.yaml",
            "audit ./stack.yaml --rules ./acme.yaml --rules ./acme.yaml",
            "audit ./stack.yaml --control ACME-01",
            "audit ./stack.yaml --waivers ./waivers.yaml",
            "controls export-guard nothing",
            "controls test-rules",
        ],
    ));
}
