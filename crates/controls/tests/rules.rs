//! Rules of customers: read, asked, held by their examples; what they cannot know and what they take too much of.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use controls::{Finding, Report, Rules, Selection, live, plan, rules, run_examples, scan, template, waivers};
use facts::inventory::Inventory;
use serde_json::json;

const ACME: &str = include_str!("rules/acme.yaml");

fn read(text: &str) -> Rules {
    rules("rules.yaml", text, Rules::default()).unwrap()
}

/// A rule on buckets with this expression.
fn rule(expression: &str) -> Rules {
    read(&json!({"rules": [{"id": "R-1", "title": "t", "severity": "high", "type": "AWS::S3::Bucket", "expression": expression}]}).to_string())
}

fn told(report: &Report) -> Vec<String> {
    let one = |finding: &Finding| {
        let at = finding.decisive();
        let (control, resource) = (finding.control(), &finding.subject.id);
        format!("{control} {resource} {} at {}:{}: {}", finding.word(), at.line, at.column, finding.reason())
    };
    report.findings().iter().map(one).collect()
}

fn only(rules: Rules) -> Selection {
    Selection::default().with_rules(rules).control("*-*").unwrap()
}

#[test]
fn examples_come_out_as_their_authors_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for rule in read(ACME).iter() {
        for outcome in run_examples(rule) {
            count += 1;
            if !outcome.passes() {
                wrong.push(format!("{} {outcome:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty() && count == 28, "{count}\n{}", wrong.join("\n"));
}

const STACK: &str = "\
Parameters:
  Name: {Type: String}
Resources:
  Good:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: acme-risk-data
      Tags: [{Key: team, Value: risk}]
  Bad:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: data
      Tags: [{Key: team, Value: risk}]
  Unclear:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Ref Name
      Tags: [{Key: team, Value: risk}]
  Nameless:
    Type: AWS::S3::Bucket
    Properties:
      Tags: [{Key: team, Value: risk}]
  Other:
    Type: AWS::S3::Bucket
";

#[test]
fn findings_say_what_was_read_and_where() {
    let estate = template("stack.yaml", STACK).unwrap();
    let selection = Selection::default().with_rules(read(ACME)).control("acme-01").unwrap();
    let report = scan(&estate, &selection);
    insta::assert_snapshot!(told(&report).join("\n"));
    let bad = report.findings().iter().find(|finding| finding.subject.id == "Bad").unwrap();
    insta::assert_snapshot!(format!("{:#}", json!(bad)));
    let with_all = Selection::default().with_rules(read(ACME));
    let ours = scan(&estate, &Selection::default());
    let both = scan(&estate, &with_all);
    let controls = |finding: &&Finding| !finding.control().starts_with("ACME");
    assert!(both.findings().iter().filter(controls).eq(ours.findings()));
    assert_eq!(both.findings().len() - ours.findings().len(), 5 * 3);
    let by_framework = Selection::default().with_rules(read(ACME)).framework("gdpr").unwrap();
    assert!(scan(&estate, &by_framework).findings().iter().any(|finding| finding.control() == "ACME-01"));
    let by_alias = Selection::default().with_rules(read(ACME)).control("risknames").unwrap();
    assert_eq!(scan(&estate, &by_alias).findings().len(), 5);
    assert!(Selection::default().control("ACME-01").is_err());
}

#[test]
fn every_form_has_them() {
    let estate = template("stack.yaml", STACK).unwrap();
    let mut report = scan(&estate, &only(read(ACME)));
    let text = "waivers:\n  - {control: RiskNames, resource: Bad, owner: dana, reason: r, approver: carla, expires: 2027-01-01}\n";
    assert!(waivers("w.yaml", text, &Rules::default()).is_err());
    let waived = waivers("w.yaml", text, &read(ACME)).unwrap();
    assert_eq!(report.waive(&waived, "2026-11-21"), [true]);
    let reports = [report];
    let sarif = controls::sarif(&reports);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], sarif["runs"][0]["tool"]["driver"]["rules"][index]["id"]);
    }
    assert_eq!(results.iter().filter(|result| result["suppressions"] != json!([])).count(), 1);
    let origin =
        controls::Origin { account: "111122223333", region: "eu-west-1", time: "2026-11-21T00:00:00Z" };
    for text in [
        controls::table(&reports[0]),
        serde_json::to_string(&controls::json(&reports)).unwrap(),
        controls::junit(&reports),
        serde_json::to_string(&controls::ocsf(&reports, 0)).unwrap(),
        serde_json::to_string(&controls::asff(&reports, origin)).unwrap(),
        controls::html(&reports),
    ] {
        assert!(text.contains("ACME-01") && text.contains("the bucket is called data"), "{text}");
    }
}

#[test]
fn hostile_rules_are_stopped_and_said() {
    let buckets: String = (0..300).map(|at| format!("  B{at}: {{Type: 'AWS::S3::Bucket'}}\n")).collect();
    let estate = template("t.yaml", &format!("Resources:\n{buckets}")).unwrap();
    let ten = "[1,2,3,4,5,6,7,8,9,10]";
    let wide = format!("({ten}+{ten}+{ten}+{ten}+{ten}+{ten}).map(a, {ten}+{ten}+{ten}+{ten}+{ten}+{ten})");
    for expression in [
        format!("{wide}.all(a, {wide}.all(b, b != 0))"),
        "related('AWS::S3::Bucket').all(a, related('AWS::S3::Bucket').all(b, a.id != b.id || a.type == b.type))".to_owned(),
        "related('AWS::S3::Bucket').all(a, related('AWS::S3::Bucket').all(b, referring('AWS::S3::Bucket').size() == 0 && a.type.matches('[A-' + 'Z]+')))".to_owned(),
    ] {
        let report = scan(&estate, &only(rule(&expression)));
        assert_eq!(report.findings().len(), 300);
        let stopped = report.findings().iter().filter(|finding| finding.reason().contains("stopped"));
        assert_eq!(stopped.count(), 300, "{expression}: {}", report.findings()[0].reason());
        assert!(report.findings().iter().all(|finding| finding.word() == "unknown"));
        assert!(report.findings()[299].reason().contains("not asked any more"));
    }
}

#[test]
fn of_a_live_account_what_was_not_read_is_not_known() {
    let item = |id: &str, status: &str| {
        json!({"type": "AWS::S3::Bucket", "id": id, "properties": {"BucketName": id}, "provenance": {
            "VersioningConfiguration": {"call": "s3:GetBucketVersioning", "at": "2026-11-21T10:00:00.000Z", "status": status}}})
    };
    let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1", "read_at": "2026-11-21T10:00:00.000Z",
        "resources": [item("a", "absent"), item("b", "denied")], "read": ["AWS::S3::Bucket"], "unread": {"AWS::KMS::Key": "`kms:ListKeys` was denied"}});
    let estate = live(&Inventory::from_json(&text.to_string()).unwrap());
    let of = |rules: Rules| told(&scan(&estate, &only(rules)));
    assert_eq!(
        of(rule("has(resource.properties.VersioningConfiguration)")),
        [
            "R-1 a broken at 0:0: `VersioningConfiguration` is absent",
            "R-1 b unknown at 0:0: `s3:GetBucketVersioning` was denied"
        ]
    );
    assert_eq!(
        of(rule("!has(resource.properties.ReplicationConfiguration)"))[0],
        "R-1 a unknown at 0:0: `ReplicationConfiguration` is not read by this version"
    );
    assert_eq!(
        of(rule("resource.properties.size() == 1"))[0],
        "R-1 a unknown at 0:0: which other properties it has: not all are read"
    );
    assert_eq!(
        of(rule("resource.account == '123456789012' && resource.region.startsWith('eu-')"))[0],
        "R-1 a holds at 0:0: "
    );
    let denied = "R-1 a unknown at 0:0: which `AWS::KMS::Key` there are: `kms:ListKeys` was denied";
    assert_eq!(of(rule("related('AWS::KMS::Key').size() >= 0"))[0], denied);
    assert_eq!(of(rule("related('AWS::KMS::Key').all(k, true) || true"))[0], "R-1 a holds at 0:0: ");
    let elsewhere = json!({"rules": [{"id": "R-2", "title": "t", "severity": "low", "type": ["AWS::KMS::Key", "AWS::EC2::Instance"], "expression": "true"}]});
    assert_eq!(
        of(read(&elsewhere.to_string())),
        [
            "R-2 every AWS::KMS::Key unknown at 0:0: `kms:ListKeys` was denied",
            "R-2 every AWS::EC2::Instance unknown at 0:0: which `AWS::EC2::Instance` there are: none was read"
        ]
    );
}

