//! Buckets as AWS Config records them: nearly everything stands in the supplementary configuration.

use super::{Recorded, pascal};
use facts::inventory::{Item, Status};
use serde_json::{Map, Value, json};

/// A bucket, and its policy if it has one.
pub(super) fn bucket(recorded: &Recorded<'_>) -> Vec<Item> {
    let name = recorded.name;
    let mut bucket = recorded.item("AWS::S3::Bucket", name);
    bucket.arn = bucket.arn.or_else(|| Some(format!("arn:aws:s3:::{name}")));
    if recorded.tags.is_none_or(Map::is_empty) {
        recorded.put(&mut bucket, "Tags", tags(recorded), Status::Absent);
    }
    let mut put = |property: &str, value: Option<Value>, missing: Status| {
        recorded.put(&mut bucket, property, value, missing);
    };
    // Parts that Config always records, if only to say that there is none.
    let always = |part: &str| recorded.part(part).map_or(Status::NotRecorded, |_| Status::Absent);
    put("BucketName", Some(json!(name)), Status::Ok);
    put(
        "VersioningConfiguration",
        recorded.part("+BucketVersioningConfiguration").and_then(|told| versioning(&told)),
        always("+BucketVersioningConfiguration"),
    );
    put(
        "LoggingConfiguration",
        recorded
            .part("+BucketLoggingConfiguration")
            .map(|told| pascal(&told))
            .filter(|told| told.get("DestinationBucketName").is_some()),
        always("+BucketLoggingConfiguration"),
    );
    // Parts that it leaves out where there is none.
    let public = recorded.part("+PublicAccessBlockConfiguration").map(|told| pascal(&told));
    put("PublicAccessBlockConfiguration", public, Status::Absent);
    let encryption = recorded.part("+ServerSideEncryptionConfiguration").map(|told| encryption(&told));
    put("BucketEncryption", encryption, Status::Absent);
    let rules = recorded.part("+BucketLifecycleConfiguration").map(|told| lifecycle(&told));
    put("LifecycleConfiguration", rules, Status::Absent);
    let lock = recorded.part("+ObjectLockConfiguration").map(|told| pascal(&told));
    let locked = lock.as_ref().is_some_and(|lock| lock["ObjectLockEnabled"] == "Enabled");
    put("ObjectLockEnabled", Some(json!(locked)), Status::Ok);
    put("ObjectLockConfiguration", lock, Status::Absent);
    let owner = recorded.part("+OwnershipControls").map(|told| pascal(&told));
    put("OwnershipControls", owner, Status::NotRecorded);
    let list = recorded.part("+AccessControlList");
    let known = if list.is_some() { Status::Absent } else { Status::NotRecorded };
    put("AccessControl", list.and_then(|list| canned(&list)).map(|name| json!(name)), known);
    let mut all = vec![bucket];
    all.extend(policy(recorded));
    all
}

fn tags(recorded: &Recorded<'_>) -> Option<Value> {
    let told = recorded.part("+BucketTaggingConfiguration")?;
    let sets = told["tagSets"].as_array()?.iter().filter_map(|set| set["tags"].as_object());
    Some(sets.flatten().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
}

/// The policy of a bucket: known to be none, a document, or not recorded.
fn policy(recorded: &Recorded<'_>) -> Option<Item> {
    let told = recorded.part("+BucketPolicy");
    let text = told.as_ref().and_then(|told| told.get("policyText"));
    if text.is_some_and(Value::is_null) {
        return None;
    }
    let document = text.map(super::plain).filter(Value::is_object);
    let mut item = recorded.item("AWS::S3::BucketPolicy", recorded.name);
    item.arn = None;
    recorded.put(&mut item, "Bucket", Some(json!(recorded.name)), Status::Ok);
    recorded.put(&mut item, "PolicyDocument", document, Status::NotRecorded);
    Some(item)
}

/// The switches of an account.
pub(super) fn account(recorded: &Recorded<'_>) -> Item {
    let mut item = recorded.item("AWS::S3::AccountPublicAccessBlock", recorded.account);
    for flag in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        let mut part = flag.to_owned();
        part[..1].make_ascii_lowercase();
        recorded.put(&mut item, flag, recorded.part(&part), Status::NotRecorded);
    }
    item
}

