//! Walks a tree along a JSON Schema and reports everything that does not fit.

use crate::node::{Kind, Node, Place};
use serde_json::Value;
use std::collections::BTreeSet;

/// Something that does not fit.
#[derive(Debug, Clone)]
pub(crate) struct Misfit {
    pub(crate) at: Place,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Everything in `node` that does not fit the schema `root`.
pub(crate) fn misfits(node: &Node, root: &Value) -> Vec<Misfit> {
    let mut found = Vec::new();
    Walker { root }.walk(node, root, "the charter", &mut found);
    found
}

struct Walker<'a> {
    root: &'a Value,
}

impl<'a> Walker<'a> {
    fn walk(&self, node: &Node, schema: &'a Value, name: &str, found: &mut Vec<Misfit>) {
        let schema = self.resolve(schema);
        if let Some(choices) = list(schema, "oneOf").or_else(|| list(schema, "anyOf")) {
            // With properties of its own beside the choices, the choices only add some.
            self.choose(node, choices, name, found);
            if schema.get("properties").is_none() {
                return;
            }
        }
        if let Some(constant) = schema.get("const") {
            return self.among(node, std::slice::from_ref(constant), name, found);
        }
        if let Some(words) = list(schema, "enum") {
            return self.among(node, words, name, found);
        }
        if !self.type_fits(node, schema, name, found) {
            return;
        }
        match &node.kind {
            Kind::Map(items) => self.map(node, items, schema, found),
            Kind::List(items) => {
                if let Some(each) = schema.get("items") {
                    items.iter().for_each(|item| self.walk(item, each, name, found));
                }
            }
            Kind::Number(number) => range(node, number.as_f64().unwrap_or(f64::NAN), schema, name, found),
            Kind::Text(text) => pattern(node, text, schema, found),
            Kind::Null | Kind::Bool(_) => {}
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let target =
            schema.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix("#/$defs/"));
        match target.and_then(|name| self.root.get("$defs")?.get(name)) {
            Some(found) => self.resolve(found),
            None => schema,
        }
    }

    /// One of several must fit; if none does, the nearest speaks.
    fn choose(&self, node: &Node, choices: &'a [Value], name: &str, found: &mut Vec<Misfit>) {
        let mut nearest: Option<(usize, Vec<Misfit>)> = None;
        let mut words = BTreeSet::new();
        // A choice that only offers choices itself is all of them.
        let choices = choices.iter().map(|choice| self.resolve(choice)).flat_map(|choice| {
            let inner = list(choice, "oneOf").filter(|_| choice.get("properties").is_none());
            inner.map_or_else(|| vec![choice], |inner| inner.iter().map(|one| self.resolve(one)).collect())
        });
        for choice in choices {
            let mut wrong = Vec::new();
            let partial = is_partial(choice, node);
            if partial {
                self.partial(node, choice, &mut wrong);
            } else {
                self.walk(node, choice, name, &mut wrong);
            }
            if wrong.is_empty() {
                return;
            }
            words.extend(choice_words(choice));
            // A choice whose first key is there is the one that was meant.
            let distance = if self.meant(node, choice) { wrong.len() } else { 1000 + wrong.len() };
            if nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                nearest = Some((distance, wrong));
            }
        }
        match nearest {
            // Where no words could be offered, what is wrong with the first choice says more.
            Some((distance, wrong)) if distance < 1000 || words.is_empty() => found.extend(wrong),
            _ => {
                let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                let message = match &node.kind {
                    Kind::Text(text) => format!("`{text}` is none of the possible values of `{name}`"),
                    _ => format!("`{name}` lacks one of {}", list.join(", ")),
                };
                found.push(Misfit {
                    at: node.at,
                    message,
                    help: Some(format!("possible are {}", list.join(", "))),
                });
            }
        }
    }

    fn meant(&self, node: &Node, choice: &Value) -> bool {
        let required = list(choice, "required").and_then(<[Value]>::first).and_then(Value::as_str);
        match (&node.kind, required) {
            (Kind::Map(_), Some(key)) => node.get(key).is_some(),
            (Kind::Map(_), None) => choice.get("properties").is_some(),
            (Kind::Null, _) => false,
            (kind, _) => {
                choice.get("type").is_some_and(|wanted| wanted == type_name(kind))
                    && choice.get("const").is_none()
                    && choice.get("enum").is_none()
            }
        }
    }

    /// A choice that only adds keys to an object: those must fit, others are somebody else's.
    fn partial(&self, node: &Node, choice: &'a Value, found: &mut Vec<Misfit>) {
        self.required(node, choice, found);
        for (key, schema) in choice.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = node.get(key) {
                self.walk(value, schema, key, found);
            }
        }
    }

    fn among(&self, node: &Node, words: &[Value], name: &str, found: &mut Vec<Misfit>) {
        let json = node.to_json();
        if words.contains(&json) {
            return;
        }
        let known: Vec<String> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let given = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let message = format!("`{given}` is none of the possible values of `{name}`");
        found.push(Misfit { at: node.at, message, help: Some(suggest(&given, &known)) });
    }

    fn type_fits(&self, node: &Node, schema: &Value, name: &str, found: &mut Vec<Misfit>) -> bool {
        let wanted: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let is = type_name(&node.kind);
        let whole = matches!(&node.kind, Kind::Number(number) if number.is_i64() || number.is_u64());
        if wanted.contains(&is) || (is == "number" && wanted.contains(&"integer") && whole) {
            return true;
        }
        let wanted: Vec<&str> =
            wanted.iter().filter(|kind| **kind != "null").map(|kind| spoken(kind)).collect();
        let message = format!("`{name}` must be {}, and this is {}", wanted.join(" or "), spoken(is));
        let help = (is == "null").then(|| "give it a value, or leave the key out".to_owned());
        found.push(Misfit { at: node.at, message, help });
        false
    }

    fn map(&self, node: &Node, items: &[(String, Place, Node)], schema: &'a Value, found: &mut Vec<Misfit>) {
        self.required(node, schema, found);
        let mut known: Vec<(String, &'a Value)> = Vec::new();
        self.keys(schema, &mut known);
        let by_pattern =
            schema.get("patternProperties").and_then(Value::as_object).and_then(|all| all.iter().next());
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let others = others.or(by_pattern.map(|(_, values)| values));
        for (key, at, value) in items {
            if let Some((_, schema)) = known.iter().find(|(name, _)| name == key) {
                self.walk(value, schema, key, found);
            } else if let Some(others) = others {
                if let Some((names, _)) = by_pattern {
                    let node = Node { at: *at, kind: Kind::Text(key.clone()) };
                    pattern(&node, key, &serde_json::json!({ "pattern": names }), found);
                }
                self.walk(value, others, key, found);
            } else if !known.is_empty() || schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
                let message = format!("unknown key `{key}`");
                found.push(Misfit { at: *at, message, help: Some(suggest(key, &names)) });
            }
        }
    }

    /// The keys of an object, also those that its choices add.
    fn keys(&self, schema: &'a Value, known: &mut Vec<(String, &'a Value)>) {
        let schema = self.resolve(schema);
        for (key, value) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            known.push((key.clone(), value));
        }
        for word in ["oneOf", "anyOf", "allOf"] {
            list(schema, word).into_iter().flatten().for_each(|choice| self.keys(choice, known));
        }
    }

    fn required(&self, node: &Node, schema: &Value, found: &mut Vec<Misfit>) {
        for key in list(schema, "required").into_iter().flatten().filter_map(Value::as_str) {
            if node.get(key).is_none() && matches!(node.kind, Kind::Map(_)) {
                let description = schema
                    .get("properties")
                    .and_then(|all| all.get(key))
                    .and_then(|one| one.get("description"));
                let help = description
                    .and_then(Value::as_str)
                    .map(|text| format!("`{key}`: {}", text.replace('\n', " ")));
                found.push(Misfit { at: node.at, message: format!("the key `{key}` is missing here"), help });
            }
        }
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> Option<&'a [Value]> {
    schema.get(key).and_then(Value::as_array).map(Vec::as_slice)
}

