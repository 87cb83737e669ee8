//! What the C++ implementation of CEL answers, recorded in `reference/cases.json` by `reference/record.py`, and what we
//! answer: the same, but for what is listed here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use cel::{Budget, List, Map, Program, Type, Value};
use serde_json::{Value as Json, json};
use world::{Answer, Handle, World, environment, value};

fn told(answer: &Answer<'_>) -> Json {
    match answer {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!({"int": number.to_string()}),
        Value::Uint(number) => json!({"uint": number.to_string()}),
        Value::Double(number) if number.is_nan() => json!({"double": "nan"}),
        Value::Double(number) => json!({"double": format!("{:016x}", number.to_bits())}),
        Value::Text(text) => json!(text.as_str()),
        Value::Bytes(bytes) => {
            json!({"bytes": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()})
        }
        Value::List(List::Made(items)) => items.iter().map(told).collect(),
        Value::List(List::Host(Handle(json))) => {
            json.as_array().unwrap().iter().map(|item| told(&value(item))).collect()
        }
        Value::Map(Map::Made(members)) => {
            let key = |key: &Answer<'_>| match key {
                Value::Bool(true) => "True".to_owned(),
                Value::Bool(false) => "False".to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Uint(number) => number.to_string(),
                other => other.text().unwrap().to_owned(),
            };
            let mut all: Vec<(String, Json)> = members.iter().map(|(k, v)| (key(k), told(v))).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            json!({"map": all})
        }
        Value::Map(Map::Host(Handle(json))) => {
            let mut all: Vec<(&String, Json)> =
                json.as_object().unwrap().iter().map(|(k, v)| (k, told(&value(v)))).collect();
            all.sort_by(|a, b| a.0.cmp(b.0));
            json!({"map": all})
        }
        Value::Type(kind) => {
            let name = match kind {
                Type::Null => "null",
                Type::Time => "timestamp",
                Type::Span => "duration",
                other => other.name(),
            };
            json!({"type": name})
        }
        Value::Time(_) => json!("time"),
        Value::Span(_) => json!("span"),
        Value::Open(_) | Value::Optional(_) => json!("optional"),
    }
}

fn answered(world: &Json, expression: &str) -> Json {
    let Ok(program) = Program::compile(expression, &environment()) else { return json!("error") };
    match program.evaluate(&mut World(world), &mut Budget::default()) {
        Ok(value) => told(&value),
        Err(_) => json!("error"),
    }
}

/// The reference goes through an object in no order of its own.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            Json::Array(items)
        }
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
        other => other.clone(),
    }
}

/// Where we differ, and why.
fn on_purpose(expression: &str) -> Option<&'static str> {
    DIFFERENCES.iter().find(|(one, _)| *one == expression).map(|(_, why)| *why)
}

const BOOLS: &str = "`int` of a truth value is not in the specification";
const EXACT: &str = "we compare whole numbers with others exactly, not rounded to a double";

const DIFFERENCES: [(&str, &str); 6] = [
    ("{1: 1, 1u: 2}", "`1` and `1u` are one key, as the specification has it"),
    ("dyn(9223372036854775807) < dyn(9223372036854775807.0)", EXACT),
    ("dyn(9223372036854775806) < dyn(9223372036854775807.0)", EXACT),
    ("dyn(dyn(dyn(2) * dyn(z[1])) != dyn(int(dyn(x.b))))", BOOLS),
    ("dyn(string(dyn(int(dyn(dyn([]) == dyn(['a', 'acme-data']))))))", BOOLS),
    ("dyn(string(dyn(int(dyn(dyn(x.b) ? dyn(false) : dyn(x.b))))))", BOOLS),
];

#[test]
fn answers_are_those_of_the_reference() {
    let cases: Json = serde_json::from_str(include_str!("reference/cases.json")).unwrap();
    let mut wrong = Vec::new();
    let all = cases["cases"].as_array().unwrap();
    for case in all {
        let expression = case[0].as_str().unwrap();
        let ours = answered(&cases["world"], expression);
        let same = sorted(&ours) == sorted(&case[1]);
        if same == on_purpose(expression).is_some() {
            wrong.push(format!("{expression}\n  reference {}\n  ours      {ours}", case[1]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    let values = all.iter().filter(|case| case[1] != "error").count();
    assert!(all.len() > 2_500 && values > 1_000, "{values} of {}", all.len());
}
