//! The template as YAML for people: short functions, comments that say why, lists in one line where they fit.

use crate::template::{COMMENT, Template};
use serde_json::{Map, Value};

/// No line of a list is longer, and comments are broken before it.
const WIDTH: usize = 118;

impl Template {
    /// The template as YAML, with comments.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        let Value::Object(sections) = self.sections() else { return out };
        for (name, section) in &sections {
            if name != "AWSTemplateFormatVersion" {
                out.push('\n');
            }
            if name != "Resources" {
                member(&mut out, 0, name, section);
                continue;
            }
            out.push_str("Resources:\n");
            for area in &self.areas {
                comment(&mut out, 2, &format!("==== {} ====", area.title));
                comment(&mut out, 2, area.why);
                for resource in &area.resources {
                    out.push('\n');
                    member(&mut out, 2, &resource.id, &resource.section());
                }
                out.push('\n');
            }
            out.pop();
        }
        out
    }
}

fn comment(out: &mut String, indent: usize, text: &str) {
    let mut line = String::new();
    let room = WIDTH - indent - 2;
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > room {
            push(out, indent, &format!("# {line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    push(out, indent, &format!("# {line}"));
}

fn push(out: &mut String, indent: usize, text: &str) {
    out.push_str(&" ".repeat(indent));
    out.push_str(text);
    out.push('\n');
}

/// `key: value`, on one line if it fits.
fn member(out: &mut String, indent: usize, key: &str, value: &Value) {
    if let Some(Value::String(why)) = value.get(COMMENT) {
        comment(out, indent, why);
    }
    let key = scalar(key);
    if let Some(line) = inline(value)
        && indent + key.len() + 2 + line.len() <= WIDTH
    {
        return push(out, indent, &format!("{key}: {line}"));
    }
    if let Some(lines) = wrapped(value, indent) {
        push(out, indent, &format!("{key}:"));
        return out.push_str(&lines);
    }
    match (value, function(value)) {
        (_, Some((tag, inner))) => {
            push(out, indent, &format!("{key}: {tag}{}", only(inner)));
            below(out, indent + 2, inner);
        }
        (Value::Array(_) | Value::Object(_), _) => {
            push(out, indent, &format!("{key}:"));
            below(out, indent + 2, value);
        }
        (other, _) => push(out, indent, &format!("{key}: {}", leaf(other))),
    }
}

/// What follows a short function on its line, if that is a leaf.
fn only(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => String::new(),
        leaf_ => format!(" {}", leaf(leaf_)),
    }
}

/// A list or an object, one member a line.
fn below(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| *key != COMMENT) {
                member(out, indent, key, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                entry(out, indent, item);
            }
        }
        _ => {}
    }
}

/// An item of a list.
fn entry(out: &mut String, indent: usize, item: &Value) {
    if let Some(Value::String(why)) = item.get(COMMENT) {
        comment(out, indent, why);
    }
    if let Some(line) = inline(item)
        && indent + 2 + line.len() <= WIDTH
    {
        return push(out, indent, &format!("- {line}"));
    }
    match function(item) {
        Some((tag, inner)) => {
            push(out, indent, &format!("- {tag}{}", only(inner)));
            below(out, indent + 2, inner);
        }
        None => {
            let mut inner = String::new();
            below(&mut inner, indent + 2, item);
            out.push_str(&" ".repeat(indent));
            out.push_str("- ");
            out.push_str(&inner[indent + 2..]);
        }
    }
}

/// A long list of simple things, over as few lines as it takes.
fn wrapped(value: &Value, indent: usize) -> Option<String> {
    let items = value.as_array().filter(|items| inline(value).is_some() && items.len() > 1)?;
    let mut out = String::new();
    let mut line = "[".to_owned();
    for (at, item) in items.iter().enumerate() {
        let end = if at + 1 == items.len() { "]" } else { "," };
        let part = within(&inline(item)?) + end;
        if line.len() > 1 && indent + 2 + line.len() + 1 + part.len() > WIDTH {
            push(&mut out, indent + 2, &line);
            line = format!(" {part}");
        } else {
            line.push_str(if line == "[" { "" } else { " " });
            line.push_str(&part);
        }
    }
    push(&mut out, indent + 2, &line);
    Some(out)
}

