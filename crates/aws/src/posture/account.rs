//! The switches of S3 for all of an account. CloudFormation has no type for them; theirs is named in the same way.

use super::items::{Draft, Told, item, learn};
use super::reader::Reader;
use super::s3::truths;
use super::xml::tree;
use crate::error::AwsError;
use crate::operation::{On, Operation, Permission, Protocol, Retry, Service};
use crate::wire::Wire;
use serde_json::Value;

/// Amazon S3 Control.
pub(crate) const S3_CONTROL: Service =
    Service { id: "S3_CONTROL", name: "s3-control", protocol: Protocol::RestXml };

const PUBLIC_ACCESS: Operation = Operation {
    service: &S3_CONTROL,
    name: "GetPublicAccessBlock",
    retry: Retry::Safe,
    needs: &[Permission { action: "s3:GetAccountPublicAccessBlock", on: On::Account }],
    pages: None,
};

pub(super) const OPERATIONS: [&Operation; 1] = [&PUBLIC_ACCESS];

const KIND: &str = "AWS::S3::AccountPublicAccessBlock";
const FLAGS: [&str; 4] =
    ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];

/// Reads them. An account without is one in which none is on.
pub(super) fn read(reader: &Reader<'_>, draft: &mut Draft) {
    let mut account = item(KIND, reader.account);
    let told = match ask(reader) {
        Err(error) if error.code() == "NoSuchPublicAccessBlockConfiguration" => Ok(Value::Null),
        told => told,
    };
    for flag in FLAGS {
        let part = |told: Value| told.get(flag).cloned();
        learn(&mut account, flag, &PUBLIC_ACCESS, Told::by(told.clone(), &[]).and(part));
    }
    draft.read(&[KIND]);
    draft.items.push(account);
}

fn ask(reader: &Reader<'_>) -> Result<Value, AwsError> {
    let path = "/v20180820/configuration/publicAccessBlock";
    let wire = Wire::new("GET", path).header("x-amz-account-id", reader.account);
    let label = Some(reader.account.to_owned())
        .filter(|account| reader.client.in_path(&PUBLIC_ACCESS, account).is_ok_and(|in_path| !in_path));
    let answer = reader.client.call(&PUBLIC_ACCESS, &Wire { label, ..wire })?;
    tree(&PUBLIC_ACCESS, &answer).map(truths)
}
