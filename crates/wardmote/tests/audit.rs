//! What `wardmote audit` says, word by word.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{run, stable, wardmote};
use serde_json::Value;
use std::path::Path;

const STACK: &str = "\
Parameters:
  Key: {Type: String}
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              SSEAlgorithm: AES256
  Notebook:
    Type: AWS::SageMaker::NotebookInstance
    Properties:
      DirectInternetAccess: Disabled
      KmsKeyId: !Ref Key
";

const WAIVERS: &str = "\
waivers:
  - control: S3EncryptionEnabled
    resource: Da*
    owner: dana
    reason: moves to KMS with release 12
    approver: carla
    expires: 2026-12-31
  - control: SM-04
    resource: Notebook
    owner: dana
    reason: a trial
    approver: carla
    expires: 2026-06-30
  - control: KMS-01
    resource: Nothing
    owner: dana
    reason: gone
    approver: carla
    expires: 2026-12-31
";

const PLAN: &str = r#"{"format_version": "1.2", "resource_changes": [
  {"address": "aws_kms_key.key", "mode": "managed", "type": "aws_kms_key",
   "change": {"actions": ["create"], "after": {"enable_key_rotation": false}, "after_unknown": {"arn": true}}}]}
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("stack.yaml", STACK.as_bytes());
    write("plan.json", PLAN.as_bytes());
    write("good/key.template", b"{\"Resources\": {\"K\": {\"Type\": \"AWS::KMS::Key\", \"Properties\": {\"EnableKeyRotation\": true}}}}");
    write("good/deeper/stack.yml", STACK.as_bytes());
    write("good/values.yaml", b"replicas: 3\n");
    write("good/notes.txt", b"Resources");
    write("torn/a.yaml", b"Resources:\n  K:\n    Type: [\n");
    write("torn/b.yaml", b"Resources:\n  K:\n    Type: AWS::KMS::Key\n");
    write("empty/values.yaml", b"replicas: 3\n");
    write("latin.yaml", b"Resources: {\xe4: 1}");
    // What the account blocks, the bucket need not block itself; the parts of the control are about the bucket alone.
    write(
        "account.yaml",
        b"Resources:\n  B: {Type: 'AWS::S3::Bucket'}\n  A:\n    Type: AWS::S3::AccountPublicAccessBlock\n    Properties: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}\n",
    );
    write("waivers.yaml", WAIVERS.as_bytes());
    for (name, wrong) in [
        ("no-list", "a: 1\n"),
        (
            "no-owner",
            "waivers:\n  - {control: S3-05, resource: Data, reason: r, approver: a, expires: 2027-01-01}\n",
        ),
        (
            "own",
            "waivers:\n  - {control: S3-05, resource: Data, owner: dana, reason: r, approver: Dana, expires: 2027-01-01}\n",
        ),
        (
            "no-date",
            "waivers:\n  - {control: S3-05, resource: Data, owner: o, reason: r, approver: a, expires: soon}\n",
        ),
        (
            "no-control",
            "waivers:\n  - {control: S3-99, resource: Data, owner: o, reason: r, approver: a, expires: 2027-01-01}\n",
        ),
        (
            "typo",
            "waivers:\n  - {control: S3-05, ressource: Data, owner: o, reason: r, approver: a, expires: 2027-01-01}\n",
        ),
    ] {
        write(&format!("waivers/{name}.yaml"), wrong.as_bytes());
    }
    let mut deep = folder.path().join("deep");
    for _ in 0..40 {
        deep.push("d");
    }
    std::fs::create_dir_all(deep).unwrap();
    std::fs::File::create(folder.path().join("huge.yaml")).unwrap().set_len(65 << 20).unwrap();
    folder
}

/// A dialogue: what was typed in the folder, and what came.
fn dialogue(folder: &Path, commands: &[&str]) -> String {
    let mut all = String::new();
    for command in commands {
        let words: Vec<String> = command
            .split(' ')
            .map(|word| match word.strip_prefix("./") {
                Some(name) => folder.join(name).display().to_string(),
                None => word.to_owned(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // A day on which one of the waivers is over.
        let output = wardmote(folder).args(&words).env("SOURCE_DATE_EPOCH", "1782864000").output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        all += &format!("$ wardmote {command}\n{text}exit {}\n\n", output.status.code().unwrap_or(-1));
    }
    stable(folder, &all)
}

#[test]
fn reports() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit ./stack.yaml --control SM-01 --control sm-04 --control S3EncryptionEnabled",
            "audit ./stack.yaml --control S3EncryptionEnabled --control SM-04 --format json",
            "audit --plan ./plan.json --control CMK_BACKING_KEY_ROTATION_ENABLED --json",
            "audit ./good --control KMS-01 --format junit",
            "audit ./good ./stack.yaml --control SM-01",
        ],
    ));
}

