//! Which values of one context key meet some conditions and break others.
//!
//! A key is absent, has one value, or has several. Under `ForAllValues` and `ForAnyValue` a set of values is known by
//! which conditions some element meets and which all meet, so a set of as many elements as there are `some` conditions
//! is enough; each element is a question about one value. Numbers, dates and addresses fall into finitely many classes
//! between the listed ones, of which one member each is tried; texts are searched for by [`super::strings`].

use super::strings::{Found, Pattern, Requirement, Universe, Values as Bindings, find};
use crate::eval::{Clause, Comparand};
use crate::policy::{Operator, Quantifier};
use crate::request::{Context, Values};
use crate::value::{Block, Decimal, Moment, Template, Writing, split_arn};
use core::net::{Ipv4Addr, Ipv6Addr};

/// What a key can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyAnswer {
    /// Nothing meets all of it.
    Nothing,
    /// It is absent, or has these values. If `symbolic`, some of that depends on variables.
    Be { values: Option<Values>, symbolic: bool },
    /// Not decided, and why.
    Unknown(&'static str),
}

/// A condition on the key and whether it must hold.
pub(super) type Wanted<'c> = (&'c Clause, bool);

/// One text, as answers of [`one`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum One {
    Nothing,
    Text(String, bool),
    Unknown(&'static str),
}

