//! The notebook: experiments, runs, logged models and their files, as MLflow has them. It is work in progress and not
//! evidence; what a version rests on goes on record when the version is registered. Nothing here asks policies: who
//! calls has asked before.

mod documents;
mod experiments;
mod files;
mod logged_models;
mod runs;

pub use files::{FileRecord, Listed, checked_path, listing};
pub use logged_models::{ModelPatch, NewLoggedModel};
pub use runs::{Batch, NewRun, RunPatch};

use crate::core::Ports;
use mlflow::{Code, Error};
use std::sync::Arc;
use world::{Clock, Entropy, Kind, PortError, TrackingStore};

/// Experiments, runs, logged models and files over one store.
#[derive(Clone)]
pub struct Notebook {
    store: Arc<dyn TrackingStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Notebook {
    /// The notebook of a house.
    pub fn new(ports: &Ports) -> Self {
        Self {
            store: Arc::clone(&ports.tracking),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().unix_ms()
    }

    /// A fresh id of 32 letters.
    fn fresh_id(&self) -> Result<String, Error> {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes).map_err(outside)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What failed outside, as clients read it.
#[expect(clippy::needless_pass_by_value, reason = "an error on its way out, as `map_err` has it")]
pub(crate) fn outside(error: PortError) -> Error {
    match error.kind() {
        Kind::Conflict => Error::new(Code::ResourceConflict, error.to_string()),
        Kind::Absent => Error::absent(error.to_string()),
        Kind::Invalid => Error::invalid(error.to_string()),
        _ => Error::new(Code::InternalError, error.to_string()),
    }
}
