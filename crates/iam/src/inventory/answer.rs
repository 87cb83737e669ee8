//! Answers of an inventory, for people and for programs.

use crate::eval::Layer;
use crate::explain::Path;
use serde::Serialize;
use std::fmt;

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Who: an ARN, a service, `anonymous`, or what the policy of the resource names.
    pub principal: String,
    /// Whether.
    pub verdict: Verdict,
    /// If it depends: the ways that a permission can take. One of them must be open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
    /// If it depends: what denies it when it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Term>,
}

/// Whether somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Whatever else the request says.
    Allowed,
    /// Depending on what else the request says.
    Conditional,
    /// Whatever else the request says.
    Denied,
    /// The policies of this principal are not in the inventory; the side of the resource would let it in.
    Undecided,
}

/// A way that a permission can take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Which.
    pub path: Path,
    /// What must still hold on it, all of it; nothing if it is open.
    pub needs: Vec<Group>,
}

/// Statements of a layer of which one must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The layer.
    pub layer: Layer,
    /// The statements.
    pub any_of: Vec<Term>,
}

/// A statement that matches if its open conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// The layer.
    pub layer: Layer,
    /// In layers of an organisation, the id of the root, unit or account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The policy: its name in the inventory, or where it stands.
    pub policy: String,
    /// Which statement of it, from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// What must hold, all of it.
    pub conditions: Vec<String>,
}

/// Something that a principal can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Possible {
    /// The action.
    pub action: String,
    /// The resource; of a bucket `/*` stands for any object.
    pub resource: String,
    /// How.
    pub access: Access,
}

impl Verdict {
    /// In two words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "allowed if",
            Self::Denied => "not allowed",
            Self::Undecided => "let in by the resource, own policies unknown",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A way that is open: only the exceptions stand against it.
        if self.ways.iter().any(|way| way.needs.is_empty()) {
            let words = if self.verdict == Verdict::Conditional { "allowed" } else { self.verdict.words() };
            writeln!(f, "{}: {words}, unless", self.principal)?;
            return self
                .unless
                .iter()
                .enumerate()
                .try_for_each(|(at, term)| writeln!(f, "  {}{term}", if at == 0 { "" } else { "or " }));
        }
        let depends = self.verdict == Verdict::Undecided && !self.ways.is_empty();
        let join = if depends { ", if" } else { "" };
        writeln!(f, "{}: {}{join}", self.principal, self.verdict.words())?;
        let mut ways = self.ways.iter().peekable();
        while let Some(way) = ways.next() {
            for (at, group) in way.needs.iter().enumerate() {
                let join = if at == 0 { "  " } else { "  and " };
                let terms: Vec<String> = group.any_of.iter().map(Term::to_string).collect();
                writeln!(f, "{join}{}", terms.join("\n    or "))?;
            }
            if ways.peek().is_some() {
                writeln!(f, "  or otherwise")?;
            }
        }
        self.unless.iter().try_for_each(|term| writeln!(f, "  unless {term}"))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, ", self.conditions.join(" and "), self.policy)?;
        match &self.sid {
            Some(sid) => write!(f, "statement {} `{sid}`)", self.statement),
            None => write!(f, "statement {})", self.statement),
        }
    }
}
