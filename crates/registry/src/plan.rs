//! Proofs: values that exist only because a check was done, and the plans that need them.

use crate::demands::{missing, stale};
use crate::event::Event;
use crate::gate::first_closed;
use crate::quarantine::review_of_rollback;
use crate::refusal::{Refusal, Void, Why};
use crate::review::Occasion;
use crate::rules::{Rules, Separation, Standing, Step};
use crate::state::{ApprovalGiven, ModelState, State, Status, Version};
use crate::statement::{self, Fault};
use crate::version::VersionNumber;
use facts::{ActorKind, Digest, EndpointName, EvidenceId, ModelName, PersonId, Timestamp};

/// A version whose gates hold and whose approvals all count at a given moment. Made only by [`Approved::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    model: ModelName,
    version: VersionNumber,
    artefact: Digest,
    approvals: Vec<ApprovalGiven>,
}

impl Approved {
    /// Checks the gates and the quorum of a version at `now`, under the charter in force.
    pub fn check(
        state: &State,
        model: &ModelName,
        number: VersionNumber,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let refuse = |why| Refusal { model: model.clone(), version: Some(number), why };
        let version = find(state, model, number)?;
        state.check_quarantine(model, number)?;
        check_gates(version, rules, now).map_err(refuse)?;
        let tallies = tally((model, version), rules, now);
        if let Some(short) = tallies.iter().find(|tally| !tally.is_complete()) {
            return Err(refuse(Why::ApprovalsMissing {
                role: short.step.role.clone(),
                has: u32::try_from(short.given.len()).unwrap_or(u32::MAX),
                needs: short.step.count,
                void: short.void.clone(),
            }));
        }
        let counted = tallies.into_iter().flat_map(|tally| tally.given).cloned().collect();
        Ok(Self {
            model: model.clone(),
            version: number,
            artefact: version.registration.artefact,
            approvals: counted,
        })
    }

    /// The model.
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// The version.
    pub fn version(&self) -> VersionNumber {
        self.version
    }

    /// The artefact that was approved.
    pub fn artefact(&self) -> &Digest {
        &self.artefact
    }

    /// The approvals that count.
    pub fn approvals(&self) -> &[ApprovalGiven] {
        &self.approvals
    }
}

/// What a deployment will do. Can be made only from [`Approved`].
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentPlan {
    approved: Approved,
    endpoint: EndpointName,
    replaced: Option<VersionNumber>,
    object: String,
    bundle: (Digest, String),
}

impl DeploymentPlan {
    /// Plans to put an approved version behind an endpoint.
    pub fn new(
        state: &State,
        approved: Approved,
        endpoint: EndpointName,
        rules: &Rules,
    ) -> Result<Self, Refusal> {
        let refuse = |why| Refusal { model: approved.model.clone(), version: Some(approved.version), why };
        let version = find(state, &approved.model, approved.version)?;
        state.is_compared(&approved.model, version, rules).map_err(refuse)?;
        let signed = version.signature.as_ref().filter(|_| version.is_signed_since_quarantine());
        let bundle = signed.ok_or_else(|| refuse(Why::NotSigned))?;
        let serving =
            state.model(&approved.model).and_then(ModelState::serving).map(|stretch| stretch.version);
        match version.status {
            Status::Approved | Status::Superseded | Status::RolledBack => {}
            status => return Err(refuse(Why::NotNow { status, wanted: "deployed" })),
        }
        let (object, bundle) = (version.registration.object.clone(), (bundle.0, bundle.1.clone()));
        Ok(Self { endpoint, replaced: serving, object, bundle, approved })
    }

    /// The check that it rests on.
    pub fn approved(&self) -> &Approved {
        &self.approved
    }

    /// The version that will stop serving.
    pub fn replaced(&self) -> Option<VersionNumber> {
        self.replaced
    }

    /// The encrypted object with the artefact.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Digest and object of the signature bundle, to be verified before anything serves.
    pub fn bundle(&self) -> (&Digest, &str) {
        (&self.bundle.0, &self.bundle.1)
    }

    /// The event to record once it is done, as `by` wishes.
    pub fn event(&self, by: &PersonId, (rules, now): (&Rules, Timestamp)) -> Event {
        let own_work = self.approved.approvals.iter().any(|given| given.own_work.is_some());
        let review = rules.own_work_review().filter(|_| own_work);
        Event::Deployed {
            model: self.approved.model.clone(),
            version: self.approved.version,
            endpoint: self.endpoint.clone(),
            replaced: self.replaced,
            review: review.map(|review| review.due(Occasion::OwnWork, by, now)),
        }
    }
}

