//! The state: models, their versions, and what served when.

use crate::emergency::BrokenGlass;
use crate::event::{At, Event, Inconsistent, OwnWork};
use crate::gate::GateResult;
use crate::history::Stretch;
use crate::quarantine::Quarantine;
use crate::review::{Review, ReviewDue, Reviewed};
use crate::tamper::{Tampering, seen};
use crate::version::{Registration, ValidationReport, VersionNumber};
use facts::{Actor, Digest, DocumentKind, EndpointName, EvidenceId, ModelName, RoleId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Registered, not measured yet.
    Candidate,
    /// Measured, and a criterion does not hold.
    Failed,
    /// Measured, and all criteria hold.
    Validated,
    /// All approvals are given and it is signed.
    Approved,
    /// Serving.
    Deployed,
    /// Served until a later version took its place.
    Superseded,
    /// Served and was taken back.
    RolledBack,
    /// Refused by a person.
    Rejected,
    /// Out of use for good.
    Retired,
}

impl Status {
    /// Whether it was decided that it shall not serve; one that was taken back waits for new approvals.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Failed | Self::Rejected | Self::Retired)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candidate => "candidate",
            Self::Failed => "failed a gate",
            Self::Validated => "validated",
            Self::Approved => "approved",
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled back",
            Self::Rejected => "rejected",
            Self::Retired => "retired",
        })
    }
}

/// An approval as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalGiven {
    /// Who.
    pub approver: Actor,
    /// In which role.
    pub role: RoleId,
    /// The artefact that was approved.
    pub artefact: Digest,
    /// The charter under which it was approved.
    pub charter: Digest,
    /// The validation relied on.
    pub validation: EvidenceId,
    /// When.
    pub time: Timestamp,
    /// The ledger entry.
    pub evidence: EvidenceId,
    /// From when on it no longer counts, if it says so itself.
    pub expires: Option<Timestamp>,
    /// Digest of the results that were there to be seen.
    pub results: Option<Digest>,
    /// The note with the statement that the approver signed, if it is signed.
    pub signed: Option<String>,
    /// Whether and why it was taken back.
    pub revoked: Option<Revoked>,
    /// That the approver had a hand in the version, and what stands in for separation of duties.
    pub own_work: Option<OwnWork>,
}

/// That an approval was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revoked {
    /// Why.
    pub reason: String,
    /// When.
    pub time: Timestamp,
    /// The entry, which says by whom.
    pub evidence: EvidenceId,
}

/// That a version which served no longer had its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What was missing.
    pub missing: String,
    /// When it was found.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// The entry because of which.
    pub cause: EvidenceId,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its number.
    pub version: VersionNumber,
    /// Where it is in its life.
    pub status: Status,
    /// What it is.
    pub registration: Registration,
    /// When it was registered.
    pub registered: Timestamp,
    /// The entry of its registration.
    pub registered_by: EvidenceId,
    /// The latest validation and its entry.
    pub validation: Option<(ValidationReport, EvidenceId)>,
    /// When it was last validated.
    pub validated: Option<Timestamp>,
    /// Documents about it that are on record, by kind, with the latest entry of each.
    pub documents: BTreeMap<DocumentKind, EvidenceId>,
    /// What programs said at the gates, oldest first, with the entries.
    pub gates: Vec<(GateResult, EvidenceId)>,
    /// All approvals, oldest first; those that no longer count are kept.
    pub approvals: Vec<ApprovalGiven>,
    /// Digest and object of the signature bundle, and its entry.
    pub signature: Option<(Digest, String, EvidenceId)>,
    /// Digest and object of the bundle with which it served without approvals, and its entry.
    pub emergency: Option<(Digest, String, EvidenceId)>,
    /// When it was last taken back, put in quarantine or let out: approvals before that no longer count.
    pub taken_back: Option<Timestamp>,
    /// When it served without its evidence.
    pub losses: Vec<Loss>,
    /// When something of it was not what was registered.
    pub tampering: Vec<Tampering>,
    /// When nobody might use it, oldest first; it is in quarantine now if the last was not let out.
    pub quarantines: Vec<Quarantine>,
}

impl Version {
    /// Whether all its approvals were given, and nothing has voided them. In an emergency a version serves without that.
    pub fn is_approved(&self) -> bool {
        let may_serve = matches!(self.status, Status::Approved | Status::Deployed | Status::Superseded);
        may_serve && self.is_signed_since_quarantine()
    }

    /// Digest and object of the bundle with which it may serve: that of its approval, or else that of an emergency.
    pub fn bundle(&self) -> Option<(&Digest, &str)> {
        let bundle = self.signature.as_ref().or(self.emergency.as_ref());
        bundle.map(|(digest, object, _)| (digest, object.as_str()))
    }

