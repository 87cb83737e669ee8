//! Stacks, change sets and events, as CloudFormation writes them.

use super::PROPOSED;
use crate::error::{AwsError, Trouble};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A stack as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stack {
    /// Its id, which names it also when it is gone.
    pub stack_id: String,
    /// What CloudFormation does with it, or did last: `CREATE_COMPLETE`.
    pub stack_status: String,
    /// Why, if it says so.
    pub stack_status_reason: Option<String>,
    #[serde(default)]
    parameters: Members<Parameter>,
    #[serde(default)]
    outputs: Members<Output>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

impl Stack {
    /// Whether CloudFormation is at work on it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.stack_status.ends_with("_IN_PROGRESS") && !self.is_review()
    }

    /// Whether it is only the name under which a first change set is looked at.
    #[must_use]
    pub fn is_review(&self) -> bool {
        self.stack_status == "REVIEW_IN_PROGRESS"
    }

    /// Whether the last change came to its end.
    #[must_use]
    pub fn is_well(&self) -> bool {
        matches!(self.stack_status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "DELETE_COMPLETE")
    }

    /// The names of its parameters.
    #[must_use]
    pub fn parameters(&self) -> BTreeSet<&str> {
        self.parameters.member.iter().map(|one| one.parameter_key.as_str()).collect()
    }

    /// What it tells.
    #[must_use]
    pub fn outputs(&self) -> BTreeMap<&str, &str> {
        self.outputs.member.iter().map(|one| (one.output_key.as_str(), one.output_value.as_str())).collect()
    }
}

/// A template, in the call itself or in a bucket.
#[derive(Debug, Clone, Copy)]
pub enum TemplateSource<'a> {
    /// At most 51,200 bytes.
    Body(&'a str),
    /// The address of an object of S3, at most 1 MB.
    Url(&'a str),
}

/// What is proposed for a stack.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// Its name.
    pub stack: &'a str,
    /// The name of the change set.
    pub name: &'a str,
    /// The new template.
    pub template: TemplateSource<'a>,
    /// Values of parameters.
    pub parameters: &'a BTreeMap<String, String>,
    /// Parameters that keep their values.
    pub previous: &'a BTreeSet<String>,
    /// Whether the stack is not there yet.
    pub create: bool,
    /// Whether change sets are made for nested stacks too.
    pub nested: bool,
}

/// How far a change set was carried out; `ExecutionStatus` of `DescribeChangeSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// It was not, and can be.
    Available,
    /// It was not, and cannot be: it failed, is still being made, or the stack was changed since.
    Never,
    /// CloudFormation is at work on it.
    InProgress,
    /// It came to its end.
    Complete,
    /// It began and did not come to its end.
    Failed,
}

/// A change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// Its id, an ARN.
    pub id: String,
    /// The id of its stack.
    pub stack_id: String,
    /// How far it was carried out.
    pub execution: Execution,
    /// `CREATE_COMPLETE` once it can be looked at, `FAILED` if there is none.
    pub status: String,
    /// Why it failed.
    pub reason: String,
    /// What would change.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let said = ["didn't contain changes", "No updates are to be performed"];
        self.status == "FAILED" && said.iter().any(|said| self.reason.contains(said))
    }
}

/// A change of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub struct Change {
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
    pub action: String,
    /// Its logical id.
    pub logical_resource_id: String,
    /// Its type.
    pub resource_type: String,
    /// Whether another resource takes its place: `True`, `False`, `Conditional`.
    #[serde(default)]
    pub replacement: Option<String>,
    /// Of a nested stack: the id of the change set that says what would change in it.
    #[serde(default, skip_serializing)]
    pub change_set_id: Option<String>,
}

/// Something that happened to a resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// Which event.
    pub event_id: String,
    /// The resource's logical id.
    #[serde(default)]
    pub logical_resource_id: String,
    /// Its type.
    #[serde(default)]
    pub resource_type: String,
    /// What became of it: `CREATE_FAILED`.
    #[serde(default)]
    pub resource_status: String,
    /// Why.
    pub resource_status_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    pub(super) describe_change_set_result: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) change_set_id: String,
    #[serde(default)]
    pub(super) stack_id: String,
    pub(super) status: String,
    pub(super) status_reason: Option<String>,
    pub(super) execution_status: Option<String>,
    #[serde(default)]
    pub(super) changes: Members<One>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One {
    pub(super) resource_change: Option<Change>,
}

impl Page {
    pub(super) fn execution(&self) -> Result<Execution, AwsError> {
        match self.execution_status.as_deref() {
            Some("AVAILABLE") => Ok(Execution::Available),
            Some("UNAVAILABLE" | "OBSOLETE") | None => Ok(Execution::Never),
            Some("EXECUTE_IN_PROGRESS") => Ok(Execution::InProgress),
            Some("EXECUTE_COMPLETE") => Ok(Execution::Complete),
            Some("EXECUTE_FAILED") => Ok(Execution::Failed),
            Some(other) => {
                let text = format!(
                    "the change set has the execution status `{}`, which is not known",
                    other.escape_debug()
                );
                Err(AwsError::new(Trouble::Unreadable, text).of(&PROPOSED))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Members<T> {
    #[serde(default = "Vec::new")]
    pub(super) member: Vec<T>,
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}
