//! AWS's own linter of templates, cfn-lint, on the golden template and on every setting.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

mod common;

use blueprint::{Authoriser, Limits, Settings, draw};
use charter::SourceFile;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// AWS's linter of templates.
fn linter() -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/requirements.txt");
    venv::of("cfn-lint", &list).join("bin/cfn-lint")
}

fn run(command: &mut Command) {
    let output = command.output().expect("the linter starts");
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?} failed\n{text}");
}

#[test]
fn cfn_lint_finds_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("examples/credit-scoring/charter.yaml")).unwrap();
    let (charter, _) = charter::read(&[SourceFile { name: "charter.yaml".to_owned(), text }]).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cfn-lint-templates");
    fs::create_dir_all(&folder).unwrap();
    let mut files = Vec::new();
    let cognito = Settings { authoriser: Authoriser::Cognito, private: true };
    for (name, settings) in [("iam.yaml", Settings::default()), ("cognito.json", cognito)] {
        let template = draw(&charter, settings).unwrap().template;
        let text = if name.ends_with("yaml") { template.to_yaml() } else { template.to_json().to_string() };
        fs::write(folder.join(name), text).unwrap();
        files.push(folder.join(name));
    }
    // A root with its parts, as it is deployed.
    let parts = draw(&common::many(20), Settings::default()).unwrap().template;
    let parts = parts.in_parts(Limits::default(), &BTreeMap::new()).unwrap();
    let root = parts.addressed(|name, _| {
        Ok::<_, ()>(format!("https://bucket.s3.eu-central-1.amazonaws.com/{name}.json"))
    });
    let all = parts.parts.iter().map(|(name, part)| (name.as_str(), part)).collect::<Vec<_>>();
    let root = root.unwrap();
    for (name, template) in all.into_iter().chain([("root", &root)]) {
        let path = folder.join(format!("{name}.yaml"));
        fs::write(&path, template.to_yaml()).unwrap();
        files.push(path);
    }
    run(Command::new(linter())
        .args(["--format", "parseable", "--regions", "eu-central-1", "--"])
        .args(&files));
    // The linter does find what is wrong.
    let wrong = folder.join("wrong.yaml");
    fs::write(&wrong, "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {Nme: a}\n").unwrap();
    let output = Command::new(linter()).arg(&wrong).output().unwrap();
    assert!(!output.status.success() && !output.stdout.is_empty());
}
