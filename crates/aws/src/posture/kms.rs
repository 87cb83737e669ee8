//! Keys of customers. Properties: AWS::KMS::Key of the CloudFormation reference; calls: API reference of AWS KMS.

use super::items::{Draft, Told, derive, item, learn, unreadable};
use super::reader::Reader;
use crate::error::AwsError;
use crate::operation::{KMS, NEXT_MARKER, On, Operation, Permission, Retry};
use facts::inventory::Item;
use serde_json::{Value, json};
use std::collections::BTreeMap;

macro_rules! operation {
    ($constant:ident, $name:literal, $action:literal $(, $items:literal)?) => {
        const $constant: Operation = Operation {
            service: &KMS,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: $action, on: On::Account }],
            pages: None,
        }$(.paged(NEXT_MARKER.of($items)))?;
    };
}

operation!(LIST, "ListKeys", "kms:ListKeys", "Keys");
operation!(ALIASES, "ListAliases", "kms:ListAliases", "Aliases");
operation!(DESCRIBE, "DescribeKey", "kms:DescribeKey");
operation!(POLICY, "GetKeyPolicy", "kms:GetKeyPolicy");
operation!(ROTATION, "GetKeyRotationStatus", "kms:GetKeyRotationStatus");
operation!(TAGS, "ListResourceTags", "kms:ListResourceTags", "Tags");
operation!(GRANTS, "ListGrants", "kms:ListGrants", "Grants");

pub(super) const OPERATIONS: [&Operation; 7] =
    [&LIST, &ALIASES, &DESCRIBE, &POLICY, &ROTATION, &TAGS, &GRANTS];

const KEY: &str = "AWS::KMS::Key";

/// The aliases of keys, by the keys' ids.
pub(super) type Aliases = BTreeMap<String, Vec<String>>;

/// The ARNs of all keys.
pub(super) fn list(reader: &Reader<'_>, draft: &mut Draft) -> Vec<String> {
    match reader.pages(&LIST, &json!({})) {
        Ok(keys) => {
            draft.read(&[KEY]);
            keys.iter().filter_map(|key| key["KeyArn"].as_str().map(str::to_owned)).collect()
        }
        Err(error) => {
            draft.unread(KEY, &LIST, &error);
            Vec::new()
        }
    }
}

pub(super) fn aliases(reader: &Reader<'_>, draft: &mut Draft) -> Aliases {
    let mut all = Aliases::new();
    match reader.pages(&ALIASES, &json!({})) {
        Ok(aliases) => {
            // They are names of keys here.
            draft.read(&["AWS::KMS::Alias"]);
            for alias in aliases {
                if let (Some(key), Some(name)) = (alias["TargetKeyId"].as_str(), alias["AliasName"].as_str())
                {
                    all.entry(key.to_owned()).or_default().push(name.to_owned());
                }
            }
        }
        Err(error) => draft.unread("AWS::KMS::Alias", &ALIASES, &error),
    }
    all
}

/// Reads a key; of one that AWS manages only the name is kept.
pub(super) fn read(reader: &Reader<'_>, arn: &str, aliases: &Aliases, draft: &mut Draft) {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    let own = aliases.get(id).cloned().unwrap_or_default();
    let input = json!({ "KeyId": arn });
    let described = reader.json(&DESCRIBE, &input);
    if described.as_ref().is_ok_and(|told| told["KeyMetadata"]["KeyManager"] == "AWS") {
        if let Some(alias) = own.first() {
            draft.managed_keys.insert(arn.to_owned(), alias.clone());
        }
        return;
    }
    let mut key = item(KEY, id);
    key.arn = Some(arn.to_owned());
    key.names = own.into_iter().collect();
    metadata(&mut key, described);
    let policy = reader.json(&POLICY, &json!({"KeyId": arn, "PolicyName": "default"}));
    let document = |told: &Value| serde_json::from_str::<Value>(told["Policy"].as_str()?).ok();
    learn(&mut key, "KeyPolicy", &POLICY, whole(&POLICY, policy, document));
    // Keys that cannot rotate answer that they cannot.
    let rotation = Told::by(reader.json(&ROTATION, &input), &["UnsupportedOperationException"]);
    let rotates = rotation.and(|told| told.get("KeyRotationEnabled").cloned());
    learn(&mut key, "EnableKeyRotation", &ROTATION, rotates);
    let tags = Told::by(reader.pages(&TAGS, &input).map(Value::from), &[]);
    let pair = |tag: &Value| json!({"Key": tag["TagKey"], "Value": tag["TagValue"]});
    let tags = tags.and(|told| Some(told.as_array()?.iter().map(pair).collect()));
    learn(&mut key, "Tags", &TAGS, tags);
    let grants = Told::by(reader.pages(&GRANTS, &input).map(Value::from), &[]);
    derive(&mut key, "Grants", &GRANTS, grants);
    draft.items.push(key);
}

fn metadata(key: &mut Item, described: Result<Value, AwsError>) {
    let properties = ["Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin"];
    let derived = ["KeyState", "DeletionDate", "CreationDate"];
    match described {
        Ok(told) => {
            let metadata = &told["KeyMetadata"];
            let part = |name: &str| metadata.get(name).cloned().map_or(Told::Absent, Told::Is);
            properties.into_iter().for_each(|name| learn(key, name, &DESCRIBE, part(name)));
            derived.into_iter().for_each(|name| derive(key, name, &DESCRIBE, part(name)));
        }
        Err(error) => {
            properties.into_iter().for_each(|name| learn(key, name, &DESCRIBE, Told::Not(error.clone())));
            derived.into_iter().for_each(|name| derive(key, name, &DESCRIBE, Told::Not(error.clone())));
        }
    }
}

/// A part that every answer has.
pub(super) fn whole(
    operation: &'static Operation,
    result: Result<Value, AwsError>,
    part: impl FnOnce(&Value) -> Option<Value>,
) -> Told {
    match result {
        Ok(told) => part(&told).map_or_else(|| Told::Not(unreadable(operation)), Told::Is),
        Err(error) => Told::Not(error),
    }
}

/// Puts the aliases of keys that AWS manages in the place of their ARNs and ids, so that it shows whose keys they are.
pub(super) fn name_managed_keys(draft: &mut Draft) {
    let mut names = draft.managed_keys.clone();
    names.extend(
        draft
            .managed_keys
            .iter()
            .filter_map(|(arn, alias)| Some((arn.rsplit('/').next()?.to_owned(), alias.clone()))),
    );
    for item in &mut draft.items {
        item.properties.values_mut().for_each(|value| rename(value, &names));
    }
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                text.clone_from(name);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, names)),
        _ => {}
    }
}
