//! Who calls, and where calls go: what is in force of all settings, without secrets.

use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{IAM, KMS, ORGANIZATIONS, Operation, Retry, S3, STS, Service};
use crate::wire::{Wire, from_xml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everybody may ask who they are.
pub(crate) const WHO_AM_I: Operation =
    Operation { service: &STS, name: "GetCallerIdentity", retry: Retry::Safe, needs: &[], pages: None };

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

/// Where STS is asked by this client, and the region in whose name: the URL without a slash at its end.
///
/// # Errors
/// If there is no region.
pub fn sts(client: &Client) -> Result<(String, String), AwsError> {
    Ok((client.address(&STS)?.to_string(), client.region()?.to_owned()))
}

/// The URL of a signed `GetCallerIdentity` that whoever gets it may send, with this header, for so many seconds. It proves
/// who signed it and allows nothing else.
///
/// # Errors
/// If there are no credentials, or no region.
pub fn signed_identity(client: &Client, header: (&str, &str), seconds: u32) -> Result<String, AwsError> {
    let query = [("Action", WHO_AM_I.name), ("Version", "2011-06-15")];
    client.presigned(&WHO_AM_I, &query, header, seconds)
}

/// The ARN of the caller, if that is what STS answered.
#[must_use]
pub fn caller_in(answer: &[u8]) -> Option<String> {
    let response: Response = quick_xml::de::from_str(std::str::from_utf8(answer).ok()?).ok()?;
    Some(response.get_caller_identity_result.arn)
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
