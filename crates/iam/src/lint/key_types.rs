//! Operators and the types of keys; and the few keys whose values have a form of their own.

use super::catalogue::key_type;
use super::conditions::{all, tests};
use super::facts::facts;
use super::glob;
use super::subject::{Out, Subject};
use super::unit::{Unit, unit};
use crate::catalog::{KeyType, global_key};
use crate::policy::Operator;
use crate::value::split_arn;

pub(super) const UNITS: &[Unit] = &[
    unit!("type-mismatch", Warning, "An operator that is not for the type of the key", mismatch),
    unit!("arn-under-string-like", SecurityWarning, "A pattern of ARNs under StringLike", arn_as_text),
    unit!("region-value", Error, "A Region that does not exist", region),
    unit!("vpc-value", Error, "A value that is no id of a VPC", |s, o| identifier(
        s,
        o,
        "aws:SourceVpc",
        "vpc-"
    )),
    unit!("vpce-value", Error, "A value that is no id of a VPC endpoint", |s, o| identifier(
        s,
        o,
        "aws:SourceVpce",
        "vpce-"
    )),
    unit!("account-value", Error, "A value that is no account", account),
    unit!("kms-key-value", Error, "A value that is not the ARN of a KMS key", kms_key),
];

/// The operators for a type of key, for messages.
fn family(kind: KeyType) -> &'static str {
    match kind.element() {
        KeyType::Arn => "ArnLike",
        KeyType::Bool => "Bool",
        KeyType::Numeric => "NumericEquals",
        KeyType::Date => "DateLessThan",
        KeyType::IpAddress => "IpAddress",
        _ => "StringEquals",
    }
}

fn is_text(operator: Operator) -> bool {
    matches!(operator, Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike)
}

/// Whether an operator reads values of a type as they are meant. Texts of ARNs compare well as texts.
fn suits(operator: Operator, kind: KeyType) -> bool {
    use Operator as O;
    match operator {
        O::Null => true,
        O::StringEquals | O::StringEqualsIgnoreCase | O::StringLike => {
            matches!(kind.element(), KeyType::String | KeyType::Arn)
        }
        O::ArnLike => kind.element() == KeyType::Arn,
        O::Bool => kind.element() == KeyType::Bool,
        O::BinaryEquals => matches!(kind.element(), KeyType::String),
        O::IpAddress => kind.element() == KeyType::IpAddress,
        O::NumericEquals
        | O::NumericLessThan
        | O::NumericLessThanEquals
        | O::NumericGreaterThan
        | O::NumericGreaterThanEquals => kind.element() == KeyType::Numeric,
        O::DateEquals
        | O::DateLessThan
        | O::DateLessThanEquals
        | O::DateGreaterThan
        | O::DateGreaterThanEquals => kind.element() == KeyType::Date,
    }
}

fn mismatch(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, test) in tests(subject) {
        let key = condition.key.text.as_str();
        let Some(kind) = key_type(key) else { continue };
        let other = global_key(key).and_then(crate::catalog::GlobalKey::other_kind);
        if suits(test.operator, kind) || other.is_some_and(|other| suits(test.operator, other)) {
            continue;
        }
        let message = format!(
            "`{key}` is of type {}, `{}` is not for it",
            kind.element().name(),
            condition.operator.text
        );
        out.say(case, condition.operator.span, message, &format!("use operators such as `{}`", family(kind)));
    }
}

fn arn_as_text(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| test.operator == Operator::StringLike) {
        let arn = key_type(&condition.key.text).map(KeyType::element) == Some(KeyType::Arn);
        let value = condition.values.iter().find(|value| glob::is_wild(&value.text) && value.text != "*");
        if let Some(value) = value.filter(|_| arn) {
            let message = format!(
                "under `{}` the star of `{}` reaches over colons",
                condition.operator.text, value.text
            );
            out.say(case, value.span, message, "use `ArnLike`, which compares the six fields one by one");
        }
    }
}

fn plain(values: &[crate::text::Spanned]) -> impl Iterator<Item = &crate::text::Spanned> {
    values.iter().filter(|value| !glob::is_wild(&value.text) && !value.text.contains("${"))
}

fn region(subject: &Subject<'_>, out: &mut Out) {
    let keys = ["aws:requestedregion", "ec2:region"];
    for (case, condition) in all(subject).filter(|(_, c)| keys.contains(&c.key.text.to_lowercase().as_str()))
    {
        for value in plain(&condition.values).filter(|value| !facts().is_region(&value.text)) {
            if condition.test.is_some_and(|test| is_text(test.operator)) {
                let message = format!("there is no Region `{}`", value.text);
                out.say(case, value.span, message, &format!("Regions are known as of {}", facts().as_of()));
            }
        }
    }
}

fn identifier(subject: &Subject<'_>, out: &mut Out, key: &str, start: &str) {
    for (case, condition) in all(subject).filter(|(_, c)| c.key.text.eq_ignore_ascii_case(key)) {
        if condition.test.is_none_or(|test| !is_text(test.operator)) {
            continue;
        }
        for value in plain(&condition.values) {
            let id = value.text.strip_prefix(start);
            if !id
                .is_some_and(|id| matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_alphanumeric()))
            {
                let message = format!("`{}` is no value of `{key}`", value.text);
                out.say(
                    case,
                    value.span,
                    message,
                    &format!("write `{start}` and 8 or 17 letters and digits"),
                );
            }
        }
    }
}

const ACCOUNT_KEYS: [&str; 7] = [
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:resourceaccount",
    "aws:vpceaccount",
    "kms:calleraccount",
    "s3:resourceaccount",
    "s3:dataaccesspointaccount",
];

fn account(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in
        all(subject).filter(|(_, c)| ACCOUNT_KEYS.contains(&c.key.text.to_lowercase().as_str()))
    {
        if condition.test.is_none_or(|test| !is_text(test.operator)) {
            continue;
        }
        for value in plain(&condition.values)
            .filter(|value| !crate::request::is_account(&value.text) && value.text != "anonymous")
        {
            out.say(
                case,
                value.span,
                format!("`{}` is no account", value.text),
                "write twelve digits, as a string",
            );
        }
    }
}

const KMS_KEYS: [&str; 1] = ["s3:x-amz-server-side-encryption-aws-kms-key-id"];

fn kms_key(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in
        all(subject).filter(|(_, c)| KMS_KEYS.contains(&c.key.text.to_lowercase().as_str()))
    {
        if condition.test.is_none_or(|test| !is_text(test.operator) && test.operator != Operator::ArnLike) {
            continue;
        }
        for value in plain(&condition.values) {
            let key = split_arn(&value.text)
                .is_some_and(|fields| fields[2] == "kms" && fields[5].starts_with("key/"));
            if !key {
                let message = format!("`{}` is not the ARN of a key, with which S3 compares", value.text);
                out.say(
                    case,
                    value.span,
                    message,
                    "write `arn:aws:kms:REGION:ACCOUNT:key/ID`; ids and aliases do not fit",
                );
            }
        }
    }
}