    /// The approvals of those who had a hand in it; none if duties were separated.
    pub fn own_work(&self) -> impl Iterator<Item = &OwnWork> {
        self.approvals
            .iter()
            .filter(|given| given.revoked.is_none())
            .filter_map(|given| given.own_work.as_ref())
    }

    /// Digest of the results that are there to be seen before approving; none before validation.
    ///
    /// Where no program was ever asked, that is the validation alone: what was signed before there were gates still holds.
    pub fn results_digest(&self) -> Option<Digest> {
        #[derive(Serialize)]
        struct Results<'a> {
            validation: &'a ValidationReport,
            gates: Vec<&'a GateResult>,
        }
        let (validation, _) = self.validation.as_ref()?;
        let gates: Vec<_> = self.gates.iter().map(|(result, _)| result).collect();
        let bytes = match gates.is_empty() {
            true => serde_json_canonicalizer::to_vec(validation),
            false => serde_json_canonicalizer::to_vec(&Results { validation, gates }),
        };
        bytes.ok().map(|bytes| Digest::of(&bytes))
    }
}

/// One model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelState {
    /// Versions, the first at 0.
    pub versions: Vec<Version>,
    /// What served, oldest first; the last stretch is open if something serves.
    pub stretches: Vec<Stretch>,
    /// Reviews, open and done, oldest first.
    pub reviews: Vec<Review>,
    /// The version named to fall back to.
    pub fallback: Option<VersionNumber>,
}

impl ModelState {
    /// A version by number.
    pub fn version(&self, number: VersionNumber) -> Option<&Version> {
        self.versions.get(usize::try_from(number.0).ok()?.checked_sub(1)?)
    }

    /// The stretch that is open.
    pub fn serving(&self) -> Option<&Stretch> {
        self.stretches.last().filter(|stretch| stretch.until.is_none())
    }

    pub(crate) fn version_mut(&mut self, number: VersionNumber) -> Option<&mut Version> {
        self.versions.get_mut(usize::try_from(number.0).ok()?.checked_sub(1)?)
    }
}

/// All models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    models: BTreeMap<ModelName, ModelState>,
}

impl State {
    /// One model; none if nothing was ever registered under the name.
    pub fn model(&self, name: &ModelName) -> Option<&ModelState> {
        self.models.get(name)
    }

    /// All models, by name.
    pub fn models(&self) -> impl Iterator<Item = (&ModelName, &ModelState)> {
        self.models.iter()
    }

    /// A version of a model.
    pub fn version(&self, model: &ModelName, number: VersionNumber) -> Option<&Version> {
        self.model(model)?.version(number)
    }

    pub(crate) fn version_mut(&mut self, model: &ModelName, number: VersionNumber) -> Option<&mut Version> {
        self.models.get_mut(model)?.version_mut(number)
    }

    /// A document about a version came on record; of a version that is not known, nothing changes.
    pub fn documented(
        &mut self,
        (model, number): (&ModelName, VersionNumber),
        kind: DocumentKind,
        entry: EvidenceId,
    ) {
        if let Some(version) = self.version_mut(model, number) {
            version.documents.insert(kind, entry);
        }
    }

