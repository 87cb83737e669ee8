//! A policy as a person wrote it: every element with its place, nothing decided yet.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".

mod operator;
mod read;

pub use operator::{Operator, Quantifier, Test};
pub(crate) use read::{distance, policy as read_policy};

use crate::text::{Span, Spanned};
use facts::Diagnostic;
use std::fmt;

/// The language version of a policy. Variables exist only in the newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, and what holds when there is no `Version`.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// Where a policy is attached, which decides what its elements mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Attached to a user, group or role.
    Identity,
    /// Attached to a resource: bucket, queue, secret.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// The key policy of a KMS key.
    KmsKey,
    /// A permissions boundary.
    Boundary,
    /// Passed when a session is made.
    Session,
    /// A service control policy of an organisation.
    Scp,
    /// A resource control policy of an organisation.
    Rcp,
    /// The policy of a VPC endpoint.
    Endpoint,
}

impl PolicyKind {
    /// Whether its statements name principals.
    #[must_use]
    pub fn has_principals(self) -> bool {
        matches!(self, Self::Resource | Self::Trust | Self::KmsKey | Self::Rcp | Self::Endpoint)
    }
}

/// A whole policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its language version.
    pub version: Version,
    /// Where `Version` stands, if it does.
    pub version_span: Option<Span>,
    /// Its `Id`.
    pub id: Option<Spanned>,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
    /// Whether it is a single statement without a policy around it.
    pub bare: bool,
    /// The whole of it.
    pub span: Span,
}

/// What a matching statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its `Sid`.
    pub sid: Option<Spanned>,
    /// Its `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<Element<Who>>,
    /// `Action` or `NotAction`.
    pub action: Element<Spanned>,
    /// `Resource` or `NotResource`.
    pub resource: Option<Element<Spanned>>,
    /// `Condition`, operator by operator and key by key; all must hold.
    pub conditions: Vec<Condition>,
    /// The whole of it.
    pub span: Span,
}

/// An element that lists what it means, or with `Not`, what it does not mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<T> {
    /// Written with `Not`.
    pub negated: bool,
    /// What is listed.
    pub items: Vec<T>,
    /// The key and the value.
    pub span: Span,
}

/// One listed principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Which sort.
    pub sort: WhoSort,
    /// The value.
    pub value: Spanned,
}

/// The sorts of principals. `"*"` is `Aws` with the value `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoSort {
    /// `AWS`: account, user, role, session, or everyone.
    Aws,
    /// `Service`.
    Service,
    /// `Federated`: an identity provider.
    Federated,
    /// `CanonicalUser`: an S3 owner.
    CanonicalUser,
}

impl Who {
    /// Everyone, anonymous callers among them.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.sort == WhoSort::Aws && self.value.text == "*"
    }
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator as written.
    pub operator: Spanned,
    /// What it means; `None` if there is no such operator, and then the statement never matches.
    pub test: Option<Test>,
    /// The condition key.
    pub key: Spanned,
    /// The values; one of them must fit, or with an inverted operator none may.
    pub values: Vec<Spanned>,
}

/// Why a text is not a policy: everything that is wrong, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub Vec<Diagnostic>);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Malformed {}

impl Policy {
    /// Reads a policy that is part of a larger text, with places in that text.
    pub(crate) fn from_json(json: &crate::text::Json) -> Result<Self, Vec<crate::text::Wrong>> {
        read::from_json(json)
    }

    /// Reads a policy, or a single statement where a policy is meant. `file` is its name in messages.
    ///
    /// # Errors
    /// Everything that keeps it from being a policy, with places.
    pub fn parse(file: &str, text: &str) -> Result<Self, Malformed> {
        read::policy(text).map_err(|wrongs| {
            let say = |wrong: crate::text::Wrong| {
                Diagnostic::at(file, text, (wrong.span.start, wrong.span.end), (wrong.message, wrong.help))
            };
            Malformed(wrongs.into_iter().map(say).collect())
        })
    }
}
