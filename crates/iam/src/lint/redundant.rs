//! What says the same as something beside it.

use super::glob;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{Element, Operator, Statement};
use crate::text::Spanned;
use crate::value::Decimal;

pub(super) const UNITS: &[Unit] = &[
    unit!("redundant-action", Suggestion, "An action is covered by another one of the list", |s, o| listed(
        s, o, true
    )),
    unit!("redundant-resource", Suggestion, "A resource is covered by another one of the list", |s, o| {
        listed(s, o, false);
    }),
    unit!("redundant-statement", Suggestion, "Two statements say the same", same_statement),
    unit!("shadowed-statement", Suggestion, "A statement is covered by a wider one", shadowed),
    unit!("redundant-number", Suggestion, "Of several limits only one counts", numbers),
];

/// Pairs are compared one by one; lists that no quota of AWS allows are not.
const MAX_ITEMS: usize = 500;
const MAX_CHARS: usize = 40_000;

fn is_small(items: &[Spanned]) -> bool {
    items.len() <= MAX_ITEMS && items.iter().map(|item| item.text.len()).sum::<usize>() <= MAX_CHARS
}

fn listed(subject: &Subject<'_>, out: &mut Out, actions: bool) {
    for case in &subject.cases {
        let (element, fold) = match actions {
            true => (Some(&case.statement.action), true),
            false => (case.statement.resource.as_ref(), false),
        };
        let Some(element) = element.filter(|element| is_small(&element.items)) else { continue };
        for (at, item) in element.items.iter().enumerate() {
            let Some(wider) = wider(&element.items, at, fold) else { continue };
            let message = format!("`{}` is covered by `{}` beside it", item.text, wider.text);
            out.say(case, item.span, message, "remove one of the two");
        }
    }
}

/// An item that covers the one at this place; of two equal ones the first.
fn wider(items: &[Spanned], at: usize, fold: bool) -> Option<&Spanned> {
    let item = items.get(at)?;
    items.iter().enumerate().find_map(|(other, wider)| {
        let covers = other != at && covers(&wider.text, &item.text, fold);
        let back = covers && covers_back(&wider.text, &item.text, fold);
        (covers && (!back || other < at)).then_some(wider)
    })
}

fn covers_back(wider: &str, item: &str, fold: bool) -> bool {
    covers(item, wider, fold)
}

fn covers(pattern: &str, other: &str, fold: bool) -> bool {
    if pattern.contains("${") || other.contains("${") {
        return pattern == other;
    }
    if fold { glob::covers_folded(pattern, other) } else { glob::covers(pattern, other) }
}

/// A statement without its name and place.
fn content(statement: &Statement) -> String {
    let listed = |element: &Element<Spanned>| {
        let mut texts: Vec<&str> = element.items.iter().map(|item| item.text.as_str()).collect();
        texts.sort_unstable();
        format!("{}{texts:?}", element.negated)
    };
    let mut conditions: Vec<String> = statement
        .conditions
        .iter()
        .map(|c| {
            let mut values: Vec<&str> = c.values.iter().map(|value| value.text.as_str()).collect();
            values.sort_unstable();
            format!("{} {} {values:?}", c.operator.text, c.key.text.to_lowercase())
        })
        .collect();
    conditions.sort_unstable();
    let principal = statement.principal.as_ref().map(|element| {
        let mut who: Vec<String> =
            element.items.iter().map(|who| format!("{:?} {}", who.sort, who.value.text)).collect();
        who.sort_unstable();
        format!("{}{who:?}", element.negated)
    });
    format!(
        "{:?} {} {:?} {principal:?} {conditions:?}",
        statement.effect,
        listed(&statement.action).to_lowercase(),
        statement.resource.as_ref().map(listed),
    )
}

fn same_statement(subject: &Subject<'_>, out: &mut Out) {
    let mut seen = std::collections::BTreeMap::new();
    for case in &subject.cases {
        if let Some(first) = seen.insert(content(case.statement), case.index) {
            let message = format!("the statement says the same as statement {first}");
            out.say(case, case.head(), message, "remove one of the two");
        }
    }
}

fn shadowed(subject: &Subject<'_>, out: &mut Out) {
    if subject.cases.len() > MAX_ITEMS || subject.text.len() > 2 * MAX_CHARS {
        return;
    }
    for case in &subject.cases {
        let wider = subject.cases.iter().find(|other| other.index != case.index && shadows(other, case));
        if let Some(wider) = wider {
            let message = format!("everything that the statement says, statement {} says too", wider.index);
            out.say(case, case.head(), message, "remove it, or narrow the wider statement");
        }
    }
}

/// Whether a statement without conditions covers another one, and the other does not cover it back.
fn shadows(wide: &Case<'_>, narrow: &Case<'_>) -> bool {
    let (w, n) = (wide.statement, narrow.statement);
    let one_way = |a: &Statement, b: &Statement| {
        a.effect == b.effect
            && a.conditions.is_empty()
            && !a.action.negated
            && !b.action.negated
            && all_covered(&a.action, &b.action, true)
            && match (&a.resource, &b.resource) {
                (Some(a), Some(b)) => !a.negated && !b.negated && all_covered(a, b, false),
                (None, None) => true,
                _ => false,
            }
            && match (&a.principal, &b.principal) {
                (None, None) => true,
                (Some(a), Some(b)) => {
                    !a.negated
                        && !b.negated
                        && b.items.iter().all(|who| {
                            let same =
                                |o: &crate::policy::Who| o.sort == who.sort && o.value.text == who.value.text;
                            a.items.iter().any(|other| other.is_everyone() || same(other))
                        })
                }
                _ => false,
            }
    };
    one_way(w, n)
        && !n.action.items.is_empty()
        && (!one_way(n, w) || content(w) != content(n) && wide.index < narrow.index)
}

fn all_covered(wide: &Element<Spanned>, narrow: &Element<Spanned>, fold: bool) -> bool {
    narrow.items.iter().all(|item| wide.items.iter().any(|wider| covers(&wider.text, &item.text, fold)))
}

fn numbers(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        for condition in case.statement.conditions.iter().filter(|c| c.values.len() > 1) {
            let which = match condition.test.map(|test| test.operator) {
                Some(Operator::NumericLessThan | Operator::NumericLessThanEquals) => "greatest",
                Some(Operator::NumericGreaterThan | Operator::NumericGreaterThanEquals) => "least",
                _ => continue,
            };
            if condition.values.iter().all(|value| Decimal::parse(&value.text).is_some()) {
                let message = format!("of the limits of `{}` only the {which} counts", condition.key.text);
                out.say(case, condition.key.span, message, "keep that one value");
            }
        }
    }
}
