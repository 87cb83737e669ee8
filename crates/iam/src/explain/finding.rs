//! What a condition says of a request and which of its values made it so; what keeps a statement from matching.

use super::evidence::{Found, level_name};
use super::{Citation, Need};
use crate::eval::{Clause, Comparand, Level, ResourcePattern};
use crate::policy::{Condition, Operator, Quantifier, Test};
use crate::request::{Context, Principal, Request, Values};
use crate::text::Spanned;
use crate::value::Template;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// A condition, held against a request.
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// The condition as written.
    pub condition: &'a Condition,
    /// Whether it holds.
    pub holds: bool,
    /// What the request says for the key; nothing if it is absent.
    pub found: Option<&'a Values>,
    /// The listed value that fits, from 0.
    pub fitting: Option<usize>,
    /// The first variable of the listed values that has no value, as written.
    pub unresolved: Option<&'a str>,
}

/// A statement that is about the action and still does not match.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NearMiss<'a> {
    /// The statement.
    #[serde(flatten)]
    pub statement: Citation<'a>,
    /// Everything that keeps it from matching.
    pub misses: Vec<Miss<'a>>,
}

/// One thing that keeps a statement from matching.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Miss<'a> {
    /// It can never match: an operator that does not exist, an element that is missing or may not stand there.
    Never {
        /// The operator that does not exist, if that is it.
        operator: Option<&'a str>,
    },
    /// It does not mean the caller, or not closely enough.
    Principal {
        /// How closely it means the caller: `none` or `account`, or `direct` and `role` where only the account helps.
        means: &'static str,
        /// Whom it names.
        listed: Vec<&'a str>,
    },
    /// It is not about the resource.
    Resource {
        /// Written as `NotResource`.
        negated: bool,
        /// What it lists.
        listed: Vec<&'a str>,
        /// The first variable without a value, as written.
        unresolved: Option<&'a str>,
    },
    /// A condition does not hold.
    Condition(Finding<'a>),
}

/// Every condition of a statement, held against the request.
pub(super) fn findings<'a>(found: &Found<'a>, context: &'a Context) -> Vec<Finding<'a>> {
    let pairs = found.compiled.conditions.iter().zip(&found.source.conditions);
    pairs.map(|(clause, condition)| finding(clause, condition, context)).collect()
}

fn finding<'a>(clause: &Clause, condition: &'a Condition, context: &'a Context) -> Finding<'a> {
    let found = context.get(&clause.key);
    let values: &[Box<str>] = match found {
        None => &[],
        Some(Values::One(value)) => std::slice::from_ref(value),
        Some(Values::Many(list)) => list,
    };
    let fits = |listed: &Comparand| values.iter().any(|v| clause.is(listed, v, context) == Some(true));
    let fitting = clause.values.iter().position(fits);
    let texts = clause.values.iter().zip(&condition.values);
    let unresolved = texts.filter(|(listed, _)| has_variable(listed));
    let unresolved = unresolved.filter_map(|(_, text)| unresolved_in(&text.text, context)).next();
    Finding { condition, holds: clause.holds(context), found, fitting, unresolved }
}

fn has_variable(listed: &Comparand) -> bool {
    match listed {
        Comparand::Text(template) => template.has_variable(),
        Comparand::Arn(template) => template.fields.iter().any(Template::has_variable),
        _ => false,
    }
}

/// The first `${...}` of a text that has no value in this context.
fn unresolved_in<'a>(text: &'a str, context: &Context) -> Option<&'a str> {
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let length = rest[start..].find('}')? + 1;
        let variable = &rest[start..start + length];
        let inside = &variable[2..length - 1];
        let plain = matches!(inside, "*" | "?" | "$") || inside.contains(", '") || inside.contains(",'");
        if !plain && context.single(&inside.trim().to_lowercase()).is_none() {
            return Some(variable);
        }
        rest = &rest[start + length..];
    }
    None
}

