//! Personal data: the envelope that keeps it encrypted, pseudonymisation, and what re-identification risk remains.
//! Pure: keys, secrets and random bytes come in as arguments.

pub mod envelope;
pub mod pseudonym;
pub mod risk;
mod table;

pub use table::{Table, TableError};
