//! Condition operators.

use super::scalar::{boolean, date, network, number};
use super::text::{Piece, expand, fits};
use super::{Ask, Held, texts};
use serde_json::Value;
use std::cmp::Ordering;

pub(super) fn all_hold(condition: &Value, variables: bool, ask: &Ask<'_>) -> bool {
    condition.as_object().into_iter().flatten().all(|(operator, keys)| {
        let mut keys = keys.as_object().into_iter().flatten();
        keys.all(|(key, values)| holds((operator, key, values), variables, ask))
    })
}

/// Whether one condition holds.
pub(crate) fn holds((operator, key, values): (&str, &str, &Value), variables: bool, ask: &Ask<'_>) -> bool {
    let mut name = operator.to_lowercase();
    let mut set = None;
    for prefix in ["forallvalues:", "foranyvalue:"] {
        if let Some(rest) = name.strip_prefix(prefix) {
            set = Some(prefix);
            name = rest.to_owned();
            break;
        }
    }
    let if_exists = name.ends_with("ifexists");
    let base = name.trim_end_matches("ifexists");
    let Some((compare, inverted)) = known(base) else { return false };
    let held = ask.held(key);
    if base == "null" {
        let absent = matches!(held, Held::Absent);
        return !if_exists && texts(values).any(|value| boolean(&value) == Some(absent));
    }
    // One value of the request against all of the policy.
    let one = |held: &str| {
        let mut answers = texts(values).map(|listed| compare(&listed, held, variables, ask));
        if inverted {
            answers.all(|answer| answer == Some(false))
        } else {
            answers.any(|answer| answer == Some(true))
        }
    };
    match (held, set) {
        (Held::Absent, _) if if_exists => true,
        (Held::Absent, Some("forallvalues:")) => true,
        (Held::Absent, Some(_)) => false,
        (Held::Absent, None) => inverted,
        (Held::One(value), _) => one(&value),
        (Held::Many(_), None) => false,
        (Held::Many(held), Some("forallvalues:")) => held.iter().all(|value| one(value)),
        (Held::Many(held), Some(_)) => held.iter().any(|value| one(value)),
    }
}

