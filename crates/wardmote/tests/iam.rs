//! What `wardmote iam` says, word by word.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{run, stable};
use std::path::Path;

const BUCKET: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Team", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*",
     "Condition": {"StringLike": {"aws:PrincipalTag/team": "ml-*"}}},
    {"Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
     "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
  ]
}
"#;

const WRONG: &str = r#"{
  "Version": "2012-10-18",
  "Statement": [
    {"Effect": "allow", "Action": "GetObject", "Resource": 5},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Conditions": {}},
    {"Effect": "Deny", "Action": "*", "NotAction": "s3:*", "Resource": "*", "Principal": {"User": "me"}}
  ]
}
"#;

fn said(dir: &Path, words: &[&str]) -> String {
    let output = run(dir, words);
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    format!("$ wardmote {}\n{}exit {}\n\n", words.join(" "), text, output.status.code().unwrap_or(-1))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("bucket.json", BUCKET);
    write(
        "org.json",
        &BUCKET.replace(r#""aws:PrincipalTag/team": "ml-*""#, r#""aws:PrincipalOrgID": "o-example""#),
    );
    write("wrong.json", WRONG);
    write("torn.json", "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Effect\": \"Allow\",}]}");
    write(
        "request.json",
        r#"{"principal": "arn:aws:iam::111122223333:role/trainer", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::data/x.csv", "resourceAccount": "111122223333",
            "context": {"aws:PrincipalTag/team": "ml-fraud", "aws:SecureTransport": "true"}}"#,
    );
    write(
        "plain.json",
        r#"{"principal": "arn:aws:iam::111122223333:role/trainer", "action": "GetObject", "resource": "*"}"#,
    );
    write("role.json", r#"{"Effect": "Allow", "Action": ["s3:*", "iam:Get*"], "Resource": "*"}"#);
    write(
        "scp.json",
        r#"[{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}},
                          {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]"#,
    );
    write(
        "rcp.json",
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-example"}}}}"#,
    );
    folder
}

#[test]
fn decisions_and_proofs() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (bucket, org, request, role, scp) =
        (at("bucket.json"), at("org.json"), at("request.json"), at("role.json"), at("scp.json"));
    let rcp = at("rcp.json");
    let mut all = String::new();
    for words in [
        &["iam", "evaluate", "--request", &request, "--resource-policy", &bucket] as &[&str],
        &["iam", "evaluate", "--request", &request, "--identity", &role, "--scp", &scp],
        &["iam", "evaluate", "--request", &request, "--identity", &role, "--scp", &scp, "--json"],
        &["iam", "prove", "no-public-access", &bucket],
        &["iam", "prove", "no-public-access", &org],
        &["iam", "prove", "no-public-access", &bucket, "--json"],
        &["iam", "prove", "no-public-access", &bucket, "--rcp", &rcp],
        &["iam", "prove", "no-new-access", "--old", &bucket, "--new", &bucket],
        &["iam", "prove", "no-new-access", "--old", &org, "--new", &bucket, "--rcp", &rcp],
        &["iam", "prove", "no-new-access", "--old", &org, "--new", &bucket],
        &["iam", "prove", "access-not-granted", &org, "--action", "s3:Get*", "--except", "111122223333"],
        &["iam", "prove", "access-not-granted", &org, "--action", "s3:Put*"],
        &["iam", "prove", "access-not-granted", "--identity", &role, "--action", "iam:*", "--scp", &scp],
        &["iam", "prove", "access-not-granted", "--identity", &role, "--action", "s3:*", "--scp", &scp],
    ] {
        all.push_str(&said(folder.path(), words));
    }
    insta::assert_snapshot!(stable(folder.path(), &all));
}

#[test]
fn explanations_lints_and_questions() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (bucket, wrong, request, role, scp) =
        (at("bucket.json"), at("wrong.json"), at("request.json"), at("role.json"), at("scp.json"));
    let inventory = concat!(env!("CARGO_MANIFEST_DIR"), "/../iam/tests/inventory/ml-platform.json");
    let trainer = "arn:aws:iam::111122223333:role/trainer";
    let mut all = String::new();
    for words in [
        &["iam", "evaluate", "--request", &request, "--resource-policy", &bucket, "--explain"] as &[&str],
        &["iam", "evaluate", "--request", &request, "--identity", &role, "--scp", &scp, "--explain"],
        &["iam", "lint", &bucket],
        &["iam", "lint", &role, "--kind", "boundary"],
        &["iam", "lint", &wrong],
        &["iam", "lint", "--describe", "nothing"],
        &["iam", "who-can", "s3:GetObject", "arn:aws:s3:::ml-data/train/*", "--inventory", inventory],
        &["iam", "who-can", "s3:GetObject", "arn:aws:s3:::elsewhere", "--inventory", inventory],
        &["iam", "who-can", "GetObject", "arn:aws:s3:::ml-data", "--inventory", inventory, "--context", "a"],
        &["iam", "operation", "s3:CopyObject", "--with", "SourceBucket=a"],
        &[
            "iam",
            "operation",
            "s3:GetObject",
            "--with",
            "Bucket=ml-data",
            "--with",
            "Key=train/x",
            "--principal",
            trainer,
            "--inventory",
            inventory,
            "--context",
            "aws:SourceVpce=vpce-ml",
            "--context",
            "aws:RequestedRegion=eu-central-1",
        ],
        &["iam", "operation", "s3:Nothing"],
    ] {
        all.push_str(&said(folder.path(), words));
    }
    insta::assert_snapshot!(stable(folder.path(), &all.replace(inventory, "INVENTORY")));
}

#[test]
fn mistakes() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (wrong, torn, request, plain, role) =
        (at("wrong.json"), at("torn.json"), at("request.json"), at("plain.json"), at("role.json"));
    let none = at("none.json");
    let mut all = String::new();
    for words in [
        &["iam", "prove", "no-public-access", &wrong] as &[&str],
        &["iam", "prove", "no-public-access", &torn],
        &["iam", "prove", "no-public-access", &none],
        &["iam", "prove", "access-not-granted", "--action", "s3:*"],
        &["iam", "evaluate", "--request", &plain, "--identity", &role],
        &["iam", "evaluate", "--request", &role, "--identity", &role],
        &["iam", "evaluate", "--request", &request, "--identity", &torn, "--json"],
        &["iam", "batch", &none],
        &["iam", "batch", &torn],
    ] {
        all.push_str(&said(folder.path(), words));
    }
    insta::assert_snapshot!(stable(folder.path(), &all));
}
