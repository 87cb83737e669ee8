//! AWS's own linter of templates, cfn-lint, on the golden template and on every setting.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

use blueprint::{Authoriser, Settings, draw};
use charter::SourceFile;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Python with the linter, in a folder of the build that later runs find again.
fn linter() -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/requirements.txt");
    let wanted = fs::read_to_string(&list).unwrap();
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cfn-lint");
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let lock = File::create(venv.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let ready = venv.join("ready");
    if !fs::read_to_string(&ready).is_ok_and(|found| found == wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(Command::new(venv.join("bin/python")).args(pip).arg(&list));
        fs::write(ready, wanted).unwrap();
    }
    venv.join("bin/cfn-lint")
}

fn run(command: &mut Command) {
    let output = command.output().expect("install the packages `python3` and `python3-venv`");
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
    run(Command::new(linter())
        .args(["--format", "parseable", "--regions", "eu-central-1", "--"])
        .args(&files));
    // The linter does find what is wrong.
    let wrong = folder.join("wrong.yaml");
    fs::write(&wrong, "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {Nme: a}\n").unwrap();
    let output = Command::new(linter()).arg(&wrong).output().unwrap();
    assert!(!output.status.success() && !output.stdout.is_empty());
}
