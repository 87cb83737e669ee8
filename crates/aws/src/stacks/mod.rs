//! Stacks of CloudFormation, changed by change sets only: what would change is known before anything does.
//!
//! A change set has a name that nobody else gives, and is carried out once: a call about it that failed is followed by a look,
//! because it may have been carried out all the same.
//!
//! Source: AWS CloudFormation API Reference.

mod shapes;

pub use shapes::{Change, ChangeSet, Event, Execution, Proposal, Stack, TemplateSource};

use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{CLOUDFORMATION, NEXT_TOKEN, On, Operation, Permission, Retry};
use crate::pages::Question;
use crate::permissions::{Place, PolicyDocument};
use crate::wire::{Wire, from_xml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shapes::{Described, Members};
use std::collections::BTreeMap;

macro_rules! operation {
    ($name:literal, $retry:ident, $($action:literal),+) => {
        Operation {
            service: &CLOUDFORMATION,
            name: $name,
            retry: Retry::$retry,
            needs: &[$(Permission { action: $action, on: On::Stack }),+],
            pages: None,
        }
    };
}

const DESCRIBE: Operation = operation!("DescribeStacks", Safe, "cloudformation:DescribeStacks");
const RESOURCE: Operation = operation!("DescribeStackResource", Safe, "cloudformation:DescribeStackResource");
const EVENTS: Operation = operation!("DescribeStackEvents", Safe, "cloudformation:DescribeStackEvents");
const TEMPLATE: Operation = operation!("GetTemplate", Safe, "cloudformation:GetTemplate");
const PROPOSE: Operation =
    operation!("CreateChangeSet", Unsafe, "cloudformation:CreateChangeSet", "cloudformation:TagResource");
const PROPOSED: Operation =
    operation!("DescribeChangeSet", Safe, "cloudformation:DescribeChangeSet").paged(NEXT_TOKEN);
const DISCARD: Operation = operation!("DeleteChangeSet", Safe, "cloudformation:DeleteChangeSet");
const EXECUTE: Operation = operation!("ExecuteChangeSet", Unsafe, "cloudformation:ExecuteChangeSet");
const DELETE: Operation = operation!("DeleteStack", Safe, "cloudformation:DeleteStack");

/// How CloudFormation says that there is no such stack or change set; it has no code of its own for stacks.
fn is_absent(error: &AwsError) -> bool {
    error.code() == "ChangeSetNotFound"
        || error.code() == "ValidationError" && error.to_string().contains("does not exist")
}

/// The stacks of a region.
#[derive(Clone)]
pub struct Stacks {
    client: Client,
}

impl Stacks {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// A stack by name or id; none if there is none.
    pub fn find(&self, stack: &str) -> Result<Option<Stack>, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            describe_stacks_result: Found,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Found {
            stacks: Members<Stack>,
        }
        match self.ask::<Answer>(&DESCRIBE, &[("StackName", stack)]) {
            Ok(answer) => Ok(answer.describe_stacks_result.stacks.member.into_iter().next()),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The template of a stack, as it was given.
    pub fn template(&self, stack: &str) -> Result<String, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            get_template_result: Found,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Found {
            template_body: String,
        }
        let answer: Answer = self.ask(&TEMPLATE, &[("StackName", stack), ("TemplateStage", "Original")])?;
        Ok(answer.get_template_result.template_body)
    }

    /// The id of the nested stack that a stack has under a logical id; none if there is none.
    pub fn nested(&self, stack: &str, logical: &str) -> Result<Option<String>, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            describe_stack_resource_result: Found,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Found {
            stack_resource_detail: Detail,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Detail {
            physical_resource_id: Option<String>,
        }
        match self.ask::<Answer>(&RESOURCE, &[("StackName", stack), ("LogicalResourceId", logical)]) {
            Ok(answer) => {
                let found = answer.describe_stack_resource_result.stack_resource_detail;
                Ok(found.physical_resource_id.filter(|id| !id.is_empty()))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Proposes a change; the id of the change set. The name is one that nobody else gives: what has it is this proposal.
    pub fn propose(&self, proposal: &Proposal<'_>) -> Result<String, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            create_change_set_result: Made,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Made {
            id: String,
        }
        let mut form = vec![
            ("StackName".to_owned(), proposal.stack.to_owned()),
            ("ChangeSetName".to_owned(), proposal.name.to_owned()),
            ("ChangeSetType".to_owned(), if proposal.create { "CREATE" } else { "UPDATE" }.to_owned()),
            ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
            ("Capabilities.member.2".to_owned(), "CAPABILITY_NAMED_IAM".to_owned()),
        ];
        if proposal.nested {
            form.push(("IncludeNestedStacks".to_owned(), "true".to_owned()));
        }
        form.push(match proposal.template {
            TemplateSource::Body(text) => ("TemplateBody".to_owned(), text.to_owned()),
            TemplateSource::Url(url) => ("TemplateURL".to_owned(), url.to_owned()),
        });
        let given = proposal.parameters.iter().map(|(key, value)| (key, Some(value)));
        let kept = proposal.previous.iter().map(|key| (key, None));
        for (at, (key, value)) in given.chain(kept).enumerate() {
            let member = format!("Parameters.member.{}", at + 1);
            form.push((format!("{member}.ParameterKey"), key.clone()));
            form.push(match value {
                Some(value) => (format!("{member}.ParameterValue"), value.clone()),
                None => (format!("{member}.UsePreviousValue"), "true".to_owned()),
            });
        }
        let pairs: Vec<(&str, &str)> =
            form.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        match self.ask::<Answer>(&PROPOSE, &pairs) {
            Ok(answer) => Ok(answer.create_change_set_result.id),
            Err(error) if error.may_have_happened() || error.code() == "AlreadyExistsException" => {
                match self.change_set(proposal.stack, proposal.name) {
                    Ok(Some(made)) => Ok(made.id),
                    Ok(None) | Err(_) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// What a change set would change, with what those of nested stacks would, by its name or id; none if there is none.
    pub fn change_set(&self, stack: &str, id: &str) -> Result<Option<ChangeSet>, AwsError> {
        let Some(mut set) = self.own_changes(stack, id)? else { return Ok(None) };
        let mut all = Vec::new();
        for change in set.changes {
            let Some(nested) = &change.change_set_id else {
                all.push(change);
                continue;
            };
            match self.own_changes("", nested)? {
                Some(within) => all.extend(within.changes),
                None => all.push(change),
            }
        }
        set.changes = all;
        Ok(Some(set))
    }

    /// The changes of one stack; by an id, which says which one, its name may be empty.
    fn own_changes(&self, stack: &str, id: &str) -> Result<Option<ChangeSet>, AwsError> {
        let mut form = vec![("StackName", stack), ("ChangeSetName", id)];
        form.retain(|(_, value)| !value.is_empty());
        let mut set: Option<ChangeSet> = None;
        for page in self.client.pages::<Described>(&PROPOSED, Question::Form(&form)) {
            let page = match page {
                Ok(answer) => answer.describe_change_set_result,
                Err(error) if is_absent(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            let mut changes = set.map_or_else(Vec::new, |before| before.changes);
            let execution = page.execution()?;
            changes.extend(page.changes.member.into_iter().filter_map(|one| one.resource_change));
            let (id, stack_id, status) = (page.change_set_id, page.stack_id, page.status);
            let reason = page.status_reason.unwrap_or_default();
            set = Some(ChangeSet { id, stack_id, execution, status, reason, changes });
        }
        Ok(set)
    }

    /// Carries a change set out; CloudFormation begins at once. Fine if it began already.
    pub fn execute(&self, stack: &str, id: &str) -> Result<(), AwsError> {
        let Err(error) = self.tell(&EXECUTE, &[("StackName", stack), ("ChangeSetName", id)]) else {
            return Ok(());
        };
        match self.change_set(stack, id) {
            Ok(Some(set)) => match set.execution {
                Execution::InProgress | Execution::Complete | Execution::Failed => Ok(()),
                Execution::Available | Execution::Never => Err(error),
            },
            Ok(None) | Err(_) => Err(error),
        }
    }

    /// Takes a change set back.
    pub fn discard(&self, stack: &str, id: &str) -> Result<(), AwsError> {
        self.tell(&DISCARD, &[("StackName", stack), ("ChangeSetName", id)])
    }

    /// Deletes a stack by its id, but for what its template keeps; CloudFormation begins at once. Another stack that has its
    /// name by then stays.
    pub fn delete(&self, stack: &str) -> Result<(), AwsError> {
        self.tell(&DELETE, &[("StackName", stack)])
    }

    /// The latest page of what happened, the latest first.
    pub fn events(&self, stack: &str) -> Result<Vec<Event>, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            describe_stack_events_result: Page,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Page {
            stack_events: Members<Event>,
        }
        let answer: Answer = self.ask(&EVENTS, &[("StackName", stack)])?;
        Ok(answer.describe_stack_events_result.stack_events.member)
    }

    /// The smallest policy with which a stack can be looked at and changed by this adapter. What its resources need of
    /// whoever deploys is beyond it.
    pub fn permissions(&self, name: &str) -> Result<PolicyDocument, AwsError> {
        let (partition, region) = (self.client.partition()?.name, self.client.region()?);
        let all =
            [&DESCRIBE, &RESOURCE, &EVENTS, &TEMPLATE, &PROPOSE, &PROPOSED, &DISCARD, &EXECUTE, &DELETE];
        let stack = |name: &str| format!("arn:{partition}:cloudformation:{region}:*:stack/{name}/*");
        Ok(PolicyDocument::of(&all, |_| Place {
            // Nested stacks are called after the one that they are part of.
            resource: vec![stack(name), stack(&format!("{name}-Part*"))],
            condition: BTreeMap::new(),
        }))
    }

    /// Removes the name under which a first change set was looked at, if nothing was made under it.
    pub fn forget(&self, stack: &str) -> Result<(), AwsError> {
        match self.find(stack)? {
            Some(found) if found.is_review() => self.delete(&found.stack_id),
            _ => Ok(()),
        }
    }

    /// Waits a moment between two looks: a second at first, then longer.
    pub fn pause(&self, looks: u32) {
        std::thread::sleep(self.client.pause_between(looks));
    }

    /// The address of an object by which CloudFormation reads it.
    pub fn url(&self, bucket: &str, name: &str) -> Result<String, AwsError> {
        let domain = self.client.partition()?.domain;
        Ok(format!("https://{bucket}.s3.{}.{domain}/{name}", self.client.region()?))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        form: &[(&str, &str)],
    ) -> Result<T, AwsError> {
        let answer = self.client.call(operation, &Wire::form(operation, form))?;
        from_xml(operation, &answer)
    }

    fn tell(&self, operation: &'static Operation, form: &[(&str, &str)]) -> Result<(), AwsError> {
        self.client.call(operation, &Wire::form(operation, form)).map(|_| ())
    }
}
