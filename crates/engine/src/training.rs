//! Training: an ordinary program runs under the training role, sees only what that role may see, and what it leaves
//! behind becomes a candidate. The program's own metrics are kept as claims; validation measures again.

use crate::data::{ReadRequest, View};
use crate::environment::image_of;
use crate::hands::CodeState;
use crate::record::{Fact, Snapshot, TrainingRun};
use crate::registering::Candidate;
use crate::{Done, Engine, Error};
use charter::model::{Compensation, Model, Review};
use facts::{Actor, EvidenceId, ModelName, PersonId, RoleId, SnapshotName};
use guard::{Action, Resource};
use registry::Environment;
use serde::Serialize;
use std::collections::BTreeMap;
use world::{Finished, Program};

/// A wish for a training run.
pub struct TrainRequest {
    /// The model.
    pub model: ModelName,
    /// Hyperparameters that replace or add to the charter's.
    pub hyperparameters: BTreeMap<String, String>,
    /// The snapshot; the latest of the charter's training data set if absent.
    pub snapshot: Option<SnapshotName>,
    /// The alert that wants it, if it is not a person.
    pub cause: Option<EvidenceId>,
}

/// A training run that made a candidate.
#[derive(Debug, Clone, Serialize)]
pub struct Trained {
    /// The model.
    pub model: ModelName,
    /// The number that the candidate got.
    pub version: registry::VersionNumber,
    /// What it was trained on.
    pub snapshot: SnapshotName,
    /// Digest of the artefact.
    pub artefact: facts::Digest,
    /// The commit of the training code, if it is in Git.
    pub git_commit: Option<String>,
    /// Hyperparameters as used.
    pub hyperparameters: BTreeMap<String, String>,
    /// What the program says about itself.
    pub claimed_metrics: BTreeMap<String, f64>,
}

/// What makes a run the same run again, beside its data.
pub(crate) struct Repeatable<'a> {
    pub(crate) command: &'a [String],
    pub(crate) hyperparameters: &'a BTreeMap<String, String>,
    /// The commit of the code; none to take the code that is there.
    pub(crate) at_commit: Option<&'a str>,
}

/// The name of the file with the rows, as the program finds it.
const TRAINING_FILE: &str = "training.csv";
/// The artefact that a program must leave behind.
pub(crate) const ARTEFACT_FILE: &str = "model/model.onnx";
/// The numbers that a program may leave behind.
const METRICS_FILE: &str = "data/metrics.json";

impl Engine {
    /// Runs the training program and registers what it makes.
    pub fn train(&mut self, actor: &Actor, request: &TrainRequest) -> Result<Done<Trained>, Error> {
        let model = self.model(&request.model)?.clone();
        self.authorise(actor, Action::ModelTrain, &model_resource(&model))?;
        let service = self.actor(&model.training.service)?;
        let snapshot = self.training_snapshot(&model, request)?;
        let mut hyperparameters = model.training.hyperparameters.clone();
        hyperparameters.extend(request.hyperparameters.clone());
        let code = self.code_state(&model);
        // As it is before the program runs, which may change it.
        let lock_files = self.lock_files(&model);
        let how = Repeatable {
            command: &model.training.command,
            hyperparameters: &hyperparameters,
            at_commit: None,
        };
        let (finished, mut evidence) = self.run_training(&model, &service, &snapshot, &how)?;
        check_finished(&finished, &model, &model.training.command)?;
        let claimed_metrics = claimed(&finished)?;
        let registered = self.register(Candidate {
            model: &model,
            submitter: actor,
            service: &service,
            artefact: finished.outputs.get(ARTEFACT_FILE).cloned().unwrap_or_default(),
            snapshot: &snapshot,
            code,
            environment: Environment { lock_files, image: image_of(&finished)? },
            hyperparameters: hyperparameters.clone(),
            claimed_metrics: claimed_metrics.clone(),
            cause: request.cause.clone(),
        })?;
        evidence.extend(registered.evidence);
        let answer = Trained {
            model: model.name.clone(),
            version: registered.answer.version,
            snapshot: snapshot.name,
            artefact: registered.answer.artefact,
            git_commit: registered.answer.git_commit,
            hyperparameters,
            claimed_metrics,
        };
        Ok(Done { answer, evidence })
    }

    fn training_snapshot(&self, model: &Model, request: &TrainRequest) -> Result<Snapshot, Error> {
        let snapshot = match &request.snapshot {
            Some(name) => self.snapshot(name)?.clone(),
            None => self.latest_snapshot(&model.training.dataset)?,
        };
        if snapshot.dataset == model.training.dataset {
            return Ok(snapshot);
        }
        let text = format!(
            "`{}` is trained on `{}`, not on `{}`",
            model.name, model.training.dataset, snapshot.dataset
        );
        Err(Error::input(text).with_help("name a snapshot of that data set, or change the charter"))
    }

    /// Reads what training may see, runs the program under the service's identity, and records that it ran.
    pub(crate) fn run_training(
        &mut self,
        model: &Model,
        service: &Actor,
        snapshot: &Snapshot,
        how: &Repeatable<'_>,
    ) -> Result<(Finished, Vec<EvidenceId>), Error> {
        let read = ReadRequest {
            snapshot: snapshot.name.clone(),
            view: View::Training,
            validation_share: model.training.validation_share,
            purpose: format!("to train {}", model.name),
        };
        let table = self.read(service, &read)?.answer;
        let csv = table.to_csv().map_err(|error| Error::damaged(error.to_string()))?;
        let program = program(model, &self.ports.folder, how, csv)?;
        let started = self.now();
        let finished = self.ports.programs.run(&program)?;
        let run = TrainingRun {
            model: model.name.clone(),
            snapshot: snapshot.name.clone(),
            snapshot_digest: snapshot.digest,
            command: how.command.to_vec(),
            service: service.id.clone(),
            hyperparameters: how.hyperparameters.clone(),
            exit_code: finished.exit_code,
            duration_ms: u64::try_from(self.now().unix_ms() - started.unix_ms()).unwrap_or(0),
            output: failure_output(&finished),
        };
        let resource = model_resource(model).name();
        let evidence = self.record(vec![Self::done(
            service,
            Action::ModelTrain,
            &resource,
            Fact::TrainingRun(Box::new(run)),
        )])?;
        Ok((finished, evidence))
    }

