//! Who registered and who approved versions of models, by what CloudTrail recorded in the last 90 days. Calls: API reference
//! of AWS CloudTrail.

use super::items::{Draft, Told, derive};
use super::packages::KIND;
use super::reader::Reader;
use crate::error::AwsError;
use crate::operation::{CLOUDTRAIL, Call, NEXT_TOKEN, call};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EVENTS: &Call = call!(CLOUDTRAIL, "LookupEvents", "cloudtrail:LookupEvents", NEXT_TOKEN.of("Events"));

pub(super) const CALLS: [&Call; 1] = [EVENTS];

/// What is known of each version, by its ARN: who registered it, who approved it last.
#[derive(Default)]
struct Acts {
    registered: BTreeMap<String, Value>,
    approved: BTreeMap<String, Value>,
}

/// Asks for all approved versions at once, and writes down what there is.
pub(super) fn settle(reader: &Reader<'_>, draft: &mut Draft) {
    let approved = |item: &&mut facts::inventory::Item| {
        item.kind == KIND
            && item.properties.get("ModelApprovalStatus").is_some_and(|status| status == "Approved")
    };
    let mut versions: Vec<_> = draft.items.iter_mut().filter(approved).collect();
    if versions.is_empty() {
        return;
    }
    let acts = acts(reader);
    for version in &mut versions {
        let told = |of: fn(&Acts) -> &BTreeMap<String, Value>| match &acts {
            Ok(acts) => of(acts).get(&version.id).map_or(Told::Absent, |act| Told::Is(act.clone())),
            Err(error) => Told::Not(error.clone()),
        };
        let (registration, approval) = (told(|acts| &acts.registered), told(|acts| &acts.approved));
        derive(version, "Registration", &EVENTS.operation, registration);
        derive(version, "Approval", &EVENTS.operation, approval);
    }
}

fn acts(reader: &Reader<'_>) -> Result<Acts, AwsError> {
    let mut acts = Acts::default();
    // Events come with the newest first, so the first approval of a version is its last.
    for event in events(reader, "UpdateModelPackage")? {
        let asked = &event["requestParameters"];
        let arn = asked["modelPackageArn"].as_str();
        if let (Some(arn), true) = (arn, asked["modelApprovalStatus"] == "Approved") {
            acts.approved.entry(arn.to_owned()).or_insert_with(|| act(&event));
        }
    }
    for event in events(reader, "CreateModelPackage")? {
        let Some(arn) = event["responseElements"]["modelPackageArn"].as_str() else { continue };
        if event["requestParameters"]["modelApprovalStatus"] == "Approved" {
            acts.approved.entry(arn.to_owned()).or_insert_with(|| act(&event));
        }
        acts.registered.insert(arn.to_owned(), act(&event));
    }
    Ok(acts)
}

/// The events of a name that succeeded.
fn events(reader: &Reader<'_>, name: &str) -> Result<Vec<Value>, AwsError> {
    let question = json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}]});
    let told = reader.all(EVENTS, &question)?;
    let event = |told: &Value| serde_json::from_str::<Value>(told["CloudTrailEvent"].as_str()?).ok();
    Ok(told.iter().filter_map(event).filter(|event| event["errorCode"].is_null()).collect())
}

/// Who did it and when. A source identity is a person's, whatever the session is called.
fn act(event: &Value) -> Value {
    let who = &event["userIdentity"];
    let person = &who["sessionContext"]["sourceIdentity"];
    let mut act = json!({"By": who["arn"], "At": event["eventTime"]});
    if person.is_string() {
        act["Person"] = person.clone();
    }
    act
}
