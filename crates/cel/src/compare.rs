//! Equality and order. Values of different types are not equal, except that numbers are compared as numbers; of texts of
//! documents that read as a truth value or a number, what they read as counts. What is not known makes a comparison
//! unknown, unless something else decides it.

use crate::budget::Budget;
use crate::fault::Fault;
use crate::host::Host;
use crate::operate::{item, length, no_overload, perhaps};
use crate::value::{List, Map, Text, Value, truth_of};
use std::cmp::Ordering;

/// Values within values, deeper than this, are not compared.
const MAX_DEPTH: u32 = 200;

/// Whether two values are equal.
pub(crate) fn equal<'a, H: Host<'a>>(
    one: &Value<'a, H::Handle>,
    other: &Value<'a, H::Handle>,
    host: &mut H,
    budget: &mut Budget,
) -> Result<bool, Fault> {
    Comparing { host, budget, depth: 0 }.equal(one, other)
}

struct Comparing<'c, H> {
    host: &'c mut H,
    budget: &'c mut Budget,
    depth: u32,
}

/// What of many comparisons decides: one that is unequal, else the first that is not known.
struct Joined(Option<Fault>);

impl Joined {
    /// Whether it is decided that they are not equal.
    fn take(&mut self, is: Result<bool, Fault>) -> Result<bool, Fault> {
        match is {
            Ok(equal) => Ok(!equal),
            Err(stopped @ Fault::Stopped(_)) => Err(stopped),
            Err(fault) => {
                fault.beside(&mut self.0);
                Ok(false)
            }
        }
    }

    fn end(self) -> Result<bool, Fault> {
        self.0.map_or(Ok(true), Err)
    }
}

impl<H> Comparing<'_, H> {
    fn equal<'a>(&mut self, one: &Value<'a, H::Handle>, other: &Value<'a, H::Handle>) -> Result<bool, Fault>
    where
        H: Host<'a>,
    {
        self.budget.spend(1)?;
        if let Value::Open(handle) = one {
            return Err(self.host.cause(*handle));
        }
        if let Value::Open(handle) = other {
            return Err(self.host.cause(*handle));
        }
        if let Some(ordering) = numbers(one, other) {
            return Ok(ordering == Some(Ordering::Equal));
        }
        Ok(match (one, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                self.budget.spend(if a.len() == b.len() { a.len() as u64 / 8 } else { 0 })?;
                a == b
            }
            (Value::Text(Text::Written(text)), Value::Bool(truth))
            | (Value::Bool(truth), Value::Text(Text::Written(text))) => truth_of(text) == Some(*truth),
            (Value::Bytes(a), Value::Bytes(b)) => {
                self.budget.spend(a.len() as u64 / 8)?;
                a == b
            }
            (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Span(a), Value::Span(b)) => a == b,
            (Value::Optional(None), Value::Optional(None)) => true,
            (Value::Optional(Some(a)), Value::Optional(Some(b))) => return self.deeper(|it| it.equal(a, b)),
            (Value::List(a), Value::List(b)) => return self.deeper(|it| it.lists(a, b)),
            (Value::Map(a), Value::Map(b)) => return self.deeper(|it| it.maps(a, b)),
            _ => false,
        })
    }

    fn deeper(&mut self, compare: impl FnOnce(&mut Self) -> Result<bool, Fault>) -> Result<bool, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::Stopped(format!("stopped: values are nested more than {MAX_DEPTH} deep")));
        }
        let is = compare(self);
        self.depth -= 1;
        is
    }

    fn lists<'a>(&mut self, a: &List<'a, H::Handle>, b: &List<'a, H::Handle>) -> Result<bool, Fault>
    where
        H: Host<'a>,
    {
        let size = length(a, self.host)?;
        if size != length(b, self.host)? {
            return match perhaps(a, self.budget)?.or(perhaps(b, self.budget)?) {
                Some(handle) => Err(self.host.cause(handle)),
                None => Ok(false),
            };
        }
        let mut joined = Joined(None);
        for at in 0..size {
            self.budget.spend(1)?;
            let pair = item(a, at, self.host).and_then(|one| Ok((one, item(b, at, self.host)?)));
            let is = pair.and_then(|(one, other)| self.equal(&one, &other));
            if joined.take(is)? {
                return Ok(false);
            }
        }
        joined.end()
    }

    fn maps<'a>(&mut self, a: &Map<'a, H::Handle>, b: &Map<'a, H::Handle>) -> Result<bool, Fault>
    where
        H: Host<'a>,
    {
        let size = members(a, self.host)?;
        if size != members(b, self.host)? {
            return Ok(false);
        }
        let mut joined = Joined(None);
        for at in 0..size {
            self.budget.spend(1)?;
            let key = key(a, at, self.host)?;
            let is = match member(b, &key, self.host, self.budget) {
                Ok(None) => Ok(false),
                Ok(Some(other)) => {
                    let own = member(a, &key, self.host, self.budget);
                    own.and_then(|own| own.map_or(Ok(false), |own| self.equal(&own, &other)))
                }
                Err(fault) => Err(fault),
            };
            if joined.take(is)? {
                return Ok(false);
            }
        }
        joined.end()
    }
}

