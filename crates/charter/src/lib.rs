//! The charter: YAML with source positions, checked against the schema of its own types and against itself. All errors
//! come at once, each with file, line, column, an excerpt and a hint.
//!
//! The way of a text: [`node`] reads YAML into a tree with positions; [`shape`] walks the tree along the JSON Schema
//! that `schemars` derives from [`model`], so that types, editor completion and messages cannot disagree; serde makes
//! a [`model::Charter`] of it; [`check`] looks at what types cannot say. What passes is a [`Checked`].

mod acceptance;
mod check;
mod checked;
mod diagnostic;
mod exceptions;
pub mod model;
mod node;
mod plan;
mod serving;
mod shape;

pub use checked::{Checked, read};
pub use diagnostic::Diagnostics;
pub use facts::{Diagnostic, Severity};
pub use plan::{Change, Plan, plan};

/// A file of a charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The roles that ship with the product, and what those who hold them answer for.
pub const BUILT_IN_ROLES: [(&str, &str); 10] = [
    ("ml-engineer", "trains, validates, deploys and rolls back models"),
    ("ml-training", "runs training programs; held by services"),
    ("data-steward", "imports data and makes it safe to use"),
    ("security-engineer", "administers keys, and never uses them"),
    ("business-owner", "decides whether a version is good for the business"),
    ("product-owner", "answers for what the product does to its customers"),
    ("compliance-officer", "puts charters in force and issues access keys"),
    ("auditor", "reads everything that happened and believes nothing"),
    ("model-consumer", "calls endpoints; held by services"),
    ("automation", "validates, monitors and signs on behalf of the house; held by one service"),
];

/// The JSON Schema of charters, for editors.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(model::Charter).to_value();
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "Wardmote charter".into());
    }
    sorted(schema)
}

/// Keys in order, whatever order the JSON library keeps: that is a feature which any other crate of a build can switch.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let ordered: std::collections::BTreeMap<String, Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
