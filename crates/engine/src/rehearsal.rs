//! Which past promotions a new charter would have refused: the record is replayed, and each deployment is decided again.

use crate::record::Fact;
use crate::rules::rules_of;
use crate::{Engine, Error};
use charter::Checked;
use facts::{Digest, EvidenceId, ModelName, Timestamp};
use registry::{At, Event, VersionNumber};
use serde::{Deserialize, Serialize};

/// How many entries are read at once.
const BATCH: usize = 4096;

/// What a new charter would have made of the past.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsal {
    /// The new charter.
    pub charter: Digest,
    /// Every deployment there was, oldest first.
    pub promotions: Vec<Promotion>,
}

/// A deployment, decided again.
#[derive(Debug, Clone, Serialize)]
pub struct Promotion {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// Why the new charter would have refused it; none if it would not have.
    pub refused: Option<String>,
}

impl Engine {
    /// Decides every past deployment again, as if `new` had been in force all along.
    pub fn rehearse(&self, new: &Checked) -> Result<Rehearsal, Error> {
        let mut then = registry::State::default();
        let mut promotions = Vec::new();
        let mut next = 0;
        loop {
            let receipts = self.ports.ledger.read(next, BATCH)?;
            let Some(last) = receipts.last() else { break };
            next = last.evidence.index() + 1;
            for receipt in receipts {
                let damaged =
                    |why: String| Error::damaged(format!("entry {} cannot be read: {why}", receipt.evidence));
                let fact =
                    Fact::deserialize(&receipt.entry.body).map_err(|error| damaged(error.to_string()))?;
                let event = match fact {
                    Fact::Registry { event } => event,
                    Fact::DocumentMade { model, version, kind, .. } => {
                        if let Ok(kind) = kind.parse() {
                            then.documented((&model, version), kind, receipt.evidence.clone());
                        }
                        continue;
                    }
                    _ => continue,
                };
                let at = At { time: receipt.entry.time, evidence: receipt.evidence.clone() };
                promotions.extend(self.again(&then, (&event, &at), new));
                then.apply(&event, &at).map_err(|error| damaged(error.to_string()))?;
            }
        }
        Ok(Rehearsal { charter: new.digest(), promotions })
    }

    /// The deployment that an event is, decided again on the state before it.
    fn again(&self, then: &registry::State, (event, at): (&Event, &At), new: &Checked) -> Option<Promotion> {
        let (name, version, glass) = match event {
            Event::Deployed { model, version, .. } => (model, *version, None),
            Event::BrokeGlass { model, version, glass, .. } => (model, *version, Some(glass)),
            _ => return None,
        };
        let refused = match new.model(name) {
            None => Some(format!("the charter has no model `{name}`")),
            Some(model) => {
                let rules = rules_of(model, new, Vec::new());
                match (glass, &model.break_glass) {
                    (None, _) => then
                        .rehearse((name, version), (&rules, &model.acceptance), at.time)
                        .err()
                        .map(|r| r.to_string()),
                    (Some(_), None) => {
                        Some(format!("the charter lets nobody deploy `{name}` without its approvals"))
                    }
                    (Some(glass), Some(allowed)) => {
                        let hours = i64::from(allowed.max_hours);
                        let long = glass.until > at.time.plus_seconds(hours * 3600);
                        let roles = new.roles_of(&glass.by).map_or_else(Vec::new, |(_, roles)| roles);
                        let holds = roles.iter().any(|role| allowed.roles.contains(role));
                        match (holds, long) {
                            (false, _) => {
                                Some(format!("the charter does not let `{}` break the glass", glass.by))
                            }
                            (true, true) => Some(format!(
                                "the charter lets it serve without approvals for {hours} hours at most"
                            )),
                            (true, false) => None,
                        }
                    }
                }
            }
        };
        let (model, time, evidence) = (name.clone(), at.time, at.evidence.clone());
        Some(Promotion { model, version, time, evidence, refused })
    }
}
