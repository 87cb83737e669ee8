//! `wardmote plan --aws`: the reference architecture of a charter, without a house, an account or a network.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;

use common::{example, run, stable};
use std::fs;
use std::path::Path;

fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../blueprint/tests/golden");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_template_comes_to_standard_output_or_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let charter = example().join("charter.yaml");
    let charter = charter.to_str().unwrap();
    let output = run(folder.path(), &["plan", "--aws", charter]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), golden("credit-scoring.yaml"));

    let out = folder.path().join("out");
    let said = run(folder.path(), &["plan", "--aws", charter, "--out", out.to_str().unwrap()]);
    assert!(said.status.success());
    assert_eq!(fs::read_to_string(out.join("template.yaml")).unwrap(), golden("credit-scoring.yaml"));
    assert_eq!(fs::read_to_string(out.join("diagram.svg")).unwrap(), golden("credit-scoring.svg"));
    assert_eq!(fs::read_to_string(out.join("diagram.mmd")).unwrap(), golden("credit-scoring.mmd"));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).unwrap()).unwrap();
    assert!(report["claims"].as_array().unwrap().iter().all(|claim| claim["result"] == "proved"));
    insta::assert_snapshot!(stable(folder.path(), &String::from_utf8(said.stdout).unwrap()));

    // What was written passes our own audit but for what no file says.
    let template = out.join("template.yaml");
    let audited =
        run(folder.path(), &["audit", template.to_str().unwrap(), "--fail-on", "low", "--allow-unknown"]);
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));

    let json = run(folder.path(), &["plan", "--aws", charter, "--format", "json", "--authoriser", "cognito"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["Resources"]["Users"]["Type"], "AWS::Cognito::UserPool");
}

#[test]
fn more_than_one_stack_takes_comes_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let charter = example().join("charter.yaml");
    let plan = ["plan", "--aws", charter.to_str().unwrap(), "--resources-per-stack", "60"];
    let output = run(folder.path(), &plan);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), golden("credit-scoring.yaml"), "whole");
    let mut all = String::from_utf8(output.stderr).unwrap();
    let out = folder.path().join("out");
    let said = run(folder.path(), &[&plan[..], &["--out", out.to_str().unwrap()]].concat());
    all.push_str(&String::from_utf8(said.stdout).unwrap());
    insta::assert_snapshot!(stable(folder.path(), &all));
    assert_eq!(fs::read_to_string(out.join("whole.yaml")).unwrap(), golden("credit-scoring.yaml"));
    let root = fs::read_to_string(out.join("template.yaml")).unwrap();
    assert!(root.contains("TemplateURL: Part2.yaml\n") && out.join("Part2.yaml").exists());
}

#[test]
fn mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for words in [
        &["plan", "--aws"][..],
        &["plan", "--aws", "nothing.yaml"],
        &["plan", "charter.yaml"],
        &["plan", "--aws", "--authoriser", "nobody"],
        &["plan", "--aws", "--resources-per-stack", "501"],
    ] {
        let output = run(folder.path(), words);
        all.push_str(&format!("$ wardmote {}\n", words.join(" ")));
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        all.push_str(&format!("exit {}\n\n", output.status.code().unwrap_or(-1)));
    }
    insta::assert_snapshot!(stable(folder.path(), &all));
}
