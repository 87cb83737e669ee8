//! From policies and a request to a decision.

mod compile;
mod condition;
mod decide;
mod layers;
mod principal;

pub(crate) use compile::ResourcePattern;
pub(crate) use condition::Clause;
pub use decide::{Decision, Outcome, decide};
pub use layers::{Layer, Layers, OrganizationLevel, Program, ProgramStatement};
