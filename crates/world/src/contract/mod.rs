//! One suite per port. An adapter's tests call the suite with a way to make a fresh instance.

pub mod keys;
pub mod ledger;
pub mod objects;
pub mod program;
pub mod runtime;