/// Finds what the key can be; `many` says whether it can have several values.
pub(super) fn solve(wanted: &[Wanted<'_>], bindings: &Bindings, many: bool) -> KeyAnswer {
    if wanted.iter().all(|(clause, holds)| absent(clause) == *holds) {
        return KeyAnswer::Be { values: None, symbolic: false };
    }
    let null = |clause: &Clause| clause.test.operator == Operator::Null;
    if wanted
        .iter()
        .any(|(clause, holds)| null(clause) && clause.values.contains(&Comparand::Absent(false)) != *holds)
    {
        return KeyAnswer::Nothing;
    }
    let rest: Vec<Wanted<'_>> = wanted.iter().filter(|(clause, _)| !null(clause)).copied().collect();
    let single = one(&rest, bindings);
    if let One::Text(text, symbolic) = single {
        return KeyAnswer::Be { values: Some(Values::One(text.into())), symbolic };
    }
    let several = if many { several(&rest, bindings) } else { KeyAnswer::Nothing };
    match (several, single) {
        (KeyAnswer::Nothing, One::Unknown(cause)) => KeyAnswer::Unknown(cause),
        (answer, _) => answer,
    }
}

/// Whether the key can have exactly one value, as a variable needs it; `None` if that is not decided.
pub(super) fn can_be_single(wanted: &[Wanted<'_>]) -> Option<bool> {
    let null = |clause: &Clause| clause.test.operator == Operator::Null;
    if wanted
        .iter()
        .any(|(clause, holds)| null(clause) && clause.values.contains(&Comparand::Absent(false)) != *holds)
    {
        return Some(false);
    }
    let rest: Vec<Wanted<'_>> = wanted.iter().filter(|(clause, _)| !null(clause)).copied().collect();
    match one(&rest, &Bindings::Unknown) {
        One::Nothing => Some(false),
        One::Text(..) => Some(true),
        One::Unknown(_) => None,
    }
}

fn absent(clause: &Clause) -> bool {
    match clause.test.operator {
        Operator::Null => clause.values.contains(&Comparand::Absent(true)),
        _ => clause.holds_when_absent(),
    }
}

/// Finds a set of values.
fn several(wanted: &[Wanted<'_>], bindings: &Bindings) -> KeyAnswer {
    let (mut every, mut some) = (Vec::new(), Vec::new());
    for (clause, holds) in wanted {
        match (clause.test.quantifier, holds) {
            (None, true) => return KeyAnswer::Nothing,
            (None, false) => {}
            (Some(Quantifier::ForAllValues), true) | (Some(Quantifier::ForAnyValue), false) => {
                every.push((*clause, *holds));
            }
            (Some(Quantifier::ForAnyValue), true) | (Some(Quantifier::ForAllValues), false) => {
                some.push((*clause, *holds));
            }
        }
    }
    let mut elements: Vec<Box<str>> = Vec::new();
    let mut symbolic = false;
    let questions: Vec<Vec<Wanted<'_>>> = if some.is_empty() {
        vec![every.clone()]
    } else {
        some.iter().map(|extra| every.iter().chain([extra]).copied().collect()).collect()
    };
    for question in questions {
        match one(&question, bindings) {
            One::Nothing => return KeyAnswer::Nothing,
            One::Unknown(cause) => return KeyAnswer::Unknown(cause),
            One::Text(text, open) => {
                symbolic |= open;
                if !elements.contains(&text.as_str().into()) {
                    elements.push(text.into());
                }
            }
        }
    }
    KeyAnswer::Be { values: Some(Values::Many(elements.into())), symbolic }
}

/// Finds one value that each condition fits, or does not.
fn one(wanted: &[Wanted<'_>], bindings: &Bindings) -> One {
    let mut candidates = Vec::new();
    let (mut texts, mut kinds) = (Vec::new(), Vec::new());
    for (clause, holds) in wanted {
        if clause.values.iter().any(|value| matches!(value, Comparand::Text(_) | Comparand::Arn(_)))
            || clause.values.iter().all(|value| *value == Comparand::Unreadable)
        {
            match requirement(clause, *holds, bindings) {
                Some(requirement) => texts.push(requirement),
                None => return One::Nothing,
            }
        } else {
            kinds.extend(clause.values.first().map(std::mem::discriminant));
            for value in &clause.values {
                classes(value, &mut candidates);
            }
        }
    }
    kinds.dedup();
    if kinds.is_empty() {
        let readable = if *bindings == Bindings::Unknown { None } else { something(&texts) };
        return match readable.unwrap_or_else(|| find(&texts, Universe::Any)) {
            Found::Nothing => One::Nothing,
            Found::Text { text, symbolic } => One::Text(text, symbolic),
            Found::TooLarge => One::Unknown("a search through texts grew too large"),
        };
    }
    candidates.push("other".to_owned());
    for requirement in &texts {
        if let Found::Text { text, symbolic: false } = find(std::slice::from_ref(requirement), Universe::Any)
        {
            candidates.push(text);
        }
    }
    let nothing = Context::default();
    let meets = |text: &&String| wanted.iter().all(|(clause, holds)| clause.fits(text, &nothing) == *holds);
    match candidates.iter().find(meets) {
        Some(text) => One::Text(text.clone(), false),
        None if texts.is_empty() && kinds.len() == 1 => One::Nothing,
        None => One::Unknown("one key is compared as values of several kinds"),
    }
}

/// A text that is not empty, if there is one: people find it easier to believe.
fn something(texts: &[Requirement]) -> Option<Found> {
    let template = Template::new("?*", Writing { wildcards: true, variables: false, fold: false });
    let mut texts = texts.to_vec();
    texts.push(Requirement { patterns: vec![Pattern::of(&template, &Bindings::Unknown)?], positive: true });
    Some(find(&texts, Universe::Any)).filter(|found| matches!(found, Found::Text { .. }))
}

/// What a condition on texts requires; `None` if nothing can meet it.
fn requirement(clause: &Clause, holds: bool, bindings: &Bindings) -> Option<Requirement> {
    let unreadable = clause.values.contains(&Comparand::Unreadable);
    let boolean = clause.test.operator == Operator::Bool;
    let positive = holds != clause.test.inverted;
    let arn = clause.test.operator == Operator::ArnLike;
    // A variable may stand for what is no boolean or no ARN, so it is never counted on to fit.
    let counts = |p: &Pattern| {
        let readable = match p.literal() {
            Some(text) if arn => split_arn(&text).is_some(),
            _ => !boolean || p.is_boolean(),
        };
        readable && (positive || !(arn || boolean) || p.symbols().next().is_none())
    };
    let pattern = |value: &Comparand| match value {
        Comparand::Text(template) => Pattern::of(template, bindings).filter(counts),
        Comparand::Arn(arn) => Pattern::of_arn(arn, bindings),
        _ => None,
    };
    let patterns: Vec<Pattern> = clause.values.iter().filter_map(pattern).collect();
    // An inverted operator with a value that it cannot read never fits.
    if clause.test.inverted && unreadable {
        return (!holds).then(|| Requirement { patterns: Vec::new(), positive: false });
    }
    Some(Requirement { patterns, positive })
}

/// One member of every class of values that a listed value makes.
fn classes(value: &Comparand, out: &mut Vec<String>) {
    match value {
        Comparand::Number(number) => {
            out.push(number.written());
            out.extend(number.neighbours().into_iter().map(Decimal::written));
        }
        Comparand::Date(moment) => {
            let day = 86_400_000_000_000;
            out.extend([0, day, -day, 1, -1].into_iter().map(|step| Moment(moment.0 + step).written()));
        }
        Comparand::Address(block) => {
            let edges = [Some(block.first), block.last.checked_add(1), block.first.checked_sub(1), Some(0)];
            out.extend(edges.into_iter().flatten().filter_map(|at| address(at, block.v6)));
            out.extend([address(0, false), address(1, true)].into_iter().flatten());
        }
        Comparand::Binary(text) => out.push(text.to_string()),
        _ => {}
    }
}

fn address(at: u128, v6: bool) -> Option<String> {
    if v6 {
        return Some(Ipv6Addr::from(at).to_string());
    }
    u32::try_from(at).ok().map(|at| Ipv4Addr::from(at).to_string())
}

/// The blocks of an address condition, for models of who is outside.
pub(super) fn blocks(clause: &Clause) -> impl Iterator<Item = &Block> {
    clause.values.iter().filter_map(|value| match value {
        Comparand::Address(block) => Some(block),
        _ => None,
    })
}