/// What a rollback will do. Can be made only with a version that was approved and signed.
#[derive(Debug, Clone, PartialEq)]
pub struct RollbackPlan {
    model: ModelName,
    from: VersionNumber,
    to: VersionNumber,
    endpoint: EndpointName,
    reason: String,
    held: bool,
}

impl RollbackPlan {
    /// Plans to put back the version that was named as fallback, or else the last that served before the one that serves now.
    ///
    /// The fallback must be neither rejected nor retired nor itself taken back or in quarantine, be signed, and have approvals of exactly
    /// its artefact, none of them revoked. It needs no new approval: that is what it is a fallback for.
    pub fn new(state: &State, model: &ModelName, reason: &str) -> Result<Self, Refusal> {
        let refuse = |why| Refusal { model: model.clone(), version: None, why };
        if reason.trim().is_empty() {
            return Err(refuse(Why::ReasonMissing));
        }
        let known = state.model(model).ok_or_else(|| refuse(Why::NothingServes))?;
        let serving = known.serving().ok_or_else(|| refuse(Why::NothingServes))?;
        let usable = |number: &VersionNumber| {
            *number != serving.version
                && known.version(*number).is_some_and(|version| is_fallback(known, version))
        };
        let served = known.stretches.iter().rev().map(|stretch| stretch.version);
        let to = known.fallback.into_iter().chain(served).find(usable);
        let to = to.ok_or_else(|| refuse(Why::NothingToRollBackTo))?;
        Ok(Self {
            model: model.clone(),
            from: serving.version,
            to,
            endpoint: serving.endpoint.clone(),
            reason: reason.trim().to_owned(),
            held: known.version(serving.version).is_some_and(|from| from.quarantined().is_some()),
        })
    }

    /// The version taken back.
    pub fn from(&self) -> VersionNumber {
        self.from
    }

    /// The version that will serve again.
    pub fn to(&self) -> VersionNumber {
        self.to
    }

    /// The event to record once it is done, as `by` wishes.
    pub fn event(&self, by: &PersonId, (rules, now): (&Rules, Timestamp)) -> Event {
        Event::RolledBack {
            model: self.model.clone(),
            from: self.from,
            to: self.to,
            endpoint: self.endpoint.clone(),
            reason: self.reason.clone(),
            review: review_of_rollback(rules, by, now, self.held),
        }
    }
}

/// Whether a version may serve again without a new approval.
fn is_fallback(known: &ModelState, version: &Version) -> bool {
    matches!(version.status, Status::Superseded | Status::Approved)
        && version.is_signed_since_quarantine()
        && known.check_held(version).is_ok()
        && version.tampered().next().is_none()
        && version.approvals.iter().any(|given| given.artefact == version.registration.artefact)
        // What somebody took back is no fallback, whoever else approved it.
        && version.approvals.iter().all(|given| given.revoked.is_none())
}

/// A version by number, or the refusal that says there is none.
pub(crate) fn find<'a>(
    state: &'a State,
    model: &ModelName,
    number: VersionNumber,
) -> Result<&'a Version, Refusal> {
    let known = state.model(model);
    known.and_then(|known| known.version(number)).ok_or_else(|| {
        let latest = known.and_then(|known| known.versions.last()).map(|version| version.version);
        Refusal { model: model.clone(), version: Some(number), why: Why::NoSuchVersion { latest } }
    })
}

/// The gates: what is demanded is on record; validated, on this artefact, under this charter, not too long ago; and all
/// criteria hold.
pub(crate) fn check_gates(version: &Version, rules: &Rules, now: Timestamp) -> Result<EvidenceId, Why> {
    match version.status {
        Status::Rejected | Status::Retired => {
            return Err(Why::NotNow { status: version.status, wanted: "approved or deployed" });
        }
        _ => {}
    }
    version.check_bytes()?;
    if version.registration.data.is_none() {
        return Err(Why::NoLineage);
    }
    let unknown = version.registration.code.committers_missing();
    if let Some(missing) = unknown.filter(|_| rules.known_committers) {
        return Err(Why::CommittersUnknown { missing });
    }
    if let Some(why) = missing(version, rules) {
        return Err(why);
    }
    let (report, evidence) = version.validation.as_ref().ok_or(Why::NotValidated)?;
    if report.artefact != version.registration.artefact {
        return Err(Why::NotValidated);
    }
    if report.charter != rules.charter {
        return Err(Why::ValidationIsOfAnotherCharter);
    }
    if let Some(why) = stale(version, rules, now) {
        return Err(why);
    }
    if !report.passes() {
        let failures = report.failures().map(|result| result.verdict.to_string()).collect();
        return Err(Why::GateFailed { failures });
    }
    if let Some((gate, why)) = first_closed(version, rules) {
        return Err(Why::GateClosed { gate, why });
    }
    Ok(evidence.clone())
}

