//! Buckets and their policies. Properties: AWS::S3::Bucket and AWS::S3::BucketPolicy of the CloudFormation reference; calls:
//! API reference of Amazon S3.

use super::items::{Draft, Told, answered, derive, item, learn};
use super::reader::Reader;
use super::xml::{items, tree};
use crate::client::Client;
use crate::error::AwsError;
pub(super) use crate::inventory::Bucket;
use crate::inventory::{LIST_BUCKETS, buckets};
use crate::operation::{On, Operation, Permission, Retry, S3};
use crate::wire::Wire;
use facts::inventory::{Item, Status};
use serde_json::{Map, Value, json};

macro_rules! operation {
    ($constant:ident, $name:literal, $action:literal) => {
        const $constant: Operation = Operation {
            service: &S3,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: $action, on: On::Account }],
            pages: None,
        };
    };
}

operation!(ENCRYPTION, "GetBucketEncryption", "s3:GetEncryptionConfiguration");
operation!(PUBLIC_ACCESS, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock");
operation!(VERSIONING, "GetBucketVersioning", "s3:GetBucketVersioning");
operation!(LOGGING, "GetBucketLogging", "s3:GetBucketLogging");
operation!(LIFECYCLE, "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration");
operation!(OWNERSHIP, "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls");
operation!(LOCK, "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration");
operation!(TAGS, "GetBucketTagging", "s3:GetBucketTagging");
operation!(ACL, "GetBucketAcl", "s3:GetBucketAcl");
operation!(POLICY, "GetBucketPolicy", "s3:GetBucketPolicy");

pub(super) const OPERATIONS: [&Operation; 11] = [
    &LIST_BUCKETS,
    &ENCRYPTION,
    &PUBLIC_ACCESS,
    &VERSIONING,
    &LOGGING,
    &LIFECYCLE,
    &OWNERSHIP,
    &LOCK,
    &TAGS,
    &ACL,
    &POLICY,
];

const BUCKET: &str = "AWS::S3::Bucket";
const BUCKET_POLICY: &str = "AWS::S3::BucketPolicy";

/// All buckets.
pub(super) fn list(reader: &Reader<'_>, draft: &mut Draft) -> Vec<Bucket> {
    match buckets::list(reader.client, None) {
        Ok(buckets) => {
            draft.read(&[BUCKET, BUCKET_POLICY]);
            buckets
        }
        Err(error) => {
            draft.unread(BUCKET, &LIST_BUCKETS, &error);
            draft.unread(BUCKET_POLICY, &LIST_BUCKETS, &error);
            Vec::new()
        }
    }
}

/// Reads a bucket and its policy.
pub(super) fn read(reader: &Reader<'_>, bucket: &Bucket, draft: &mut Draft) {
    let mut read = item(BUCKET, &bucket.name);
    read.region.clone_from(&bucket.bucket_region);
    read.properties.insert("BucketName".to_owned(), bucket.name.clone().into());
    read.provenance.insert("BucketName".to_owned(), answered(&LIST_BUCKETS, Status::Ok));
    let client =
        bucket.bucket_region.as_deref().map_or_else(|| Ok(reader.client.clone()), |r| reader.in_region(r));
    let parts = Parts { client, account: reader.account, bucket };
    read.arn = reader.client.partition().ok().map(|p| format!("arn:{}:s3:::{}", p.name, bucket.name));
    configuration(&parts, &mut read);
    let policy = parts.get(&POLICY, "policy", &["NoSuchBucketPolicy"]);
    if !matches!(policy, Told::Absent) {
        let mut document = item(BUCKET_POLICY, &bucket.name);
        document.properties.insert("Bucket".to_owned(), bucket.name.clone().into());
        learn(&mut document, "PolicyDocument", &POLICY, policy);
        draft.items.push(document);
    }
    draft.items.push(read);
}

fn configuration(parts: &Parts<'_>, read: &mut Item) {
    let none = "ServerSideEncryptionConfigurationNotFoundError";
    let told = parts.get(&ENCRYPTION, "encryption", &[none]).and(|told| Some(encryption(&told)));
    learn(read, "BucketEncryption", &ENCRYPTION, told);
    let none = "NoSuchPublicAccessBlockConfiguration";
    let told = parts.get(&PUBLIC_ACCESS, "publicAccessBlock", &[none]).and(|told| Some(truths(told)));
    learn(read, "PublicAccessBlockConfiguration", &PUBLIC_ACCESS, told);
    let told = parts.get(&VERSIONING, "versioning", &[]);
    let told = told.and(|told| told.get("Status").map(|status| json!({ "Status": status })));
    learn(read, "VersioningConfiguration", &VERSIONING, told);
    let told = parts.get(&LOGGING, "logging", &[]).and(|told| {
        let target = told.get("LoggingEnabled")?;
        Some(
            json!({"DestinationBucketName": target["TargetBucket"], "LogFilePrefix": target["TargetPrefix"]}),
        )
    });
    learn(read, "LoggingConfiguration", &LOGGING, told);
    let told = parts.get(&LIFECYCLE, "lifecycle", &["NoSuchLifecycleConfiguration"]);
    let told =
        told.and(|told| Some(json!({"Rules": items(&told["Rule"]).iter().map(rule).collect::<Vec<_>>()})));
    learn(read, "LifecycleConfiguration", &LIFECYCLE, told);
    let told = parts.get(&OWNERSHIP, "ownershipControls", &["OwnershipControlsNotFoundError"]);
    learn(
        read,
        "OwnershipControls",
        &OWNERSHIP,
        told.and(|told| Some(json!({"Rules": items(&told["Rule"])}))),
    );
    let told = parts.get(&LOCK, "object-lock", &["ObjectLockConfigurationNotFoundError"]);
    let enabled = match &told {
        Told::Is(told) => Told::Is((told["ObjectLockEnabled"] == "Enabled").into()),
        Told::Absent => Told::Absent,
        Told::Not(error) => Told::Not(error.clone()),
    };
    learn(read, "ObjectLockEnabled", &LOCK, enabled);
    learn(read, "ObjectLockConfiguration", &LOCK, told.and(|told| Some(numbers(told))));
    let told = parts.get(&TAGS, "tagging", &["NoSuchTagSet"]);
    learn(read, "Tags", &TAGS, told.and(|told| Some(items(&told["TagSet"]["Tag"]).into())));
    let told =
        parts.get(&ACL, "acl", &[]).and(|told| Some(items(&told["AccessControlList"]["Grant"]).into()));
    if let Told::Is(grants) = &told {
        let name = canned(grants);
        if let Some(name) = name {
            read.properties.insert("AccessControl".to_owned(), name.into());
        }
        let status = if name.is_some() { Status::Ok } else { Status::Absent };
        read.provenance.insert("AccessControl".to_owned(), answered(&ACL, status));
        derive(read, "Acl", &ACL, told);
    } else {
        learn(read, "AccessControl", &ACL, told);
    }
}

/// What CloudFormation calls an access control list that grants this much; nothing if it grants others nothing.
fn canned(grants: &Value) -> Option<&'static str> {
    let to = |group: &str, permissions: &[&str]| {
        items(grants).iter().any(|grant| {
            let uri = grant["Grantee"]["URI"].as_str().unwrap_or_default();
            let permission = grant["Permission"].as_str().unwrap_or_default();
            uri.ends_with(group) && permissions.contains(&permission)
        })
    };
    let write = ["WRITE", "WRITE_ACP", "FULL_CONTROL"];
    let read = ["READ", "READ_ACP"];
    match () {
        () if to("/global/AllUsers", &write) || to("/global/AuthenticatedUsers", &write) => {
            Some("PublicReadWrite")
        }
        () if to("/global/AllUsers", &read) => Some("PublicRead"),
        () if to("/global/AuthenticatedUsers", &read) => Some("AuthenticatedRead"),
        () if to("/s3/LogDelivery", &["WRITE"]) => Some("LogDeliveryWrite"),
        () => None,
    }
}

