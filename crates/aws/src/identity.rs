//! Who calls, and where calls go: what is in force of all settings, without secrets.

use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{IAM, KMS, ORGANIZATIONS, Operation, Retry, S3, STS, Service};
use crate::wire::{Wire, from_xml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everybody may ask who they are.
pub(crate) const WHO_AM_I: Operation =
    Operation { service: &STS, name: "GetCallerIdentity", retry: Retry::Safe, needs: &[] };

/// The services whose endpoints are shown.
const SERVICES: [&Service; 5] = [&S3, &KMS, &STS, &IAM, &ORGANIZATIONS];

/// Who calls, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The number of the account.
    pub account: String,
    /// The user, or the session of a role.
    pub arn: String,
    /// Where calls go.
    pub region: String,
    /// The partition of the region: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The profile of the shared files that is read.
    pub profile: String,
    /// URLs by the names of services.
    pub endpoints: BTreeMap<String, String>,
}

/// Asks AWS who calls.
///
/// # Errors
/// If there are no credentials, or AWS does not know them.
pub fn identity(client: &Client) -> Result<Identity, AwsError> {
    let caller = who_am_i(client)?;
    let mut endpoints = BTreeMap::new();
    for service in SERVICES {
        endpoints.insert(service.name.to_owned(), client.address(service)?.to_string());
    }
    Ok(Identity {
        account: caller.account,
        arn: caller.arn,
        region: client.region()?.to_owned(),
        partition: client.partition()?.name.to_owned(),
        profile: client.profile().to_owned(),
        endpoints,
    })
}

/// The number of the caller's account.
pub(crate) fn account(client: &Client) -> Result<String, AwsError> {
    who_am_i(client).map(|caller| caller.account)
}

fn who_am_i(client: &Client) -> Result<Caller, AwsError> {
    let answer = client.call(&WHO_AM_I, &Wire::form(&WHO_AM_I, &[]))?;
    from_xml::<Response>(&WHO_AM_I, &answer).map(|response| response.get_caller_identity_result)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    get_caller_identity_result: Caller,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Caller {
    account: String,
    arn: String,
}
