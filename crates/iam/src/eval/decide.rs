//! The decision: one layer after the other, then the algebra that joins them. IAM User Guide, "Policy evaluation logic".

use super::layers::{Entry, Layer, Layers, Listing, OrganizationLevel, Program};
use super::principal::Level;
use crate::request::{AwsSort, Principal, Request};
use crate::value::same;
use crate::{kms, reserved, s3};
use serde::Serialize;

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Outcome {
    /// It is done.
    Allowed,
    /// A statement forbids it.
    ExplicitlyDenied,
    /// Nothing allows it.
    ImplicitlyDenied,
}

/// An answer, with the layers without which it would be another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    blocked: u8,
}

impl Decision {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, blocked: 0 }
    }

    /// The layers that keep out what identity, resource and session policies would let through.
    pub fn blocked_by(self) -> impl Iterator<Item = Layer> {
        Layer::ALL.into_iter().filter(move |layer| self.blocked & (1 << *layer as u8) != 0)
    }
}

/// What the policies of a layer say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Says {
    pub(crate) allow: bool,
    pub(crate) deny: bool,
}

/// What all layers say, before they are joined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sayings {
    pub(crate) identity: Says,
    pub(crate) resource: Level,
    /// Whether the resource policy allows the caller's account, beside what it may allow more closely.
    pub(crate) delegates: bool,
    pub(crate) resource_deny: bool,
    pub(crate) boundary: Says,
    pub(crate) session: Says,
    pub(crate) endpoint: Says,
    pub(crate) scp: Says,
    pub(crate) rcp: Says,
}

impl Sayings {
    /// Whether nothing denies, and no bound keeps anything out.
    #[inline]
    fn are_open(&self) -> bool {
        let bounds = [self.scp, self.rcp, self.endpoint, self.boundary];
        let denied = self.resource_deny | self.identity.deny | self.session.deny;
        !denied & bounds.iter().all(|says| says.allow & !says.deny)
    }
}

/// Decides a request. Allocates nothing.
#[must_use]
pub fn decide(layers: &Layers, request: &Request) -> Decision {
    if reserved::always_allowed(request) {
        return Decision::of(Outcome::Allowed);
    }
    join(layers, request, &listen(layers, request))
}

/// What the policies of a list say, taken together.
#[inline(never)]
fn united(programs: &[Program], request: &Request, bounded: bool) -> Says {
    let mut says = Says::default();
    for program in programs {
        // One is enough.
        says.allow = says.allow || any(program, &program.allows, request, bounded);
        says.deny = says.deny || any(program, &program.denies, request, bounded);
    }
    says
}

/// Whether one of the listed statements matches.
#[inline(always)]
fn any(program: &Program, listing: &Listing, request: &Request, bounded: bool) -> bool {
    listing.about(request).any(|entry| heard(program, entry, request, bounded) > Level::None)
}

/// How closely a statement means the caller, if it is about the request.
#[inline(never)]
fn heard(program: &Program, entry: &Entry, request: &Request, bounded: bool) -> Level {
    let Some(statement) = program.statement(entry).filter(|statement| !statement.dead) else {
        return Level::None;
    };
    if !(entry.any_action || statement.action.matches(request)) {
        return Level::None;
    }
    let level = if entry.any_caller { Level::Direct } else { statement.level(request.principal(), bounded) };
    let matches =
        level > Level::None && (entry.any_resource || statement.is_on(request)) && statement.holds(request);
    if matches { level } else { Level::None }
}

/// Every level must allow; one that denies is enough to deny.
fn organization(levels: &[OrganizationLevel], request: &Request) -> Says {
    levels.iter().fold(Says { allow: true, deny: false }, |says, level| {
        let here = united(&level.policies, request, false);
        Says { allow: says.allow && here.allow, deny: says.deny || here.deny }
    })
}

pub(crate) const OPEN: Says = Says { allow: true, deny: false };

/// No policy is no bound.
fn bound(programs: &[Program], request: &Request, bounded: bool) -> Says {
    if programs.is_empty() { OPEN } else { united(programs, request, bounded) }
}

