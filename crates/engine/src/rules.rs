//! What the charter in force demands of a model, in the registry's words.

use crate::{Engine, Error};
use charter::Checked;
use charter::model::{self, Model};
use facts::GateId;
use registry::{ApproverKey, BreakGlassRules, Compensation, Demands, ReviewRules, Rules, Separation, Step};

impl Engine {
    /// What the charter in force demands of a model, and with which keys people sign.
    pub(crate) fn rules(&self, model: &Model) -> Result<Rules, Error> {
        let charter = self.charter()?;
        Ok(rules_of(model, charter, self.state.approver_keys().in_force(charter)))
    }
}

/// What a charter demands of a model.
pub(crate) fn rules_of(model: &Model, charter: &Checked, keys: Vec<ApproverKey>) -> Rules {
    let mut rules = Rules::new(charter.digest(), steps(model), keys);
    rules.known_committers = charter.lists_committers();
    if let Some(separation) = &model.separation {
        let instead = separation.compensating.iter().map(|one| match one {
            model::Compensation::SignedApproval => Compensation::SignedApproval,
            model::Compensation::CoolingOff { hours } => Compensation::CoolingOff { hours: *hours },
            model::Compensation::Review(asked) => Compensation::Review(review(asked)),
        });
        rules.separation = Separation::NotAchievable(instead.collect());
    }
    rules.gates = model.gates.iter().map(|gate| gate.id.clone()).collect();
    if model.acceptance.iter().any(|criterion| criterion.against_incumbent.is_some()) {
        rules.gates.push(GateId::incumbent());
    }
    if let Some(evidence) = &model.evidence {
        rules.demands = Demands {
            lineage: evidence.lineage.clone(),
            documents: evidence.documents.clone(),
            validation_days: evidence.validation_days,
        };
    }
    rules.break_glass = model.break_glass.as_ref().map(|glass| BreakGlassRules {
        roles: glass.roles.clone(),
        max_hours: glass.max_hours,
        review: review(&glass.review),
    });
    rules.rollback_review = model.rollback.as_ref().map(|rollback| review(&rollback.review));
    rules
}

fn review(asked: &model::Review) -> ReviewRules {
    ReviewRules { role: asked.role.clone(), within_hours: asked.within_hours }
}

/// The steps of approval as the charter has them.
fn steps(model: &Model) -> Vec<Step> {
    let step = |approval: &model::Approval| Step {
        role: approval.role.clone(),
        count: approval.count,
        valid_days: approval.valid_days,
        signed: approval.signed,
    };
    model.approvals.iter().map(step).collect()
}
