//! From policies and a request to a decision.

mod compile;
mod condition;
mod decide;
mod layers;
mod principal;

pub(crate) use compile::{ActionTest, Compiled, ResourcePattern, ResourceTest};
pub(crate) use condition::{Clause, Comparand};
pub use decide::{Decision, Outcome, decide};
pub(crate) use decide::{OPEN, Sayings, Says, join, listen};
pub use layers::{Layer, Layers, OrganizationLevel, Program, ProgramStatement};
pub(crate) use principal::{Level, WhoTest};
