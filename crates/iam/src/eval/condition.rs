//! Whether a condition holds. IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context
//! keys"; the doubtful points stand in [`crate::quirks`].

use crate::policy::{Condition, Operator, Quantifier, Test, Version};
use crate::request::{Context, Values, hash_of};
use crate::value::{ArnTemplate, Atom, Block, Decimal, Moment, Template, Writing, split_arn};
use std::cmp::Ordering;

/// A condition, compiled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) test: Test,
    /// In lower case.
    pub(crate) key: Box<str>,
    key_hash: u64,
    sort: Sort,
    pub(crate) values: Box<[Comparand]>,
}

/// The sorts of conditions that are compared by themselves, because most are of them.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    /// Texts, whatever is in them.
    Text,
    /// Whether it is true, or whether it is false.
    True,
    False,
    /// Whether the key is there.
    Presence,
    Other,
}

impl Sort {
    fn of(operator: Operator, values: &[Comparand]) -> Self {
        match (operator, values) {
            (Operator::Null, _) => Self::Presence,
            (Operator::Bool, [Comparand::Text(template)]) => match &*template.atoms {
                [Atom::Literal(word)] => match boolean(word) {
                    Some(true) => Self::True,
                    Some(false) => Self::False,
                    None => Self::Other,
                },
                _ => Self::Other,
            },
            (Operator::Bool | Operator::ArnLike, _) => Self::Other,
            _ if operator.takes_variables() => Self::Text,
            _ => Self::Other,
        }
    }
}

/// A listed value, read as its operator wants it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Comparand {
    Text(Template),
    Arn(ArnTemplate),
    Number(Decimal),
    Date(Moment),
    Address(Block),
    Binary(Box<str>),
    /// Of `Null`: whether the key must be absent.
    Absent(bool),
    /// A value that the operator cannot read: it fits nothing, and nothing is its opposite.
    Unreadable,
}

impl Clause {
    /// Compiles a condition; `None` if there is no such operator.
    pub(crate) fn new(condition: &Condition, version: Version) -> Option<Self> {
        let test = condition.test?;
        let values: Box<[Comparand]> =
            condition.values.iter().map(|value| comparand(test.operator, &value.text, version)).collect();
        let key: Box<str> = condition.key.text.to_lowercase().into();
        let sort = Sort::of(test.operator, &values);
        Some(Self { test, key_hash: hash_of(&key), sort, key, values })
    }

    /// Whether it holds in this context.
    #[inline]
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let present = context.get_hashed(self.key_hash, &self.key);
        match present {
            Some(Values::One(value)) if self.sort != Sort::Presence => self.fits(value, context),
            _ => self.holds_otherwise(present, context),
        }
    }

    /// The same where the key has not one value, or that does not matter.
    #[inline(never)]
    fn holds_otherwise(&self, present: Option<&Values>, context: &Context) -> bool {
        if self.sort == Sort::Presence {
            return self.values.contains(&Comparand::Absent(present.is_none()));
        }
        match (present, self.test.quantifier) {
            (None, _) => self.holds_when_absent(),
            (Some(Values::One(value)), _) => self.fits(value, context),
            (Some(Values::Many(list)), Some(Quantifier::ForAllValues)) => {
                list.iter().all(|value| self.fits(value, context))
            }
            (Some(Values::Many(list)), Some(Quantifier::ForAnyValue)) => {
                list.iter().any(|value| self.fits(value, context))
            }
            (Some(Values::Many(_)), None) => false,
        }
    }

    /// What it says of a request without the key.
    pub(crate) fn holds_when_absent(&self) -> bool {
        self.test.if_exists
            || match self.test.quantifier {
                Some(Quantifier::ForAllValues) => true,
                Some(Quantifier::ForAnyValue) => false,
                None => self.test.inverted,
            }
    }

    /// Whether a value of the request is this listed one; `None` if one of the two is not of the operator's kind.
    pub(crate) fn is(&self, listed: &Comparand, value: &str, context: &Context) -> Option<bool> {
        compare(self.test.operator, listed, value, context)
    }

    /// Whether one value of the request fits: one of the listed values, or of an inverted operator none.
    #[inline]
    pub(crate) fn fits(&self, value: &str, context: &Context) -> bool {
        match self.sort {
            Sort::Text => {
                let is =
                    |listed: &Comparand| matches!(listed, Comparand::Text(text) if text.fits(value, context));
                self.values.iter().any(is) != self.test.inverted
            }
            Sort::True => boolean(value).is_some_and(|is| is != self.test.inverted),
            Sort::False => boolean(value).is_some_and(|is| is == self.test.inverted),
            Sort::Presence | Sort::Other => self.fits_by_kind(value, context),
        }
    }

    /// The same for values that may not be of the operator's kind.
    #[inline(never)]
    fn fits_by_kind(&self, value: &str, context: &Context) -> bool {
        let inverted = self.test.inverted;
        for listed in &self.values {
            match compare(self.test.operator, listed, value, context) {
                Some(true) => return !inverted,
                None if inverted => return false,
                _ => {}
            }
        }
        inverted
    }
}

