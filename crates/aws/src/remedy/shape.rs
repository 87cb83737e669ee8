//! How calls that are data are written in the protocol of their service, and what of an answer is looked at.

use super::operations::{Form, Known};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Protocol;
use crate::posture::{address, items, tree};
use crate::transport::Answer;
use crate::wire::{Wire, from_json};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use facts::remediation::{Call, Look};
use serde_json::{Map, Value};

/// Deeper parameters are none of AWS.
const MAX_DEPTH: usize = 32;
/// Elements of which there may be many, so that one alone is a list too.
const LISTS: [&str; 6] = ["Rule", "Tag", "Transition", "NoncurrentVersionTransition", "item", "member"];
const SET: &str = "item";
/// Parameters that are texts of policies.
const DOCUMENTS: [&str; 1] = ["PolicyDocument"];

/// A call as it is sent.
pub(super) fn wire(
    client: &Client,
    account: &str,
    known: &'static Known,
    call: &Call,
) -> Result<Wire, AwsError> {
    let operation = &known.operation;
    let wrong = |what: &str| AwsError::new(Trouble::Refused, what).of(operation);
    match known.form {
        Form::Body => match operation.service.protocol {
            Protocol::Query { .. } => {
                let mut pairs = Vec::new();
                let lists = if operation.service.name == "iam" { "member." } else { "" };
                for (name, value) in &call.parameters {
                    let told = flatten(name, value, lists, &mut pairs);
                    told.ok_or_else(|| wrong("a parameter cannot be written"))?;
                }
                let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                Ok(Wire::form(operation, &pairs))
            }
            _ => Wire::json(operation, &call.parameters),
        },
        Form::Bucket { method, part, root } => {
            let bucket = call.parameters.get("Bucket").and_then(Value::as_str);
            let bucket = bucket.ok_or_else(|| wrong("the call names no bucket"))?;
            let wire = address(client, operation, method, bucket)?;
            let wire = wire.parameter(part, "").header("x-amz-expected-bucket-owner", account);
            match root {
                "" => Ok(wire),
                root => {
                    let document =
                        call.parameters.get(root).ok_or_else(|| wrong("the call has no document"))?;
                    let text = if root == "Policy" { document.to_string() } else { xml(root, document) };
                    Ok(checked(wire, text))
                }
            }
        }
        Form::Account { method } => {
            let wire = Wire::new(method, "/v20180820/configuration/publicAccessBlock");
            let wire = wire.header("x-amz-account-id", account);
            let label = Some(account.to_owned())
                .filter(|account| client.in_path(operation, account).is_ok_and(|in_path| !in_path));
            let wire = Wire { label, ..wire };
            Ok(match call.parameters.get("PublicAccessBlockConfiguration") {
                Some(document) => checked(wire, xml("PublicAccessBlockConfiguration", document)),
                None => wire,
            })
        }
    }
}

/// A body with the checksum that S3 asks for.
fn checked(wire: Wire, text: String) -> Wire {
    let sum = STANDARD.encode(digest(&SHA256, text.as_bytes()));
    wire.header("x-amz-checksum-sha256", sum).header("x-amz-sdk-checksum-algorithm", "SHA256").body(text)
}

/// What an answer holds.
pub(super) fn read(known: &'static Known, answer: &Answer) -> Result<Value, AwsError> {
    let operation = &known.operation;
    match (operation.service.protocol, known.form) {
        (Protocol::Json { .. } | Protocol::RestJson, _) => match answer.body.is_empty() {
            true => Ok(Value::Null),
            false => from_json(operation, answer),
        },
        (_, Form::Bucket { method: "GET", part: "policy", .. }) => from_json(operation, answer),
        _ => Ok(with_lists(tree(operation, answer)?)),
    }
}

