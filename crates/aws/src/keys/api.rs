//! The operations of KMS that the key service uses, as data, and what goes in and out.
//!
//! Source: AWS KMS API Reference; Developer Guide, "AWS KMS permissions".

use crate::operation::{KMS, NEXT_MARKER, On, Operation, Permission, Retry};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use world::{GrantConstraint, GrantOperation};
use zeroize::Zeroizing;

const fn on(action: &'static str, on: On) -> Permission {
    Permission { action, on }
}

const fn operation(name: &'static str, retry: Retry, needs: &'static [Permission]) -> Operation {
    Operation { service: &KMS, name, retry, needs, pages: None }
}

pub(super) const CREATE_KEY: Operation = operation(
    "CreateKey",
    Retry::Unsafe,
    &[on("kms:CreateKey", On::NewKeys), on("kms:TagResource", On::NewKeys)],
);
/// A second one finds the alias there; then it is looked at.
pub(super) const CREATE_ALIAS: Operation = operation(
    "CreateAlias",
    Retry::Safe,
    &[on("kms:CreateAlias", On::Aliases), on("kms:CreateAlias", On::KeysByTag)],
);
pub(super) const DESCRIBE_KEY: Operation =
    operation("DescribeKey", Retry::Safe, &[on("kms:DescribeKey", On::KeysByTag)]);
pub(super) const ENABLE_KEY: Operation =
    operation("EnableKey", Retry::Safe, &[on("kms:EnableKey", On::KeysByTag)]);
pub(super) const DISABLE_KEY: Operation =
    operation("DisableKey", Retry::Safe, &[on("kms:DisableKey", On::KeysByTag)]);
pub(super) const ROTATE_KEY: Operation =
    operation("RotateKeyOnDemand", Retry::Unsafe, &[on("kms:RotateKeyOnDemand", On::KeysByTag)]);
pub(super) const LIST_ROTATIONS: Operation =
    operation("ListKeyRotations", Retry::Safe, &[on("kms:ListKeyRotations", On::KeysByTag)])
        .paged(NEXT_MARKER);
pub(super) const SCHEDULE_DELETION: Operation =
    operation("ScheduleKeyDeletion", Retry::Safe, &[on("kms:ScheduleKeyDeletion", On::KeysByTag)]);
/// The same name, grantee and terms again are the same grant.
pub(super) const CREATE_GRANT: Operation =
    operation("CreateGrant", Retry::Safe, &[on("kms:CreateGrant", On::KeysByTag)]);
pub(super) const LIST_GRANTS: Operation =
    operation("ListGrants", Retry::Safe, &[on("kms:ListGrants", On::KeysByTag)]).paged(NEXT_MARKER);
/// A second one finds nothing, which is told apart from a grant that was never there only by whoever asked first.
pub(super) const REVOKE_GRANT: Operation =
    operation("RevokeGrant", Retry::Safe, &[on("kms:RevokeGrant", On::KeysByTag)]);
/// Who may is said by the grant, which names its grantee as who retires it; no policy allows it.
pub(super) const RETIRE_GRANT: Operation = operation("RetireGrant", Retry::Safe, &[]);
pub(super) const GENERATE_DATA_KEY: Operation =
    operation("GenerateDataKey", Retry::Safe, &[on("kms:GenerateDataKey", On::KeysByAlias)]);
pub(super) const DECRYPT: Operation =
    operation("Decrypt", Retry::Safe, &[on("kms:Decrypt", On::KeysByAlias)]);
pub(super) const SIGN: Operation = operation("Sign", Retry::Safe, &[on("kms:Sign", On::KeysByAlias)]);
pub(super) const GET_PUBLIC_KEY: Operation =
    operation("GetPublicKey", Retry::Safe, &[on("kms:GetPublicKey", On::KeysByAlias)]);
pub(super) const GENERATE_MAC: Operation =
    operation("GenerateMac", Retry::Safe, &[on("kms:GenerateMac", On::KeysByAlias)]);

/// What administrators of keys call: what the key policy of a new key lets them do.
pub(super) const ADMINISTRATION: [&Operation; 12] = [
    &CREATE_KEY,
    &CREATE_ALIAS,
    &DESCRIBE_KEY,
    &ENABLE_KEY,
    &DISABLE_KEY,
    &ROTATE_KEY,
    &LIST_ROTATIONS,
    &SCHEDULE_DELETION,
    // The one who makes a signing key hands out its public half.
    &GET_PUBLIC_KEY,
    &CREATE_GRANT,
    &LIST_GRANTS,
    &REVOKE_GRANT,
];
/// What users of keys call: what the key policy of a new key lets them do.
pub(super) const USAGE: [&Operation; 5] =
    [&GENERATE_DATA_KEY, &DECRYPT, &SIGN, &GET_PUBLIC_KEY, &GENERATE_MAC];

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Encrypt,
    Sign,
    Derive,
}

impl Purpose {
    /// Usage and spec, as KMS calls them.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Encrypt => ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"),
            Self::Sign => ("SIGN_VERIFY", "ECC_NIST_P256"),
            Self::Derive => ("GENERATE_VERIFY_MAC", "HMAC_256"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateKey<'a> {
    pub(super) description: String,
    pub(super) key_usage: &'static str,
    pub(super) key_spec: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    pub(super) tags: [Tag<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag<'a> {
    pub(super) tag_key: &'static str,
    pub(super) tag_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateAlias<'a> {
    pub(super) alias_name: &'a str,
    pub(super) target_key_id: &'a str,
}

/// Input of every operation that names a key and nothing else.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named<'a> {
    pub(super) key_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rotations {
    pub(super) rotations: Vec<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleDeletion<'a> {
    pub(super) key_id: &'a str,
    pub(super) pending_window_in_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    pub(super) key_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metadata {
    pub(super) arn: String,
    pub(super) key_state: String,
    pub(super) key_usage: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GenerateDataKey<'a> {
    pub(super) key_id: &'a str,
    pub(super) encryption_context: &'a BTreeMap<String, String>,
    pub(super) key_spec: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Generated {
    pub(super) key_id: String,
    pub(super) plaintext: Zeroizing<String>,
    pub(super) ciphertext_blob: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Decrypt<'a> {
    pub(super) key_id: &'a str,
    pub(super) ciphertext_blob: String,
    pub(super) encryption_context: &'a BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Decrypted {
    pub(super) key_id: String,
    pub(super) plaintext: Zeroizing<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Sign<'a> {
    pub(super) key_id: &'a str,
    pub(super) message: String,
    pub(super) message_type: &'static str,
    pub(super) signing_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Signature {
    pub(super) signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Public {
    pub(super) public_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GenerateMac<'a> {
    pub(super) key_id: &'a str,
    pub(super) message: String,
    pub(super) mac_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Mac {
    pub(super) mac: Zeroizing<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateGrant<'a> {
    pub(super) key_id: &'a str,
    pub(super) grantee_principal: &'a str,
    /// Who may give it back.
    pub(super) retiring_principal: &'a str,
    pub(super) operations: &'a BTreeSet<GrantOperation>,
    pub(super) constraints: &'a GrantConstraint,
    pub(super) name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GrantCreated {
    pub(super) grant_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneGrant<'a> {
    pub(super) key_id: &'a str,
    pub(super) grant_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grants {
    pub(super) grants: Vec<Granted>,
}

/// A grant as KMS tells it: of somebody else, it may have operations that we do not give, and no constraint.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Granted {
    pub(super) grant_id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) grantee_principal: Option<String>,
    pub(super) operations: Vec<String>,
    #[serde(default)]
    pub(super) constraints: Option<GrantConstraint>,
}
