//! Actions that do not exist, and those that are allowed without thought.

use super::catalogue::{did_you_mean, nearest};
use super::glob;
use super::structure::is_unconditional;
use super::subject::{Case, Out, Subject, some};
use super::unit::{Unit, unit};
use crate::catalog::{AccessLevel, catalog};
use crate::policy::PolicyKind;
use crate::text::Spanned;

pub(super) const UNITS: &[Unit] = &[
    unit!("action-unknown", Error, "An action that its service does not have", unknown),
    unit!("action-service-unknown", Error, "An action of a service that does not exist", unknown_service),
    unit!("action-pattern-empty", Warning, "A pattern of actions that fits none", empty_pattern),
    unit!("action-service-wildcard", Suggestion, "A wildcard in the service of an action", wild_service),
    unit!("action-not-of-policy", Error, "An action that this policy type is never asked about", foreign),
    unit!("allow-not-action", Warning, "Allow with NotAction allows whatever AWS adds", allow_not_action),
    unit!("allow-everything", SecurityWarning, "Every action on every resource is allowed", everything),
    unit!(
        "allow-whole-service",
        Warning,
        "Every action of a service is allowed on every resource",
        whole_service
    ),
    unit!(
        "allow-permissions-management",
        SecurityWarning,
        "A pattern of actions lets permissions be changed on every resource",
        permissions
    ),
];

/// Patterns over all services are looked up in the whole catalogue; a policy within the quotas has fewer of them.
const MAX_SCANS: usize = 100;

/// Service and name of an action, unless it is `*`.
fn split(item: &Spanned) -> Option<(&str, &str)> {
    item.text.split_once(':')
}

fn unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, item) in items(subject).filter(|(_, item)| !glob::is_wild(&item.text)) {
        let Some((prefix, name)) = split(item) else { continue };
        let Some(service) = catalog().service(prefix) else { continue };
        if service.action(name).is_none() {
            let near = nearest(name, service.actions().map(|action| action.name()));
            let help = did_you_mean(
                &near,
                &format!("{}:", service.prefix()),
                "see the actions of the service in the Service Authorization Reference",
            );
            let message = format!("`{}` is no action of {}", item.text, service.name());
            out.say(case, item.span, message, &help);
        }
    }
}

fn items<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned)> {
    subject.cases.iter().flat_map(|case| case.statement.action.items.iter().map(move |item| (case, item)))
}

fn unknown_service(subject: &Subject<'_>, out: &mut Out) {
    for (case, item) in items(subject) {
        let Some((prefix, _)) = split(item) else { continue };
        if !glob::is_wild(prefix) && catalog().service(prefix).is_none() {
            let near = nearest(prefix, catalog().services().map(|service| service.prefix()));
            let help = did_you_mean(
                &near,
                "",
                "an action begins with the prefix of its service, for instance `s3:`",
            );
            out.say(case, item.span, format!("there is no service `{prefix}`"), &help);
        }
    }
}

fn empty_pattern(subject: &Subject<'_>, out: &mut Out) {
    let mut scans = 0;
    for (case, item) in items(subject).filter(|(_, item)| glob::is_wild(&item.text)) {
        scans += usize::from(split(item).is_none_or(|(prefix, _)| glob::is_wild(prefix)));
        if scans > MAX_SCANS {
            return;
        }
        let known = split(item)
            .is_none_or(|(prefix, _)| glob::is_wild(prefix) || catalog().service(prefix).is_some());
        if known && catalog().actions_matching(&item.text).next().is_none() {
            let literal = item.text.split(['*', '?']).next().unwrap_or_default();
            let near = match literal
                .split_once(':')
                .and_then(|(prefix, name)| Some((catalog().service(prefix)?, name)))
            {
                Some((service, name)) => {
                    let starts = service
                        .actions()
                        .map(|action| action.name())
                        .filter_map(|n| n.get(..name.len().min(n.len())));
                    let mut near = nearest(name, starts);
                    near.dedup();
                    near
                }
                None => Vec::new(),
            };
            let prefix = literal.split_once(':').map_or_else(String::new, |(prefix, _)| format!("{prefix}:"));
            let help = did_you_mean(&near, &prefix, "remove it, or correct its spelling");
            out.say(case, item.span, format!("no action of AWS fits `{}`", item.text), &help);
        }
    }
}

fn wild_service(subject: &Subject<'_>, out: &mut Out) {
    for (case, item) in items(subject) {
        if let Some((prefix, _)) = split(item).filter(|(prefix, _)| glob::is_wild(prefix)) {
            let message = format!("the service `{prefix}` is a pattern and fits services that come later");
            out.say(case, item.span, message, "name each service");
        }
    }
}

