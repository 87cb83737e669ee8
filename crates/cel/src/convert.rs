//! Conversions from type to type. What does not fit fails.

use crate::budget::Budget;
use crate::fault::Fault;
use crate::host::Outcome;
use crate::operate::no_overload;
use crate::time::{Span, Time};
use crate::value::{Text, Type, Value};

/// A value as one of another type.
pub(crate) fn to<'a, H: Copy>(kind: Type, value: &Value<'a, H>, budget: &mut Budget) -> Outcome<'a, H> {
    if let Some(text) = value.text() {
        budget.spend(text.len() as u64 / 8)?;
    }
    let converted = match kind {
        _ if value.kind() == kind && kind != Type::Text => Some(value.clone()),
        Type::Int => int(value)?.map(Value::Int),
        Type::Uint => uint(value)?.map(Value::Uint),
        Type::Double => double(value)?.map(Value::Double),
        Type::Bool => truth(value)?.map(Value::Bool),
        Type::Text => text(value, budget)?,
        Type::Bytes => match value {
            Value::Text(text) => {
                budget.make(text.as_str().len())?;
                Some(Value::Bytes(text.as_str().as_bytes().into()))
            }
            _ => None,
        },
        Type::Time => match value {
            Value::Text(text) => Some(Value::Time(
                Time::read(text.as_str()).ok_or_else(|| no(text, "moment such as `2026-11-21T10:00:00Z`"))?,
            )),
            Value::Int(seconds) => {
                Some(Value::Time(Time::of(*seconds, 0).ok_or_else(|| range("timestamp"))?))
            }
            _ => None,
        },
        Type::Span => match value {
            Value::Text(text) => Some(Value::Span(
                Span::read(text.as_str()).ok_or_else(|| no(text, "length of time such as `1h30m`"))?,
            )),
            _ => None,
        },
        _ => None,
    };
    converted.ok_or_else(|| no_overload(kind_name(kind), std::slice::from_ref(value)))
}

fn kind_name(kind: Type) -> &'static str {
    match kind {
        Type::Time => "timestamp",
        Type::Span => "duration",
        other => other.name(),
    }
}

fn no(text: &Text<'_>, what: &str) -> Fault {
    let shown: String = text.as_str().chars().take(40).collect();
    Fault::failed(format!("`{}` is no {what}", shown.escape_debug()))
}

fn range(kind: &str) -> Fault {
    Fault::failed(format!("the number does not fit into `{kind}`"))
}

fn int<H>(value: &Value<'_, H>) -> Result<Option<i64>, Fault> {
    Ok(Some(match value {
        Value::Uint(number) => i64::try_from(*number).map_err(|_| range("int"))?,
        // The bounds are those between which every double has a whole number of 64 bits.
        #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
        Value::Double(number)
            if *number > -9_223_372_036_854_775_808.0 && *number < 9_223_372_036_854_775_808.0 =>
        {
            number.trunc() as i64
        }
        Value::Double(_) => return Err(range("int")),
        Value::Text(text) => text.as_str().parse().map_err(|_| no(text, "whole number"))?,
        Value::Time(time) => time.seconds,
        _ => return Ok(None),
    }))
}

fn uint<H>(value: &Value<'_, H>) -> Result<Option<u64>, Fault> {
    Ok(Some(match value {
        Value::Int(number) => u64::try_from(*number).map_err(|_| range("uint"))?,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within bounds")]
        Value::Double(number) if *number >= 0.0 && *number < 18_446_744_073_709_551_616.0 => {
            number.trunc() as u64
        }
        Value::Double(_) => return Err(range("uint")),
        Value::Text(text) => text.as_str().parse().map_err(|_| no(text, "whole number without sign"))?,
        _ => return Ok(None),
    }))
}

fn double<H>(value: &Value<'_, H>) -> Result<Option<f64>, Fault> {
    Ok(Some(match value {
        #[expect(clippy::cast_precision_loss, reason = "CEL rounds to the nearest double")]
        Value::Int(number) => *number as f64,
        #[expect(clippy::cast_precision_loss, reason = "CEL rounds to the nearest double")]
        Value::Uint(number) => *number as f64,
        Value::Text(text) => text.as_str().parse().map_err(|_| no(text, "number"))?,
        _ => return Ok(None),
    }))
}

fn truth<H>(value: &Value<'_, H>) -> Result<Option<bool>, Fault> {
    let Value::Text(text) = value else { return Ok(None) };
    match text.as_str() {
        "true" | "True" | "TRUE" | "t" | "1" => Ok(Some(true)),
        "false" | "False" | "FALSE" | "f" | "0" => Ok(Some(false)),
        _ => Err(no(text, "truth value")),
    }
}

fn text<'a, H: Copy>(value: &Value<'a, H>, budget: &mut Budget) -> Result<Option<Value<'a, H>>, Fault> {
    let text = match value {
        // Whoever asks for a text compares it as one.
        Value::Text(Text::Written(text) | Text::Given(text)) => return Ok(Some(Value::given(text))),
        Value::Text(Text::Made(_)) => return Ok(Some(value.clone())),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Fault::failed("the bytes are not UTF-8"))?;
            text.to_owned()
        }
        Value::Time(time) => time.shown(),
        Value::Span(span) => span.shown(),
        _ => return Ok(None),
    };
    budget.make(text.len())?;
    Ok(Some(Value::made(&text)))
}
