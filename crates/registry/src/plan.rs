//! Proofs: values that exist only because a check was done, and the plans that need them.

use crate::decide::Rules;
use crate::event::Event;
use crate::history::Stretch;
use crate::refusal::{Refusal, Void, Why};
use crate::state::{ApprovalGiven, ModelState, State, Status, Version};
use crate::version::VersionNumber;
use facts::{Digest, EndpointName, EvidenceId, ModelName, Timestamp};

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
        check_gates(version, rules).map_err(refuse)?;
        let mut counted: Vec<ApprovalGiven> = Vec::new();
        for step in &rules.approvals {
            let mut has = 0;
            let mut void = None;
            for given in version.approvals.iter().filter(|given| given.role == step.role) {
                match still_counts(given, version, rules, step.valid_days.seconds(), now) {
                    Err(reason) => void = Some(reason),
                    Ok(()) if counted.iter().any(|other| other.approver.id == given.approver.id) => {}
                    // The ledger is checked again, not trusted: whoever had a hand in it never counts.
                    Ok(()) if version.registration.involved.iter().any(|i| i.person == given.approver.id) => {
                    }
                    Ok(()) => {
                        has += 1;
                        counted.push(given.clone());
                    }
                }
            }
            if has < step.count {
                return Err(refuse(Why::ApprovalsMissing {
                    role: step.role.clone(),
                    has,
                    needs: step.count,
                    void,
                }));
            }
        }
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
    pub fn new(state: &State, approved: Approved, endpoint: EndpointName) -> Result<Self, Refusal> {
        let refuse = |why| Refusal { model: approved.model.clone(), version: Some(approved.version), why };
        let version = find(state, &approved.model, approved.version)?;
        let bundle = version.signature.as_ref().ok_or_else(|| refuse(Why::NotSigned))?;
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

    /// The event to record once it is done.
    pub fn event(&self) -> Event {
        Event::Deployed {
            model: self.approved.model.clone(),
            version: self.approved.version,
            endpoint: self.endpoint.clone(),
            replaced: self.replaced,
        }
    }
}

/// What a rollback will do. Can be made only from a version that was approved, signed, and served before.
#[derive(Debug, Clone, PartialEq)]
pub struct RollbackPlan {
    model: ModelName,
    from: VersionNumber,
    to: VersionNumber,
    endpoint: EndpointName,
    reason: String,
    fallback: Stretch,
    approved_by: Vec<EvidenceId>,
}

impl RollbackPlan {
    /// Plans to put back the version that served before the one that serves now.
    ///
    /// The fallback must have served, be neither rejected nor retired nor itself taken back, be signed, and have at
    /// least one recorded approval of exactly its artefact. It needs no new approval: that is what it is a fallback for.
    pub fn new(state: &State, model: &ModelName, reason: &str) -> Result<Self, Refusal> {
        let refuse = |why| Refusal { model: model.clone(), version: None, why };
        if reason.trim().is_empty() {
            return Err(refuse(Why::ReasonMissing));
        }
        let known = state.model(model).ok_or_else(|| refuse(Why::NothingServes))?;
        let serving = known.serving().ok_or_else(|| refuse(Why::NothingServes))?;
        let usable = |stretch: &&Stretch| {
            stretch.version != serving.version
                && known.version(stretch.version).is_some_and(|version| {
                    version.status == Status::Superseded
                        && version.signature.is_some()
                        && version
                            .approvals
                            .iter()
                            .any(|given| given.artefact == version.registration.artefact)
                })
        };
        let fallback =
            known.stretches.iter().rev().find(usable).ok_or_else(|| refuse(Why::NothingToRollBackTo))?;
        let approved_by = known.version(fallback.version).map_or_else(Vec::new, |version| {
            version.approvals.iter().map(|given| given.evidence.clone()).collect()
        });
        Ok(Self {
            model: model.clone(),
            from: serving.version,
            to: fallback.version,
            endpoint: serving.endpoint.clone(),
            reason: reason.trim().to_owned(),
            fallback: fallback.clone(),
            approved_by,
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

    /// The time in which it served before.
    pub fn fallback(&self) -> &Stretch {
        &self.fallback
    }

    /// The approvals that it rests on.
    pub fn approved_by(&self) -> &[EvidenceId] {
        &self.approved_by
    }

    /// The event to record once it is done.
    pub fn event(&self) -> Event {
        Event::RolledBack {
            model: self.model.clone(),
            from: self.from,
            to: self.to,
            endpoint: self.endpoint.clone(),
            reason: self.reason.clone(),
        }
    }
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

/// The gates: validated, on this artefact, under this charter, and all criteria hold.
pub(crate) fn check_gates(version: &Version, rules: &Rules) -> Result<EvidenceId, Why> {
    match version.status {
        Status::Rejected | Status::Retired => {
            return Err(Why::NotNow { status: version.status, wanted: "approved or deployed" });
        }
        _ => {}
    }
    if version.registration.data.is_none() {
        return Err(Why::NoLineage);
    }
    let (report, evidence) = version.validation.as_ref().ok_or(Why::NotValidated)?;
    if report.artefact != version.registration.artefact {
        return Err(Why::NotValidated);
    }
    if report.charter != rules.charter {
        return Err(Why::ValidationIsOfAnotherCharter);
    }
    if !report.passes() {
        let failures = report.failures().map(|result| result.verdict.to_string()).collect();
        return Err(Why::GateFailed { failures });
    }
    Ok(evidence.clone())
}

pub(crate) fn still_counts(
    given: &ApprovalGiven,
    version: &Version,
    rules: &Rules,
    valid_seconds: i64,
    now: Timestamp,
) -> Result<(), Void> {
    let runs_out = given.time.plus_seconds(valid_seconds);
    if given.artefact != version.registration.artefact {
        Err(Void::Artefact)
    } else if given.charter != rules.charter {
        Err(Void::Charter)
    } else if version.taken_back.is_some_and(|taken_back| given.time <= taken_back) {
        Err(Void::TakenBack)
    } else if now >= runs_out {
        Err(Void::Expired(runs_out))
    } else {
        Ok(())
    }
}
