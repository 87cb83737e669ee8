//! Are certain actions granted to anybody but some.

use super::Proof;
use super::ask::{HOME, Question, element};
use super::axioms::axioms;
use super::caller_keys::caller_keys;
use super::callers::{Sample, all_representatives, named};
use super::conditions::Asked;
use super::joint::{Setting, every, joined, outside_fragment};
use super::problem::{Formula, Piece, Pieces};
use super::witness::Frame;
use crate::eval::{ActionTest, Layers, Level, ResourceTest, WhoTest};
use crate::policy::{PolicyKind, Version};
use crate::request::{AwsSort, Principal};

/// What must not be granted.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Actions, with wildcards; none means any.
    pub actions: Vec<String>,
    /// ARNs, with wildcards; none means any.
    pub resources: Vec<String>,
    /// Principals who may; everybody else may not.
    pub except: Vec<String>,
}

/// A request of those that must not be granted which the layers let through, all of them taken together. `account` is
/// that of the resource; without it callers are tried as of the resource's account and as of another one.
#[must_use]
pub fn access_not_granted(layers: &Layers, grants: &Grants, account: Option<&str>) -> Proof {
    if let Some(cause) = outside_fragment(layers) {
        return Proof::Unknown(cause);
    }
    let programs = every(layers);
    let asked = Asked::by(&programs);
    let spared: Vec<Principal> = grants.except.iter().map(|name| Principal::parse(name)).collect();
    let others = named(&programs, &spared);
    let (samples, left_out) = samples(layers, &asked, grants, account);
    let frames = samples
        .into_iter()
        .filter(|sample| !spared.iter().any(|other| excepts(other, &sample.principal)))
        .flat_map(|sample| settings(sample, account));
    let setting = Setting::of(layers);
    let question = Question {
        programs: &programs,
        formula: &|pieces, frame| {
            let mut all = vec![joined(pieces, &setting, frame)];
            all.extend(wanted(pieces, grants));
            all.extend(caller_keys(pieces, &asked, &frame.sample, &others));
            all.extend(axioms(pieces, &asked, frame.sample.signs()));
            Formula::All(all)
        },
        confirm: &|request| {
            setting.allows(request) && !spared.iter().any(|other| excepts(other, request.principal()))
        },
    };
    match question.ask(frames) {
        Proof::Proved if left_out => Proof::Unknown("a condition lists a pattern of accounts"),
        proof => proof,
    }
}

/// The callers that the policies tell apart. Without a policy of the resource these are the accounts' own people.
fn samples(layers: &Layers, asked: &Asked, grants: &Grants, account: Option<&str>) -> (Vec<Sample>, bool) {
    let own = Sample::somebody("aws", account.unwrap_or(HOME));
    let (mut all, left_out) = all_representatives(&every(layers), asked, &grants.except);
    if layers.resource.is_none() {
        all.retain(|sample| sample.of_many && matches!(sample.principal, Principal::Aws(_)));
        if account.is_some() {
            return (vec![own], false);
        }
        all.retain(|sample| *sample != own);
        all.insert(0, own);
    } else if !all.contains(&own) {
        all.push(own);
    }
    (all, left_out)
}

/// The accounts that the resource is taken to be in.
fn settings(sample: Sample, account: Option<&str>) -> Vec<Frame> {
    let own = Frame::own(sample);
    let away = |account: &str| Frame { account: account.into(), ..own.clone() };
    match account {
        Some(account) => vec![away(account)],
        None if &*own.account == HOME => vec![own],
        None => vec![away(HOME), own],
    }
}

/// Whether a principal that may is this one, or that of which it is a session, or its whole account.
fn excepts(allowed: &Principal, caller: &Principal) -> bool {
    match allowed {
        Principal::Aws(aws) if matches!(aws.sort, AwsSort::Root) => caller.account() == Some(aws.account()),
        Principal::Aws(aws) => WhoTest::Aws(aws.clone()).level(caller) > Level::None,
        other => other == caller,
    }
}

/// What is asked about: one of these actions, on one of these resources.
fn wanted(pieces: &mut Pieces, grants: &Grants) -> Vec<Formula> {
    let mut all = Vec::new();
    if !grants.actions.is_empty() {
        all.push(pieces.piece(Piece::Action(ActionTest::new(&element(&grants.actions)))));
    }
    if !grants.resources.is_empty() {
        let test = ResourceTest::new(&element(&grants.resources), Version::V2008, PolicyKind::Resource);
        all.push(pieces.piece(Piece::Resource(test)));
    }
    all
}