    /// Replays events into a state.
    pub fn replay<'a>(events: impl IntoIterator<Item = (&'a Event, &'a At)>) -> Result<Self, Inconsistent> {
        let mut state = Self::default();
        for (event, at) in events {
            state.apply(event, at)?;
        }
        Ok(state)
    }

    /// Takes in the next event. On an error the state is unchanged.
    pub fn apply(&mut self, event: &Event, at: &At) -> Result<(), Inconsistent> {
        let wrong = |what| Inconsistent { what, model: event.model().clone() };
        if let Event::Registered { version, registration } = event {
            let model = self.models.entry(registration.model.clone()).or_default();
            return model.register(*version, registration, at).ok_or_else(|| wrong("the registration"));
        }
        let model = self.models.get_mut(event.model()).ok_or_else(|| wrong("an event"))?;
        match event {
            Event::Registered { .. } => None,
            Event::Validated { version, report, .. } => {
                model.validate(*version, report, at).ok_or("a validation").err()
            }
            Event::GateAsked { version, result, .. } => {
                model.answered(*version, result, at).ok_or("the answer of a gate").err()
            }
            Event::ApprovalGiven { version, .. } => {
                model.approve(*version, event, at).ok_or("an approval").err()
            }
            Event::ApprovalRevoked { version, approval, reason, .. } => {
                let revoked =
                    Revoked { reason: reason.clone(), time: at.time, evidence: at.evidence.clone() };
                model.revoke(*version, approval, revoked).ok_or("a revocation").err()
            }
            Event::EvidenceLost { version, missing, cause, .. } => {
                let loss = Loss {
                    missing: missing.clone(),
                    time: at.time,
                    evidence: at.evidence.clone(),
                    cause: cause.clone(),
                };
                model.lose(*version, loss, at).ok_or("a loss of evidence").err()
            }
            Event::Tampered { version, .. } | Event::Restored { version, .. } => {
                let known = model.version_mut(*version);
                known.map(|known| seen(known, event, at)).ok_or("what was seen of the bytes").err()
            }
            Event::Quarantined { .. } | Event::Released { .. } => {
                model.held(event, at).ok_or("a quarantine").err()
            }
            Event::Signed { version, bundle, object, .. } => {
                let signature = (*bundle, object.clone(), at.evidence.clone());
                model.sign(*version, signature).ok_or("a signature").err()
            }
            Event::Rejected { version, .. } => {
                model.end(*version, Status::Rejected).ok_or("a rejection").err()
            }
            Event::Retired { version, .. } => {
                model.end(*version, Status::Retired).ok_or("a retirement").err()
            }
            Event::Deployed { .. } | Event::BrokeGlass { .. } => {
                model.serve(event, at).ok_or("a deployment").err()
            }
            Event::RolledBack { .. } => model.serve(event, at).ok_or("a rollback").err(),
            Event::Reviewed { of, by, upheld, note, .. } => {
                let done = Reviewed {
                    by: by.clone(),
                    upheld: *upheld,
                    note: note.clone(),
                    time: at.time,
                    evidence: at.evidence.clone(),
                };
                model.reviewed(of, done).ok_or("a review").err()
            }
            Event::FallbackNamed { version, .. } => {
                let known = model.version(*version).map(|known| known.version);
                known.map(|known| model.fallback = Some(known)).ok_or("a fallback").err()
            }
        }
        .map_or(Ok(()), |what| Err(wrong(what)))
    }
}

impl ModelState {
    fn answered(&mut self, number: VersionNumber, result: &GateResult, at: &At) -> Option<()> {
        self.version_mut(number)?.gates.push((result.clone(), at.evidence.clone()));
        Some(())
    }

    fn register(&mut self, number: VersionNumber, registration: &Registration, at: &At) -> Option<()> {
        (number.0 as usize == self.versions.len() + 1).then_some(())?;
        self.versions.push(Version {
            version: number,
            status: Status::Candidate,
            registration: registration.clone(),
            registered: at.time,
            registered_by: at.evidence.clone(),
            validation: None,
            validated: None,
            documents: BTreeMap::new(),
            gates: Vec::new(),
            approvals: Vec::new(),
            signature: None,
            emergency: None,
            taken_back: None,
            losses: Vec::new(),
            tampering: Vec::new(),
            quarantines: Vec::new(),
        });
        Some(())
    }

    /// Another version serves, and somebody may have to look at that.
    fn serve(&mut self, event: &Event, at: &At) -> Option<()> {
        match event {
            Event::Deployed { version, endpoint, review, .. } => {
                self.deploy(*version, endpoint, at, None)?;
                self.ask(*version, review.as_ref(), at);
            }
            Event::BrokeGlass { version, endpoint, glass, bundle, object, review, .. } => {
                self.deploy(*version, endpoint, at, Some(glass))?;
                self.version_mut(*version)?.emergency = Some((*bundle, object.clone(), at.evidence.clone()));
                self.ask(*version, Some(review), at);
            }
            Event::RolledBack { from, to, endpoint, review, .. } => {
                self.roll_back((*from, *to), endpoint, at)?;
                self.ask(*to, review.as_ref(), at);
            }
            _ => return None,
        }
        Some(())
    }

    fn approve(&mut self, number: VersionNumber, event: &Event, at: &At) -> Option<()> {
        let Event::ApprovalGiven {
            approver,
            role,
            artefact,
            charter,
            validation,
            expires,
            signed,
            own_work,
            ..
        } = event
        else {
            return None;
        };
        let version = self.version_mut(number)?;
        version.approvals.push(ApprovalGiven {
            approver: approver.clone(),
            role: role.clone(),
            artefact: *artefact,
            charter: *charter,
            validation: validation.clone(),
            time: at.time,
            evidence: at.evidence.clone(),
            expires: *expires,
            results: version.results_digest(),
            signed: signed.clone(),
            revoked: None,
            own_work: own_work.clone(),
        });
        Some(())
    }

    fn revoke(&mut self, number: VersionNumber, approval: &EvidenceId, revoked: Revoked) -> Option<()> {
        let version = self.version_mut(number)?;
        let given = version.approvals.iter_mut().find(|given| given.evidence == *approval)?;
        given.revoked.is_none().then_some(())?;
        given.revoked = Some(revoked);
        Some(())
    }

