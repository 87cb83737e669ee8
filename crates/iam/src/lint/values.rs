//! Values that their operator cannot read, and values of mixed kinds.

use super::conditions::tests;
use super::glob;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{Condition, Operator, Test, Version};
use crate::text::{Json, JsonKind, Spanned};
use crate::value::{Block, Decimal, Moment, pattern_fields};

pub(super) const UNITS: &[Unit] = &[
    unit!("value-boolean", Warning, "A value that is neither true nor false", |s, o| unreadable(
        s, o, BOOLEAN
    )),
    unit!("value-date", Warning, "A value that is no date", |s, o| unreadable(s, o, DATE)),
    unit!("value-number", Warning, "A value that is no number", |s, o| unreadable(s, o, NUMBER)),
    unit!("value-address", Error, "A value that is no address", |s, o| unreadable(s, o, ADDRESS)),
    unit!("value-base64", Warning, "A value that is not base64", |s, o| unreadable(s, o, BINARY)),
    unit!("value-arn", Error, "A value under an ARN operator that is no ARN", |s, o| unreadable(s, o, ARN)),
    unit!("value-epoch", Warning, "A date in seconds since 1970", epoch),
    unit!("value-types-mixed", Error, "Values of different JSON types in one list", mixed),
    unit!("value-booleans", Error, "True and false in one list", booleans),
    unit!("duplicate-key", Error, "One condition key twice, in different case", duplicate),
];

/// A kind of value: what to call it, how to write it, the operators that want it, and whether a text is one.
#[derive(Clone, Copy)]
struct Readable {
    what: &'static str,
    help: &'static str,
    wanted: fn(Operator) -> bool,
    reads: fn(&str) -> bool,
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

const BOOLEAN: Readable = Readable {
    what: "neither true nor false",
    help: "write `true` or `false`",
    wanted: |operator| matches!(operator, Operator::Bool | Operator::Null),
    reads: is_boolean,
};
const DATE: Readable = Readable {
    what: "no date",
    help: "write for instance `2026-01-31` or `2026-01-31T12:00:00Z`",
    wanted: is_date,
    reads: |text| Moment::parse(text).is_some(),
};
const NUMBER: Readable = Readable {
    what: "no number",
    help: "write digits, for instance `3600`",
    wanted: |operator| {
        matches!(
            operator,
            Operator::NumericEquals
                | Operator::NumericLessThan
                | Operator::NumericLessThanEquals
                | Operator::NumericGreaterThan
                | Operator::NumericGreaterThanEquals
        )
    },
    reads: |text| Decimal::parse(text).is_some(),
};
const ADDRESS: Readable = Readable {
    what: "no address and no block of addresses",
    help: "write for instance `203.0.113.0/24` or `2001:db8::/32`",
    wanted: |operator| operator == Operator::IpAddress,
    reads: |text| Block::parse(text).is_some(),
};
const BINARY: Readable = Readable {
    what: "not base64",
    help: "encode the bytes in base64, with its padding",
    wanted: |operator| operator == Operator::BinaryEquals,
    reads: is_base64,
};
const ARN: Readable = Readable {
    what: "no ARN, so nothing is compared with it",
    help: "write six fields, `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, with `*` where they are open",
    wanted: |operator| operator == Operator::ArnLike,
    reads: |text| {
        let fields = pattern_fields(text, true);
        fields.len() == 6
            && fields.first().is_some_and(|first| glob::covers(first, "arn") || first.contains("${"))
    },
};

/// Those whose unreadable values fit nothing; in a Deny they have a lint of their own.
const READABLE: [Readable; 5] = [BOOLEAN, DATE, NUMBER, ADDRESS, ARN];

fn is_date(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::DateEquals
            | Operator::DateLessThan
            | Operator::DateLessThanEquals
            | Operator::DateGreaterThan
            | Operator::DateGreaterThanEquals
    )
}

/// Whether a value is a whole variable, which other lints speak of.
fn has_variable(text: &str, version: Version) -> bool {
    version == Version::V2012 && text.contains("${")
}

fn unreadable(subject: &Subject<'_>, out: &mut Out, readable: Readable) {
    let elsewhere = READABLE.iter().any(|other| other.what == readable.what);
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| (readable.wanted)(test.operator)) {
        if elsewhere && !case.allows() {
            continue;
        }
        for value in condition.values.iter().filter(|value| !(readable.reads)(&value.text)) {
            if !has_variable(&value.text, case.version) {
                let message = format!("`{}` is {}", value.text, readable.what);
                out.say(case, value.span, message, readable.help);
            }
        }
    }
}

/// How values of an operator are written.
pub(super) fn how_to_write(operator: Operator) -> &'static str {
    let readable = READABLE.iter().find(|readable| (readable.wanted)(operator));
    readable.map_or("correct the value", |readable| readable.help)
}

/// The values of a condition that its operator cannot read, and which therefore fit nothing.
pub(super) fn unreadable_values(condition: &Condition, test: Test) -> Vec<&Spanned> {
    let Some(readable) = READABLE.iter().find(|readable| (readable.wanted)(test.operator)) else {
        return Vec::new();
    };
    let variables = |text: &str| test.operator.takes_variables() && text.contains("${");
    condition
        .values
        .iter()
        .filter(|value| !(readable.reads)(&value.text) && !variables(&value.text))
        .collect()
}

fn epoch(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| is_date(test.operator)) {
        if condition.key.text.eq_ignore_ascii_case("aws:EpochTime") {
            continue;
        }
        for value in condition
            .values
            .iter()
            .filter(|v| !v.text.is_empty() && v.text.bytes().all(|b| b.is_ascii_digit()))
        {
            let message = format!("`{}` are seconds since 1970, even if a year was meant", value.text);
            out.say(case, value.span, message, "write the date, for instance `2026-01-31`");
        }
    }
}

/// The values of every condition as JSON.
fn written<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned, &'p Json)> {
    subject.cases.iter().flat_map(|case| {
        let operators = case.member("Condition").into_iter().flat_map(|member| members(&member.value));
        operators.flat_map(|operator| members(&operator.value)).map(move |key| (case, &key.key, &key.value))
    })
}

fn members(json: &Json) -> &[crate::text::Member] {
    match &json.kind {
        JsonKind::Object(members) => members,
        _ => &[],
    }
}

fn mixed(subject: &Subject<'_>, out: &mut Out) {
    for (case, key, value) in written(subject) {
        let JsonKind::Array(items) = &value.kind else { continue };
        if items.iter().any(|item| items.first().is_some_and(|first| first.what() != item.what())) {
            let message = format!("the values of `{}` are of different JSON types", key.text);
            out.say(case, value.span, message, "write all of them as strings");
        }
    }
}

fn booleans(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in
        tests(subject).filter(|(_, _, test)| matches!(test.operator, Operator::Bool | Operator::Null))
    {
        if condition.values.len() > 1 {
            let message =
                format!("`{}` is compared with {} truth values", condition.key.text, condition.values.len());
            out.say(case, condition.key.span, message, "keep the one that is meant");
        }
    }
}

fn duplicate(subject: &Subject<'_>, out: &mut Out) {
    for case in &subject.cases {
        for operator in case.member("Condition").into_iter().flat_map(|member| members(&member.value)) {
            let mut seen = std::collections::BTreeSet::new();
            for key in members(&operator.value) {
                if !seen.insert(key.key.text.to_lowercase()) {
                    let message = format!("`{}` stands here already, in other letters", key.key.text);
                    out.say(case, key.key.span, message, "join the two; names of keys have no case");
                }
            }
        }
    }
}
