//! Who calls: the chain that the SDKs of AWS follow. Environment, profile, web identity, container, machine.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".

mod machine;
mod profile;
mod role;

use crate::client::Line;
use crate::error::{AwsError, Trouble};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::fmt;
use zeroize::Zeroizing;

pub(crate) use machine::region as machine_region;

/// Credentials are replaced this long before they end.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// An access key, maybe with a session token and an end. Printed, it shows neither secret nor token.
#[derive(Clone)]
pub struct Credentials {
    key_id: String,
    secret: Zeroizing<String>,
    token: Option<Zeroizing<String>>,
    ends: Option<Timestamp>,
}

impl Credentials {
    pub(crate) fn new(key_id: &str, secret: &str, token: Option<&str>) -> Self {
        let keep = |text: &str| Zeroizing::new(text.to_owned());
        Self { key_id: key_id.to_owned(), secret: keep(secret), token: token.map(keep), ends: None }
    }

    /// The id of the access key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// What must never be shown.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        std::iter::once(self.secret()).chain(self.token()).collect()
    }

    pub(crate) fn end_soon(&self) -> bool {
        self.ends.is_some_and(|ends| Timestamp::now() + EARLY >= ends)
    }

    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.secret == other.secret && self.token == other.token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key_id", &self.key_id)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// As containers, machines, programs and STS give them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    #[serde(alias = "SessionToken")]
    token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

impl Given {
    fn into_credentials(self, from: &str) -> Result<Credentials, AwsError> {
        let wrong = || {
            AwsError::new(
                Trouble::Unconfigured,
                format!("{from} gave an end of the credentials that is no time"),
            )
        };
        let ends = self.expiration.map(|text| text.parse().map_err(|_| wrong())).transpose()?;
        Ok(Credentials {
            key_id: self.access_key_id,
            secret: self.secret_access_key,
            token: self.token,
            ends,
        })
    }
}

/// The first credentials that there are; if the settings name a role, those of the role, assumed with them.
pub(crate) fn find(line: &Line) -> Result<Credentials, AwsError> {
    let own = first(line)?;
    match &line.settings.role {
        Some((arn, tags)) => {
            let role = role::Role { arn, session: None, external_id: None, seconds: None, tags };
            role::assume(line, &role, &own)
        }
        None => Ok(own),
    }
}

fn first(line: &Line) -> Result<Credentials, AwsError> {
    let sources = &line.settings.sources;
    let places = [environment, profile::find];
    let order = if line.settings.profile_first { [1, 0] } else { [0, 1] };
    for place in order {
        if let Some(found) = places[place](line)? {
            return Ok(found);
        }
    }
    if let (Some(file), Some(role)) =
        (sources.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), sources.variable("AWS_ROLE_ARN"))
    {
        return role::with_web_identity(line, file, role, sources.variable("AWS_ROLE_SESSION_NAME"));
    }
    if let Some(found) = machine::container(line)? {
        return Ok(found);
    }
    if let Some(found) = machine::instance(line)? {
        return Ok(found);
    }
    Err(AwsError::new(Trouble::Unconfigured, "there are no AWS credentials: looked at the environment, the shared files, web identity, the container and the machine")
        .with_help("set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
}

fn environment(line: &Line) -> Result<Option<Credentials>, AwsError> {
    let variable = |name| line.settings.sources.variable(name);
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN")))),
        (None, None) => Ok(None),
        (id, _) => {
            let (has, lacks) = if id.is_some() {
                ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            } else {
                ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
            };
            Err(AwsError::new(Trouble::Unconfigured, format!("`{has}` is set, and `{lacks}` is not"))
                .with_help(format!("set {lacks} too, or neither")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_no_secret() {
        let text = format!("{:?}", Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI", Some("session-token")));
        assert!(text.contains("AKIDEXAMPLE") && !text.contains("wJalr") && !text.contains("session-token"));
    }

    #[test]
    fn what_ends_soon_is_replaced() {
        let mut credentials = Credentials::new("a", "b", None);
        assert!(!credentials.end_soon());
        credentials.ends = Some(Timestamp::now() + SignedDuration::from_mins(4));
        assert!(credentials.end_soon());
        credentials.ends = Some(Timestamp::now() + SignedDuration::from_mins(6));
        assert!(!credentials.end_soon());
    }
}