#[test]
fn exit_codes_are_for_machines() {
    let folder = folder();
    let code =
        |command: &str| dialogue(folder.path(), &[command]).lines().rev().nth(1).map(ToOwned::to_owned);
    for (command, exit) in [
        ("audit ./stack.yaml", "exit 0"),
        ("audit ./stack.yaml --fail-on low", "exit 3"),
        ("audit ./stack.yaml --control S3-05 --fail-on high", "exit 3"),
        ("audit ./stack.yaml --control S3-05 --fail-on critical", "exit 0"),
        ("audit ./stack.yaml --control SM-04 --fail-on medium", "exit 3"),
        ("audit ./stack.yaml --control SM-04 --fail-on medium --allow-unknown", "exit 0"),
        ("audit ./stack.yaml --control SM-04 --fail-on high", "exit 0"),
        ("audit ./torn --control SM-01", "exit 4"),
        ("audit ./account.yaml --control S3-02 --control CKV_AWS_53 --fail-on low", "exit 0"),
        ("audit ./account.yaml --control CKV_AWS_53 --fail-on low", "exit 3"),
        ("audit ./stack.yaml --control S3-05 --waivers ./waivers.yaml --fail-on low", "exit 0"),
        ("audit ./stack.yaml --control SM-04 --waivers ./waivers.yaml --fail-on low", "exit 3"),
    ] {
        assert_eq!(code(command).as_deref(), Some(exit), "{command}");
    }
}

#[test]
fn sarif_names_every_rule_and_place() {
    let folder = folder();
    let stack = folder.path().join("stack.yaml").display().to_string();
    let output = run(folder.path(), &["audit", &stack, "--control", "S3-05", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!((&result["ruleId"], &rule["id"]), (&"S3-05".into(), &"S3-05".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 10);
}

#[test]
fn mistakes() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit",
            "audit ./none.yaml",
            "audit ./stack.yaml --control S3-99",
            "audit ./stack.yaml --fail-on severe",
            "audit ./stack.yaml --allow-unknown",
            "audit ./stack.yaml --plan ./plan.json",
            "audit ./plan.json",
            "audit --plan ./stack.yaml",
            "audit --plan ./stack.yaml --json",
            "audit ./torn/a.yaml",
            "audit ./torn --control KMS-01",
            "audit ./empty",
            "audit ./latin.yaml",
            "audit ./deep",
            "audit ./stack.yaml --format asff",
            "audit ./stack.yaml --format asff --account 1234",
            "audit ./stack.yaml --waivers ./none.yaml",
            "audit ./stack.yaml --waivers ./waivers/no-list.yaml",
            "audit ./stack.yaml --waivers ./waivers/no-owner.yaml",
            "audit ./stack.yaml --waivers ./waivers/own.yaml",
            "audit ./stack.yaml --waivers ./waivers/no-date.yaml",
            "audit ./stack.yaml --waivers ./waivers/no-control.yaml",
            "audit ./stack.yaml --waivers ./waivers/typo.yaml",
            "audit ./huge.yaml",
        ],
    ));
}

#[test]
fn waivers_and_scopes() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit ./stack.yaml --control S3-05 --control SM-04 --waivers ./waivers.yaml",
            "audit ./stack.yaml --control S3-05 --waivers ./waivers.yaml --format junit",
            "audit ./stack.yaml --type AWS::SageMaker::* --control SM-01 --control S3-05",
            "audit ./stack.yaml --name Da* --control SM-01 --control S3-05",
            "audit ./stack.yaml --tag team=ml --control SM-01",
            "audit ./stack.yaml --tag team --account 111122223333 --control SM-01",
        ],
    ));
}

