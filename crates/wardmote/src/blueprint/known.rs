//! What is known of a template: what the controls say, and which claims of a charter are proved.

use crate::failure::{Exit, Failure};
use ::blueprint::{Blueprint, Outcome};
use controls::{Selection, Severity};
use serde::Serialize;
use std::fmt;

/// What is known of one template.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Known {
    /// How many findings hold.
    pub(crate) holds: usize,
    /// What is broken or unknown, in the order of the template.
    pub(crate) findings: Vec<Found>,
    pub(crate) claims: Vec<Claimed>,
}

/// A finding that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Found {
    pub(crate) control: String,
    pub(crate) resource: String,
    pub(crate) verdict: &'static str,
    pub(crate) severity: Severity,
    pub(crate) reason: String,
}

/// A claim and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Claimed {
    pub(crate) claim: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

impl Known {
    /// What is known of a template by the claims of a blueprint, which may be another's.
    pub(crate) fn of(blueprint: &Blueprint, template: &str) -> Result<Self, Failure> {
        let estate = controls::template("template", template)
            .map_err(|wrong| Failure::new(Exit::Input, wrong.to_string()))?;
        let report = controls::scan(&estate, &Selection::default());
        let found = report.wholes().filter(|finding| matches!(finding.word(), "broken" | "unknown"));
        let findings = found.map(|finding| Found {
            control: finding.control().to_owned(),
            resource: finding.subject.id.clone(),
            verdict: finding.word(),
            severity: finding.about.severity(),
            reason: finding.reason().to_owned(),
        });
        let claims = blueprint.claims.iter();
        let claims =
            claims.map(|claim| Claimed { claim: claim.sentence.clone(), outcome: claim.prove(&estate) });
        Ok(Self {
            holds: report.summary_of_wholes().holds,
            findings: findings.collect(),
            claims: claims.collect(),
        })
    }

    fn count(&self, verdict: &str) -> usize {
        self.findings.iter().filter(|found| found.verdict == verdict).count()
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (broken, unknown) = (self.count("broken"), self.count("unknown"));
        writeln!(f, "controls: {} hold, {broken} are broken, {unknown} are unknown", self.holds)?;
        for found in &self.findings {
            writeln!(f, "  {} {} {}: {}", found.verdict, found.control, found.resource, found.reason)?;
        }
        writeln!(f, "claims")?;
        for claimed in &self.claims {
            writeln!(f, "  {}: {}", claimed.outcome.word(), claimed.claim)?;
        }
        Ok(())
    }
}

/// What would be otherwise after a change, in sentences.
pub(crate) fn differences(before: Option<&Known>, after: &Known) -> Vec<String> {
    let mut all = Vec::new();
    let old: &[Found] = before.map_or(&[], |known| &known.findings);
    for found in after.findings.iter().filter(|found| !old.contains(found)) {
        let Found { control, resource, verdict, reason, .. } = found;
        all.push(format!("{control} {resource} would be {verdict}: {reason}"));
    }
    for found in old.iter().filter(|found| !after.findings.contains(found)) {
        let same = |other: &Found| (&other.control, &other.resource) == (&found.control, &found.resource);
        if !after.findings.iter().any(same) {
            let Found { control, resource, verdict, .. } = found;
            all.push(format!("{control} {resource} would no longer be {verdict}"));
        }
    }
    for claimed in &after.claims {
        let was = before.and_then(|known| known.claims.iter().find(|one| one.claim == claimed.claim));
        let was = was.map_or("absent", |one| one.outcome.word());
        let will = claimed.outcome.word();
        if was != will {
            all.push(format!("{will} (was {was}): {}", claimed.claim));
        }
    }
    all
}
