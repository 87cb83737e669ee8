//! What S3 decides beside policies: Block Public Access, access control lists, and its own notion of "public".
//! S3 User Guide, "Blocking public access to your Amazon S3 storage" (The meaning of "public"), "Access control list
//! (ACL) overview". That notion is syntactic; whether anybody outside can really get in is what the prover answers.

use crate::eval::Layers;
use crate::policy::{Condition, Effect, Operator, Policy, Quantifier, Statement, WhoSort};
use crate::request::{Principal, Request, Special, is_account};
use crate::value::{Block, split_arn};
use serde::Deserialize;

/// The four switches; those of organisation, account, bucket and access point are joined to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct BlockPublicAccess {
    /// New public access control lists are refused when they are written.
    pub block_public_acls: bool,
    /// Public access control lists are ignored when a request is decided.
    pub ignore_public_acls: bool,
    /// New public policies are refused when they are written.
    pub block_public_policy: bool,
    /// A public policy lets in nobody but the bucket's account and services of AWS.
    pub restrict_public_buckets: bool,
}

/// Who owns objects that others upload, which decides whether access control lists count at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ObjectOwnership {
    /// Lists are switched off; the default since April 2023.
    #[default]
    BucketOwnerEnforced,
    /// The bucket's owner owns what is uploaded with `bucket-owner-full-control`; lists count.
    BucketOwnerPreferred,
    /// Who uploads an object owns it; lists count.
    ObjectWriter,
}

/// One entry of an access control list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AclGrant {
    /// A canonical id, or the URI of a group.
    pub grantee: String,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
}

/// What S3 knows of the bucket of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The switches at every level that has some.
    pub block_public_access: Vec<BlockPublicAccess>,
    /// Who owns objects.
    pub object_ownership: ObjectOwnership,
    /// The list of the bucket.
    pub bucket_acl: Vec<AclGrant>,
    /// The list of the object.
    pub object_acl: Vec<AclGrant>,
}

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/// What each permission allows on a bucket and on an object, in lower case.
const PERMISSIONS: [(&str, &[&str], &[&str]); 4] = [
    (
        "READ",
        &["listbucket", "listbucketversions", "listbucketmultipartuploads"],
        &["getobject", "getobjectversion"],
    ),
    ("WRITE", &["putobject", "deleteobject", "deleteobjectversion"], &[]),
    ("READ_ACP", &["getbucketacl"], &["getobjectacl", "getobjectversionacl"]),
    ("WRITE_ACP", &["putbucketacl"], &["putobjectacl", "putobjectversionacl"]),
];

/// Whether an access control list lets the caller in.
#[inline]
pub(crate) fn list_allows(layers: &Layers, request: &Request) -> bool {
    layers.s3.object_ownership != ObjectOwnership::BucketOwnerEnforced
        && request.special() == Special::S3
        && listed(&layers.s3, request)
}

fn listed(settings: &Settings, request: &Request) -> bool {
    let ignored = settings.block_public_access.iter().any(|block| block.ignore_public_acls);
    let name = request.action_name();
    let allows = |grant: &AclGrant, object: bool| {
        let permits = PERMISSIONS.iter().any(|(permission, bucket, on_object)| {
            let actions = if object { on_object } else { bucket };
            (grant.permission == *permission || grant.permission == "FULL_CONTROL") && actions.contains(&name)
        });
        permits && is_grantee(&grant.grantee, request.principal(), ignored)
    };
    settings.bucket_acl.iter().any(|grant| allows(grant, false))
        || settings.object_acl.iter().any(|grant| allows(grant, true))
}

fn is_grantee(grantee: &str, caller: &Principal, ignore_public: bool) -> bool {
    match grantee {
        ALL_USERS => !ignore_public,
        AUTHENTICATED_USERS => !ignore_public && matches!(caller, Principal::Aws(_)),
        id => matches!(caller, Principal::Other(name) if **name == *id),
    }
}

