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

    /// In which nested stack each resource is; with an empty name in the stack itself.
    pub(super) fn places(&self) -> BTreeMap<String, String> {
        let ids = |template: &Value| -> Vec<String> {
            template["Resources"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect()
        };
        let own = ids(&self.root()).into_iter().filter(|id| !self.parts.contains_key(id));
        let mut all: BTreeMap<String, String> = own.map(|id| (id, String::new())).collect();
        for (name, part) in &self.parts {
            all.extend(ids(part).into_iter().map(|id| (id, name.clone())));
        }
        all
    }
}

impl Site<'_> {
    /// What a stack has.
    pub(super) fn deployed(&self, stack: &str) -> Result<Deployed, Failure> {
        let text = self.stacks.template(stack).map_err(crate::aws::failure)?;
        let Ok(root) = serde_json::from_str::<Value>(&text) else {
            return Ok(Deployed { root: Text::Other(text), parts: BTreeMap::new() });
        };
        let mut parts = BTreeMap::new();
        let nested = root["Resources"].as_object().into_iter().flatten();
        for (name, _) in nested.filter(|(_, one)| one["Type"] == "AWS::CloudFormation::Stack") {
            let id = self.stacks.nested(stack, name).map_err(crate::aws::failure)?;
            let Some(id) = id else { continue };
            let text = self.stacks.template(&id).map_err(crate::aws::failure)?;
            let part = serde_json::from_str(&text).map_err(|_| {
                let said = format!(
                    "the nested stack `{name}` has a template that is no JSON: somebody else changed it"
                );
                Failure::new(Exit::Conflict, said)
                    .with_help("put its template back, or delete the stack by other means")
            })?;
            parts.insert(name.clone(), part);
        }
        Ok(Deployed { root: Text::Json(root), parts })
    }
}
