//! Plans that put the resources of an account right: on record, approved, and found again.

use crate::core::NewEntry;
use crate::record::{Fact, Refused};
use crate::remediation_record::{Remediation, RemediationEvent};
use crate::{Done, Engine, Error};
use facts::remediation::Plan;
use facts::{Actor, Digest};
use guard::{Action, Resource};
use serde::Serialize;

/// A plan that is on record.
#[derive(Debug, Clone, Serialize)]
pub struct PlanOnRecord {
    /// Its digest.
    pub plan: Digest,
    /// How many steps it has.
    pub steps: usize,
    /// Whether somebody else than who planned and who carries out must agree.
    pub four_eyes: bool,
    /// Who agreed.
    pub approved_by: Vec<facts::PersonId>,
}

/// The shortest beginning of a digest that names a plan.
const SHORTEST_ID: usize = 8;

impl Engine {
    /// Puts a plan on record.
    pub fn record_plan(&mut self, actor: &Actor, plan: &Plan) -> Result<Done<PlanOnRecord>, Error> {
        self.authorise(actor, Action::RemediationPlan, &account(plan))?;
        let digest = plan.digest();
        let mut evidence = Vec::new();
        if self.state.remediations().of(&digest).is_none() {
            self.ports.objects.put(&object(&digest), plan.canonical().as_bytes())?;
            let steps = u32::try_from(plan.steps.len()).unwrap_or(u32::MAX);
            let (account, region) = (plan.account.clone(), plan.region.clone());
            let event = RemediationEvent::Planned { account, region, steps };
            evidence = self.remember(actor, (Action::RemediationPlan, &digest), event)?;
        }
        self.on_record(plan, evidence)
    }

    /// Approves a plan; if it cuts deep, not one's own.
    pub fn approve_plan(&mut self, actor: &Actor, plan: &Plan) -> Result<Done<PlanOnRecord>, Error> {
        let digest = plan.digest();
        let planner = self.remediation(&digest)?.plan.by.clone();
        self.authorise(actor, Action::RemediationApprove, &account(plan))?;
        if plan.needs_four_eyes() && planner == actor.id {
            let why = Refused {
                reason: format!(
                    "`{}` made the plan `{}`; what cuts so deep in production needs the eyes of somebody else",
                    actor.id,
                    digest.short()
                ),
                help: Some(
                    "ask another security engineer, or a compliance officer, to approve it".to_owned(),
                ),
                policies: Vec::new(),
            };
            return Err(self.refuse(actor, Action::RemediationApprove.as_str(), &stream(&digest), why));
        }
        let evidence =
            self.remember(actor, (Action::RemediationApprove, &digest), RemediationEvent::Approved)?;
        self.on_record(plan, evidence)
    }

    /// The plan whose digest begins so.
    pub fn plan_named(&self, id: &str) -> Result<Plan, Error> {
        let bare = id.strip_prefix("sha256:").unwrap_or(id);
        let named =
            |one: &&Remediation| bare.len() >= SHORTEST_ID && one.plan.what.to_hex().starts_with(bare);
        let mut found = self.state.remediations().iter().filter(named);
        match (found.next(), found.next()) {
            (Some(one), None) => self.read_plan(&one.plan.what),
            (None, _) => Err(Error::not_found(format!("there is no plan `{}` on record", id.escape_debug()))
                .with_help(format!(
                    "name it by its digest, or by {SHORTEST_ID} or more of its first digits"
                ))),
            (Some(_), Some(_)) => Err(Error::input(format!("several plans begin with `{bare}`"))
                .with_help("give more digits of the digest")),
        }
    }

    /// What is known of a plan.
    pub(crate) fn remediation(&self, plan: &Digest) -> Result<&Remediation, Error> {
        self.state.remediations().of(plan).ok_or_else(|| {
            Error::not_found(format!("the plan `{}` is not on record in this house", plan.short())).with_help(
                "plan in the house, so that it is known who planned: `wardmote remediate plan ... --as ID`",
            )
        })
    }

    /// Nobody carries out what was not agreed on.
    pub(crate) fn check_approved(&mut self, actor: &Actor, plan: &Plan) -> Result<(), Error> {
        let digest = plan.digest();
        let known = self.remediation(&digest)?;
        let others =
            |by: &facts::PersonId| !plan.needs_four_eyes() || (*by != actor.id && *by != known.plan.by);
        if known.approvals.iter().any(|approval| others(&approval.by)) {
            return Ok(());
        }
        let reason = if known.approvals.is_empty() {
            format!("the plan `{}` is not approved", digest.short())
        } else {
            format!(
                "the plan `{}` is approved only by who made it or carries it out, and it needs the eyes of somebody else",
                digest.short()
            )
        };
        let help = "somebody who may has to approve it: `wardmote remediate approve PLAN.json --as ID`";
        let why = Refused { reason, help: Some(help.to_owned()), policies: Vec::new() };
        Err(self.refuse(actor, Action::RemediationApply.as_str(), &stream(&digest), why))
    }

    /// Records what happened to a plan.
    pub(crate) fn remember(
        &mut self,
        actor: &Actor,
        (action, plan): (Action, &Digest),
        event: RemediationEvent,
    ) -> Result<Vec<facts::EvidenceId>, Error> {
        let (resource, fact) = (stream(plan), Fact::Remediation { plan: *plan, event });
        let entry: NewEntry<'_> = Self::done(actor, action, &resource, fact);
        self.record(vec![entry])
    }

    fn read_plan(&self, digest: &Digest) -> Result<Plan, Error> {
        let name = object(digest);
        let bytes = self.ports.objects.get(&name)?;
        let plan = String::from_utf8(bytes).ok().and_then(|text| Plan::from_canonical(&text).ok());
        plan.filter(|plan| plan.digest() == *digest)
            .ok_or_else(|| Error::damaged(format!("the object `{name}` is not the plan that was recorded")))
    }

    fn on_record(&self, plan: &Plan, evidence: Vec<facts::EvidenceId>) -> Result<Done<PlanOnRecord>, Error> {
        let digest = plan.digest();
        let approvals = self.remediation(&digest)?.approvals.iter();
        let answer = PlanOnRecord {
            plan: digest,
            steps: plan.steps.len(),
            four_eyes: plan.needs_four_eyes(),
            approved_by: approvals.map(|approval| approval.by.clone()).collect(),
        };
        Ok(Done { answer, evidence })
    }
}

/// The account of a plan, as policies see it.
pub(crate) fn account(plan: &Plan) -> Resource {
    Resource::Account { id: plan.account.clone() }
}

/// The object of a plan, or of what was found.
pub(crate) fn object(digest: &Digest) -> String {
    format!("remediations/{}", digest.to_hex())
}

fn stream(plan: &Digest) -> String {
    format!("remediation/{}", plan.short())
}
