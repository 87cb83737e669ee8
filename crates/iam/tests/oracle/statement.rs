//! Whether a statement is about a request: principal and action and resource and conditions.

use super::text::{Piece, expand, fits};
use super::{Ask, condition, list};
use serde_json::Value;

/// Where a policy is attached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Identity,
    Boundary,
    Session,
    Scp,
    Rcp,
    Endpoint,
    Resource,
    KmsKey,
    Trust,
}

/// The levels at which a statement means the caller.
#[derive(Clone, Copy, Default)]
pub(super) struct Levels {
    pub(super) direct: bool,
    pub(super) role: bool,
    pub(super) account: bool,
}

impl Levels {
    const DIRECT: Self = Self { direct: true, role: false, account: false };

    pub(super) fn any(self) -> bool {
        self.direct || self.role || self.account
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            direct: self.direct || other.direct,
            role: self.role || other.role,
            account: self.account || other.account,
        }
    }
}

pub(super) fn matches(
    statement: &Value,
    (place, variables): (Place, bool),
    ask: &Ask<'_>,
    bounded: bool,
) -> Levels {
    let allow = statement["Effect"] == "Allow";
    if !action(statement, ask) || !resource(statement, (place, variables), allow, ask) {
        return Levels::default();
    }
    let levels = principal(statement, place, allow, (ask, bounded));
    if levels.any() && condition::all_hold(&statement["Condition"], variables, ask) {
        levels
    } else {
        Levels::default()
    }
}

fn action(statement: &Value, ask: &Ask<'_>) -> bool {
    let listed = |patterns: &Value| {
        list(patterns).iter().filter_map(Value::as_str).any(|pattern| {
            let pattern = pattern.to_lowercase();
            pattern == "*" || fits(&Piece::wild(&pattern), &ask.action)
        })
    };
    match statement.get("NotAction") {
        Some(patterns) => !listed(patterns),
        None => listed(&statement["Action"]),
    }
}

fn resource(statement: &Value, how: (Place, bool), allow: bool, ask: &Ask<'_>) -> bool {
    let listed = |patterns: &Value| {
        list(patterns).iter().filter_map(Value::as_str).any(|pattern| one_resource(pattern, how, ask))
    };
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(patterns), _) => listed(patterns),
        (None, Some(patterns)) => !listed(patterns),
        (None, None) => {
            let of_resource =
                matches!(how.0, Place::Resource | Place::KmsKey | Place::Trust | Place::Endpoint);
            !allow || of_resource
        }
    }
}

fn one_resource(pattern: &str, (place, variables): (Place, bool), ask: &Ask<'_>) -> bool {
    if pattern == "*" {
        return true;
    }
    let resource: Vec<&str> = ask.resource.splitn(6, ':').collect();
    if resource.len() < 6 || resource[0] != "arn" {
        return false;
    }
    let mut fields: Vec<&str> = pattern.splitn(6, ':').collect();
    if fields.len() < 6 {
        let wild = pattern.contains('*') || pattern.contains('?');
        let completed = match place {
            Place::Identity | Place::Boundary | Place::Session => true,
            Place::Scp => pattern.ends_with('*'),
            Place::Rcp => false,
            Place::Endpoint | Place::Resource | Place::KmsKey | Place::Trust => wild,
        };
        if !completed {
            return false;
        }
        fields.resize(6, "*");
    }
    if fields[2].contains(['*', '?']) {
        return false;
    }
    let start = fields.iter().zip(&resource).take(5).all(|(field, text)| fits(&Piece::wild(field), text));
    start && expand(fields[5], variables, true, ask).is_some_and(|last| fits(&last, resource[5]))
}

fn principal(statement: &Value, place: Place, allow: bool, (ask, bounded): (&Ask<'_>, bool)) -> Levels {
    let (plain, not) = (statement.get("Principal"), statement.get("NotPrincipal"));
    match place {
        Place::Identity | Place::Boundary | Place::Session | Place::Scp => {
            let misplaced = plain.is_some() || not.is_some();
            if misplaced && allow { Levels::default() } else { Levels::DIRECT }
        }
        Place::Endpoint | Place::Rcp if plain.is_none() && not.is_none() => Levels::DIRECT,
        _ => match (plain, not) {
            (Some(listed), _) => ask.caller.meant(listed),
            (None, Some(listed)) if !allow && !ask.caller.spared(listed, bounded) => Levels::DIRECT,
            _ => Levels::default(),
        },
    }
}
