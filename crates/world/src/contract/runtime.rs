//! The contract of the runtime port.
