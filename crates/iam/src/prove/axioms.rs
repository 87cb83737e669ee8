//! What AWS says of context keys in every request: which are always there, what their values can be, and which exclude
//! each other. Without it witnesses would be requests that nobody can send.

use super::conditions::{Asked, Sayings};
use super::problem::{Formula, Pieces};
use crate::catalog::{GlobalKey, KeyType, Presence, catalog, global_key};

/// Keys that only requests through a VPC endpoint have; these have no `aws:SourceIp`. AWS global condition context keys,
/// "aws:SourceIp".
const BY_ENDPOINT: [&str; 3] = ["aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"];

/// What holds of every request; `signed` says whether somebody signed it, if that is known.
pub(super) fn axioms(pieces: &mut Pieces, asked: &Asked, signed: Option<bool>) -> Vec<Formula> {
    let mut told = Sayings { pieces, asked };
    let mut all = Vec::new();
    for key in asked.iter() {
        all.extend(presence(&mut told, key, signed));
        all.extend(readable(&mut told, key));
    }
    all.extend(way(&mut told));
    all
}

/// Whether the key is there, by the table of `data/global-keys.json`.
fn presence(told: &mut Sayings<'_>, key: &str, signed: Option<bool>) -> Option<Formula> {
    match (global_key(key)?.presence(), signed) {
        (Presence::Always, _) | (Presence::Signed, Some(true)) => Some(told.there(key)),
        (Presence::Signed, Some(false)) => Some(told.none(key)),
        _ => None,
    }
}

/// The value is one of the key's type.
fn readable(told: &mut Sayings<'_>, key: &str) -> Option<Formula> {
    let known = global_key(key).filter(|known| known.other_kind().is_none()).map(GlobalKey::kind);
    let of_service = || catalog().condition_key(key).map(|known| known.kind());
    match known.or_else(of_service)? {
        KeyType::Bool => Some(told.say("BoolIfExists", key, &["true", "false"])),
        KeyType::IpAddress => Some(told.say("IpAddressIfExists", key, &["0.0.0.0/0", "::/0"])),
        KeyType::Numeric => {
            let under = told.say("NumericLessThanIfExists", key, &["0"]);
            Some(Formula::Any(vec![told.say("NumericGreaterThanEqualsIfExists", key, &["0"]), under]))
        }
        KeyType::Date => {
            let turn = ["2026-01-01T00:00:00Z"];
            let before = told.say("DateLessThanIfExists", key, &turn);
            Some(Formula::Any(vec![told.say("DateGreaterThanEqualsIfExists", key, &turn), before]))
        }
        _ => None,
    }
}

/// A request comes through a VPC endpoint, or has the address of its sender.
fn way(told: &mut Sayings<'_>) -> Option<Formula> {
    if !BY_ENDPOINT.iter().any(|key| told.asked.has(key)) {
        return None;
    }
    let mut through: Vec<Formula> = BY_ENDPOINT.map(|key| told.there(key)).into();
    through.push(told.none("aws:sourceip"));
    let past = BY_ENDPOINT.map(|key| told.none(key)).into();
    Some(Formula::Any(vec![Formula::All(past), Formula::All(through)]))
}
