//! The table of operations against the catalogue and a golden file, and whole operations over policies.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use iam::catalog::catalog;
use iam::operations::{Bearing, Check, decide_operation, expand, operation, operations};
use iam::{Context, Layers, Policy, PolicyKind, Principal, Program};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A value for each parameter, named so that it is found again in the golden file.
fn sample(name: &str) -> String {
    let arn = |rest: &str| format!("arn:aws:{rest}");
    match name {
        "Region" => "eu-central-1".to_owned(),
        "Account" => "111122223333".to_owned(),
        "Partition" => "aws".to_owned(),
        "ReplicaRegion" => "eu-west-1".to_owned(),
        "AliasName" => "alias/AliasName".to_owned(),
        "TaskDefinition" => "family:7".to_owned(),
        _ if name.contains("Kms") || name.contains("KMS") || name.ends_with("KeyId") => {
            arn(&format!("kms:eu-central-1:111122223333:key/{name}"))
        }
        _ if name.ends_with("RoleArn") || matches!(name, "Role" | "RoleArn" | "Credentials") => {
            arn(&format!("iam::111122223333:role/{name}"))
        }
        _ => name.to_owned(),
    }
}

fn checks(name: &str, with_options: bool) -> Vec<Check> {
    let operation = operation(name).unwrap();
    let all = operation.parameters().into_iter();
    let given = all.filter(|(_, option)| with_options || option.is_none());
    let given = given.filter(|(name, _)| !name.ends_with("EncryptedArn"));
    let parameters: BTreeMap<String, String> =
        given.map(|(name, _)| (name.to_owned(), sample(name))).collect();
    expand(operation, &parameters).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_table() {
    let mut out = format!("as of {}\n", operations().as_of());
    let mut count = 0;
    for operation in operations() {
        count += 1;
        writeln!(out, "\n{} ({})", operation.name(), operation.source().1).unwrap();
        for check in checks(operation.name(), true) {
            write!(out, "  {} on {}", check.action, check.resource).unwrap();
            for (key, value) in &check.context {
                write!(out, ", {key} = {value}").unwrap();
            }
            writeln!(out, "{}", check.because.map(|why| format!(", if {why}")).unwrap_or_default()).unwrap();
        }
    }
    assert!(count >= 40, "{count}");
    insta::assert_snapshot!(out);
}

#[test]
fn every_row_has_a_source_and_needs_no_option() {
    for operation in operations() {
        let (title, url) = operation.source();
        assert!(!title.is_empty() && url.starts_with("https://docs.aws.amazon.com/"), "{}", operation.name());
        assert!(!checks(operation.name(), false).is_empty(), "{}", operation.name());
        let same = operations().iter().filter(|other| other.name() == operation.name()).count();
        assert_eq!(same, 1, "{}", operation.name());
    }
}

/// Whether a resource is of a type of the catalogue: the text between the variable parts is the same.
fn is_of(template: &str, arn: &str) -> bool {
    let mut parts = template.split("${").map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let Some(mut rest) = parts.next().and_then(|first| arn.strip_prefix(first)) else { return false };
    let mut last = "";
    for part in parts {
        last = part;
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    last.is_empty() || rest.is_empty()
}

/// Resources that the catalogue does not know for an action, each with the reason why the table is right.
const BESIDE: [(&str, &str, &str); 6] = [
    ("kms:CreateKey", "kms:TagResource", "the key has no ARN yet"),
    ("kms:ReplicateKey", "kms:TagResource", "the replica has no ARN yet"),
    (
        "sagemaker:CreateNotebookInstance",
        "ec2:CreateNetworkInterface",
        "the page lists it without a resource",
    ),
    (
        "sagemaker:CreateNotebookInstance",
        "ec2:AttachNetworkInterface",
        "the page lists it without a resource",
    ),
    (
        "sagemaker:CreateNotebookInstance",
        "ec2:ModifyNetworkInterfaceAttribute",
        "the page lists it without a resource",
    ),
    ("sts:GetFederationToken", "sts:TagSession", "the session is no role"),
];

#[test]
fn every_check_is_in_the_catalogue() {
    let mut strange = Vec::new();
    for operation in operations() {
        for check in checks(operation.name(), true) {
            let Some(action) = catalog().action(&check.action) else {
                strange.push(format!("{}: no action {}", operation.name(), check.action));
                continue;
            };
            let fits = action.resource_types().any(|used| {
                used.resource_type().arn().split(", ").any(|template| is_of(template, &check.resource))
            });
            let star = check.resource == "*" && action.resource_types().all(|used| !used.required());
            let here = |(name, action, why): &(&str, &str, &str)| {
                *name == operation.name() && *action == check.action && !why.is_empty()
            };
            let known = BESIDE.iter().any(here);
            if !fits && !star && !known {
                strange.push(format!("{}: {} on {}", operation.name(), check.action, check.resource));
            }
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_copy_needs_both_sides_and_both_keys() {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/data";
    let given = parameters(&[
        ("SourceBucket", "raw"),
        ("SourceKey", "loans.csv"),
        ("Bucket", "train"),
        ("Key", "loans.csv"),
        ("Region", "eu-central-1"),
        ("SourceSSEKMSKeyId", key),
        ("SSEKMSKeyId", key),
    ]);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::train/*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}},
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*",
         "Condition": {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::train"}}}]});
    let own = Program::new(Policy::parse("own", &policy.to_string()).unwrap(), PolicyKind::Identity);
    let delegation = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*"}});
    let delegation = Program::new(Policy::parse("key", &delegation.to_string()).unwrap(), PolicyKind::KmsKey);
    let plain = Layers { identity: vec![own.clone()], ..Layers::default() };
    let keyed = Layers { identity: vec![own], resource: Some(delegation), ..Layers::default() };
    let caller = Principal::parse("arn:aws:sts::111122223333:assumed-role/trainer/job");
    let copy = operation("S3:copyobject").unwrap();
    let ask = |given: &BTreeMap<String, String>, knows_keys: bool| {
        let checks = expand(copy, given).unwrap();
        let decision = decide_operation(checks, &caller, &Context::default(), |check| {
            let layers = if check.action.starts_with("kms:") { &keyed } else { &plain };
            (knows_keys || !check.action.starts_with("kms:"))
                .then_some(Bearing { layers, account: Some("111122223333") })
        });
        decision.unwrap()
    };
    let first = ask(&given, true);
    assert_eq!((first.allowed, first.failing().count()), (Some(false), 1));
    let mut bucket_key = given.clone();
    bucket_key.insert("EncryptedArn".to_owned(), "arn:aws:s3:::train".to_owned());
    let second = ask(&bucket_key, true);
    assert_eq!(second.allowed, Some(true));
    let third = ask(&bucket_key, false);
    assert_eq!(third.allowed, None);
    insta::assert_snapshot!(format!("{first}\n{second}\n{third}"));
}

#[test]
fn what_is_missing_is_named() {
    let training = operation("sagemaker:CreateTrainingJob").unwrap();
    let messages = [
        expand(training, &parameters(&[("TrainingJobName", "job")])),
        expand(training, &parameters(&[("TrainingJob", "job")])),
    ]
    .map(|wrong| wrong.unwrap_err().to_string());
    insta::assert_snapshot!(messages.join("\n"));
    assert!(operation("s3:FlyToTheMoon").is_none());
}
