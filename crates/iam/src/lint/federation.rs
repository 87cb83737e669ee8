//! Trust policies: who may become a role, by federation above all.

use super::glob;
use super::principals::{is_bare_star, listed};
use super::subject::{Case, Out, Subject, some};
use super::unit::{Unit, unit};
use crate::policy::{PolicyKind, Quantifier, WhoSort};
use crate::text::Spanned;
use crate::value::split_arn;

pub(super) const UNITS: &[Unit] = &[
    unit!("trust-not-principal", Error, "NotPrincipal in a trust policy", not_principal),
    unit!("trust-bare-star", Error, "A trust policy for `*`", bare_star),
    unit!("trust-resource", Error, "Resource in a trust policy", resource),
    unit!("trust-redundant-session", Suggestion, "A session beside its own role", redundant),
    unit!(
        "trust-action-of-other-provider",
        Error,
        "A way to assume the role that its provider cannot go",
        mismatched
    ),
    unit!("trust-roles-anywhere", Error, "Roles Anywhere without the actions that it needs", roles_anywhere),
    unit!(
        "trust-key-without-action",
        Error,
        "A condition on what another action of STS sets",
        missing_action
    ),
    unit!("federated-unsupported", Error, "An identity provider outside of a trust policy", unsupported),
    unit!("federated-format", Error, "An identity provider that is neither domain nor ARN", format),
    unit!(
        "oidc-without-condition",
        SecurityWarning,
        "Whoever has an account with the provider may become the role",
        oidc
    ),
    unit!(
        "oidc-without-subject",
        SecurityWarning,
        "Every subject of the provider may become the role",
        subject_missing
    ),
    unit!(
        "github-without-repository",
        SecurityWarning,
        "Every repository of GitHub may become the role",
        github
    ),
    unit!(
        "github-wildcard",
        Warning,
        "Repositories or branches of GitHub are given by a wildcard",
        github_wild
    ),
    unit!("audience-for-all", SecurityWarning, "ForAllValues on the audience holds without one", |s, o| {
        audience(s, o, Quantifier::ForAllValues);
    }),
    unit!(
        "audience-for-any",
        Suggestion,
        "ForAnyValue on the audience, which mostly has one value",
        |s, o| {
            audience(s, o, Quantifier::ForAnyValue);
        }
    ),
];

fn cases<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = &'s Case<'p>> {
    let trust = subject.kind == PolicyKind::Trust;
    subject.cases.iter().filter(move |_| trust)
}

fn not_principal(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject) {
        if let Some(element) = case.statement.principal.as_ref().filter(|element| element.negated) {
            let message = "a trust policy may not have `NotPrincipal`".to_owned();
            out.say(case, element.span, message, "list with `Principal` who may become the role");
        }
    }
}

fn bare_star(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject).filter(|case| case.allows() && is_bare_star(case)) {
        if let Some(element) = &case.statement.principal {
            let message = "a trust policy may not have `\"Principal\": \"*\"`".to_owned();
            out.say(case, element.span, message, "name accounts, roles, services or providers");
        }
    }
}

fn resource(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject) {
        if let Some(element) = &case.statement.resource {
            let message = "a trust policy is about its own role and has no `Resource`".to_owned();
            out.say(case, element.span, message, "remove the element");
        }
    }
}

fn redundant(subject: &Subject<'_>, out: &mut Out) {
    for (case, who) in listed(subject).filter(|(case, _)| case.kind == PolicyKind::Trust) {
        let Some([_, _, "sts", _, account, rest]) = split_arn(&who.value.text) else { continue };
        let Some(role) = rest.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) else {
            continue;
        };
        let parent = case.statement.principal.iter().flat_map(|e| &e.items).find(|other| {
            split_arn(&other.value.text).is_some_and(|fields| {
                fields[4] == account
                    && fields[5].starts_with("role/")
                    && fields[5].rsplit('/').next() == Some(role)
            })
        });
        if let Some(parent) = parent {
            let message = format!("`{}` is listed, which means all its sessions", parent.value.text);
            out.say(
                case,
                who.value.span,
                message,
                "remove the session, or the role if only the session is meant",
            );
        }
    }
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Provider {
    Saml,
    Oidc,
    Other,
}

