//! An inventory of a live account, in the form that `iam` reads: who there is, what there is, and their policies.
//!
//! What may not be read is neither left out nor guessed: it is a [`Gap`], and the inventory comes as two texts between
//! which the truth lies. An answer that is the same in both does not depend on what is missing.

mod api;
mod bounds;
pub(crate) mod buckets;
mod keys;
pub(crate) mod organization;
mod principals;

pub(crate) use api::{Bucket, DETAILS, LIST_BUCKETS, ORGANIZATION, PARENTS, POLICIES, POLICY};
pub use bounds::Gap;

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::permissions::{Place, PolicyDocument};
use api::{LIST_KEYS, OPERATIONS};
use bounds::Sort;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Which resources are read. Roles always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// What this ARN names: a bucket or objects in it, a key, a role.
    One(&'a str),
    /// All buckets, and all keys of the region.
    All,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Collected {
    inventory: Value,
    gaps: Vec<Gap>,
    notes: Vec<String>,
}

impl Collected {
    /// The inventory in which what could not be read lets nobody in.
    pub fn least(&self) -> String {
        format!("{:#}", bounds::least(&self.inventory, &self.gaps))
    }

    /// The inventory in which what could not be read lets everybody in.
    pub fn most(&self) -> String {
        format!("{:#}", bounds::most(&self.inventory, &self.gaps))
    }

    /// What could not be read and may allow or forbid.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What is not considered.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// An inventory that is being written.
#[derive(Default)]
struct Draft {
    organization: Option<String>,
    account: Value,
    levels: Map<String, Value>,
    policies: Map<String, Value>,
    groups: Map<String, Value>,
    principals: Vec<Value>,
    resources: Vec<Value>,
    gaps: Vec<Gap>,
    notes: Vec<String>,
}

/// Types of resources that have no policies of their own.
const WITHOUT_POLICY: [(&str, &[&str]); 2] = [
    ("iam", &["user/", "group/", "policy/", "instance-profile/"]),
    (
        "sagemaker",
        &[
            "endpoint/",
            "endpoint-config/",
            "model/",
            "training-job/",
            "processing-job/",
            "transform-job/",
            "notebook-instance/",
        ],
    ),
];

/// The smallest policy with which a whole account can be read.
pub fn permissions() -> PolicyDocument {
    needed(&OPERATIONS)
}

/// The smallest policy with which what any one ARN names can be read.
pub fn permissions_for_one() -> PolicyDocument {
    let operations: Vec<&Operation> =
        OPERATIONS.into_iter().filter(|operation| **operation != LIST_KEYS).collect();
    needed(&operations)
}

/// None of these calls is about something that is known before.
fn needed(operations: &[&Operation]) -> PolicyDocument {
    PolicyDocument::of(operations, |_| Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() })
}

/// Reads the account of whoever calls.
///
/// # Errors
/// If principals may not be read, if the resource is not in the account, or if a call fails otherwise.
pub fn collect(client: &Client, scope: Scope<'_>) -> Result<Collected, AwsError> {
    let account = crate::identity::account(client)?;
    let mut draft = Draft::default();
    principals::read(client, &account, &mut draft)?;
    match scope {
        Scope::One(arn) => one(client, &account, arn, &mut draft)?,
        Scope::All => {
            for bucket in buckets::list(client, None)? {
                buckets::read(client, &account, &bucket, &mut draft)?;
            }
            for arn in keys::list(client)? {
                keys::read(client, &arn, &mut draft)?;
            }
            draft.notes.push(format!(
                "resources are all buckets, all roles and the keys of `{}`; nothing else is read",
                client.region()?
            ));
        }
    }
    organization::read(client, &account, &mut draft)?;
    Ok(draft.finish())
}

/// Reads what an ARN names.
fn one(client: &Client, account: &str, arn: &str, draft: &mut Draft) -> Result<(), AwsError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", _, service, region, owner, name] = parts.as_slice() else {
        return Err(AwsError::new(Trouble::Refused, format!("`{}` is no ARN", arn.escape_debug())));
    };
    let absent = || {
        let text = format!("the account {account} has no `{}`", arn.escape_debug());
        Err(AwsError::new(Trouble::Absent, text)
            .with_help("ask with credentials of the account that it belongs to"))
    };
    if !owner.is_empty() && owner != account {
        return absent();
    }
    match service {
        "s3" if region.is_empty() && owner.is_empty() => {
            let name = name.split('/').next().unwrap_or(name);
            match buckets::list(client, Some(name))?.first() {
                Some(bucket) => buckets::read(client, account, bucket, draft),
                None => absent(),
            }
        }
        "kms" if name.starts_with("key/") => {
            let elsewhere = if region == client.region()? { None } else { Some(client.in_region(region)?) };
            keys::read(elsewhere.as_ref().unwrap_or(client), arn, draft)
        }
        "iam" if name.starts_with("role/") => {
            if draft.resources.iter().any(|resource| resource["arn"] == arn) { Ok(()) } else { absent() }
        }
        _ => {
            let types = WITHOUT_POLICY.iter().filter(|(of, _)| *of == service).flat_map(|(_, types)| *types);
            if !types.into_iter().any(|begin| name.starts_with(begin)) {
                let text = format!(
                    "policies are read of buckets, keys and roles: what a policy of `{arn}` allows and forbids is not known"
                );
                draft.gaps.push(Gap { resource: arn.to_owned(), text, sort: Sort::Policy });
            }
            draft.resources.push(json!({"arn": arn, "account": account}));
            Ok(())
        }
    }
}

impl Draft {
    fn finish(self) -> Collected {
        let mut inventory = json!({
            "levels": self.levels,
            "accounts": [self.account],
            "policies": self.policies,
            "groups": self.groups,
            "principals": self.principals,
            "resources": self.resources,
        });
        if let Some(id) = self.organization {
            inventory["organization"] = id.into();
        }
        Collected { inventory, gaps: self.gaps, notes: self.notes }
    }
}

/// A call that was denied.
fn gap(operation: &Operation, arn: &str, what: &str, sort: Sort) -> Gap {
    let actions: Vec<&str> = operation.needs.iter().map(|need| need.action).collect();
    let text = format!("{} was denied on `{arn}`: {what} is not known", actions.join(", "));
    Gap { resource: arn.to_owned(), text, sort }
}

/// A policy document. IAM encodes it as in a URL; others give it as it is.
fn document(text: &str, of: &str) -> Result<Value, AwsError> {
    let text =
        if text.trim_start().starts_with('{') { Some(text.to_owned()) } else { facts::percent_decoded(text) };
    let value = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()).filter(Value::is_object);
    value.ok_or_else(|| {
        AwsError::new(Trouble::Unreadable, format!("a policy of `{of}` is no JSON object"))
            .with_help("look whether a proxy or AWS_ENDPOINT_URL answers in place of AWS")
    })
}
