//! A host whose values are JSON, for tests. What begins with `unknown:` is not known, and what
//! begins with `open:` can be handed on.
#![allow(dead_code, reason = "each test file uses its part of this")]

use cel::{Budget, Environment, Fault, Function, Host, List, Map, Outcome, Text, Value};
use serde_json::Value as Json;

const NAMES: [&str; 3] = ["x", "y", "z"];
const FUNCTIONS: [Function<'static>; 1] = [Function { name: "related", fewest: 1, most: 2 }];

pub(crate) type Answer<'a> = Value<'a, Handle<'a>>;

pub(crate) fn environment() -> Environment<'static> {
    Environment { variables: &NAMES, functions: &FUNCTIONS }
}

/// A host whose values are JSON.
pub(crate) struct World<'a>(pub(crate) &'a Json);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Handle<'a>(pub(crate) &'a Json);

pub(crate) fn value(json: &Json) -> Answer<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => match text.strip_prefix("written:") {
            Some(written) => Value::Text(Text::Written(written)),
            None => Value::Text(Text::Given(text)),
        },
        Json::Array(_) => Value::List(List::Host(Handle(json))),
        Json::Object(_) => Value::Map(Map::Host(Handle(json))),
    }
}

fn known(json: &Json) -> Outcome<'_, Handle<'_>> {
    match json.as_str().and_then(|text| text.strip_prefix("unknown:")) {
        Some(cause) => Err(Fault::unknown(cause)),
        None if json.as_str().is_some_and(|text| text.starts_with("open:")) => Ok(Value::Open(Handle(json))),
        None => Ok(value(json)),
    }
}

impl<'a> Host<'a> for World<'a> {
    type Handle = Handle<'a>;

    fn variable(&mut self, at: usize) -> Outcome<'a, Handle<'a>> {
        known(&self.0[NAMES[at]])
    }

    fn member(&mut self, of: Handle<'a>, key: &str) -> Result<Option<Answer<'a>>, Fault> {
        of.0.get(key).map(known).transpose()
    }

    fn has(&mut self, of: Handle<'a>, key: &str) -> Result<bool, Fault> {
        let open = of.0.get(key).and_then(Json::as_str).is_some_and(|text| text.starts_with("open:"));
        if open { Ok(true) } else { Ok(self.member(of, key)?.is_some()) }
    }

    fn cause(&mut self, of: Handle<'a>) -> Fault {
        Fault::unknown(of.0.as_str().and_then(|text| text.strip_prefix("open:")).unwrap_or_default())
    }

    fn size(&mut self, of: Handle<'a>) -> Result<usize, Fault> {
        Ok(of.0.as_array().map_or_else(|| of.0.as_object().map_or(0, serde_json::Map::len), Vec::len))
    }

    fn item(&mut self, of: Handle<'a>, at: usize) -> Outcome<'a, Handle<'a>> {
        known(&of.0[at])
    }

    fn key(&mut self, of: Handle<'a>, at: usize) -> Result<&'a str, Fault> {
        let keys = of.0.as_object().and_then(|members| members.keys().nth(at));
        keys.map(String::as_str).ok_or_else(|| Fault::failed("no such member"))
    }

    fn call(&mut self, _: usize, arguments: &[Answer<'a>], budget: &mut Budget) -> Outcome<'a, Handle<'a>> {
        budget.spend(1)?;
        Ok(Value::list(arguments.to_vec()))
    }
}