/// How many things keep a statement from matching.
pub(super) fn count(found: &Found<'_>, need: Need, request: &Request) -> usize {
    let compiled = found.compiled;
    usize::from(compiled.dead)
        + usize::from(!means(found.level, need, request))
        + usize::from(compiled.resource.as_ref().is_some_and(|test| !test.matches(request)))
        + compiled.conditions.iter().filter(|clause| !clause.holds(request.context())).count()
}

/// Whether a statement means the caller as it is wanted.
fn means(level: Level, need: Need, request: &Request) -> bool {
    match need {
        Need::Delegation => level == Level::Account,
        Need::Instead => level >= Level::Role,
        Need::Allow if !matches!(request.principal(), Principal::Aws(_)) => level == Level::Direct,
        Need::Allow | Need::Policy => level > Level::None,
    }
}

/// Everything that keeps a statement from matching.
pub(super) fn misses<'a>(found: &Found<'a>, need: Need, request: &'a Request) -> Vec<Miss<'a>> {
    let Found { compiled, source, level, .. } = *found;
    let mut misses = Vec::with_capacity(2);
    if compiled.dead {
        let unknown = source.conditions.iter().find(|condition| condition.test.is_none());
        misses.push(Miss::Never { operator: unknown.map(|condition| condition.operator.text.as_str()) });
    }
    if !means(level, need, request) {
        let listed = source.principal.iter().flat_map(|element| &element.items);
        let listed = listed.map(|who| who.value.text.as_str()).collect();
        misses.push(Miss::Principal { means: level_name(level), listed });
    }
    if let (Some(test), Some(element)) = (&compiled.resource, &source.resource)
        && !test.matches(request)
    {
        let variable = |pattern: &ResourcePattern| match pattern {
            ResourcePattern::Arn(arn) => arn.fields.iter().any(Template::has_variable),
            _ => false,
        };
        let pairs = test.patterns.iter().zip(&element.items).filter(|(pattern, _)| variable(pattern));
        let unresolved = pairs.filter_map(|(_, text)| unresolved_in(&text.text, request.context())).next();
        misses.push(Miss::Resource { negated: element.negated, listed: texts(&element.items), unresolved });
    }
    let held = findings(found, request.context()).into_iter();
    misses.extend(held.filter(|finding| !finding.holds).map(Miss::Condition));
    misses
}

fn texts(items: &[Spanned]) -> Vec<&str> {
    items.iter().map(|item| item.text.as_str()).collect()
}

impl Finding<'_> {
    /// What was found, in one sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let key = &self.condition.key.text;
        let operator = &self.condition.operator.text;
        let Some(test) = self.condition.test else { return format!("there is no operator `{operator}`") };
        if test.operator == Operator::Null {
            return format!("`{key}` is {}", if self.found.is_some() { "present" } else { "absent" });
        }
        let Some(found) = self.found else {
            let counts = if self.holds { format!(", which `{operator}` lets pass") } else { String::new() };
            return format!("`{key}` is absent{counts}");
        };
        if let (Values::Many(_), None) = (found, test.quantifier) {
            return format!(
                "`{key}` has several values, and `{operator}` without `ForAnyValue:` or `ForAllValues:` fits none"
            );
        }
        if let Some(variable) = self.unresolved.filter(|_| self.fitting.is_none()) {
            return format!("`{key}` is {}, and the variable `{variable}` has no value", quoted(found));
        }
        let listed = self.listed(test);
        let relation = relation(test.operator);
        let not = if self.fitting.is_some() { "" } else { "not " };
        match (test.quantifier, found) {
            (Some(Quantifier::ForAllValues), Values::Many(_)) => {
                let (verb, not) = (if self.holds { "all" } else { "not all" }, inverse(test));
                format!("of the values {} of `{key}` {verb} are {not}{relation}{listed}", quoted(found))
            }
            (Some(_), Values::Many(_)) => {
                let (verb, not) = (if self.holds { "some value is" } else { "no value is" }, inverse(test));
                format!("of the values {} of `{key}` {verb} {not}{relation}{listed}", quoted(found))
            }
            _ if relation.is_empty() && self.fitting.is_some() => {
                let listed = if test.inverted { ", which is listed" } else { "" };
                format!("`{key}` is {}{listed}", quoted(found))
            }
            _ => format!("`{key}` is {}, which is {not}{relation}{listed}", quoted(found)),
        }
    }

    /// The value that fits, or else all of them.
    fn listed(&self, test: Test) -> String {
        let values = &self.condition.values;
        match self.fitting.and_then(|at| values.get(at)) {
            Some(value) if test.quantifier.is_none() => format!("`{}`", value.text),
            _ => several(values.iter().map(|value| value.text.as_str()), "or"),
        }
    }
}

