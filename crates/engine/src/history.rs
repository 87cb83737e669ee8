//! The time machine: what served at a time, and who approved it on which evidence.

use crate::{Engine, Error};
use facts::{Digest, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use registry::{BrokenGlass, Loss, OwnWork, Quarantine, Review, Revoked, Serving, Tampering, VersionNumber};
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
    /// What served last before that, if nothing served then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Served>,
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
    /// When something of it was found to be other than registered, whenever that was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tampering: Vec<Tampering>,
    /// When nobody might use it, whenever that was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantines: Vec<Quarantine>,
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
        let Some(served) = self.serving.as_ref().or(self.before.as_ref()) else { return Vec::new() };
        let mut entries = BTreeSet::from([served.evidence.clone()]);
        for approval in &served.approved_by {
            entries.insert(approval.evidence.clone());
            entries.extend(approval.revoked.iter().map(|revoked| revoked.evidence.clone()));
        }
        entries.extend(served.validation.clone());
        entries.extend(served.signature.clone());
        entries.extend(served.losses.iter().flat_map(|loss| [loss.evidence.clone(), loss.cause.clone()]));
        entries.extend(
            served
                .tampering
                .iter()
                .flat_map(|one| [Some(one.evidence.clone()), one.restored.clone()])
                .flatten(),
        );
        entries.extend(served.quarantines.iter().flat_map(Quarantine::entries).cloned());
        let reviewed = served.review.iter().filter_map(|review| review.done.as_ref());
        entries.extend(reviewed.map(|done| done.evidence.clone()));
        entries.into_iter().collect()
    }
}

impl Engine {
    /// What served at `time`; if nothing did, what served last before that.
    pub fn history(&self, name: &ModelName, time: Option<Timestamp>) -> Result<HistoryAnswer, Error> {
        self.model(name)?;
        let as_of = time.unwrap_or_else(|| self.now());
        let state = self.state.registry();
        let serving = state.as_of(name, as_of).and_then(|serving| self.served(name, serving));
        // It may have ended without anybody having put that on record yet.
        let over = |served: &Served| served.until.is_some_and(|until| until <= as_of);
        let serving = serving.filter(|served| !over(served));
        let last = || {
            let stretches = &state.model(name)?.stretches;
            let last = stretches.iter().rev().find(|stretch| stretch.since <= as_of)?;
            self.served(name, state.as_of(name, last.since)?)
        };
        let before = if serving.is_none() { last() } else { None };
        Ok(HistoryAnswer { model: name.clone(), as_of, serving, before })
    }

    fn served(&self, name: &ModelName, serving: Serving) -> Option<Served> {
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
            // An emergency that is over ends what it began, also before anybody has put that on record.
            until: serving.stretch.until.or_else(|| {
                let over = serving.stretch.broken_glass.as_ref().map(|glass| glass.until);
                over.filter(|_| {
                    serving.stretch.is_over(self.now()) && !self.is_approved(name, version.version)
                })
            }),
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
            tampering: version.tampering.clone(),
            quarantines: version.quarantines.clone(),
            broken_glass: serving.stretch.broken_glass,
            review: serving.review,
        })
    }
}