/// Asks every layer.
#[inline(always)]
pub(crate) fn listen(layers: &Layers, request: &Request) -> Sayings {
    let caller = request.principal();
    let bounded = matches!(caller, Principal::Aws(_)) && !layers.boundaries.is_empty();
    let (mut resource, mut delegates, mut resource_deny) = (Level::None, false, false);
    if let Some(program) = &layers.resource {
        for entry in program.allows.about(request) {
            let level = heard(program, entry, request, bounded);
            resource = resource.max(level);
            delegates |= level == Level::Account;
        }
        resource_deny = any(program, &program.denies, request, bounded);
    }
    // Who belongs to no account has no policies of his own, whatever is given here.
    let (mut identity, mut boundary, mut session) = (Says::default(), OPEN, OPEN);
    if let Principal::Aws(aws) = caller {
        identity = united(&layers.identity, request, bounded);
        boundary = bound(&layers.boundaries, request, bounded);
        session = bound(&layers.session, request, bounded);
        match aws.sort {
            AwsSort::Root => identity.allow = true,
            AwsSort::FederatedUser { .. } if layers.session.is_empty() => identity.allow = false,
            _ => {}
        }
    }
    let rcp =
        !layers.rcp.is_empty() && reserved::rcp_applies(request) && organization(&layers.rcp, request).deny;
    Sayings {
        identity,
        resource,
        delegates,
        resource_deny,
        boundary,
        session,
        endpoint: bound(&layers.endpoint, request, bounded),
        scp: if reserved::scp_applies(caller) { organization(&layers.scp, request) } else { OPEN },
        rcp: Says { allow: true, deny: rcp },
    }
}

/// Joins what the layers say.
#[inline(always)]
pub(crate) fn join(layers: &Layers, request: &Request, says: &Sayings) -> Decision {
    if says.are_open() {
        return unblocked(layers, request, core(layers, request, says, OPEN));
    }
    join_bounded(layers, request, says)
}

/// The answer if a layer may keep out what others let through, and which layers do.
#[inline(never)]
fn join_bounded(layers: &Layers, request: &Request, says: &Sayings) -> Decision {
    let mut blocked = Blocked::default();
    let core = core(layers, request, says, OPEN);
    let allowed = core && (says.boundary.allow || self::core(layers, request, says, says.boundary));
    blocked.add(Layer::Scp, core, says.scp);
    blocked.add(Layer::Rcp, core, says.rcp);
    blocked.add(Layer::Endpoint, core, says.endpoint);
    blocked.add(Layer::Resource, core, Says { allow: true, deny: says.resource_deny });
    blocked.add(Layer::Identity, core, Says { allow: true, deny: says.identity.deny });
    blocked.add(Layer::Boundary, core, Says { allow: !core || allowed, deny: says.boundary.deny });
    let denied = blocked.denied || says.session.deny;
    if denied {
        return Decision { outcome: Outcome::ExplicitlyDenied, blocked: blocked.layers };
    }
    if !allowed || blocked.kept_out {
        return Decision { outcome: Outcome::ImplicitlyDenied, blocked: blocked.layers };
    }
    unblocked(layers, request, allowed)
}

/// The answer if no layer denies, and none keeps out what others would let through.
#[inline(always)]
fn unblocked(layers: &Layers, request: &Request, allowed: bool) -> Decision {
    if !allowed || reserved::refused(request) {
        return Decision::of(Outcome::ImplicitlyDenied);
    }
    if s3::restricts(layers, request) {
        let blocked = 1 << Layer::BlockPublicAccess as u8;
        return Decision { outcome: Outcome::ExplicitlyDenied, blocked };
    }
    Decision::of(Outcome::Allowed)
}

#[derive(Default)]
struct Blocked {
    layers: u8,
    denied: bool,
    kept_out: bool,
}

impl Blocked {
    #[inline]
    fn add(&mut self, layer: Layer, core: bool, says: Says) {
        self.denied |= says.deny;
        self.kept_out |= !says.allow;
        if core && (says.deny || !says.allow) {
            self.layers |= 1 << layer as u8;
        }
    }
}

/// Whether identity, resource, boundary and session policies, grants and access control lists let it through.
#[inline(always)]
fn core(layers: &Layers, request: &Request, says: &Sayings, boundary: Says) -> bool {
    let caller = request.principal();
    let listed = s3::list_allows(layers, request);
    let Principal::Aws(aws) = caller else {
        let direct = says.resource == Level::Direct && !says.resource_deny;
        return direct || listed || kms::granted(&layers.grants, request);
    };
    // What a policy also denies it does not let through; that only matters for the layers that are named as blocking.
    let bounded = boundary.allow && says.session.allow && !says.session.deny;
    let identity = says.identity.allow && !says.identity.deny && bounded;
    let resource = if says.resource_deny { Level::None } else { says.resource };
    let own = request.resource_account().is_some_and(|account| same(account, &aws.account));
    let granted = bounded && kms::granted(&layers.grants, request);
    if !own {
        return identity && (resource > Level::None || granted || listed);
    }
    let close = resource == Level::Direct || (resource == Level::Role || listed) && bounded;
    close || granted || identity && (says.delegates || !reserved::needs_delegation(request))
}
