//! Templates that are larger than CloudFormation takes: the parts are small enough and whole in themselves, and joined again
//! they are what was split, to the controls and the proofs too.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails if it cannot"
)]

mod common;

use blueprint::{Blueprint, Limits, Parts, Settings, Template, draw, joined};
use common::{charter, many};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn at_most(resources: usize) -> Limits {
    Limits { resources, ..Limits::default() }
}

/// The resources by their ids, without what parts make unneeded: that one waits for another.
fn resources(template: &Value) -> Map<String, Value> {
    let mut all: Vec<(String, Value)> = template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, one)| {
            let mut one = one.clone();
            one.as_object_mut().unwrap().remove("DependsOn");
            (id.clone(), one)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().collect()
}

fn join(parts: &Parts) -> Value {
    let part =
        |name: &str| parts.parts.iter().find(|(known, _)| known == name).map(|(_, part)| part.to_json());
    joined(&parts.root.to_json(), part).unwrap()
}

/// Names of conditions, and of what is referred to.
fn named(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, all)),
        Value::Object(map) => {
            for (key, inner) in map {
                let text =
                    inner.as_str().or_else(|| inner.get(0).and_then(Value::as_str)).unwrap_or_default();
                match key.as_str() {
                    "Ref" | "Fn::GetAtt" | "Fn::If" => drop(all.insert(text.to_owned())),
                    "Condition" if inner.is_string() => drop(all.insert(text.to_owned())),
                    "Fn::Sub" => {
                        for name in text.split("${").skip(1).filter(|name| !name.starts_with('!')) {
                            all.insert(name.split(['}', '.']).next().unwrap().to_owned());
                        }
                    }
                    _ => {}
                }
                named(inner, all);
            }
        }
        _ => {}
    }
}

/// Everything that the template names is in it.
fn assert_closed(name: &str, template: &Template) {
    let json = template.to_json();
    let mut all = BTreeSet::new();
    named(&json, &mut all);
    let has = |id: &String| {
        id.starts_with("AWS::")
            || ["Parameters", "Resources", "Conditions"]
                .iter()
                .any(|section| json[*section].get(id).is_some())
    };
    let missing: Vec<_> = all.iter().filter(|id| !has(id)).collect();
    assert!(missing.is_empty(), "{name} names {missing:?}");
    for (id, resource) in json["Resources"].as_object().unwrap() {
        for other in resource["DependsOn"].as_array().into_iter().flatten() {
            assert!(has(&other.as_str().unwrap().to_owned()), "{name}: {id} waits for {other}");
        }
    }
}

/// Every nested stack gets all its parameters and no others, from what comes before it.
fn assert_fed(parts: &Parts) {
    let root = parts.root.to_json();
    let mut before: Vec<&str> = Vec::new();
    for (name, part) in &parts.parts {
        let stack = &root["Resources"][name];
        let given: BTreeSet<&String> =
            stack["Properties"]["Parameters"].as_object().unwrap().keys().collect();
        let part = part.to_json();
        let wanted: BTreeSet<&String> = part["Parameters"].as_object().unwrap().keys().collect();
        assert_eq!(given, wanted, "{name}");
        let mut from = BTreeSet::new();
        named(&stack["Properties"], &mut from);
        let parts_named = from.iter().filter(|id| id.starts_with("Part"));
        assert!(parts_named.clone().all(|id| before.contains(&id.as_str())), "{name} takes from {from:?}");
        let waits = |last: &&str| stack["DependsOn"] == json!([last]) || from.contains(*last);
        assert!(before.last().is_none_or(waits), "{name} comes after the one before");
        before.push(name);
    }
}

fn check(blueprint: &Blueprint, limits: Limits) -> Parts {
    check_beside(blueprint, limits, &BTreeMap::new())
}

fn check_beside(blueprint: &Blueprint, limits: Limits, before: &BTreeMap<String, String>) -> Parts {
    let parts = blueprint.template.in_parts(limits, before).unwrap();
    assert!(!parts.parts.is_empty());
    for (name, template) in
        parts.parts.iter().map(|(name, part)| (name.as_str(), part)).chain([("root", &parts.root)])
    {
        assert!(template.len() <= limits.resources && template.bytes() <= limits.bytes, "{name}");
        let json = template.to_json();
        for section in ["Parameters", "Outputs"] {
            assert!(json[section].as_object().map_or(0, Map::len) <= limits.values, "{name}: {section}");
        }
        assert_closed(name, template);
    }
    assert_fed(&parts);
    let (again, whole) = (join(&parts), blueprint.template.to_json());
    assert_eq!(resources(&again), resources(&whole));
    for section in ["Parameters", "Conditions", "Outputs"] {
        assert_eq!(again[section], whole[section], "{section}");
    }
    parts
}

