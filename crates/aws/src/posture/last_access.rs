//! When roles that AI services take last used their rights. Calls: API reference of AWS Identity and Access Management.

use super::items::{Draft, Told, derive};
use super::reader::Reader;
use super::side_by_side;
use super::xml::items;
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, IAM, call};
use facts::inventory::Item;
use serde_json::{Value, json};
use std::time::Duration;

const GENERATE: &Call =
    call!(IAM, "GenerateServiceLastAccessedDetails", "iam:GenerateServiceLastAccessedDetails");
const GET: &Call = call!(IAM, "GetServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails");

pub(super) const CALLS: [&Call; 2] = [GENERATE, GET];

/// What is derived of a role.
pub(super) const FACT: &str = "ServicesLastAccessed";

/// Who takes roles for models.
const TAKERS: [&str; 3] = ["sagemaker.", "bedrock.", "bedrock-agentcore."];
/// What rights over models are over.
const SERVICES: [&str; 3] = ["sagemaker", "bedrock", "bedrock-agentcore"];
/// A report is made within seconds; who waits longer does not get one.
const LOOKS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(1500);

/// Asks for every role that an AI service may take.
pub(super) fn settle(reader: &Reader<'_>, draft: &mut Draft) {
    let taken = |role: &&mut Item| {
        let trust = role.properties.get("AssumeRolePolicyDocument").map(Value::to_string);
        let named = |trust: String| TAKERS.iter().any(|taker| trust.contains(&format!("\"{taker}")));
        role.kind == "AWS::IAM::Role" && trust.is_some_and(named)
    };
    let mut roles: Vec<&mut Item> = draft.items.iter_mut().filter(taken).collect();
    let arns: Vec<String> = roles.iter().map(|role| role.arn.clone().unwrap_or_default()).collect();
    let told = side_by_side(&arns, |arn| report(reader, arn));
    for (role, told) in roles.iter_mut().zip(told) {
        derive(role, FACT, &GET.operation, Told::by(told, &[]));
    }
}

/// When each service of models was used last; null if not since AWS keeps count.
fn report(reader: &Reader<'_>, arn: &str) -> Result<Value, AwsError> {
    let made = reader.query(&GENERATE.operation, &[("Arn", arn), ("Granularity", "SERVICE_LEVEL")])?;
    let unreadable = || super::items::unreadable(&GENERATE.operation);
    let job = made["GenerateServiceLastAccessedDetailsResult"]["JobId"].as_str().ok_or_else(unreadable)?;
    for look in 0..LOOKS {
        let told = reader.query(&GET.operation, &[("JobId", job), ("MaxItems", "1000")])?;
        let told = &told["GetServiceLastAccessedDetailsResult"];
        match told["JobStatus"].as_str() {
            Some("COMPLETED") if told["IsTruncated"] == "true" => break,
            Some("COMPLETED") => {
                let all = items(&told["ServicesLastAccessed"]["member"]);
                let own =
                    all.iter().filter(|one| SERVICES.iter().any(|name| one["ServiceNamespace"] == *name));
                let one = |one: &Value| json!({"ServiceNamespace": one["ServiceNamespace"], "LastAuthenticated": one["LastAuthenticated"]});
                return Ok(own.map(one).collect());
            }
            Some("IN_PROGRESS") => std::thread::sleep(if look == 0 { FIRST_PAUSE } else { PAUSE }),
            _ => break,
        }
    }
    Err(AwsError::new(Trouble::Unreadable, "the report was not made").of(&GET.operation))
}
