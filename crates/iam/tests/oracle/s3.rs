//! What S3 adds: access control lists, Block Public Access, and its own test of "public".

use super::caller::Sort;
use super::{Ask, list, texts};
use serde_json::Value;
use std::borrow::Cow;

const GROUPS: &str = "http://acs.amazonaws.com/groups/global/";

fn switch(settings: &Value, name: &str) -> bool {
    list(&settings["BlockPublicAccess"]).iter().any(|level| level[name] == true)
}

pub(super) fn acl_allows(settings: &Value, ask: &Ask<'_>) -> bool {
    let enforced = settings.get("ObjectOwnership").is_none_or(|ownership| ownership == "BucketOwnerEnforced");
    if ask.service() != "s3" || enforced {
        return false;
    }
    let entry = |entry: &Value, of_object: bool| {
        let grantee = entry["Grantee"].as_str().unwrap_or_default();
        let public = grantee.starts_with(GROUPS);
        let is_for = match grantee.strip_prefix(GROUPS) {
            Some("AllUsers") => true,
            Some("AuthenticatedUsers") => ask.caller.has_account(),
            _ => ask.caller.sort == Sort::Other && ask.caller.text == grantee,
        };
        let permission = entry["Permission"].as_str().unwrap_or_default();
        let ignored = public && switch(settings, "IgnorePublicAcls");
        is_for && !ignored && permits(permission, ask.operation(), of_object)
    };
    list(&settings["BucketAcl"]).iter().any(|e| entry(e, false))
        || list(&settings["ObjectAcl"]).iter().any(|e| entry(e, true))
}

fn permits(permission: &str, operation: &str, of_object: bool) -> bool {
    match (permission, of_object) {
        ("FULL_CONTROL", _) => {
            ["READ", "WRITE", "READ_ACP", "WRITE_ACP"].iter().any(|one| permits(one, operation, of_object))
        }
        ("READ", true) => operation == "getobject" || operation == "getobjectversion",
        ("READ", false) => operation.starts_with("listbucket"),
        ("WRITE", false) => operation == "putobject" || operation.starts_with("deleteobject"),
        ("READ_ACP", true) => operation == "getobjectacl" || operation == "getobjectversionacl",
        ("READ_ACP", false) => operation == "getbucketacl",
        ("WRITE_ACP", true) => operation == "putobjectacl" || operation == "putobjectversionacl",
        ("WRITE_ACP", false) => operation == "putbucketacl",
        _ => false,
    }
}

/// A bucket with a public policy and the switch lets in services and its own account only.
pub(super) fn public_access_blocked(policies: &Value, ask: &Ask<'_>) -> bool {
    let own = ask.caller.sort == Sort::Service
        || (ask.caller.has_account() && Some(ask.caller.account) == ask.account);
    let policy = &policies["resource"];
    ask.service() == "s3" && switch(&policies["s3"], "RestrictPublicBuckets") && is_public(policy) && !own
}

/// Keys that make a statement not public when they are held to fixed values.
const FIXING: [&str; 5] =
    ["aws:principalarn", "aws:sourcearn", "aws:sourcevpce", "aws:sourceaccount", "aws:principalorgid"];

/// S3's test: everyone may, under no condition that holds one of its keys to fixed values. Without `Principal`
/// it is public whatever its conditions.
pub(crate) fn is_public(policy: &Value) -> bool {
    list(policy.get("Statement").unwrap_or(policy)).iter().any(|statement| {
        let named = statement.get("Principal");
        let everyone = match named {
            Some(Value::String(text)) => text == "*",
            Some(principal) => list(&principal["AWS"]).iter().any(|one| one == "*"),
            None => true,
        };
        let nobody_named = named.is_none() && statement.get("NotPrincipal").is_none();
        let fixed = !nobody_named && is_fixed(&statement["Condition"]);
        statement["Effect"] == "Allow" && everyone && !fixed
    })
}

fn is_fixed(condition: &Value) -> bool {
    condition.as_object().into_iter().flatten().any(|(operator, keys)| {
        let name = operator.to_lowercase();
        let name = name.strip_prefix("foranyvalue:").unwrap_or(&name);
        let strings = ["stringequals", "stringlike", "stringequalsignorecase", "arnlike", "arnequals"];
        keys.as_object().into_iter().flatten().any(|(key, values)| {
            let key = key.to_lowercase();
            let fixed = |value: Cow<'_, str>| match name {
                "ipaddress" => key == "aws:sourceip" && is_narrow(&value),
                _ => {
                    let plain = !value.contains(['*', '?']) && !value.contains("${");
                    strings.contains(&name) && FIXING.contains(&key.as_str()) && plain
                }
            };
            texts(values).next().is_some() && texts(values).all(fixed)
        })
    })
}

/// Not wider than /8, or /32 of version 6; of private addresses the tests use only 10.0.0.0/8.
fn is_narrow(value: &str) -> bool {
    super::scalar::network(value)
        .is_some_and(|(address, bits)| bits >= if address.is_ipv4() { 8 } else { 32 })
}
