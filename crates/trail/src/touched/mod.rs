//! Messages that tell of changes in an account, and what is to be read again after each: calls as CloudTrail tells them,
//! events of EventBridge, notifications of SNS, S3 and AWS Config, and what Config asks of a rule.
//!
//! A call that only reads, or that failed, touches nothing. A call of a known service that the table does not know may have
//! touched any of its types. What cannot be read as any of these forms is refused, never taken for silence.
//!
//! Sources: CloudTrail User Guide, "CloudTrail record contents"; EventBridge User Guide, "AWS service events delivered via
//! CloudTrail" and "Event structure"; AWS Config Developer Guide, "Example Events for AWS Config Rules" and "Notifications".

mod log_file;
mod table;

pub use log_file::{LogFile, MAX_LOG_FILE_BYTES, read_log_file};

use facts::inventory::Touched;
use serde_json::Value;
use std::collections::BTreeSet;
use table::{ARNS, BY_ARN, READS, SOURCES, Source};

/// A larger message is none that a queue of AWS holds: SQS takes 1 MiB.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// A message within a message within a message.
const DEEPEST: usize = 4;
const MOST_RECORDS: usize = 10_000;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The changes that it tells of.
    pub events: Vec<Event>,
    /// Log files of CloudTrail that it tells of: what happened stands there.
    pub files: Vec<LogFile>,
    /// It tells that much happened and not what: everything is to be read again.
    pub everything: bool,
    /// AWS Config asks for the verdicts of a rule.
    pub asked: Option<Asked>,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The call, `s3:PutBucketVersioning`, or what else happened.
    pub call: String,
    /// The id of the event.
    pub id: Option<String>,
    /// When, as it is written there.
    pub time: Option<String>,
    /// By whom: an ARN, or the name of a service.
    pub by: Option<String>,
    /// The account, if it says so.
    pub account: Option<String>,
    /// What is to be read again.
    pub touched: BTreeSet<Touched>,
}

/// What AWS Config asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The rule.
    pub rule: String,
    /// The control that it stands for: its parameter `control`.
    pub control: String,
    /// By which the answer is given.
    pub token: String,
    /// When the resource was as it is told, or when the question was asked.
    pub time: Option<String>,
    /// The account, if it says so.
    pub account: Option<String>,
    /// The resource; nothing if it is asked of all.
    pub resource: Option<AskedOf>,
}

/// A resource as AWS Config names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedOf {
    /// Its type.
    pub kind: String,
    /// The id that Config has for it.
    pub id: String,
    /// Other ways to name it: its name, its ARN.
    pub names: Vec<String>,
    /// Whether it is gone, or out of the scope of the rule.
    pub gone: bool,
}

/// Reads a message.
///
/// # Errors
/// A sentence that says why it is none of the known forms.
pub fn read_message(text: &str) -> Result<Message, String> {
    let mut message = Message::default();
    take(text, 0, &mut message)?;
    Ok(message)
}

fn take(text: &str, depth: usize, message: &mut Message) -> Result<(), String> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(format!("it has {} bytes; at most {MAX_MESSAGE_BYTES} are read", text.len()));
    }
    if depth > DEEPEST {
        return Err("it is a message within too many others".to_owned());
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    form(&value, depth, message)
}

/// Which form it is, by the members that only this form has.
fn form(value: &Value, depth: usize, message: &mut Message) -> Result<(), String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(inner) = text("Message").filter(|_| text("Type").is_some()) {
        return match text("Type") {
            // Amazon SNS says what it has to say about the subscription itself.
            Some("Notification") => take(inner, depth + 1, message),
            _ => Ok(()),
        };
    }
    if let (Some(inner), Some(token)) = (text("invokingEvent"), text("resultToken")) {
        message.asked = Some(asked(value, inner, token)?);
        return Ok(());
    }
    if text("detail-type").is_some() && value.get("detail").is_some() {
        bridge(value, message);
        return Ok(());
    }
    if text("messageType").is_some() {
        configuration(value, message);
        return Ok(());
    }
    if value.get("eventSource").is_some() && text("eventName").is_some() {
        record(value, message);
        return Ok(());
    }
    // CloudTrail tells of log files by their names alone.
    if let (Some(bucket), Some(keys)) = (text("s3Bucket"), value.get("s3ObjectKey")) {
        let keys = keys.as_array().map_or(std::slice::from_ref(keys), Vec::as_slice);
        keys.iter().filter_map(Value::as_str).for_each(|key| message.file(bucket, key));
        return Ok(());
    }
    if text("Event") == Some("s3:TestEvent") {
        return Ok(());
    }
    let Some(records) = value.get("Records").and_then(Value::as_array) else {
        return Err("it is no event of CloudTrail, EventBridge, S3, SNS or AWS Config".to_owned());
    };
    if records.len() > MOST_RECORDS {
        return Err(format!("it has {} records; at most {MOST_RECORDS} are read", records.len()));
    }
    records.iter().try_for_each(|one| part(one, depth, message))
}

