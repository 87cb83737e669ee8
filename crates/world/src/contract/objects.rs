//! The contract of the objects port.
