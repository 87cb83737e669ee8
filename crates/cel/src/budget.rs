//! What an evaluation may take. Every node, every turn of a loop, every comparison and every character that is looked at
//! costs; so time is bounded whatever the expression says, and so is what it makes.

use crate::fault::Fault;

/// Steps of one evaluation, unless another number is given; far below a tenth of a second.
pub const MAX_STEPS: u64 = 200_000;

/// Bytes of texts and lists that one evaluation may make.
pub const MAX_BYTES: u64 = 4 << 20;

/// What is left to an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    steps: u64,
    given: u64,
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(MAX_STEPS)
    }
}

impl Budget {
    /// So many steps.
    #[must_use]
    pub fn of(steps: u64) -> Self {
        Self { steps, given: steps, bytes: MAX_BYTES }
    }

    /// Steps that were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.given - self.steps
    }

    /// Takes steps.
    ///
    /// # Errors
    /// If there are not so many left; the evaluation ends.
    #[inline]
    pub fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(self.spent())
            }
        }
    }

    #[cold]
    fn spent(&self) -> Fault {
        Fault::Stopped(format!("stopped after {} steps", self.given))
    }

    /// Makes something of so many bytes, a step for eight of them.
    ///
    /// # Errors
    /// If it would be too much; the evaluation ends.
    pub fn make(&mut self, bytes: usize) -> Result<(), Fault> {
        let bytes = bytes as u64;
        self.spend(bytes / 8)?;
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(Fault::Stopped(format!("stopped: it makes more than {MAX_BYTES} bytes"))),
        }
    }
}
