//! Commands: what somebody wants, decided on the state. A decision changes nothing; it says what would be recorded.

use crate::event::Event;
use crate::plan::{Approved, DeploymentPlan, RollbackPlan, check_gates, find, still_counts};
use crate::refusal::{Refusal, Why};
use crate::state::{State, Status, Version};
use crate::version::{Registration, ValidationReport, VersionNumber};
use facts::{Actor, ActorKind, Days, Digest, EndpointName, ModelName, RoleId, Timestamp};

/// What the charter in force demands of a model, as plain values.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Digest of the charter.
    pub charter: Digest,
    /// Who must approve, in order.
    pub approvals: Vec<Step>,
}

/// One step of approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The role.
    pub role: RoleId,
    /// How many different people.
    pub count: u32,
    /// How long an approval counts.
    pub valid_days: Days,
}

/// A wish to approve.
#[derive(Debug, Clone)]
pub struct ApprovalRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who.
    pub approver: &'a Actor,
}

/// What somebody wants.
#[derive(Debug, Clone)]
pub enum Command<'a> {
    /// Register a candidate.
    Register(Box<Registration>),
    /// Record what validation found.
    Validate(&'a ModelName, VersionNumber, Box<ValidationReport>),
    /// Approve.
    Approve(ApprovalRequest<'a>),
    /// Record the signature bundle (digest, object) of a version with all its approvals.
    Sign(&'a ModelName, VersionNumber, (Digest, String)),
    /// Refuse for good.
    Reject(&'a ModelName, VersionNumber, &'a str),
    /// Put behind an endpoint.
    Deploy(&'a ModelName, VersionNumber, EndpointName),
    /// Put the previous version back.
    Rollback(&'a ModelName, &'a str),
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
            Command::Approve(request) => self.approve(request, rules, now),
            Command::Sign(model, version, bundle) => {
                let approved = Approved::check(self, model, *version, rules, now)?;
                let (bundle, object) = bundle.clone();
                Ok(Event::Signed { model: approved.model().clone(), version: *version, bundle, object })
            }
            Command::Reject(model, version, reason) => {
                let reason = self.ends(model, *version, "rejected", reason)?;
                Ok(Event::Rejected { model: (*model).clone(), version: *version, reason })
            }
            Command::Deploy(model, version, endpoint) => {
                let approved = Approved::check(self, model, *version, rules, now)?;
                Ok(DeploymentPlan::new(self, approved, endpoint.clone())?.event())
            }
            Command::Rollback(model, reason) => Ok(RollbackPlan::new(self, model, reason)?.event()),
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

    fn approve(&self, request: &ApprovalRequest<'_>, rules: &Rules, now: Timestamp) -> Decided {
        let (model, approver) = (request.model, request.approver);
        let version = find(self, model, request.version)?;
        let refuse = |why| refusal(version, model, why);
        if approver.kind != ActorKind::Human {
            return Err(refuse(Why::NotAPerson { id: approver.id.clone() }));
        }
        if let Some(hand) = version.registration.involved.iter().find(|hand| hand.person == approver.id) {
            return Err(refuse(Why::OwnVersion { person: approver.id.clone(), how: hand.how }));
        }
        let validation = check_gates(version, rules).map_err(refuse)?;
        let counting = |step: &Step| -> Vec<&Actor> {
            let counts = |given: &&crate::ApprovalGiven| {
                given.role == step.role
                    && still_counts(given, version, rules, step.valid_days.seconds(), now).is_ok()
            };
            let mut people: Vec<&Actor> =
                version.approvals.iter().filter(counts).map(|given| &given.approver).collect();
            people.sort_by(|a, b| a.id.cmp(&b.id));
            people.dedup_by(|a, b| a.id == b.id);
            people
        };
        if rules.approvals.iter().any(|step| counting(step).iter().any(|person| person.id == approver.id)) {
            return Err(refuse(Why::AlreadyApproved { person: approver.id.clone() }));
        }
        let open = rules.approvals.iter().find(|step| (counting(step).len() as u64) < u64::from(step.count));
        let step = open.ok_or_else(|| refuse(Why::NothingLeftToApprove))?;
        if !approver.has_role(&step.role) {
            return Err(refuse(Why::WrongRole { needed: vec![step.role.clone()] }));
        }
        Ok(Event::ApprovalGiven {
            model: model.clone(),
            version: request.version,
            approver: approver.clone(),
            role: step.role.clone(),
            artefact: version.registration.artefact,
            charter: rules.charter,
            validation,
        })
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

fn refusal(version: &Version, model: &ModelName, why: Why) -> Refusal {
    Refusal { model: model.clone(), version: Some(version.version), why }
}
