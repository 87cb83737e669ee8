//! Time and chance, handed in so that tests can hold them still.

use facts::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Gives unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out` with bytes from a cryptographic generator.
    fn fill(&self, out: &mut [u8]) -> Result<(), crate::PortError>;
}