fn provider(name: &str) -> Provider {
    match split_arn(name) {
        Some([_, _, "iam", _, _, rest]) if rest.starts_with("saml-provider/") => Provider::Saml,
        Some([_, _, "iam", _, _, rest]) if rest.starts_with("oidc-provider/") => Provider::Oidc,
        Some(_) => Provider::Other,
        None if is_domain(name) => Provider::Oidc,
        None => Provider::Other,
    }
}

fn is_domain(name: &str) -> bool {
    name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./_".contains(&b))
}

/// The providers whom a statement names.
fn federated<'p>(case: &Case<'p>) -> impl Iterator<Item = &'p Spanned> + use<'p> {
    let items = case.statement.principal.iter().flat_map(|element| &element.items);
    items.filter(|who| who.sort == WhoSort::Federated).map(|who| &who.value)
}

fn mismatched(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject) {
        let providers: Vec<Provider> = federated(case).map(|name| provider(&name.text)).collect();
        for item in case.listed_actions() {
            let wanted = match item.text.to_ascii_lowercase().as_str() {
                "sts:assumerolewithsaml" => Provider::Saml,
                "sts:assumerolewithwebidentity" => Provider::Oidc,
                "sts:assumerole"
                    if !providers.is_empty()
                        && case.statement.principal.iter().all(|e| e.items.len() == providers.len()) =>
                {
                    let message = "an identity provider does not call `sts:AssumeRole`".to_owned();
                    let help = "use `sts:AssumeRoleWithSAML` or `sts:AssumeRoleWithWebIdentity`";
                    out.say(case, item.span, message, help);
                    continue;
                }
                _ => continue,
            };
            if !providers.contains(&wanted) && case.statement.principal.is_some() {
                let message = format!("`{}` is not possible for the listed principals", item.text);
                let help = "SAML providers use AssumeRoleWithSAML, OpenID Connect providers AssumeRoleWithWebIdentity";
                out.say(case, item.span, message, help);
            }
        }
    }
}

fn roles_anywhere(subject: &Subject<'_>, out: &mut Out) {
    let wanted = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    let trusts =
        |case: &Case<'_>| {
            case.allows()
                && case.statement.principal.iter().flat_map(|e| &e.items).any(|who| {
                    who.sort == WhoSort::Service && who.value.text == "rolesanywhere.amazonaws.com"
                })
        };
    let trusting: Vec<&Case<'_>> = cases(subject).filter(|case| trusts(case)).collect();
    let Some(first) = trusting.first() else { return };
    let lacking: Vec<&str> =
        wanted.into_iter().filter(|action| !trusting.iter().any(|case| case.covers(action))).collect();
    if !lacking.is_empty() {
        let message = format!("Roles Anywhere needs {} as well", some(lacking));
        out.say(
            first,
            first.statement.action.span,
            message,
            "allow sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession",
        );
    }
}

/// Keys that requests carry only if another action sets them.
const SET_BY: [(&str, &str); 4] = [
    ("sts:sourceidentity", "sts:SetSourceIdentity"),
    ("sts:transitivetagkeys", "sts:TagSession"),
    ("aws:tagkeys", "sts:TagSession"),
    ("aws:requesttag/", "sts:TagSession"),
];

fn missing_action(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject).filter(|case| case.allows()) {
        for condition in &case.statement.conditions {
            let key = condition.key.text.to_lowercase();
            let setter = SET_BY
                .iter()
                .find(|(start, _)| key == *start || start.ends_with('/') && key.starts_with(start));
            if let Some((_, action)) = setter.filter(|(_, action)| !case.covers(action)) {
                let message = format!("`{}` cannot be set without `{action}`", condition.key.text);
                out.say(case, condition.key.span, message, &format!("add `{action}` to the actions"));
            }
        }
    }
}

fn unsupported(subject: &Subject<'_>, out: &mut Out) {
    for (case, who) in listed(subject).filter(|(_, who)| who.sort == WhoSort::Federated) {
        if subject.kind != PolicyKind::Trust {
            let message = format!("`{}` can call nothing but STS", who.value.text);
            out.say(case, who.value.span, message, "name the role that its users assume");
        }
    }
}