fn encryption(told: &Value) -> Value {
    let rules = items(&told["Rule"]).into_iter().map(|rule| {
        let mut out = Map::new();
        if let Some(default) = rule.get("ApplyServerSideEncryptionByDefault") {
            out.insert("ServerSideEncryptionByDefault".to_owned(), default.clone());
        }
        if let Some(enabled) = rule.get("BucketKeyEnabled") {
            out.insert("BucketKeyEnabled".to_owned(), json!(enabled == "true"));
        }
        Value::Object(out)
    });
    json!({"ServerSideEncryptionConfiguration": rules.collect::<Vec<_>>()})
}

/// A rule of a lifecycle, with the names that CloudFormation has for it.
fn rule(told: &Value) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: &Value| {
        if !value.is_null() {
            out.insert(name.to_owned(), numbers(value.clone()));
        }
    };
    put("Id", &told["ID"]);
    put("Status", &told["Status"]);
    let prefix = if told["Prefix"].is_null() { &told["Filter"]["Prefix"] } else { &told["Prefix"] };
    put("Prefix", prefix);
    put("ExpirationInDays", &told["Expiration"]["Days"]);
    put("ExpirationDate", &told["Expiration"]["Date"]);
    put("NoncurrentVersionExpiration", &told["NoncurrentVersionExpiration"]);
    let days = &told["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"];
    if !days.is_null() {
        put("AbortIncompleteMultipartUpload", &json!({ "DaysAfterInitiation": days }));
    }
    let transitions: Vec<Value> = items(&told["Transition"])
        .iter()
        .map(|t| json!({"TransitionInDays": numbers(t["Days"].clone()), "StorageClass": t["StorageClass"]}))
        .collect();
    if !transitions.is_empty() {
        put("Transitions", &Value::Array(transitions));
    }
    let filter = &told["Filter"];
    let tags: Vec<Value> = items(&filter["Tag"]).into_iter().chain(items(&filter["And"]["Tag"])).collect();
    if !tags.is_empty() {
        put("TagFilters", &Value::Array(tags));
    }
    Value::Object(out)
}

