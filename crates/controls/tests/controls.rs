//! Every control on its three templates, its description, and the table as a whole.

use controls::{Control, Finding, Report, Selection, State, control_named, controls, scan, template};
use std::collections::HashSet;

fn findings(control: &Control, name: &str, text: &str) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
    let estate = template(&format!("controls/{}/{name}.yaml", control.id), text)?;
    let report = scan(&estate, &Selection::default().control(control.id)?);
    Ok(report.findings().to_vec())
}

/// What no file can show, because it takes facts of a live account.
fn needs_an_account(control: &Control, verdict: &str) -> bool {
    match control.id {
        "S3-17" | "KMS-05" | "IAM-05" => verdict != "unknown",
        "REG-02" | "REG-08" => verdict == "holds",
        "REG-07" => verdict == "broken",
        _ => false,
    }
}

#[test]
fn every_control_answers_on_its_three_templates() {
    let mut wrong = Vec::new();
    for control in controls() {
        for (name, text) in
            [("holds", control.holds), ("broken", control.broken), ("unknown", control.unknown)]
        {
            if needs_an_account(control, name) {
                assert_eq!(text, "", "{} {name}", control.id);
                continue;
            }
            let found = findings(control, name, text).unwrap();
            let words: Vec<&str> = found.iter().map(Finding::word).collect();
            let fine = match name {
                "holds" => {
                    words.contains(&"holds")
                        && words.iter().all(|word| matches!(*word, "holds" | "not_applicable"))
                }
                "broken" => {
                    words.iter().all(|word| matches!(*word, "broken" | "not_applicable"))
                        && words.contains(&"broken")
                }
                _ => words.contains(&"unknown") && !words.contains(&"broken"),
            };
            // What is about a task beside its host is not applicable to one that is apart.
            let fine =
                fine || (control.id == "CTR-01.host" && name == "holds" && words == ["not_applicable"]);
            // A part is held by the templates of its whole, which are about the other parts too.
            let fine = fine || control.part_of.is_some() && (name == "unknown" || words.contains(&name));
            let placed = found.iter().filter(|f| f.word() != "not_applicable").all(|f| {
                !f.evidence.is_empty()
                    && f.evidence.iter().all(|e| e.line > 0 && e.column > 0 && !e.said.is_empty())
            });
            if !fine || !placed {
                let told: Vec<String> =
                    found.iter().map(|f| format!("{} {}: {}", f.subject.id, f.word(), f.reason())).collect();
                wrong.push(format!("{} {name}: {told:?}", control.id));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_description_has_its_parts() {
    for control in controls() {
        let parts =
            ["## What\n", "## Why\n", "## How to fix\n", "## What it cannot see\n", "## References\n"];
        for part in parts {
            assert!(control.description.contains(part), "{}: {part}", control.id);
        }
        let whole = control.part_of.unwrap_or(control.id);
        assert!(control.description.starts_with(&format!("# {whole}: ")), "{whole}");
    }
}

#[test]
fn ids_and_aliases_are_of_one_control() {
    let mut seen = HashSet::new();
    for control in controls() {
        assert!(seen.insert(control.id.to_lowercase()), "{} twice", control.id);
        assert_eq!(control_named(control.id).unwrap().id, control.id);
        // A name of others may stand for several controls, but for one on each type of resource.
        for (alias, kind) in control.aliases.iter().flat_map(|a| control.kinds.iter().map(move |k| (a, k))) {
            assert!(seen.insert(format!("{} {kind}", alias.to_lowercase())), "{alias} twice on {kind}");
        }
    }
    let cross = controls().filter(|control| control.reach == controls::Reach::Cross).count();
    let wholes = controls().filter(|control| control.part_of.is_none()).count();
    assert!(wholes == 95 && cross >= 44, "{wholes} {cross}");
    assert_eq!(control_named("S3EncryptionEnabled").unwrap().id, "S3-05");
    for name in ["s3-bucket-versioning-enabled", "AWS-0090", "avd-aws-0090", "s3.14"] {
        assert_eq!(control_named(name).map(|control| control.id), Some("S3-12"), "{name}");
    }
    assert!(control_named("S3-99").is_none());
}

/// Takes every property of a template in turn and makes it unknown: what held may then hold, because the property did
/// not matter, but what was broken by it must not come to hold.
#[test]
fn nothing_unknown_makes_a_broken_control_hold() {
    let mut wrong = Vec::new();
    for control in controls() {
        let text = control.broken;
        let lines: Vec<&str> = text.lines().collect();
        if needs_an_account(control, "broken") {
            continue;
        }
        let before: HashSet<String> = findings(control, "broken", text)
            .unwrap()
            .into_iter()
            .filter(|f| f.word() == "broken")
            .map(|f| f.subject.id.clone())
            .collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((key, _)) = line.split_once(": ") else { continue };
            let inside = line.starts_with("      ") && !line.trim_start().starts_with('-');
            if !inside || line.contains('{') || line.contains("Version") {
                continue;
            }
            let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            changed[at] = format!("{key}: !ImportValue somewhere");
            let Ok(estate) = template("t.yaml", &changed.join("\n")) else { continue };
            let report: Report = scan(&estate, &Selection::default().control(control.id).unwrap());
            for finding in
                report.findings().iter().filter(|f| before.contains(&f.subject.id) && f.word() == "holds")
            {
                wrong.push(format!(
                    "{}: `{}` unknown makes {} hold",
                    control.id,
                    line.trim(),
                    finding.subject.id
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn properties_are_known_unknown_or_absent() {
    let estate =
        template("t.yaml", "Resources: {B: {Type: T, Properties: {A: 1, C: !ImportValue x}}}").unwrap();
    let resource = estate.named("B").unwrap();
    assert!(matches!(resource.property(&["A"]), State::Known(_)));
    assert!(matches!(resource.property(&["C", "D"]), State::Unknown(_)));
    assert_eq!(resource.property(&["D"]), State::Absent);
}

#[test]
fn a_selection_selects_by_control_type_name_and_tag() {
    let text = "Resources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {Tags: [{Key: scope, Value: ml}]}}\n  B: {Type: 'AWS::S3::Bucket'}\n  K: {Type: 'AWS::KMS::Key'}\n";
    let estate = template("t.yaml", text).unwrap();
    let of = |selection: &Selection| {
        let report = scan(&estate, selection);
        let all: HashSet<String> = report.findings().iter().map(|f| f.subject.id.clone()).collect();
        let mut all: Vec<String> = all.into_iter().collect();
        all.sort();
        all.concat()
    };
    assert_eq!(of(&Selection::default()), "ABK");
    assert_eq!(of(&Selection::default().kind("AWS::S3::*")), "AB");
    assert_eq!(of(&Selection::default().tag("scope", Some("ml"))), "A");
    assert_eq!(of(&Selection::default().name("B").name("K")), "BK");
    assert_eq!(of(&Selection::default().control("kms-01").unwrap()), "K");
    let wrong = Selection::default().control("nonsense").unwrap_err();
    assert!(wrong.to_string().starts_with("there is no control `nonsense`; expected"));
}

#[test]
fn reports_come_as_table_json_sarif_and_junit() {
    let estate = template("a stack.yaml", "Resources:\n  'A&B':\n    Type: AWS::S3::Bucket\n").unwrap();
    let report = scan(&estate, &Selection::default().control("S3-02").unwrap());
    let text = controls::table(&report);
    assert!(text.contains("high") && text.contains("a stack.yaml:2:3"), "{text}");
    let json = serde_json::to_value(controls::json(std::slice::from_ref(&report))).unwrap();
    assert_eq!(json["findings"][0]["verdict"], "broken");
    assert_eq!(json["findings"][0]["resource"]["logicalId"], "A&B");
    assert_eq!(json["summary"]["broken"], 1);
    let sarif = controls::sarif(std::slice::from_ref(&report));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "S3-02");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20stack.yaml");
    let junit = controls::junit(&[report]);
    assert!(junit.contains("name=\"A&amp;B\"") && junit.contains("failures=\"1\""), "{junit}");
}

#[test]
fn what_looks_closed_but_is_not_is_broken() {
    let bucket = |more: &str, statement: &str| {
        format!(
            "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties: {{{more}}}\n  P:\n    Type: AWS::S3::BucketPolicy\n    Properties: {{Bucket: !Ref B, PolicyDocument: {{Version: '2012-10-17', Statement: {statement}}}}}\n"
        )
    };
    let all = "PublicAccessBlockConfiguration: {BlockPublicPolicy: true, RestrictPublicBuckets: true}";
    let open = "{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${B.Arn}/*'}";
    let key = "BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !Sub 'arn:aws:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/s3'}}]}";
    let denial = "{Effect: Deny, Principal: '*', Action: 's3:*', Resource: !ImportValue x, Condition: {Bool: {'aws:SecureTransport': 'false'}}}";
    let cases = [
        ("S3-03", bucket("", open), "broken"),
        ("S3-03", bucket(all, open), "holds"),
        ("S3-04", bucket("", open), "holds"),
        ("S3-06", bucket(key, open), "broken"),
        ("S3-07", bucket("", denial), "unknown"),
        ("S3-07", bucket("", open), "broken"),
    ];
    let logs = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties: {LoggingConfiguration: {DestinationBucketName: !Sub '${B}-logs'}}\n";
    let included = "Resources:\n  K:\n    Type: AWS::KMS::Key\n    Properties: {EnableKeyRotation: true, Fn::Transform: {Name: AWS::Include}}\n";
    let more = [("S3-14", logs.to_owned(), "holds"), ("KMS-03", included.to_owned(), "unknown")];
    let trust = |who: &str| {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        format!(
            "Parameters: {{P: {{Type: String}}}}\nResources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: !Sub '{document}'\n"
        )
    };
    let written = [
        ("IAM-03.account", trust("arn:aws:iam::${AWS::AccountId}:root"), "broken"),
        ("IAM-03.account", trust("arn:aws:iam::${AWS::AccountId}:role/one"), "holds"),
        ("IAM-03.account", trust("${P}"), "unknown"),
    ];
    for (control, text, word) in cases.into_iter().chain(more).chain(written) {
        let found = findings(control_named(control).unwrap(), "case", &text).unwrap();
        assert_eq!(found[0].word(), word, "{control}: {text}\n{}", found[0].reason());
    }
}

#[test]
fn what_the_account_enforces_counts_for_all() {
    let text = "Resources:\n  B: {Type: 'AWS::S3::Bucket'}\n  A:\n    Type: AWS::S3::AccountPublicAccessBlock\n    Properties: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}\n  Agent: {Type: 'AWS::Bedrock::Agent'}\n  G: {Type: 'AWS::Bedrock::EnforcedGuardrailConfiguration', Properties: {GuardrailIdentifier: g}}\n";
    for control in ["S3-02", "BR-03"] {
        let found = findings(control_named(control).unwrap(), "case", text).unwrap();
        assert_eq!(found[0].word(), "holds", "{control}: {}", found[0].reason());
    }
}

#[test]
fn every_folder_is_a_control() {
    let folders = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("controls").read_dir().unwrap();
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert_eq!(control_named(&name).map(|control| control.id), Some(name.as_str()));
    }
}
