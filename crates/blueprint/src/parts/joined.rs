//! The whole again, of a root and the templates of its nested stacks: of what was deployed, whoever deployed it.

use super::STACK;
use super::references::{Reference, rewritten};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The whole template of a root; `part` has the templates of its nested stacks by their logical ids. A template without nested
/// stacks is whole already.
///
/// None if a part is not there, or values go between parts in a way that [`super::Parts`] has not.
pub fn joined(root: &Value, mut part: impl FnMut(&str) -> Option<Value>) -> Option<Value> {
    let mut whole = root.clone();
    let resources = root.get("Resources")?.as_object()?;
    let stacks: Vec<(&String, &Value)> = resources.iter().filter(|(_, one)| one["Type"] == STACK).collect();
    let mut parts = BTreeMap::new();
    for (name, _) in &stacks {
        parts.insert(name.as_str(), part(name)?);
    }
    // What an output of a part is, in the terms of the whole.
    let told = |from: &Reference| {
        let output = from.attribute.as_deref()?.strip_prefix("Outputs.")?;
        let value = parts.get(from.id.as_str())?.get("Outputs")?.get(output)?.get("Value")?;
        Reference::of_value(value)
    };
    let mut all: Map<String, Value> = resources
        .iter()
        .filter(|(_, one)| one["Type"] != STACK)
        .map(|(id, one)| (id.clone(), one.clone()))
        .collect();
    for (name, stack) in &stacks {
        let mut known = BTreeMap::new();
        for (parameter, value) in stack["Properties"]["Parameters"].as_object().into_iter().flatten() {
            let value = value.get("Fn::If").and_then(|words| words.get(1)).unwrap_or(value);
            let from = Reference::of_value(value)?;
            let is_of_part = parts.contains_key(from.id.as_str());
            known.insert(parameter.as_str(), if is_of_part { told(&from)? } else { from });
        }
        let mut other = |to: &Reference| match to.attribute {
            None => known.get(to.id.as_str()).cloned(),
            Some(_) => None,
        };
        for (id, one) in parts.get(name.as_str())?.get("Resources")?.as_object()? {
            let mut one = one.clone();
            one["Properties"] = rewritten(&one["Properties"], &mut other);
            if all.insert(id.clone(), one).is_some() {
                return None;
            }
        }
    }
    whole["Resources"] = Value::Object(all);
    let mut conditions = root.get("Conditions").and_then(Value::as_object).cloned().unwrap_or_default();
    for part in parts.values() {
        for (name, condition) in part.get("Conditions").and_then(Value::as_object).into_iter().flatten() {
            conditions.entry(name.clone()).or_insert_with(|| condition.clone());
        }
    }
    if !conditions.is_empty() {
        whole["Conditions"] = Value::Object(conditions);
    }
    if let Some(outputs) = whole.get_mut("Outputs") {
        *outputs = rewritten(outputs, &mut |to| told(to));
    }
    Some(whole)
}
