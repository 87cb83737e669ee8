//! The blueprint of the example: its golden files, what our own controls and proofs say of it, and its limits.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

mod common;

use blueprint::{Blueprint, Outcome, Settings, draw};
use common::{charter, read, root};
use std::fs;
use std::path::Path;

fn settings() -> [(&'static str, Settings); 3] {
    let [iam, private, cognito] = common::settings();
    [("iam", iam), ("iam-private", private), ("cognito", cognito)]
}

fn example() -> Blueprint {
    draw(&charter(), Settings::default()).unwrap()
}

/// The file, or the file as it is to be if `UPDATE_GOLDEN` is set.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} is no longer what is drawn; see it with UPDATE_GOLDEN=1", path.display());
}

#[test]
fn the_golden_files() {
    let blueprint = example();
    golden("credit-scoring.yaml", &blueprint.template.to_yaml());
    golden("credit-scoring.mmd", &blueprint.diagram.to_mermaid());
    golden("credit-scoring.svg", &blueprint.diagram.to_svg());
}

/// The template with a version to serve, so that conditions let everything be.
fn serving(blueprint: &Blueprint) -> String {
    let mut json = blueprint.template.to_json();
    let package = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/example/1";
    let image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/monitor:1";
    for (name, parameter) in json["Parameters"].as_object_mut().unwrap() {
        if name.ends_with("Package") {
            parameter["Default"] = package.into();
        }
        if name == "MonitorImage" {
            parameter["Default"] = image.into();
        }
        if name == "AlertMail" {
            parameter["Default"] = "somebody@example.com".into();
        }
    }
    serde_json::to_string_pretty(&json).unwrap()
}

#[test]
fn no_control_is_broken_and_what_is_unknown_is_listed() {
    let mut all = String::new();
    for (name, settings) in settings() {
        let blueprint = draw(&charter(), settings).unwrap();
        for (how, text) in [("as it is", blueprint.template.to_yaml()), ("serving", serving(&blueprint))] {
            let estate = controls::template("template", &text).unwrap();
            let report = controls::scan(&estate, &controls::Selection::default());
            let broken: Vec<String> = report
                .findings()
                .iter()
                .filter(|finding| finding.word() == "broken")
                .map(|finding| format!("{} {}: {}", finding.control(), finding.subject.id, finding.reason()))
                .collect();
            assert!(broken.is_empty(), "{name}, {how}:\n{}", broken.join("\n"));
            assert!(report.summary().holds > 300, "{:?}", report.summary());
            let mut unknown: Vec<String> = report
                .wholes()
                .filter(|finding| finding.word() == "unknown")
                .map(|finding| format!("{} {}: {}", finding.control(), finding.subject.id, finding.reason()))
                .collect();
            unknown.sort();
            all.push_str(&format!("{name}, {how}\n  {}\n", unknown.join("\n  ")));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn every_claim_is_proved() {
    for (name, settings) in settings() {
        let blueprint = draw(&charter(), settings).unwrap();
        let estate = controls::template("template.yaml", &blueprint.template.to_yaml()).unwrap();
        assert!(!blueprint.claims.is_empty());
        for claim in &blueprint.claims {
            assert_eq!(claim.prove(&estate), Outcome::Proved, "{name}: {}", claim.sentence);
        }
    }
}

/// What checkov finds and why it stays: the table in the documentation and checkov's own answer name the same.
#[test]
fn what_checkov_finds_is_explained() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/checkov.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let yaml = example().template.to_yaml();
    let digest = facts::Digest::of(yaml.as_bytes()).to_string();
    let said = report["template"].as_str().unwrap();
    assert!(digest.ends_with(said), "the template is another; run crates/blueprint/reference/checkov.py");
    assert!(report["passed"].as_u64().unwrap() > 200 && report["unread"] == 0, "{report}");
    let found = report["failed"].as_array().unwrap().iter();
    let mut found: Vec<String> = found
        .map(|one| format!("{} {}", one["check"].as_str().unwrap(), one["resource"].as_str().unwrap()))
        .collect();
    let document = fs::read_to_string(root().join("docs/reference-architecture.md")).unwrap();
    let cells = document.lines().filter(|line| line.starts_with("| CKV")).map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert!(cells[3].len() > 20, "a reason is wanted: {line}");
        format!("{} {}", cells[1], cells[2].trim_matches('`'))
    });
    let mut explained: Vec<String> = cells.collect();
    found.sort();
    explained.sort();
    assert_eq!(found, explained);
}

#[test]
fn two_names_that_would_be_one_are_refused() {
    let text = fs::read_to_string(root().join("examples/credit-scoring/charter.yaml")).unwrap();
    let key = "  - id: model-signing\n";
    let twice = text.replace(
        key,
        &format!("  - {{id: credit-data1, description: a, administrators: [], users: []}}\n  - {{id: credit-data-1, description: b, administrators: [], users: []}}\n{key}"),
    );
    let wrong = draw(&read(&twice), Settings::default()).unwrap_err();
    insta::assert_snapshot!(format!("{wrong}\nhelp: {}", wrong.help()));
}

