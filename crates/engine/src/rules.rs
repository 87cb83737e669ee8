//! What the charter in force demands of a model, in the registry's words.

use crate::{Engine, Error};
use charter::model::Model;
use registry::{Rules, Step};

impl Engine {
    /// What the charter in force demands of a model, and with which keys people sign.
    pub(crate) fn rules(&self, model: &Model) -> Result<Rules, Error> {
        let charter = self.charter()?;
        Ok(Rules {
            charter: charter.digest(),
            approvals: steps(model),
            keys: self.state.approver_keys().in_force(charter),
        })
    }
}

/// The steps of approval as the charter has them.
pub(crate) fn steps(model: &Model) -> Vec<Step> {
    let step = |approval: &charter::model::Approval| Step {
        role: approval.role.clone(),
        count: approval.count,
        valid_days: approval.valid_days,
        signed: approval.signed,
    };
    model.approvals.iter().map(step).collect()
}
