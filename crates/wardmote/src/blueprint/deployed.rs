//! A template as a stack has it: with those of its nested stacks.

use super::stack::Site;
use crate::failure::{Exit, Failure};
use ::blueprint::{Template, joined};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A template, and those of its nested stacks by their logical ids.
pub(super) struct Deployed {
    root: Text,
    parts: BTreeMap<String, Value>,
}

/// JSON, or whatever somebody else put there.
enum Text {
    Json(Value),
    Other(String),
}

impl Deployed {
    pub(super) fn of(root: &Template, parts: Vec<(String, Template)>) -> Self {
        let parts = parts.into_iter().map(|(name, part)| (name, part.to_json())).collect();
        Self { root: Text::Json(root.to_json()), parts }
    }

    /// The template of the stack itself.
    pub(super) fn root(&self) -> Value {
        match &self.root {
            Text::Json(root) => root.clone(),
            Text::Other(_) => Value::Null,
        }
    }

    pub(super) fn is_nested(&self) -> bool {
        !self.parts.is_empty()
    }

    /// All of it in one text, which is always the same for the same templates.
    pub(super) fn text(&self) -> String {
        match &self.root {
            Text::Json(root) if self.parts.is_empty() => root.to_string(),
            Text::Json(root) => json!({"root": root, "parts": self.parts}).to_string(),
            Text::Other(text) => text.clone(),
        }
    }

    /// The template as if it were in one piece, to be judged.
    pub(super) fn whole(&self) -> String {
        let Text::Json(root) = &self.root else { return self.text() };
        let whole = joined(root, |name| self.parts.get(name).cloned());
        // Nested stacks of somebody else are judged as what they are.
        whole.as_ref().unwrap_or(root).to_string()
    }

    /// In which nested stack each resource is; with an empty name in the stack itself. Where one is gone, nobody knows what is
    /// left of it, and nothing is put beside it.
    pub(super) fn places(&self) -> Result<BTreeMap<String, String>, Failure> {
        if let Some(name) = nested(&self.root()).into_iter().find(|name| !self.parts.contains_key(name)) {
            let said = format!("the nested stack `{name}` is gone, and what it made may still be there");
            return Err(Failure::new(Exit::Conflict, said)
                .with_help("`wardmote apply --aws --destroy` deletes the rest; what holds evidence stays"));
        }
        let ids = |template: &Value| -> Vec<String> {
            template["Resources"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect()
        };
        let own = ids(&self.root()).into_iter().filter(|id| !self.parts.contains_key(id));
        let mut all: BTreeMap<String, String> = own.map(|id| (id, String::new())).collect();
        for (name, part) in &self.parts {
            all.extend(ids(part).into_iter().map(|id| (id, name.clone())));
        }
        Ok(all)
    }
}

/// The logical ids of nested stacks.
fn nested(root: &Value) -> Vec<String> {
    let all = root["Resources"].as_object().into_iter().flatten();
    all.filter(|(_, one)| one["Type"] == "AWS::CloudFormation::Stack").map(|(name, _)| name.clone()).collect()
}

impl Site<'_> {
    /// What a stack has.
    pub(super) fn deployed(&self, stack: &str) -> Result<Deployed, Failure> {
        let text = self.stacks.template(stack).map_err(crate::aws::failure)?;
        let Ok(root) = serde_json::from_str::<Value>(&text) else {
            return Ok(Deployed { root: Text::Other(text), parts: BTreeMap::new() });
        };
        let mut parts = BTreeMap::new();
        for name in nested(&root) {
            let id = self.stacks.nested(stack, &name).map_err(crate::aws::failure)?;
            let Some(id) = id else { continue };
            let text = self.stacks.template(&id).map_err(crate::aws::failure)?;
            let part = serde_json::from_str(&text).map_err(|_| {
                let said = format!(
                    "the nested stack `{name}` has a template that is no JSON: somebody else changed it"
                );
                Failure::new(Exit::Conflict, said)
                    .with_help("put its template back, or delete the stack by other means")
            })?;
            parts.insert(name, part);
        }
        Ok(Deployed { root: Text::Json(root), parts })
    }
}
