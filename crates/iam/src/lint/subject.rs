//! A policy as the checks see it: its statements with what is asked of them again and again.

use super::glob;
use crate::catalog::{Action, catalog};
use crate::policy::{Condition, Effect, Operator, Policy, PolicyKind, Quantifier, Statement, Version};
use crate::text::{Json, JsonKind, Member, Span, Spanned};
use crate::value::pattern_fields;

/// The policy under examination.
pub(super) struct Subject<'p> {
    pub(super) text: &'p str,
    pub(super) policy: &'p Policy,
    pub(super) kind: PolicyKind,
    pub(super) cases: Vec<Case<'p>>,
}

/// One of its statements.
#[derive(Clone, Copy)]
pub(super) struct Case<'p> {
    pub(super) index: usize,
    pub(super) statement: &'p Statement,
    pub(super) members: &'p [Member],
    pub(super) kind: PolicyKind,
    pub(super) version: Version,
}

/// A finding that has no place in lines yet.
pub(super) struct Draft {
    pub(super) span: Span,
    pub(super) statement: Option<usize>,
    pub(super) sid: Option<String>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Where checks say what they found.
#[derive(Default)]
pub(super) struct Out {
    pub(super) drafts: Vec<Draft>,
}

impl Out {
    /// Something in a statement.
    pub(super) fn say(&mut self, case: &Case<'_>, span: Span, message: String, help: &str) {
        self.drafts.push(Draft {
            span,
            statement: Some(case.index),
            sid: case.statement.sid.as_ref().map(|sid| sid.text.clone()),
            message,
            help: (!help.is_empty()).then(|| help.to_owned()),
        });
    }

    /// Something about the whole policy.
    pub(super) fn say_whole(&mut self, span: Span, message: String, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.drafts.push(Draft { span, statement: None, sid: None, message, help });
    }
}

impl<'p> Subject<'p> {
    pub(super) fn new(text: &'p str, json: &'p Json, policy: &'p Policy, kind: PolicyKind) -> Self {
        let case = |(index, statement): (usize, &'p Statement)| Case {
            index,
            statement,
            members: object_at(json, statement.span),
            kind,
            version: policy.version,
        };
        Self { text, policy, kind, cases: policy.statements.iter().enumerate().map(case).collect() }
    }

    /// Its statements that allow.
    pub(super) fn allows(&self) -> impl Iterator<Item = &Case<'p>> {
        self.cases.iter().filter(|case| case.statement.effect == Effect::Allow)
    }

    /// Its statements that deny.
    pub(super) fn denies(&self) -> impl Iterator<Item = &Case<'p>> {
        self.cases.iter().filter(|case| case.statement.effect == Effect::Deny)
    }

    /// Whether it is attached to somebody, or limits somebody, rather than to a resource.
    pub(super) fn is_of_caller(&self) -> bool {
        matches!(self.kind, PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session)
    }

    /// Where to point for something that is missing from the policy.
    pub(super) fn head(&self) -> Span {
        Span { start: self.policy.span.start, end: self.policy.span.start + 1 }
    }
}

