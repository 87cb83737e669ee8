//! Every lint on its two policies, the table of documented checks, and reports as text, JSON and SARIF.

use iam::PolicyKind;
use iam::lint::{Handling, Lint, Severity, documented, documented_as_of, lint, lint_named, lints, sarif};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn codes(one: &Lint, text: &str) -> BTreeSet<&'static str> {
    let report = lint("policy.json", text, one.kind());
    for finding in report.findings() {
        let span = finding.span();
        assert!(span.start < span.end && span.end <= text.len(), "{}: {finding}", one.code);
        assert!(text.get(span.start..span.end).is_some(), "{}: {finding}", one.code);
        assert!(
            finding
                .message()
                .chars()
                .next()
                .is_some_and(|c| !c.is_uppercase() || finding.message().starts_with("Roles")),
            "{finding}"
        );
        assert!(!finding.message().ends_with('.'), "{finding}");
        assert_eq!(Some(finding.severity()), lint_named(finding.code()).map(|known| known.severity));
    }
    report.findings().iter().map(iam::lint::Finding::code).collect()
}

#[test]
fn every_lint_finds_its_example() {
    let mut wrong = Vec::new();
    for one in lints() {
        let found = codes(&one, one.fails);
        if !found.contains(one.code) {
            wrong.push(format!("{} does not fail: {found:?}", one.code));
        }
        if one.code != "malformed" && found.contains("malformed") {
            wrong.push(format!("{}: its failing policy is malformed", one.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lint_passes_its_other_example() {
    let mut wrong = Vec::new();
    for one in lints() {
        let found = codes(&one, one.passes);
        if found.contains(one.code) || found.contains("malformed") {
            wrong.push(format!("{} does not pass: {found:?}", one.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lint_is_described() {
    let all: Vec<Lint> = lints().collect();
    let unique: BTreeSet<&str> = all.iter().map(|one| one.code).collect();
    assert_eq!(unique.len(), all.len());
    for one in &all {
        assert!(
            one.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{}",
            one.code
        );
        assert!(
            one.description
                .starts_with(&format!("# {}\n\nCode `{}`, {}.\n", one.title, one.code, one.severity)),
            "{}",
            one.code
        );
        for part in ["\n\nTo fix it, ", "\n\nPolicies of the examples: ", "\n\nSource: "] {
            assert!(one.description.contains(part), "{}: {part}", one.code);
        }
        assert!(!one.title.ends_with('.'), "{}", one.code);
    }
}

#[test]
fn every_documented_check_is_accounted_for() {
    let checks = documented();
    let count = |severity: &str| checks.iter().filter(|c| c.is_in_2023() && c.severity() == severity).count();
    assert_eq!(checks.iter().filter(|check| check.is_in_2023()).count(), 138);
    assert_eq!(
        [count("error"), count("warning"), count("security-warning"), count("suggestion")],
        [76, 23, 14, 25]
    );
    assert_eq!(documented_as_of().0.len(), 10);
    for check in checks {
        match check.handling() {
            Handling::Lint(codes) => {
                assert!(!codes.is_empty(), "{}", check.name());
                for code in codes {
                    assert!(lint_named(code).is_some(), "{}: there is no lint `{code}`", check.name());
                }
            }
            Handling::Reader(why) | Handling::Undecidable(why) | Handling::Lifted(why) => {
                assert!(why.len() > 20 && !why.ends_with('.'), "{}", check.name());
            }
        }
    }
}

/// A text that breaks the grammar in the way that the table names.
fn broken(name: &str) -> Option<&'static str> {
    Some(match name {
        "Data type mismatch" => r#"{"Version": 1, "Statement": []}"#,
        "Invalid effect" => r#"{"Statement": {"Effect": "No", "Action": "s3:*", "Resource": "*"}}"#,
        "Invalid policy element" => r#"{"Statements": [], "Statement": []}"#,
        "Invalid principal format" => {
            r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Principal": "111122223333"}}"#
        }
        "Invalid principal key" => {
            r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Principal": {"Aws": "*"}}}"#
        }
        "Invalid version" => r#"{"Version": "2026-01-01", "Statement": []}"#,
        "Json syntax error" => r#"{"Statement": [,]}"#,
        "Missing action" => r#"{"Statement": {"Effect": "Deny", "Resource": "*"}}"#,
        "Missing effect" => r#"{"Statement": {"Action": "s3:*", "Resource": "*"}}"#,
        "Missing statement" => r#"{"Version": "2012-10-17"}"#,
        "Unsupported element combination" => {
            r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}}"#
        }
        _ => return None,
    })
}

#[test]
fn what_the_reader_reports_it_reports() {
    for check in documented() {
        if let Handling::Reader(_) = check.handling() {
            let text = broken(check.name()).unwrap_or_else(|| panic!("no example of `{}`", check.name()));
            let report = lint("policy.json", text, PolicyKind::Identity);
            assert!(report.findings().iter().all(|finding| finding.code() == "malformed"), "{report}");
            assert_eq!(report.worst(), Some(Severity::Error), "{}", check.name());
        }
    }
}

const SAMPLE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Größe",
      "Effect": "Deny", "Action": ["s3:GetObjekt", "s3:PutObject"],
      "Resource": "arn:aws:s3:::models/*",
      "Condition": {"StringEqual": {"aws:PrincipalTag/team": "risk"}}
    },
    {
      "Effect": "Allow",
      "Action": ["iam:PassRole", "sagemaker:CreateTrainingJob"],
      "Resource": "*"
    }
  ]
}
"#;

#[test]
fn a_report_as_text() {
    insta::assert_snapshot!(lint("models.json", SAMPLE, PolicyKind::Identity).to_string());
}

#[test]
fn a_report_as_json() {
    let report = serde_json::to_value(lint("models.json", SAMPLE, PolicyKind::Identity)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn a_report_as_sarif() {
    let malformed = lint("two words/x.json", "{\"Statement\": [", PolicyKind::Identity);
    let mut log = sarif(&[lint("models.json", SAMPLE, PolicyKind::Identity), malformed]);
    let driver = &mut log["runs"][0]["tool"]["driver"];
    assert!(driver["semanticVersion"].as_str().is_some_and(|version| version.contains('.')));
    driver["semanticVersion"] = "0.0.0".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn a_report_is_bounded() {
    let many: Vec<String> = (0..1_500).map(|n| format!("\"s3:Nothing{n}\"")).collect();
    let text =
        format!(r#"{{"Statement": {{"Effect": "Allow", "Action": [{}], "Resource": "*"}}}}"#, many.join(","));
    let report = lint("policy.json", &text, PolicyKind::Identity);
    assert_eq!(report.findings().len(), 1_000);
    assert!(report.left_out() >= 500 && report.to_string().contains("more findings are not shown"));
}

const KINDS: [PolicyKind; 9] = [
    PolicyKind::Identity,
    PolicyKind::Resource,
    PolicyKind::Trust,
    PolicyKind::KmsKey,
    PolicyKind::Boundary,
    PolicyKind::Session,
    PolicyKind::Scp,
    PolicyKind::Rcp,
    PolicyKind::Endpoint,
];

/// Policies that no quota allows are answered, and soon.
#[test]
fn large_policies_are_answered() {
    let statement = |n: usize| {
        format!(r#"{{"Effect": "Allow", "Action": "*:*a{n}", "Resource": "arn:aws:s3:::b{n}/*"}}"#)
    };
    let all: Vec<String> = (0..150).map(statement).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, all.join(","));
    let report = lint("policy.json", &text, PolicyKind::Identity);
    assert!(report.findings().iter().any(|finding| finding.code() == "action-service-wildcard"));
    let long: Vec<String> = (0..20).map(|n| format!("\"arn:aws:s3:::{}{n}\"", "*a".repeat(900))).collect();
    let text = format!(
        r#"{{"Statement": {{"Effect": "Deny", "Action": "s3:*", "Resource": [{}]}}}}"#,
        long.join(",")
    );
    assert!(!lint("policy.json", &text, PolicyKind::Scp).findings().is_empty());
}

#[test]
fn every_example_can_be_linted_as_other_kinds() {
    for (at, one) in lints().enumerate() {
        for kind in KINDS.into_iter().cycle().skip(at).step_by(4).take(2) {
            let report = lint("policy.json", one.fails, kind);
            assert!(report.findings().iter().all(|finding| finding.span().end <= one.fails.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_examples_never_panic(which in 0_usize..400, at in 0_usize..400, with in "[{}\\[\\]\":,*?$a-z0-9ß]{0,3}", kind in 0_usize..9) {
        let all: Vec<Lint> = lints().collect();
        let one = all[which % all.len()];
        let mut text = one.fails.to_owned();
        let mut at = at % text.len();
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, &with);
        let report = lint("policy.json", &text, KINDS[kind]);
        let _ = (report.to_string(), sarif(&[report]));
    }
}
