//! Credentials as a profile of the shared files gives them: keys, a role, a web identity, a program.

use super::role::{self, Role};
use super::{Credentials, Given, machine};
use crate::client::Line;
use crate::error::{AwsError, Trouble};
use crate::profile::Section;
use crate::settings::{no_profile, value};
use std::collections::BTreeMap;
use std::process::Command;
use zeroize::Zeroizing;

/// A role by way of a role by way of a role: more is a mistake.
const MAX_CHAIN: usize = 5;

/// Those of the profile in use; none if it has none.
pub(super) fn find(line: &Line) -> Result<Option<Credentials>, AwsError> {
    let name = &line.settings.profile;
    match line.settings.profiles.profile(name) {
        Some(section) => of(line, name, section, &mut Vec::new()),
        None => Ok(None),
    }
}

fn of(
    line: &Line,
    name: &str,
    section: &Section,
    seen: &mut Vec<String>,
) -> Result<Option<Credentials>, AwsError> {
    seen.push(name.to_owned());
    if seen.len() > MAX_CHAIN {
        return Err(unusable(
            name,
            "its roles lead to no keys",
            "end the chain of `source_profile` with keys",
        ));
    }
    // A profile that is its own source means its own keys.
    let itself = seen.iter().filter(|known| *known == name).count() > 1;
    if let (Some(arn), false) = (value(section, "role_arn"), itself) {
        return assumed(line, (name, section), arn, seen).map(Some);
    }
    match (value(section, "aws_access_key_id"), value(section, "aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            return Ok(Some(Credentials::new(id, secret, value(section, "aws_session_token"))));
        }
        (None, None) => {}
        _ => {
            let help = "a profile needs `aws_access_key_id` and `aws_secret_access_key`";
            return Err(unusable(name, "it has only one half of an access key", help));
        }
    }
    if let Some(command) = value(section, "credential_process") {
        return program(name, command).map(Some);
    }
    if section.keys().any(|key| key.starts_with("sso_")) {
        let help = format!(
            "make another profile with `credential_process = aws configure export-credentials --profile {name}`"
        );
        return Err(unusable(
            name,
            "it signs in by IAM Identity Center, which only the AWS CLI does here",
            &help,
        ));
    }
    Ok(None)
}

fn assumed(
    line: &Line,
    (name, section): (&str, &Section),
    arn: &str,
    seen: &mut Vec<String>,
) -> Result<Credentials, AwsError> {
    let session = value(section, "role_session_name");
    if let Some(file) = value(section, "web_identity_token_file") {
        return role::with_web_identity(line, file, arn, session);
    }
    if value(section, "mfa_serial").is_some() {
        let help = "sign in with the AWS CLI and use `credential_process = aws configure export-credentials`";
        return Err(unusable(name, "its role wants a code of a device", help));
    }
    let by = match (value(section, "source_profile"), value(section, "credential_source")) {
        (Some(source), _) => {
            let all = &line.settings.profiles;
            let section = all.profile(source).ok_or_else(|| no_profile(source, all))?;
            of(line, source, section, seen)?
        }
        (None, Some("Environment")) => super::environment(line)?,
        (None, Some("EcsContainer")) => machine::container(line)?,
        (None, Some("Ec2InstanceMetadata")) => machine::instance(line)?,
        _ => None,
    };
    let by = by.ok_or_else(|| {
        let help = "set `source_profile` to a profile with keys, or `credential_source` to `Environment`, \
            `EcsContainer` or `Ec2InstanceMetadata`";
        unusable(name, "it names a role and nobody who takes it", help)
    })?;
    let role = Role {
        arn,
        session,
        external_id: value(section, "external_id"),
        seconds: value(section, "duration_seconds"),
        // Profiles have no way to name any.
        tags: &BTreeMap::new(),
    };
    role::assume(line, &role, &by)
}

/// What a program prints. What it says on standard error goes to the terminal, not into our messages.
fn program(name: &str, command: &str) -> Result<Credentials, AwsError> {
    let failed = |why: &str| unusable(name, why, "run its `credential_process` by hand");
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|_| failed("its program cannot be started"))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed("its program failed"));
    }
    let given: Given =
        serde_json::from_slice(&printed).map_err(|_| failed("its program did not print credentials"))?;
    given.into_credentials("the program")
}

fn unusable(name: &str, why: &str, help: &str) -> AwsError {
    let message = format!("the profile `{name}` gives no credentials: {why}");
    AwsError::new(Trouble::Unconfigured, message).with_help(help)
}