/// The part of an answer that a look is about; null if there is none.
pub(super) fn part(known: &'static Known, answer: &Value, look: &Look) -> Result<Value, AwsError> {
    let mut found = answer.pointer(&look.at).cloned().unwrap_or_default();
    if let Some((name, wanted)) = &look.whose {
        let own = items(&found).into_iter().find(|item| item[name.as_str()] == *wanted);
        let missing = || AwsError::new(Trouble::Absent, "the answer does not have it").of(&known.operation);
        found = own.ok_or_else(missing)?;
    }
    if look.document {
        let Some(text) = found.as_str() else { return Ok(found) };
        let plain = if text.trim_start().starts_with('{') {
            Some(text.to_owned())
        } else {
            facts::percent_decoded(text)
        };
        let unreadable = || AwsError::new(Trouble::Unreadable, "the policy is no JSON").of(&known.operation);
        found = plain.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(unreadable)?;
    }
    if let (false, Value::Object(members)) = (look.only.is_empty(), &found) {
        let own = |(name, value): (&String, &Value)| {
            let told = look.only.contains(name) && !value.is_null() && *value != "";
            told.then(|| (name.clone(), value.clone()))
        };
        return Ok(members.iter().filter_map(own).collect::<Map<_, _>>().into());
    }
    Ok(found)
}

fn with_lists(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let many = LISTS.contains(&name.as_str()) && !value.is_array();
                let value = with_lists(value);
                let mut value = if many { Value::Array(vec![value]) } else { value };
                // What EC2 lists is a set, told in any order.
                if let (SET, Value::Array(list)) = (name.as_str(), &mut value) {
                    list.sort_by_key(Value::to_string);
                }
                (name, value)
            })
            .collect(),
        Value::Array(list) => list.into_iter().map(with_lists).collect(),
        other => other,
    }
}

/// Parameters of a query service: `A.1.B=x`.
fn flatten(name: &str, value: &Value, lists: &str, out: &mut Vec<(String, String)>) -> Option<()> {
    if name.matches('.').count() > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Object(_) if DOCUMENTS.contains(&name) => out.push((name.to_owned(), value.to_string())),
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, lists, out)?;
            }
        }
        Value::Array(list) => {
            for (value, number) in list.iter().zip(1..) {
                flatten(&format!("{name}.{lists}{number}"), value, lists, out)?;
            }
        }
        Value::String(text) => out.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => out.push((name.to_owned(), value.to_string())),
        Value::Null => return None,
    }
    Some(())
}

/// An object as XML of S3: members are elements, items of a list are elements of the list's name.
fn xml(root: &str, document: &Value) -> String {
    let mut out = format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    inside(document, &mut out);
    out + &format!("</{root}>")
}

fn inside(value: &Value, out: &mut String) {
    let element = |name: &str, value: &Value, out: &mut String| {
        out.push_str(&format!("<{name}>"));
        inside(value, out);
        out.push_str(&format!("</{name}>"));
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Array(list) => list.iter().for_each(|value| element(name, value, out)),
                    one => element(name, one, out),
                }
            }
        }
        Value::String(text) => out.push_str(&quick_xml::escape::escape(text.as_str())),
        Value::Null | Value::Array(_) => {}
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_elements_and_lists_are_elements_of_one_name() {
        let rules = json!({"Rule": [{"ID": "a<b", "Filter": {"Prefix": ""}}, {"Days": 7, "On": true}]});
        let text = xml("L", &rules);
        insta::assert_snapshot!(text, @r#"<L xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>a&lt;b</ID><Filter><Prefix></Prefix></Filter></Rule><Rule><Days>7</Days><On>true</On></Rule></L>"#);
    }

    #[test]
    fn parameters_of_queries_are_numbered() {
        let mut out = Vec::new();
        let rule = json!([{"IpRanges": [{"CidrIp": "::/0"}], "FromPort": 443}]);
        assert!(flatten("IpPermissions", &rule, "", &mut out).is_some());
        assert!(flatten("PolicyDocument", &json!({"a": 1}), "", &mut out).is_some());
        assert!(flatten("Tags", &json!(["x"]), "member.", &mut out).is_some());
        let told: Vec<String> = out.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            told,
            [
                "IpPermissions.1.IpRanges.1.CidrIp=::/0",
                "IpPermissions.1.FromPort=443",
                "PolicyDocument={\"a\":1}",
                "Tags.member.1=x"
            ]
        );
        assert!(flatten("X", &Value::Null, "", &mut out).is_none());
    }
}