/// One of many records.
fn part(one: &Value, depth: usize, message: &mut Message) -> Result<(), String> {
    if let Some(key) = one.pointer("/s3/object/key").and_then(Value::as_str) {
        let bucket = one.pointer("/s3/bucket/name").and_then(Value::as_str).unwrap_or_default();
        // Amazon S3 writes keys here as in an address.
        match facts::percent_decoded(&key.replace('+', " ")) {
            Some(key) => message.file(bucket, &key),
            None => message.everything = true,
        }
        return Ok(());
    }
    if let Some(inner) = one.pointer("/Sns/Message").and_then(Value::as_str) {
        return take(inner, depth + 1, message);
    }
    if one.get("eventName").and_then(Value::as_str).is_none() {
        return Err("one of its records is no event of CloudTrail, S3 or SNS".to_owned());
    }
    record(one, message);
    Ok(())
}

/// An event of EventBridge.
fn bridge(value: &Value, message: &mut Message) {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (source, what) = (text("source"), text("detail-type"));
    if what.ends_with("via CloudTrail") {
        return record(&value["detail"], message);
    }
    if source == "aws.config" {
        return configuration(&value["detail"], message);
    }
    let Some(service) = source.strip_prefix("aws.") else { return };
    let Some(known) = SOURCES.iter().find(|known| known.name == service) else { return };
    if known.idle.iter().any(|name| matches(name, what)) {
        return;
    }
    let arns = value["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut touched: BTreeSet<Touched> = arns.filter_map(by_arn).collect();
    if touched.is_empty() {
        touched.insert(Touched::all(known.kinds));
    }
    message.events.push(Event {
        call: format!("{service}: {what}"),
        id: owned(&value["id"]),
        time: owned(&value["time"]),
        by: None,
        account: owned(&value["account"]),
        touched,
    });
}

/// A record of CloudTrail.
fn record(value: &Value, message: &mut Message) {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (source, name) = (text("eventSource"), text("eventName"));
    let Some(service) = source.strip_suffix(".amazonaws.com") else { return };
    let Some(known) = SOURCES.iter().find(|known| known.name == service) else { return };
    let read = value.get("readOnly").map(|only| only == true || *only == "true");
    // What was refused changed nothing.
    let refused = value.get("errorCode").is_some_and(|code| !code.is_null());
    if refused || read.unwrap_or_else(|| READS.iter().any(|begin| name.starts_with(begin))) {
        return;
    }
    if known.idle.iter().any(|idle| matches(idle, name)) {
        return;
    }
    let who =
        ["/userIdentity/arn", "/userIdentity/invokedBy", "/userIdentity/principalId", "/userIdentity/type"];
    message.events.push(Event {
        call: format!("{service}:{name}"),
        id: owned(&value["eventID"]),
        time: owned(&value["eventTime"]),
        by: who.iter().find_map(|at| value.pointer(at)).and_then(owned),
        account: owned(&value["recipientAccountId"])
            .or_else(|| value.pointer("/userIdentity/accountId").and_then(owned)),
        touched: touched(known, name, value),
    });
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// What a call touched.
fn touched(source: &Source, name: &str, value: &Value) -> BTreeSet<Touched> {
    let call = source.calls.iter().find(|call| call.names.iter().any(|pattern| matches(pattern, name)));
    let Some(call) = call else {
        let arn = ARNS.iter().find_map(|at| value.pointer(at)).and_then(Value::as_str);
        return BTreeSet::from([arn.and_then(by_arn).unwrap_or_else(|| Touched::all(source.kinds))]);
    };
    let id = call.at.iter().find_map(|at| value.pointer(at)).and_then(Value::as_str).and_then(identifier);
    let one = |kind: &&str| match id {
        Some(id) => Touched::one(kind, id),
        None => Touched::all(kind),
    };
    call.kinds.iter().map(one).collect()
}

/// The identifier in what an event calls a resource by; nothing if it is another name of it.
fn identifier(text: &str) -> Option<&str> {
    if text.contains(":alias/") || text.starts_with("alias/") {
        return None;
    }
    let last = if text.starts_with("arn:") { text.rsplit(['/', ':']).next()? } else { text };
    (!last.is_empty()).then_some(last)
}

/// What an ARN names.
fn by_arn(arn: &str) -> Option<Touched> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, rest) = (parts.next()?, parts.nth(2)?);
    let (_, before, kind) =
        BY_ARN.iter().find(|(of, before, _)| *of == service && rest.starts_with(before))?;
    let id = rest.strip_prefix(before)?;
    match *kind {
        // An object is none of its bucket's settings; a path is no part of a name.
        "AWS::S3::Bucket" => Some(Touched::one(kind, id.split('/').next()?)),
        "AWS::Logs::LogGroup" => Some(Touched::one(kind, id.trim_end_matches(":*"))),
        "AWS::IAM::Role" | "AWS::IAM::User" => Some(Touched::one(kind, id.rsplit('/').next()?)),
        _ => Some(Touched::one(kind, id)),
    }
}

