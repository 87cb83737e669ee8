//! Every approval that was ever recorded, checked again from the record: whether its statement says what the record says,
//! and whether a key of the approver signed it. With keys that were got from their owners, this needs no trust in whoever
//! keeps the ledger: a forged or edited approval shows even if the whole ledger was signed anew.

use crate::{Engine, Error};
use facts::{EvidenceId, ModelName, PersonId, Timestamp, VerifierKey};
use registry::{ApprovalGiven, ApproverKey, Rules, Standing, Version};
use serde::Serialize;

/// What the audit of approvals found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ApprovalAudit {
    /// Approvals with a signature that holds.
    pub signed: u64,
    /// Of these, with a key that was withdrawn since: they count no more, and were not forged.
    pub withdrawn: u64,
    /// Approvals without a signature, of people who had no key then.
    pub unsigned: u64,
    /// Approvals that are not what they say, or not by a key that was given.
    pub findings: Vec<ApprovalFinding>,
}

/// An approval that is not what it says.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalFinding {
    /// The entry.
    pub entry: EvidenceId,
    /// One sentence.
    pub what: String,
}

impl Engine {
    /// Checks all approvals. With `trusted`, a signature counts only if it is by one of these keys.
    pub fn audit_approvals(&self, trusted: Option<&[VerifierKey]>) -> Result<ApprovalAudit, Error> {
        let mut audit = ApprovalAudit::default();
        for (name, model) in self.state.registry().models() {
            for version in &model.versions {
                for given in &version.approvals {
                    self.audit_one((name, version), given, trusted, &mut audit)?;
                }
            }
        }
        audit.findings.sort_by_key(|finding| finding.entry.index());
        Ok(audit)
    }

    fn audit_one(
        &self,
        (name, version): (&ModelName, &Version),
        given: &ApprovalGiven,
        trusted: Option<&[VerifierKey]>,
        audit: &mut ApprovalAudit,
    ) -> Result<(), Error> {
        let who = &given.approver.id;
        let mut find = |why: String| {
            let what = format!("the approval of version {} of `{name}` by `{who}`: {why}", version.version);
            audit.findings.push(ApprovalFinding { entry: given.evidence.clone(), what });
        };
        let keys = self.keys_at(given, trusted)?;
        match &given.signed {
            None if keys.iter().any(|key| key.person == *who && key.since <= given.time) => {
                find("it is not signed, and the approver had a key".to_owned());
            }
            None => audit.unsigned += 1,
            Some(note) => {
                let check = |keys: Vec<ApproverKey>| {
                    let rules = Rules::new(given.charter, Vec::new(), keys);
                    registry::check_signature(note, (name, version.version), given, &rules)
                };
                let lifted = keys
                    .iter()
                    .cloned()
                    .map(|key| ApproverKey { standing: key.standing.max(Standing::Claimed), ..key });
                match (check(keys.clone()), check(lifted.collect())) {
                    (Ok(_), _) => audit.signed += 1,
                    (Err(_), Ok(_)) => {
                        audit.signed += 1;
                        audit.withdrawn += 1;
                    }
                    (Err(_), Err(fault)) => find(fault.to_string()),
                }
            }
        }
        Ok(())
    }

    /// The keys that could have made a signature: those given, else those of the charter and the record at that time.
    fn keys_at(
        &self,
        given: &ApprovalGiven,
        trusted: Option<&[VerifierKey]>,
    ) -> Result<Vec<ApproverKey>, Error> {
        let charter = if self.charter()?.digest() == given.charter {
            self.charter()?.clone()
        } else {
            self.read_charter(&given.charter)?
        };
        let Some(trusted) = trusted else { return Ok(self.state.approver_keys().in_force(&charter)) };
        let organisation = &charter.charter().organisation.id;
        let theirs = |key: &VerifierKey| -> Option<PersonId> {
            key.name().strip_prefix(organisation.as_str())?.strip_prefix('/')?.parse().ok()
        };
        let list = trusted.iter().filter_map(|key| {
            let person = theirs(key)?;
            let key = key.clone();
            Some(ApproverKey {
                person,
                key,
                since: Timestamp::EPOCH,
                until: None,
                standing: Standing::Pinned,
            })
        });
        Ok(list.collect())
    }
}