#[test]
fn findings_for_lakes_security_hub_and_browsers() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "audit ./stack.yaml --control S3-05 --waivers ./waivers.yaml --format ocsf",
            "audit ./stack.yaml --control S3-05 --control SM-04 --format asff --account 111122223333 --region eu-west-1",
            "audit ./stack.yaml --control S3-05 --control SM-01 --waivers ./waivers.yaml --format html",
        ],
    ));
    let output =
        wardmote(folder.path()).args(["audit", "x"]).env("SOURCE_DATE_EPOCH", "soon").output().unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_page_holds_what_a_file_says_as_text() {
    let folder = folder();
    let hostile = "Resources:\n  '<script>alert(1)</script>\"`':\n    Type: AWS::S3::Bucket\n    Properties: {AccessControl: '<img src=x onerror=y>`&'}\n";
    std::fs::write(folder.path().join("<b>.yaml"), hostile).unwrap();
    let path = folder.path().join("<b>.yaml").display().to_string();
    let output = run(folder.path(), &["audit", &path, "--format", "html"]);
    let page = String::from_utf8(output.stdout).unwrap();
    for wrong in ["<script", "<img", "<b>"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"));
    let opened = page.matches("<code>").count();
    assert_eq!(opened, page.matches("</code>").count());
}

#[test]
fn help() {
    let folder = tempfile::tempdir().unwrap();
    let commands = [
        "audit --help",
        "controls --help",
        "controls list --help",
        "controls explain --help",
        "controls test-rules --help",
        "controls export-guard --help",
    ];
    insta::assert_snapshot!(dialogue(folder.path(), &commands));
}

#[test]
fn what_the_controls_are() {
    let folder = folder();
    insta::assert_snapshot!(dialogue(
        folder.path(),
        &[
            "controls list",
            "controls list --framework sr-26-2",
            "controls list --framework SR-11-7",
            "controls explain S3EncryptionEnabled",
            "controls explain CKV_AWS_51",
            "controls explain nothing",
            "controls explain nothing --json",
            "controls explain SM-01 --json",
            "audit ./stack.yaml --framework sr-26-2",
            "audit ./stack.yaml --framework none",
        ],
    ));
}

/// A snapshot of AWS Config, and the same account later.
#[test]
fn what_is_different_since_then() {
    let dir = tempfile::tempdir().unwrap();
    let text = include_str!("../../controls/tests/snapshot/config.json");
    let mut later: Value = serde_json::from_str(text).unwrap();
    let items = later["configurationItems"].as_array_mut().unwrap();
    items[0]["supplementaryConfiguration"]["BucketVersioningConfiguration"]["status"] = "Suspended".into();
    items[2]["supplementaryConfiguration"]["KeyRotationStatus"] = true.into();
    let mut third = items[1].clone();
    for name in ["resourceId", "resourceName"] {
        third[name] = "ml-new".into();
    }
    items.push(third);
    let gone = items.iter().position(|item| item["resourceId"] == "lab").unwrap();
    items.remove(gone);
    let mut other = later.clone();
    other["configurationItems"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|item| item["awsAccountId"] = "210987654321".into());
    std::fs::write(dir.path().join("before.json"), text).unwrap();
    std::fs::write(dir.path().join("after.json"), later.to_string()).unwrap();
    std::fs::write(dir.path().join("other.json"), other.to_string()).unwrap();
    std::fs::write(dir.path().join("stack.yaml"), "Resources: {}\n").unwrap();
    let run = |words: &[&str]| {
        let output = wardmote(dir.path()).current_dir(dir.path()).arg("audit").args(words).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, told, _) = run(&["after.json", "--since", "before.json"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(told);
    let scoped = ["after.json", "--since", "before.json", "--control", "S3-12", "--fail-on", "medium"];
    assert_eq!(run(&scoped).0, Some(3));
    let higher = ["after.json", "--since", "before.json", "--control", "S3-12", "--fail-on", "high"];
    assert_eq!(run(&higher).0, Some(0));
    let same = ["before.json", "--since", "before.json", "--fail-on", "low"];
    let (code, told, _) = run(&same);
    assert_eq!(
        (code, told.as_str()),
        (Some(0), "resources: 0 added, 0 removed, 0 changed; controls: 0 worse, 0 better, 0 other\n")
    );
    let refusals: Vec<String> = [
        ["other.json", "--since", "before.json"].as_slice(),
        &["after.json", "--since", "stack.yaml"],
        &["stack.yaml", "--since", "before.json"],
        &["before.json", "after.json", "--since", "before.json"],
        &["after.json", "--since", "nowhere.json"],
    ]
    .iter()
    .map(|words| format!("{words:?}\n{}", run(words).2))
    .collect();
    insta::assert_snapshot!(refusals.join("\n"));
}
