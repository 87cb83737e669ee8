//! What becomes of calls, for whoever counts ([`Counts`]), traces ([`Trace`]) or keeps ([`Tape`]) them.

mod counts;
mod tape;
mod trace;

pub use counts::Counts;
pub use tape::Tape;
pub use trace::Trace;

pub(crate) use tape::Exchange;

use crate::error::Trouble;
use crate::operation::Operation;
use std::sync::Arc;
use std::time::Duration;

/// One attempt of a call. Holds no content and no secret.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// What was called.
    pub operation: &'static Operation,
    /// Where.
    pub region: &'a str,
    /// From 1.
    pub number: u32,
    /// Why it failed, if it did.
    pub trouble: Option<Trouble>,
    /// The id by which AWS Support finds it, if the service gave one.
    pub request_id: Option<&'a str>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Attempt<'_> {
    /// How it ended, in a word: `ok`, or the trouble.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self.trouble {
            None => "ok",
            Some(Trouble::Absent) => "absent",
            Some(Trouble::Denied) => "denied",
            Some(Trouble::Throttled) => "throttled",
            Some(Trouble::Refused) => "refused",
            Some(Trouble::Unavailable) => "unavailable",
            Some(Trouble::Unreached) => "unreached",
            Some(Trouble::Unreadable) => "unreadable",
            Some(Trouble::Unconfigured) => "unconfigured",
        }
    }
}

/// Somebody who is told of every attempt.
pub(crate) type Watcher = Arc<dyn Fn(&Attempt<'_>) + Send + Sync>;
