//! XML as JSON, as the query and REST-XML services write it: an element with elements in it is an object, one without is a
//! text, and elements of the same name beside each other are a list.

use crate::error::AwsError;
use crate::operation::Operation;
use crate::transport::Answer;
use crate::wire::unreadable;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// Deeper answers are none of AWS.
const MAX_DEPTH: usize = 32;

/// What the root element of an answer holds.
pub(crate) fn tree(operation: &'static Operation, answer: &Answer) -> Result<Value, AwsError> {
    let text = std::str::from_utf8(&answer.body).map_err(|_| unreadable(operation, answer))?;
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    parse(text).ok_or_else(|| unreadable(operation, answer))
}

pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Map<String, Value>, String)> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return None;
                }
                let name = start.local_name().as_ref().to_owned();
                open.push((name, Map::new(), String::new()));
            }
            Event::Empty(start) => {
                let name = start.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some((_, members, _)) => add(members, name, Value::String(String::new())),
                    None => return Some(Value::Object(Map::new())),
                }
            }
            Event::Text(piece) => {
                if let Some((_, _, text)) = open.last_mut() {
                    text.push_str(&piece);
                }
            }
            Event::GeneralRef(reference) => {
                let (_, _, text) = open.last_mut()?;
                match reference.resolve_char_ref().ok()? {
                    Some(letter) => text.push(letter),
                    None => {
                        text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?);
                    }
                }
            }
            Event::CData(data) => {
                let (_, _, text) = open.last_mut()?;
                text.push_str(&data);
            }
            Event::End(_) => {
                let (name, members, text) = open.pop()?;
                let value = if members.is_empty() { Value::String(text) } else { Value::Object(members) };
                match open.last_mut() {
                    Some((_, above, _)) => add(above, name, value),
                    None if value.is_object() => return Some(value),
                    None => return Some(Value::Object(Map::new())),
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => {
            members.insert(name, value);
        }
    }
}

/// The items of a list, of which there may be one or none.
pub(crate) fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        one => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_become_objects_lists_and_texts() {
        let text = "<?xml version=\"1.0\"?><A xmlns=\"x\"><B>1 &lt; &#50;</B><C><D>x</D></C><C/><E></E></A>";
        assert_eq!(parse(text), Some(json!({"B": "1 < 2", "C": [{"D": "x"}, ""], "E": ""})));
        assert_eq!(parse("<A/>"), Some(json!({})));
        assert_eq!(parse("<A>"), None);
        assert_eq!(parse(&"<a>".repeat(100)), None);
        assert_eq!(items(&json!({"D": "x"})), [json!({"D": "x"})]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[<>/a-c\"&;#x0-9 =!\\[\\]-]{0,80}") {
            let _ = parse(&text);
        }
    }
}
