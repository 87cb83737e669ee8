//! The functions of CEL: what each is called, how it is called, and where its work is done.

use crate::ast::Builtin;
use crate::budget::Budget;
use crate::convert;
use crate::fault::Fault;
use crate::host::{Host, Outcome};
use crate::operate::{self, no_overload};
use crate::pattern::{self, Pattern};
use crate::strings;
use crate::time::Part;
use crate::value::{List, Map, Type, Value};

/// How a function is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) builtin: Builtin,
    /// Whether it is called on a value, which is its first argument.
    pub(crate) method: bool,
    pub(crate) fewest: usize,
    pub(crate) most: usize,
}

type Row = (&'static str, Builtin, bool, usize, usize);

const TABLE: [Row; 37] = [
    ("size", Builtin::Size, false, 1, 1),
    ("size", Builtin::Size, true, 1, 1),
    ("contains", Builtin::Contains, true, 2, 2),
    ("startsWith", Builtin::StartsWith, true, 2, 2),
    ("endsWith", Builtin::EndsWith, true, 2, 2),
    ("matches", Builtin::Matches, true, 2, 2),
    ("matches", Builtin::Matches, false, 2, 2),
    ("lowerAscii", Builtin::LowerAscii, true, 1, 1),
    ("upperAscii", Builtin::UpperAscii, true, 1, 1),
    ("trim", Builtin::Trim, true, 1, 1),
    ("split", Builtin::Split, true, 2, 3),
    ("join", Builtin::Join, true, 1, 2),
    ("replace", Builtin::Replace, true, 3, 4),
    ("substring", Builtin::Substring, true, 2, 3),
    ("indexOf", Builtin::IndexOf, true, 2, 3),
    ("int", Builtin::To(Type::Int), false, 1, 1),
    ("uint", Builtin::To(Type::Uint), false, 1, 1),
    ("double", Builtin::To(Type::Double), false, 1, 1),
    ("string", Builtin::To(Type::Text), false, 1, 1),
    ("bool", Builtin::To(Type::Bool), false, 1, 1),
    ("bytes", Builtin::To(Type::Bytes), false, 1, 1),
    ("timestamp", Builtin::To(Type::Time), false, 1, 1),
    ("duration", Builtin::To(Type::Span), false, 1, 1),
    ("type", Builtin::TypeOf, false, 1, 1),
    ("dyn", Builtin::Dyn, false, 1, 1),
    ("getFullYear", Builtin::Get(Part::FullYear), true, 1, 1),
    ("getMonth", Builtin::Get(Part::Month), true, 1, 1),
    ("getDate", Builtin::Get(Part::Date), true, 1, 1),
    ("getDayOfMonth", Builtin::Get(Part::DayOfMonth), true, 1, 1),
    ("getDayOfWeek", Builtin::Get(Part::DayOfWeek), true, 1, 1),
    ("getDayOfYear", Builtin::Get(Part::DayOfYear), true, 1, 1),
    ("getHours", Builtin::Get(Part::Hours), true, 1, 1),
    ("getMinutes", Builtin::Get(Part::Minutes), true, 1, 1),
    ("getSeconds", Builtin::Get(Part::Seconds), true, 1, 1),
    ("getMilliseconds", Builtin::Get(Part::Milliseconds), true, 1, 1),
    ("orValue", Builtin::OrValue, true, 2, 2),
    ("hasValue", Builtin::HasValue, true, 1, 1),
];

/// The function of a name, on a value or alone.
pub(crate) fn named(name: &str, method: bool) -> Option<Shape> {
    if (name, method) == ("value", true) {
        return Some(Shape { builtin: Builtin::ValueOf, method, fewest: 1, most: 1 });
    }
    let row = TABLE.iter().find(|row| row.0 == name && row.2 == method)?;
    Some(Shape { builtin: row.1, method, fewest: row.3, most: row.4 })
}

/// The name of a function.
pub(crate) fn name(builtin: Builtin) -> &'static str {
    TABLE.iter().find(|row| row.1 == builtin).map_or("value", |row| row.0)
}

/// What a function answers; the arguments are known.
pub(crate) fn call<'a, H: Host<'a>>(
    builtin: Builtin,
    arguments: &[Value<'a, H::Handle>],
    host: &mut H,
    budget: &mut Budget,
) -> Outcome<'a, H::Handle> {
    let wrong = || no_overload(name(builtin), arguments);
    match (builtin, arguments) {
        (Builtin::Size, [of]) => {
            size(of, host, budget).and_then(|size| size.map(Value::Int).ok_or_else(wrong))
        }
        (Builtin::Dyn, [of]) => Ok(of.clone()),
        (Builtin::TypeOf, [of]) => Ok(Value::Type(of.kind())),
        (Builtin::To(kind), [of]) => convert::to(kind, of, budget),
        (Builtin::Matches, [Value::Text(text), Value::Text(pattern)]) => {
            budget.spend(pattern::COMPILING)?;
            let pattern = Pattern::compile(pattern.as_str()).map_err(Fault::failed)?;
            budget.spend(pattern::cost(text.as_str().len()))?;
            Ok(Value::Bool(pattern.matches(text.as_str())))
        }
        (Builtin::Get(part), [Value::Time(time)]) => Ok(Value::Int(time.part(part))),
        (Builtin::Get(part), [Value::Span(span)]) => span.part(part).map(Value::Int).ok_or_else(wrong),
        (Builtin::OrValue, [Value::Optional(held), other]) => {
            Ok(held.as_ref().map_or_else(|| other.clone(), |held| Value::clone(held)))
        }
        (Builtin::HasValue, [Value::Optional(held)]) => Ok(Value::Bool(held.is_some())),
        (Builtin::ValueOf, [Value::Optional(held)]) => match held {
            Some(held) => Ok(Value::clone(held)),
            None => Err(Fault::failed("the value is absent")),
        },
        (Builtin::Join, [list, rest @ ..]) => strings::join(list, rest, host, budget)?.ok_or_else(wrong),
        (_, [Value::Text(text), rest @ ..]) => {
            strings::call(builtin, text.as_str(), rest, budget)?.ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// How large something is; nothing if it has no size.
fn size<'a, H: Host<'a>>(
    of: &Value<'a, H::Handle>,
    host: &mut H,
    budget: &mut Budget,
) -> Result<Option<i64>, Fault> {
    let size = match of {
        Value::Text(text) => {
            budget.spend(text.as_str().len() as u64 / 8)?;
            text.as_str().chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list @ List::Made(items)) => match operate::perhaps(list, budget)? {
            Some(handle) => return Err(host.cause(handle)),
            None => items.len(),
        },
        Value::Map(Map::Made(members)) => members.len(),
        Value::List(List::Host(handle)) | Value::Map(Map::Host(handle)) => host.size(*handle)?,
        _ => return Ok(None),
    };
    Ok(i64::try_from(size).ok())
}
