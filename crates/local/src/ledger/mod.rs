//! Embedded adapter: ledger.
