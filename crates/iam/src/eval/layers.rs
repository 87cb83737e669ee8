//! The policies that bear on a request, layer by layer.

use super::compile::Compiled;
use crate::policy::{Policy, PolicyKind};
use crate::request::Request;
use serde::Serialize;
use std::fmt;

/// A policy, compiled: its statements, and which of them can be about the actions of a service.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) statements: Vec<Compiled>,
    by_service: Vec<(Box<str>, Box<[Entry]>)>,
    any_service: Box<[Entry]>,
    source: Box<Policy>,
    kind: PolicyKind,
}

/// A statement in a list: where it stands, and through which sieve an action must fall to be its.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u32,
    sieve: u64,
}

/// A statement within a layer, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct ProgramStatement {
    /// Which policy of the layer, from 0.
    pub policy: usize,
    /// Which statement of it, from 0.
    pub statement: usize,
}

impl Program {
    /// Compiles a policy attached as `kind`.
    #[must_use]
    pub fn new(policy: Policy, kind: PolicyKind) -> Self {
        let statements: Vec<Compiled> = policy
            .statements
            .iter()
            .map(|statement| Compiled::new(statement, policy.version, kind))
            .collect();
        let mut services: Vec<Box<str>> =
            statements.iter().filter_map(Compiled::services).flatten().map(Box::from).collect();
        services.sort();
        services.dedup();
        let about = |service: Option<&str>| -> Box<[Entry]> {
            let bears = |(_, compiled): &(u32, &Compiled)| match (compiled.services(), service) {
                (None, _) => true,
                (Some(list), Some(service)) => list.contains(&service),
                (Some(_), None) => false,
            };
            let entry = |(at, compiled): (u32, &Compiled)| Entry { at, sieve: compiled.action.sieve() };
            (0_u32..).zip(&statements).filter(bears).map(entry).collect()
        };
        let by_service = services.iter().map(|service| (service.clone(), about(Some(service)))).collect();
        let any_service = about(None);
        Self { by_service, any_service, statements, source: Box::new(policy), kind }
    }

    /// The policy as it was read.
    #[must_use]
    pub fn source(&self) -> &Policy {
        &self.source
    }

    /// What it was compiled as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The statements that can be about the action of a request, in order, with their positions.
    pub(crate) fn about(&self, request: &Request) -> impl Iterator<Item = (usize, &Compiled)> {
        let service = request.service();
        let named = self.by_service.iter().find(|(name, _)| **name == *service);
        let sieve = request.sieve();
        named
            .map_or(&self.any_service, |(_, list)| list)
            .iter()
            .filter(move |entry| entry.sieve & sieve != 0)
            .filter_map(|entry| {
                let at = entry.at as usize;
                Some((at, self.statements.get(at)?))
            })
    }
}

/// One level of an organisation: the root, a unit, or the account. Its policies are united.
#[derive(Debug, Clone)]
pub struct OrganizationLevel {
    /// The id of the root, unit or account.
    pub id: Box<str>,
    /// The policies attached there.
    pub policies: Vec<Program>,
}

/// Everything that bears on a request.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// Policies of the caller: its own and those of its groups.
    pub identity: Vec<Program>,
    /// The policy of the resource.
    pub resource: Option<Program>,
    /// Permissions boundaries; none means no bound.
    pub boundaries: Vec<Program>,
    /// Session policies; none means no bound.
    pub session: Vec<Program>,
    /// Policies of the VPC endpoint that the request goes through; none means that it goes through none.
    pub endpoint: Vec<Program>,
    /// Service control policies of the caller's account, from the root to the account.
    pub scp: Vec<OrganizationLevel>,
    /// Resource control policies of the resource's account.
    pub rcp: Vec<OrganizationLevel>,
    /// Grants on the KMS key.
    pub grants: Vec<crate::kms::Grant>,
    /// What S3 knows beside the policy.
    pub s3: crate::s3::Settings,
}

/// The layers, by the names that they have in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Layer {
    /// A service control policy.
    #[serde(rename = "scp")]
    Scp,
    /// A resource control policy.
    #[serde(rename = "rcp")]
    Rcp,
    /// The policy of the VPC endpoint.
    #[serde(rename = "vpce")]
    Endpoint,
    /// The policy of the resource.
    #[serde(rename = "resource")]
    Resource,
    /// A policy of the caller.
    #[serde(rename = "identity")]
    Identity,
    /// A permissions boundary.
    #[serde(rename = "pb")]
    Boundary,
    /// A session policy.
    #[serde(rename = "session")]
    Session,
    /// S3 Block Public Access.
    #[serde(rename = "s3-bpa")]
    BlockPublicAccess,
}

impl Layer {
    /// In the order of answers.
    pub const ALL: [Self; 8] = [
        Self::Scp,
        Self::Rcp,
        Self::Endpoint,
        Self::Resource,
        Self::Identity,
        Self::Boundary,
        Self::Session,
        Self::BlockPublicAccess,
    ];

    /// The short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Endpoint => "vpce",
            Self::Resource => "resource",
            Self::Identity => "identity",
            Self::Boundary => "pb",
            Self::Session => "session",
            Self::BlockPublicAccess => "s3-bpa",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