/// A notification of AWS Config, which holds a resource or the short form of one.
fn configuration(value: &Value, message: &mut Message) {
    let item = ["configurationItem", "configurationItemSummary"].iter().find_map(|name| value.get(name));
    let Some(item) = item.filter(|item| item.is_object()) else { return };
    let text = |name: &str| owned(&item[name]);
    let Some(kind) = text("resourceType") else { return };
    let by_arn = text("ARN").or_else(|| text("arn")).as_deref().and_then(by_arn);
    let named = |kind: &str| {
        let id = text("resourceName").or_else(|| text("resourceId"));
        id.map_or_else(|| Touched::all(kind), |id| Touched::one(kind, &id))
    };
    let touched = by_arn.filter(|touched| touched.kind == kind).unwrap_or_else(|| named(&kind));
    message.events.push(Event {
        call: format!("config: {kind}"),
        id: None,
        time: text("configurationItemCaptureTime"),
        by: None,
        account: text("awsAccountId"),
        touched: BTreeSet::from([touched]),
    });
}

/// What AWS Config asks of a rule.
fn asked(value: &Value, inner: &str, token: &str) -> Result<Asked, String> {
    if inner.len() > MAX_MESSAGE_BYTES {
        return Err("the event of the rule is too large".to_owned());
    }
    let event: Value =
        serde_json::from_str(inner).map_err(|error| format!("the event of the rule is no JSON: {error}"))?;
    let parameters: Value = match value.get("ruleParameters") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    let control = owned(&parameters["control"])
        .ok_or("the rule has no parameter `control`, so it is not known what it asks for")?;
    let item = ["configurationItem", "configurationItemSummary"].iter().find_map(|name| event.get(name));
    let resource = item.filter(|item| item.is_object()).map(|item| {
        let text = |name: &str| owned(&item[name]);
        let left = value.get("eventLeftScope").is_some_and(|left| left == true || *left == "true");
        let status = text("configurationItemStatus").unwrap_or_default();
        AskedOf {
            kind: text("resourceType").unwrap_or_default(),
            id: text("resourceId").unwrap_or_default(),
            names: ["resourceName", "ARN", "arn"].iter().filter_map(|name| text(name)).collect(),
            gone: left || status.starts_with("ResourceDeleted") || status == "ResourceNotRecorded",
        }
    });
    let time = item
        .and_then(|item| owned(&item["configurationItemCaptureTime"]))
        .or_else(|| owned(&event["notificationCreationTime"]));
    Ok(Asked {
        rule: owned(&value["configRuleName"]).unwrap_or_default(),
        control,
        token: token.to_owned(),
        time,
        account: owned(&value["accountId"]),
        resource,
    })
}

/// Whether a name is as a pattern says; `*` stands for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            after.is_empty()
                || (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests;
