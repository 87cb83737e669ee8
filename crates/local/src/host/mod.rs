//! Time and chance of this machine.

use facts::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};
use world::{Clock, Entropy, Kind, PortError};

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        // A clock beyond the year 9999 is broken; the epoch is a time that nobody mistakes for now.
        Timestamp::from_unix_ms(ms).unwrap_or(Timestamp::EPOCH)
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), PortError> {
        aws_lc_rs::rand::fill(out)
            .map_err(|_| PortError::new(Kind::Failed, "the system gave no random bytes"))
    }
}