/// Whether `RestrictPublicBuckets` keeps the caller out.
#[inline]
pub(crate) fn restricts(layers: &Layers, request: &Request) -> bool {
    !layers.s3.block_public_access.is_empty()
        && request.special() == Special::S3
        && keeps_out(layers, request)
}

fn keeps_out(layers: &Layers, request: &Request) -> bool {
    if !layers.s3.block_public_access.iter().any(|block| block.restrict_public_buckets) {
        return false;
    }
    let inside = match request.principal() {
        Principal::Service(_) => true,
        caller => caller.account().is_some() && caller.account() == request.resource_account(),
    };
    !inside && layers.resource.as_ref().is_some_and(|program| is_public(program.source()))
}

/// Whether S3 calls a bucket policy public: a statement that allows, to more than fixed principals, and not only under
/// fixed values of the keys that S3 knows for this purpose.
#[must_use]
pub fn is_public(policy: &Policy) -> bool {
    policy
        .statements
        .iter()
        .any(|statement| statement.effect == Effect::Allow && is_public_statement(statement))
}

pub(crate) fn is_public_statement(statement: &Statement) -> bool {
    let Some(principal) = &statement.principal else { return true };
    let open = principal.items.iter().any(|who| who.sort == WhoSort::Aws && !is_fixed(&who.value.text));
    (principal.negated || open) && !statement.conditions.iter().any(narrows)
}

/// A value with neither wildcard nor variable.
fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// Whether a condition alone makes a statement non-public.
fn narrows(condition: &Condition) -> bool {
    let Some(test) = condition.test else { return false };
    if test.inverted
        || test.if_exists
        || test.quantifier == Some(Quantifier::ForAllValues)
        || condition.values.is_empty()
    {
        return false;
    }
    let key = condition.key.text.to_lowercase();
    let all = |holds: &dyn Fn(&str) -> bool| condition.values.iter().all(|value| holds(&value.text));
    match test.operator {
        Operator::IpAddress => key == "aws:sourceip" && all(&is_narrow_block),
        Operator::Bool => {
            key == "aws:principalisawsservice" && all(&|value| value.eq_ignore_ascii_case("true"))
        }
        Operator::StringEquals
        | Operator::StringEqualsIgnoreCase
        | Operator::StringLike
        | Operator::ArnLike => all(&|value| fixes(&key, value)),
        _ => false,
    }
}

const FIXED_KEYS: [&str; 19] = [
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Whether this value of this key is fixed in the sense of S3.
fn fixes(key: &str, value: &str) -> bool {
    if value.contains("${") {
        return false;
    }
    match key {
        // The name of the access point may be a wildcard while the account is fixed.
        "s3:dataaccesspointarn" => {
            split_arn(value).is_some_and(|fields| is_account(fields[4]) && is_fixed(fields[2]))
        }
        // All sessions of one role, whose id is fixed.
        "aws:userid" => is_fixed(value.strip_suffix(":*").filter(|role| !role.is_empty()).unwrap_or(value)),
        "aws:principalorgpaths" | "aws:vpceorgpaths" => {
            let path = value.strip_suffix('*').unwrap_or(value);
            is_fixed(path)
                && path.starts_with("o-")
                && path.split_once('/').is_some_and(|(_, rest)| !rest.is_empty())
        }
        "aws:principalisawsservice" => value.eq_ignore_ascii_case("true"),
        _ => FIXED_KEYS.contains(&key) && is_fixed(value),
    }
}

/// Blocks wider than /8, or /32 of IPv6, are public; private ones (RFC 1918) never.
fn is_narrow_block(value: &str) -> bool {
    let Some(block) = Block::parse(value) else { return false };
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    let within = private.iter().filter_map(|text| Block::parse(text)).any(|range| range.contains(&block));
    let widest = if block.v6 { 1_u128 << 96 } else { 1 << 24 };
    within || block.last - block.first < widest
}
