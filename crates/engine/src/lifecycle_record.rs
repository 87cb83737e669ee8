//! What the ledger says of lifecycles of buckets that follow from the charter: which rules were to be put, and what became
//! of it.

use crate::Recorded;
use facts::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A change of the lifecycle of a bucket, as it was shown before it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleChange {
    /// What the names of the house's objects in the bucket begin with.
    pub prefix: String,
    /// The charter that it follows from.
    pub charter: Digest,
    /// Digest of all rules that were there, one line of canonical JSON each: the object `lifecycles/<digest>`.
    pub before: Digest,
    /// Digest of all rules that are to be there, likewise.
    pub after: Digest,
    /// What is otherwise, in sentences.
    pub differences: Vec<String>,
}

/// What happened to the lifecycle of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LifecycleEvent {
    /// It will be put. Recorded before it is.
    Begun(Box<LifecycleChange>),
    /// It was read back as it was put.
    Settled,
    /// It was not put, or the bucket has other rules.
    Failed {
        /// Why.
        reason: String,
    },
    /// What became of it is not known.
    Unknown {
        /// What could not be read.
        missing: String,
    },
}

/// A change, and what became of it.
#[derive(Debug, Clone)]
pub struct LifecycleChanged {
    /// The change.
    pub change: Recorded<LifecycleChange>,
    /// Its end, or that this is not known; none as long as nobody has seen it end.
    pub ended: Option<Recorded<LifecycleEvent>>,
}

impl LifecycleChanged {
    /// Whether it is not known what became of it.
    pub fn is_open(&self) -> bool {
        self.ended.as_ref().is_none_or(|ended| matches!(ended.what, LifecycleEvent::Unknown { .. }))
    }
}

/// The last change of each bucket's lifecycle; earlier ones are in the ledger.
#[derive(Debug, Default)]
pub struct Lifecycles(BTreeMap<String, LifecycleChanged>);

impl Lifecycles {
    /// The last change of a bucket's lifecycle.
    pub fn last(&self, bucket: &str) -> Option<&LifecycleChanged> {
        self.0.get(bucket)
    }

    /// Takes in what happened; nothing if it ends a change that was never begun.
    pub(crate) fn take(&mut self, event: LifecycleEvent, entry: Recorded<String>) -> Option<()> {
        let Recorded { what: bucket, evidence, time, by } = entry;
        match event {
            LifecycleEvent::Begun(change) => {
                let change = Recorded { what: *change, evidence, time, by };
                self.0.insert(bucket, LifecycleChanged { change, ended: None });
            }
            ended => {
                let last = self.0.get_mut(&bucket).filter(|one| one.is_open())?;
                last.ended = Some(Recorded { what: ended, evidence, time, by });
            }
        }
        Some(())
    }
}