/// What is listed, what is held, whether there are variables: whether it fits, or `None` if that cannot be said.
type Compare = fn(&str, &str, bool, &Ask<'_>) -> Option<bool>;

fn known(base: &str) -> Option<(Compare, bool)> {
    let found: (Compare, bool) = match base {
        "stringequals" => (equals, false),
        "stringnotequals" => (equals, true),
        "stringequalsignorecase" => (equals_ignore_case, false),
        "stringnotequalsignorecase" => (equals_ignore_case, true),
        "stringlike" => (like, false),
        "stringnotlike" => (like, true),
        "arnequals" | "arnlike" => (arn, false),
        "arnnotequals" | "arnnotlike" => (arn, true),
        "numericequals" => (|p, h, _, _| numbers(p, h, &[Ordering::Equal]), false),
        "numericnotequals" => (|p, h, _, _| numbers(p, h, &[Ordering::Equal]), true),
        "numericlessthan" => (|p, h, _, _| numbers(p, h, &[Ordering::Less]), false),
        "numericlessthanequals" => (|p, h, _, _| numbers(p, h, &[Ordering::Less, Ordering::Equal]), false),
        "numericgreaterthan" => (|p, h, _, _| numbers(p, h, &[Ordering::Greater]), false),
        "numericgreaterthanequals" => {
            (|p, h, _, _| numbers(p, h, &[Ordering::Greater, Ordering::Equal]), false)
        }
        "dateequals" => (|p, h, _, _| dates(p, h, &[Ordering::Equal]), false),
        "datenotequals" => (|p, h, _, _| dates(p, h, &[Ordering::Equal]), true),
        "datelessthan" => (|p, h, _, _| dates(p, h, &[Ordering::Less]), false),
        "datelessthanequals" => (|p, h, _, _| dates(p, h, &[Ordering::Less, Ordering::Equal]), false),
        "dategreaterthan" => (|p, h, _, _| dates(p, h, &[Ordering::Greater]), false),
        "dategreaterthanequals" => (|p, h, _, _| dates(p, h, &[Ordering::Greater, Ordering::Equal]), false),
        "bool" => (truth, false),
        "binaryequals" => (|p, h, _, _| Some(p.trim_end_matches('=') == h.trim_end_matches('=')), false),
        "ipaddress" => (addresses, false),
        "notipaddress" => (addresses, true),
        "null" => (|_, _, _, _| None, false),
        _ => return None,
    };
    Some(found)
}

fn numbers(listed: &str, held: &str, wanted: &[Ordering]) -> Option<bool> {
    Some(wanted.contains(&number(held)?.cmp(&number(listed)?)))
}

fn dates(listed: &str, held: &str, wanted: &[Ordering]) -> Option<bool> {
    Some(wanted.contains(&date(held)?.cmp(&date(listed)?)))
}

fn equals(listed: &str, held: &str, variables: bool, ask: &Ask<'_>) -> Option<bool> {
    Some(expand(listed, variables, false, ask).is_some_and(|listed| fits(&listed, held)))
}

fn equals_ignore_case(listed: &str, held: &str, variables: bool, ask: &Ask<'_>) -> Option<bool> {
    let Some(listed) = expand(listed, variables, false, ask) else { return Some(false) };
    let lower = |piece: &Piece| match piece {
        Piece::Char(c) => c.to_lowercase().collect::<String>(),
        Piece::Any | Piece::Star => String::new(),
    };
    Some(
        listed.iter().map(lower).collect::<String>()
            == held.chars().flat_map(char::to_lowercase).collect::<String>(),
    )
}

fn like(listed: &str, held: &str, variables: bool, ask: &Ask<'_>) -> Option<bool> {
    Some(expand(listed, variables, true, ask).is_some_and(|listed| fits(&listed, held)))
}

/// Field by field; what a variable stands for stays in its field, unless the variable is the whole ARN.
fn arn(listed: &str, held: &str, variables: bool, ask: &Ask<'_>) -> Option<bool> {
    let fields: Vec<&str> = held.splitn(6, ':').collect();
    let is_arn = fields.len() == 6 && fields[0] == "arn";
    if variables && listed.starts_with("${") && listed.find('}') == Some(listed.len() - 1) {
        return Some(is_arn && like(listed, held, variables, ask)?);
    }
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in listed.chars() {
        inside = (inside || c == '$') && c != '}';
        if c == ':' && parts.len() < 6 && !(inside && variables) {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    if parts.len() < 6 {
        return None;
    }
    let fits = |(part, field): (&String, &&str)| like(part, field, variables, ask) == Some(true);
    Some(is_arn && parts.iter().zip(&fields).all(fits))
}

fn truth(listed: &str, held: &str, variables: bool, ask: &Ask<'_>) -> Option<bool> {
    let Some(listed) = expand(listed, variables, false, ask) else { return Some(false) };
    let text: String = listed.iter().map(|piece| if let Piece::Char(c) = piece { *c } else { ' ' }).collect();
    Some(boolean(&text)? == boolean(held)?)
}

fn addresses(listed: &str, held: &str, _: bool, _: &Ask<'_>) -> Option<bool> {
    let (range, bits) = network(listed)?;
    let (address, held_bits) = network(held)?;
    if held.contains('/') {
        return None;
    }
    if range.is_ipv4() != address.is_ipv4() {
        return Some(false);
    }
    let number = |address| match address {
        std::net::IpAddr::V4(v4) => u128::from(u32::from(v4)),
        std::net::IpAddr::V6(v6) => u128::from(v6),
    };
    let shift = held_bits - bits;
    let cut = |value: u128| if shift == 128 { 0 } else { value >> shift };
    Some(cut(number(range)) == cut(number(address)))
}
