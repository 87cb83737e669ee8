//! Files of policies, read with their names, so that every complaint says where.

use super::args::LayerArgs;
use crate::failure::{Exit, Failure};
use iam::{Layers, OrganizationLevel, Policy, PolicyKind, Program};
use std::path::Path;

/// Larger files are no policies.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::new(Exit::NotFound, format!("there is no file `{}`", path.display()));
    }
    Failure::new(Exit::Outside, format!("cannot read `{}`: {error}", path.display()))
}

/// The text of a file of policies.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    text_up_to(path, MAX_BYTES)
}

/// The text of a file.
pub(super) fn text_up_to(path: &Path, most: u64) -> Result<String, Failure> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > most {
        let message = format!("`{}` has {size} bytes; at most {most} are read", path.display());
        return Err(Failure::new(Exit::Input, message));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// A policy.
pub(super) fn policy(path: &Path) -> Result<Policy, Failure> {
    let text = text(path)?;
    Policy::parse(&path.display().to_string(), &text).map_err(|wrong| malformed(&wrong))
}

pub(super) fn malformed(wrong: &iam::Malformed) -> Failure {
    let text = wrong.to_string();
    let sentence = text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned();
    Failure::new(Exit::Input, sentence)
}

/// A policy, or a list of policies.
fn policies(path: &Path) -> Result<Vec<Policy>, Failure> {
    let text = text(path)?;
    let name = path.display().to_string();
    if !text.trim_start().starts_with('[') {
        return Ok(vec![Policy::parse(&name, &text).map_err(|wrong| malformed(&wrong))?]);
    }
    let list: Vec<serde_json::Value> = serde_json::from_str(&text)
        .map_err(|error| Failure::new(Exit::Input, format!("`{name}` is no list of policies: {error}")))?;
    let one = |(at, value): (usize, &serde_json::Value)| {
        Policy::parse(&format!("{name}[{at}]"), &format!("{value:#}")).map_err(|wrong| malformed(&wrong))
    };
    list.iter().enumerate().map(one).collect()
}

fn programs(paths: &[std::path::PathBuf], kind: PolicyKind) -> Result<Vec<Program>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(policies(path)?.into_iter().map(|policy| Program::new(policy, kind)));
    }
    Ok(all)
}

fn levels(paths: &[std::path::PathBuf], kind: PolicyKind) -> Result<Vec<OrganizationLevel>, Failure> {
    let level = |path: &std::path::PathBuf| {
        let policies = programs(std::slice::from_ref(path), kind)?;
        Ok(OrganizationLevel { id: path.display().to_string().into(), policies })
    };
    paths.iter().map(level).collect()
}

fn json<T: for<'d> serde::Deserialize<'d>>(path: &Path, what: &str) -> Result<T, Failure> {
    serde_json::from_str(&text(path)?)
        .map_err(|error| Failure::new(Exit::Input, format!("`{}` holds no {what}: {error}", path.display())))
}

/// What a policy of a resource is, by the service that it is about.
pub(super) fn resource_kind(service: &str) -> PolicyKind {
    match service {
        "kms" => PolicyKind::KmsKey,
        "sts" => PolicyKind::Trust,
        _ => PolicyKind::Resource,
    }
}

/// The layers of the command line.
pub(super) fn layers(args: &LayerArgs, service: &str) -> Result<Layers, Failure> {
    let resource = args.resource_policy.as_deref().map(policy).transpose()?;
    Ok(Layers {
        identity: programs(&args.identity, PolicyKind::Identity)?,
        resource: resource.map(|policy| Program::new(policy, resource_kind(service))),
        boundaries: programs(&args.boundary, PolicyKind::Boundary)?,
        session: programs(&args.session, PolicyKind::Session)?,
        endpoint: programs(&args.endpoint, PolicyKind::Endpoint)?,
        scp: levels(&args.scp, PolicyKind::Scp)?,
        rcp: levels(&args.rcp, PolicyKind::Rcp)?,
        grants: args
            .grants
            .as_deref()
            .map(|path| json(path, "list of grants"))
            .transpose()?
            .unwrap_or_default(),
        s3: args.s3.as_deref().map(|path| json(path, "settings of S3")).transpose()?.unwrap_or_default(),
    })
}
