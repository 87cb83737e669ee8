//! Rehearsal: whether a version could have been deployed at a time if other rules had been in force all along.

use crate::gate::{GateResult, Stage};
use crate::incumbent::{Basis, Incumbent, beside, last_comparison};
use crate::plan::Approved;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::{State, Version};
use crate::version::{ValidationReport, VersionNumber};
use facts::{Criterion, GateId, ModelName, Timestamp};
use std::collections::BTreeMap;

impl State {
    /// Judges what was measured then by `criteria`, counts the approvals given then as if they had been given under
    /// `rules`, and checks. What was signed then counts as signed: that somebody would have signed another charter is the
    /// one thing that has to be supposed.
    pub fn rehearse(
        &self,
        (model, number): (&ModelName, VersionNumber),
        (rules, criteria): (&Rules, &[Criterion]),
        now: Timestamp,
    ) -> Result<Approved, Refusal> {
        let mut then = self.clone();
        let mut supposed = rules.clone();
        supposed.keys.clear();
        let compared = self.compared((model, number), (rules, criteria));
        if let Some(version) = then.version_mut(model, number) {
            let mut validated_under = None;
            if let Some((report, _)) = &mut version.validation {
                validated_under = Some(report.charter);
                let rows = (report.snapshot.clone(), report.rows);
                *report = ValidationReport::judge(
                    report.artefact,
                    rules.charter,
                    rows,
                    report.metrics.clone(),
                    criteria,
                );
            }
            for (result, _) in
                version.gates.iter_mut().filter(|(result, _)| Some(result.charter) == validated_under)
            {
                result.charter = rules.charter;
            }
            if let Some((result, (_, validated))) = compared.zip(version.validation.as_ref()) {
                version.gates.push((result, validated.clone()));
            }
            for step in supposed.approvals.iter_mut().filter(|step| step.signed) {
                // If any is signed, the others do not count; if none is, the check says that it is missing.
                let signed =
                    version.approvals.iter().any(|given| given.role == step.role && given.signed.is_some());
                if signed {
                    version.approvals.retain(|given| given.role != step.role || given.signed.is_some());
                    step.signed = false;
                }
            }
            for given in &mut version.approvals {
                given.signed = None;
                if Some(given.charter) == validated_under {
                    given.charter = rules.charter;
                }
            }
        }
        Approved::check(&then, model, number, &supposed, now)
    }

    /// What the comparison with what served then would have said, if the rules ask for one: by the figures that were
    /// compared then, or those that validation found of both on the same rows.
    fn compared(
        &self,
        (model, number): (&ModelName, VersionNumber),
        (rules, criteria): (&Rules, &[Criterion]),
    ) -> Option<GateResult> {
        let gate = rules.gates.iter().find(|gate| **gate == GateId::incumbent())?;
        let version = self.version(model, number)?;
        let (report, _) = version.validation.as_ref()?;
        let incumbent = self.incumbent(model, number);
        let figures = incumbent.map(|other| (other.version, figures_of(version, report, other)));
        let said = figures.as_ref().map(|(number, figures)| (*number, figures.as_ref().map_err(|why| *why)));
        Some(GateResult {
            gate: gate.clone(),
            stage: Stage::Deployment,
            artefact: report.artefact,
            charter: rules.charter,
            verdict: beside(criteria, &report.metrics, said),
            figures: BTreeMap::new(),
            inputs: BTreeMap::new(),
            output: None,
            archived: Vec::new(),
            incumbent: incumbent.map(|other| Incumbent {
                version: other.version,
                artefact: other.registration.artefact,
                figures: BTreeMap::new(),
                basis: Basis::Unknown,
            }),
        })
    }
}

/// The figures of the version that served, on the rows on which another was measured.
fn figures_of(
    version: &Version,
    report: &ValidationReport,
    other: &Version,
) -> Result<BTreeMap<String, f64>, &'static str> {
    let mut figures = BTreeMap::new();
    let same_rows = other.validation.as_ref().filter(|(theirs, _)| {
        theirs.snapshot == report.snapshot
            && theirs.rows == report.rows
            && theirs.claimed_by_run.is_some() == report.claimed_by_run.is_some()
    });
    figures.extend(same_rows.iter().flat_map(|(theirs, _)| theirs.metrics.clone()));
    let then = last_comparison(version).and_then(|result| result.incumbent.as_ref());
    let then = then.filter(|then| then.version == other.version && then.basis != Basis::Unknown);
    figures.extend(then.iter().flat_map(|then| then.figures.clone()));
    if figures.is_empty() { Err("it was not measured on the same rows then") } else { Ok(figures) }
}