/// A choice that says nothing about other keys can only be an addition to an object.
fn is_partial(choice: &Value, node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
        && choice.get("properties").is_some()
        && choice.get("additionalProperties").is_none()
}

fn choice_words(choice: &Value) -> Vec<String> {
    let constants = choice.get("const").into_iter().chain(list(choice, "enum").into_iter().flatten());
    let keys = list(choice, "required").into_iter().flatten();
    constants.chain(keys).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn range(node: &Node, number: f64, schema: &Value, name: &str, found: &mut Vec<Misfit>) {
    let (least, most) =
        (schema.get("minimum").and_then(Value::as_f64), schema.get("maximum").and_then(Value::as_f64));
    if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
        let bound = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("{least} or more"),
            (None, most) => format!("{} or less", most.unwrap_or(f64::NAN)),
        };
        found.push(Misfit {
            at: node.at,
            message: format!("`{name}` must be {bound}, and this is {number}"),
            help: None,
        });
    }
}

fn pattern(node: &Node, text: &str, schema: &Value, found: &mut Vec<Misfit>) {
    let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else { return };
    if regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)) {
        return;
    }
    let what = schema.get("description").and_then(Value::as_str).unwrap_or("name");
    let help = if what == "verifier key" {
        "`wardmote key new` prints it: `name+hash+key`"
    } else if let Some(expected) = facts::serving::expected(what) {
        expected
    } else if pattern.contains("A-Z") {
        "letters, digits, spaces and any of `_-./` are possible"
    } else {
        "1 to 63 lower-case letters, digits and hyphens are possible, hyphens not at the ends"
    };
    found.push(Misfit {
        at: node.at,
        message: format!("`{text}` is not a valid {what}"),
        help: Some(help.to_owned()),
    });
}

fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool(_) => "boolean",
        Kind::Number(_) => "number",
        Kind::Text(_) => "string",
        Kind::List(_) => "array",
        Kind::Map(_) => "object",
    }
}

fn spoken(kind: &str) -> &'static str {
    match kind {
        "null" => "empty",
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "text",
        "array" => "a list",
        _ => "a group of keys",
    }
}

/// "did you mean", or else all there is.
pub(crate) fn suggest(given: &str, known: &[String]) -> String {
    let near = known.iter().map(|word| (distance(given, word), word)).min();
    match near {
        Some((distance, word)) if distance <= 1 + word.len() / 4 => format!("did you mean `{word}`?"),
        _ => format!(
            "possible are {}",
            known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Edits from one word to the other, two neighbours exchanged being one edit (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}
