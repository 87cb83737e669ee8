//! Runs.

use super::documents::Kept;
use super::experiments::seen;
use super::{Notebook, outside};
use facts::{Actor, PersonId};
use mlflow::check;
use mlflow::entity::{
    ACTIVE, DatasetInput, Metric, ModelInput, ModelOutput, Owned, Pair, Run, RunData, RunInfo, RunInputs,
    RunOutputs, set,
};
use mlflow::search::{Filter, Kind, Order, Page, page};
use mlflow::{Code, Error};
use world::Change;

impl Kept for Owned<Run> {
    const COLLECTION: &'static str = "runs";
    fn id(&self) -> &str {
        &self.what.info.run_id
    }
    fn parent(&self) -> &str {
        &self.what.info.experiment_id
    }
}

/// How many runs if nobody says, and the most.
const PAGE: (usize, usize) = (1000, 50_000);
/// How many figures of a history if nobody says, and the most.
const HISTORY: (usize, usize) = (25_000, 25_000);
/// The most of each that a run holds: it is one document.
const MAX_KEYS: usize = 20_000;
const STATUSES: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

/// What a new run is.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// The experiment.
    pub experiment_id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The user, as the client says.
    pub user_id: String,
    /// Milliseconds since 1970.
    pub start_time: Option<i64>,
    /// Its tags.
    pub tags: Vec<Pair>,
}

/// What changes of a run.
#[derive(Debug, Clone, Default)]
pub struct RunPatch {
    /// Its status.
    pub status: Option<String>,
    /// When it ended.
    pub end_time: Option<i64>,
    /// Its name.
    pub name: Option<String>,
}

/// What a run logs at once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Figures.
    pub metrics: Vec<Metric>,
    /// Parameters.
    pub params: Vec<Pair>,
    /// Tags.
    pub tags: Vec<Pair>,
}

fn missing(id: &str) -> Error {
    Error::absent(format!("there is no run with the id `{id}`"))
}

fn status(text: &str) -> Result<String, Error> {
    // Older clients send the number of the word.
    let word = match text {
        "1" => "RUNNING",
        "2" => "SCHEDULED",
        "3" => "FINISHED",
        "4" => "FAILED",
        "5" => "KILLED",
        word => word,
    };
    if STATUSES.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(Error::invalid(format!("`{word}` is not the status of a run: expected {}", STATUSES.join(", "))))
}

impl Notebook {
    /// Begins a run.
    ///
    /// # Errors
    /// If the experiment is not there or deleted, or a tag is too long or strange.
    pub fn create_run(&self, by: &Actor, mut new: NewRun) -> Result<Run, Error> {
        new.tags.iter_mut().try_for_each(check::tag)?;
        let experiment = self.experiment(&new.experiment_id)?;
        if experiment.lifecycle_stage != ACTIVE {
            return Err(Error::invalid(format!(
                "the experiment `{}` is deleted: restore it before runs are made in it",
                new.experiment_id
            )));
        }
        let id = self.fresh_id()?;
        let mut tags = new.tags;
        let tagged = tags.iter().find(|tag| tag.key == "mlflow.runName").map(|tag| tag.value.clone());
        let name = new.name.filter(|name| !name.is_empty()).or(tagged);
        let name = name.unwrap_or_else(|| format!("run-{}", id.get(..8).unwrap_or_default()));
        set(&mut tags, Pair { key: "mlflow.runName".to_owned(), value: name.clone() });
        let info = RunInfo {
            artifact_uri: format!("{}/{id}/artifacts", experiment.artifact_location),
            run_id: id.clone(),
            run_uuid: id,
            run_name: name,
            experiment_id: experiment.experiment_id,
            user_id: new.user_id,
            status: "RUNNING".to_owned(),
            start_time: new.start_time.unwrap_or_else(|| self.now_ms()),
            end_time: None,
            lifecycle_stage: ACTIVE.to_owned(),
        };
        let run = Run {
            info,
            data: RunData { tags, ..RunData::default() },
            inputs: RunInputs::default(),
            outputs: RunOutputs::default(),
        };
        let owned = Owned { by: by.id.clone(), what: run };
        self.make(&owned)?;
        Ok(owned.what)
    }

    /// A run.
    ///
    /// # Errors
    /// If there is none.
    pub fn run(&self, id: &str) -> Result<Run, Error> {
        Ok(self.owned_run(id)?.1)
    }

