//! The example passes without a warning; every mistake that people make is told with its place and a way out.
#![expect(clippy::disallowed_methods, reason = "the golden file is on disk")]

use charter::{SourceFile, read};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../examples/credit-scoring/charter.yaml");

fn file(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { name: "charter.yaml".into(), text: text.into() }]
}

/// What is said when `from` is replaced by `to` in the example.
fn complaint(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "`{from}` is not in the example");
    read(&file(&EXAMPLE.replacen(from, to, 1)))
        .map_or_else(|errors| errors.to_string(), |_| "no complaint".into())
}

#[test]
fn the_example_is_right() {
    let (checked, warnings) = read(&file(EXAMPLE)).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(charter::Checked::from_json(checked.canonical_json()).unwrap(), checked);
    // Comments and layout are not part of it.
    let (other, _) = read(&file(&format!("# a remark\n{EXAMPLE}"))).unwrap();
    assert_eq!(other.digest(), checked.digest());
}

#[test]
fn the_schema_is_the_one_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/charter.schema.json");
    let actual = format!("{:#}\n", charter::schema());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == actual,
        "run UPDATE_GOLDEN=1 cargo test -p charter"
    );
}

#[test]
fn a_typing_error_is_shown_where_it_is() {
    insta::assert_snapshot!(complaint("approvals:\n", "aprovals:\n"));
}

#[test]
fn all_errors_come_at_once() {
    let text = EXAMPLE
        .replacen("roles: [auditor]", "roles: [auditer]", 1)
        .replacen("metric: auc, at_least: 0.7", "metric: auc, at_least: 72", 1)
        .replacen("key: credit-data", "key: credit-dta", 1)
        .replacen("people: [diego]", "people: [diago]", 1)
        .replacen("{id: nadia, name", "{id: bruno, name", 1);
    insta::assert_snapshot!(read(&file(&text)).unwrap_err());
}

#[test]
fn every_kind_of_mistake_has_its_words() {
    let mut all = String::new();
    for (from, to) in [
        ("charter: 1", "charter: one"),
        ("charter: 1", "charter: 2"),
        ("role: business-owner, count: 1", "role: business-owner, count: 3"),
        ("role: business-owner, count: 1", "role: model-consumer, count: 1"),
        ("risk_tier: high", "risk_tier: hihg"),
        ("validation_share: 0.3", "validation_share: 1.5"),
        ("drift_psi: 0.2", "drift_psi: 0"),
        ("\"model_accuracy\", \"threshold\": 0.65", "\"model_acuracy\", \"threshold\": 0.65"),
        ("\"threshold\": 0.65", "\"threshold\": 65"),
        ("metric: accuracy, at_least: 0.7", "metric: accuracy, at_leest: 0.7"),
        ("metric: accuracy, at_least: 0.7", "metric: accuracy"),
        ("foreign_worker: drop", "foreign_worker: dorp"),
        ("        foreign_worker: drop\n", ""),
        ("{token: {domain: credit-applications}}", "keep"),
        ("users: [data-steward, ml-training, automation]", "users: [data-steward, security-engineer]"),
        ("roles: [compliance-officer]", "roles: [auditor]"),
        ("min_samples: 200", "min_samples: 500"),
        ("id: first-example-bank", "id: First Example Bank"),
        ("complianceScope: gdpr}\n    key", "complianceScope: hipaa}\n    key"),
        ("capture_days: 190", "capture_days: 0"),
        ("retention: {capture_days: 190, documents_days: 3650}", "retention:"),
        ("group: sex, ", ""),
        ("roles: [ml-engineer]}", "roles: [ml-engineer], emails: [ada]}"),
        ("roles: [ml-engineer]}", "roles: [ml-engineer], emails: [ada@bank.example, ADA@bank.example]}"),
        ("    approvals:", "    gates: [{id: a, command: []}, {id: a, command: [x]}]\n    approvals:"),
        ("    approvals:", "    separation: {not_achievable: \" \", compensating: []}\n    approvals:"),
        (
            "    approvals:",
            "    separation: {not_achievable: we are two, compensating: [{cooling_off: {hours: 0}}, {review: {role: nurse, within_hours: 0}}]}\n    approvals:",
        ),
        (
            "    approvals:",
            "    break_glass: {roles: [], max_hours: 1, review: {role: auditor, within_hours: 1}}\n    approvals:",
        ),
        ("    approvals:", "    rollback: {review: {role: nurse, within_hours: 1}}\n    approvals:"),
        ("metric: auc, at_least: 0.7", "metric: auc, at_least: 0.7, against_incumbent: {worse: 0.1}"),
        (
            "metric: auc, at_least: 0.7",
            "metric: auc, at_least: 0.7, against_incumbent: {worse_by_at_most: 2}",
        ),
        ("metric: auc, at_least: 0.7", "metric: auc, against_incumbent: {better_by_at_least: 0.1}"),
        ("    approvals:", "    gates: [{id: incumbent, command: [x]}]\n    approvals:"),
        (
            "    approvals:",
            "    evidence: {lineage: [comit], documents: [Model Card], validation_days: 0}\n    approvals:",
        ),
        ("    approvals:", "    evidence: {lineage: [seed, seed]}\n    approvals:"),
    ] {
        all.push_str(&format!("=== `{}` for `{}`\n{}\n", to.trim(), from.trim(), complaint(from, to)));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn yaml_that_surprises_is_refused() {
    let mut all = String::new();
    for text in [
        "",
        "a: [1, 2\n",
        "a: 1\na: 2\n",
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 1\n---\nb: 2\n",
        "- a\n",
        "\tb: 1\n",
    ] {
        all.push_str(&format!("=== {text:?}\n{}\n", read(&file(text)).unwrap_err()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_high_risk_model_with_short_logs_is_warned_about() {
    let (_, warnings) = read(&file(&EXAMPLE.replacen("capture_days: 190", "capture_days: 30", 1))).unwrap();
    insta::assert_snapshot!(warnings[0].to_string());
}

#[test]
fn several_files_make_one_charter() {
    let (head, models) = EXAMPLE.split_at(EXAMPLE.find("\nmodels:").unwrap());
    let two = |first: &str, second: &str| {
        let named = |name: &str, text: &str| SourceFile { name: name.into(), text: text.into() };
        read(&[named("charter/1.yaml", first), named("charter/2.yaml", second)])
    };
    let (whole, _) = read(&file(EXAMPLE)).unwrap();
    assert_eq!(two(head, models).unwrap().0.digest(), whole.digest());
    insta::assert_snapshot!(two(EXAMPLE, "charter: 1\n").unwrap_err());
}

#[test]
fn a_plan_says_what_is_loosened() {
    let read = |text: &str| read(&file(text)).unwrap().0;
    let old = read(EXAMPLE);
    let text = EXAMPLE.replacen("metric: auc, at_least: 0.7", "metric: auc, at_least: 0.6", 1).replacen(
        "roles: [auditor]",
        "roles: [auditor, ml-engineer]",
        1,
    );
    let plan = charter::plan(Some(&old), &read(&text));
    assert!(plan.loosens());
    insta::assert_snapshot!(plan);
    assert!(charter::plan(Some(&old), &old).unchanged);
    insta::assert_snapshot!("first_plan", charter::plan(None, &old));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn nothing_makes_it_panic(at in 0usize..EXAMPLE.len(), cut in 0usize..40, insert in "\\PC{0,12}") {
        let start = (0..=at).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap();
        let end = (start + cut..EXAMPLE.len()).find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(EXAMPLE.len());
        let text = format!("{}{insert}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
        drop(read(&file(&text)));
    }
}
