//! The smallest IAM policy document with which an adapter works, from the declarations of its operations.

use crate::operation::{On, Operation};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Operators, then condition keys, then values.
pub(crate) type Conditions = BTreeMap<&'static str, BTreeMap<String, String>>;

/// An IAM policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

/// A statement of an IAM policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Conditions,
}

/// What stands for [`On`] in one adapter: resources, and conditions on them.
pub(crate) struct Place {
    pub(crate) resource: Vec<String>,
    pub(crate) condition: Conditions,
}

/// A condition with one operator, key and value.
pub(crate) fn condition(operator: &'static str, key: &str, value: &str) -> Conditions {
    Conditions::from([(operator, BTreeMap::from([(key.to_owned(), value.to_owned())]))])
}

impl PolicyDocument {
    /// What `operations` need, in one statement for each place.
    pub(crate) fn of(operations: &[&Operation], place: impl Fn(On) -> Place) -> Self {
        let mut actions: BTreeMap<On, BTreeSet<&'static str>> = BTreeMap::new();
        for need in operations.iter().flat_map(|operation| operation.needs) {
            actions.entry(need.on).or_default().insert(need.action);
        }
        let statement = |(on, actions): (On, BTreeSet<&'static str>)| {
            let Place { resource, condition } = place(on);
            Statement { effect: "Allow", action: actions.into_iter().collect(), resource, condition }
        };
        Self { version: "2012-10-17", statement: actions.into_iter().map(statement).collect() }
    }

    /// The same without the actions of one service, for example `kms:`.
    pub(crate) fn without(mut self, service: &str) -> Self {
        for statement in &mut self.statement {
            statement.action.retain(|action| !action.starts_with(service));
        }
        self.statement.retain(|statement| !statement.action.is_empty());
        self
    }

    /// What any of `documents` allows, in as few statements as that takes.
    pub fn join(documents: impl IntoIterator<Item = Self>) -> Self {
        let mut joined: Vec<Statement> = Vec::new();
        for statement in documents.into_iter().flat_map(|document| document.statement) {
            let same = |there: &&mut Statement| {
                there.resource == statement.resource && there.condition == statement.condition
            };
            match joined.iter_mut().find(same) {
                Some(there) => {
                    there.action.extend(statement.action);
                    there.action.sort_unstable();
                    there.action.dedup();
                }
                None => joined.push(statement),
            }
        }
        Self { version: "2012-10-17", statement: joined }
    }

    /// All actions in it.
    pub fn actions(&self) -> Vec<&'static str> {
        self.statement.iter().flat_map(|statement| statement.action.iter().copied()).collect()
    }

    /// The document as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        // Texts and lists of texts always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}
