//! What the values of a template refer to, and the same values referring to something else.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// `!Ref`, or `!GetAtt` if there is an attribute; of a resource, a parameter or a pseudo parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) id: String,
    pub(super) attribute: Option<String>,
}

impl Reference {
    pub(super) fn to(id: impl Into<String>) -> Self {
        Self { id: id.into(), attribute: None }
    }

    pub(super) fn get(id: impl Into<String>, attribute: impl Into<String>) -> Self {
        Self { id: id.into(), attribute: Some(attribute.into()) }
    }

    /// `Bucket` or `Bucket.Arn`, as in `!Sub`.
    fn of_text(text: &str) -> Self {
        match text.split_once('.') {
            Some((id, attribute)) => Self::get(id, attribute),
            None => Self::to(text),
        }
    }

    fn text(&self) -> String {
        match &self.attribute {
            Some(attribute) => format!("{}.{attribute}", self.id),
            None => self.id.clone(),
        }
    }

    /// As a value of its own.
    pub(super) fn value(&self) -> Value {
        match &self.attribute {
            Some(attribute) => json!({"Fn::GetAtt": [self.id, attribute]}),
            None => json!({"Ref": self.id}),
        }
    }

    /// The value, if it is nothing but a reference.
    pub(super) fn of_value(value: &Value) -> Option<Self> {
        let (name, inner) = value.as_object().filter(|map| map.len() == 1)?.iter().next()?;
        match (name.as_str(), inner) {
            ("Ref", Value::String(id)) => Some(Self::to(id)),
            ("Fn::GetAtt", Value::String(text)) => Some(Self::of_text(text)),
            ("Fn::GetAtt", Value::Array(words)) => match words.as_slice() {
                [Value::String(id), Value::String(attribute)] => Some(Self::get(id, attribute)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// All that a value refers to.
pub(super) fn references(value: &Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    rewritten(value, &mut |reference| {
        found.insert(reference.clone());
        None
    });
    found
}

/// The value with other references where `other` has one.
pub(super) fn rewritten(value: &Value, other: &mut dyn FnMut(&Reference) -> Option<Reference>) -> Value {
    if let Some(reference) = Reference::of_value(value) {
        return other(&reference).map_or_else(|| value.clone(), |other| other.value());
    }
    match value {
        Value::Array(items) => items.iter().map(|item| rewritten(item, other)).collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, inner)| {
                let inner = if key == "Fn::Sub" { text(inner, other) } else { rewritten(inner, other) };
                (key.clone(), inner)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        plain => plain.clone(),
    }
}

/// What is below `Fn::Sub`: a text, or a text and values that go before what it refers to.
fn text(value: &Value, other: &mut dyn FnMut(&Reference) -> Option<Reference>) -> Value {
    match value {
        Value::String(text) => json!(in_text(text, &mut |name| other(&Reference::of_text(name)))),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text), Value::Object(own)] => {
                let text = in_text(text, &mut |name| match own.contains_key(name) {
                    true => None,
                    false => other(&Reference::of_text(name)),
                });
                json!([text, rewritten(&Value::Object(own.clone()), other)])
            }
            _ => value.clone(),
        },
        plain => plain.clone(),
    }
}

/// A text with each `${name}` that `other` knows replaced; `${!name}` is a text and no reference.
fn in_text(text: &str, other: &mut dyn FnMut(&str) -> Option<Reference>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find("${") {
        let (before, after) = rest.split_at(begin);
        let Some(length) = after.find('}') else { break };
        out.push_str(before);
        let name = &after[2..length];
        let other = if name.starts_with('!') { None } else { other(name) };
        out.push_str(&other.map_or_else(|| after[..=length].to_owned(), |it| format!("${{{}}}", it.text())));
        rest = &after[length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_form_are_found_and_replaced() {
        let value = json!({
            "A": {"Ref": "Bucket"}, "B": {"Fn::GetAtt": ["Role", "Arn"]}, "C": {"Fn::GetAtt": "Role.RoleId"},
            "D": {"Fn::Sub": "${Bucket}/${!aws:username}/${Role.Arn}/${AWS::Region}/${open"},
            "E": {"Fn::Sub": ["${own}/${Bucket}", {"own": {"Ref": "Key"}}]},
            "F": {"Fn::If": ["Condition", [{"Ref": "Bucket"}], {"Ref": "AWS::NoValue"}]},
            "Ref": "two members, so no reference",
        });
        let found: Vec<String> = references(&value).iter().map(Reference::text).collect();
        assert_eq!(
            found,
            ["AWS::NoValue", "AWS::Region", "Bucket", "Key", "Role.Arn", "Role.RoleId"],
            "in order"
        );
        let mut other = |reference: &Reference| match reference.text().as_str() {
            "Bucket" => Some(Reference::get("Part1", "Outputs.RefBucket")),
            "Role.Arn" => Some(Reference::to("GetRoleArn")),
            "own" => Some(Reference::to("never")),
            _ => None,
        };
        insta::assert_snapshot!(rewritten(&value, &mut other), @r#"{"A":{"Fn::GetAtt":["Part1","Outputs.RefBucket"]},"B":{"Ref":"GetRoleArn"},"C":{"Fn::GetAtt":"Role.RoleId"},"D":{"Fn::Sub":"${Part1.Outputs.RefBucket}/${!aws:username}/${GetRoleArn}/${AWS::Region}/${open"},"E":{"Fn::Sub":["${own}/${Part1.Outputs.RefBucket}",{"own":{"Ref":"Key"}}]},"F":{"Fn::If":["Condition",[{"Fn::GetAtt":["Part1","Outputs.RefBucket"]}],{"Ref":"AWS::NoValue"}]},"Ref":"two members, so no reference"}"#);
    }
}