/// The members of the object of a statement.
fn object_at(json: &Json, span: Span) -> &[Member] {
    let mut open = vec![json];
    while let Some(value) = open.pop() {
        match &value.kind {
            JsonKind::Object(members) if value.span == span => return members,
            JsonKind::Object(members) => open.extend(
                members.iter().map(|member| &member.value).filter(|inner| contains(inner.span, span)),
            ),
            JsonKind::Array(items) => {
                let at = items.partition_point(|item| item.span.end < span.end);
                open.extend(items.get(at).filter(|inner| contains(inner.span, span)));
            }
            _ => {}
        }
    }
    &[]
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl<'p> Case<'p> {
    /// Whether it allows.
    pub(super) fn allows(&self) -> bool {
        self.statement.effect == Effect::Allow
    }

    /// Where to point for something that is missing from the statement.
    pub(super) fn head(&self) -> Span {
        let start = self.statement.span.start;
        self.statement.sid.as_ref().map_or(Span { start, end: start + 1 }, |sid| sid.span)
    }

    /// The member of this name, as written.
    pub(super) fn member(&self, name: &str) -> Option<&'p Member> {
        self.members.iter().find(|member| member.key.text == name)
    }

    /// The actions that `Action` lists; none if it is `NotAction`.
    pub(super) fn listed_actions(&self) -> &'p [Spanned] {
        if self.statement.action.negated { &[] } else { &self.statement.action.items }
    }

    /// The listed actions that exist and have no wildcard.
    pub(super) fn exact_actions(&self) -> impl Iterator<Item = (&'p Spanned, Action<'static>)> + use<'p> {
        let exact = self.listed_actions().iter().filter(|item| !glob::is_wild(&item.text));
        exact.filter_map(|item| catalog().action(&item.text).map(|action| (item, action)))
    }

    /// The item of `Action` that covers this action; of `NotAction` the element, if it leaves the action in.
    pub(super) fn covering(&self, action: &str) -> Option<Covering> {
        let element = &self.statement.action;
        let item = element.items.iter().find(|item| glob::covers_folded(&item.text, action));
        match (element.negated, item) {
            (false, Some(item)) if glob::is_wild(&item.text) => Some(Covering::Star(item.span)),
            (false, Some(item)) => Some(Covering::Name(item.span)),
            (true, None) => Some(Covering::Not(element.span)),
            _ => None,
        }
    }

    /// Whether it is about this action.
    pub(super) fn covers(&self, action: &str) -> bool {
        self.covering(action).is_some()
    }

    /// Where it covers this action.
    pub(super) fn span_of(&self, action: &str) -> Span {
        match self.covering(action) {
            Some(Covering::Name(span) | Covering::Star(span) | Covering::Not(span)) => span,
            None => self.head(),
        }
    }

    /// The resources that `Resource` lists; none if it is `NotResource` or absent.
    pub(super) fn listed_resources(&self) -> &'p [Spanned] {
        match &self.statement.resource {
            Some(element) if !element.negated => &element.items,
            _ => &[],
        }
    }

    /// How much its resources leave open.
    pub(super) fn reach(&self) -> Reach {
        match &self.statement.resource {
            Some(element) if element.negated => Reach::Not,
            Some(element) if element.items.iter().any(|item| is_open(&item.text)) => Reach::Open,
            Some(_) => Reach::Named,
            None => Reach::Open,
        }
    }

    /// Whether it reaches all resources of a type, or nearly all.
    pub(super) fn is_open(&self) -> bool {
        self.reach() != Reach::Named
    }

    /// Its conditions on a key, with the key in lower case.
    pub(super) fn on(&self, key: &str) -> impl Iterator<Item = &'p Condition> {
        self.statement.conditions.iter().filter(move |condition| condition.key.text.eq_ignore_ascii_case(key))
    }

    /// Whether it has a condition on one of these keys.
    pub(super) fn has_key(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.on(key).next().is_some())
    }

    /// Whether it has a condition on a key that begins so, in lower case.
    pub(super) fn has_key_beginning(&self, start: &str) -> bool {
        self.statement.conditions.iter().any(|condition| condition.key.text.to_lowercase().starts_with(start))
    }

    /// Whether it has a condition that fails without one of these keys.
    pub(super) fn demands(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.on(key).any(demands_presence))
    }
}

/// How a statement covers an action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Covering {
    /// By its name.
    Name(Span),
    /// By a pattern.
    Star(Span),
    /// By not naming it in `NotAction`.
    Not(Span),
}

/// What the resources of a statement leave open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything of a type, at least.
    Open,
    /// All but what `NotResource` names.
    Not,
    /// What is named.
    Named,
}

/// Whether a condition is false without its key.
pub(super) fn demands_presence(condition: &Condition) -> bool {
    let Some(test) = condition.test else { return true };
    if test.operator == Operator::Null {
        return condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"));
    }
    !test.if_exists
        && match test.quantifier {
            Some(Quantifier::ForAllValues) => false,
            Some(Quantifier::ForAnyValue) => true,
            None => !test.inverted,
        }
}

/// Whether a resource is everything, or everything of a type: `*`, `arn:aws:iam::*:role/*`.
pub(super) fn is_open(resource: &str) -> bool {
    let stars = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    if stars(resource) {
        return true;
    }
    let fields = pattern_fields(resource, true);
    match fields.get(5) {
        // In S3 the last field begins with the name of a bucket, elsewhere with the type of the resource.
        Some(rest) if fields.get(2) == Some(&"s3") => stars(rest) || rest.starts_with("*/"),
        Some(rest) => stars(rest) || rest.split_once(['/', ':']).is_some_and(|(_, name)| stars(name)),
        None => fields.last().is_some_and(|last| last.ends_with('*')),
    }
}

/// A few names for a message.
pub(super) fn some<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(3);
    let shown: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    let list = shown.join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}
