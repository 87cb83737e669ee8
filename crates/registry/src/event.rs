//! What happened to versions. Events are facts: applying one never decides anything.

use crate::emergency::BrokenGlass;
use crate::gate::GateResult;
use crate::review::ReviewDue;
use crate::version::{How, Registration, Trigger, ValidationReport, VersionNumber};
use facts::{Actor, Digest, EndpointName, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// When and where an event is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// When.
    pub time: Timestamp,
    /// The ledger entry.
    pub evidence: EvidenceId,
}

/// That an approver had a hand in the version: separation of duties was not achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnWork {
    /// What the approver did in it.
    pub how: Vec<How>,
    /// What stands in for separation of duties, in words.
    pub compensated_by: Vec<String>,
}

impl fmt::Display for OwnWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how: Vec<String> = self.how.iter().map(How::to_string).collect();
        let instead = self.compensated_by.join(", ");
        write!(
            f,
            "separation of duties NOT achieved: the approver {}; in its place: {instead}",
            how.join(" and ")
        )
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A candidate was registered.
    Registered {
        /// Its number.
        version: VersionNumber,
        /// What it is.
        registration: Box<Registration>,
    },
    /// It was measured; the report says whether it passed.
    Validated {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// What was found.
        report: Box<ValidationReport>,
    },
    /// A program was asked about it at a gate of the charter.
    GateAsked {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// What it said.
        result: Box<GateResult>,
    },
    /// Somebody approved it for one step.
    ApprovalGiven {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Who.
        approver: Actor,
        /// In which role.
        role: RoleId,
        /// The artefact that was approved.
        artefact: Digest,
        /// The charter under which it was approved.
        charter: Digest,
        /// The validation that the approver relied on.
        validation: EvidenceId,
        /// From when on it no longer counts; entries of before this was recorded have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
        /// The statement in a note that the approver signed, if it is signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<String>,
        /// That the approver had a hand in the version, and what stands in for separation of duties.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        own_work: Option<OwnWork>,
    },
    /// An approval was taken back, by whom the entry names.
    ApprovalRevoked {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// The entry of the approval.
        approval: EvidenceId,
        /// Why.
        reason: String,
    },
    /// A version that serves no longer has what it would need to be deployed.
    EvidenceLost {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// What is missing, in a sentence.
        missing: String,
        /// The entry because of which.
        cause: EvidenceId,
    },
    /// It was signed, all approvals being given.
    Signed {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Digest of the signature bundle.
        bundle: Digest,
        /// The object that holds the bundle.
        object: String,
    },
    /// It was refused for good.
    Rejected {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Why.
        reason: String,
    },
    /// It began to serve.
    Deployed {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Where.
        endpoint: EndpointName,
        /// The version that it replaced.
        replaced: Option<VersionNumber>,
        /// Who looks at it afterwards, if somebody has to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewDue>,
    },
    /// It began to serve without approvals, in an emergency.
    BrokeGlass {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Where.
        endpoint: EndpointName,
        /// The version that it replaced.
        replaced: Option<VersionNumber>,
        /// Who answers for it, why and until when.
        glass: BrokenGlass,
        /// Digest of the signature bundle, which says the same.
        bundle: Digest,
        /// The object that holds the bundle.
        object: String,
        /// Who looks at it afterwards.
        review: ReviewDue,
    },
    /// Somebody looked at a decision afterwards.
    Reviewed {
        /// The model.
        model: ModelName,
        /// The entry of the decision.
        of: EvidenceId,
        /// Who.
        by: PersonId,
        /// Whether the decision was right.
        upheld: bool,
        /// In their words.
        note: String,
    },
    /// A version was named as the one to fall back to.
    FallbackNamed {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
    },
    /// A version was taken back and the previous one serves again.
    RolledBack {
        /// The model.
        model: ModelName,
        /// The version taken back.
        from: VersionNumber,
        /// The version that serves again.
        to: VersionNumber,
        /// Where.
        endpoint: EndpointName,
        /// Why.
        reason: String,
        /// Who looks at it afterwards, if somebody has to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewDue>,
    },
    /// Something of it was read, and is not what was registered.
    Tampered {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// What, in a sentence.
        cause: String,
    },
    /// All of it was read again, and is what was registered.
    Restored {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
    },
    /// Nobody may use it until somebody else has looked at it.
    Quarantined {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Who put it there.
        by: PersonId,
        /// Why.
        reason: String,
        /// Whether a person decided it or an alert did.
        trigger: Trigger,
        /// Who looks at it afterwards, if somebody has to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewDue>,
    },
    /// Somebody else looked at it, and it may be approved again.
    Released {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Who let it out.
        by: PersonId,
        /// What was found.
        finding: String,
    },
    /// It was taken out of use for good.
    Retired {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Why.
        reason: String,
    },
}

impl Event {
    /// The model it is about.
    pub fn model(&self) -> &ModelName {
        match self {
            Self::Registered { registration, .. } => &registration.model,
            Self::Validated { model, .. }
            | Self::GateAsked { model, .. }
            | Self::ApprovalGiven { model, .. }
            | Self::ApprovalRevoked { model, .. }
            | Self::EvidenceLost { model, .. }
            | Self::Signed { model, .. }
            | Self::Rejected { model, .. }
            | Self::Deployed { model, .. }
            | Self::BrokeGlass { model, .. }
            | Self::Reviewed { model, .. }
            | Self::FallbackNamed { model, .. }
            | Self::RolledBack { model, .. }
            | Self::Tampered { model, .. }
            | Self::Restored { model, .. }
            | Self::Quarantined { model, .. }
            | Self::Released { model, .. }
            | Self::Retired { model, .. } => model,
        }
    }
}

/// An event that cannot follow the state: the record is damaged or was written by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} of `{model}` does not follow from what is recorded before it")]
pub struct Inconsistent {
    pub(crate) what: &'static str,
    pub(crate) model: ModelName,
}
