//! What filters let through, and what of them is not understood.

use super::*;
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(Default)]
struct Thing(BTreeMap<String, String>, BTreeMap<String, f64>);

impl Searched for Thing {
    fn text(&self, entity: Entity, key: &str) -> Option<Cow<'_, str>> {
        self.0.get(&format!("{entity:?}.{key}")).map(|text| Cow::Borrowed(text.as_str()))
    }
    fn number(&self, entity: Entity, key: &str) -> Option<f64> {
        self.1.get(&format!("{entity:?}.{key}")).copied()
    }
}

fn thing() -> Thing {
    let texts =
        [("Attribute.run_name", "first run"), ("Tag.team", "risk"), ("Tag.a b", "x"), ("Param.lr", "0.1")];
    let texts = texts.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Thing(texts.into(), [("Metric.auc".to_owned(), 0.75), ("Attribute.start_time".to_owned(), 1000.0)].into())
}

fn matches(text: &str) -> bool {
    Filter::parse(Kind::Runs, text).unwrap().matches(&thing())
}

#[test]
fn comparisons_hold_or_not() {
    let holding = [
        "",
        "metrics.auc > 0.5",
        "metrics.auc > 0.5 and tags.team = 'risk' AND params.lr = '0.1'",
        "metric.`auc` >= 0.75",
        "metrics.auc > .5",
        "run_name IN (\"first run\")",
        "tags.\"a b\" = \"x\"",
        "attributes.run_name LIKE 'first%'",
        "run_name ilike '%RUN'",
        "run_name LIKE 'f_rst r_n'",
        "start_time >= 1000",
        "run_name IN ('first run', 'second')",
        "tags.team NOT IN ('other')",
        "tags.none IS NULL AND tags.team IS NOT NULL",
        "tags.team != 'other'",
        "attributes.run_name = 'first run'",
    ];
    for text in holding {
        assert!(matches(text), "{text}");
    }
    for text in [
        "metrics.auc > 0.8",
        "metrics.none > 0",
        "tags.none = 'x'",
        "tags.none != 'x'",
        "run_name LIKE 'first'",
    ] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn prompts_are_left_out_and_models_without_the_tag_are_not() {
    let text = "name = 'credit' AND tag.`mlflow.prompt.is_prompt` != 'true'";
    let filter = Filter::parse(Kind::RegisteredModels, text).unwrap();
    let mut model = Thing([("Attribute.name".to_owned(), "credit".to_owned())].into(), BTreeMap::new());
    assert!(filter.matches(&model));
    model.0.insert("Tag.mlflow.prompt.is_prompt".into(), "true".into());
    assert!(!filter.matches(&model));
}

#[test]
fn what_is_not_understood_is_said() {
    let wrong = [
        "metrics.auc > 'high'",
        "tags.team > 'a'",
        "tags.team = 3",
        "tags.team = risk",
        "colour = 'red'",
        "widgets.a = 'b'",
        "metrics.auc >",
        "metrics.auc 0.5",
        "metrics.auc > 0.5 OR metrics.auc < 0.1",
        "tags.team = 'risk",
        "run_name IN 'a'",
        "run_name IS NULL",
        "name; drop",
        "start_time > 12abc",
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|text| format!("{text}\n    {}", Filter::parse(Kind::Runs, text).unwrap_err()))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// LIKE as a definition: a letter at a time.
fn slow_like(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('%', later)), _) => (0..=text.len()).any(|n| slow_like(later, &text[n..])),
        (Some((p, later)), Some((t, rest))) => (*p == '_' || p == t) && slow_like(later, rest),
        (Some(_), None) => false,
    }
}

proptest! {
    #[test]
    fn like_is_like_its_definition(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(like(&pattern, &text), slow_like(&p, &t));
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        for kind in [Kind::Runs, Kind::Experiments, Kind::ModelVersions] {
            drop(Filter::parse(kind, &text));
        }
    }
}