    fn validate(&mut self, number: VersionNumber, report: &ValidationReport, at: &At) -> Option<()> {
        let version = self.version_mut(number)?;
        let status = match version.status {
            Status::Candidate | Status::Failed | Status::Validated if report.passes() => Status::Validated,
            Status::Candidate | Status::Failed | Status::Validated => Status::Failed,
            // A version that serves or served is measured again without changing where it is.
            status => status,
        };
        version.status = status;
        version.validation = Some((report.clone(), at.evidence.clone()));
        version.validated = Some(at.time);
        Some(())
    }

    fn sign(&mut self, number: VersionNumber, signature: (Digest, String, EvidenceId)) -> Option<()> {
        let version = self.version_mut(number)?;
        version.signature = Some(signature);
        if version.status != Status::Deployed {
            version.status = Status::Approved;
        }
        Some(())
    }

    fn end(&mut self, number: VersionNumber, status: Status) -> Option<()> {
        let version = self.version_mut(number)?;
        (version.status != Status::Deployed).then_some(())?;
        version.status = status;
        Some(())
    }

    /// A version that serves lost its evidence. Where it served in an emergency that is over, or is in quarantine, that ends it.
    fn lose(&mut self, number: VersionNumber, loss: Loss, at: &At) -> Option<()> {
        let held = self.version(number)?.quarantined().is_some_and(|of| of.evidence == loss.cause);
        let ended = self.serving().is_some_and(|stretch| {
            let lapsed = stretch.evidence == loss.cause && stretch.is_over(at.time);
            stretch.version == number && (lapsed || held)
        });
        self.version_mut(number)?.losses.push(loss);
        if ended {
            // It is what it was before the emergency.
            let known = self.version(number)?;
            let status = match (&known.signature, known.taken_back) {
                (None, _) => Status::Validated,
                (Some(_), None) => Status::Approved,
                (Some(_), Some(_)) => Status::RolledBack,
            };
            self.close(Status::Validated, at);
            self.version_mut(number)?.status = status;
        }
        Some(())
    }

    fn close(&mut self, status: Status, at: &At) {
        let Some(stretch) = self.serving() else {
            return;
        };
        let number = stretch.version;
        // What nobody ever approved served until the emergency was over, and not a moment longer.
        let over = stretch.broken_glass.as_ref().map(|glass| glass.until);
        let approved = self.version(number).is_some_and(|version| version.signature.is_some());
        let until = over.filter(|over| !approved && *over < at.time).unwrap_or(at.time);
        if let Some(stretch) = self.stretches.last_mut() {
            stretch.until = Some(until);
        }
        if let Some(version) = self.version_mut(number) {
            // From quarantine nothing comes back by itself.
            let held = version.quarantined().is_some();
            let status = if held && status == Status::Superseded { Status::RolledBack } else { status };
            version.status = status;
            if status == Status::RolledBack {
                version.taken_back = Some(at.time);
            }
        }
    }

    fn open(
        &mut self,
        number: VersionNumber,
        endpoint: &EndpointName,
        at: &At,
        (rolled_back, glass): (bool, Option<&BrokenGlass>),
    ) -> Option<()> {
        self.version_mut(number)?.status = Status::Deployed;
        self.stretches.push(Stretch {
            version: number,
            endpoint: endpoint.clone(),
            since: at.time,
            until: None,
            evidence: at.evidence.clone(),
            rolled_back,
            broken_glass: glass.cloned(),
        });
        Some(())
    }

    pub(crate) fn ask(&mut self, version: VersionNumber, asked: Option<&ReviewDue>, at: &At) {
        if let Some(asked) = asked.cloned() {
            self.reviews.push(Review { of: at.evidence.clone(), version, asked, done: None });
        }
    }

    fn reviewed(&mut self, of: &EvidenceId, done: Reviewed) -> Option<()> {
        let open = self.reviews.iter_mut().find(|review| review.of == *of && review.done.is_none())?;
        open.done = Some(done);
        Some(())
    }

    fn deploy(
        &mut self,
        number: VersionNumber,
        endpoint: &EndpointName,
        at: &At,
        glass: Option<&BrokenGlass>,
    ) -> Option<()> {
        self.version(number)?;
        self.close(Status::Superseded, at);
        self.open(number, endpoint, at, (false, glass))
    }

    fn roll_back(
        &mut self,
        (from, to): (VersionNumber, VersionNumber),
        endpoint: &EndpointName,
        at: &At,
    ) -> Option<()> {
        self.version(to)?;
        (self.serving()?.version == from).then_some(())?;
        self.close(Status::RolledBack, at);
        self.open(to, endpoint, at, (true, None))
    }
}
