//! Actions and resources that do not go together, and resources that are open to more than they say.

use super::arn::arns;
use super::catalogue::fits_action;
use super::glob;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::catalog::catalog;
use crate::policy::{Effect, PolicyKind};

pub(super) const UNITS: &[Unit] = &[
    unit!(
        "resource-of-no-action",
        Warning,
        "A resource that no action of the statement can act on",
        of_no_action
    ),
    unit!(
        "action-without-resource",
        Warning,
        "An action that none of the listed resources can serve",
        without_resource
    ),
    unit!("action-needs-star", Warning, "An action without resources beside a resource", needs_star),
    unit!(
        "allow-not-resource",
        Warning,
        "Allow with NotResource allows on whatever is made later",
        not_resource
    ),
    unit!("resource-not-of-policy", Error, "A resource that this policy cannot be attached to", foreign),
];

/// Actions and resources are compared in pairs; a policy within the quotas has fewer of them.
const MAX_PAIRS: usize = 20_000;

/// Cases where resources are named and decide.
fn decided<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = &'s Case<'p>> {
    let on = !matches!(subject.kind, PolicyKind::Trust | PolicyKind::KmsKey);
    subject
        .cases
        .iter()
        .filter(move |case| on && !case.listed_resources().is_empty() && !case.statement.action.negated)
}

fn is_star(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

fn of_no_action(subject: &Subject<'_>, out: &mut Out) {
    for case in decided(subject) {
        let actions = case.listed_actions();
        let open = |text: &str| text.split(':').next().is_none_or(glob::is_wild);
        let pairs = actions.len().saturating_mul(case.listed_resources().len());
        if pairs > MAX_PAIRS || actions.is_empty() || actions.iter().any(|item| open(&item.text)) {
            continue;
        }
        let known = actions
            .iter()
            .all(|item| item.text.contains(':') && catalog().actions_matching(&item.text).next().is_some());
        if !known {
            continue;
        }
        for item in case.listed_resources().iter().filter(|item| !is_star(&item.text)) {
            let mut all = actions.iter().flat_map(|action| catalog().actions_matching(&action.text));
            if item.text.starts_with("arn:") && !all.any(|action| fits_action(&item.text, &action)) {
                let message = format!("no action of the statement acts on `{}`", item.text);
                out.say(case, item.span, message, "add the actions that do, or remove the resource");
            }
        }
    }
}

fn without_resource(subject: &Subject<'_>, out: &mut Out) {
    for case in decided(subject) {
        if case.listed_resources().iter().any(|item| is_star(&item.text) || !item.text.starts_with("arn:")) {
            continue;
        }
        if case.listed_actions().len().saturating_mul(case.listed_resources().len()) > MAX_PAIRS {
            continue;
        }
        for (item, action) in case.exact_actions().filter(|(_, action)| !action.is_wildcard_only()) {
            if !case.listed_resources().iter().any(|resource| fits_action(&resource.text, &action)) {
                let wanted: Vec<&str> =
                    action.resource_types().map(|used| used.resource_type().arn()).collect();
                let message = format!("`{}` acts on none of the listed resources", item.text);
                let help = format!("it acts on `{}`", wanted.first().unwrap_or(&"*"));
                out.say(case, item.span, message, &help);
            }
        }
    }
}

fn needs_star(subject: &Subject<'_>, out: &mut Out) {
    for case in decided(subject) {
        if case.listed_resources().iter().any(|item| is_star(&item.text)) {
            continue;
        }
        for (item, _) in case.exact_actions().filter(|(_, action)| action.is_wildcard_only()) {
            let effect = match case.statement.effect {
                Effect::Allow => "allowed",
                Effect::Deny => "denied",
            };
            let message = format!("`{}` knows no resources, so it is not {effect} here", item.text);
            out.say(case, item.span, message, "put it into a statement with `\"Resource\": \"*\"`");
        }
    }
}

fn not_resource(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.allows() {
        if let Some(element) = case.statement.resource.as_ref().filter(|element| element.negated) {
            let message =
                "everything but the listed resources is open, whatever is made later too".to_owned();
            out.say(case, element.span, message, "list the resources with `Resource`");
        }
    }
}

/// A policy of a resource is about that resource: all its ARNs name one service, a key policy KMS.
fn foreign(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey) {
        return;
    }
    let mut owner = (subject.kind == PolicyKind::KmsKey).then(|| "kms".to_owned());
    for (case, item, fields) in arns(subject) {
        let Some(service) = fields.get(2).filter(|service| !glob::is_wild(service) && fields[0] == "arn")
        else {
            continue;
        };
        match &owner {
            None => owner = Some((*service).to_owned()),
            Some(owner) if owner != service => {
                let message = format!("`{}` is not what this policy is attached to", item.text);
                let help = format!("a policy of `{owner}` decides about resources of `{owner}` only");
                out.say(case, item.span, message, &help);
            }
            Some(_) => {}
        }
    }
}