/// Reads a listed value as its operator wants it.
fn comparand(operator: Operator, text: &str, version: Version) -> Comparand {
    let variables = version == Version::V2012 && operator.takes_variables();
    let fold = matches!(operator, Operator::StringEqualsIgnoreCase | Operator::Bool);
    let writing = Writing { wildcards: operator.takes_wildcards(), variables, fold };
    match operator {
        Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike | Operator::Bool => {
            Comparand::Text(Template::new(text, writing))
        }
        Operator::ArnLike => {
            // A variable that is the whole ARN stands for literal text, so no field needs a look of its own.
            let whole = Some(Template::new(text, writing)).filter(Template::is_variable).map(Comparand::Text);
            let arn = ArnTemplate::new(text, writing).map(Comparand::Arn);
            arn.or(whole).unwrap_or(Comparand::Unreadable)
        }
        Operator::NumericEquals
        | Operator::NumericLessThan
        | Operator::NumericLessThanEquals
        | Operator::NumericGreaterThan
        | Operator::NumericGreaterThanEquals => {
            Decimal::parse(text).map_or(Comparand::Unreadable, Comparand::Number)
        }
        Operator::DateEquals
        | Operator::DateLessThan
        | Operator::DateLessThanEquals
        | Operator::DateGreaterThan
        | Operator::DateGreaterThanEquals => {
            Moment::parse(text).map_or(Comparand::Unreadable, Comparand::Date)
        }
        Operator::IpAddress => Block::parse(text).map_or(Comparand::Unreadable, Comparand::Address),
        Operator::BinaryEquals => Comparand::Binary(text.trim_end_matches('=').into()),
        Operator::Null if text.eq_ignore_ascii_case("true") => Comparand::Absent(true),
        Operator::Null if text.eq_ignore_ascii_case("false") => Comparand::Absent(false),
        Operator::Null => Comparand::Unreadable,
    }
}

/// Whether a value of the request is the listed one; `None` if one of the two is not of the operator's kind. A variable
/// without a value, and a value that is no ARN, are not the listed one.
fn compare(operator: Operator, listed: &Comparand, value: &str, context: &Context) -> Option<bool> {
    match listed {
        Comparand::Text(template) if operator == Operator::Bool => {
            boolean(value).map(|_| template.fits(value, context))
        }
        Comparand::Text(_) if operator == Operator::ArnLike && split_arn(value).is_none() => Some(false),
        Comparand::Text(template) => Some(template.fits(value, context)),
        Comparand::Arn(template) => {
            let Some(fields) = split_arn(value) else { return Some(false) };
            Some(template.matches(&fields, context))
        }
        Comparand::Number(number) => ordered(operator, Decimal::parse(value)?.cmp(number)),
        Comparand::Date(moment) => ordered(operator, Moment::parse(value)?.cmp(moment)),
        Comparand::Address(block) => Some(block.contains(&Block::parse(value)?)),
        Comparand::Binary(bytes) => Some(**bytes == *value.trim_end_matches('=')),
        Comparand::Absent(_) | Comparand::Unreadable => None,
    }
}

/// What a word says, in upper or lower case.
#[inline]
fn boolean(word: &str) -> Option<bool> {
    match word {
        "true" => Some(true),
        "false" => Some(false),
        _ if word.eq_ignore_ascii_case("true") => Some(true),
        _ if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Whether this order of the request's value to the listed one is what the operator wants.
fn ordered(operator: Operator, order: Ordering) -> Option<bool> {
    Some(match operator {
        Operator::NumericEquals | Operator::DateEquals => order == Ordering::Equal,
        Operator::NumericLessThan | Operator::DateLessThan => order == Ordering::Less,
        Operator::NumericLessThanEquals | Operator::DateLessThanEquals => order != Ordering::Greater,
        Operator::NumericGreaterThan | Operator::DateGreaterThan => order == Ordering::Greater,
        Operator::NumericGreaterThanEquals | Operator::DateGreaterThanEquals => order != Ordering::Less,
        _ => return None,
    })
}