/// The value on one line, if it is simple enough to be read there.
fn inline(value: &Value) -> Option<String> {
    if let Some((tag, inner)) = function(value) {
        return match inner {
            Value::Array(names) if tag == "!GetAtt" => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                Some(format!("{tag} {}", names.join(".")))
            }
            Value::Array(_) => inline(inner).map(|list| format!("{tag} {list}")),
            Value::Object(_) => None,
            leaf_ => Some(format!("{tag} {}", leaf(leaf_))),
        };
    }
    match value {
        Value::Array(items) => {
            // Lists of objects are for reading one by one, but for tags.
            let simple = |item: &Value| !item.is_object() || function(item).is_some() || is_tag(item);
            if !items.iter().all(simple) {
                return None;
            }
            let parts: Option<Vec<String>> = items.iter().map(inline).collect();
            Some(format!("[{}]", parts?.iter().map(|part| within(part)).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(map) if map.is_empty() => Some("{}".to_owned()),
        Value::Object(map) => short(map),
        other => Some(leaf(other)),
    }
}

fn is_tag(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|map| map.len() == 2 && map.contains_key("Key") && map.contains_key("Value"))
}

/// An object of a few leaves.
fn short(map: &Map<String, Value>) -> Option<String> {
    let leaves =
        map.values().all(|value| !(value.is_object() || value.is_array()) || function(value).is_some());
    if map.len() > 4 || !leaves || map.contains_key(COMMENT) {
        return None;
    }
    let part = |(key, value): (&String, &Value)| Some(format!("{}: {}", flow(key), within(&inline(value)?)));
    let parts: Option<Vec<String>> = map.iter().map(part).collect();
    Some(format!("{{{}}}", parts?.join(", ")))
}

/// A part of a line that stands between brackets: no bare signs that would end it.
fn within(part: &str) -> String {
    let bare = !part.starts_with(['[', '{', '"']);
    let (tag, text) = match part.strip_prefix('!').and_then(|rest| rest.split_once(' ')) {
        Some((tag, text)) => (format!("!{tag} "), text),
        None => (String::new(), part),
    };
    if bare && !text.starts_with(['[', '"']) && text.contains([',', '[', ']', '{', '}']) {
        return format!("{tag}{}", quoted(text));
    }
    part.to_owned()
}

fn flow(key: &str) -> String {
    // Between brackets some readers end a key at its first colon.
    if key.contains(':') { quoted(key) } else { scalar(key) }
}

/// A function of CloudFormation in its short form.
fn function(value: &Value) -> Option<(String, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, inner) = map.iter().next()?;
    match key.as_str() {
        "Ref" | "Condition" if inner.is_string() => Some((format!("!{key}"), inner)),
        "Fn::GetAtt" => Some(("!GetAtt".to_owned(), inner)),
        name => name.strip_prefix("Fn::").map(|short| (format!("!{short}"), inner)),
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A text, bare if it can only be read as that text.
fn scalar(text: &str) -> String {
    let first = text.chars().next().unwrap_or(' ');
    let sign = |c: char| c.is_ascii_alphanumeric() || "_-./:$@+=*,()'!?<>;{}| ".contains(c);
    let word = ["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    let bare = (first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(sign)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !word;
    if bare { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_so_that_they_are_read_back() {
        let value = json!({
            "#": "why it is there",
            "Tags": [{"Key": "owner", "Value": "team"}, {"Key": "n", "Value": "1"}],
            "Sub": {"Fn::Sub": "arn:${A}:x,y"},
            "List": [{"Fn::Sub": "${A}, b"}, {"Ref": "B"}, {"Fn::GetAtt": ["C", "Arn"]}],
            "If": {"Fn::If": ["C", {"a": {"b": [1]}}, {"Ref": "AWS::NoValue"}]},
            "Condition": {"StringEquals": {"aws:PrincipalTag/role": "x"}},
            "Words": ["yes", "2012-10-17", "*", "a b", "", "#no"],
            "Deep": [[{"a": {"b": "c"}}]],
        });
        let mut out = String::new();
        below(&mut out, 0, &value);
        insta::assert_snapshot!(out);
    }
}
