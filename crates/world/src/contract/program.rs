//! The contract of the program port.
