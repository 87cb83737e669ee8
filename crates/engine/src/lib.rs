//! Use cases: each is plan, check the plan, execute, record. The engine is the only caller of the ports, and the
//! ledger is its only memory: [`State`] is the ledger's entries replayed.
//!
//! The way of a command: [`Engine::sign_in`] turns an access key into an [`Actor`](facts::Actor); a method of one
//! of the modules asks [`guard`] (a refusal is recorded and ends it), decides on the state without touching
//! anything, does what the plan says, and appends what happened. An answer that says "done" is durable.

mod alerts;
mod approval;
mod approval_audit;
mod approver_keys;
mod artefacts;
mod capture;
mod catalogue;
mod checkpoints;
mod core;
mod data;
mod deployment;
mod documents;
mod doors;
mod embedded;
mod emergency;
mod environment;
mod error;
mod export;
mod feedback;
mod gates;
mod governance;
mod grants;
mod hands;
mod history;
mod importing;
mod incumbent;
mod keys;
mod lifecycle;
mod lifecycle_record;
mod lineage;
mod manifest;
mod mirror;
mod monitoring;
mod notebook;
mod places;
mod posture;
mod quarantine;
mod questions;
mod record;
mod registering;
mod rehearsal;
mod remediation;
mod remediation_record;
mod remediation_run;
mod replay;
mod reproduction;
mod rollout;
mod rollout_record;
mod rollout_weights;
mod rules;
mod serving;
mod split;
mod stack_record;
mod stacks;
mod state;
mod tampering;
mod training;
mod validation;
mod vault;

pub use crate::core::{Engine, Ports};
pub use alerts::AlertAction;
pub use approval::Decision;
pub use approval_audit::{ApprovalAudit, ApprovalFinding};
pub use approver_keys::{ApproverKeys, KeyBinding, RegisteredKey};
pub use artefacts::{Opening, PART_BYTES, Sealing};
pub use capture::LabelsImported;
pub use catalogue::{NewModelVersion, Prepared, WaitingRequest, Wanted};
pub use checkpoints::CheckpointSigner;
pub use data::{ImportRequest, ReadRequest, SnapshotMade, View};
pub use deployment::{Deployed, PlacedOn, ServingModel};
pub use documents::{CardFiles, DocumentOnRecord};
pub use emergency::{Fallback, ReviewView};
pub use error::Error;
pub use gates::{Asking, Said};
pub use governance::{Deliver, Founded, Issued};
pub use grants::{Given, GrantRequest, GrantState, GrantView, KeyGrant, KeyGrants};
pub use history::{ApprovedBy, HistoryAnswer, Served};
pub use importing::{Foreign, Import, Imported, Incoming};
pub use keys::KeyView;
pub use lifecycle_record::{LifecycleChange, LifecycleChanged, LifecycleEvent, Lifecycles};
pub use lineage::{INPUT, OUTPUT, lineage_dataset};
pub use manifest::Manifest;
pub use mirror::{MirrorEvent, Mirrored, Mirrors, Outside, Parts};
pub use notebook::{
    Batch, FileRecord, Listed, ModelPatch, NewLoggedModel, NewRun, Notebook, RunPatch,
    checked_path as artefact_path, listing,
};
pub use places::{PlaceState, ServingPlace};
pub use posture::{
    Cause, Closing, Counts, Evaluated, GrantedWaiver, Incident, IncidentEvent, IncidentNews, IncidentOpening,
    Known, PostureEvent, Postures, Pushed, Round, VerdictChange, Verdicts, WaiverEvent, WaiverRequest,
    Waivers, Watch, WatchSettings, receive,
};
pub use quarantine::{Held, Vacated};
pub use questions::{ApprovalView, Difference, VersionDiff, WhoApproved};
pub use record::{
    ApprovalRequested, Compared, Fact, KeyChange, LabelBatch, MonitorReport, Origin, Refused, RefusedCalls,
    Reproduced, RuleOutcome, Segment, Snapshot, TrainingRun,
};
pub use rehearsal::{Promotion, Rehearsal};
pub use remediation::PlanOnRecord;
pub use remediation_record::{Remediation, RemediationEvent, Remediations, StepState};
pub use remediation_run::{Ended, PlanOutcome, StepOutcome};
pub use replay::contradicted;
pub use reproduction::ReproduceRequest;
pub use rollout_record::{Placed, RolloutEvent, Rollouts};
pub use serving::{ServingDifference, ServingView};
pub use stack_record::{ResourceCounts, StackAction, StackChange, StackChanged, StackEvent, Stacks};
pub use stacks::{ShownStackChange, StackChangeView, StackEndView, StackHistory};
pub use state::{FiredAlert, Recorded, State};
pub use training::{TrainRequest, Trained};
pub use validation::Validated;

/// What a use case gives back: its answer, and the ledger entries that prove it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Done<T> {
    /// The answer.
    #[serde(flatten)]
    pub answer: T,
    /// The entries, the most important one last.
    pub evidence: Vec<facts::EvidenceId>,
}