#[test]
fn parts_of_every_size_are_whole_and_join_again() {
    for settings in common::settings() {
        let blueprint = draw(&charter(), settings).unwrap();
        let number = blueprint.template.len();
        let whole = blueprint.template.in_parts(at_most(number), &BTreeMap::new()).unwrap();
        assert!(whole.parts.is_empty() && whole.root == blueprint.template, "as small as it is");
        for most in (14..number).step_by(7).chain([number - 1]) {
            check(&blueprint, at_most(most));
        }
        let bytes = Limits { bytes: 40_000, ..Limits::default() };
        assert!(check(&blueprint, bytes).parts.len() > 3);
        let values = Limits { resources: 60, values: 90, ..Limits::default() };
        check(&blueprint, values);
    }
}

#[test]
fn many_models_are_put_into_parts_and_judged_as_a_whole() {
    let blueprint = draw(&many(20), Settings::default()).unwrap();
    assert!(blueprint.template.len() > 500);
    let parts = check(&blueprint, Limits::default());
    assert!((2..=4).contains(&parts.parts.len()), "{}", parts.parts.len());
    let report = |template: &Value| {
        let estate = controls::template("template.json", &template.to_string()).unwrap();
        let found = controls::scan(&estate, &controls::Selection::default());
        let said = |finding: &controls::Finding| {
            format!("{} {} {}", finding.control(), finding.subject.id, finding.word())
        };
        let findings: BTreeSet<String> = found.findings().iter().map(said).collect();
        let claims: Vec<_> = blueprint.claims.iter().map(|claim| claim.prove(&estate)).collect();
        (findings, claims)
    };
    let whole = report(&blueprint.template.to_json());
    assert_eq!(report(&join(&parts)), whole);
    assert!(whole.0.iter().all(|finding| !finding.ends_with("broken")));
    assert!(whole.1.iter().all(|outcome| *outcome == blueprint::Outcome::Proved));
}

/// In which nested stack each resource is.
fn places(parts: &Parts) -> BTreeMap<String, String> {
    let of = |(name, part): &(String, Template)| {
        let ids: Vec<String> = part.to_json()["Resources"].as_object().unwrap().keys().cloned().collect();
        ids.into_iter().map(|id| (id, name.clone())).collect::<Vec<_>>()
    };
    parts.parts.iter().flat_map(of).collect()
}

#[test]
fn what_is_deployed_stays_where_it_is() {
    let draw = |models| draw(&many(models), Settings::default()).unwrap();
    let limits = at_most(160);
    let mut parts = check(&draw(5), limits);
    // Models come and go.
    for models in [6, 7, 6, 8, 1, 2] {
        let before = places(&parts);
        parts = check_beside(&draw(models), limits, &before);
        let now = places(&parts);
        let moved: Vec<_> =
            now.iter().filter(|(id, part)| before.get(*id).is_some_and(|was| was != *part)).collect();
        assert!(moved.is_empty(), "{models} models: {moved:?}");
    }
    // What would fit into one stack stays in parts too.
    assert!(!check_beside(&draw(1), Limits::default(), &places(&parts)).parts.is_empty());
    let whole: BTreeMap<String, String> = places(&parts).into_keys().map(|id| (id, String::new())).collect();
    let refused = |models, before| {
        let wrong = draw(models).template.in_parts(limits, before).unwrap_err();
        let text: String = wrong.to_string().chars().filter(|letter| !letter.is_ascii_digit()).collect();
        format!("{text}\nhelp: {}\n", wrong.help())
    };
    let mut said = refused(5, &whole);
    said.push_str(&refused(40, &places(&parts)));
    insta::assert_snapshot!(said);
}

#[test]
fn a_root_says_where_its_parts_are() {
    let blueprint = draw(&charter(), Settings::default()).unwrap();
    let parts = blueprint.template.in_parts(at_most(60), &BTreeMap::new()).unwrap();
    let address =
        |name: &str, part: &Template| Ok::<_, ()>(format!("https://bucket/{name}-{}.json", part.len()));
    let root = parts.addressed(address).unwrap().to_json();
    assert_eq!(root["Resources"]["Part1"]["Properties"]["TemplateURL"], "https://bucket/Part1-48.json");
    assert_eq!(parts.root.to_json()["Resources"]["Part1"]["Properties"]["TemplateURL"], "Part1.yaml");
    insta::assert_snapshot!(
        parts
            .root
            .to_yaml()
            .lines()
            .filter(|line| line.contains("Part"))
            .take(6)
            .collect::<Vec<_>>()
            .join("\n")
    );
    // A part that is gone makes nothing of it.
    assert_eq!(joined(&root, |_| None), None);
    let whole = blueprint.template.to_json();
    assert_eq!(joined(&whole, |_| None), Some(whole));
}

#[test]
fn what_cannot_be_made_small_enough_is_refused() {
    let blueprint = draw(&charter(), Settings::default()).unwrap();
    let wrong = blueprint
        .template
        .in_parts(Limits { bytes: 2_000, ..Limits::default() }, &BTreeMap::new())
        .unwrap_err();
    let bytes = blueprint.template.bytes().to_string();
    let said = wrong.to_string().replace(&bytes, "N").replace(&blueprint.template.len().to_string(), "M");
    insta::assert_snapshot!(format!("{said}\nhelp: {}", wrong.help()));
}
