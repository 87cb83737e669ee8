//! The organisation above the account: service and resource control policies, from the root to the account.

use super::api::{
    ORGANIZATION, OfTarget, OrganizationAnswer, OrganizationPage, PARENTS, POLICIES, POLICY, PolicyAnswer,
};
use super::{Draft, document};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use serde_json::{Map, Value, json};

/// Reads what binds the account. What may not be read is said.
pub(super) fn read(client: &Client, account: &str, draft: &mut Draft) -> Result<(), AwsError> {
    draft.account = json!({ "id": account });
    let organization: OrganizationAnswer = match client.json(&ORGANIZATION, &OfTarget::default()) {
        Ok(answer) => answer,
        Err(error) if error.code() == "AWSOrganizationsNotInUseException" => return Ok(()),
        Err(error) => return unknown(error, &ORGANIZATION, draft),
    };
    let organization = organization.organization;
    draft.organization = Some(organization.id);
    // No policy of the organisation binds this account.
    if organization.master_account_id == account {
        draft.account["management"] = true.into();
        return Ok(());
    }
    let mut path = vec![account.to_owned()];
    while let Some(child) = path.first().filter(|id| !id.starts_with("r-")) {
        let target = OfTarget { child_id: Some(child), ..OfTarget::default() };
        let parent = match list(client, &PARENTS, target) {
            Ok(pages) => pages.into_iter().flat_map(|page| page.parents).next(),
            Err(error) => return unknown(error, &PARENTS, draft),
        };
        let Some(parent) = parent.filter(|parent| !path.contains(&parent.id)) else {
            let message = format!("`{child}` has no parent in the organisation");
            return Err(AwsError::new(Trouble::Unreadable, message).of(&PARENTS));
        };
        path.insert(0, parent.id);
    }
    let mut levels = Map::new();
    for id in &path {
        let mut level = json!({});
        for (key, filter) in [("scp", "SERVICE_CONTROL_POLICY"), ("rcp", "RESOURCE_CONTROL_POLICY")] {
            let policies = match policies(client, id, filter) {
                Ok(policies) => policies,
                Err(error) => return unknown(error, &POLICIES, draft),
            };
            // Where a sort of policy is in use, every level has at least one.
            if !policies.is_empty() {
                level[key] = Value::Array(policies);
            }
        }
        levels.insert(id.clone(), level);
    }
    draft.levels = levels;
    draft.account["path"] = json!(path);
    Ok(())
}

fn unknown(error: AwsError, operation: &Operation, draft: &mut Draft) -> Result<(), AwsError> {
    if error.trouble() != Trouble::Denied {
        return Err(error);
    }
    let (name, call) = error.operation().unwrap_or((operation.service.name, operation.name));
    draft.notes.push(format!(
        "organisation policies are not known: {name}:{call} was denied; what they forbid is not considered"
    ));
    Ok(())
}

fn policies(client: &Client, target: &str, filter: &str) -> Result<Vec<Value>, AwsError> {
    let asked = OfTarget { target_id: Some(target), filter: Some(filter), ..OfTarget::default() };
    let ids = list(client, &POLICIES, asked)?.into_iter().flat_map(|page| page.policies);
    ids.map(|policy| {
        let asked = OfTarget { policy_id: Some(&policy.id), ..OfTarget::default() };
        let answer: PolicyAnswer = client.json(&POLICY, &asked)?;
        document(&answer.policy.content, &policy.id)
    })
    .collect()
}

fn list(
    client: &Client,
    operation: &'static Operation,
    mut asked: OfTarget<'_>,
) -> Result<Vec<OrganizationPage>, AwsError> {
    let mut all: Vec<OrganizationPage> = Vec::new();
    loop {
        let page: OrganizationPage = client.json(operation, &asked)?;
        asked.next_token = page.next_token.clone();
        all.push(page);
        if asked.next_token.is_none() {
            return Ok(all);
        }
    }
}