    /// The model that the charter knows under this name.
    pub(crate) fn model(&self, name: &ModelName) -> Result<&Model, Error> {
        let charter = self.charter()?;
        charter.model(name).ok_or_else(|| {
            let known: Vec<_> =
                charter.charter().models.iter().map(|model| format!("`{}`", model.name)).collect();
            Error::not_found(format!("there is no model `{name}` in the charter"))
                .with_help(format!("models: {}", known.join(", ")))
        })
    }

    /// The service that acts for the house itself: validates, monitors, signs.
    pub(crate) fn automation(&self) -> Result<Actor, Error> {
        let charter = self.charter()?.charter();
        let service = charter
            .services
            .iter()
            .find(|service| service.roles.iter().any(|role| role.as_str() == "automation"));
        let id: PersonId = service.map(|service| service.id.clone()).ok_or_else(|| {
            Error::input("no service of the charter has the role `automation`")
                .with_help("add one: it validates, monitors and signs on behalf of the house")
        })?;
        self.actor(&id)
    }

    /// The commit of the training code and whether there are changes beside it. Not in Git, or no Git: nothing is known.
    pub(crate) fn code_state(&self, model: &Model) -> CodeState {
        let git = |arguments: &[&str]| self.git(model, arguments);
        let commit =
            git(&["rev-parse", "HEAD"]).map(|text| text.trim().to_owned()).filter(|text| is_commit(text));
        let dirty = git(&["status", "--porcelain", "--untracked-files=no", "."])
            .is_none_or(|text| !text.trim().is_empty());
        CodeState { dirty: commit.is_some() && dirty, git_commit: commit }
    }
}

/// The model as the policies see it.
pub(crate) fn model_resource(model: &Model) -> Resource {
    Resource::Model {
        name: model.name.clone(),
        approver_roles: model.approvals.iter().map(|approval| approval.role.clone()).collect(),
        reviewer_roles: reviewers(model),
        training_service: model.training.service.clone(),
    }
}

/// The roles that review anything of a model.
fn reviewers(model: &Model) -> Vec<RoleId> {
    let mut all: Vec<&Review> = model.break_glass.iter().map(|glass| &glass.review).collect();
    all.extend(model.rollback.iter().map(|rollback| &rollback.review));
    let instead = model.separation.iter().flat_map(|separation| &separation.compensating);
    all.extend(
        instead.filter_map(|one| if let Compensation::Review(review) = one { Some(review) } else { None }),
    );
    all.into_iter().map(|review| review.role.clone()).collect()
}

fn is_commit(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn program(
    model: &Model,
    folder: &std::path::Path,
    how: &Repeatable<'_>,
    csv: Vec<u8>,
) -> Result<Program, Error> {
    let hyperparameters =
        serde_json::to_string(how.hyperparameters).map_err(|error| Error::damaged(error.to_string()))?;
    Ok(Program {
        command: how.command.to_vec(),
        folder: folder.to_owned(),
        environment: BTreeMap::from([("SM_HPS".to_owned(), hyperparameters)]),
        inputs: BTreeMap::from([(TRAINING_FILE.to_owned(), csv)]),
        time_limit_seconds: model.training.time_limit_seconds,
        at_commit: how.at_commit.map(str::to_owned),
    })
}

fn failure_output(finished: &Finished) -> Option<String> {
    let failed = finished.exit_code != Some(0) || !finished.outputs.contains_key(ARTEFACT_FILE);
    // The record has little room and is for ever: the last lines say what went wrong.
    failed.then(|| {
        let lines: Vec<&str> = finished.output.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n").chars().take(4000).collect()
    })
}

pub(crate) fn check_finished(finished: &Finished, model: &Model, command: &[String]) -> Result<(), Error> {
    let command = command.join(" ");
    let last =
        finished.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing was printed");
    if finished.timed_out {
        let text = format!(
            "the training program `{command}` was stopped after {} s",
            model.training.time_limit_seconds
        );
        return Err(Error::input(text).with_help("raise `time_limit_seconds` in the charter"));
    }
    match finished.exit_code {
        Some(0) => {}
        Some(code) => {
            return Err(Error::input(format!(
                "the training program `{command}` failed with exit code {code}: {last}"
            )));
        }
        None => return Err(Error::input(format!("the training program `{command}` was killed: {last}"))),
    }
    if finished.outputs.contains_key(ARTEFACT_FILE) {
        return Ok(());
    }
    Err(Error::input(format!("the training program `{command}` left no `model.onnx`"))
        .with_help("it must write the model to `$SM_MODEL_DIR/model.onnx`"))
}

fn claimed(finished: &Finished) -> Result<BTreeMap<String, f64>, Error> {
    let Some(bytes) = finished.outputs.get(METRICS_FILE) else { return Ok(BTreeMap::new()) };
    serde_json::from_slice(bytes).map_err(|error| {
        Error::input(format!("the training program's `metrics.json` is not an object of numbers: {error}"))
            .with_help("write `{\"name\": number}` to `$SM_OUTPUT_DATA_DIR/metrics.json`, or nothing")
    })
}
