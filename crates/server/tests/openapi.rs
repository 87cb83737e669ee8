//! The document that is served is the document that is checked in. `UPDATE_GOLDEN=1 cargo test -p server` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn the_document_is_as_agreed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/registry.openapi.json");
    let actual = format!("{:#}\n", server::document());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    let different = golden.lines().zip(actual.lines()).enumerate().find(|(_, (was, is))| was != is);
    assert_eq!(different, None, "(line from 0, (was, is)); `UPDATE_GOLDEN=1` writes it anew");
    assert_eq!(golden.len(), actual.len(), "one goes on where the other ends");
}

#[test]
fn every_reference_leads_somewhere_and_every_call_says_what_it_asks_of_the_policies() {
    let document = server::document();
    let actions: BTreeSet<&str> = guard::Action::ALL.iter().map(|action| action.as_str()).collect();
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap();
    for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
        assert!(actions.contains(operation["x-cedar-action"].as_str().unwrap()), "{operation}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{}", operation["operationId"]);
    }
    assert!(ids.len() >= 44, "MLflow's clients use 44 calls");
    references(&document, &document);
}

fn references(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(to) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = to.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{to} leads nowhere");
            }
            fields.values().for_each(|value| references(value, document));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, document)),
        _ => {}
    }
}
