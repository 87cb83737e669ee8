//! The time machine: what served at a time, and who approved it on which evidence.

use crate::{Engine, Error};
use facts::{Digest, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use registry::{BrokenGlass, Loss, OwnWork, Review, Revoked, VersionNumber};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What served at a time.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryAnswer {
    /// The model.
    pub model: ModelName,
    /// The time asked about.
    pub as_of: Timestamp,
    /// What served; none if nothing did.
    pub serving: Option<Served>,
}

/// A version that served, and why it was allowed to.
#[derive(Debug, Clone, Serialize)]
pub struct Served {
    /// The version.
    pub version: VersionNumber,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none if it still does.
    pub until: Option<Timestamp>,
    /// `deployed` or `rolled_back_to`.
    pub how: &'static str,
    /// The entry of the deployment or rollback.
    pub evidence: EvidenceId,
    /// Who approved it.
    pub approved_by: Vec<ApprovedBy>,
    /// The entry of the validation that the approvers relied on.
    pub validation: Option<EvidenceId>,
    /// What was measured then.
    pub metrics: BTreeMap<String, f64>,
    /// The entry of the signature.
    pub signature: Option<EvidenceId>,
    /// Digest of the artefact.
    pub artefact: Digest,
    /// What it was trained on.
    pub snapshot: String,
    /// The commit of the training code.
    pub git_commit: Option<String>,
    /// When it was found, while it served, to be without its evidence.
    pub losses: Vec<Loss>,
    /// Whether it served without approvals: who answers for it, why and until when.
    pub broken_glass: Option<BrokenGlass>,
    /// The review that this called for, and what came of it.
    pub review: Option<Review>,
}

/// An approval.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovedBy {
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: RoleId,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// Whether the approver signed it with a key of their own.
    pub signed: bool,
    /// Whether and why it was taken back since.
    pub revoked: Option<Revoked>,
    /// That the approver had a hand in the version, and what stands in for separation of duties.
    pub own_work: Option<OwnWork>,
}

impl HistoryAnswer {
    /// The entries that the answer rests on.
    pub fn evidence(&self) -> Vec<EvidenceId> {
        let Some(served) = &self.serving else { return Vec::new() };
        let mut entries = BTreeSet::from([served.evidence.clone()]);
        for approval in &served.approved_by {
            entries.insert(approval.evidence.clone());
            entries.extend(approval.revoked.iter().map(|revoked| revoked.evidence.clone()));
        }
        entries.extend(served.validation.clone());
        entries.extend(served.signature.clone());
        entries.extend(served.losses.iter().flat_map(|loss| [loss.evidence.clone(), loss.cause.clone()]));
        let reviewed = served.review.iter().filter_map(|review| review.done.as_ref());
        entries.extend(reviewed.map(|done| done.evidence.clone()));
        entries.into_iter().collect()
    }
}

impl Engine {
    /// What served at `time`.
    pub fn history(&self, name: &ModelName, time: Option<Timestamp>) -> Result<HistoryAnswer, Error> {
        self.model(name)?;
        let as_of = time.unwrap_or_else(|| self.now());
        let serving = self.state.registry().as_of(name, as_of).and_then(|serving| {
            let version = self.state.registry().version(name, serving.stretch.version)?;
            let approved_by = serving
                .approved_by
                .iter()
                .map(|given| ApprovedBy {
                    person: given.approver.id.clone(),
                    role: given.role.clone(),
                    time: given.time,
                    evidence: given.evidence.clone(),
                    signed: given.signed.is_some(),
                    revoked: given.revoked.clone(),
                    own_work: given.own_work.clone(),
                })
                .collect();
            Some(Served {
                version: serving.stretch.version,
                since: serving.stretch.since,
                until: serving.stretch.until,
                how: if serving.stretch.rolled_back { "rolled_back_to" } else { "deployed" },
                evidence: serving.stretch.evidence,
                approved_by,
                validation: serving.validation.as_ref().map(|(_, evidence)| evidence.clone()),
                metrics: serving.validation.map(|(report, _)| report.metrics).unwrap_or_default(),
                signature: serving.signed,
                artefact: version.registration.artefact,
                snapshot: version.registration.snapshot().map(ToString::to_string).unwrap_or_default(),
                git_commit: version.registration.code.git_commit.clone(),
                losses: serving.losses,
                broken_glass: serving.stretch.broken_glass,
                review: serving.review,
            })
        });
        Ok(HistoryAnswer { model: name.clone(), as_of, serving })
    }
}
