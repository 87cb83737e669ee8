//! Service control policies and resource control policies.

use super::glob;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::catalog::catalog;
use crate::policy::{Condition, Operator, PolicyKind};

pub(super) const UNITS: &[Unit] = &[
    unit!("scp-principal", Error, "Principal in a service control policy", scp_principal),
    unit!("scp-allows-little", Warning, "A service control policy that allows only what it lists", scp_allow),
    unit!("rcp-principal", Error, "A resource control policy that is not for everybody", rcp_principal),
    unit!("rcp-allow", Error, "An Allow in a resource control policy", rcp_allow),
    unit!("rcp-not-action", Error, "NotAction in a resource control policy", rcp_not_action),
    unit!("rcp-action", Error, "An action that resource control policies do not reach", rcp_action),
    unit!(
        "rcp-principal-key",
        Warning,
        "A resource control policy by caller that also hits services of AWS",
        |s, o| rcp_key(s, o, &CALLER, "false")
    ),
    unit!("rcp-source-key", Warning, "A resource control policy by source that also hits callers", |s, o| {
        rcp_key(s, o, &SOURCE, "true");
    }),
    unit!(
        "rcp-source-absent",
        Warning,
        "A resource control policy by source that hits services which name none",
        rcp_null
    ),
];

fn of_kind<'s, 'p>(subject: &'s Subject<'p>, kind: PolicyKind) -> impl Iterator<Item = &'s Case<'p>> {
    let wanted = subject.kind == kind;
    subject.cases.iter().filter(move |_| wanted)
}

fn scp_principal(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Scp) {
        if let Some(element) = &case.statement.principal {
            let message =
                "a service control policy is about all principals of its accounts and names none".to_owned();
            out.say(case, element.span, message, "remove the element; use a condition on `aws:PrincipalArn`");
        }
    }
}

fn scp_allow(subject: &Subject<'_>, out: &mut Out) {
    let open = |case: &Case<'_>| case.allows() && case.listed_actions().iter().any(|item| item.text == "*");
    if of_kind(subject, PolicyKind::Scp).any(open) {
        return;
    }
    if let Some(case) = of_kind(subject, PolicyKind::Scp).find(|case| case.allows()) {
        let message = "where this is attached without FullAWSAccess, everything else is forbidden".to_owned();
        out.say(
            case,
            case.statement.action.span,
            message,
            "keep FullAWSAccess attached and write what is forbidden as Deny, if that is not meant",
        );
    }
}

fn rcp_principal(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Rcp) {
        match &case.statement.principal {
            Some(element) if element.negated || element.items.iter().any(|who| !who.is_everyone()) => {
                let message = "a resource control policy is for everybody".to_owned();
                out.say(
                    case,
                    element.span,
                    message,
                    "write `\"Principal\": \"*\"` and say in conditions who is meant",
                );
            }
            None => {
                let message = "a resource control policy without `Principal`".to_owned();
                out.say(case, case.head(), message, "add `\"Principal\": \"*\"`");
            }
            Some(_) => {}
        }
    }
}

fn rcp_allow(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Rcp).filter(|case| case.allows()) {
        let everything = case.statement.conditions.is_empty()
            && case.listed_actions().iter().all(|item| item.text == "*")
            && case.listed_resources().iter().all(|item| item.text == "*")
            && !case.listed_resources().is_empty();
        if !everything {
            let message = "a resource control policy of one's own only denies".to_owned();
            out.say(case, case.head(), message, "write it as Deny; RCPFullAWSAccess allows everything else");
        }
    }
}

fn rcp_not_action(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Rcp).filter(|case| case.statement.action.negated) {
        let message = "a resource control policy has no `NotAction`".to_owned();
        out.say(case, case.statement.action.span, message, "list with `Action` what is denied");
    }
}

fn rcp_action(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Rcp).filter(|case| !case.allows()) {
        for item in case.listed_actions() {
            let Some((prefix, _)) = item.text.split_once(':') else {
                let message = "a resource control policy of one's own names services".to_owned();
                out.say(case, item.span, message, "write for instance `s3:*`");
                continue;
            };
            if !glob::is_wild(prefix)
                && catalog().service(prefix).is_some()
                && !catalog().supports_rcp(prefix)
            {
                let message = format!("resource control policies do not reach `{prefix}`");
                let help = format!("the services that they reach are known as of {}", catalog().as_of());
                out.say(case, item.span, message, &help);
            }
        }
    }
}

const CALLER: [&str; 4] =
    ["aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"];
const SOURCE: [&str; 4] = ["aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceaccount", "aws:sourcearn"];

/// An inverted condition of a Deny, which also holds where its key is absent.
fn denies_by(condition: &Condition, keys: &[&str]) -> bool {
    condition.test.is_some_and(|test| test.inverted)
        && keys.contains(&condition.key.text.to_lowercase().as_str())
}

fn says(case: &Case<'_>, key: &str, operator: Operator, wanted: &str) -> bool {
    case.on(key).any(|condition| {
        condition.test.is_some_and(|test| test.operator == operator)
            && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case(wanted))
    })
}

fn rcp_key(subject: &Subject<'_>, out: &mut Out, keys: &[&str], wanted: &str) {
    for case in of_kind(subject, PolicyKind::Rcp).filter(|case| !case.allows()) {
        let said = says(case, "aws:PrincipalIsAWSService", Operator::Bool, wanted);
        if let Some(condition) = case.statement.conditions.iter().find(|c| denies_by(c, keys) && !said) {
            let others = if wanted == "false" { "services of AWS" } else { "users and roles" };
            let message = format!("{others} have no `{}` and are denied too", condition.key.text);
            let help = format!("add `\"BoolIfExists\": {{\"aws:PrincipalIsAWSService\": \"{wanted}\"}}`");
            out.say(case, condition.key.span, message, &help);
        }
    }
}

fn rcp_null(subject: &Subject<'_>, out: &mut Out) {
    for case in of_kind(subject, PolicyKind::Rcp).filter(|case| !case.allows()) {
        let demanded =
            ["aws:SourceAccount", "aws:SourceArn"].iter().any(|key| says(case, key, Operator::Null, "false"));
        let orgs = ["aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceaccount"];
        if let Some(condition) = case.statement.conditions.iter().find(|c| denies_by(c, &orgs) && !demanded) {
            let message =
                format!("services that name no source carry no `{}` and are denied", condition.key.text);
            out.say(case, condition.key.span, message, "add `\"Null\": {\"aws:SourceAccount\": \"false\"}`");
        }
    }
}
