//! The embedded adapters: SQLite ledger store, object folder, key service, runtime, programs, clock.

mod host;
mod keys;
mod ledger;
mod objects;
mod program;
mod runtime;

