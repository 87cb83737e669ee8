//! A version trained again: the recorded command, on the recorded rows, with the recorded hyperparameters, at the recorded
//! commit. The same bytes prove everything; else the figures are compared, as far as the code is known.

use crate::record::{Compared, Fact, Reproduced, TrainingRun};
use crate::registering::lineage;
use crate::training::{ARTEFACT_FILE, Repeatable, check_finished, model_resource};
use crate::{Done, Engine, Error, Recorded};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, ModelName, Verdict};
use guard::Action;
use registry::{Version, VersionNumber};
use std::collections::{BTreeMap, BTreeSet};

/// A wish to have a version trained again.
#[derive(Debug, Clone)]
pub struct ReproduceRequest {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// How far a metric may be off, as a share of the earlier figure: 0.01 is one percent.
    pub tolerance: f64,
}

/// What code runs.
struct Code {
    /// The commit to go back to; none if what is there now is run.
    at_commit: Option<String>,
    /// Why it may be other code than then; none if it is the same.
    doubt: Option<String>,
}

impl Engine {
    /// Trains a version again and compares. That it is not the same is an answer, not an error.
    pub fn reproduce(
        &mut self,
        actor: &Actor,
        request: &ReproduceRequest,
    ) -> Result<Done<Reproduced>, Error> {
        let model = self.model(&request.model)?.clone();
        self.authorise(actor, Action::ModelReproduce, &model_resource(&model))?;
        let version = self.version(&model.name, request.version)?;
        let (run, of) = self.run_of(&version)?;
        let snapshot = self.snapshot(lineage(&version)?)?.clone();
        let code = self.code_of(&model, &version);
        let service = self.actor(&run.service)?;
        let how = Repeatable {
            command: &run.command,
            hyperparameters: &run.hyperparameters,
            at_commit: code.at_commit.as_deref(),
        };
        let finished = match self.run_training(&model, &service, &snapshot, &how) {
            Ok((finished, _)) => check_finished(&finished, &model, &run.command).map(|()| finished),
            Err(error) => Err(error),
        };
        let mut answer = Reproduced {
            model: model.name.clone(),
            version: request.version,
            run: of,
            at_commit: code.at_commit.clone(),
            artefact: version.registration.artefact,
            made: None,
            tolerance: request.tolerance,
            metrics: BTreeMap::new(),
            verdict: Verdict::Holds,
        };
        match finished {
            Err(error) => {
                answer.verdict = Verdict::Unknown { missing: format!("it cannot be trained again: {error}") }
            }
            Ok(mut finished) => {
                let made = finished.outputs.remove(ARTEFACT_FILE).unwrap_or_default();
                answer.made = Some(Digest::of(&made));
                answer.metrics = self.compared(&model, &version, &made, actor)?;
                answer.verdict = judged(&answer, code.doubt);
            }
        }
        let resource = self.version_resource(&model, request.version).name();
        let fact = Fact::Reproduced(Box::new(answer.clone()));
        let evidence = self.record(vec![Self::done(actor, Action::ModelReproduce, &resource, fact)])?;
        Ok(Done { answer, evidence })
    }

    /// The run that made a version: the last one before it was registered that fits it.
    fn run_of(&self, version: &Version) -> Result<(TrainingRun, EvidenceId), Error> {
        let registration = &version.registration;
        let fits = |run: &&Recorded<TrainingRun>| {
            run.what.model == registration.model
                && run.evidence.index() < version.registered_by.index()
                && run.what.hyperparameters == registration.hyperparameters
                && run.what.exit_code == Some(0)
                && registration
                    .data
                    .as_ref()
                    .is_some_and(|data| data.snapshot_digest == run.what.snapshot_digest)
        };
        let found = self.state.trainings().iter().rev().find(fits);
        found.map(|run| (run.what.clone(), run.evidence.clone())).ok_or_else(|| {
            Error::conflict(format!(
                "the house did not train version {} of `{}`, so how that was done is not on record",
                version.version, registration.model
            ))
            .with_help("versions of `wardmote model train` can be trained again")
        })
    }

