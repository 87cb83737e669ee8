//! Users, groups, roles and their policies.

use super::api::{Attached, DETAILS, Details, DetailsAnswer, Holder, Items, Managed, Tag};
use super::{Draft, document};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::pages::Question;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Reads all of them.
pub(super) fn read(client: &Client, account: &str, draft: &mut Draft) -> Result<(), AwsError> {
    let all = details(client)?;
    let mut used = BTreeSet::new();
    for group in &all.group_detail_list.member {
        let mut policies = inline(group)?;
        policies.extend(attached(&group.attached_managed_policies, &mut used));
        let name = group.group_name.clone().unwrap_or_else(|| group.arn.clone());
        draft.groups.insert(name, Value::Array(policies));
    }
    let root = format!("arn:{}:iam::{account}:root", client.partition()?.name);
    draft.principals.push(json!({ "arn": root }));
    for holder in all.user_detail_list.member.iter().chain(&all.role_detail_list.member) {
        draft.principals.push(principal(holder, &mut used)?);
    }
    for role in &all.role_detail_list.member {
        let Some(text) = &role.assume_role_policy_document else { continue };
        let policy = document(text, &role.arn)?;
        let resource = json!({"arn": role.arn, "policy": policy, "tags": tags(&role.tags)});
        draft.resources.push(resource);
    }
    for arn in used {
        let policy = all.policies.member.iter().find(|policy| policy.arn == arn).map(default_version);
        let Some(text) = policy.flatten() else {
            let message = format!("the policy `{arn}` is attached, and its document is not in the answer");
            return Err(AwsError::new(Trouble::Unreadable, message).of(&DETAILS));
        };
        let policy = document(text, &arn)?;
        draft.policies.insert(arn, policy);
    }
    Ok(())
}

fn default_version(policy: &Managed) -> Option<&str> {
    let version = policy.policy_version_list.member.iter().find(|version| version.is_default_version);
    version.map(|version| version.document.as_str())
}

fn details(client: &Client) -> Result<Details, AwsError> {
    let mut all = Details::default();
    for page in client.pages::<DetailsAnswer>(&DETAILS, Question::Form(&[("MaxItems", "1000")])) {
        let page = page?.get_account_authorization_details_result;
        all.user_detail_list.member.extend(page.user_detail_list.member);
        all.group_detail_list.member.extend(page.group_detail_list.member);
        all.role_detail_list.member.extend(page.role_detail_list.member);
        all.policies.member.extend(page.policies.member);
    }
    Ok(all)
}

fn principal(holder: &Holder, used: &mut BTreeSet<String>) -> Result<Value, AwsError> {
    let mut value = json!({
        "arn": holder.arn,
        "inline": inline(holder)?,
        "attached": attached(&holder.attached_managed_policies, used),
        "groups": holder.group_list.member,
        "tags": tags(&holder.tags),
    });
    if let Some(boundary) = &holder.permissions_boundary {
        used.insert(boundary.permissions_boundary_arn.clone());
        value["boundary"] = boundary.permissions_boundary_arn.clone().into();
    }
    // The id of a role is not that of its sessions.
    if let Some(id) = &holder.user_id {
        value["userId"] = id.clone().into();
    }
    Ok(value)
}

fn inline(holder: &Holder) -> Result<Vec<Value>, AwsError> {
    let policies = &holder.role_policy_list.member;
    policies.iter().map(|policy| document(&policy.policy_document, &holder.arn)).collect()
}

fn attached(policies: &Items<Attached>, used: &mut BTreeSet<String>) -> Vec<Value> {
    let name = |policy: &Attached| {
        used.insert(policy.policy_arn.clone());
        Value::from(policy.policy_arn.clone())
    };
    policies.member.iter().map(name).collect()
}

/// Tags as an object.
pub(super) fn tags(tags: &Items<Tag>) -> Value {
    let all: Map<String, Value> =
        tags.member.iter().map(|tag| (tag.key.clone(), tag.value.clone().into())).collect();
    Value::Object(all)
}
