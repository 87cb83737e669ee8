//! Versions, identifiers, elements that are missing or empty, sizes.

use super::facts::facts;
use super::report::Severity;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{Condition, PolicyKind, Quantifier, Version};
use crate::text::{JsonKind, Span};

pub(super) const UNITS: &[Unit] = &[
    unit!("malformed", Error, "The text is not a policy, so nothing else can be said of it", |_, _| {}),
    unit!("missing-version", Warning, "The policy does not say its language version", missing_version),
    unit!("old-version", Suggestion, "The policy is written in the language of 2008", old_version),
    unit!(
        "sid-not-unique",
        Error,
        "Two statements have one Sid, and this policy type forbids that",
        |s, o| sids(s, o, Severity::Error)
    ),
    unit!("sid-repeated", Warning, "Two statements have one Sid", |s, o| sids(s, o, Severity::Warning)),
    unit!("sid-characters", Error, "A Sid has characters that IAM does not take", sid_characters),
    unit!("sid-empty", Suggestion, "A Sid is empty", sid_empty),
    unit!("resource-missing", Error, "A statement without Resource where one is needed", resource_missing),
    unit!("empty-action", Suggestion, "A list of actions is empty", empty_action),
    unit!("empty-resource", Suggestion, "A list of resources is empty", empty_resource),
    unit!("empty-principal", Suggestion, "A list of principals is empty", empty_principal),
    unit!("empty-condition", Suggestion, "A condition block is empty", empty_condition),
    unit!("empty-values", Suggestion, "A condition lists no values and never holds", |s, o| empty(
        s, o, None
    )),
    unit!(
        "empty-values-for-all",
        Suggestion,
        "ForAllValues without values holds only if the key is absent",
        |s, o| {
            empty(s, o, Some(ForAll));
        }
    ),
    unit!("empty-values-for-any", Suggestion, "ForAnyValue without values never holds", |s, o| {
        empty(s, o, Some(ForAny));
    }),
    unit!(
        "empty-values-if-exists",
        Suggestion,
        "IfExists without values holds only if the key is absent",
        |s, o| {
            empty(s, o, Some(IfExists));
        }
    ),
    unit!(
        "size-identity",
        Warning,
        "The policy is larger than the quota of policies of identities",
        |s, o| {
            size(s, o, &[PolicyKind::Identity, PolicyKind::Boundary]);
        }
    ),
    unit!(
        "size-resource",
        Warning,
        "The policy is larger than the quota of policies of resources",
        |s, o| {
            size(s, o, &[PolicyKind::Resource, PolicyKind::KmsKey]);
        }
    ),
    unit!("size-trust", Warning, "The policy is larger than the default quota of trust policies", |s, o| {
        size(s, o, &[PolicyKind::Trust]);
    }),
    unit!("size-scp", Error, "The policy is larger than the quota of service control policies", |s, o| {
        size(s, o, &[PolicyKind::Scp]);
    }),
    unit!("size-rcp", Error, "The policy is larger than the quota of resource control policies", |s, o| {
        size(s, o, &[PolicyKind::Rcp]);
    }),
];

fn missing_version(subject: &Subject<'_>, out: &mut Out) {
    if subject.policy.version_span.is_none() && !subject.policy.bare {
        let message = "the policy has no `Version` and is read in the language of 2008-10-17".to_owned();
        out.say_whole(subject.head(), message, "add `\"Version\": \"2012-10-17\"`");
    }
}

fn old_version(subject: &Subject<'_>, out: &mut Out) {
    if let (Version::V2008, Some(span)) = (subject.policy.version, subject.policy.version_span) {
        let message = "this version of the language has no variables".to_owned();
        out.say_whole(span, message, "write `2012-10-17`, unless some `${...}` is meant as plain text");
    }
}

/// Where a `Sid` must be unique, it is an error; elsewhere good manners.
fn sids(subject: &Subject<'_>, out: &mut Out, severity: Severity) {
    let strict = !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey | PolicyKind::Endpoint);
    if strict != (severity == Severity::Error) {
        return;
    }
    let mut seen = std::collections::BTreeMap::new();
    for case in &subject.cases {
        let Some(sid) = case.statement.sid.as_ref().filter(|sid| !sid.text.is_empty()) else { continue };
        if let Some(first) = seen.insert(sid.text.as_str(), case.index) {
            let message = format!("statement {first} has the Sid `{}` already", sid.text);
            out.say(case, sid.span, message, "give each statement a Sid of its own");
        }
    }
}

fn sid_characters(subject: &Subject<'_>, out: &mut Out) {
    if !subject.is_of_caller() && subject.kind != PolicyKind::Trust {
        return;
    }
    for case in &subject.cases {
        let Some(sid) = &case.statement.sid else { continue };
        if let Some(odd) = sid.text.chars().find(|c| !c.is_ascii_alphanumeric()) {
            let message = format!("the Sid `{}` has the character `{}`", sid.text, odd.escape_debug());
            out.say(case, sid.span, message, "a Sid of IAM has letters a to z, A to Z and digits only");
        }
    }
}

