//! Append-only Merkle log: canonical entries, proofs, tiles, signed checkpoints.

mod entry;

pub use entry::{Draft, Entry, Outcome};
