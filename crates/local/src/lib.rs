//! The embedded adapters: SQLite ledger store, object folder, key service, model runtime, programs, clock. One
//! implementation of each port of [`world`], for one machine, with nothing to install.

mod directory;
mod files;
mod host;
mod keys;
mod ledger;
mod objects;
mod program;
mod runtime;
mod tracking;

pub use directory::ServingDirectories;
pub use host::{SystemClock, SystemEntropy};
pub use keys::LocalKeys;
pub use ledger::{Cosigner, Exported, SqliteLedger, VerifyReport, export_tiles, verify_ledger};
pub use objects::FolderObjects;
pub use program::LocalPrograms;
pub use runtime::OnnxRuntime;
pub use tracking::SqliteTracking;
