//! Credentials of a role, from AWS STS.

use super::{Credentials, Given};
use crate::client::Line;
use crate::error::{AwsError, Trouble};
use crate::operation::{Operation, Retry, STS};
use crate::wire::{Wire, from_xml};
use serde::Deserialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const ASSUME_ROLE: Operation =
    Operation { service: &STS, name: "AssumeRole", retry: Retry::Safe, needs: &[], pages: None };
const ASSUME_ROLE_WITH_WEB_IDENTITY: Operation = Operation {
    service: &STS,
    name: "AssumeRoleWithWebIdentity",
    retry: Retry::Safe,
    needs: &[],
    pages: None,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    #[serde(alias = "AssumeRoleWithWebIdentityResult")]
    assume_role_result: Assumed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Given,
}

/// What a profile says about a role.
pub(super) struct Role<'a> {
    pub(super) arn: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) external_id: Option<&'a str>,
    pub(super) seconds: Option<&'a str>,
    /// Tags of the session: `aws:PrincipalTag/KEY` in policies.
    pub(super) tags: &'a BTreeMap<String, String>,
}

/// The role, as whoever has `credentials`.
pub(super) fn assume(line: &Line, role: &Role<'_>, by: &Credentials) -> Result<Credentials, AwsError> {
    let session = session(role.session);
    let mut parameters = vec![("RoleArn", role.arn), ("RoleSessionName", session.as_str())];
    parameters.extend(role.external_id.map(|id| ("ExternalId", id)));
    parameters.extend(role.seconds.map(|seconds| ("DurationSeconds", seconds)));
    let tags: Vec<(String, &str)> = role
        .tags
        .iter()
        .zip(1..)
        .flat_map(|((key, value), at)| {
            [
                (format!("Tags.member.{at}.Key"), key.as_str()),
                (format!("Tags.member.{at}.Value"), value.as_str()),
            ]
        })
        .collect();
    parameters.extend(tags.iter().map(|(name, value)| (name.as_str(), *value)));
    let wire = Wire::form(&ASSUME_ROLE, &parameters);
    let answer = line.call(&ASSUME_ROLE, &wire, region(line)?, Some(by))?;
    let response: Response = from_xml(&ASSUME_ROLE, &answer)?;
    response.assume_role_result.credentials.into_credentials("AWS STS")
}

/// The role, as whoever the token in `file` says.
pub(super) fn with_web_identity(
    line: &Line,
    file: &str,
    arn: &str,
    session_name: Option<&str>,
) -> Result<Credentials, AwsError> {
    let token = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| {
        AwsError::new(
            Trouble::Unconfigured,
            format!("cannot read the web identity token `{file}`: {}", error.kind()),
        )
        .with_help("look at AWS_WEB_IDENTITY_TOKEN_FILE, and `web_identity_token_file` in the profile")
    })?);
    let session = session(session_name);
    let token = token.trim();
    let parameters = [("RoleArn", arn), ("RoleSessionName", session.as_str()), ("WebIdentityToken", token)];
    let operation = &ASSUME_ROLE_WITH_WEB_IDENTITY;
    let answer = line
        .call(operation, &Wire::form(operation, &parameters), region(line)?, None)
        .map_err(|error| error.without(&[token]))?;
    let response: Response = from_xml(operation, &answer)?;
    response.assume_role_result.credentials.into_credentials("AWS STS")
}

/// CloudTrail shows the name of a session, so it says what made it and when.
fn session(name: Option<&str>) -> String {
    name.map_or_else(|| format!("wardmote-{}", jiff::Timestamp::now().as_second()), str::to_owned)
}

fn region(line: &Line) -> Result<&str, AwsError> {
    line.settings.region.as_deref().ok_or_else(|| {
        AwsError::new(Trouble::Unconfigured, "a role is asked for in a region, and none is set")
            .with_help("set AWS_REGION, or `region` in the profile")
    })
}
