//! One suite per port. An adapter's tests call the suite with a way to open its instance; the suite panics where the
//! adapter does not keep the contract.

pub mod account;
pub mod fleet;
pub mod grants;
pub mod keys;
pub mod ledger;
pub mod objects;
pub mod program;
pub mod queue;
pub mod tracking;
