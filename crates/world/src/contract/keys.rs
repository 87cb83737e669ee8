//! The contract of the keys port.
