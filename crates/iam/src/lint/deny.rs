//! Statements that can never match. In an Allow that is a nuisance; a Deny then fails open.

use super::conditions::operator_help;
use super::glob;
use super::keys::without_key;
use super::subject::{Case, Out, Subject, demands_presence};
use super::unit::{Unit, unit};
use super::values::{how_to_write, unreadable_values};
use super::variables::dead_variables;
use crate::eval::ResourcePattern;
use crate::policy::{Effect, Operator, PolicyKind, WhoSort};
use crate::text::Span;

pub(super) const UNITS: &[Unit] = &[
    unit!(
        "deny-unknown-operator",
        Error,
        "A Deny with an operator that does not exist denies nothing",
        unknown_operator
    ),
    unit!(
        "deny-unreadable-value",
        Error,
        "A Deny with a value that cannot be read denies less than it says",
        unreadable
    ),
    unit!(
        "deny-unresolvable-variable",
        Error,
        "A Deny with a variable that never has a value denies less than it says",
        variable
    ),
    unit!("deny-never-matches", Error, "A Deny that no request matches denies nothing", |s, o| never(
        s,
        o,
        Effect::Deny
    )),
    unit!("never-matches", Warning, "An Allow that no request matches", |s, o| never(s, o, Effect::Allow)),
];

fn unknown_operator(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        for condition in case.statement.conditions.iter().filter(|condition| condition.test.is_none()) {
            let message =
                format!("nothing is denied, because there is no operator `{}`", condition.operator.text);
            out.say(case, condition.operator.span, message, &operator_help(&condition.operator.text));
        }
    }
}

fn unreadable(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        for condition in &case.statement.conditions {
            let Some(test) = condition.test else { continue };
            for value in unreadable_values(condition, test) {
                let what =
                    if test.inverted { "nothing is denied" } else { "nothing is denied for this value" };
                let message = format!(
                    "{what}, because `{}` cannot be read as `{}` wants it",
                    value.text, condition.operator.text
                );
                out.say(case, value.span, message, how_to_write(test.operator));
            }
        }
    }
}

fn variable(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        for (item, why) in dead_variables(case) {
            let message = format!("`{}` denies nothing: {why}", item.text);
            out.say(
                case,
                item.span,
                message,
                "use a key that requests carry, or give a default: `${key, 'none'}`",
            );
        }
    }
}

fn never(subject: &Subject<'_>, out: &mut Out, effect: Effect) {
    for case in subject.cases.iter().filter(|case| case.statement.effect == effect) {
        if let Some((span, why)) = why_never(case) {
            let what = if effect == Effect::Deny { "nothing is denied" } else { "nothing is allowed" };
            out.say(case, span, format!("{what}: {why}"), "correct the statement, or remove it");
        }
    }
}

/// Why no request matches a statement, if that is so. Operators that do not exist have lints of their own.
fn why_never(case: &Case<'_>) -> Option<(Span, String)> {
    let statement = case.statement;
    if !statement.action.negated && statement.action.items.is_empty() {
        return Some((statement.action.span, "no action is listed".to_owned()));
    }
    if let Some(element) = statement.resource.as_ref().filter(|element| !element.negated) {
        let nothing =
            |text: &str| ResourcePattern::new(text, case.version, case.kind) == ResourcePattern::Nothing;
        if element.items.iter().all(|item| nothing(&item.text)) {
            return Some((element.span, "no listed resource can exist".to_owned()));
        }
    }
    if let Some(element) = statement.principal.as_ref().filter(|e| !e.negated && case.kind.has_principals()) {
        let nobody = |text: &str| text != "*" && glob::is_wild(text);
        if element.items.iter().all(|who| who.sort == WhoSort::Aws && nobody(&who.value.text)) {
            return Some((element.span, "no listed principal can exist".to_owned()));
        }
    }
    if case.kind == PolicyKind::Scp && statement.principal.is_some() && case.allows() {
        return Some((case.head(), "a service control policy has no principals".to_owned()));
    }
    condition_never(case)
}

fn condition_never(case: &Case<'_>) -> Option<(Span, String)> {
    for condition in &case.statement.conditions {
        let Some(test) = condition.test else { continue };
        let key = condition.key.text.as_str();
        if !demands_presence(condition) || test.operator == Operator::Null {
            continue;
        }
        if condition.values.is_empty() {
            return Some((condition.key.span, format!("no value for `{key}` is listed")));
        }
        let absent = case.on(key).any(|other| {
            other.test.is_some_and(|test| test.operator == Operator::Null)
                && !other.values.is_empty()
                && other.values.iter().all(|value| value.text.eq_ignore_ascii_case("true"))
        });
        if absent {
            return Some((condition.key.span, format!("`{key}` must be absent and have a value")));
        }
        let actions = case.listed_actions();
        if !actions.is_empty() && without_key(case, key).len() == actions.len() {
            return Some((condition.key.span, format!("requests for these actions never carry `{key}`")));
        }
    }
    None
}
