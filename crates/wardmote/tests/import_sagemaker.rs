//! Versions out of a SageMaker model registry that others keep: bit for bit, with what is claimed there, and approved by
//! nobody here.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{founded, stable};
use on_aws::{json, run, said};
use std::fs;
use std::path::Path;
use std::process::Command;
use support::Emulator;

/// Files of a model, one of them larger than what is asked for at once.
fn model(dir: &Path) {
    let large: Vec<u8> = (0..9_000_001u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let files: [(&str, &[u8]); 4] = [
        ("model.onnx", &large),
        ("code/inference.py", b"pass\n"),
        ("code/empty", b""),
        ("gr\u{fc}\u{df}e 1.txt", b"x"),
    ];
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// What is no version that could be taken in.
fn refused(import: &impl Fn(&[&str]) -> String) -> String {
    let mut all = String::new();
    for version in 1..=8 {
        all.push_str(&import(&["sagemaker:strange", "--version", &version.to_string()]));
    }
    for words in [
        &["sagemaker:nobody"][..],
        &["sagemaker:churn", "--version", "9"],
        &["sagemaker:-"],
        &["sagemaker:churn", "--name", "x"],
        &["arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"],
        &["arn:aws:s3:::elsewhere"],
        &["arn:aws:sagemaker:eu-central-1:123456789012:model-package/churn/1", "--version", "2"],
    ] {
        all.push_str(&import(words));
    }
    all
}

#[test]
fn packages_of_others_become_candidates_and_their_approval_a_claim() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, from) = (folder.path().join("house"), folder.path().join("model"));
    let at = Emulator::get().address;
    founded(&dir);
    model(&from);
    let from = from.to_str().unwrap();
    let output = Command::new(support::python())
        .arg(support::folder().join("made_elsewhere.py"))
        .args(["make", &format!("http://{at}"), "elsewhere", from])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let import = |words: &[&str]| {
        let all: Vec<&str> = ["model", "import", "credit-scoring"]
            .iter()
            .chain(words)
            .chain(&["--as", "ada"])
            .copied()
            .collect();
        said(&dir, at, &all).replace(from, "FOLDER")
    };
    // Ids differ from run to run.
    let import = |words: &[&str]| {
        let said = import(words);
        let cut = |line: &str| match line.split_once(", with run ").or_else(|| line.split_once(" (request "))
        {
            Some((start, _)) => format!("{start}\n"),
            None => format!("{line}\n"),
        };
        said.lines().map(cut).collect::<String>()
    };
    // The same files from a folder, an archive and a prefix are one artefact.
    let mut all = import(&[from]);
    all.push_str(&import(&["sagemaker:churn", "--version", "1"]));
    all.push_str(&import(&["arn:aws:sagemaker:eu-central-1:123456789012:model-package/churn/2"]));
    all.push_str(&import(&["sagemaker:churn"]));
    let shown: Vec<_> = ["1", "2", "3", "4"]
        .iter()
        .map(|version| json(&dir, at, &["model", "show", "credit-scoring", version]))
        .collect();
    let artefact = |at: usize| shown[at]["registration"]["artefact"].as_str().unwrap();
    assert!((1..4).all(|at| artefact(at) == artefact(0)), "{shown:?}");
    let registration = &shown[1]["registration"];
    all.push_str(
        &serde_json::to_string_pretty(&serde_json::json!({
            "status": shown[1]["status"], "document": registration["document"], "code": registration["code"],
            "claimed_metrics": registration["claimed_metrics"],
        }))
        .unwrap(),
    );
    all.push('\n');
    // Approved there is not approved here, nor is its data known.
    let approved = run(&dir, at, &["model", "approve", "credit-scoring", "2", "--as", "bruno"]);
    assert_eq!(approved.status.code(), Some(3), "{approved:?}");
    all.push_str(&refused(&import));
    assert_eq!(json(&dir, at, &["model", "list"])[0]["versions"].as_array().map(Vec::len), Some(4));
    let policy = on_aws::actions(&json(&dir, at, &["aws", "permissions", "model", "import"]));
    let needed =
        ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "s3:GetObject", "s3:ListBucket"];
    assert!(needed.iter().all(|action| policy.contains(*action)), "{policy:?}");
    insta::assert_snapshot!(stable(&dir, &all));
}
