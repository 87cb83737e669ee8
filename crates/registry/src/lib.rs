//! The model registry as a pure state machine: a [`Command`] and the [`State`] give events or a [`Refusal`]; events
//! make the next state. Nothing here reads a clock, stores anything, or knows how anybody is reached.
//!
//! ```text
//! candidate ──validate──▶ validated ──approve (all steps)──▶ approved ──deploy──▶ deployed ──▶ superseded
//!     │                      │                                  ▲                   │
//!     └─▶ failed (a gate)    └─▶ rejected                       └── re-approve      └─▶ rolled back      any ─▶ retired
//! ```
//!
//! A version in quarantine keeps its place in this life, and is used by nobody until somebody else has looked at it.
//!
//! Approvals bind to the artefact's digest, to the charter's digest and to the validation: a change of any voids them. An
//! approver with a key signs a [`Statement`] of all that, and the signature is checked whenever the approval is counted. The proof
//! types [`Approved`], [`DeploymentPlan`] and [`RollbackPlan`] can be made only by the functions that check, so a
//! deployment without approval does not compile:
//!
//! ```compile_fail
//! let plan = registry::DeploymentPlan { approved: unreachable!() };
//! ```

mod decide;
mod demands;
mod emergency;
mod event;
mod gate;
mod history;
mod incumbent;
mod plan;
mod quarantine;
mod refusal;
mod rehearse;
mod review;
mod rules;
mod state;
mod statement;
mod tamper;
mod version;

pub use decide::{ApprovalRequest, Command, Decided, Revocation};
pub use demands::{Demands, Environment};
pub use emergency::{BrokenGlass, Emergency, EmergencyRequest, ReviewRequest};
pub use event::{At, Event, Inconsistent, OwnWork};
pub use gate::{GateResult, Stage};
pub use history::{Serving, Stretch};
pub use incumbent::{Basis, Figures, Incumbent, beside};
pub use plan::{Approved, DeploymentPlan, RollbackPlan};
pub use quarantine::{MOST_LETTERS, Quarantine, QuarantineRequest, ReleaseRequest, Released};
pub use refusal::Refusal;
pub use review::{Occasion, Review, ReviewDue, Reviewed};
pub use rules::{ApproverKey, BreakGlassRules, Compensation, ReviewRules, Rules, Separation, Standing, Step};
pub use state::{ApprovalGiven, Loss, ModelState, Revoked, State, Status, Version};
pub use statement::{Fault, Statement, check as check_signature};
pub use tamper::Tampering;
pub use version::{
    CodeVersion, Committers, CriterionResult, How, Involvement, Registration, TrackedRun, TrainedOn, Trigger,
    ValidationReport, VersionNumber,
};
