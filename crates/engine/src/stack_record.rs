//! What the ledger says of stacks of CloudFormation that follow from the charter: what was to change, and what became of it.

use crate::Recorded;
use facts::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is done to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackAction {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted, but for what holds evidence.
    Delete,
}

/// How many resources a change adds, changes and takes away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceCounts {
    /// Added.
    pub added: u32,
    /// Changed as they are.
    pub modified: u32,
    /// Replaced by others, for sure or perhaps.
    pub replaced: u32,
    /// Removed.
    pub removed: u32,
    /// Left where they are by a deletion, because they hold evidence.
    #[serde(default)]
    pub kept: u32,
}

/// A change of a stack, as it was shown before it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackChange {
    /// What is done.
    pub action: StackAction,
    /// The id of the stack, an ARN.
    pub stack_id: String,
    /// The id of the change set; none for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_set: Option<String>,
    /// The charter that it follows from.
    pub charter: Digest,
    /// Digest of the template that was given, which is the object `stacks/<digest>`; none for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Digest>,
    /// Digest of the plan with every resource and every difference: the object `stacks/<digest>`.
    pub plan: Digest,
    /// How much of it there is.
    pub resources: ResourceCounts,
    /// Which findings of controls and which proofs would be otherwise, in sentences; the first ones of many.
    pub differences: Vec<String>,
}

/// What happened to a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum StackEvent {
    /// It will be changed. Recorded before it is.
    Begun(Box<StackChange>),
    /// The change came to its end, says CloudFormation.
    Settled {
        /// The status of the stack: `CREATE_COMPLETE`.
        status: String,
    },
    /// It did not, or it was never begun.
    Failed {
        /// Why.
        reason: String,
        /// The status of the stack, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<String>,
    },
    /// What became of it is not known.
    Unknown {
        /// What could not be read.
        missing: String,
    },
}

/// A change, and what became of it.
#[derive(Debug, Clone)]
pub struct StackChanged {
    /// The change.
    pub change: Recorded<StackChange>,
    /// Its end, or that this is not known; none as long as nobody has seen it end.
    pub ended: Option<Recorded<StackEvent>>,
}

impl StackChanged {
    /// Whether it is not known what became of it.
    pub fn is_open(&self) -> bool {
        self.ended.as_ref().is_none_or(|ended| matches!(ended.what, StackEvent::Unknown { .. }))
    }
}

/// All stacks.
#[derive(Debug, Default)]
pub struct Stacks(BTreeMap<String, Vec<StackChanged>>);

impl Stacks {
    /// What was done to a stack, oldest first.
    pub fn of(&self, stack: &str) -> &[StackChanged] {
        self.0.get(stack).map_or(&[], Vec::as_slice)
    }

    /// The last change of a stack, if it is not known what became of it.
    pub fn open(&self, stack: &str) -> Option<&StackChanged> {
        self.of(stack).last().filter(|one| one.is_open())
    }

    /// Takes in what happened; nothing if it ends a change that was never begun.
    pub(crate) fn take(&mut self, event: StackEvent, entry: Recorded<String>) -> Option<()> {
        let Recorded { what: stack, evidence, time, by } = entry;
        let all = self.0.entry(stack).or_default();
        match event {
            StackEvent::Begun(change) => {
                all.push(StackChanged {
                    change: Recorded { what: *change, evidence, time, by },
                    ended: None,
                });
            }
            ended => {
                let last = all.last_mut().filter(|one| one.is_open())?;
                last.ended = Some(Recorded { what: ended, evidence, time, by });
            }
        }
        Some(())
    }
}
