//! Users, groups, roles and policies of customers, all by one call. Properties: AWS::IAM::* of the CloudFormation reference.

use super::items::{Draft, answered, item, left_out};
use super::reader::Reader;
use super::xml::items;
use crate::error::AwsError;
use crate::inventory::DETAILS;
use crate::operation::{IAM, On, Operation, Permission, Retry};
use crate::pages::Question;
use facts::inventory::{Item, Status};
use serde_json::{Value, json};

const ACCESS_KEYS: Operation = Operation {
    service: &IAM,
    name: "ListAccessKeys",
    retry: Retry::Safe,
    needs: &[Permission { action: "iam:ListAccessKeys", on: On::Account }],
    pages: None,
};

pub(super) const OPERATIONS: [&Operation; 2] = [&DETAILS, &ACCESS_KEYS];

/// Inline policies stand in whoever has them, so there are none of type `AWS::IAM::Policy` beside these.
const KINDS: [&str; 5] =
    ["AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"];
const ACCESS_KEY: &str = "AWS::IAM::AccessKey";

/// Reads all of them.
pub(super) fn read(reader: &Reader<'_>, draft: &mut Draft) {
    match all(reader) {
        Ok(all) => {
            draft.read(&KINDS);
            access_keys(reader, &all, draft);
            draft.items.extend(all);
        }
        Err(error) => {
            KINDS.into_iter().chain([ACCESS_KEY]).for_each(|kind| draft.unread(kind, &DETAILS, &error));
        }
    }
}

/// The long-term keys of users. If those of one are not known, it is not known which there are.
fn access_keys(reader: &Reader<'_>, all: &[Item], draft: &mut Draft) {
    for user in all.iter().filter(|item| item.kind == KINDS[0]) {
        let told = match reader.query(&ACCESS_KEYS, &[("UserName", &user.id), ("MaxItems", "1000")]) {
            Ok(told) => told,
            Err(error) => return draft.unread(ACCESS_KEY, &ACCESS_KEYS, &error),
        };
        for told in items(&told["ListAccessKeysResult"]["AccessKeyMetadata"]["member"]) {
            let Some(id) = told["AccessKeyId"].as_str() else { continue };
            let mut key = item(ACCESS_KEY, id);
            for (there, here) in [("UserName", "UserName"), ("Status", "Status")] {
                key.properties.insert(here.to_owned(), told[there].clone());
                key.provenance.insert(here.to_owned(), answered(&ACCESS_KEYS, Status::Ok));
            }
            key.derived.insert("CreateDate".to_owned(), told["CreateDate"].clone());
            draft.items.push(key);
        }
    }
    draft.read(&[ACCESS_KEY]);
}

fn all(reader: &Reader<'_>) -> Result<Vec<Item>, AwsError> {
    let question = Question::Form(&[
        ("MaxItems", "1000"),
        ("Filter.member.1", "User"),
        ("Filter.member.2", "Group"),
        ("Filter.member.3", "Role"),
        ("Filter.member.4", "LocalManagedPolicy"),
    ]);
    let mut all = Vec::new();
    for page in reader.client.raw_pages(&DETAILS, question) {
        let page = page?;
        for (list, kind) in
            [("UserDetailList", "User"), ("GroupDetailList", "Group"), ("RoleDetailList", "Role")]
        {
            all.extend(items(&page[list]["member"]).iter().filter_map(|told| holder(told, kind)));
        }
        all.extend(items(&page["Policies"]["member"]).iter().filter_map(managed));
    }
    Ok(all)
}

/// A user, group or role.
fn holder(told: &Value, kind: &str) -> Option<Item> {
    let name = told[format!("{kind}Name")].as_str()?;
    let mut read = item(&format!("AWS::IAM::{kind}"), name);
    read.arn = told["Arn"].as_str().map(str::to_owned);
    put(&mut read, &format!("{kind}Name"), name.into());
    put(&mut read, "Path", told["Path"].clone());
    if kind == "Role" {
        put_document(&mut read, "AssumeRolePolicyDocument", document(&told["AssumeRolePolicyDocument"]));
        if told["CreateDate"].is_string() {
            read.derived.insert("CreateDate".to_owned(), told["CreateDate"].clone());
        }
        let used = &told["RoleLastUsed"];
        if used.is_object() {
            read.derived.insert("LastUsed".to_owned(), used.clone());
        }
    }
    let arns = items(&told["AttachedManagedPolicies"]["member"]);
    put(&mut read, "ManagedPolicyArns", arns.iter().map(|policy| policy["PolicyArn"].clone()).collect());
    let inline = items(&told[format!("{kind}PolicyList")]["member"]);
    let policy = |policy: &Value| {
        let document = document(&policy["PolicyDocument"])?;
        Some(json!({"PolicyName": policy["PolicyName"], "PolicyDocument": document}))
    };
    put_document(&mut read, "Policies", inline.iter().map(policy).collect());
    if kind == "User" {
        put(&mut read, "Groups", items(&told["GroupList"]["member"]).into());
    }
    if kind != "Group" {
        let boundary = told["PermissionsBoundary"]["PermissionsBoundaryArn"].clone();
        put(&mut read, "PermissionsBoundary", boundary);
        put(&mut read, "Tags", items(&told["Tags"]["member"]).into());
    }
    Some(read)
}

/// A policy that the customer manages.
fn managed(told: &Value) -> Option<Item> {
    let arn = told["Arn"].as_str()?;
    let name = told["PolicyName"].as_str().or_else(|| arn.rsplit('/').next())?;
    let mut read = item("AWS::IAM::ManagedPolicy", arn);
    read.arn = Some(arn.to_owned());
    read.names.insert(name.to_owned());
    put(&mut read, "ManagedPolicyName", name.into());
    put(&mut read, "Path", told["Path"].clone());
    let versions = items(&told["PolicyVersionList"]["member"]);
    let current = versions.iter().find(|version| version["IsDefaultVersion"] == "true");
    put_document(&mut read, "PolicyDocument", current.and_then(|current| document(&current["Document"])));
    Some(read)
}

fn put(read: &mut Item, name: &str, value: Value) {
    let status = if value.is_null() { Status::Absent } else { Status::Ok };
    if status == Status::Ok {
        read.properties.insert(name.to_owned(), value);
    }
    read.provenance.insert(name.to_owned(), answered(&DETAILS, status));
}

/// A property that every answer has: what cannot be read of it is not known.
fn put_document(read: &mut Item, name: &str, value: Option<Value>) {
    match value {
        Some(value) => put(read, name, value),
        None => {
            read.provenance.insert(name.to_owned(), left_out(&DETAILS));
        }
    }
}

/// A policy document, which IAM encodes as in a URL.
fn document(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    let text =
        if text.trim_start().starts_with('{') { text.to_owned() } else { facts::percent_decoded(text)? };
    serde_json::from_str::<Value>(&text).ok().filter(Value::is_object)
}
