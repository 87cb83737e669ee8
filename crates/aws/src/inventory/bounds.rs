//! What could not be read, and the two worlds between which the truth lies: one in which it lets nobody in, and one in
//! which it lets everybody in.

use serde::Serialize;
use serde_json::{Value, json};

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The ARN of the resource.
    pub resource: String,
    /// Why, and what that leaves open.
    pub text: String,
    #[serde(skip)]
    pub(super) sort: Sort,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A policy: it may allow and forbid.
    Policy,
    /// Grants or lists: they may only allow.
    Allowing,
    /// Block Public Access: it may only forbid.
    Forbidding,
}

fn statement(effect: &str) -> Value {
    json!({"Sid": "NotRead", "Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"})
}

fn add(policy: &mut Value, statement: Value) {
    if !policy.is_object() {
        *policy = json!({"Version": "2012-10-17", "Statement": []});
    }
    match &mut policy["Statement"] {
        Value::Array(list) => list.push(statement),
        one => *one = json!([one.take(), statement]),
    }
}

/// What is not read lets nobody in.
pub(super) fn least(inventory: &Value, gaps: &[Gap]) -> Value {
    change(inventory, gaps, |resource, sort| match sort {
        Sort::Policy => add(&mut resource["policy"], statement("Deny")),
        Sort::Allowing => {}
        Sort::Forbidding => {
            resource["s3"]["BlockPublicAccess"] =
                json!([{"RestrictPublicBuckets": true, "IgnorePublicAcls": true}]);
        }
    })
}

/// What is not read lets everybody in.
pub(super) fn most(inventory: &Value, gaps: &[Gap]) -> Value {
    let mut all = change(inventory, gaps, |resource, sort| {
        if sort != Sort::Forbidding {
            add(&mut resource["policy"], statement("Allow"));
        }
        // With this statement the policy is public; what is in its place need not be.
        if let Some(s3) = resource.get_mut("s3").and_then(Value::as_object_mut) {
            s3.remove("BlockPublicAccess");
        }
    });
    if gaps.iter().all(|gap| gap.sort == Sort::Forbidding) {
        return all;
    }
    // A policy that names a session goes past what its role's boundary does not allow.
    let named = all["policies"].clone();
    for principal in all["principals"].as_array_mut().into_iter().flatten() {
        let Some(name) = principal.get("boundary").and_then(Value::as_str) else { continue };
        let mut policy = named[name].clone();
        add(&mut policy, json!({"Sid": "NotRead", "Effect": "Allow", "Action": "*", "Resource": "*"}));
        principal["boundary"] = policy;
    }
    all
}

fn change(inventory: &Value, gaps: &[Gap], mut each: impl FnMut(&mut Value, Sort)) -> Value {
    let mut all = inventory.clone();
    for resource in all["resources"].as_array_mut().into_iter().flatten() {
        let arn = resource["arn"].clone();
        for gap in gaps.iter().filter(|gap| arn == gap.resource.as_str()) {
            each(resource, gap.sort);
        }
    }
    all
}
