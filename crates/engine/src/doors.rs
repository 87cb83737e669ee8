//! Which ways there are to show who one is, on record: whoever opens another way into the house leaves a trace.

use crate::record::Fact;
use crate::{Engine, Error};
use facts::{Digest, EvidenceId};
use guard::Action;

/// What stands where a resource would.
const DOORS: &str = "house/doors";

impl Engine {
    /// Records which doors are open, if that is not what was recorded last. Access keys alone need no entry.
    ///
    /// # Errors
    /// If it cannot be recorded: then no door should be opened.
    pub fn doors_opened(&mut self, doors: &[String], settings: Digest) -> Result<Vec<EvidenceId>, Error> {
        let known = self.state.doors();
        if known == Some(settings) || known.is_none() && doors.len() <= 1 {
            return Ok(Vec::new());
        }
        let automation = self.automation()?;
        let fact = Fact::DoorsOpened { doors: doors.to_vec(), settings };
        self.record(vec![Self::done(&automation, Action::EndpointServe, DOORS, fact)])
    }
}
