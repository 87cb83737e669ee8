//! Answers worked out anew from the entries that came with them, without a house: who approved a version, and what is different
//! between two. What was left out of an answer, or put into it, shows.
//!
//! What depends on the charter in force and on the time of the question (which approvals count, what is missing) is not worked
//! out anew, nor is what became of a version after it was signed, but for quarantines: no entry about that comes with the answer.

use crate::questions::{ApprovalView, differences};
use facts::{Digest, EvidenceId, ModelName};
use ledger::Entry;
use registry::{At, Event, State, Status, Version, VersionNumber};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A registry of one version counts it so.
const FIRST: VersionNumber = VersionNumber(1);
/// What of an approval is not in its entry.
const NOT_RECORDED: [&str; 2] = ["counts", "key"];

/// Where an answer of `who-approved` or of a difference says something else than its entries, in sentences. The entries are
/// in the order of the ledger, and proved. Of other answers nothing is said.
pub fn contradicted(answer: &Value, entries: &[(EvidenceId, &Entry)]) -> Vec<String> {
    let model = answer["model"].as_str().and_then(|name| name.parse::<ModelName>().ok());
    let number = |name: &str| {
        let number = answer[name].as_u64().and_then(|number| u32::try_from(number).ok());
        number.map(VersionNumber)
    };
    let Some(model) = model else { return Vec::new() };
    let found = if let (Some(version), true) = (number("version"), answer["approvals"].is_array()) {
        approvals(answer, (&model, version), entries)
    } else if let (Some(from), Some(to), true) = (number("from"), number("to"), answer["changes"].is_array())
    {
        changes(answer, &model, (from, to), entries)
    } else {
        Ok(Vec::new())
    };
    found.unwrap_or_else(|why| vec![why])
}

/// A version as the entries leave it.
fn version(
    (model, number): (&ModelName, VersionNumber),
    entries: &[(EvidenceId, &Entry)],
) -> Result<Version, String> {
    let mut state = State::default();
    for (evidence, entry) in entries.iter().filter(|(_, entry)| entry.body["fact"] == "registry") {
        let mut event = entry.body["event"].clone();
        if event["version"] != json!(number) {
            continue;
        }
        event["version"] = json!(FIRST);
        let read =
            serde_json::from_value::<Event>(event).map_err(|_| format!("{evidence} cannot be read"))?;
        let until_signed = matches!(
            read,
            Event::Registered { .. }
                | Event::Validated { .. }
                | Event::GateAsked { .. }
                | Event::ApprovalGiven { .. }
                | Event::ApprovalRevoked { .. }
                | Event::Signed { .. }
                | Event::Quarantined { .. }
                | Event::Released { .. }
        );
        if read.model() != model || !until_signed {
            continue;
        }
        let at = At { time: entry.time, evidence: evidence.clone() };
        state.apply(&read, &at).map_err(|_| format!("{evidence} cannot follow the entries before it"))?;
    }
    let known = state.version(model, FIRST).cloned();
    known.ok_or_else(|| format!("no entry says that version {number} of {model} was registered"))
}

fn approvals(
    answer: &Value,
    of: (&ModelName, VersionNumber),
    entries: &[(EvidenceId, &Entry)],
) -> Result<Vec<String>, String> {
    let version = version(of, entries)?;
    let mut found = Vec::new();
    let mut same = |name: &str, said: &Value, recorded: Value| {
        if *said != recorded {
            found.push(format!("the answer says {name} {said}, and the entries make it {recorded}"));
        }
    };
    same("artefact", &answer["artefact"], json!(version.registration.artefact));
    let validation = version.validation.as_ref().map(|(_, evidence)| evidence);
    same("validation", &answer["validation"], json!(validation));
    // Later states rest on entries that do not come with the answer.
    let early = [Status::Candidate, Status::Failed, Status::Validated, Status::Approved];
    if early.iter().any(|status| answer["status"] == json!(status)) {
        same("status", &answer["status"], json!(version.status));
    }
    let said: Vec<Value> = answer["approvals"].as_array().into_iter().flatten().map(recorded).collect();
    let made: Vec<Value> =
        version.approvals.iter().map(|given| recorded(&json!(ApprovalView::from(given)))).collect();
    for one in made.iter().filter(|one| !said.contains(one)) {
        found.push(format!("the entries hold an approval that the answer does not have so: {one}"));
    }
    for one in said.iter().filter(|one| !made.contains(one)) {
        found.push(format!("the answer has an approval that the entries do not hold so: {one}"));
    }
    if found.is_empty() && said != made {
        found.push("the answer has the approvals in another order, or some of them twice".to_owned());
    }
    Ok(found)
}

/// An approval without what no entry says.
fn recorded(approval: &Value) -> Value {
    let mut one = approval.clone();
    if let Some(members) = one.as_object_mut() {
        members.retain(|name, _| !NOT_RECORDED.contains(&name.as_str()));
    }
    one
}

fn changes(
    answer: &Value,
    model: &ModelName,
    (from, to): (VersionNumber, VersionNumber),
    entries: &[(EvidenceId, &Entry)],
) -> Result<Vec<String>, String> {
    let (one, two) = (version((model, from), entries)?, version((model, to), entries)?);
    let documents = |number: VersionNumber| -> Vec<BTreeMap<String, Digest>> {
        let of = |entry: &&Entry| {
            let body = &entry.body;
            body["fact"] == "document_made"
                && body["model"] == json!(model)
                && body["version"] == json!(number)
        };
        let all = entries.iter().map(|(_, entry)| *entry).filter(of);
        all.filter_map(|entry| serde_json::from_value(entry.body["files"].clone()).ok()).collect()
    };
    let (before, after) = (documents(from), documents(to));
    let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
    let made: Vec<Value> =
        differences((&one, from, &before), (&two, to, &after)).iter().map(|one| json!(one)).collect();
    let said: Vec<Value> = answer["changes"].as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for one in made.iter().filter(|one| !said.contains(one)) {
        found.push(format!("the entries make a difference that the answer does not have: {one}"));
    }
    for one in said.iter().filter(|one| !made.contains(one)) {
        found.push(format!("the answer has a difference that the entries do not make: {one}"));
    }
    Ok(found)
}
