//! Versions whose bytes are not what was registered: marked when that is seen, and neither approved, deployed nor served
//! until somebody has shown that all of it is again what it was.

use crate::decide::{Decided, refusal};
use crate::event::{At, Event};
use crate::plan::find;
use crate::refusal::{Beside, Why};
use crate::state::{State, Version};
use crate::version::VersionNumber;
use facts::{EvidenceId, ModelName, Timestamp};
use serde::{Deserialize, Serialize};

/// That something of a version was read and is not what was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tampering {
    /// What, in a sentence.
    pub cause: String,
    /// When that was seen.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// The entry that says that all of it is again what was registered; none as long as it is not.
    pub restored: Option<EvidenceId>,
}

impl Version {
    /// What is not what was registered, as far as that was seen and not put right.
    pub fn tampered(&self) -> impl Iterator<Item = &Tampering> {
        self.tampering.iter().filter(|one| one.restored.is_none())
    }

    /// Why it cannot be used, if something of it is not what was registered.
    pub(crate) fn check_bytes(&self) -> Result<(), Why> {
        match self.tampered().next() {
            None => Ok(()),
            Some(one) => {
                let (cause, since) = (one.cause.clone(), one.evidence.clone());
                Err(Why::Beside(Beside::Tampered { cause, since }))
            }
        }
    }
}

impl State {
    pub(crate) fn find_tampered(&self, model: &ModelName, number: VersionNumber, cause: &str) -> Decided {
        find(self, model, number)?;
        Ok(Event::Tampered { model: model.clone(), version: number, cause: cause.to_owned() })
    }

    pub(crate) fn restore(&self, model: &ModelName, number: VersionNumber) -> Decided {
        let version = find(self, model, number)?;
        if version.tampered().next().is_none() {
            return Err(refusal(version, model, Why::Beside(Beside::NotTampered)));
        }
        Ok(Event::Restored { model: model.clone(), version: number })
    }
}

/// Takes in what was seen of a version's bytes.
pub(crate) fn seen(version: &mut Version, event: &Event, at: &At) {
    match event {
        Event::Tampered { cause, .. } => version.tampering.push(Tampering {
            cause: cause.clone(),
            time: at.time,
            evidence: at.evidence.clone(),
            restored: None,
        }),
        _ => {
            for one in version.tampering.iter_mut().filter(|one| one.restored.is_none()) {
                one.restored = Some(at.evidence.clone());
            }
        }
    }
}
