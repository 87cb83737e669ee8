//! Whole operations over an inventory: each check of a call, with what bears on it.

use super::answer::{Access, Verdict};
use super::hear::{self, Prepared};
use super::{BadQuestion, Inventory, Question, Resource, Target};
use crate::eval::Layers;
use crate::operations::Check;
use crate::request::{Values, is_account};
use crate::value::split_arn;

/// Services whose resources have policies of their own: one that is not in the inventory may say anything.
const WITH_POLICIES: [&str; 4] = ["s3", "kms", "sts", "execute-api"];

impl Inventory {
    /// Whether a principal of the inventory can do an operation, check by check (see [`crate::operations::expand`]).
    /// Nothing stands for a check on a resource that is not in the inventory and may have a policy; what is only made by
    /// the call has none.
    ///
    /// # Errors
    /// If the principal or the endpoint are not in the inventory, or a check is no request.
    pub fn can_operate<'c>(
        &self,
        principal: &str,
        checks: &'c [Check],
        question: &Question,
    ) -> Result<Vec<(&'c Check, Option<Access>)>, BadQuestion> {
        let mut all = Vec::with_capacity(checks.len());
        for check in checks {
            all.push((check, self.check(principal, check, question)?));
        }
        Ok(all)
    }

    fn check(
        &self,
        principal: &str,
        check: &Check,
        question: &Question,
    ) -> Result<Option<Access>, BadQuestion> {
        let held = self.held(principal)?;
        let mut question = question.clone();
        for (key, value) in &check.context {
            question.context.set(key, Values::One(value.as_str().into()));
        }
        let own = held.caller.account().unwrap_or_default();
        let asked = self.asked(&check.action, &question)?;
        if asked.request.service() == "kms" {
            question.context.set("kms:CallerAccount", Values::One(own.into()));
        }
        let asked = self.asked(&check.action, &question)?;
        let made;
        let resource = match self.target(&check.resource) {
            Ok(target) => target.resource,
            // Without an ARN it belongs to the caller's account and has no policy.
            Err(_) if check.resource != "*" && WITH_POLICIES.contains(&asked.request.service()) => {
                return Ok(None);
            }
            Err(_) => {
                let account = split_arn(&check.resource).map(|fields| fields[4]);
                made = Resource {
                    arn: check.resource.as_str().into(),
                    account: account.filter(|account| is_account(account)).unwrap_or(own).into(),
                    tags: None,
                    layers: Layers::default(),
                    unconstrained: None,
                };
                &made
            }
        };
        let about = hear::about(resource, &asked.request);
        let target = Target { arn: &check.resource, resource };
        Ok(Some(Prepared::new(self, held, &asked).access(self, target, &about)))
    }
}

/// Whether the whole operation is allowed: as its weakest check; nothing if none is refused and one is not known.
#[must_use]
pub fn whole(checks: &[(&Check, Option<Access>)]) -> Option<Verdict> {
    let mut each = checks.iter().map(|(_, access)| access.as_ref().map(|access| access.verdict));
    if each.clone().any(|verdict| verdict == Some(Verdict::Denied)) {
        return Some(Verdict::Denied);
    }
    each.try_fold(Verdict::Allowed, |all, verdict| match verdict? {
        Verdict::Allowed => Some(all),
        other => Some(other),
    })
}