fn sid_empty(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        if let Some(sid) = case.statement.sid.as_ref().filter(|sid| sid.text.is_empty()) {
            out.say(case, sid.span, "the Sid is empty".to_owned(), "name the statement, or leave `Sid` out");
        }
    }
}

fn resource_missing(subject: &Subject<'_>, out: &mut Out) {
    if subject.kind.has_principals() && subject.kind != PolicyKind::Rcp {
        return;
    }
    for case in subject.cases.iter().filter(|case| case.statement.resource.is_none()) {
        let message = "the statement does not say which resources it is about".to_owned();
        out.say(case, case.head(), message, "add `Resource`, for instance `\"Resource\": \"*\"`");
    }
}

fn empty_action(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.cases.iter().filter(|case| case.statement.action.items.is_empty()) {
        let message = match case.statement.action.negated {
            false => "no action is listed, so the statement is about nothing",
            true => "no action is listed, so the statement is about every action",
        };
        out.say(
            case,
            case.statement.action.span,
            message.to_owned(),
            "list actions, or remove the statement",
        );
    }
}

fn empty_resource(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        let Some(element) = case.statement.resource.as_ref().filter(|e| e.items.is_empty()) else { continue };
        let message = match element.negated {
            false => "no resource is listed, so the statement is about nothing",
            true => "no resource is listed, so the statement is about every resource",
        };
        out.say(case, element.span, message.to_owned(), "list resources, or remove the statement");
    }
}

fn empty_principal(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        let Some(element) = case.statement.principal.as_ref().filter(|e| e.items.is_empty()) else {
            continue;
        };
        let message = match element.negated {
            false => "no principal is listed, so the statement is about nobody",
            true => "no principal is listed, so the statement is about everybody",
        };
        out.say(case, element.span, message.to_owned(), "list principals, or remove the statement");
    }
}

fn empty_condition(subject: &Subject<'_>, out: &mut Out) {
    let help = "say a condition, or remove the block";
    for case in &subject.cases {
        let Some(member) = case.member("Condition") else { continue };
        let JsonKind::Object(operators) = &member.value.kind else { continue };
        let whole = Span { start: member.key.span.start, end: member.value.span.end };
        if operators.is_empty() {
            out.say(case, whole, "the condition block is empty and limits nothing".to_owned(), help);
        }
        for operator in operators {
            if matches!(&operator.value.kind, JsonKind::Object(keys) if keys.is_empty()) {
                let message = format!("under `{}` stands no key, so it limits nothing", operator.key.text);
                out.say(case, operator.key.span, message, help);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    ForAll,
    ForAny,
    IfExists,
}
use Form::{ForAll, ForAny, IfExists};

fn form(condition: &Condition) -> Option<Form> {
    match condition.test {
        Some(test) if test.quantifier == Some(Quantifier::ForAllValues) => Some(ForAll),
        Some(test) if test.quantifier == Some(Quantifier::ForAnyValue) => Some(ForAny),
        Some(test) if test.if_exists => Some(IfExists),
        _ => None,
    }
}

fn empty(subject: &Subject<'_>, out: &mut Out, wanted: Option<Form>) {
    for case in &subject.cases {
        let conditions = case.statement.conditions.iter();
        for condition in conditions.filter(|c| c.values.is_empty() && form(c) == wanted) {
            let key = &condition.key.text;
            let (message, help) = match wanted {
                None => {
                    (format!("`{key}` has no values to compare with"), "list values, or remove the condition")
                }
                Some(ForAny) => (
                    format!("`ForAnyValue` with no values for `{key}` never holds"),
                    "list the values that count",
                ),
                Some(ForAll | IfExists) => (
                    format!("with no values this holds only if `{key}` is absent"),
                    "say that with `\"Null\": {\"KEY\": \"true\"}`",
                ),
            };
            out.say(case, condition.key.span, message, help);
        }
    }
}

fn size(subject: &Subject<'_>, out: &mut Out, kinds: &[PolicyKind]) {
    let Some(quota) = kinds.contains(&subject.kind).then(|| facts().quota(subject.kind)).flatten() else {
        return;
    };
    let characters = subject.text.chars();
    let count = match quota.spaces_count {
        true => characters.count(),
        false => characters.filter(|c| !c.is_whitespace()).count(),
    };
    if count > quota.characters {
        let message = format!("the policy has {count} characters; the quota is {}", quota.characters);
        let help =
            "split it into several policies, or join statements; quotas can be raised by AWS for some types";
        out.say_whole(subject.head(), message, help);
    }
}

/// Whether a statement has any condition that a reader of this program understands.
pub(super) fn is_unconditional(case: &Case<'_>) -> bool {
    case.statement.conditions.is_empty()
}
