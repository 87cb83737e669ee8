//! The organisation above the account: service and resource control policies, from the root to the account.

use super::api::{
    ORGANIZATION, Organization, OrganizationAnswer, OrganizationPage, PARENTS, POLICIES, POLICY, PolicyAnswer,
};
use super::{Draft, document};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::pages::Question;
use serde_json::{Map, Value, json};

/// The organisation of an account.
pub(crate) struct Above {
    /// Its id.
    organization: String,
    /// From the root to the account, by their ids; empty for the account that manages it, which no policy binds.
    path: Vec<String>,
}

/// Sorts of policies that bind accounts.
pub(crate) const SORTS: [(&str, &str); 2] =
    [("scp", "SERVICE_CONTROL_POLICY"), ("rcp", "RESOURCE_CONTROL_POLICY")];

/// A policy that is attached somewhere above an account.
pub(crate) struct Attached {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) arn: Option<String>,
    /// What it says.
    pub(crate) content: Value,
}

/// What is above an account; nothing if it is in no organisation.
pub(crate) fn above(client: &Client, account: &str) -> Result<Option<Above>, AwsError> {
    let organization: OrganizationAnswer = match client.json(&ORGANIZATION, &json!({})) {
        Ok(answer) => answer,
        Err(error) if error.code() == "AWSOrganizationsNotInUseException" => return Ok(None),
        Err(error) => return Err(error),
    };
    let Organization { id: organization, master_account_id } = organization.organization;
    if master_account_id == account {
        return Ok(Some(Above { organization, path: Vec::new() }));
    }
    let mut path = vec![account.to_owned()];
    while let Some(child) = path.first().filter(|id| !id.starts_with("r-")) {
        let parent = list(client, &PARENTS, json!({ "ChildId": child }))?
            .into_iter()
            .flat_map(|page| page.parents)
            .next();
        let Some(parent) = parent.filter(|parent| !path.contains(&parent.id)) else {
            let message = format!("`{child}` has no parent in the organisation");
            return Err(AwsError::new(Trouble::Unreadable, message).of(&PARENTS));
        };
        path.insert(0, parent.id);
    }
    Ok(Some(Above { organization, path }))
}

impl Above {
    /// The policies of a sort, by where they are attached, from the root to the account.
    pub(crate) fn policies(
        &self,
        client: &Client,
        filter: &str,
    ) -> Result<Vec<(&str, Vec<Attached>)>, AwsError> {
        self.path.iter().map(|target| Ok((target.as_str(), policies(client, target, filter)?))).collect()
    }
}

/// Reads what binds the account. What may not be read is said.
pub(super) fn read(client: &Client, account: &str, draft: &mut Draft) -> Result<(), AwsError> {
    draft.account = json!({ "id": account });
    let above = match above(client, account) {
        Ok(Some(above)) => above,
        Ok(None) => return Ok(()),
        Err(error) => return unknown(error, draft),
    };
    draft.organization = Some(above.organization.clone());
    // No policy of the organisation binds this account.
    if above.path.is_empty() {
        draft.account["management"] = true.into();
        return Ok(());
    }
    let mut levels: Map<String, Value> = above.path.iter().map(|id| (id.clone(), json!({}))).collect();
    for (key, filter) in SORTS {
        let all = match above.policies(client, filter) {
            Ok(all) => all,
            Err(error) => return unknown(error, draft),
        };
        // Where a sort of policy is in use, every level has at least one.
        for (target, policies) in all.into_iter().filter(|(_, policies)| !policies.is_empty()) {
            levels[target][key] = policies.into_iter().map(|policy| policy.content).collect();
        }
    }
    draft.levels = levels;
    draft.account["path"] = json!(above.path);
    Ok(())
}

fn unknown(error: AwsError, draft: &mut Draft) -> Result<(), AwsError> {
    if error.trouble() != Trouble::Denied {
        return Err(error);
    }
    let (name, call) = error.operation().unwrap_or((ORGANIZATION.service.name, ORGANIZATION.name));
    draft.notes.push(format!(
        "organisation policies are not known: {name}:{call} was denied; what they forbid is not considered"
    ));
    Ok(())
}

fn policies(client: &Client, target: &str, filter: &str) -> Result<Vec<Attached>, AwsError> {
    let asked = json!({ "TargetId": target, "Filter": filter });
    let ids = list(client, &POLICIES, asked)?.into_iter().flat_map(|page| page.policies);
    ids.map(|policy| {
        let answer: PolicyAnswer = client.json(&POLICY, &json!({ "PolicyId": policy.id }))?;
        let content = document(&answer.policy.content, &policy.id)?;
        Ok(Attached { id: policy.id, name: policy.name, arn: policy.arn, content })
    })
    .collect()
}

fn list(
    client: &Client,
    operation: &'static Operation,
    input: Value,
) -> Result<Vec<OrganizationPage>, AwsError> {
    client.pages(operation, Question::Json(input)).collect()
}
