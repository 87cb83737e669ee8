//! The charter: YAML with source positions, strictly checked, and its JSON Schema.
pub mod model;
