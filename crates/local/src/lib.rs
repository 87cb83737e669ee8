//! The embedded adapters: SQLite ledger store, encrypted objects, key service, runtime.