fn versioning(told: &Value) -> Option<Value> {
    let status = told.get("status").and_then(Value::as_str).filter(|status| *status != "Off")?;
    Some(json!({ "Status": status }))
}

fn encryption(told: &Value) -> Value {
    let rule = |rule: &Value| {
        let mut out = Map::new();
        if let Some(default) = rule.get("applyServerSideEncryptionByDefault").filter(|value| !value.is_null())
        {
            let mut inner = Map::new();
            for (there, here) in [("sseAlgorithm", "SSEAlgorithm"), ("kmsMasterKeyID", "KMSMasterKeyID")] {
                inner.extend(
                    default.get(there).filter(|v| !v.is_null()).map(|v| (here.to_owned(), v.clone())),
                );
            }
            out.insert("ServerSideEncryptionByDefault".to_owned(), Value::Object(inner));
        }
        out.extend(
            rule.get("bucketKeyEnabled")
                .filter(|v| !v.is_null())
                .map(|v| ("BucketKeyEnabled".to_owned(), v.clone())),
        );
        Value::Object(out)
    };
    let rules: Vec<Value> = told["rules"].as_array().into_iter().flatten().map(rule).collect();
    json!({ "ServerSideEncryptionConfiguration": rules })
}

fn lifecycle(told: &Value) -> Value {
    let rule = |told: &Value| {
        let mut out = Map::new();
        for (there, here) in [("id", "Id"), ("status", "Status"), ("prefix", "Prefix")] {
            out.extend(told.get(there).filter(|v| !v.is_null()).map(|v| (here.to_owned(), v.clone())));
        }
        // -1 means that the rule does not expire.
        let days = told.get("expirationInDays").and_then(Value::as_i64).filter(|days| *days > 0);
        out.extend(days.map(|days| ("ExpirationInDays".to_owned(), json!(days))));
        let (mut prefixes, mut tags) = (Vec::new(), Vec::new());
        predicates(&told["filter"]["predicate"], 0, &mut prefixes, &mut tags);
        out.extend(prefixes.first().map(|prefix| ("Prefix".to_owned(), prefix.clone())));
        if !tags.is_empty() {
            out.insert("TagFilters".to_owned(), Value::Array(tags));
        }
        Value::Object(out)
    };
    let rules: Vec<Value> = told["rules"].as_array().into_iter().flatten().map(rule).collect();
    json!({ "Rules": rules })
}

/// How deep predicates may stand within each other.
const DEPTH: usize = 4;

fn predicates(told: &Value, depth: usize, prefixes: &mut Vec<Value>, tags: &mut Vec<Value>) {
    if depth > DEPTH {
        return;
    }
    prefixes.extend(told.get("prefix").filter(|prefix| !prefix.is_null()).cloned());
    tags.extend(told.get("tag").filter(|tag| !tag.is_null()).map(pascal));
    for operand in told["operands"].as_array().into_iter().flatten() {
        predicates(operand, depth + 1, prefixes, tags);
    }
}

/// What CloudFormation calls a list that grants this much.
fn canned(list: &Value) -> Option<&'static str> {
    let grants = list["grantList"].as_array();
    let to = |group: &str, permissions: &[&str]| {
        grants.into_iter().flatten().any(|grant| {
            let who = &grant["grantee"];
            let named = who.as_str().or_else(|| who["uri"].as_str()).unwrap_or_default();
            let permission = grant["permission"].as_str().unwrap_or_default();
            named.rsplit('/').next() == Some(group) && permissions.contains(&permission)
        })
    };
    let write = ["Write", "WriteAcp", "FullControl"];
    let read = ["Read", "ReadAcp"];
    match () {
        () if to("AllUsers", &write) || to("AuthenticatedUsers", &write) => Some("PublicReadWrite"),
        () if to("AllUsers", &read) => Some("PublicRead"),
        () if to("AuthenticatedUsers", &read) => Some("AuthenticatedRead"),
        () if to("LogDelivery", &write) => Some("LogDeliveryWrite"),
        () => None,
    }
}
