//! Rehearsal: whether a version could have been deployed at a time if other rules had been in force all along.

use crate::plan::Approved;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::State;
use crate::version::{ValidationReport, VersionNumber};
use facts::{Criterion, ModelName, Timestamp};

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
}