/// Texts that say a truth as truths.
pub(super) fn truths(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, truths(value))).collect(),
        Value::String(text) if text == "true" || text == "false" => json!(text == "true"),
        other => other,
    }
}

/// Texts that say a whole number as numbers.
pub(super) fn numbers(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, numbers(value))).collect(),
        Value::Array(list) => list.into_iter().map(numbers).collect(),
        Value::String(text) => match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => number.into(),
            _ => Value::String(text),
        },
        other => other,
    }
}

/// A call about a bucket, by its host or, where that cannot be, by its path.
pub(crate) fn address(
    client: &Client,
    operation: &'static Operation,
    method: &'static str,
    bucket: &str,
) -> Result<Wire, AwsError> {
    Ok(match client.in_path(operation, bucket)? {
        true => Wire::new(method, format!("/{bucket}")),
        false => Wire { label: Some(bucket.to_owned()), ..Wire::new(method, "/") },
    })
}

struct Parts<'a> {
    client: Result<Client, AwsError>,
    account: &'a str,
    bucket: &'a Bucket,
}

impl Parts<'_> {
    /// A part of a bucket; `absent` are the codes for "there is none", which is not that there is no bucket.
    fn get(&self, operation: &'static Operation, part: &str, absent: &[&str]) -> Told {
        Told::by(self.ask(operation, part), absent)
    }

    fn ask(&self, operation: &'static Operation, part: &str) -> Result<Value, AwsError> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let wire = address(client, operation, "GET", &self.bucket.name)?;
        let wire = wire.parameter(part, "").header("x-amz-expected-bucket-owner", self.account);
        let answer = client.call(operation, &wire)?;
        if operation.name == POLICY.name {
            return serde_json::from_slice(&answer.body)
                .map_err(|_| crate::wire::unreadable(operation, &answer));
        }
        tree(operation, &answer)
    }
}
