//! Resources that are being written, with how each property was learnt.

use super::now;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use facts::inventory::{Item, Provenance, Status};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Resources, and types that could not be listed.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) items: Vec<Item>,
    pub(super) unread: BTreeMap<String, String>,
    /// Types that were listed to the end.
    pub(super) read: BTreeSet<String>,
    /// ARNs of keys that AWS manages, with their aliases.
    pub(super) managed_keys: BTreeMap<String, String>,
}

impl Draft {
    pub(super) fn join(&mut self, other: Self) {
        self.items.extend(other.items);
        self.unread.extend(other.unread);
        self.read.extend(other.read);
        self.managed_keys.extend(other.managed_keys);
    }

    /// What was not read in one place was not read to the end.
    pub(super) fn close(&mut self) {
        self.read.retain(|kind| !self.unread.contains_key(kind));
    }

    /// All resources of these types are known.
    pub(super) fn read(&mut self, kinds: &[&str]) {
        self.read.extend(kinds.iter().map(|kind| (*kind).to_owned()));
    }

    /// Resources of a type may be there that are not read.
    pub(super) fn unread(&mut self, kind: &str, operation: &Operation, error: &AwsError) {
        let provenance = provenance(operation, error);
        self.unread.insert(kind.to_owned(), provenance.missing().unwrap_or_default());
    }
}

/// What a call told.
pub(super) enum Told {
    /// This.
    Is(Value),
    /// That there is none.
    Absent,
    /// Nothing.
    Not(AwsError),
}

impl Told {
    /// What a call told; `absent` is the code for "there is none".
    pub(super) fn by(result: Result<Value, AwsError>, absent: &[&str]) -> Self {
        match result {
            Ok(value) => Self::Is(value),
            Err(error) if absent.contains(&error.code()) => Self::Absent,
            Err(error) => Self::Not(error),
        }
    }

    /// A part of what was told: absent if it is not there.
    pub(super) fn and(self, part: impl FnOnce(Value) -> Option<Value>) -> Self {
        match self {
            Self::Is(value) => part(value).map_or(Self::Absent, Self::Is),
            other => other,
        }
    }
}

/// A resource without properties yet.
pub(super) fn item(kind: &str, id: &str) -> Item {
    Item::new(kind, id)
}

/// Writes down a property and how it was learnt.
pub(super) fn learn(item: &mut Item, property: &str, operation: &Operation, told: Told) {
    let provenance = match told {
        Told::Is(value) => {
            item.properties.insert(property.to_owned(), value);
            answered(operation, Status::Ok)
        }
        Told::Absent => answered(operation, Status::Absent),
        Told::Not(error) => provenance(operation, &error),
    };
    item.provenance.insert(property.to_owned(), provenance);
}

/// Writes down something that CloudFormation has no property for. What is not known has a place too, so that it shows that
/// no property is missing.
pub(super) fn derive(item: &mut Item, name: &str, operation: &Operation, told: Told) {
    let provenance = match told {
        Told::Is(value) => {
            item.derived.insert(name.to_owned(), value);
            answered(operation, Status::Ok)
        }
        Told::Absent => answered(operation, Status::Absent),
        Told::Not(error) => {
            item.derived.insert(name.to_owned(), Value::Null);
            provenance(operation, &error)
        }
    };
    item.provenance.insert(name.to_owned(), provenance);
}

pub(super) fn answered(operation: &Operation, status: Status) -> Provenance {
    Provenance { call: call(operation), at: now(), status, said: None }
}

/// A property that every answer of AWS has was not in this one.
pub(super) fn left_out(operation: &Operation) -> Provenance {
    let said = Some("the answer does not have it".to_owned());
    Provenance { said, ..answered(operation, Status::Error) }
}

/// An answer that does not have what every answer has.
pub(super) fn unreadable(operation: &'static Operation) -> AwsError {
    AwsError::new(Trouble::Unreadable, "the answer does not have it").of(operation)
}

/// How a property was not learnt.
pub(super) fn provenance(operation: &Operation, error: &AwsError) -> Provenance {
    let unknown = ["UnknownOperationException", "NotImplemented", "InvalidAction", "UnsupportedOperation"];
    let status = match error.trouble() {
        Trouble::Denied => Status::Denied,
        _ if unknown.contains(&error.code()) => Status::NotSupported,
        _ => Status::Error,
    };
    let said = error.to_string();
    let own = format!("`{}:{}` failed: ", operation.service.name, operation.name);
    let said = said.strip_prefix(&own).unwrap_or(&said).to_owned();
    Provenance { said: Some(said), ..answered(operation, status) }
}

/// A call as people know it: by the permission that it needs.
fn call(operation: &Operation) -> String {
    let action = operation.needs.first().map(|need| need.action.to_owned());
    action.unwrap_or_else(|| format!("{}:{}", operation.service.name, operation.name))
}
