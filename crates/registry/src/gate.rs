//! Gates that programs decide: what they said, about what, and on which inputs. And the one of the house's own, at which a
//! version is compared with what serves.

use crate::incumbent::{Incumbent, last_comparison};
use crate::rules::Rules;
use crate::state::Version;
use facts::{Digest, GateId, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// When a gate is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// When a version is registered, before it is measured.
    Registration,
    /// After a version was measured.
    Validation,
    /// Before somebody approves it.
    Approval,
    /// Before it is deployed.
    Deployment,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registration => "registration",
            Self::Validation => "validation",
            Self::Approval => "approval",
            Self::Deployment => "deployment",
        })
    }
}

/// What a gate said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Which gate.
    pub gate: GateId,
    /// When it was asked.
    pub stage: Stage,
    /// The artefact that it was asked about.
    pub artefact: Digest,
    /// The charter that names its program.
    pub charter: Digest,
    /// What it said; a program that failed has said nothing, which is unknown.
    pub verdict: Verdict,
    /// The numbers that it gave.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    /// The files that it got, with their digests.
    pub inputs: BTreeMap<String, Digest>,
    /// Digest of its answer; none if it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Digest>,
    /// The objects in which facts and answer are kept.
    pub archived: Vec<String>,
    /// What it was compared with, at the gate of the house's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incumbent: Option<Incumbent>,
}

impl GateResult {
    /// Whether it opens the gate. That nothing applies is for the house's own gate to say, and only without an incumbent.
    pub fn opens(&self) -> bool {
        match self.verdict {
            Verdict::Holds => true,
            Verdict::NotApplicable { .. } => self.gate == GateId::incumbent() && self.incumbent.is_none(),
            Verdict::Broken { .. } | Verdict::Unknown { .. } => false,
        }
    }
}

/// The first gate of the charter that does not hold for a version, and why.
pub(crate) fn first_closed(version: &Version, rules: &Rules) -> Option<(GateId, String)> {
    rules.gates.iter().find_map(|gate| {
        let last = version.gates.iter().rev().find(|(result, _)| result.gate == *gate);
        let closed = |why: &str| Some((gate.clone(), why.to_owned()));
        match last {
            None => closed("it has not been asked"),
            Some(_) if *gate == GateId::incumbent() && last_comparison(version).is_none() => {
                closed("the version was validated since it was compared with what serves")
            }
            Some((result, _)) if result.artefact != version.registration.artefact => {
                closed("it was asked about another artefact")
            }
            Some((result, _)) if result.charter != rules.charter => {
                closed("it was asked under an earlier charter")
            }
            Some((result, _)) if result.opens() => None,
            Some((result, _)) => closed(&result.verdict.to_string()),
        }
    })
}
