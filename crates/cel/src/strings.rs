//! Functions of texts. Places are counted in characters, as CEL has it.

use crate::ast::Builtin;
use crate::budget::Budget;
use crate::fault::Fault;
use crate::host::{Host, Outcome};
use crate::operate::{item, length};
use crate::value::{Text, Value};

type Answer<'a, H> = Result<Option<Value<'a, H>>, Fault>;

/// What a function of a text answers; nothing if it is not for these arguments.
pub(crate) fn call<'a, H: Copy>(
    builtin: Builtin,
    text: &str,
    rest: &[Value<'a, H>],
    budget: &mut Budget,
) -> Answer<'a, H> {
    budget.spend(text.len() as u64 / 8)?;
    let first = rest.first().and_then(Value::text);
    Ok(Some(match (builtin, first, rest) {
        (Builtin::Contains, Some(part), [_]) => {
            budget.spend(part.len() as u64 / 8)?;
            Value::Bool(text.contains(part))
        }
        (Builtin::StartsWith, Some(part), [_]) => Value::Bool(text.starts_with(part)),
        (Builtin::EndsWith, Some(part), [_]) => Value::Bool(text.ends_with(part)),
        (Builtin::LowerAscii, _, []) => made(&text.to_ascii_lowercase(), budget)?,
        (Builtin::UpperAscii, _, []) => made(&text.to_ascii_uppercase(), budget)?,
        (Builtin::Trim, _, []) => made(text.trim(), budget)?,
        (Builtin::Split, Some(by), [_]) => split(text, by, -1, budget)?,
        (Builtin::Split, Some(by), [_, Value::Int(most)]) => split(text, by, *most, budget)?,
        (Builtin::Replace, Some(from), [_, Value::Text(to)]) => replace(text, from, to, -1, budget)?,
        (Builtin::Replace, Some(from), [_, Value::Text(to), Value::Int(most)]) => {
            replace(text, from, to, *most, budget)?
        }
        (Builtin::Substring, _, [Value::Int(from)]) => substring(text, *from, None, budget)?,
        (Builtin::Substring, _, [Value::Int(from), Value::Int(to)]) => {
            substring(text, *from, Some(*to), budget)?
        }
        (Builtin::IndexOf, Some(part), [_]) => index_of(text, part, 0)?,
        (Builtin::IndexOf, Some(part), [_, Value::Int(from)]) => index_of(text, part, *from)?,
        _ => return Ok(None),
    }))
}

fn made<'a, H: Copy>(text: &str, budget: &mut Budget) -> Outcome<'a, H> {
    budget.make(text.len())?;
    Ok(Value::made(text))
}

/// How often at most, of a number in which less than nothing means always.
fn times(most: i64) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

fn split<'a, H: Copy>(text: &str, by: &str, most: i64, budget: &mut Budget) -> Outcome<'a, H> {
    let mut all: Vec<Value<'a, H>> = Vec::new();
    let mut take = |part: &str| {
        budget.make(part.len() + size_of::<Value<'a, H>>())?;
        all.push(Value::made(part));
        Ok(())
    };
    match times(most) {
        0 => {}
        most if by.is_empty() => {
            let mut rest = text;
            for _ in 1..most {
                let Some(c) = rest.chars().next() else { break };
                let (one, after) = rest.split_at(c.len_utf8());
                take(one)?;
                rest = after;
            }
            if !rest.is_empty() {
                take(rest)?;
            }
        }
        most => text.splitn(most, by).try_for_each(&mut take)?,
    }
    Ok(Value::list(all))
}

fn replace<'a, H: Copy>(
    text: &str,
    from: &str,
    to: &Text<'_>,
    most: i64,
    budget: &mut Budget,
) -> Outcome<'a, H> {
    let to = to.as_str();
    let count = text.matches(from).take(times(most)).count();
    // Paid before it is made: every place may grow by all of `to`.
    budget.make(text.len().saturating_add(count.saturating_mul(to.len())))?;
    Ok(Value::made(&text.replacen(from, to, times(most))))
}

/// The offset in bytes of a place in characters, up to the end.
fn offset(text: &str, at: i64) -> Result<usize, Fault> {
    let wrong = || Fault::failed(format!("there is no place {at} in the text"));
    let at = usize::try_from(at).map_err(|_| wrong())?;
    text.char_indices().map(|(offset, _)| offset).chain([text.len()]).nth(at).ok_or_else(wrong)
}

fn substring<'a, H: Copy>(text: &str, from: i64, to: Option<i64>, budget: &mut Budget) -> Outcome<'a, H> {
    let start = offset(text, from)?;
    let end = to.map_or(Ok(text.len()), |to| offset(text, to))?;
    match text.get(start..end) {
        Some(part) => made(part, budget),
        None => Err(Fault::failed("the end lies before the beginning")),
    }
}

fn index_of<'a, H: Copy>(text: &str, part: &str, from: i64) -> Outcome<'a, H> {
    let start = offset(text, from)?;
    let found =
        text.get(start..).and_then(|rest| rest.find(part)).map(|at| text[..start + at].chars().count());
    Ok(Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
}

/// The texts of a list, one after the other; nothing if it is not for these.
pub(crate) fn join<'a, H: Host<'a>>(
    list: &Value<'a, H::Handle>,
    rest: &[Value<'a, H::Handle>],
    host: &mut H,
    budget: &mut Budget,
) -> Answer<'a, H::Handle> {
    let (Value::List(list), by) = (list, rest.first().map_or(Some(""), Value::text)) else { return Ok(None) };
    let Some(by) = by else { return Ok(None) };
    let mut out = String::new();
    for at in 0..length(list, host)? {
        let item = item(list, at, host)?;
        if let Value::Open(handle) = item {
            return Err(host.cause(handle));
        }
        let Some(text) = item.text() else { return Ok(None) };
        budget.spend(1)?;
        budget.make(text.len() + by.len())?;
        if at > 0 {
            out.push_str(by);
        }
        out.push_str(text);
    }
    Ok(Some(Value::made(&out)))
}
