//! A version beside the one that serves in its place, the incumbent: both measured on the same rows, judged by what the
//! criteria ask for. It is a gate of the house's own, so that the last answer counts, and it must be about what serves now.

use crate::demands::Unmet;
use crate::gate::GateResult;
use crate::refusal::Why;
use crate::rules::Rules;
use crate::state::{State, Version};
use crate::version::VersionNumber;
use facts::{Criterion, Digest, GateId, ModelName, SnapshotName, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The version that served when another was compared with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incumbent {
    /// Its number.
    pub version: VersionNumber,
    /// Its artefact.
    pub artefact: Digest,
    /// Its figures, by the names of the criteria.
    pub figures: BTreeMap<String, f64>,
    /// What both figures rest on.
    pub basis: Basis,
}

/// What the figures of a comparison rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// The house measured both on the same held-back rows.
    Measured {
        /// The snapshot whose rows these are.
        snapshot: SnapshotName,
        /// How many.
        rows: u64,
    },
    /// Both are claims of the runs that made the versions, about the same snapshot.
    Claimed {
        /// The snapshot.
        snapshot: SnapshotName,
    },
    /// The incumbent could not be measured.
    Unknown,
}

impl fmt::Display for Incumbent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<String> =
            self.figures.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        write!(f, "version {}, which served then", self.version)?;
        match &self.basis {
            Basis::Measured { snapshot, rows } => {
                write!(f, ", on the same {rows} held-back rows of {snapshot}: {}", figures.join(", "))
            }
            Basis::Claimed { snapshot } => {
                write!(f, ", by claims of both runs about {snapshot}: {}", figures.join(", "))
            }
            Basis::Unknown => f.write_str(", could not be measured"),
        }
    }
}

/// Figures of the incumbent, or why there are none.
pub type Figures<'a> = Result<&'a BTreeMap<String, f64>, &'a str>;

/// Judges the figures of a version beside those of the incumbent, by every criterion that asks for it. Without an
/// incumbent none of them applies.
pub fn beside(
    criteria: &[Criterion],
    measured: &BTreeMap<String, f64>,
    incumbent: Option<(VersionNumber, Figures<'_>)>,
) -> Verdict {
    let asked: Vec<&Criterion> = criteria.iter().filter(|one| one.against_incumbent.is_some()).collect();
    let Some((version, figures)) = incumbent else {
        return Verdict::NotApplicable {
            reason: "no other version serves that it could be compared with".to_owned(),
        };
    };
    let name = format!("version {version}");
    let figures = match figures {
        Ok(figures) => figures,
        Err(why) => {
            return Verdict::Unknown {
                missing: format!("{name}, which serves, cannot be compared with: {why}"),
            };
        }
    };
    let (mut broken, mut unknown) = (Vec::new(), Vec::new());
    for criterion in asked {
        let key = criterion.key();
        match criterion.compare(measured.get(&key).copied(), (&name, figures.get(&key).copied())) {
            Verdict::Holds | Verdict::NotApplicable { .. } => {}
            Verdict::Broken { reason } => broken.push(reason),
            Verdict::Unknown { missing } => unknown.push(missing),
        }
    }
    match (broken.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Broken { reason: broken.join("; ") },
        (true, false) => Verdict::Unknown { missing: unknown.join("; ") },
        (true, true) => Verdict::Holds,
    }
}

impl State {
    /// The version that serves in the place where this one would serve; none if nothing does, or itself.
    pub fn incumbent(&self, model: &ModelName, number: VersionNumber) -> Option<&Version> {
        let known = self.model(model)?;
        let serving = known.serving().map(|stretch| stretch.version).filter(|serving| *serving != number)?;
        known.version(serving)
    }

    /// Whether a version was last compared with what serves now, if the rules ask for a comparison at all. What came of
    /// it is for the gates to say.
    pub(crate) fn is_compared(&self, model: &ModelName, version: &Version, rules: &Rules) -> Result<(), Why> {
        if !rules.gates.contains(&GateId::incumbent()) {
            return Ok(());
        }
        let now = self.incumbent(model, version.version);
        let then = last_comparison(version).and_then(|result| result.incumbent.as_ref());
        let same = match (now, then) {
            (None, None) => true,
            (Some(now), Some(then)) => {
                now.version == then.version && now.registration.artefact == then.artefact
            }
            _ => false,
        };
        if same {
            return Ok(());
        }
        let (then, now) = (then.map(|then| then.version), now.map(|now| now.version));
        Err(Why::Unmet(Unmet::AnotherIncumbent { then, now }))
    }
}

/// What the last comparison of a version said, if it is later than its last validation.
pub(crate) fn last_comparison(version: &Version) -> Option<&GateResult> {
    let (_, validated) = version.validation.as_ref()?;
    let (result, evidence) =
        version.gates.iter().rev().find(|(result, _)| result.gate == GateId::incumbent())?;
    (evidence.index() >= validated.index()).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criteria() -> Vec<Criterion> {
        let of = |text: &str| serde_json::from_str(text).unwrap();
        vec![
            of(r#"{"metric":"accuracy","at_least":0.7}"#),
            of(r#"{"metric":"auc","at_least":0.7,"against_incumbent":{"worse_by_at_most":0.01}}"#),
            of(r#"{"metric":"brier","at_most":0.3,"against_incumbent":{"better_by_at_least":0.0}}"#),
        ]
    }

    fn figures(auc: f64, brier: f64) -> BTreeMap<String, f64> {
        BTreeMap::from([("auc".to_owned(), auc), ("brier".to_owned(), brier)])
    }

    #[test]
    fn every_criterion_that_asks_for_it_is_compared() {
        let (mine, one) = (figures(0.8, 0.2), VersionNumber(1));
        let said = |theirs: &BTreeMap<String, f64>| beside(&criteria(), &mine, Some((one, Ok(theirs))));
        assert_eq!(said(&figures(0.81, 0.2)), Verdict::Holds);
        let mut some = figures(0.81, 0.2);
        some.remove("brier");
        let all = [
            said(&figures(0.9, 0.1)),
            said(&some),
            beside(&criteria(), &mine, Some((one, Err("its key is disabled")))),
            beside(&criteria(), &mine, None),
        ];
        insta::assert_snapshot!(all.map(|verdict| verdict.to_string()).join("\n"));
    }
}