/// Key policies are asked about KMS, trust policies about STS, a bucket policy about S3.
fn foreign(subject: &Subject<'_>, out: &mut Out) {
    for (case, item) in items(subject) {
        let Some((prefix, _)) = split(item).filter(|(prefix, _)| !glob::is_wild(prefix)) else { continue };
        let owner = match subject.kind {
            PolicyKind::KmsKey => Some("kms".to_owned()),
            PolicyKind::Trust => Some("sts".to_owned()),
            PolicyKind::Resource => resource_service(case),
            _ => None,
        };
        let Some(owner) = owner.filter(|owner| !owner.eq_ignore_ascii_case(prefix)) else { continue };
        if catalog().service(prefix).is_none()
            || subject.kind == PolicyKind::Resource && catalog().service(&owner).is_none()
        {
            continue;
        }
        let message = format!("`{}` is not an action on what this policy is attached to", item.text);
        let help = format!("a policy here decides about actions of `{owner}` only");
        out.say(case, item.span, message, &help);
    }
}

/// The one service that all resources of a statement are of.
fn resource_service(case: &Case<'_>) -> Option<String> {
    let mut services = case.listed_resources().iter().map(|item| item.text.split(':').nth(2));
    let first = services.next()??;
    (!glob::is_wild(first) && services.all(|service| service == Some(first))).then(|| first.to_owned())
}

fn allow_not_action(subject: &Subject<'_>, out: &mut Out) {
    if matches!(subject.kind, PolicyKind::Scp | PolicyKind::Boundary) {
        return;
    }
    for case in subject.allows().filter(|case| case.statement.action.negated) {
        let message = "everything but the listed actions is allowed, in every service".to_owned();
        out.say(case, case.statement.action.span, message, "list what is allowed, or deny what is not");
    }
}

fn is_limit(kind: PolicyKind) -> bool {
    matches!(
        kind,
        PolicyKind::Scp | PolicyKind::Rcp | PolicyKind::Boundary | PolicyKind::Session | PolicyKind::Endpoint
    )
}

fn everything(subject: &Subject<'_>, out: &mut Out) {
    if subject.kind != PolicyKind::Identity {
        return;
    }
    for case in subject.allows().filter(|case| is_unconditional(case)) {
        let star = |text: &str| text == "*" || text == "*:*";
        let item = case.listed_actions().iter().find(|item| star(&item.text));
        let all = case.listed_resources().iter().any(|item| item.text == "*");
        if let Some(item) = item.filter(|_| all) {
            let message = "whoever has this policy may do everything".to_owned();
            out.say(case, item.span, message, "list the actions and the resources that are needed");
        }
    }
}

/// Whether looking up a pattern is cheap: within one service, or in a policy that could be stored.
fn is_affordable(subject: &Subject<'_>, case: &Case<'_>, item: &Spanned) -> bool {
    let few = subject.cases.len().saturating_mul(case.listed_actions().len()) <= MAX_SCANS;
    few || split(item).is_some_and(|(prefix, _)| !glob::is_wild(prefix))
}

fn whole_service(subject: &Subject<'_>, out: &mut Out) {
    if subject.kind != PolicyKind::Identity {
        return;
    }
    for case in subject
        .allows()
        .filter(|case| is_unconditional(case) && case.listed_resources().iter().any(|r| r.text == "*"))
    {
        for item in case
            .listed_actions()
            .iter()
            .filter(|item| item.text.ends_with(":*") && is_affordable(subject, case, item))
        {
            let writes = catalog()
                .actions_matching(&item.text)
                .filter(|a| a.access_level() >= AccessLevel::Write)
                .count();
            if writes > 0 && item.text != "*:*" {
                let message = format!(
                    "`{}` on every resource contains {writes} actions that change something",
                    item.text
                );
                out.say(case, item.span, message, "list the actions that are needed, and the resources");
            }
        }
    }
}

fn permissions(subject: &Subject<'_>, out: &mut Out) {
    if is_limit(subject.kind) || subject.kind.has_principals() {
        return;
    }
    for case in subject.allows().filter(|case| is_unconditional(case) && case.is_open()) {
        for item in case.listed_actions().iter().filter(|item| {
            glob::is_wild(&item.text) && item.text.contains(':') && is_affordable(subject, case, item)
        }) {
            let grave: Vec<String> = catalog()
                .actions_matching(&item.text)
                .filter(|action| action.access_level() == AccessLevel::PermissionsManagement)
                .map(|action| action.to_string())
                .collect();
            if !grave.is_empty() {
                let names = some(grave.iter().map(String::as_str));
                let message = format!("`{}` contains {names}, which change who has access", item.text);
                out.say(case, item.span, message, "list the actions without these");
            }
        }
    }
}
