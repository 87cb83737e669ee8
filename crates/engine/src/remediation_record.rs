//! What the ledger says of remediations: plans, who approved them, and how far each step came.

use crate::Recorded;
use facts::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened to a plan or to one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RemediationEvent {
    /// It was made. The plan is the object `remediations/<digest>`.
    Planned {
        /// The account that it is for.
        account: String,
        /// The region.
        region: String,
        /// How many steps it has.
        steps: u32,
    },
    /// Somebody agreed.
    Approved,
    /// A change is about to be written: it may have happened from here on.
    Started {
        /// The step.
        step: u32,
        /// The change of the step, from 0.
        change: u32,
    },
    /// All changes of a step were written and seen.
    Applied {
        /// The step.
        step: u32,
        /// What was found after each change: the object `remediations/<digest>`.
        states: Digest,
    },
    /// The control holds.
    Verified {
        /// The step.
        step: u32,
        /// The control.
        control: String,
    },
    /// A step left things as they were before it.
    NotApplied {
        /// The step.
        step: u32,
        /// Why.
        because: String,
    },
    /// Nobody knows what a step left behind; a person has to look.
    Unclear {
        /// The step.
        step: u32,
        /// Why.
        because: String,
    },
    /// The inverse of a change is about to be written.
    UndoStarted {
        /// The step.
        step: u32,
        /// The change of the step, from 0.
        change: u32,
    },
    /// A step was undone.
    Undone {
        /// The step.
        step: u32,
    },
}

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepState {
    /// The changes before this one are done, and this one may be.
    Started {
        /// From 0.
        change: u32,
    },
    /// Written, and not yet known to be right.
    Applied {
        /// What was found after each change.
        states: Digest,
    },
    /// Written, and the control holds.
    Verified {
        /// What was found after each change.
        states: Digest,
    },
    /// The changes after this one are undone, and this one may be.
    Undoing {
        /// From 0.
        change: u32,
        /// What was found after each change, before the undoing.
        states: Digest,
    },
    /// As it was before.
    Undone,
}

/// A plan and what became of it.
#[derive(Debug, Clone)]
pub struct Remediation {
    /// The plan.
    pub plan: Recorded<Digest>,
    /// The account that it is for.
    pub account: String,
    /// Who agreed.
    pub approvals: Vec<Recorded<()>>,
    /// How far its steps came; those that left nothing behind are not here.
    pub steps: BTreeMap<u32, StepState>,
}

/// All plans, oldest first.
#[derive(Debug, Default)]
pub struct Remediations(Vec<Remediation>);

impl Remediations {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Remediation> {
        self.0.iter()
    }

    /// The one of this plan.
    pub fn of(&self, plan: &Digest) -> Option<&Remediation> {
        self.0.iter().find(|one| one.plan.what == *plan)
    }

    /// Takes in what happened; nothing if it is of a plan that nobody made.
    pub(crate) fn take(&mut self, event: RemediationEvent, entry: Recorded<Digest>) -> Option<()> {
        if let RemediationEvent::Planned { account, .. } = event {
            if self.of(&entry.what).is_none() {
                self.0.push(Remediation {
                    plan: entry,
                    account,
                    approvals: Vec::new(),
                    steps: BTreeMap::new(),
                });
            }
            return Some(());
        }
        let one = self.0.iter_mut().find(|one| one.plan.what == entry.what)?;
        let Recorded { evidence, time, by, .. } = entry;
        let (step, state) = match event {
            RemediationEvent::Planned { .. } => return Some(()),
            RemediationEvent::Approved => {
                one.approvals.push(Recorded { what: (), evidence, time, by });
                return Some(());
            }
            RemediationEvent::Unclear { .. } => return Some(()),
            RemediationEvent::Started { step, change } => (step, Some(StepState::Started { change })),
            RemediationEvent::Applied { step, states } => (step, Some(StepState::Applied { states })),
            RemediationEvent::Verified { step, .. } => {
                (step, one.steps.get(&step).map(|state| state.verified()))
            }
            RemediationEvent::NotApplied { step, .. } => (step, None),
            RemediationEvent::UndoStarted { step, change } => {
                let states = one.steps.get(&step)?.states()?;
                (step, Some(StepState::Undoing { change, states }))
            }
            RemediationEvent::Undone { step } => (step, Some(StepState::Undone)),
        };
        match state {
            Some(state) => one.steps.insert(step, state),
            None => one.steps.remove(&step),
        };
        Some(())
    }
}

impl StepState {
    /// What was found after the step, if that is known.
    pub(crate) fn states(&self) -> Option<Digest> {
        match self {
            Self::Applied { states } | Self::Verified { states } | Self::Undoing { states, .. } => {
                Some(*states)
            }
            Self::Started { .. } | Self::Undone => None,
        }
    }

    fn verified(self) -> Self {
        match self {
            Self::Applied { states } => Self::Verified { states },
            other => other,
        }
    }
}
