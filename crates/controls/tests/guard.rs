//! Rules as Guard: what our own simple controls say is what their expressions say, and what is written is golden. That
//! cfn-guard says the same of the same templates is held by `guard/compare.py`, which the tests run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use controls::{
    GuardFor, Rules, Selection, control_named, controls, export_guard, rules, scan, simple_expression,
    template,
};
use serde_json::{Value, json};

fn read(text: &str) -> Rules {
    rules("rules.yaml", text, Rules::default()).unwrap()
}

fn simple() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    controls().filter_map(|control| {
        simple_expression(control.id).map(|(kind, expression)| (control.id, kind, expression))
    })
}

/// Verdicts by resource.
fn verdicts(file: &str, text: &str, selection: &Selection, control: &str) -> Vec<(String, &'static str)> {
    let estate = template(file, text).unwrap();
    let report = scan(&estate, selection);
    let of = report.findings().iter().filter(|finding| finding.control() == control);
    of.map(|finding| (finding.subject.id.clone(), finding.word())).collect()
}

#[test]
fn expressions_of_our_controls_say_what_the_controls_say() {
    let (mut wrong, mut held, mut broken) = (Vec::new(), 0, 0);
    let rows: Vec<Value> = serde_json::from_str(include_str!("../data/simple.json")).unwrap();
    assert_eq!(simple().count(), rows.len());
    for (id, kind, expression) in simple() {
        let rule = json!({"rules": [{"id": "R-1", "title": "t", "severity": "low", "type": kind, "expression": expression}]});
        let both = Selection::default()
            .with_rules(read(&rule.to_string()))
            .control(id)
            .unwrap()
            .control("R-1")
            .unwrap();
        let control = control_named(id).unwrap();
        assert!(control.kinds.contains(&kind), "{id}");
        for text in [control.holds, control.broken, control.unknown] {
            let ours = verdicts("t.yaml", text, &both, id);
            let theirs = verdicts("t.yaml", text, &both, "R-1");
            for (resource, word) in &theirs {
                let other = ours.iter().find(|(one, _)| one == resource).map_or("nothing", |(_, word)| word);
                held += usize::from(*word == "holds");
                broken += usize::from(*word == "broken");
                if other != *word {
                    wrong.push(format!("{id} {resource}: the control {other}, the expression {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held >= 25 && broken >= 25, "{held} {broken}");
}

const RULES: &str = include_str!("guard/rules.yaml");

#[test]
fn what_is_written_and_what_cannot_be() {
    let selection = Selection::default().with_rules(read(RULES));
    for (name, to) in [("templates", GuardFor::Templates), ("config", GuardFor::Config)] {
        let exported = export_guard(&selection, &[], to).unwrap();
        let refused: Vec<String> = exported.refused.iter().map(|(id, why)| format!("{id}: {why}")).collect();
        insta::assert_snapshot!(name, format!("{}\nnot written:\n{}", exported.text, refused.join("\n")));
    }
    let one = export_guard(&selection, &["kms-02".to_owned(), "CKV_AWS_21".to_owned()], GuardFor::Templates)
        .unwrap();
    assert_eq!(one.written, [("S3-12".to_owned(), "S3_12".to_owned())]);
    assert_eq!(one.refused[0].0, "KMS-02");
    assert!(export_guard(&selection, &["nothing".to_owned()], GuardFor::Config).is_err());
}
