//! cfn-guard itself on what is written as Guard: of every template, what holds here must pass there, and what is broken or
//! unknown here must fail there.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use controls::{GuardFor, Rules, Selection, export_guard, rules, scan, simple_expression, template};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Python with cfn-guard.
fn python() -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/requirements.txt");
    venv::of("cfn-guard", &list).join("bin/python")
}

/// Which Guard rules each template does not comply with.
fn peer(text: &str, templates: &[Value]) -> Vec<(Vec<String>, u64)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/compare.py");
    let mut process =
        Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let question = json!({"rules": text, "templates": templates}).to_string();
    process.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let answer: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let names = |one: &Value| {
        one["failed"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect()
    };
    answer.iter().map(|one| (names(one), one["known"].as_u64().unwrap())).collect()
}

/// One resource of a type, a property at a time in every form of it, beside forms of the others.
fn resources() -> Vec<Value> {
    let absent = || Value::Null;
    let bucket: Vec<(&str, Vec<Value>)> = vec![
        (
            "BucketName",
            vec![absent(), json!("acme-a/b.cd"), json!("acme-a/bxc"), json!("tmp-12"), json!({"Ref": "P"})],
        ),
        ("AccessControl", vec![absent(), json!("Private"), json!("PublicRead"), json!({"Ref": "P"})]),
        (
            "Tags",
            vec![
                absent(),
                json!([]),
                json!([{"Key": "owner", "Value": "ada"}, {"Key": "team", "Value": "x"}]),
                json!([{"Key": "owner", "Value": "nobody"}, {"Key": "stage", "Value": "prod"}]),
                json!([{"Key": "stage", "Value": "test"}, {"Key": "secret", "Value": "y"}]),
                json!([{"Key": "owner", "Value": {"Ref": "P"}}]),
            ],
        ),
        (
            "VersioningConfiguration",
            vec![absent(), json!({}), json!({"Status": "Enabled"}), json!({"Status": "Suspended"})],
        ),
        ("LoggingConfiguration", vec![absent(), json!({"DestinationBucketName": "logs"})]),
        ("ObjectLockEnabled", vec![absent(), json!(true), json!(false), json!("true"), json!({"Ref": "P"})]),
        (
            "LifecycleConfiguration",
            vec![
                absent(),
                json!({"Rules": []}),
                json!({"Rules": [{"Status": "Enabled", "Id": "a", "ExpirationInDays": 3}]}),
                json!({"Rules": [{"Status": "Enabled"}, {"Status": "Disabled", "Id": "b"}]}),
                json!({"Rules": [{"Id": "c"}], "TransitionDefault": "x"}),
            ],
        ),
        ("WebsiteConfiguration", vec![absent(), json!({"IndexDocument": "i"})]),
        ("ReplicationConfiguration", vec![absent(), json!({"Role": "r"})]),
        (
            "PublicAccessBlockConfiguration",
            vec![
                absent(),
                json!({"BlockPublicAcls": true, "BlockPublicPolicy": "true", "IgnorePublicAcls": false}),
            ],
        ),
    ];
    let notebook: Vec<(&str, Vec<Value>)> = vec![
        (
            "SecurityGroupIds",
            vec![
                absent(),
                json!([]),
                json!(["sg-1"]),
                json!(["sg-0", "sg-1"]),
                json!(["sg-2", "x"]),
                json!(["sg-1", {"Ref": "P"}]),
                json!(["sg-9"]),
            ],
        ),
        ("VolumeSizeInGB", vec![absent(), json!(5), json!(4), json!(100), json!(101), json!({"Ref": "P"})]),
        ("InstanceType", vec![absent(), json!("ml.t3.medium"), json!("")]),
        ("DirectInternetAccess", vec![absent(), json!("Disabled"), json!("Enabled"), json!({"Ref": "P"})]),
        ("RootAccess", vec![absent(), json!("Disabled"), json!("Enabled")]),
        ("SubnetId", vec![absent(), json!("subnet-1"), json!({"Fn::GetAtt": ["S", "Id"]})]),
    ];
    let mut all = of("AWS::S3::Bucket", &bucket);
    all.extend(of("AWS::SageMaker::NotebookInstance", &notebook));
    all
}

fn of(kind: &str, properties: &[(&str, Vec<Value>)]) -> Vec<Value> {
    let most = properties.iter().map(|(_, forms)| forms.len()).max().unwrap();
    let mut all = Vec::new();
    // Every form of every property, beside a background of the others that differs from round to round.
    for (at, (_, forms)) in properties.iter().enumerate() {
        for form in 0..forms.len() {
            for background in 0..most.min(3) {
                let mut object = serde_json::Map::new();
                for (other, (name, forms)) in properties.iter().enumerate() {
                    let value = &forms[if other == at { form } else { (background + other) % forms.len() }];
                    if !value.is_null() {
                        object.insert((*name).to_owned(), value.clone());
                    }
                }
                all.push(json!({"Type": kind, "Properties": object}));
            }
        }
    }
    all
}

fn template_of(resource: &Value) -> Value {
    json!({"Parameters": {"P": {"Type": "String"}}, "Resources": {"S": resource}})
}

#[test]
fn cfn_guard_says_the_same() {
    let rules = rules("rules.yaml", include_str!("guard/rules.yaml"), Rules::default()).unwrap();
    let selection = Selection::default().with_rules(rules);
    let exported = export_guard(&selection, &[], GuardFor::Templates).unwrap();
    let names: BTreeMap<&str, &str> =
        exported.written.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let templates: Vec<Value> = resources().iter().map(template_of).collect();
    let peer = peer(&exported.text, &templates);
    let (mut wrong, mut passed, mut failed) = (Vec::new(), 0, 0);
    for (given, (failing, known)) in templates.iter().zip(peer) {
        assert_eq!(known, names.len() as u64, "cfn-guard does not know all rules");
        let report = scan(&template("t.json", &given.to_string()).unwrap(), &selection);
        for finding in report.findings() {
            let Some(name) = names.get(finding.control()) else { continue };
            // A reference that is certainly something, and texts of parameters, are objects to Guard.
            let is_reference =
                simple_expression(finding.control()).is_some() && given.to_string().contains("Fn::GetAtt");
            let passes = finding.verdict.passes();
            let fails = failing.iter().any(|one| one == name);
            passed += usize::from(passes);
            failed += usize::from(fails);
            if passes == fails && !is_reference {
                wrong.push(format!(
                    "{} {} here, fails there: {fails}: {given}",
                    finding.control(),
                    finding.word()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(passed > 1_000 && failed > 1_000, "{passed} {failed}");
}
