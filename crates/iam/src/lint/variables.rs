//! Policy variables: their spelling, where they may stand, and whether they can have a value.

use super::arn::arns;
use super::catalogue::key_type;
use super::conditions::tests;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::catalog::{Availability, availability_for, catalog, global_key};
use crate::policy::Version;
use crate::text::Spanned;

pub(super) const UNITS: &[Unit] = &[
    unit!("variable-brace", Error, "A variable that is never closed", |s, o| spelling(s, o, Fault::Brace)),
    unit!("variable-quote", Error, "A default value without its quotes", |s, o| spelling(s, o, Fault::Quote)),
    unit!("variable-space", Error, "A space in the name of a variable", |s, o| spelling(s, o, Fault::Space)),
    unit!("variable-empty", Error, "A variable without a name", |s, o| spelling(s, o, Fault::Empty)),
    unit!("variable-in-element", Error, "A variable where none may stand", in_element),
    unit!("variable-in-old-version", Error, "A variable in a policy whose language has none", old_version),
    unit!("variable-operator", Error, "A variable under an operator that takes none", operator),
    unit!("variable-early", Error, "A variable in the first five fields of an ARN", early),
    unit!("variable-unresolvable", Warning, "A variable that never has a value", unresolvable),
    unit!(
        "variable-in-not-resource",
        Error,
        "A variable in NotResource, which covers everything when it has no value",
        not_resource
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Brace,
    Quote,
    Space,
    Empty,
}

/// What stands between `${` and `}`, in order; `None` where a brace is missing.
pub(super) fn variables(text: &str) -> Vec<Option<&str>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, inside)) = rest.split_once("${") {
        match inside.split_once('}') {
            Some((name, after)) => {
                found.push(Some(name));
                rest = after;
            }
            None => {
                found.push(None);
                rest = inside;
            }
        }
    }
    found
}

/// Every text where a variable may stand.
fn texts<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned)> {
    subject.cases.iter().flat_map(|case| {
        let resources = case.statement.resource.iter().flat_map(|element| &element.items);
        let values = case.statement.conditions.iter().flat_map(|condition| &condition.values);
        resources.chain(values).map(move |item| (case, item))
    })
}

fn fault(inside: Option<&str>) -> Option<Fault> {
    let Some(inside) = inside else { return Some(Fault::Brace) };
    if matches!(inside, "*" | "?" | "$") {
        return None;
    }
    let (name, default) =
        inside.split_once(',').map_or((inside, None), |(name, rest)| (name, Some(rest.trim())));
    if name.trim().is_empty() {
        return Some(Fault::Empty);
    }
    if name.contains(char::is_whitespace) {
        return Some(Fault::Space);
    }
    let quoted = default.is_none_or(|d| d.len() >= 2 && d.starts_with('\'') && d.ends_with('\''));
    (!quoted).then_some(Fault::Quote)
}

fn spelling(subject: &Subject<'_>, out: &mut Out, wanted: Fault) {
    if subject.policy.version != Version::V2012 {
        return;
    }
    for (case, item) in texts(subject) {
        for inside in variables(&item.text).into_iter().filter(|inside| fault(*inside) == Some(wanted)) {
            let written = inside.unwrap_or_default();
            let (message, help) = match wanted {
                Fault::Brace => (format!("a variable of `{}` has no closing brace", item.text), "add `}`"),
                Fault::Quote => {
                    (format!("the default of `${{{written}}}` is not in quotes"), "write `${key, 'default'}`")
                }
                Fault::Space => (format!("there is a space in `${{{written}}}`"), "remove the space"),
                Fault::Empty => {
                    ("a variable without a name".to_owned(), "write a condition key between the braces")
                }
            };
            out.say(case, item.span, message, help);
        }
    }
}

fn has_variable(text: &str) -> bool {
    text.contains("${")
}

fn in_element(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        let principals = case.statement.principal.iter().flat_map(|e| &e.items).map(|who| &who.value);
        let keys = case.statement.conditions.iter().map(|condition| &condition.key);
        for item in
            case.statement.action.items.iter().chain(principals).chain(keys).filter(|i| has_variable(&i.text))
        {
            let message = format!("`{}` stands where variables are plain text", item.text);
            out.say(
                case,
                item.span,
                message,
                "variables are for `Resource` and for the values of conditions",
            );
        }
    }
}

