//! Operators: those that do not exist, and those that do something else than they seem to.

use super::catalogue::{did_you_mean, key_type, nearest};
use super::glob;
use super::subject::{Case, Out, Subject, demands_presence};
use super::unit::{Unit, unit};
use crate::catalog::KeyType;
use crate::policy::{Condition, Effect, Operator, Test};

pub(super) const UNITS: &[Unit] = &[
    unit!("operator-unknown", Error, "A condition operator that does not exist", unknown),
    unit!("null-if-exists", Error, "Null with IfExists", null_if_exists),
    unit!("null-quantified", Suggestion, "Null with a set operator", null_quantified),
    unit!(
        "wildcard-literal",
        Warning,
        "A wildcard under an operator that takes it literally",
        wildcard_literal
    ),
    unit!("condition-always-true", Suggestion, "A condition that holds whenever its key is there", always),
    unit!("condition-never-true", Warning, "A condition that no value of its key meets", never),
    unit!("mfa-deny-fails-open", Error, "A Deny without MFA that spares long-term access keys", mfa_deny),
    unit!(
        "mfa-allow-if-exists",
        SecurityWarning,
        "An Allow with MFA that long-term access keys pass",
        mfa_allow
    ),
    unit!("deny-boolean-as-text", Warning, "A Deny compares a truth value as a text", boolean_as_text),
];

/// Every condition with its statement.
pub(super) fn all<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Condition)> {
    subject
        .cases
        .iter()
        .flat_map(|case| case.statement.conditions.iter().map(move |condition| (case, condition)))
}

/// Every condition whose operator exists.
pub(super) fn tests<'s, 'p>(
    subject: &'s Subject<'p>,
) -> impl Iterator<Item = (&'s Case<'p>, &'p Condition, Test)> {
    all(subject).filter_map(|(case, condition)| Some((case, condition, condition.test?)))
}

fn is_null_if_exists(written: &str) -> bool {
    let base = written.rsplit(':').next().unwrap_or(written);
    base.eq_ignore_ascii_case("NullIfExists")
}

const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
];

fn unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in
        all(subject).filter(|(_, c)| c.test.is_none() && !is_null_if_exists(&c.operator.text))
    {
        if case.allows() {
            let written = condition.operator.text.as_str();
            let message = format!("there is no operator `{written}`, so the statement never matches");
            out.say(case, condition.operator.span, message, &operator_help(written));
        }
    }
}

/// What may have been meant by an operator that does not exist.
pub(super) fn operator_help(written: &str) -> String {
    let near = nearest(written.rsplit(':').next().unwrap_or(written), OPERATORS.into_iter());
    did_you_mean(&near, "", "see the condition operators in the IAM User Guide")
}

fn null_if_exists(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject).filter(|(_, c)| is_null_if_exists(&c.operator.text)) {
        let message = "`Null` asks whether a key is there and cannot have `IfExists`".to_owned();
        out.say(case, condition.operator.span, message, "write `Null`");
    }
}

fn null_quantified(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in
        tests(subject).filter(|(_, _, test)| test.operator == Operator::Null && test.quantifier.is_some())
    {
        let message = "`Null` asks whether a key is there; a set operator adds nothing".to_owned();
        out.say(case, condition.operator.span, message, "write `Null` alone");
    }
}

fn wildcard_literal(subject: &Subject<'_>, out: &mut Out) {
    let texts = [Operator::StringEquals, Operator::StringEqualsIgnoreCase];
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| texts.contains(&test.operator)) {
        for value in &condition.values {
            let plain = value.text.replace("${*}", "").replace("${?}", "");
            if glob::is_wild(&plain) {
                let message = format!("`{}` is compared letter by letter, its wildcard too", value.text);
                out.say(case, value.span, message, "use `StringLike`, or write `${*}` if a star is meant");
            }
        }
    }
}

fn is_pattern_of_all(condition: &Condition, test: Test) -> bool {
    let any = |value: &str| match test.operator {
        Operator::StringLike => !value.is_empty() && value.bytes().all(|byte| byte == b'*'),
        Operator::ArnLike => glob::covers(value, "arn:*:*:*:*:*") || value == "*",
        _ => false,
    };
    condition.values.iter().any(|value| any(&value.text))
}

fn always(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in
        tests(subject).filter(|(_, c, test)| !test.inverted && is_pattern_of_all(c, *test))
    {
        let message =
            format!("every value of `{}` fits, so this asks only whether it is there", condition.key.text);
        out.say(case, condition.key.span, message, "say what is meant with `Null`, or remove it");
    }
}

fn never(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in
        tests(subject).filter(|(_, c, test)| test.inverted && is_pattern_of_all(c, *test))
    {
        let message =
            format!("no value of `{}` passes; the condition holds only without the key", condition.key.text);
        out.say(case, condition.key.span, message, "say what is meant with `Null`, or narrow the pattern");
    }
}

const MFA: &str = "aws:multifactorauthpresent";

fn says(condition: &Condition, wanted: &str) -> bool {
    condition.values.iter().any(|value| value.text.eq_ignore_ascii_case(wanted))
}

fn mfa_deny(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        for condition in case.on(MFA).filter(|c| c.test.is_some_and(|t| t.operator == Operator::Bool)) {
            if demands_presence(condition) && says(condition, "false") {
                let message = "requests with long-term access keys carry no `aws:MultiFactorAuthPresent` and are not denied".to_owned();
                out.say(case, condition.operator.span, message, "write `BoolIfExists`");
            }
        }
    }
}

fn mfa_allow(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.allows() {
        let absent_passes =
            case.on(MFA).find(|c| c.test.is_some() && !demands_presence(c) && says(c, "true"));
        if let Some(condition) =
            absent_passes.filter(|c| c.test.is_some_and(|t| t.operator != Operator::Null))
        {
            let message =
                "requests with long-term access keys carry no `aws:MultiFactorAuthPresent` and are let in"
                    .to_owned();
            out.say(case, condition.operator.span, message, "write `Bool`");
        }
    }
}

fn boolean_as_text(subject: &Subject<'_>, out: &mut Out) {
    let texts = [Operator::StringEquals, Operator::StringEqualsIgnoreCase, Operator::StringLike];
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| texts.contains(&test.operator)) {
        let boolean = key_type(&condition.key.text).map(KeyType::element) == Some(KeyType::Bool);
        if boolean && case.statement.effect == Effect::Deny {
            let message =
                format!("`{}` is true or false, and `True` is another text than `true`", condition.key.text);
            out.say(case, condition.operator.span, message, "use `Bool`");
        }
    }
}