/// A charter that says little: no models, no data sets.
#[test]
fn a_small_charter_is_drawn_too() {
    let text = "charter: 1\norganisation: {id: small, name: Small}\npeople: [{id: ada, name: Ada, roles: [security-engineer, compliance-officer]}]\ntag_standard: {}\n";
    for (name, settings) in settings() {
        let blueprint = draw(&read(text), settings).unwrap();
        let estate = controls::template("template.yaml", &blueprint.template.to_yaml()).unwrap();
        let report = controls::scan(&estate, &controls::Selection::default());
        let broken: Vec<_> = report.findings().iter().filter(|finding| finding.word() == "broken").collect();
        assert!(broken.is_empty(), "{name}: {broken:?}");
    }
}

/// Where the charter says where a model serves, what serves there is not made a second time.
#[test]
fn models_that_serve_elsewhere_are_left_to_whoever_deploys_them() {
    let text = fs::read_to_string(root().join("examples/credit-scoring/charter.yaml")).unwrap();
    let key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let image = format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@sha256:{}", "0".repeat(64));
    let sagemaker = format!(
        "sagemaker: {{image: '{image}', instance_type: ml.m5.large, role: 'arn:aws:iam::123456789012:role/r', subnets: \
         [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], artefacts: 's3://bank-artefacts/', capture: \
         's3://bank-capture/', key: '{key}', alarms: [errors]}}"
    );
    let mut said = String::new();
    for (on, asked) in [(sagemaker.as_str(), true), ("directory: {path: serving}", false)] {
        let name = "      name: credit-scoring\n";
        let charter = read(&text.replacen(name, &format!("{name}      serve_on: {{{on}}}\n"), 1));
        assert!(charter.charter().models[0].endpoint.serve_on.is_some(), "the example has an endpoint");
        for (which, settings) in settings() {
            let blueprint = draw(&charter, settings).unwrap();
            let yaml = blueprint.template.to_yaml();
            for kind in ["Model", "EndpointConfig", "Endpoint", "MonitoringSchedule"] {
                assert!(!yaml.contains(&format!("Type: AWS::SageMaker::{kind}\n")), "{which}: {kind}");
            }
            assert!(yaml.contains("AWS::ApiGateway::RestApi") && yaml.contains("CreditScoringArtefacts:"));
            assert_eq!(yaml.contains("CreditScoringMethod:"), asked, "{which}");
            let estate = controls::template("template.yaml", &yaml).unwrap();
            let report = controls::scan(&estate, &controls::Selection::default());
            let broken: Vec<_> =
                report.findings().iter().filter(|finding| finding.word() == "broken").collect();
            assert!(broken.is_empty(), "{which}: {broken:?}");
            for claim in &blueprint.claims {
                assert_eq!(claim.prove(&estate), Outcome::Proved, "{which}: {}", claim.sentence);
            }
        }
        said.push_str(&format!("{}\n", draw(&charter, Settings::default()).unwrap().left_out.join("\n")));
    }
    assert!(example().left_out.is_empty());
    insta::assert_snapshot!(said);
}

/// The same charter gives the same bytes, and YAML and JSON are one template.
#[test]
fn yaml_and_json_are_one_template() {
    let (one, other) = (example(), example());
    assert_eq!(one.template.to_yaml(), other.template.to_yaml());
    let by_yaml = controls::template("t", &one.template.to_yaml()).unwrap();
    let by_json = controls::template("t", &one.template.to_json().to_string()).unwrap();
    assert_eq!(by_yaml.resources().len(), by_json.resources().len());
    for (a, b) in by_yaml.resources().iter().zip(by_json.resources()) {
        assert_eq!((&a.id, &a.kind), (&b.id, &b.kind));
        assert_eq!(plain(&a.properties), plain(&b.properties), "{}", a.id);
    }
}

/// A value without its places.
fn plain(node: &controls::Node) -> serde_json::Value {
    use controls::Value;
    match &node.value {
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(members) => members
            .iter()
            .map(|member| (member.key.clone(), plain(&member.node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Open(pieces) => format!("{pieces:?}").into(),
        other => format!("{other:?}").into(),
    }
}

/// The proofs can fail: a template without the statements that close a bucket, or with a key left to policies of
/// identities, is refuted by a request.
#[test]
fn what_is_opened_is_refuted() {
    let blueprint = example();
    let mut json = blueprint.template.to_json();
    let bucket =
        &mut json["Resources"]["CreditTrainingDataPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    bucket
        .as_array_mut()
        .unwrap()
        .retain(|one| one["Sid"] != "OnlyReadersRead" && one["Sid"] != "OnlyTaggedRoles");
    let key = &mut json["Resources"]["CreditDataKey"]["Properties"]["KeyPolicy"]["Statement"];
    let administration =
        key.as_array_mut().unwrap().iter_mut().find(|one| one["Sid"] == "AdministrationByTag");
    administration.unwrap()["Action"] = "kms:*".into();
    let estate = controls::template("template.json", &json.to_string()).unwrap();
    let refuted: Vec<&str> = blueprint
        .claims
        .iter()
        .filter(|claim| matches!(claim.prove(&estate), Outcome::Refuted { .. }))
        .map(|claim| claim.sentence.as_str())
        .collect();
    insta::assert_snapshot!(refuted.join("\n"));
    let empty = controls::template("template.json", r#"{"Resources": {}}"#).unwrap();
    assert!(blueprint.claims.iter().all(|claim| claim.prove(&empty) == Outcome::Absent));
}
