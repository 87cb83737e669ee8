//! A CloudFormation template as typed pieces: parameters, conditions, resources and outputs, each with why it is there.

use serde_json::{Map, Value, json};
use std::fmt;

/// The most resources that CloudFormation takes in one template.
pub const MOST_RESOURCES: usize = 500;
/// The most bytes that it takes from a bucket.
pub const MOST_BYTES: usize = 1_000_000;
/// The most bytes that it takes in a call itself.
pub const MOST_BYTES_INLINE: usize = 51_200;

/// The member of an object of properties that is a comment on it.
pub(crate) const COMMENT: &str = "#";

/// A template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub(crate) description: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) conditions: Vec<(String, Value)>,
    pub(crate) areas: Vec<Area>,
    pub(crate) outputs: Vec<Output>,
}

/// Resources that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Area {
    pub(crate) title: &'static str,
    pub(crate) why: &'static str,
    pub(crate) resources: Vec<Resource>,
}

/// A value that is given at deployment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) description: String,
    /// None must be given.
    pub(crate) default: Option<String>,
    pub(crate) pattern: Option<&'static str>,
}

/// Something that a stack tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) description: &'static str,
    pub(crate) value: Value,
    pub(crate) condition: Option<String>,
}

/// A resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) why: String,
    pub(crate) condition: Option<String>,
    pub(crate) after: Vec<String>,
    /// Whether it stays when the stack is deleted or the resource is replaced.
    pub(crate) stays: bool,
    pub(crate) properties: Value,
}

impl Resource {
    pub(crate) fn new(id: impl Into<String>, kind: &'static str, properties: Value) -> Self {
        let (condition, after, why) = (None, Vec::new(), String::new());
        Self { id: id.into(), kind, why, condition, after, stays: false, properties }
    }

    /// Why it is there.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// It is there only if a condition holds.
    pub(crate) fn when(mut self, condition: &str) -> Self {
        self.condition = Some(condition.to_owned());
        self
    }

    /// It is made after another, although it does not refer to it.
    pub(crate) fn after(mut self, other: &str) -> Self {
        self.after.push(other.to_owned());
        self
    }

    /// It outlives the stack, because it holds evidence.
    pub(crate) fn stays(mut self) -> Self {
        self.stays = true;
        self
    }
}

/// A charter for which there is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbuildable {
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

impl Unbuildable {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for Unbuildable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unbuildable {}

impl Template {
    pub(crate) fn new(description: String) -> Self {
        Self {
            description,
            parameters: Vec::new(),
            conditions: Vec::new(),
            areas: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// All resources, in the order of the template.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.areas.iter().flat_map(|area| &area.resources)
    }

    /// How many resources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resources().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The logical ids and types of what stays when the stack is deleted.
    pub fn staying(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources().filter(|one| one.stays).map(|one| (one.id.as_str(), one.kind))
    }

    /// How many bytes it has as JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.to_json().to_string().len()
    }

    /// Refuses what CloudFormation would refuse: two resources of one name.
    pub(crate) fn checked(self) -> Result<Self, Unbuildable> {
        let mut ids: Vec<&str> = self.resources().map(|resource| resource.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("two resources of the template would both be called `{}`", twice[0]);
            let help = "rename one of the ids of the charter that differ only in signs other than letters and digits";
            return Err(Unbuildable { message, help });
        }
        Ok(self)
    }

    /// The template as JSON, without comments.
    #[must_use]
    pub fn to_json(&self) -> Value {
        plain(&self.sections())
    }

    /// The sections of the template, with comments.
    pub(crate) fn sections(&self) -> Value {
        let mut root = Map::new();
        root.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
        root.insert("Description".to_owned(), json!(self.description));
        let parameters = self.parameters.iter().map(|one| (one.name.clone(), one.section()));
        root.insert("Parameters".to_owned(), Value::Object(parameters.collect()));
        if !self.conditions.is_empty() {
            root.insert("Conditions".to_owned(), Value::Object(self.conditions.iter().cloned().collect()));
        }
        let resources = self.resources().map(|one| (one.id.clone(), one.section()));
        root.insert("Resources".to_owned(), Value::Object(resources.collect()));
        let outputs = self.outputs.iter().map(|one| (one.name.clone(), one.section()));
        root.insert("Outputs".to_owned(), Value::Object(outputs.collect()));
        Value::Object(root)
    }
}

impl Parameter {
    fn section(&self) -> Value {
        let mut map = Map::new();
        map.insert("Type".to_owned(), json!(self.kind));
        map.insert("Description".to_owned(), json!(self.description));
        if let Some(default) = &self.default {
            map.insert("Default".to_owned(), json!(default));
        }
        if let Some(pattern) = self.pattern {
            map.insert("AllowedPattern".to_owned(), json!(pattern));
        }
        Value::Object(map)
    }
}

impl Output {
    fn section(&self) -> Value {
        let mut section = json!({"Description": self.description, "Value": self.value});
        if let Some(condition) = &self.condition {
            section["Condition"] = json!(condition);
        }
        section
    }
}

impl Resource {
    pub(crate) fn section(&self) -> Value {
        let mut map = Map::new();
        if !self.why.is_empty() {
            map.insert(COMMENT.to_owned(), json!(self.why));
        }
        map.insert("Type".to_owned(), json!(self.kind));
        if let Some(condition) = &self.condition {
            map.insert("Condition".to_owned(), json!(condition));
        }
        if !self.after.is_empty() {
            map.insert("DependsOn".to_owned(), json!(self.after));
        }
        if self.stays {
            map.insert("DeletionPolicy".to_owned(), json!("Retain"));
            map.insert("UpdateReplacePolicy".to_owned(), json!("Retain"));
        }
        map.insert("Properties".to_owned(), self.properties.clone());
        Value::Object(map)
    }
}

/// The value without comments.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| *key != COMMENT);
            Value::Object(kept.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}

/// `!Ref`.
pub(crate) fn to(id: &str) -> Value {
    json!({"Ref": id})
}

/// `!GetAtt`.
pub(crate) fn get(id: &str, attribute: &str) -> Value {
    json!({"Fn::GetAtt": [id, attribute]})
}

/// The ARN of a resource.
pub(crate) fn arn(id: &str) -> Value {
    get(id, "Arn")
}

/// `!Sub`.
pub(crate) fn sub(text: impl AsRef<str>) -> Value {
    json!({"Fn::Sub": text.as_ref()})
}

/// A policy document.
pub(crate) fn policy(statements: Vec<Value>) -> Value {
    let mut policy = json!({"Version": "2012-10-17", "Statement": null});
    policy["Statement"] = Value::Array(statements);
    policy
}

/// An id of a charter as a part of a logical id: `credit-training` is `CreditTraining`.
pub(crate) fn logical(id: &str) -> String {
    let parts = id.split(|c: char| !c.is_ascii_alphanumeric());
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    parts.filter_map(capital).collect()
}
