//! An explanation for people: one line that answers, then indented the reasons.

use super::finding::{NearMiss, several};
use super::{Citation, Explanation, Finding, Lack, Miss, Need, Path, Reason};
use crate::catalog::catalog;
use crate::eval::{Layer, Outcome};
use crate::request::Request;
use std::fmt;

/// The action as AWS writes it, if it is known.
pub(super) fn action(request: &Request) -> String {
    catalog().action(request.action()).map_or_else(|| request.action().to_owned(), |known| known.to_string())
}

/// What people call the policies of a layer.
fn policies(layer: Layer) -> &'static str {
    match layer {
        Layer::Scp => "service control policy",
        Layer::Rcp => "resource control policy",
        Layer::Endpoint => "endpoint policy",
        Layer::Resource => "resource policy",
        Layer::Identity => "identity policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::BlockPublicAccess => "block public access",
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match self.decision.outcome {
            Outcome::Allowed => "allowed",
            Outcome::ExplicitlyDenied => "denied",
            Outcome::ImplicitlyDenied => "not allowed",
        };
        let (caller, resource) = (self.request.principal(), self.request.resource());
        writeln!(f, "{answer}: `{caller}`, `{}`, `{resource}`", action(self.request))?;
        self.reason.write(f, self.request)
    }
}

impl Reason<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, request: &Request) -> fmt::Result {
        match self {
            Self::NeedsNoPermission => writeln!(f, "  this call needs no permission"),
            Self::BelongsToAws => {
                writeln!(f, "  it would change what belongs to AWS, which no policy can allow")
            }
            Self::PublicAccessBlocked => {
                writeln!(
                    f,
                    "  the bucket policy is public, and `RestrictPublicBuckets` keeps out everybody"
                )?;
                writeln!(f, "  but services of AWS and the account of the bucket")
            }
            Self::Denied { by } => {
                for (at, citation) in by.iter().enumerate() {
                    let also = if at == 0 { "" } else { "also " };
                    writeln!(f, "  {also}denied by {citation}")?;
                    conditions(f, &citation.conditions)?;
                }
                Ok(())
            }
            Self::Granted { path, also, grant, by } => {
                write!(f, "  {}", path.sentence())?;
                match grant {
                    Some(at) => writeln!(f, " (grant {at})")?,
                    None => writeln!(f)?,
                }
                for citation in by {
                    writeln!(f, "  allowed by {citation}")?;
                    conditions(f, &citation.conditions)?;
                }
                for path in also {
                    writeln!(f, "  without that: {}", path.sentence())?;
                }
                Ok(())
            }
            Self::Lacking { layers } => layers.iter().try_for_each(|lack| lack.write(f, request)),
        }
    }
}

fn conditions(f: &mut fmt::Formatter<'_>, findings: &[Finding<'_>]) -> fmt::Result {
    findings.iter().try_for_each(|finding| {
        writeln!(f, "    because {} (`{}`)", finding.sentence(), finding.condition.operator.text)
    })
}

impl fmt::Display for Citation<'_> {
    /// The place of the statement, in the words of the policy's language.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", policies(self.layer))?;
        if let Some(id) = self.organization {
            write!(f, " of `{id}`")?;
        }
        if self.layer != Layer::Resource {
            write!(f, " {}", self.policy)?;
        }
        write!(f, ", statement {}", self.statement)?;
        match self.sid {
            Some(sid) => write!(f, " `{sid}`"),
            None => write!(f, " (bytes {} to {})", self.span.start, self.span.end),
        }
    }
}

impl Path {
    /// The way in one sentence without a full stop.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Identity => "policies of the caller allow it within its account",
            Self::RootUser => "the root user needs no policy of its own within its account",
            Self::IdentityByDelegation => {
                "policies of the caller allow it, and the policy of the resource leaves the decision to them"
            }
            Self::ResourceDirect => {
                "the policy of the resource allows it to the caller itself or to everyone"
            }
            Self::ResourceRole => "the policy of the resource allows it to the role or user of the caller",
            Self::Grant => "a grant on the key allows it",
            Self::AccessControlList => "an access control list allows it",
            Self::IdentityAndResource => {
                "policies of the caller allow it, and so does the policy of the resource in the other account"
            }
            Self::IdentityAndGrant => {
                "policies of the caller allow it, and so does a grant on the key in the other account"
            }
            Self::IdentityAndAccessControlList => {
                "policies of the caller allow it, and so does an access control list of the other account"
            }
        }
    }
}

impl Lack<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, request: &Request) -> fmt::Result {
        let kind = policies(self.layer);
        match (self.need, self.organization) {
            (Need::Delegation, _) => {
                let account = request.resource_account().unwrap_or("its account");
                writeln!(
                    f,
                    "  the policy of the resource does not leave the decision to account `{account}`"
                )?;
            }
            (Need::Instead, _) => writeln!(f, "  nor does the {kind} allow it to the caller itself")?,
            (Need::Policy, _) => {
                writeln!(f, "  there is no {kind}, without which a federated user has no permission")?;
            }
            (Need::Allow, Some(id)) => writeln!(f, "  no {kind} of `{id}` allows it")?,
            (Need::Allow, None) if self.policies == 0 => writeln!(f, "  there is no {kind}")?,
            (Need::Allow, None) if self.policies == 1 => writeln!(f, "  the {kind} does not allow it")?,
            (Need::Allow, None) => writeln!(f, "  none of the {} allows it", plural(kind))?,
        }
        if self.nearest.is_empty() && self.policies > 0 {
            return writeln!(f, "    no statement that allows is about `{}`", action(request));
        }
        self.nearest.iter().try_for_each(|near| near.write(f, request))
    }
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if stem.ends_with('c') => format!("{stem}ies"),
        _ if kind.ends_with("boundary") => "permissions boundaries".to_owned(),
        _ => kind.to_owned(),
    }
}

impl NearMiss<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, request: &Request) -> fmt::Result {
        writeln!(f, "    nearly: {}", self.statement)?;
        self.misses.iter().enumerate().try_for_each(|(at, miss)| {
            let join = if at == 0 { "but" } else { "and" };
            writeln!(f, "      {join} {}", miss.sentence(request))
        })
    }
}

impl Miss<'_> {
    /// What is missed, in one sentence without a full stop.
    fn sentence(&self, request: &Request) -> String {
        match self {
            Self::Never { operator: Some(operator) } => {
                format!("there is no operator `{operator}`, so it never matches")
            }
            Self::Never { operator: None } => {
                "it never matches, because an element is missing or may not stand there".to_owned()
            }
            Self::Principal { means, listed } => {
                let named = several(listed.iter().copied(), "and");
                match *means {
                    "account" => format!("it names only the account, with {named}"),
                    "none" => format!("it is for {named}, not for `{}`", request.principal()),
                    _ => format!("it is for {named}, not for the account"),
                }
            }
            Self::Resource { unresolved: Some(variable), .. } => {
                format!("the variable `{variable}` in its resource has no value")
            }
            Self::Resource { negated, listed, .. } => {
                let (listed, resource) = (several(listed.iter().copied(), "or"), request.resource());
                let verb = if *negated { "it leaves out" } else { "it is about" };
                format!("{verb} {listed}, {} `{resource}`", if *negated { "such as" } else { "not" })
            }
            Self::Condition(finding) => {
                format!("{} (`{}`)", finding.sentence(), finding.condition.operator.text)
            }
        }
    }
}
