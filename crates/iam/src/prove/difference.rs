//! Is there a request that one policy lets through and another does not.

use super::Proof;
use super::ask::{HOME, Question};
use super::callers::{Sample, representatives};
use super::joint::{Setting, every, joined, legacy, outside_fragment};
use super::problem::{Caller, Formula, Pieces};
use super::witness::Frame;
use crate::eval::{Layers, Level, Program};
use crate::policy::{Effect, Policy, PolicyKind};
use crate::request::{Principal, Request};

/// Whether a policy by itself lets a request through: some statement allows it and none denies it. A resource policy
/// does so at any closeness.
pub(super) fn lets_through(program: &Program, request: &Request) -> bool {
    let (mut allow, mut deny) = (false, false);
    for statement in &program.statements {
        if statement.level(request.principal(), false) > Level::None && statement.matches(request) {
            match statement.effect {
                Effect::Allow => allow = true,
                Effect::Deny => deny = true,
            }
        }
    }
    allow && !deny
}

/// The formula of [`lets_through`].
pub(super) fn through(pieces: &mut Pieces, program: &Program, principal: &Principal) -> Formula {
    let programs = std::slice::from_ref(program);
    let caller = Caller::any(principal);
    let allow = pieces.some(programs, Effect::Allow, &caller);
    let deny = pieces.some(programs, Effect::Deny, &caller);
    Formula::All(vec![allow, deny.not()])
}

/// Callers for questions about single policies. Their context keys are free.
fn frames(programs: &[&Program]) -> Vec<Frame> {
    let frame = |sample: Sample| Frame::own(Sample { of_many: false, ..sample });
    if programs.iter().all(|program| !program.kind().has_principals()) {
        return vec![Frame { by_itself: true, ..frame(Sample::somebody("aws", HOME)) }];
    }
    representatives(programs).into_iter().map(frame).collect()
}

/// What a policy is, if nobody says: one of a resource if a statement names a principal.
pub(super) fn kind(policies: &[&Policy]) -> PolicyKind {
    let names = policies.iter().any(|policy| policy.statements.iter().any(|s| s.principal.is_some()));
    if names { PolicyKind::Resource } else { PolicyKind::Identity }
}

/// A request that `a` lets through and `b` does not, each policy taken by itself and any context key taken to have any
/// value or none.
#[must_use]
pub fn difference(a: &Policy, b: &Policy) -> Proof {
    let kind = kind(&[a, b]);
    let (a, b) = (Program::new(a.clone(), kind), Program::new(b.clone(), kind));
    if let Some(cause) = legacy(&[&a, &b]) {
        return Proof::Unknown(cause);
    }
    let question = Question {
        programs: &[&a, &b],
        formula: &|pieces, frame| {
            let yes = through(pieces, &a, frame.principal());
            let no = through(pieces, &b, frame.principal()).not();
            Formula::All(vec![yes, no])
        },
        confirm: &|request| lets_through(&a, request) && !lets_through(&b, request),
    };
    question.ask(frames(&[&a, &b]))
}

/// A request that the new policy lets through and the old one did not.
#[must_use]
pub fn no_new_access(old: &Policy, new: &Policy) -> Proof {
    difference(new, old)
}

/// The same within the other layers, which stay as they are: what these refuse is no new access. Policies with principals
/// take the place of the resource's and are of this kind; others join those of the caller.
#[must_use]
pub fn no_new_access_within(old: &Policy, new: &Policy, resource: PolicyKind, layers: &Layers) -> Proof {
    let kind = kind(&[old, new]);
    let with = |policy: &Policy| {
        let mut layers = layers.clone();
        match kind {
            PolicyKind::Identity => layers.identity.push(Program::new(policy.clone(), kind)),
            _ => layers.resource = Some(Program::new(policy.clone(), resource)),
        }
        layers
    };
    let (old, new) = (with(old), with(new));
    if let Some(cause) = outside_fragment(&old).or_else(|| outside_fragment(&new)) {
        return Proof::Unknown(cause);
    }
    let (before, after) = (Setting::of(&old), Setting::of(&new));
    let all: Vec<&Program> = every(&old).into_iter().chain(every(&new)).collect();
    let question = Question {
        programs: &all,
        formula: &|pieces, frame| {
            let yes = joined(pieces, &after, frame);
            let no = joined(pieces, &before, frame).not();
            Formula::All(vec![yes, no])
        },
        confirm: &|request| after.allows(request) && !before.allows(request),
    };
    let resources: Vec<&Program> = old.resource.iter().chain(&new.resource).collect();
    question.ask(frames(&resources))
}
