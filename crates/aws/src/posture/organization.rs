//! Policies of the organisation that bind the account: service and resource control policies, from the root to the account.
//! Properties: AWS::Organizations::Policy of the CloudFormation reference; `TargetIds` has those places above the account, and
//! the account, that a policy is attached to. Policies attached elsewhere are not the account's.

use super::items::{Draft, answered, item};
use super::reader::Reader;
use crate::error::AwsError;
use crate::inventory::organization::{SORTS, above};
use crate::inventory::{ORGANIZATION, PARENTS, POLICIES, POLICY};
use crate::operation::Operation;
use facts::inventory::{Item, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const OPERATIONS: [&Operation; 4] = [&ORGANIZATION, &PARENTS, &POLICIES, &POLICY];

pub(super) const KIND: &str = "AWS::Organizations::Policy";

/// Reads them. An account in no organisation has none, and so has the one that manages it: no policy binds that.
pub(super) fn read(reader: &Reader<'_>, draft: &mut Draft) {
    match policies(reader) {
        Ok(items) => {
            draft.read(&[KIND]);
            draft.items.extend(items);
        }
        Err(error) => {
            let of =
                |operation: &&&Operation| error.operation().is_some_and(|(_, name)| operation.name == name);
            let operation = OPERATIONS.iter().find(of).copied().unwrap_or(&ORGANIZATION);
            draft.unread(KIND, operation, &error);
        }
    }
}

fn policies(reader: &Reader<'_>) -> Result<Vec<Item>, AwsError> {
    let Some(above) = above(reader.client, reader.account)? else { return Ok(Vec::new()) };
    let mut all: BTreeMap<String, Item> = BTreeMap::new();
    for (_, sort) in SORTS {
        for (target, attached) in above.policies(reader.client, sort)? {
            for policy in attached {
                let one = all.entry(policy.id.clone()).or_insert_with(|| {
                    let mut one = item(KIND, &policy.id);
                    one.arn.clone_from(&policy.arn);
                    let known =
                        [("Name", json!(policy.name)), ("Type", json!(sort)), ("TargetIds", json!([]))];
                    for (name, value) in known.into_iter().chain([("Content", policy.content)]) {
                        let operation = if name == "Content" { &POLICY } else { &POLICIES };
                        one.properties.insert(name.to_owned(), value);
                        one.provenance.insert(name.to_owned(), answered(operation, Status::Ok));
                    }
                    one
                });
                if let Some(Value::Array(targets)) = one.properties.get_mut("TargetIds") {
                    targets.push(target.into());
                }
            }
        }
    }
    Ok(all.into_values().collect())
}
