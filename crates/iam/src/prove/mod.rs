//! Proofs: that no request of a kind is let through, or a request that is.
//!
//! A question becomes a formula over pieces of statements ([`problem`]); the search ([`search`]) makes pieces true or
//! false; what one attribute can be is answered by automata over texts ([`strings`]) and intervals ([`keys`]); what is
//! found is made into a request ([`witness`]) and decided once more by the evaluator ([`ask`]). A request that the evaluator does
//! not confirm is never shown: it would be an error of ours, and the answer is `unknown`.

mod ask;
mod axioms;
mod caller_keys;
mod callers;
mod captures;
mod conditions;
mod difference;
mod granted;
mod joint;
mod keys;
mod outsider;
mod problem;
mod public;
mod repair;
mod search;
mod strings;
mod witness;

pub use difference::{difference, no_new_access, no_new_access_within};
pub use granted::{Grants, access_not_granted};
pub use public::{no_public_access, no_public_access_within};
pub use repair::repair;

use crate::request::Request;

/// The answer to a question for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// There is no such request.
    Proved,
    /// This is one; the evaluator has confirmed it.
    Witness(Box<Request>),
    /// Not decided, and why.
    Unknown(&'static str),
}

impl Proof {
    /// Whether there is such a request, if that is known.
    #[must_use]
    pub fn exists(&self) -> Option<bool> {
        match self {
            Self::Proved => Some(false),
            Self::Witness(_) => Some(true),
            Self::Unknown(_) => None,
        }
    }
}