fn inverse(test: Test) -> &'static str {
    if test.inverted { "not " } else { "" }
}

/// What an operator asks for, between "is" and the listed value.
fn relation(operator: Operator) -> &'static str {
    match operator {
        Operator::StringEquals
        | Operator::StringEqualsIgnoreCase
        | Operator::Bool
        | Operator::NumericEquals
        | Operator::DateEquals
        | Operator::BinaryEquals
        | Operator::Null => "",
        Operator::StringLike | Operator::ArnLike => "like ",
        Operator::NumericLessThan => "less than ",
        Operator::NumericLessThanEquals => "at most ",
        Operator::NumericGreaterThan => "more than ",
        Operator::NumericGreaterThanEquals => "at least ",
        Operator::DateLessThan => "before ",
        Operator::DateLessThanEquals => "not after ",
        Operator::DateGreaterThan => "after ",
        Operator::DateGreaterThanEquals => "not before ",
        Operator::IpAddress => "in ",
    }
}

/// A condition in words, as something still to be fulfilled.
pub(crate) fn condition_sentence(condition: &Condition) -> String {
    let key = &condition.key.text;
    let listed = several(condition.values.iter().map(|value| value.text.as_str()), "or");
    let Some(test) = condition.test else {
        return format!("there is no operator `{}`", condition.operator.text);
    };
    if test.operator == Operator::Null {
        let absent = condition.values.iter().any(|value| value.text.eq_ignore_ascii_case("true"));
        return format!("`{key}` is {}", if absent { "absent" } else { "present" });
    }
    let subject = match test.quantifier {
        None => format!("`{key}` is"),
        Some(Quantifier::ForAnyValue) => format!("a value of `{key}` is"),
        Some(Quantifier::ForAllValues) => format!("every value of `{key}`, if any, is"),
    };
    let absent = (test.inverted || test.if_exists) && test.quantifier.is_none();
    let or_absent = if absent { ", or absent" } else { "" };
    format!("{subject} {}{}{listed}{or_absent}", inverse(test), relation(test.operator))
}

/// The values in backticks; of many the first three.
pub(super) fn several<'t>(values: impl ExactSizeIterator<Item = &'t str>, join: &str) -> String {
    let count = values.len();
    let mut shown: Vec<String> = values.take(3).map(|value| format!("`{value}`")).collect();
    if count > 3 {
        shown.push(format!("{} more", count - 3));
    }
    match shown.split_last() {
        None => "nothing at all".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {join} {last}", rest.join(", ")),
    }
}

fn quoted(values: &Values) -> String {
    match values {
        Values::One(value) => format!("`{value}`"),
        Values::Many(list) => several(list.iter().map(|value| &**value), "and"),
    }
}

impl Serialize for Finding<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let condition = self.condition;
        let mut out = serializer.serialize_struct("Finding", 8)?;
        out.serialize_field("operator", &condition.operator.text)?;
        out.serialize_field("key", &condition.key.text)?;
        out.serialize_field("listed", &texts(&condition.values))?;
        out.serialize_field("fitting", &self.fitting)?;
        match self.found {
            None => out.serialize_field("found", &None::<&str>)?,
            Some(Values::One(value)) => out.serialize_field("found", value)?,
            Some(Values::Many(list)) => out.serialize_field("found", list)?,
        }
        out.serialize_field("holds", &self.holds)?;
        out.serialize_field("unresolved", &self.unresolved)?;
        out.serialize_field("sentence", &self.sentence())?;
        out.end()
    }
}
