//! Who may do what with the keys: the policy that a new key gets, and the IAM policies of those who call.

use super::KeySettings;
use super::api::{ADMINISTRATION, CREATE_GRANT, USAGE};
use crate::operation::{On, Operation};
use crate::permissions::{Conditions, Place, PolicyDocument, condition};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use world::{Kind, PortError};

/// The tag of every key that we make; its value is the prefix of the aliases.
pub(super) const TAG: &str = "wardmote";

/// Beside what the adapter calls: what an administrator of a key must be able to do by other means, so that no key is
/// ever without one.
const BY_HAND: [&str; 9] = [
    "kms:CancelKeyDeletion",
    "kms:DeleteAlias",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
];

/// Refuses a principal that would both administer and use.
pub(super) fn check(settings: &KeySettings) -> Result<(), PortError> {
    let KeySettings { prefix, administrators, users } = settings;
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-');
    if prefix.len() > 150 || !prefix.bytes().all(letters) || prefix.starts_with("aws/") {
        let text = format!("`{}` is not a prefix of aliases", prefix.escape_debug());
        return Err(PortError::new(Kind::Invalid, text)
            .with_help("expected at most 150 letters, digits and any of `/_-`, not beginning with `aws/`"));
    }
    if administrators.is_empty() != users.is_empty() {
        let text = "keys need administrators and users, or neither".to_owned();
        return Err(PortError::new(Kind::Invalid, text)
            .with_help("without both, IAM policies of the account alone say who may do what"));
    }
    match administrators.iter().find(|arn| users.contains(arn)) {
        None => Ok(()),
        Some(both) => {
            let text = format!("`{both}` would administer keys and use them");
            Err(PortError::new(Kind::Invalid, text).with_help("name different roles for the two"))
        }
    }
}

/// The policy of a new key; none leaves it to IAM policies.
pub(super) fn of_key(settings: &KeySettings) -> Option<String> {
    if settings.administrators.is_empty() {
        return None;
    }
    let actions = |operations: &[&'static Operation], more: &[&'static str]| -> BTreeSet<&'static str> {
        let needs = operations.iter().flat_map(|operation| operation.needs);
        let named = needs.filter(|need| !matches!(need.on, On::NewKeys | On::Aliases));
        named.map(|need| need.action).chain(more.iter().copied()).collect()
    };
    let (giving, administration): (Vec<&'static Operation>, Vec<&'static Operation>) =
        ADMINISTRATION.iter().copied().partition(|operation| operation.name == CREATE_GRANT.name);
    let principals = |arns: &[facts::Arn]| arns.iter().map(|arn| arn.as_str().to_owned()).collect::<Vec<_>>();
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Administration",
                "Effect": "Allow",
                "Principal": { "AWS": principals(&settings.administrators) },
                "Action": actions(&administration, &BY_HAND),
                "Resource": "*",
            },
            // They give uses to others, for an encryption context, and none to themselves.
            {
                "Sid": "Grants",
                "Effect": "Allow",
                "Principal": { "AWS": principals(&settings.administrators) },
                "Action": actions(&giving, &[]),
                "Resource": "*",
                "Condition": {
                    "ForAllValues:StringEquals": { "kms:GrantOperations": ["Decrypt", "GenerateDataKey"] },
                    "StringEquals": { "kms:GrantConstraintType": ["EncryptionContextEquals", "EncryptionContextSubset"] },
                    "ArnNotEquals": { "kms:GranteePrincipal": principals(&settings.administrators) },
                },
            },
            {
                "Sid": "Use",
                "Effect": "Allow",
                "Principal": { "AWS": principals(&settings.users) },
                "Action": actions(&USAGE, &[]),
                "Resource": "*",
            },
        ],
    });
    Some(document.to_string())
}

/// The IAM policy of whoever calls `operations`.
pub(super) fn of_caller(
    settings: &KeySettings,
    operations: &[&Operation],
    (partition, region): (&str, &str),
) -> PolicyDocument {
    let keys = format!("arn:{partition}:kms:{region}:*:key/*");
    let prefix = &settings.prefix;
    PolicyDocument::of(operations, |on| {
        let (resource, condition): (String, Conditions) = match on {
            On::NewKeys => {
                ("*".to_owned(), condition("StringEquals", &format!("aws:RequestTag/{TAG}"), prefix))
            }
            On::Aliases => (format!("arn:{partition}:kms:{region}:*:alias/{prefix}*"), BTreeMap::new()),
            On::KeysByAlias => {
                let pattern = format!("alias/{prefix}*");
                (keys.clone(), condition("ForAnyValue:StringLike", "kms:ResourceAliases", &pattern))
            }
            _ => (keys.clone(), condition("StringEquals", &format!("aws:ResourceTag/{TAG}"), prefix)),
        };
        Place { resource: vec![resource], condition }
    })
}