#[test]
fn of_a_plan_what_is_not_carried_over_is_not_known() {
    let text = json!({"format_version": "1.2", "resource_changes": [{"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket",
        "change": {"actions": ["create"], "after": {"bucket": "data", "acceleration_status": "Enabled"}, "after_unknown": {"arn": true}}}]});
    let estate = plan("plan.json", &text.to_string()).unwrap();
    let of = |expression: &str| told(&scan(&estate, &only(rule(expression)))).join("\n");
    assert!(of("resource.properties.BucketName == 'data'").contains("holds"));
    assert!(
        of("has(resource.properties.AccelerateConfiguration)")
            .ends_with("`AccelerateConfiguration` is not read by this version")
    );
    assert!(of("has(resource.properties.VersioningConfiguration)").contains("broken"));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let base = "rules:\n  - id: A-1\n    title: t\n    severity: high\n    type: AWS::S3::Bucket\n    expression: 'true'\n";
    let with = |line: &str| format!("{base}    {line}\n");
    let instead = |from: &str, to: &str| base.replace(from, to);
    let cases = [
        "a: 1".to_owned(),
        "rules: 1".to_owned(),
        format!("{base}more: 1\n"),
        "rules: [1]".to_owned(),
        with("titel: x"),
        instead("    title: t\n", ""),
        instead("id: A-1", "id: 1A"),
        instead("id: A-1", "id: S3-05"),
        instead("id: A-1", "id: CKV_AWS_18"),
        format!("{base}{}", base.trim_start_matches("rules:\n").replace("A-1", "a-1")),
        instead("severity: high", "severity: severe"),
        instead("AWS::S3::Bucket", "S3"),
        instead("    type: AWS::S3::Bucket\n", "    type: []\n"),
        instead("    type: AWS::S3::Bucket\n", ""),
        instead("'true'", "resource.foo("),
        instead("'true'", "|\n      resource.id == 'a'\n        && nobody(resource)"),
        instead("'true'", "resource.a.matches('(')"),
        instead("'true'", "''"),
        with("when: resorce.id == ''"),
        with("message_expression: 1 +"),
        with("message: a\n    message_expression: \"'a'\""),
        with("frameworks: gdpr"),
        with("frameworks: {sox: [1]}"),
        with("frameworks: {gdpr: [Art. 99]}"),
        with("aliases: {a: 1}"),
        with("tests: 1"),
        with("tests: [{verdict: fine}]"),
        with("tests: [{verdict: holds, props: {}}]"),
        with("tests: [{verdict: holds, type: AWS::KMS::Key}]"),
        with("tests: [{verdict: holds, resources: {Subject: {}}}]"),
    ];
    let mut all = String::new();
    for text in cases {
        let said = match rules("rules.yaml", &text, Rules::default()) {
            Ok(_) => "read".to_owned(),
            Err(wrong) => format!("{wrong}\n  help: {}", wrong.help()),
        };
        all += &format!("{said}\n");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_rule_of_the_document_is_one() {
    let document = include_str!("../../../docs/rules.md");
    let block = document.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = read(block);
    let outcomes: Vec<_> = rules.iter().flat_map(run_examples).collect();
    assert!(outcomes.len() == 2 && outcomes.iter().all(controls::Outcome::passes), "{outcomes:?}");
}
