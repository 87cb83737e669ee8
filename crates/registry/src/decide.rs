//! Commands: what somebody wants, decided on the state. A decision changes nothing; it says what would be recorded.

use crate::emergency::{Emergency, EmergencyRequest, ReviewRequest};
use crate::event::{Event, OwnWork};
use crate::gate::GateResult;
use crate::plan::{Approved, DeploymentPlan, RollbackPlan, check_gates, find, tally};
use crate::quarantine::{QuarantineRequest, ReleaseRequest};
use crate::refusal::{Beside, Refusal, Why};
use crate::rules::{Compensation, Rules, Separation, Standing, Step};
use crate::state::{State, Status, Version};
use crate::statement::{Fault, Statement, open};
use crate::version::{How, Registration, ValidationReport, VersionNumber};
use facts::{Actor, ActorKind, Digest, EndpointName, EvidenceId, ModelName, PersonId, Timestamp};

/// A wish to approve.
#[derive(Debug, Clone)]
pub struct ApprovalRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who.
    pub approver: &'a Actor,
    /// The statement in a note that the approver signed, if it is signed.
    pub signed: Option<&'a str>,
}

/// A wish that an approval no longer counts.
#[derive(Debug, Clone)]
pub struct Revocation<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Whose approval.
    pub of: &'a PersonId,
    /// Why.
    pub reason: &'a str,
}

