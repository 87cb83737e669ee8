//! Users, groups, roles and policies as AWS Config records them: with documents encoded as in a URL.

use super::{Recorded, pascal};
use facts::inventory::{Item, Status};
use facts::percent_decoded;
use serde_json::{Value, json};

/// A user, group or role.
pub(super) fn holder(recorded: &Recorded<'_>) -> Item {
    let sort = recorded.kind.rsplit("::").next().unwrap_or_default();
    let small = sort.to_ascii_lowercase();
    let mut item = recorded.item(recorded.kind, recorded.name);
    recorded.put(&mut item, &format!("{sort}Name"), Some(json!(recorded.name)), Status::Ok);
    recorded.put(&mut item, "Path", recorded.part("path"), Status::Absent);
    let list = |part: &str| recorded.part(part).and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let attached: Vec<Value> =
        list("attachedManagedPolicies").iter().filter_map(|one| one.get("policyArn").cloned()).collect();
    recorded.put(&mut item, "ManagedPolicyArns", Some(Value::Array(attached)), Status::Ok);
    let inline = |one: &Value| {
        Some(
            json!({"PolicyName": one.get("policyName")?, "PolicyDocument": document(one.get("policyDocument")?)?}),
        )
    };
    let own = list(&format!("{small}PolicyList"));
    let policies: Option<Vec<Value>> = own.iter().map(inline).collect();
    // A list with a document that cannot be read is not known.
    recorded.put(&mut item, "Policies", policies.map(Value::Array), Status::NotRecorded);
    if sort == "Role" {
        let trust = recorded.part("assumeRolePolicyDocument").and_then(|told| document(&told));
        recorded.put(&mut item, "AssumeRolePolicyDocument", trust, Status::NotRecorded);
    }
    if sort == "User" {
        recorded.put(&mut item, "Groups", Some(Value::Array(list("groupList"))), Status::Ok);
    }
    if sort != "Group" {
        let boundary = recorded.part("permissionsBoundary.permissionsBoundaryArn");
        recorded.put(&mut item, "PermissionsBoundary", boundary, Status::Absent);
    }
    if let Some(tags) = recorded.part("tags").filter(|_| !item.properties.contains_key("Tags")) {
        recorded.put(&mut item, "Tags", Some(pascal(&tags)), Status::Ok);
    }
    item
}

/// A policy that the customer manages, in its default version.
pub(super) fn managed(recorded: &Recorded<'_>) -> Item {
    let mut item = recorded.item("AWS::IAM::ManagedPolicy", recorded.arn.unwrap_or(recorded.id));
    recorded.put(&mut item, "ManagedPolicyName", Some(json!(recorded.name)), Status::Ok);
    recorded.put(&mut item, "Path", recorded.part("path"), Status::Absent);
    let versions = recorded.part("policyVersionList").and_then(|list| list.as_array().cloned());
    let versions = versions.unwrap_or_default();
    let current = versions.iter().find(|version| version["isDefaultVersion"] == true);
    let document = current.and_then(|version| document(version.get("document")?));
    recorded.put(&mut item, "PolicyDocument", document, Status::NotRecorded);
    item
}

fn document(told: &Value) -> Option<Value> {
    if told.is_object() {
        return Some(told.clone());
    }
    let text = told.as_str()?;
    let text = if text.trim_start().starts_with('{') { text.to_owned() } else { percent_decoded(text)? };
    serde_json::from_str::<Value>(&text).ok().filter(Value::is_object)
}
