//! Operators on numbers, texts, lists, moments. Whole numbers that overflow fail; they never wrap.

use crate::ast::Operator;
use crate::budget::Budget;
use crate::fault::Fault;
use crate::host::{Host, Outcome};
use crate::value::{List, Value};

/// The failure of an operator or a function that is not for values of these types.
pub(crate) fn no_overload<H: Copy>(name: &str, values: &[Value<'_, H>]) -> Fault {
    let kinds: Vec<String> = values.iter().map(|value| format!("`{}`", value.kind().name())).collect();
    Fault::failed(format!("`{name}` is not for {}", kinds.join(" and ")))
}

fn overflow() -> Fault {
    Fault::failed("a whole number overflows")
}

/// Sums, differences, products, quotients, remainders.
pub(crate) fn arithmetic<'a, H: Host<'a>>(
    operator: Operator,
    one: Value<'a, H::Handle>,
    other: Value<'a, H::Handle>,
    (host, budget): (&mut H, &mut Budget),
) -> Outcome<'a, H::Handle> {
    match (one, other) {
        (Value::Int(a), Value::Int(b)) => ints(operator, a, b).map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => uints(operator, a, b).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => match operator {
            Operator::Add => Ok(Value::Double(a + b)),
            Operator::Subtract => Ok(Value::Double(a - b)),
            Operator::Multiply => Ok(Value::Double(a * b)),
            Operator::Divide => Ok(Value::Double(a / b)),
            _ => Err(no_overload::<H::Handle>(operator.sign(), &[Value::Double(a), Value::Double(b)])),
        },
        (Value::Text(a), Value::Text(b)) if operator == Operator::Add => {
            let (a, b) = (a.as_str(), b.as_str());
            budget.make(a.len() + b.len())?;
            Ok(Value::made(&[a, b].concat()))
        }
        (Value::Bytes(a), Value::Bytes(b)) if operator == Operator::Add => {
            budget.make(a.len() + b.len())?;
            Ok(Value::Bytes([&*a, &*b].concat().into()))
        }
        (Value::List(a), Value::List(b)) if operator == Operator::Add => joined(&a, &b, host, budget),
        (one, other) => moments(operator, &one, &other)
            .unwrap_or_else(|| Err(no_overload(operator.sign(), &[one, other]))),
    }
}

/// Arithmetic of whole numbers: what does not fit is a failure.
macro_rules! checked {
    ($name:ident, $number:ty) => {
        fn $name(operator: Operator, a: $number, b: $number) -> Result<$number, Fault> {
            let of = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                _ if b == 0 => return Err(Fault::failed("a division by zero")),
                Operator::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            of.ok_or_else(overflow)
        }
    };
}
checked!(ints, i64);
checked!(uints, u64);

fn moments<'a, H>(operator: Operator, one: &Value<'a, H>, other: &Value<'a, H>) -> Option<Outcome<'a, H>> {
    use crate::time::Span;
    let value = match (operator, one, other) {
        (Operator::Add, Value::Time(time), Value::Span(span))
        | (Operator::Add, Value::Span(span), Value::Time(time)) => time.plus(*span).map(Value::Time),
        (Operator::Subtract, Value::Time(time), Value::Span(span)) => {
            span.nanos.checked_neg().and_then(|nanos| time.plus(Span { nanos })).map(Value::Time)
        }
        (Operator::Subtract, Value::Time(one), Value::Time(other)) => one.minus(*other).map(Value::Span),
        (Operator::Add, Value::Span(one), Value::Span(other)) => {
            one.nanos.checked_add(other.nanos).map(|nanos| Value::Span(Span { nanos }))
        }
        (Operator::Subtract, Value::Span(one), Value::Span(other)) => {
            one.nanos.checked_sub(other.nanos).map(|nanos| Value::Span(Span { nanos }))
        }
        _ => return None,
    };
    Some(value.ok_or_else(|| Fault::failed("a moment or a length of time is out of range")))
}

fn joined<'a, H: Host<'a>>(
    one: &List<'a, H::Handle>,
    other: &List<'a, H::Handle>,
    host: &mut H,
    budget: &mut Budget,
) -> Outcome<'a, H::Handle> {
    let mut all = Vec::new();
    for list in [one, other] {
        for at in 0..length(list, host)? {
            budget.make(size_of::<Value<'a, H::Handle>>())?;
            all.push(item(list, at, host)?);
        }
    }
    Ok(Value::list(all))
}

/// How many items a list has.
pub(crate) fn length<'a, H: Host<'a>>(list: &List<'a, H::Handle>, host: &mut H) -> Result<usize, Fault> {
    match list {
        List::Made(items) => Ok(items.len()),
        List::Host(handle) => host.size(*handle),
    }
}

/// An item of a list; it is asked only below its length.
pub(crate) fn item<'a, H: Host<'a>>(
    list: &List<'a, H::Handle>,
    at: usize,
    host: &mut H,
) -> Outcome<'a, H::Handle> {
    match list {
        List::Made(items) => items.get(at).cloned().ok_or_else(|| Fault::failed("no such item")),
        List::Host(handle) => host.item(*handle, at),
    }
}

/// An item of a list that was made of which it may be that it is not there.
pub(crate) fn perhaps<H: Copy>(list: &List<'_, H>, budget: &mut Budget) -> Result<Option<H>, Fault> {
    let List::Made(items) = list else { return Ok(None) };
    budget.spend(items.len() as u64 / 8)?;
    Ok(items.iter().find_map(|item| match item {
        Value::Open(handle) => Some(*handle),
        _ => None,
    }))
}
