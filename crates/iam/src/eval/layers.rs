//! The policies that bear on a request, layer by layer.

use super::compile::{Compiled, ResourceTest};
use super::principal::PrincipalTest;
use crate::policy::{Effect, Policy, PolicyKind};
use crate::request::{Request, Sieve};
use serde::Serialize;
use std::fmt;

/// A policy, compiled: its statements, and what tells at a glance which of them a request may concern.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) statements: Vec<Compiled>,
    pub(crate) allows: Listing,
    pub(crate) denies: Listing,
    source: Box<Policy>,
    kind: PolicyKind,
}

/// The statements of one effect, in order. Where one that allows is enough, the others need no look, and most policies
/// deny little.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// Of all of them.
    sieve: Sieve,
    entries: Box<[Entry]>,
}

/// What can be known of a statement before a request is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    sieve: Sieve,
    /// Where it stands.
    at: u32,
    /// It is about every action.
    pub(crate) any_action: bool,
    /// It is about every resource.
    pub(crate) any_resource: bool,
    /// It means every caller.
    pub(crate) any_caller: bool,
}

impl Listing {
    fn new(statements: &[Compiled], effect: Effect) -> Self {
        let entry = |(at, compiled): (u32, &Compiled)| Entry {
            sieve: compiled.action.sieve(),
            at,
            any_action: compiled.action.is_any(),
            any_resource: compiled.resource.as_ref().is_none_or(ResourceTest::is_any),
            any_caller: compiled.principal.as_ref().is_none_or(PrincipalTest::is_any),
        };
        let wanted = (0_u32..).zip(statements).filter(|(_, compiled)| compiled.effect == effect);
        let entries: Box<[Entry]> = wanted.map(entry).collect();
        Self { sieve: entries.iter().fold(Sieve::NONE, |sieve, entry| sieve.or(entry.sieve)), entries }
    }

    /// Those that can be about the action of a request.
    #[inline(always)]
    pub(crate) fn about(&self, request: &Request) -> impl Iterator<Item = &Entry> {
        let sieve = request.sieve();
        let entries = if sieve.falls_through(self.sieve) { &*self.entries } else { &[] };
        entries.iter().filter(move |entry| sieve.falls_through(entry.sieve))
    }
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
        let [allows, denies] = [Effect::Allow, Effect::Deny].map(|effect| Listing::new(&statements, effect));
        Self { allows, denies, statements, source: Box::new(policy), kind }
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

    /// The statements that can be about the action of a request, with their positions: those that allow in order, then
    /// those that deny.
    pub(crate) fn about(&self, request: &Request) -> impl Iterator<Item = (usize, &Compiled)> {
        let entries = self.allows.about(request).chain(self.denies.about(request));
        entries.filter_map(|entry| Some((entry.at as usize, self.statement(entry)?)))
    }

    /// The statement of an entry.
    #[inline]
    pub(crate) fn statement(&self, entry: &Entry) -> Option<&Compiled> {
        self.statements.get(entry.at as usize)
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
