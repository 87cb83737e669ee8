//! KMS keys: their policies and grants.

use super::api::{GRANTS, KEY_POLICY, KEY_TAGS, KeyPage, KeyPolicy, LIST_KEYS, OfKey};
use super::bounds::Sort;
use super::{Draft, document, gap};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use serde_json::{Map, Value, json};

/// The ARNs of the keys in the region of `client`.
pub(super) fn list(client: &Client) -> Result<Vec<String>, AwsError> {
    let pages = pages(client, &LIST_KEYS, None)?;
    Ok(pages.into_iter().flat_map(|page| page.keys).map(|key| key.key_arn).collect())
}

/// Reads a key; `client` calls its region.
pub(super) fn read(client: &Client, arn: &str, draft: &mut Draft) -> Result<(), AwsError> {
    let mut resource = json!({ "arn": arn });
    let input = OfKey { key_id: Some(arn), policy_name: Some("default"), marker: None };
    match denied(client.json::<KeyPolicy>(&KEY_POLICY, &input))? {
        Some(answer) => resource["policy"] = document(&answer.policy, arn)?,
        None => {
            draft.gaps.push(gap(&KEY_POLICY, arn, "what its policy allows and forbids", Sort::Policy));
        }
    }
    match denied(pages(client, &GRANTS, Some(arn)))? {
        Some(pages) => {
            let grants: Vec<_> = pages.into_iter().flat_map(|page| page.grants).collect();
            resource["grants"] = json!(grants);
        }
        None => draft.gaps.push(gap(&GRANTS, arn, "what its grants allow", Sort::Allowing)),
    }
    // Without tags, conditions on them stay open.
    if let Some(pages) = denied(pages(client, &KEY_TAGS, Some(arn)))? {
        let tags = pages.into_iter().flat_map(|page| page.tags);
        let tags: Map<String, Value> = tags.map(|tag| (tag.tag_key, tag.tag_value.into())).collect();
        resource["tags"] = Value::Object(tags);
    }
    draft.resources.push(resource);
    Ok(())
}

fn denied<T>(result: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.trouble() == Trouble::Denied => Ok(None),
        Err(error) => Err(error),
    }
}

fn pages(
    client: &Client,
    operation: &'static Operation,
    key: Option<&str>,
) -> Result<Vec<KeyPage>, AwsError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let input = OfKey { key_id: key, policy_name: None, marker };
        let page: KeyPage = client.json(operation, &input)?;
        let next = (page.truncated, page.next_marker.clone());
        all.push(page);
        marker = match next {
            (false, _) => return Ok(all),
            (true, Some(next)) => Some(next),
            // A list that ends early must not look like a whole one.
            (true, None) => {
                let message = "the answer says that there is more, and not where";
                return Err(AwsError::new(Trouble::Unreadable, message).of(operation));
            }
        };
    }
}
