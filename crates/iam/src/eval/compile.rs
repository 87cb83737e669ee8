//! A statement made ready to be asked many times: its patterns cut up, its values read.

use super::condition::Clause;
use super::principal::{Level, PrincipalTest};
use crate::policy::{Effect, Element, PolicyKind, Statement, Version};
use crate::request::{Principal, Request, Sieve};
use crate::text::Spanned;
use crate::value::{ArnTemplate, Atom, Template, Writing, pattern_fields};

/// A compiled statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compiled {
    pub(crate) effect: Effect,
    pub(crate) action: ActionTest,
    /// `None` stands for every resource.
    pub(crate) resource: Option<ResourceTest>,
    pub(crate) principal: Option<PrincipalTest>,
    pub(crate) conditions: Box<[Clause]>,
    /// It can never match: an operator that does not exist, an element that this kind of policy may not have.
    pub(crate) dead: bool,
}

/// A compiled `Action` or `NotAction`, in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ActionTest {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[Template]>,
}

/// A compiled `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResourceTest {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[ResourcePattern]>,
}

/// One listed resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ResourcePattern {
    /// `*`.
    Any,
    Arn(ArnTemplate),
    /// No resource has such an ARN.
    Nothing,
}

/// Whether one of the patterns fits. Mostly there is one only, which needs no loop.
#[inline]
fn one_of<P>(patterns: &[P], fits: impl Fn(&P) -> bool) -> bool {
    #[inline(never)]
    fn any<P>(patterns: &[P], fits: impl Fn(&P) -> bool) -> bool {
        patterns.iter().any(fits)
    }
    match patterns {
        [only] => fits(only),
        several => any(several, fits),
    }
}

impl ActionTest {
    pub(crate) fn new(element: &Element<Spanned>) -> Self {
        let writing = Writing { wildcards: true, variables: false, fold: false };
        let pattern = |text: &Spanned| Template::new(&text.text.to_ascii_lowercase(), writing);
        Self { negated: element.negated, patterns: element.items.iter().map(pattern).collect() }
    }

    #[inline]
    pub(crate) fn matches(&self, request: &Request) -> bool {
        one_of(&self.patterns, |pattern| pattern.fits(request.action(), request.context())) != self.negated
    }

    /// What its actions may be, which spares a look at most statements.
    pub(crate) fn sieve(&self) -> Sieve {
        let of = |pattern: &Template| match &*pattern.atoms {
            [Atom::Literal(text)] => Sieve::of(text),
            [Atom::Literal(start), ..] => {
                start.split_once(':').map_or(Sieve::ALL, |(service, _)| Sieve::of_service(service))
            }
            _ => Sieve::ALL,
        };
        if self.negated { Sieve::ALL } else { self.patterns.iter().map(of).fold(Sieve::NONE, Sieve::or) }
    }

    /// Whether it is about every action.
    pub(crate) fn is_any(&self) -> bool {
        !self.negated && self.patterns.iter().any(|pattern| *pattern.atoms == [Atom::Star])
    }
}

impl ResourceTest {
    pub(crate) fn new(element: &Element<Spanned>, version: Version, kind: PolicyKind) -> Self {
        let pattern = |text: &Spanned| ResourcePattern::new(&text.text, version, kind);
        Self { negated: element.negated, patterns: element.items.iter().map(pattern).collect() }
    }

    /// Whether it is about every resource.
    pub(crate) fn is_any(&self) -> bool {
        !self.negated && self.patterns.contains(&ResourcePattern::Any)
    }

    #[inline]
    pub(crate) fn matches(&self, request: &Request) -> bool {
        one_of(&self.patterns, |pattern| pattern.matches(request)) != self.negated
    }
}

impl ResourcePattern {
    pub(crate) fn new(text: &str, version: Version, kind: PolicyKind) -> Self {
        if !text.is_empty() && text.bytes().all(|b| b == b'*') {
            return Self::Any;
        }
        let variables = version == Version::V2012;
        let mut fields = pattern_fields(text, variables);
        let short = fields.len() < 6;
        if short && !completed(kind, &fields) {
            return Self::Nothing;
        }
        let written = fields.len();
        fields.resize(6, "*");
        // The service may not be a wildcard where it is written out, and variables begin after the fifth colon.
        let service = if written > 2 { fields[2] } else { "" };
        if fields[0] != "arn" || service.contains(['*', '?']) && written == 6 {
            return Self::Nothing;
        }
        let plain = Writing { wildcards: true, variables: false, fold: false };
        let Ok(fields) = <[&str; 6]>::try_from(fields) else { return Self::Nothing };
        let mut at = 0;
        let templates = fields.map(|field| {
            at += 1;
            Template::new(field, Writing { variables: variables && at == 6, ..plain })
        });
        Self::Arn(ArnTemplate::of(templates))
    }

    #[inline]
    pub(crate) fn matches(&self, request: &Request) -> bool {
        match self {
            Self::Any => true,
            Self::Arn(template) => {
                request.arn().is_some_and(|arn| template.fits(request.resource(), arn, request.context()))
            }
            Self::Nothing => false,
        }
    }
}

/// Whether an ARN with too few fields is completed with wildcards: in policies of identities always, elsewhere only if
/// it ends with one, in resource control policies never.
fn completed(kind: PolicyKind, fields: &[&str]) -> bool {
    match kind {
        PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session => true,
        PolicyKind::Rcp => false,
        PolicyKind::Scp => fields.last().is_some_and(|last| last.ends_with('*')),
        _ => fields.iter().any(|field| field.contains('*')),
    }
}

impl Compiled {
    pub(crate) fn new(statement: &Statement, version: Version, kind: PolicyKind) -> Self {
        let conditions: Option<Box<[Clause]>> =
            statement.conditions.iter().map(|condition| Clause::new(condition, version)).collect();
        let allow = statement.effect == Effect::Allow;
        let principal = statement.principal.as_ref().map(PrincipalTest::new);
        let misplaced = match &principal {
            Some(test) => allow && (test.negated || !kind.has_principals()),
            None => kind.has_principals() && !matches!(kind, PolicyKind::Endpoint | PolicyKind::Rcp),
        };
        let nowhere = statement.resource.is_none() && allow && !kind.has_principals();
        Self {
            effect: statement.effect,
            action: ActionTest::new(&statement.action),
            resource: statement.resource.as_ref().map(|element| ResourceTest::new(element, version, kind)),
            principal: principal.filter(|_| kind.has_principals()),
            dead: conditions.is_none() || misplaced || nowhere,
            conditions: conditions.unwrap_or_default(),
        }
    }

    /// Whether all but the principal matches.
    pub(crate) fn matches(&self, request: &Request) -> bool {
        !self.dead && self.action.matches(request) && self.is_on(request) && self.holds(request)
    }

    /// Whether it is about the resource.
    #[inline]
    pub(crate) fn is_on(&self, request: &Request) -> bool {
        self.resource.as_ref().is_none_or(|resource| resource.matches(request))
    }

    /// Whether its conditions hold.
    #[inline]
    pub(crate) fn holds(&self, request: &Request) -> bool {
        self.conditions.iter().all(|clause| clause.holds(request.context()))
    }

    /// How closely it means the caller. A caller with a permissions boundary is never spared by `NotPrincipal`.
    #[inline]
    pub(crate) fn level(&self, caller: &Principal, bounded: bool) -> Level {
        match &self.principal {
            None => Level::Direct,
            Some(test) if !test.negated => test.level(caller),
            Some(test) if bounded || !test.spares(caller) => Level::Direct,
            Some(_) => Level::None,
        }
    }
}