/// What counts for one step of approval.
pub(crate) struct Tally<'a> {
    pub(crate) step: &'a Step,
    /// By different people, none of whom counts for an earlier step.
    pub(crate) given: Vec<&'a ApprovalGiven>,
    /// Why the last one that does not count does not.
    pub(crate) void: Option<Void>,
}

impl Tally<'_> {
    pub(crate) fn is_complete(&self) -> bool {
        self.given.len() as u64 >= u64::from(self.step.count)
    }
}

/// Counts the approvals of a version, step by step. The record is checked again, not trusted: who is no person in the
/// role, or had a hand in the version, never counts.
pub(crate) fn tally<'a>(
    (model, version): (&ModelName, &'a Version),
    rules: &'a Rules,
    now: Timestamp,
) -> Vec<Tally<'a>> {
    let mut tallies: Vec<Tally<'a>> = Vec::new();
    for step in &rules.approvals {
        let mut tally = Tally { step, given: Vec::new(), void: None };
        for given in version.approvals.iter().filter(|given| given.role == step.role) {
            let who = &given.approver;
            let mut counted = tallies.iter().flat_map(|earlier| &earlier.given).chain(&tally.given);
            let again = counted.any(|other| other.approver.id == who.id);
            if let Err(void) = still_counts(given, (model, version), (rules, step), now) {
                tally.void = Some(void);
            } else if who.kind == ActorKind::Human && who.has_role(&step.role) && !again {
                tally.given.push(given);
            }
        }
        tallies.push(tally);
    }
    tallies
}

/// Whether a recorded approval counts at `now`. Everything is checked again: the record is not trusted to have checked.
fn still_counts(
    given: &ApprovalGiven,
    (model, version): (&ModelName, &Version),
    (rules, step): (&Rules, &Step),
    now: Timestamp,
) -> Result<(), Void> {
    let latest = given.time.plus_seconds(step.valid_days.seconds());
    let runs_out = given.expires.map_or(latest, |expires| expires.min(latest));
    if given.artefact != version.registration.artefact {
        return Err(Void::Artefact);
    }
    if given.charter != rules.charter {
        return Err(Void::Charter);
    }
    if version.validation.as_ref().is_none_or(|(_, evidence)| *evidence != given.validation) {
        return Err(Void::Validation);
    }
    if version.was_quarantined_since(given.time) {
        return Err(Void::Quarantined);
    }
    if version.taken_back.is_some_and(|taken_back| given.time <= taken_back) {
        return Err(Void::TakenBack);
    }
    if given.revoked.is_some() {
        return Err(Void::Revoked);
    }
    if now >= runs_out {
        return Err(Void::Expired(runs_out));
    }
    let hand = version.registration.involved.iter().any(|hand| hand.person == given.approver.id);
    if hand && !is_compensated(given, version, rules) {
        return Err(Void::OwnWork);
    }
    let signed = step.signed || hand && rules.asks_own_work_to_be_signed();
    match &given.signed {
        Some(note) => {
            let standing = statement::check(note, (model, version.version), given, rules);
            match standing.map_err(Void::Signature)? {
                Standing::Claimed if signed => Err(Void::Signature(Fault::Unconfirmed)),
                _ => Ok(()),
            }
        }
        None if signed || rules.signs(&given.approver.id, given.time) => Err(Void::Unsigned),
        None => Ok(()),
    }
}

/// Whether an approval of one's own work counts: the charter says that separation cannot be achieved, the approval says
/// so too, and it came when it may.
fn is_compensated(given: &ApprovalGiven, version: &Version, rules: &Rules) -> bool {
    let Separation::NotAchievable(instead) = &rules.separation else { return false };
    let waited = instead.iter().filter_map(|one| one.waits_until(version)).all(|until| given.time >= until);
    given.own_work.is_some() && waited
}
