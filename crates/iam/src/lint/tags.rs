//! Conditions on tags, which only some actions have.

use super::conditions::all;
use super::subject::{Case, Out, Subject, demands_presence, some};
use super::unit::{Unit, unit};
use crate::policy::{Condition, Effect};

pub(super) const UNITS: &[Unit] = &[
    unit!("tag-key-missing", Error, "A condition on a tag that does not say which", missing),
    unit!(
        "tag-deny-not-action",
        SecurityWarning,
        "A Deny by tag with NotAction spares actions without tags",
        |s, o| {
            not_action(s, o, Effect::Deny);
        }
    ),
    unit!(
        "tag-deny-unsupported",
        SecurityWarning,
        "A Deny by tag spares actions that have no tags",
        |s, o| {
            unsupported(s, o, Effect::Deny);
        }
    ),
    unit!(
        "tag-allow-not-action",
        Suggestion,
        "An Allow by tag with NotAction leaves out actions without tags",
        |s, o| {
            not_action(s, o, Effect::Allow);
        }
    ),
    unit!(
        "tag-allow-unsupported",
        Suggestion,
        "An Allow by tag leaves out actions that have no tags",
        |s, o| {
            unsupported(s, o, Effect::Allow);
        }
    ),
];

const FAMILIES: [&str; 3] = ["aws:resourcetag", "aws:requesttag", "aws:principaltag"];

/// Whether a key is one of the tags of requests, resources or principals, well written or not.
pub(super) fn is_tag_key(key: &str) -> bool {
    let lower = key.to_lowercase();
    FAMILIES.iter().any(|family| lower == *family || lower.starts_with(&format!("{family}/")))
}

fn missing(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let key = condition.key.text.trim_end_matches('/');
        if FAMILIES.contains(&key.to_lowercase().as_str()) {
            let message = format!("`{}` does not say which tag is meant", condition.key.text);
            out.say(case, condition.key.span, message, &format!("write `{key}/` and the name of the tag"));
        }
    }
}

/// Conditions on tags that only some actions have, and that fail without the tag.
fn limiting<'s, 'p>(
    subject: &'s Subject<'p>,
    effect: Effect,
) -> impl Iterator<Item = (&'s Case<'p>, &'p Condition)> {
    all(subject).filter(move |(case, condition)| {
        let key = condition.key.text.to_lowercase();
        case.statement.effect == effect
            && (key.starts_with("aws:resourcetag/") || key.starts_with("aws:requesttag/"))
            && demands_presence(condition)
    })
}

fn not_action(subject: &Subject<'_>, out: &mut Out, effect: Effect) {
    for (case, condition) in limiting(subject, effect).filter(|(case, _)| case.statement.action.negated) {
        let done = if effect == Effect::Deny { "denied" } else { "allowed" };
        let message = format!("actions that have no `{}` are not {done}", condition.key.text);
        out.say(case, condition.key.span, message, "list with `Action` the actions that have the tag");
    }
}

fn unsupported(subject: &Subject<'_>, out: &mut Out, effect: Effect) {
    for (case, condition) in limiting(subject, effect) {
        let key = condition.key.text.as_str();
        let without: Vec<&str> = case
            .exact_actions()
            .filter(|(_, action)| !action.lists_key(key))
            .map(|(item, _)| item.text.as_str())
            .collect();
        if !without.is_empty() {
            let done = if effect == Effect::Deny { "denied" } else { "allowed" };
            let message = format!("{} has no `{key}` and so is never {done} here", some(without));
            out.say(
                case,
                condition.key.span,
                message,
                "move such actions to a statement that names resources",
            );
        }
    }
}
