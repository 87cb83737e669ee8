//! Admit, limit or deny one request. [`Authorizer`] decides by Cedar policies who may do what; [`key`] holds access
//! keys; [`door`] reads what others vouch for; [`quota`] counts. Pure: no sockets, no clock, no randomness of its own.
//!
//! Invariants: no policy, no permission; an error while deciding is a denial; a denial says why and who could.

mod authz;
pub mod door;
pub mod key;
mod question;
pub mod quota;

pub use authz::{Authorized, Authorizer, Decision, Denial, PolicyError};
pub use key::{AccessKey, HashedKey};
pub use question::{Action, Resource};
