//! The controls, by topic. Each is a unit: an id, a check here, and a folder `controls/ID` with its description and its
//! three templates.

mod around;
mod identity;
mod keys;
mod registry;
mod sagemaker;
mod serving;
mod storage;
mod storage_access;

use crate::unit::{Control, Unit};

const TOPICS: [&[Unit]; 8] = [
    storage_access::UNITS,
    storage::UNITS,
    keys::UNITS,
    identity::UNITS,
    sagemaker::UNITS,
    serving::UNITS,
    registry::UNITS,
    around::UNITS,
];

pub(crate) fn units() -> impl Iterator<Item = &'static Unit> {
    TOPICS.iter().flat_map(|units| units.iter())
}

/// All controls, by topic.
pub fn controls() -> impl Iterator<Item = &'static Control> {
    units().map(|unit| &unit.control)
}

/// The control of this id, or of one that others have for it; in any case.
#[must_use]
pub fn control_named(name: &str) -> Option<&'static Control> {
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    controls()
        .find(|control| same(control.id))
        .or_else(|| controls().find(|control| control.aliases.iter().any(|alias| same(alias))))
}