    fn code_of(&self, model: &Model, version: &Version) -> Code {
        let then = &version.registration.code;
        let now = self.code_state(model);
        let unknown = |doubt: &str| Code { at_commit: None, doubt: Some(doubt.to_owned()) };
        match &then.git_commit {
            None => unknown("the code was in no Git repository then, so it may be other code now"),
            Some(_) if then.dirty => unknown("the code had changes then that are in no commit"),
            Some(commit) if now.git_commit.as_ref() == Some(commit) && !now.dirty => {
                Code { at_commit: None, doubt: None }
            }
            Some(commit) => Code { at_commit: Some(commit.clone()), doubt: None },
        }
    }

    /// The earlier figures of a version beside those of what was made now.
    fn compared(
        &mut self,
        model: &Model,
        version: &Version,
        made: &[u8],
        actor: &Actor,
    ) -> Result<BTreeMap<String, Compared>, Error> {
        let loaded = self
            .ports
            .runtime
            .load(made)
            .map_err(|error| Error::input(format!("what was made now cannot be loaded: {error}")))?;
        let purpose = format!(
            "to compare {} {} with what is made again, as {} asked",
            model.name, version.version, actor.id
        );
        let (now, _) = self.measured(model, loaded.as_ref(), lineage(version)?, purpose)?;
        let then = version.validation.as_ref().map(|(report, _)| report.metrics.clone()).unwrap_or_default();
        let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let both = |name: &String| Compared { then: then.get(name).copied(), now: now.get(name).copied() };
        Ok(names.into_iter().map(|name| (name.clone(), both(name))).collect())
    }
}

/// The same bytes hold, whatever is known of the code. Else the figures decide, if the code is the same.
fn judged(answer: &Reproduced, doubt: Option<String>) -> Verdict {
    if answer.made == Some(answer.artefact) {
        return Verdict::Holds;
    }
    let off: Vec<String> =
        answer.metrics.iter().filter_map(|(name, both)| apart(name, *both, answer.tolerance)).collect();
    let nothing = answer.metrics.values().all(|both| both.then.is_none());
    match (doubt, off.is_empty(), nothing) {
        (Some(doubt), ..) => Verdict::Unknown { missing: format!("other bytes were made, and {doubt}") },
        (None, _, true) => Verdict::Unknown {
            missing: "other bytes were made, and nothing was measured then; validate the version first"
                .to_owned(),
        },
        (None, true, _) => Verdict::Holds,
        (None, false, _) => Verdict::Broken { reason: off.join("; ") },
    }
}

/// How a metric is farther off than it may be, in a few words.
fn apart(name: &str, both: Compared, tolerance: f64) -> Option<String> {
    let then = both.then?;
    let Some(now) = both.now else {
        return Some(format!("{name} was {then:.6}, and cannot be measured now"));
    };
    ((now - then).abs() > tolerance * then.abs()).then(|| format!("{name} is {now:.6}, and was {then:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(made: &[u8], metrics: &[(&str, Option<f64>, Option<f64>)]) -> Reproduced {
        let compared =
            |(name, then, now): &(&str, _, _)| ((*name).to_owned(), Compared { then: *then, now: *now });
        Reproduced {
            model: "credit-scoring".parse().unwrap(),
            version: VersionNumber(1),
            run: EvidenceId::new(4, &Digest::of(b"run")),
            at_commit: None,
            artefact: Digest::of(b"artefact"),
            made: Some(Digest::of(made)),
            tolerance: 0.01,
            metrics: metrics.iter().map(compared).collect(),
            verdict: Verdict::Holds,
        }
    }

    #[test]
    fn bytes_prove_everything_figures_only_what_is_known() {
        let near = [("auc", Some(0.8), Some(0.801)), ("accuracy", None, Some(0.7))];
        let far = [("auc", Some(0.8), Some(0.7))];
        let gone = [("auc", Some(0.8), None)];
        let fresh = [("auc", None, Some(0.7))];
        let doubt = || Some("the code was in no Git repository then".to_owned());
        assert_eq!(judged(&answer(b"artefact", &far), doubt()), Verdict::Holds);
        assert_eq!(judged(&answer(b"other", &near), None), Verdict::Holds);
        assert!(matches!(judged(&answer(b"other", &near), doubt()), Verdict::Unknown { .. }));
        assert!(matches!(judged(&answer(b"other", &fresh), None), Verdict::Unknown { .. }));
        for (metrics, said) in [
            (&far[..], "auc is 0.700000, and was 0.800000"),
            (&gone[..], "auc was 0.800000, and cannot be measured now"),
        ] {
            assert_eq!(judged(&answer(b"other", metrics), None), Verdict::Broken { reason: said.to_owned() });
        }
    }
}