fn format(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject) {
        for name in federated(case)
            .filter(|name| provider(&name.text) == Provider::Other && !glob::is_wild(&name.text))
        {
            let message = format!("`{}` is no identity provider", name.text);
            let help = "write a domain, or the ARN of a `saml-provider/` or an `oidc-provider/`";
            out.say(case, name.span, message, help);
        }
    }
}

/// The address of an OpenID Connect provider, with which its condition keys begin.
fn address(name: &str) -> Option<String> {
    let address = match split_arn(name) {
        Some(fields) => fields[5].strip_prefix("oidc-provider/")?,
        None => name,
    };
    is_domain(address).then(|| address.to_lowercase())
}

const GITHUB: &str = "token.actions.githubusercontent.com";

/// The OpenID Connect providers that a statement lets in.
fn providers<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned, String)> {
    let open = cases(subject).filter(|case| case.allows());
    open.flat_map(|case| federated(case).filter_map(move |name| Some((case, name, address(&name.text)?))))
}

fn oidc(subject: &Subject<'_>, out: &mut Out) {
    for (case, name, address) in providers(subject).filter(|(.., address)| address != GITHUB) {
        if !case.has_key_beginning(&format!("{address}:")) {
            let message = format!("anybody whom `{address}` knows may become the role");
            let help = format!("add conditions on `{address}:aud` and `{address}:sub`");
            out.say(case, name.span, message, &help);
        }
    }
}

/// Providers whose `aud` names one application and whose keys for people have other names.
const OTHER_SUBJECTS: [&str; 3] = ["www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com"];

fn subject_missing(subject: &Subject<'_>, out: &mut Out) {
    for (case, name, address) in providers(subject) {
        let known = address == GITHUB || OTHER_SUBJECTS.contains(&address.as_str());
        if !known
            && case.has_key_beginning(&format!("{address}:"))
            && !case.demands(&[&format!("{address}:sub")])
        {
            let message = format!("no condition says which subjects of `{address}` are meant");
            out.say(case, name.span, message, &format!("add a condition on `{address}:sub`"));
        }
    }
}

fn github(subject: &Subject<'_>, out: &mut Out) {
    for (case, name, _) in providers(subject).filter(|(.., address)| address == GITHUB) {
        if !case.demands(&[
            &format!("{GITHUB}:sub"),
            &format!("{GITHUB}:repository"),
            &format!("{GITHUB}:job_workflow_ref"),
        ]) {
            let message = "actions of every repository of GitHub may become the role".to_owned();
            out.say(
                case,
                name.span,
                message,
                &format!("add a condition on `{GITHUB}:sub`, such as `repo:ORG/REPO:ref:refs/heads/main`"),
            );
        }
    }
}

fn github_wild(subject: &Subject<'_>, out: &mut Out) {
    for case in cases(subject).filter(|case| case.allows()) {
        for condition in
            case.on(&format!("{GITHUB}:sub")).filter(|c| c.test.is_some_and(|t| t.operator.takes_wildcards()))
        {
            for value in condition.values.iter().filter(|value| glob::is_wild(&value.text)) {
                let message = format!(
                    "`{}` lets in more than one branch, perhaps more than one repository",
                    value.text
                );
                out.say(case, value.span, message, "name the repository and the branch");
            }
        }
    }
}

fn audience(subject: &Subject<'_>, out: &mut Out, quantifier: Quantifier) {
    for case in cases(subject) {
        for condition in &case.statement.conditions {
            let key = condition.key.text.to_lowercase();
            let quantified = condition.test.is_some_and(|test| test.quantifier == Some(quantifier));
            if quantified
                && (key.ends_with(":aud") || key.ends_with(":amr") && quantifier == Quantifier::ForAllValues)
            {
                let (message, help) = match quantifier {
                    Quantifier::ForAllValues => (
                        format!(
                            "a token without `{}` passes, because nothing is in every list",
                            condition.key.text
                        ),
                        "remove `ForAllValues:`",
                    ),
                    Quantifier::ForAnyValue => (
                        format!("`{}` has one value at most providers", condition.key.text),
                        "remove `ForAnyValue:` unless the provider sends several",
                    ),
                };
                out.say(case, condition.operator.span, message, help);
            }
        }
    }
}
