//! On what it depends whether somebody may: the ways that a permission can take, each with what must still hold, and
//! the exceptions that would deny it.

use super::Resource;
use super::answer::{Group, Term, Way};
use super::hear::{About, Candidate, Prepared, layers};
use super::truth::{self, Truth};
use crate::eval::{Layer, Level};
use crate::explain::{Path, condition_sentence};
use crate::kms;
use crate::policy::{Effect, Statement};
use crate::request::{AwsSort, Principal, Request};
use crate::{reserved, s3};

/// The ways that could do for the caller, the most ordinary first.
fn paths(request: &Request) -> Vec<Path> {
    let Principal::Aws(aws) = request.principal() else {
        return vec![Path::ResourceDirect, Path::AccessControlList];
    };
    if request.resource_account() != Some(aws.account()) {
        return vec![Path::IdentityAndResource, Path::IdentityAndGrant, Path::IdentityAndAccessControlList];
    }
    let own = match (reserved::needs_delegation(request), &aws.sort) {
        (true, _) => Path::IdentityByDelegation,
        (false, AwsSort::Root) => Path::RootUser,
        (false, _) => Path::Identity,
    };
    vec![own, Path::ResourceDirect, Path::ResourceRole, Path::Grant, Path::AccessControlList]
}

/// Every way that is open, with what must still hold on it. The way that asks for least is enough.
pub(super) fn ways(prepared: &Prepared<'_>, resource: &Resource, about: &About) -> Vec<Way> {
    let paths = paths(&prepared.request).into_iter();
    let mut ways: Vec<Way> = paths.filter_map(|path| way(prepared, (resource, about), path)).collect();
    if let Some(at) = ways.iter().position(|way| way.needs.is_empty()) {
        ways.swap(0, at);
        ways.truncate(1);
    }
    ways
}

/// One way; `None` if something on it is closed.
fn way(prepared: &Prepared<'_>, (resource, about): (&Resource, &About), path: Path) -> Option<Way> {
    let mut needs = Vec::new();
    for (layer, organization, side) in layers(prepared, resource) {
        let assumed = layer == Layer::Identity && prepared.assumed;
        if layer == Layer::Rcp || assumed || !path.needs(layer, Level::Direct) {
            continue;
        }
        match prepared.say(side).allow {
            Truth::No => return None,
            Truth::Yes => {}
            Truth::Maybe => {
                let open = side.allow.iter().filter(|one| prepared.matches(one) == Truth::Maybe);
                let any_of = open.map(|one| term(prepared, (layer, organization), one)).collect();
                needs.push(Group { layer, any_of });
            }
        }
    }
    match path {
        Path::Grant | Path::IdentityAndGrant => {
            let (sure, free) = (&resource.layers.grants, &prepared.freest(resource).grants);
            let request = &prepared.request;
            if !kms::granted(free, request) {
                return None;
            }
            if !kms::granted(sure, request) {
                needs.push(Group { layer: Layer::Resource, any_of: vec![grant_term()] });
            }
        }
        Path::AccessControlList | Path::IdentityAndAccessControlList
            if !s3::list_allows(&resource.layers, &prepared.request) =>
        {
            return None;
        }
        _ => resource_group(prepared, (resource, about), path, &mut needs)?,
    }
    Some(Way { path, needs })
}

fn grant_term() -> Term {
    Term {
        layer: Layer::Resource,
        organization: None,
        policy: "grant".to_owned(),
        statement: 0,
        sid: None,
        conditions: vec!["the encryption context meets the constraints of the grant".to_owned()],
    }
}

/// What must still hold of the resource policy on this way; `None` if it cannot.
fn resource_group(
    prepared: &Prepared<'_>,
    (resource, about): (&Resource, &About),
    path: Path,
    needs: &mut Vec<Group>,
) -> Option<()> {
    let any = [Level::Account, Level::Role, Level::Direct].into_iter();
    if !any.clone().any(|level| path.needs(Layer::Resource, level)) {
        return Some(());
    }
    let statements = prepared.resource_statements(resource, about).filter(|(_, compiled, level, _)| {
        compiled.effect == Effect::Allow && path.needs(Layer::Resource, *level)
    });
    let open: Vec<_> = statements.collect();
    if open.iter().any(|(.., holds)| *holds == Truth::Yes) {
        return Some(());
    }
    let terms = open.iter().filter_map(|(at, ..)| resource_term(prepared, resource, *at));
    let any_of: Vec<Term> = terms.collect();
    if any_of.is_empty() {
        return None;
    }
    needs.push(Group { layer: Layer::Resource, any_of });
    Some(())
}

/// What would deny it, if it held.
pub(super) fn unless(prepared: &Prepared<'_>, resource: &Resource, about: &About) -> Vec<Term> {
    let mut terms = Vec::new();
    for (layer, organization, side) in layers(prepared, resource) {
        let open = side.deny.iter().filter(|one| prepared.matches(one) == Truth::Maybe);
        terms.extend(open.map(|one| term(prepared, (layer, organization), one)));
    }
    let denies = prepared.resource_statements(resource, about);
    let denies = denies.filter(|(_, compiled, ..)| compiled.effect == Effect::Deny);
    terms.extend(denies.filter_map(|(at, ..)| resource_term(prepared, resource, at)));
    terms
}

fn term(
    prepared: &Prepared<'_>,
    (layer, organization): (Layer, Option<&str>),
    candidate: &Candidate<'_>,
) -> Term {
    let Candidate { policy, statement, compiled, source, .. } = *candidate;
    Term {
        layer,
        organization: organization.map(str::to_owned),
        policy: policy.name.to_string(),
        statement,
        sid: source.sid.as_ref().map(|sid| sid.text.clone()),
        conditions: open(prepared, compiled, source),
    }
}

fn resource_term(prepared: &Prepared<'_>, resource: &Resource, at: usize) -> Option<Term> {
    let program = resource.layers.resource.as_ref()?;
    let (compiled, source) = (program.statements.get(at)?, program.source().statements.get(at)?);
    Some(Term {
        layer: Layer::Resource,
        organization: None,
        policy: resource.arn.to_string(),
        statement: at,
        sid: source.sid.as_ref().map(|sid| sid.text.clone()),
        conditions: open(prepared, compiled, source),
    })
}

/// What of a statement is open, in words.
fn open(prepared: &Prepared<'_>, compiled: &crate::eval::Compiled, source: &Statement) -> Vec<String> {
    let context = prepared.request.context();
    let conditions = truth::open_conditions((compiled, source), &prepared.known, context);
    let mut all: Vec<String> = conditions.map(condition_sentence).collect();
    let about = truth::resource(compiled.resource.as_ref(), &prepared.known, &prepared.request);
    if let (Truth::Maybe, Some(element), Some(test)) = (about, &source.resource, &compiled.resource) {
        let pairs = test.patterns.iter().zip(&element.items);
        let open = pairs
            .filter(|(pattern, _)| truth::fits(pattern, &prepared.known, &prepared.request) == Truth::Maybe);
        let listed: Vec<String> = open.map(|(_, item)| format!("`{}`", item.text)).collect();
        let not = if element.negated { "not " } else { "" };
        all.push(format!("the resource is {not}{}", listed.join(" or ")));
    }
    all
}