    /// A run, and who made it.
    pub(crate) fn owned_run(&self, id: &str) -> Result<(PersonId, Run), Error> {
        let owned: Owned<Run> = self.find(id)?.ok_or_else(|| missing(id))?;
        Ok((owned.by, owned.what))
    }

    /// Changes what a run is.
    ///
    /// # Errors
    /// If it is not there or deleted, or the status no status.
    pub fn update_run(&self, id: &str, patch: &RunPatch) -> Result<RunInfo, Error> {
        let status = patch.status.as_deref().map(status).transpose()?;
        self.change_run(id, |run| {
            if let Some(status) = &status {
                run.info.status.clone_from(status);
            }
            run.info.end_time = patch.end_time.or(run.info.end_time);
            if let Some(name) = patch.name.as_ref().filter(|name| !name.is_empty()) {
                run.info.run_name.clone_from(name);
                set(&mut run.data.tags, Pair { key: "mlflow.runName".to_owned(), value: name.clone() });
            }
            Ok(Vec::new())
        })
        .map(|run| run.info)
    }

    /// Deletes a run, or restores it.
    ///
    /// # Errors
    /// If it is not there.
    pub fn set_run_stage(&self, id: &str, stage: &str) -> Result<(), Error> {
        let change = |owned: &mut Owned<Run>| {
            stage.clone_into(&mut owned.what.info.lifecycle_stage);
            Ok(Vec::new())
        };
        self.change(id, || missing(id), change).map(|_| ())
    }

    pub(super) fn set_stage_of_runs(&self, experiment: &str, stage: &str) -> Result<(), Error> {
        let runs = self.all::<Owned<Run>>(experiment)?;
        runs.iter().try_for_each(|owned| self.set_run_stage(&owned.what.info.run_id, stage))
    }