fn old_version(subject: &Subject<'_>, out: &mut Out) {
    if subject.policy.version == Version::V2012 {
        return;
    }
    for (case, item) in texts(subject).filter(|(_, item)| has_variable(&item.text)) {
        let message = format!("`{}` is plain text in this version of the language", item.text);
        out.say(case, item.span, message, "set `\"Version\": \"2012-10-17\"`");
    }
}

fn operator(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, test) in tests(subject) {
        let bool_too = test.operator == crate::policy::Operator::Bool;
        if test.operator.takes_variables() && !bool_too {
            continue;
        }
        for value in condition.values.iter().filter(|value| has_variable(&value.text)) {
            let message = format!("`{}` takes no variables", condition.operator.text);
            out.say(case, value.span, message, "variables are for String and ARN operators");
        }
    }
}

fn early(subject: &Subject<'_>, out: &mut Out) {
    if subject.policy.version != Version::V2012 {
        return;
    }
    for (case, item, fields) in arns(subject) {
        let early = fields.iter().take(5).find(|field| has_variable(field) && fields[0] == "arn");
        if let Some(field) = early {
            let message =
                format!("`{field}` stands before the fifth colon, where it is plain text and fits no ARN");
            out.say(case, item.span, message, "write `*` in the field and compare the rest in a condition");
        }
    }
}

/// The names of the variables of a text that have no default.
fn names(text: &str) -> impl Iterator<Item = &str> {
    variables(text)
        .into_iter()
        .flatten()
        .filter(|inside| fault(Some(inside)).is_none() && !inside.contains(','))
        .filter(|inside| !matches!(*inside, "*" | "?" | "$"))
}

/// Why a variable never has a value in requests for the statement, if so.
fn why_never(case: &Case<'_>, name: &str) -> Option<String> {
    let start = name.split_once(':').map_or(name, |(prefix, _)| prefix);
    let ours = start.eq_ignore_ascii_case("aws") || catalog().service(start).is_some();
    match key_type(name) {
        None if global_key(name).is_none() && ours => return Some(format!("there is no key `{name}`")),
        Some(kind) if kind.is_multivalued() => return Some(format!("`{name}` has several values")),
        _ => {}
    }
    let actions: Vec<_> = case.exact_actions().collect();
    let all = !actions.is_empty() && actions.len() == case.listed_actions().len();
    let never = actions.iter().all(|(_, action)| availability_for(action, name) == Availability::Never);
    (all && never).then(|| format!("requests for these actions carry no `{name}`"))
}

/// The texts of a statement with a variable that never has a value, and why.
pub(super) fn dead_variables<'p>(case: &Case<'p>) -> Vec<(&'p Spanned, String)> {
    if case.version != Version::V2012 {
        return Vec::new();
    }
    let resources = case.statement.resource.iter().flat_map(|element| &element.items);
    let positive =
        case.statement.conditions.iter().filter(|c| c.test.is_some_and(|t| t.operator.takes_variables()));
    let items = resources.chain(positive.flat_map(|condition| &condition.values));
    items.filter_map(|item| Some((item, names(&item.text).find_map(|name| why_never(case, name))?))).collect()
}

fn unresolvable(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.allows() {
        for (item, why) in dead_variables(case) {
            let message = format!("`{}` has no value, ever: {why}", item.text);
            out.say(
                case,
                item.span,
                message,
                "use a key that requests carry, or give a default: `${key, 'none'}`",
            );
        }
    }
}

fn not_resource(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        let element = case.statement.resource.iter().filter(|e| e.negated && case.version == Version::V2012);
        for item in element.flat_map(|element| &element.items) {
            if let Some(name) = names(&item.text).next() {
                let message = format!(
                    "without a value of `{name}` the entry names nothing, and `NotResource` covers everything"
                );
                out.say(case, item.span, message, "give a default, or name resources with `Resource`");
            }
        }
    }
}