/// What somebody wants.
#[derive(Debug, Clone)]
pub enum Command<'a> {
    /// Register a candidate.
    Register(Box<Registration>),
    /// Record what validation found.
    Validate(&'a ModelName, VersionNumber, Box<ValidationReport>),
    /// Record what a program said at a gate.
    AskGate(&'a ModelName, VersionNumber, Box<GateResult>),
    /// Approve.
    Approve(ApprovalRequest<'a>),
    /// Take back an approval.
    Revoke(Revocation<'a>),
    /// Record that a version which serves no longer has its evidence, because of an entry.
    LoseEvidence(&'a ModelName, VersionNumber, &'a EvidenceId),
    /// Record the signature bundle (digest, object) of a version with all its approvals.
    Sign(&'a ModelName, VersionNumber, (Digest, String)),
    /// Refuse for good.
    Reject(&'a ModelName, VersionNumber, &'a str),
    /// Put behind an endpoint, as somebody wishes.
    Deploy(&'a ModelName, VersionNumber, (EndpointName, &'a PersonId)),
    /// Put behind an endpoint without approvals, with the signature bundle (digest, object) that says so.
    BreakGlass(EmergencyRequest<'a>, EndpointName, (Digest, String)),
    /// Put the fallback back, as somebody wishes, for a reason.
    Rollback(&'a ModelName, &'a str, &'a PersonId),
    /// Name the version to fall back to.
    NameFallback(&'a ModelName, VersionNumber),
    /// Answer a review.
    Review(ReviewRequest<'a>),
    /// Record that something of a version is not what was registered.
    FindTampered(&'a ModelName, VersionNumber, &'a str),
    /// Record that all of it is again what was registered.
    Restore(&'a ModelName, VersionNumber),
    /// Let nobody use it until somebody else has looked at it.
    Quarantine(QuarantineRequest<'a>),
    /// Let it be approved again, having looked at it.
    Release(ReleaseRequest<'a>),
    /// Take out of use for good.
    Retire(&'a ModelName, VersionNumber, &'a str),
}

/// A decision in favour: the event that would be recorded.
pub type Decided = Result<Event, Refusal>;

impl State {
    /// Decides a command at `now` under `rules`.
    pub fn decide(&self, command: &Command<'_>, rules: &Rules, now: Timestamp) -> Decided {
        match command {
            Command::Register(registration) => Ok(self.register(registration)),
            Command::Validate(model, version, report) => self.validate(model, *version, report),
            Command::AskGate(model, version, result) => {
                find(self, model, *version)?;
                Ok(Event::GateAsked { model: (*model).clone(), version: *version, result: result.clone() })
            }
            Command::Approve(request) => self.approve(request, rules, now),
            Command::Revoke(request) => self.revoke(request),
            Command::LoseEvidence(model, version, cause) => {
                self.lose_evidence(model, *version, cause, (rules, now))
            }
            Command::Sign(model, version, bundle) => {
                let approved = Approved::check(self, model, *version, rules, now)?;
                let (bundle, object) = bundle.clone();
                Ok(Event::Signed { model: approved.model().clone(), version: *version, bundle, object })
            }
            Command::Reject(model, version, reason) => {
                let reason = self.ends(model, *version, "rejected", reason)?;
                Ok(Event::Rejected { model: (*model).clone(), version: *version, reason })
            }
            Command::Deploy(model, version, (endpoint, by)) => {
                let approved = Approved::check(self, model, *version, rules, now)?;
                Ok(DeploymentPlan::new(self, approved, endpoint.clone(), rules)?.event(by, (rules, now)))
            }
            Command::BreakGlass(request, endpoint, bundle) => {
                let emergency = Emergency::check(self, request, rules, now)?;
                Ok(emergency.event(self, endpoint.clone(), bundle.clone()))
            }
            Command::Rollback(model, reason, by) => {
                Ok(RollbackPlan::new(self, model, reason)?.event(by, (rules, now)))
            }
            Command::NameFallback(model, version) => {
                let approved = Approved::check(self, model, *version, rules, now)?;
                let known = find(self, model, *version)?;
                if !known.is_signed_since_quarantine() {
                    return Err(refusal(known, model, Why::NotSigned));
                }
                Ok(Event::FallbackNamed { model: approved.model().clone(), version: *version })
            }
            Command::Review(request) => self.review(request),
            Command::FindTampered(model, version, cause) => self.find_tampered(model, *version, cause),
            Command::Restore(model, version) => self.restore(model, *version),
            Command::Quarantine(request) => self.quarantine(request, rules, now),
            Command::Release(request) => self.release(request, rules),
            Command::Retire(model, version, reason) => {
                let reason = self.ends(model, *version, "retired", reason)?;
                Ok(Event::Retired { model: (*model).clone(), version: *version, reason })
            }
        }
    }

    fn register(&self, registration: &Registration) -> Event {
        let count = self.model(&registration.model).map_or(0, |model| model.versions.len());
        let version = VersionNumber(u32::try_from(count + 1).unwrap_or(u32::MAX));
        Event::Registered { version, registration: Box::new(registration.clone()) }
    }

    fn validate(&self, model: &ModelName, number: VersionNumber, report: &ValidationReport) -> Decided {
        let version = find(self, model, number)?;
        if matches!(version.status, Status::Rejected | Status::Retired) {
            return Err(refusal(version, model, Why::NotNow { status: version.status, wanted: "validated" }));
        }
        if version.registration.data.is_none() {
            return Err(refusal(version, model, Why::NoLineage));
        }
        if report.artefact != version.registration.artefact {
            return Err(refusal(version, model, Why::NotValidated));
        }
        Ok(Event::Validated { model: model.clone(), version: number, report: Box::new(report.clone()) })
    }

    /// What an approver would sign now; a refusal if an approval by this person cannot count.
    pub fn statement(
        &self,
        (model, number): (&ModelName, VersionNumber),
        approver: &Actor,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Statement, Refusal> {
        let (version, step, _) = self.next_step((model, number), approver, rules, now)?;
        let expires = now.plus_seconds(step.valid_days.seconds());
        Statement::new((model, version), (&approver.id, &step.role), rules.charter, (now, expires))
            .ok_or_else(|| refusal(version, model, Why::NotValidated))
    }

    fn approve(&self, request: &ApprovalRequest<'_>, rules: &Rules, now: Timestamp) -> Decided {
        let (model, approver) = (request.model, request.approver);
        let (version, step, validation) = self.next_step((model, request.version), approver, rules, now)?;
        let refuse = |why| refusal(version, model, why);
        let own_work = own_work(version, &approver.id, rules);
        let signed = step.signed || own_work.is_some() && rules.asks_own_work_to_be_signed();
        let has_key = rules.signs(&approver.id, now);
        let expires = match request.signed {
            None if signed || has_key => {
                return Err(refuse(Why::NotSignedByApprover { person: approver.id.clone(), has_key }));
            }
            None => now.plus_seconds(step.valid_days.seconds()),
            Some(note) => {
                let (said, key) = open(note, rules.keys_of(&approver.id, now))
                    .map_err(|fault| refuse(Why::WrongSignature { fault }))?;
                if signed && key.standing < Standing::Confirmed {
                    return Err(refuse(Why::WrongSignature { fault: Fault::Unconfirmed }));
                }
                let expires = said.time.plus_seconds(step.valid_days.seconds());
                let asked = Statement::new(
                    (model, version),
                    (&approver.id, &step.role),
                    rules.charter,
                    (said.time, expires),
                );
                if asked.as_ref() != Some(&said) {
                    return Err(refuse(Why::AnotherStatement));
                }
                if !said.is_fresh(now) {
                    return Err(refuse(Why::StaleStatement { time: said.time }));
                }
                expires
            }
        };
        Ok(Event::ApprovalGiven {
            model: model.clone(),
            version: request.version,
            approver: approver.clone(),
            role: step.role.clone(),
            artefact: version.registration.artefact,
            charter: rules.charter,
            validation,
            expires: Some(expires),
            signed: request.signed.map(str::to_owned),
            own_work,
        })
    }

    /// The step at which this person's approval would count, or why it would not.
    fn next_step<'a>(
        &'a self,
        (model, number): (&ModelName, VersionNumber),
        approver: &Actor,
        rules: &'a Rules,
        now: Timestamp,
    ) -> Result<(&'a Version, &'a Step, EvidenceId), Refusal> {
        let version = find(self, model, number)?;
        let refuse = |why| refusal(version, model, why);
        if approver.kind != ActorKind::Human {
            return Err(refuse(Why::NotAPerson { id: approver.id.clone(), wanted: "approve" }));
        }
        if let Some(hand) = version.registration.involved.iter().find(|hand| hand.person == approver.id) {
            let Separation::NotAchievable(instead) = &rules.separation else {
                return Err(refuse(Why::OwnVersion { person: approver.id.clone(), how: hand.how }));
            };
            let waits = instead.iter().filter_map(|one| one.waits_until(version)).max();
            if let Some(until) = waits.filter(|until| now < *until) {
                return Err(refuse(Why::Beside(Beside::CoolingOff {
                    person: approver.id.clone(),
                    how: hand.how,
                    until,
                })));
            }
            // Whoever never looks afterwards stands in for nobody.
            let late = self.overdue(model, now).filter(|_| rules.own_work_review().is_some());
            if let Some(late) = late {
                let (person, how) = (approver.id.clone(), hand.how);
                return Err(refuse(Why::Beside(Beside::Unreviewed {
                    person,
                    how,
                    of: late.of.clone(),
                    due: late.asked.due,
                })));
            }
        }
        self.check_quarantine(model, number)?;
        let validation = check_gates(version, rules, now).map_err(refuse)?;
        self.is_compared(model, version, rules).map_err(refuse)?;
        let tallies = tally((model, version), rules, now);
        if tallies.iter().flat_map(|tally| &tally.given).any(|given| given.approver.id == approver.id) {
            return Err(refuse(Why::AlreadyApproved { person: approver.id.clone() }));
        }
        let open = tallies.iter().find(|tally| !tally.is_complete()).map(|tally| tally.step);
        let step = open.ok_or_else(|| refuse(Why::NothingLeftToApprove))?;
        if !approver.has_role(&step.role) {
            return Err(refuse(Why::WrongRole { needed: vec![step.role.clone()] }));
        }
        Ok((version, step, validation))
    }

    fn revoke(&self, request: &Revocation<'_>) -> Decided {
        let (model, of) = (request.model, request.of);
        let version = find(self, model, request.version)?;
        let given =
            version.approvals.iter().rev().find(|given| given.approver.id == *of && given.revoked.is_none());
        let given = given.ok_or_else(|| refusal(version, model, Why::NothingToRevoke { of: of.clone() }))?;
        let reason = request.reason.trim();
        if reason.is_empty() {
            return Err(refusal(version, model, Why::ReasonMissing));
        }
        Ok(Event::ApprovalRevoked {
            model: model.clone(),
            version: request.version,
            approval: given.evidence.clone(),
            reason: reason.to_owned(),
        })
    }

    fn lose_evidence(
        &self,
        model: &ModelName,
        number: VersionNumber,
        cause: &EvidenceId,
        (rules, now): (&Rules, Timestamp),
    ) -> Decided {
        let version = find(self, model, number)?;
        if self.model(model).and_then(|known| known.serving()).map(|stretch| stretch.version) != Some(number)
        {
            return Err(refusal(
                version,
                model,
                Why::NotNow { status: version.status, wanted: "found without evidence" },
            ));
        }
        match Approved::check(self, model, number, rules, now) {
            Ok(_) => Err(refusal(version, model, Why::NothingLeftToApprove)),
            Err(missing) => Ok(Event::EvidenceLost {
                model: model.clone(),
                version: number,
                missing: missing.to_string(),
                cause: cause.clone(),
            }),
        }
    }

    fn ends(
        &self,
        model: &ModelName,
        number: VersionNumber,
        wanted: &'static str,
        reason: &str,
    ) -> Result<String, Refusal> {
        let version = find(self, model, number)?;
        match version.status {
            Status::Deployed => Err(refusal(version, model, Why::Serving)),
            Status::Rejected | Status::Retired => {
                Err(refusal(version, model, Why::NotNow { status: version.status, wanted }))
            }
            _ if reason.trim().is_empty() => Err(refusal(version, model, Why::ReasonMissing)),
            _ => Ok(reason.trim().to_owned()),
        }
    }
}

pub(crate) fn refusal(version: &Version, model: &ModelName, why: Why) -> Refusal {
    Refusal { model: model.clone(), version: Some(version.version), why }
}

/// What the record says of an approver who had a hand in the version.
fn own_work(version: &Version, approver: &PersonId, rules: &Rules) -> Option<OwnWork> {
    let hands = version.registration.involved.iter().filter(|hand| hand.person == *approver);
    let how: Vec<How> = hands.map(|hand| hand.how).collect();
    let Separation::NotAchievable(instead) = &rules.separation else { return None };
    let compensated_by = instead.iter().map(Compensation::to_string).collect();
    (!how.is_empty()).then_some(OwnWork { how, compensated_by })
}
