//! What only a live account tells: facts beyond properties, and how old they may be. A file does not have them, so there the
//! answer is unknown.

use crate::answer::{Answer, Spot, find, not_applicable};
use crate::node::{Node, Value};
use crate::resource::{Resource, State, cause};
use crate::unit::Case;
use facts::Timestamp;
use std::sync::LazyLock;

const DAY_SECONDS: i64 = 86_400;
const HOUR_SECONDS: i64 = 3_600;

static THRESHOLDS: LazyLock<serde_json::Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/thresholds.json")).unwrap_or_default());

/// A limit of the data file, which has its source.
fn limit(name: &str) -> Option<i64> {
    THRESHOLDS.get(name)?.get("value")?.as_i64()
}

/// For topics that have nothing to say of a resource in a template.
pub(super) fn live_only(case: &Case<'_>, call: &str, what: &str) -> Answer {
    if call.is_empty() {
        return not_applicable(what);
    }
    Spot::of(case.resource).unknown(format!("{what}: `{call}` says it, and no file does"))
}

/// A fact of a resource: its value, or that there is none; or the answer if that is not known.
pub(super) fn fact<'a>(
    case: &Case<'_>,
    resource: &'a Resource,
    name: &str,
    (call, what): (&str, &str),
) -> Result<(Spot<'a>, Option<&'a Node>), Answer> {
    let found = find(resource, name);
    match found.state {
        State::Known(node) => Ok((found.spot, Some(node))),
        State::Unknown(missing) => Err(found.spot.unknown(missing)),
        State::Absent if case.estate.is_live() => Ok((found.spot, None)),
        State::Absent => Err(live_only(case, call, what)),
    }
}

/// A point in time: seconds since 1970, as services with JSON write it, or RFC 3339.
pub(super) fn time(node: &Node) -> Option<Timestamp> {
    match &node.value {
        Value::Number(text) => {
            let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
            let thousandths: i64 = format!("{rest:0<3}").get(..3)?.parse().ok()?;
            Timestamp::from_unix_ms(seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(thousandths)?)
                .ok()
        }
        _ => node.text()?.parse().ok(),
    }
}

/// What a limit is counted in.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Days,
    Hours,
}

/// Whether something happened within the limit of this name before the account was read. `did` is what happened, such as
/// "it ran".
pub(super) fn recent(
    case: &Case<'_>,
    spot: Spot<'_>,
    node: &Node,
    did: &str,
    (name, unit): (&str, Unit),
) -> Answer {
    let (Some(at), Some(now), Some(most)) = (time(node), case.estate.read_at(), limit(name)) else {
        return spot.unknown(format!("{did} when: {}", cause(node)));
    };
    let (seconds, word) = match unit {
        Unit::Days => (DAY_SECONDS, "days"),
        Unit::Hours => (HOUR_SECONDS, "hours"),
    };
    let ago = now.seconds_since(at) / seconds;
    if ago <= most {
        spot.holds(format!("{did} {ago} {word} ago"))
    } else {
        spot.broken(format!("{did} {ago} {word} ago; at most {most} are wanted"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Place;

    #[test]
    fn times_of_every_protocol() {
        let read = |value| time(&Node::new(Place::default(), value)).map(|time| time.to_string());
        let number = |text: &str| read(Value::Number(text.to_owned()));
        assert_eq!(number("1790000000.5").as_deref(), Some("2026-09-21T14:13:20.500Z"));
        assert_eq!(number("1790000000").as_deref(), Some("2026-09-21T14:13:20.000Z"));
        assert_eq!(number("1e300"), None);
        assert_eq!(
            read(Value::Text("2026-09-21T15:33:20Z".to_owned())).as_deref(),
            Some("2026-09-21T15:33:20.000Z")
        );
        assert_eq!(read(Value::Text("soon".to_owned())), None);
    }
}