    /// Logs figures, parameters and tags, all or none. A parameter is set once.
    ///
    /// # Errors
    /// If the run is not there or deleted, if anything is too long or strange, or a parameter has another value.
    pub fn log(&self, id: &str, batch: &mut Batch) -> Result<(), Error> {
        check::batch(&batch.metrics, &mut batch.params, &mut batch.tags)?;
        let batch = &*batch;
        self.change_run(id, |run| {
            for param in &batch.params {
                match run.data.params.iter().find(|known| known.key == param.key) {
                    None => run.data.params.push(param.clone()),
                    Some(known) if known.value == param.value => {}
                    Some(known) => {
                        return Err(Error::invalid(format!(
                            "the parameter `{}` of the run `{id}` is `{}` already: a parameter is set once",
                            known.key, known.value
                        )));
                    }
                }
            }
            for tag in &batch.tags {
                set(&mut run.data.tags, tag.clone());
                if tag.key == "mlflow.runName" {
                    run.info.run_name.clone_from(&tag.value);
                }
            }
            for metric in &batch.metrics {
                keep_latest(&mut run.data.metrics, metric);
            }
            let data = &run.data;
            if [data.params.len(), data.tags.len(), data.metrics.len()].iter().any(|count| *count > MAX_KEYS)
            {
                return Err(Error::invalid(format!(
                    "the run `{id}` has more than {MAX_KEYS} parameters, tags or metrics"
                )));
            }
            history(id, &batch.metrics)
        })?;
        self.keep_figures(&batch.metrics)
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// If the run is not there or deleted, or has no such tag.
    pub fn untag_run(&self, id: &str, key: &str) -> Result<(), Error> {
        self.change_run(id, |run| {
            let known = run.data.tags.len();
            run.data.tags.retain(|tag| tag.key != key);
            if run.data.tags.len() == known {
                return Err(Error::absent(format!("the run `{id}` has no tag `{key}`")));
            }
            Ok(Vec::new())
        })
        .map(|_| ())
    }

    /// Notes what a run read.
    ///
    /// # Errors
    /// If the run is not there or deleted.
    pub fn log_inputs(&self, id: &str, data: &[DatasetInput], models: &[ModelInput]) -> Result<(), Error> {
        self.change_run(id, |run| {
            for input in data {
                let same = |known: &DatasetInput| {
                    known.dataset.name == input.dataset.name && known.dataset.digest == input.dataset.digest
                };
                if !run.inputs.dataset_inputs.iter().any(same) {
                    run.inputs.dataset_inputs.push(input.clone());
                }
            }
            for input in models {
                if !run.inputs.model_inputs.contains(input) {
                    run.inputs.model_inputs.push(input.clone());
                }
            }
            bounded(id, run)
        })
        .map(|_| ())
    }

    /// Notes what a run made.
    ///
    /// # Errors
    /// If the run is not there or deleted.
    pub fn log_outputs(&self, id: &str, models: &[ModelOutput]) -> Result<(), Error> {
        self.change_run(id, |run| {
            for output in models {
                if !run.outputs.model_outputs.contains(output) {
                    run.outputs.model_outputs.push(output.clone());
                }
            }
            bounded(id, run)
        })
        .map(|_| ())
    }

    /// All figures of a metric, in the order in which they came.
    ///
    /// # Errors
    /// If the run is not there.
    pub fn history(
        &self,
        id: &str,
        key: &str,
        (count, token): (Option<i64>, Option<&str>),
    ) -> Result<Page<Metric>, Error> {
        self.run(id)?;
        let points = self.store.points(id, key, 0, usize::MAX >> 1).map_err(outside)?;
        let damaged = |error| Error::new(Code::InternalError, format!("a figure cannot be read: {error}"));
        let metrics = points.iter().map(|point| serde_json::from_str(point).map_err(damaged));
        page(metrics.collect::<Result<Vec<Metric>, _>>()?, count, token, HISTORY)
    }

    /// Runs that a search finds.
    ///
    /// # Errors
    /// Says what of the search is not understood.
    pub fn search_runs(
        &self,
        experiments: &[String],
        (filter, order): (&str, &[String]),
        view: Option<&str>,
        (count, token): (Option<i64>, Option<&str>),
    ) -> Result<Page<Run>, Error> {
        let filter = Filter::parse(Kind::Runs, filter)?;
        let order = Order::parse(Kind::Runs, order, &["start_time DESC", "run_id ASC"])?;
        let mut found = Vec::new();
        for experiment in experiments {
            for owned in self.all::<Owned<Run>>(experiment)? {
                if seen(view, &owned.what.info.lifecycle_stage)? && filter.matches(&owned.what) {
                    found.push(owned.what);
                }
            }
        }
        found.sort_by(|a, b| order.compare(a, b));
        page(found, count, token, PAGE)
    }

    /// Changes a run that is not deleted.
    fn change_run(
        &self,
        id: &str,
        change: impl Fn(&mut Run) -> Result<Vec<Change>, Error>,
    ) -> Result<Run, Error> {
        let guarded = |owned: &mut Owned<Run>| {
            if owned.what.info.lifecycle_stage != ACTIVE {
                return Err(Error::invalid(format!(
                    "the run `{id}` is deleted: restore it before it is changed"
                )));
            }
            change(&mut owned.what)
        };
        self.change(id, || missing(id), guarded).map(|owned: Owned<Run>| owned.what)
    }
}

/// Each metric has one latest figure.
pub(super) fn keep_latest(metrics: &mut Vec<Metric>, new: &Metric) {
    match metrics.iter_mut().find(|known| known.key == new.key) {
        Some(known) if new.follows(known) => known.clone_from(new),
        Some(_) => {}
        None => metrics.push(new.clone()),
    }
}

fn history(id: &str, metrics: &[Metric]) -> Result<Vec<Change>, Error> {
    let write = |metric: &Metric| {
        serde_json::to_string(metric)
            .map(|text| (metric.key.clone(), text))
            .map_err(|error| Error::new(Code::InternalError, format!("cannot write a figure: {error}")))
    };
    let points = metrics.iter().map(write).collect::<Result<Vec<_>, _>>()?;
    Ok(if points.is_empty() { Vec::new() } else { vec![Change::Append { series: id.to_owned(), points }] })
}

fn bounded(id: &str, run: &Run) -> Result<Vec<Change>, Error> {
    let counts =
        [run.inputs.dataset_inputs.len(), run.inputs.model_inputs.len(), run.outputs.model_outputs.len()];
    if counts.iter().any(|count| *count > MAX_KEYS) {
        return Err(Error::invalid(format!("the run `{id}` has more than {MAX_KEYS} inputs or outputs")));
    }
    Ok(Vec::new())
}
