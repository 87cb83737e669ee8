//! The time machine: what served at a time, and on which evidence.

use crate::emergency::BrokenGlass;
use crate::review::Review;
use crate::state::{ApprovalGiven, Loss, State};
use crate::version::{ValidationReport, VersionNumber};
use facts::{EndpointName, EvidenceId, ModelName, Timestamp};
use serde::{Deserialize, Serialize};

/// A time in which one version served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// The version.
    pub version: VersionNumber,
    /// Where.
    pub endpoint: EndpointName,
    /// From this moment on.
    pub since: Timestamp,
    /// Until just before this moment; open if none.
    pub until: Option<Timestamp>,
    /// The entry of the deployment or rollback.
    pub evidence: EvidenceId,
    /// Whether a rollback began it.
    pub rolled_back: bool,
    /// Whether it began without approvals: who answers for it, why and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_glass: Option<BrokenGlass>,
}

impl Stretch {
    /// Whether it began in an emergency whose time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.broken_glass.as_ref().is_some_and(|glass| now >= glass.until)
    }
}

/// What served at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Serving {
    /// The stretch that covers the time.
    pub stretch: Stretch,
    /// The approvals that counted when it began.
    pub approved_by: Vec<ApprovalGiven>,
    /// The validation that the approvers relied on, and its entry.
    pub validation: Option<(ValidationReport, EvidenceId)>,
    /// The entry of the signature.
    pub signed: Option<EvidenceId>,
    /// When it was found, while it served, to be without its evidence.
    pub losses: Vec<Loss>,
    /// The review that its beginning called for, if it did.
    pub review: Option<Review>,
}

impl State {
    /// What served at `time`; none if nothing did.
    pub fn as_of(&self, model: &ModelName, time: Timestamp) -> Option<Serving> {
        let model = self.model(model)?;
        // Two changes in one millisecond: the later one holds from then on.
        let covers =
            |stretch: &&Stretch| stretch.since <= time && stretch.until.is_none_or(|until| time < until);
        let stretch = model.stretches.iter().rev().find(covers)?.clone();
        let version = model.version(stretch.version)?;
        let approved_by: Vec<ApprovalGiven> = version
            .approvals
            .iter()
            .filter(|given| {
                given.evidence.index() < stretch.evidence.index()
                    && given.artefact == version.registration.artefact
            })
            .cloned()
            .collect();
        let relied = approved_by.last().map(|given| given.validation.clone());
        let validation = version
            .validation
            .clone()
            .filter(|(_, evidence)| relied.as_ref().is_none_or(|relied| relied == evidence));
        let signed = version.signature.as_ref().map(|(_, _, evidence)| evidence.clone());
        let until = stretch.until;
        let during = |loss: &&Loss| {
            // What ended it is found a moment after its end.
            loss.cause == stretch.evidence
                || stretch.since <= loss.time && until.is_none_or(|until| loss.time <= until)
        };
        let losses = version.losses.iter().filter(during).cloned().collect();
        let review = model.reviews.iter().find(|review| review.of == stretch.evidence).cloned();
        Some(Serving { stretch, approved_by, validation, signed, losses, review })
    }
}
