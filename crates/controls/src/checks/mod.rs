//! The controls, by topic. Each is a unit: an id, a check here, and a folder `controls/ID` with its description and its
//! three templates.

mod api;
mod around;
mod bedrock;
mod cognito;
mod containers;
mod coverage;
mod data_access;
mod decryption;
mod derived;
mod identity;
mod jobs;
mod keys;
mod logs;
mod network;
mod registry;
mod retention;
mod rights;
mod sagemaker;
mod serving;
mod storage;
mod storage_access;

use crate::unit::{Control, Unit};
/// AI services that take roles.
pub(crate) use identity::SERVICES as MODEL_SERVICES;

const TOPICS: [&[Unit]; 19] = [
    storage_access::UNITS,
    storage::UNITS,
    retention::UNITS,
    data_access::UNITS,
    keys::UNITS,
    identity::UNITS,
    rights::UNITS,
    network::UNITS,
    sagemaker::UNITS,
    jobs::UNITS,
    serving::UNITS,
    registry::UNITS,
    around::UNITS,
    bedrock::UNITS,
    api::UNITS,
    cognito::UNITS,
    logs::UNITS,
    coverage::UNITS,
    containers::UNITS,
];

pub(crate) fn units() -> impl Iterator<Item = &'static Unit> {
    TOPICS.iter().flat_map(|units| units.iter())
}

/// All controls, by topic; parts beside the control that they are of.
pub fn controls() -> impl Iterator<Item = &'static Control> {
    units().map(|unit| &unit.control)
}

/// The control of this id, or the first of those that others call so; in any case.
#[must_use]
pub fn control_named(name: &str) -> Option<&'static Control> {
    controls_named(name).next()
}

/// Whether two names are one: in any case, as AWS Config writes it with hyphens or underscores, and as trivy does with
/// or without `AVD-`.
fn are_same(one: &str, other: &str) -> bool {
    let bare = |name: &str| {
        let plain = name.to_ascii_lowercase().replace('-', "_");
        plain.strip_prefix("avd_").map(ToOwned::to_owned).unwrap_or(plain)
    };
    bare(one) == bare(other)
}

/// The control of this id, or those that others call so: one name may be of several controls on different resources.
pub fn controls_named(name: &str) -> impl Iterator<Item = &'static Control> {
    let same = |other: &&str| are_same(other, name);
    let by_id = controls().filter(move |control| same(&control.id));
    by_id.chain(controls().filter(move |control| control.aliases.iter().any(same)))
}
