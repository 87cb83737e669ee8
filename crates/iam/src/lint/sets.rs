//! Keys with several values, and the set operators.

use super::catalogue::key_type;
use super::conditions::tests;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{Operator, Quantifier};

pub(super) const UNITS: &[Unit] = &[
    unit!("set-operator-missing", Error, "A key with several values under a plain operator", missing),
    unit!("for-all-values-single", SecurityWarning, "ForAllValues on a key with one value", |s, o| for_all(
        s, o, false
    )),
    unit!(
        "for-all-values-absent",
        SecurityWarning,
        "An Allow with ForAllValues that a request without the key passes",
        |s, o| {
            for_all(s, o, true);
        }
    ),
    unit!("for-any-value-negated", SecurityWarning, "ForAnyValue with an inverted operator", negated),
];

fn missing(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, test) in tests(subject) {
        let many = key_type(&condition.key.text).is_some_and(crate::catalog::KeyType::is_multivalued);
        if many && test.quantifier.is_none() && test.operator != Operator::Null {
            let message =
                format!("`{}` has a list of values, with which this never holds", condition.key.text);
            let help = format!("write `ForAnyValue:{0}` or `ForAllValues:{0}`", condition.operator.text);
            out.say(case, condition.operator.span, message, &help);
        }
    }
}

/// Whether the statement demands the key, so that an absent one does not pass.
fn demanded(case: &Case<'_>, key: &str) -> bool {
    case.on(key).any(|condition| {
        condition.test.is_some_and(|test| match test.quantifier {
            Some(Quantifier::ForAllValues) => false,
            Some(Quantifier::ForAnyValue) => !test.if_exists,
            None => {
                test.operator == Operator::Null
                    && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
            }
        })
    })
}

fn for_all(subject: &Subject<'_>, out: &mut Out, multivalued: bool) {
    for (case, condition, test) in tests(subject).filter(|(case, _, _)| case.allows()) {
        if test.quantifier != Some(Quantifier::ForAllValues) || test.operator == Operator::Null {
            continue;
        }
        let many = key_type(&condition.key.text).is_none_or(crate::catalog::KeyType::is_multivalued);
        if many != multivalued || multivalued && demanded(case, &condition.key.text) {
            continue;
        }
        let message =
            format!("a request without `{}` passes, because nothing is in every list", condition.key.text);
        let help = match multivalued {
            true => format!("add `\"Null\": {{\"{}\": \"false\"}}`", condition.key.text),
            false => "the key has one value: remove `ForAllValues:`".to_owned(),
        };
        out.say(case, condition.operator.span, message, &help);
    }
}

fn negated(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, test) in tests(subject) {
        if test.quantifier == Some(Quantifier::ForAnyValue) && test.inverted {
            let message = format!(
                "one value of `{}` outside of the list is enough for this to hold",
                condition.key.text
            );
            let help =
                "write `ForAllValues:` with the inverted operator if none of the listed values may be there";
            out.say(case, condition.operator.span, message, help);
        }
    }
}