/// How many members an object has.
pub(crate) fn members<'a, H: Host<'a>>(map: &Map<'a, H::Handle>, host: &mut H) -> Result<usize, Fault> {
    match map {
        Map::Made(members) => Ok(members.len()),
        Map::Host(handle) => host.size(*handle),
    }
}

/// A key of an object; it is asked only below the number of its members.
pub(crate) fn key<'a, H: Host<'a>>(
    map: &Map<'a, H::Handle>,
    at: usize,
    host: &mut H,
) -> Result<Value<'a, H::Handle>, Fault> {
    match map {
        Map::Made(members) => {
            members.get(at).map(|(key, _)| key.clone()).ok_or_else(|| Fault::failed("no such member"))
        }
        Map::Host(handle) => host.key(*handle, at).map(Value::given),
    }
}

/// The member of an object, if there is one.
pub(crate) fn member<'a, H: Host<'a>>(
    map: &Map<'a, H::Handle>,
    key: &Value<'a, H::Handle>,
    host: &mut H,
    budget: &mut Budget,
) -> Result<Option<Value<'a, H::Handle>>, Fault> {
    let made = match (map, key) {
        (Map::Host(handle), Value::Text(text)) => return host.member(*handle, text.as_str()),
        (Map::Host(_), Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_)) => {
            return Ok(None);
        }
        (Map::Made(made), _) if is_key(key) || matches!(key, Value::Double(_)) => made,
        _ => return Err(Fault::failed(format!("`{}` is no type of keys", key.kind().name()))),
    };
    for (own, value) in made.iter() {
        budget.spend(1)?;
        if same_key(own, key) {
            return Ok(Some(value.clone()));
        }
    }
    Ok(None)
}

/// Whether a value can be a key.
pub(crate) fn is_key<H>(value: &Value<'_, H>) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Text(_))
}

/// Whether two keys are one; `1` and `1u` are.
pub(crate) fn same_key<H: Copy>(one: &Value<'_, H>, other: &Value<'_, H>) -> bool {
    match (one, other) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a.as_str() == b.as_str(),
        (Value::Text(_), _) | (_, Value::Text(_)) => false,
        _ => numbers(one, other) == Some(Some(Ordering::Equal)),
    }
}

/// How two values are ordered, if both are numbers or read as numbers; nothing within if one is none, as NaN.
fn numbers<H: Copy>(one: &Value<'_, H>, other: &Value<'_, H>) -> Option<Option<Ordering>> {
    let (a, b) = match (number(one), number(other)) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) => (a, read_number(other)?),
        (None, Some(b)) => (read_number(one)?, b),
        (None, None) => return None,
    };
    Some(match (a, b) {
        (Number::Whole(a), Number::Whole(b)) => Some(a.cmp(&b)),
        (Number::Real(a), Number::Real(b)) => a.partial_cmp(&b),
        (Number::Whole(a), Number::Real(b)) => whole_and_real(a, b),
        (Number::Real(a), Number::Whole(b)) => whole_and_real(b, a).map(Ordering::reverse),
    })
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Real(f64),
}

fn number<H>(value: &Value<'_, H>) -> Option<Number> {
    match value {
        Value::Int(number) => Some(Number::Whole(i128::from(*number))),
        Value::Uint(number) => Some(Number::Whole(i128::from(*number))),
        Value::Double(number) => Some(Number::Real(*number)),
        _ => None,
    }
}

/// The number that a text of a document is meant as.
fn read_number<H>(value: &Value<'_, H>) -> Option<Number> {
    let Value::Text(Text::Written(text)) = value else { return None };
    if !text.bytes().next()?.is_ascii_digit() && !text.starts_with(['-', '.']) {
        return None;
    }
    text.parse::<i64>()
        .map(|number| Number::Whole(i128::from(number)))
        .ok()
        .or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Number::Real))
}

/// Exactly, without rounding the whole number.
fn whole_and_real(whole: i128, real: f64) -> Option<Ordering> {
    if real.is_nan() {
        return None;
    }
    // Beyond all whole numbers there are here.
    if real >= 1e20 {
        return Some(Ordering::Less);
    }
    if real <= -1e20 {
        return Some(Ordering::Greater);
    }
    let floor = real.floor();
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 10^20")]
    let order = whole.cmp(&(floor as i128));
    Some(if order == Ordering::Equal && real > floor { Ordering::Less } else { order })
}

/// How two values are ordered; nothing within if one is NaN.
pub(crate) fn order<H: Copy>(
    sign: &str,
    one: &Value<'_, H>,
    other: &Value<'_, H>,
    budget: &mut Budget,
) -> Result<Option<Ordering>, Fault> {
    if let Some(ordering) = numbers(one, other) {
        return Ok(ordering);
    }
    Ok(Some(match (one, other) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            budget.spend(a.len().min(b.len()) as u64 / 8)?;
            a.cmp(b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.spend(a.len().min(b.len()) as u64 / 8)?;
            a.cmp(b)
        }
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Span(a), Value::Span(b)) => a.cmp(b),
        _ => return Err(no_overload(sign, &[one.clone(), other.clone()])),
    }))
}
