//! Rules of AWS Config: the same each time, clean by our own controls and by AWS's linter.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use controls::{Finding, Selection, config_rules, scan, template};
use facts::Verdict;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// AWS's linter of templates.
fn linter() -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../blueprint/tests/lint/requirements.txt");
    venv::of("cfn-lint", &list).join("bin/cfn-lint")
}

fn run(command: &mut Command) {
    let output = command.output().expect("the linter starts");
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?} failed\n{text}");
}

#[test]
fn the_template_is_clean() {
    let text = config_rules(&Selection::default()).unwrap();
    assert_eq!(config_rules(&Selection::default()), Some(text.clone()));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("config-rules.yaml");
    let linter = linter();
    fs::write(&path, &text).unwrap();
    run(Command::new(linter).args(["--format", "parseable", "--regions", "eu-central-1", "--"]).arg(&path));
    let report = scan(&template("rules.yaml", &text).unwrap(), &Selection::default());
    let wrong: Vec<String> = report
        .wholes()
        .filter(|finding| matches!(finding.verdict, Verdict::Broken { .. }))
        .map(|finding: &Finding| {
            format!("{} {}: {}", finding.control(), finding.subject.id, finding.reason())
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_rule_for_each_control_that_config_can_ask_for() {
    let all = config_rules(&Selection::default()).unwrap();
    assert!(all.matches("Type: AWS::Config::ConfigRule").count() > 40);
    assert_eq!(all.matches("Automatic: false").count(), 6);
    assert!(!all.contains("Automatic: true"));
    let one = config_rules(&Selection::default().control("S3-12").unwrap()).unwrap();
    let rules = one.split("SourceAccount: !Ref 'AWS::AccountId'\n").last().unwrap();
    insta::assert_snapshot!(rules);
    // Guardrails are nothing that Config records.
    assert_eq!(config_rules(&Selection::default().control("BR-01").unwrap()), None);
}
