//! A version beside the one that serves: both measured by the house on the same held-back rows, and judged by the criteria
//! that ask for it. What was compared is compared again as soon as something else serves.

use crate::{Engine, Error};
use charter::model::Model;
use facts::{Criterion, Digest, GateId, Verdict};
use registry::{Basis, GateResult, Incumbent, Stage, ValidationReport, Version, VersionNumber, beside};
use std::collections::BTreeMap;

impl Engine {
    /// Compares a validated version with what serves; none if no criterion asks for that, or nothing could be different
    /// from the last time.
    pub(crate) fn compare_with_incumbent(
        &mut self,
        model: &Model,
        number: VersionNumber,
        stage: Stage,
    ) -> Result<Option<GateResult>, Error> {
        let asked: Vec<&Criterion> =
            model.acceptance.iter().filter(|one| one.against_incumbent.is_some()).collect();
        let version = self.version(&model.name, number)?;
        let Some((report, _)) = version.validation.clone().filter(|_| !asked.is_empty()) else {
            return Ok(None);
        };
        let incumbent = self.state.registry().incumbent(&model.name, number).cloned();
        if stage != Stage::Validation && is_known(&version, incumbent.as_ref(), self.charter()?.digest()) {
            return Ok(None);
        }
        let figures = |other| (other, self.figures_of_incumbent(model, (&version, &report), other));
        let theirs = incumbent.as_ref().map(figures);
        let said = theirs.as_ref().map(|(other, figures)| {
            (other.version, figures.as_ref().map(|(figures, _)| figures).map_err(String::as_str))
        });
        let verdict = beside(&model.acceptance, &report.metrics, said);
        let of_criteria = |figures: &BTreeMap<String, f64>| -> BTreeMap<String, f64> {
            let keys = asked.iter().map(|one| one.key());
            keys.filter_map(|key| figures.get(&key).map(|value| (key, *value))).collect()
        };
        let artefact = version.registration.artefact;
        let mut inputs = BTreeMap::from([(format!("version {number}"), artefact)]);
        if let Some(data) = &version.registration.data {
            inputs.insert(format!("data {}", data.snapshot), data.snapshot_digest);
        }
        inputs.extend(
            incumbent.iter().map(|other| (format!("version {}", other.version), other.registration.artefact)),
        );
        Ok(Some(GateResult {
            gate: GateId::incumbent(),
            stage,
            artefact,
            charter: self.charter()?.digest(),
            verdict,
            figures: of_criteria(&report.metrics),
            inputs,
            output: None,
            archived: Vec::new(),
            incumbent: theirs.map(|(other, figures)| {
                let (figures, basis) = figures
                    .map_or((BTreeMap::new(), Basis::Unknown), |(all, basis)| (of_criteria(&all), basis));
                let (version, artefact) = (other.version, other.registration.artefact);
                Incumbent { version, artefact, figures, basis }
            }),
        }))
    }

    /// What the version that serves does on the rows on which another was measured, or why nobody knows.
    fn figures_of_incumbent(
        &mut self,
        model: &Model,
        (version, report): (&Version, &ValidationReport),
        other: &Version,
    ) -> Result<(BTreeMap<String, f64>, Basis), String> {
        let snapshot = report.snapshot.clone();
        if report.claimed_by_run.is_some() {
            let data = |of: &Version| of.registration.data.as_ref().map(|data| data.snapshot_digest);
            return match other.registration.run.is_some() && data(other) == data(version) {
                true => Ok((other.registration.claimed_metrics.clone(), Basis::Claimed { snapshot })),
                false => Err("the figures are claims of runs, and not about the same data".to_owned()),
            };
        }
        let failed = |error: Error| error.to_string();
        let automation = self.automation().map_err(failed)?;
        let loaded = self.load_version(&automation, model, other).map_err(failed)?;
        let purpose =
            format!("to compare {} {} with {}, which serves", model.name, version.version, other.version);
        let (figures, rows) = self.measured(model, loaded.as_ref(), &snapshot, purpose).map_err(failed)?;
        if rows != report.rows {
            return Err(format!("{rows} rows are held back now, and {} were then", report.rows));
        }
        Ok((figures, Basis::Measured { snapshot, rows }))
    }
}

/// Whether a version was compared with what serves since it was last validated, with an answer.
fn is_known(version: &Version, incumbent: Option<&Version>, charter: Digest) -> bool {
    let Some((result, evidence)) =
        version.gates.iter().rev().find(|(result, _)| result.gate == GateId::incumbent())
    else {
        return false;
    };
    let with = result.incumbent.as_ref().map(|with| (with.version, with.artefact));
    let serves = incumbent.map(|other| (other.version, other.registration.artefact));
    with == serves
        && result.charter == charter
        && result.artefact == version.registration.artefact
        && !matches!(result.verdict, Verdict::Unknown { .. })
        && version.validation.as_ref().is_some_and(|(_, validated)| evidence.index() > validated.index())
}
