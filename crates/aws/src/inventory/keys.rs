//! KMS keys: their policies and grants.

use super::api::{GRANTS, KEY_POLICY, KEY_TAGS, KeyPage, KeyPolicy, LIST_KEYS};
use super::bounds::Sort;
use super::{Draft, document, gap};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::pages::Question;
use serde_json::{Map, Value, json};

/// The ARNs of the keys in the region of `client`.
pub(super) fn list(client: &Client) -> Result<Vec<String>, AwsError> {
    let pages = pages(client, &LIST_KEYS, json!({}))?;
    Ok(pages.into_iter().flat_map(|page| page.keys).map(|key| key.key_arn).collect())
}

/// Reads a key; `client` calls its region.
pub(super) fn read(client: &Client, arn: &str, draft: &mut Draft) -> Result<(), AwsError> {
    let mut resource = json!({ "arn": arn });
    let of_key = json!({ "KeyId": arn });
    let input = json!({ "KeyId": arn, "PolicyName": "default" });
    match denied(client.json::<KeyPolicy>(&KEY_POLICY, &input))? {
        Some(answer) => resource["policy"] = document(&answer.policy, arn)?,
        None => {
            draft.gaps.push(gap(&KEY_POLICY, arn, "what its policy allows and forbids", Sort::Policy));
        }
    }
    match denied(pages(client, &GRANTS, of_key.clone()))? {
        Some(pages) => {
            let grants: Vec<_> = pages.into_iter().flat_map(|page| page.grants).collect();
            resource["grants"] = json!(grants);
        }
        None => draft.gaps.push(gap(&GRANTS, arn, "what its grants allow", Sort::Allowing)),
    }
    // Without tags, conditions on them stay open.
    if let Some(pages) = denied(pages(client, &KEY_TAGS, of_key))? {
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

fn pages(client: &Client, operation: &'static Operation, input: Value) -> Result<Vec<KeyPage>, AwsError> {
    client.pages(operation, Question::Json(input)).collect()
}
