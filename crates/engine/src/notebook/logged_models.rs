//! Logged models: what a run made and nobody has registered yet.

use super::Notebook;
use super::documents::Kept;
use super::runs::keep_latest;
use facts::Actor;
use mlflow::Error;
use mlflow::check;
use mlflow::entity::{LoggedModel, LoggedModelData, LoggedModelInfo, Metric, Owned, Pair, set};
use mlflow::search::{Filter, Kind, Order, Page, page};

impl Kept for Owned<LoggedModel> {
    const COLLECTION: &'static str = "logged-models";
    fn id(&self) -> &str {
        &self.what.info.model_id
    }
    fn parent(&self) -> &str {
        &self.what.info.experiment_id
    }
}

/// How many if nobody says, and the most.
const PAGE: (usize, usize) = (100, 1000);
const STATUSES: [&str; 3] = ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"];

/// What a new logged model is.
#[derive(Debug, Clone, Default)]
pub struct NewLoggedModel {
    /// The experiment.
    pub experiment_id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What kind of model the client says it is.
    pub model_type: Option<String>,
    /// The run that makes it.
    pub source_run_id: Option<String>,
    /// Parameters.
    pub params: Vec<Pair>,
    /// Tags.
    pub tags: Vec<Pair>,
}

/// What changes of a logged model.
#[derive(Debug, Clone, Default)]
pub struct ModelPatch {
    /// Its status.
    pub status: Option<String>,
    /// Tags to set.
    pub tags: Vec<Pair>,
    /// A tag to remove.
    pub untag: Option<String>,
    /// Parameters to add.
    pub params: Vec<Pair>,
}

fn missing(id: &str) -> Error {
    Error::absent(format!("there is no logged model with the id `{id}`"))
}

fn status(text: &str) -> Result<String, Error> {
    let word = match text {
        "1" => "LOGGED_MODEL_PENDING",
        "2" => "LOGGED_MODEL_READY",
        "3" => "LOGGED_MODEL_UPLOAD_FAILED",
        word => word,
    };
    if STATUSES.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(Error::invalid(format!(
        "`{word}` is not the status of a logged model: expected {}",
        STATUSES.join(", ")
    )))
}

impl Notebook {
    /// Makes a logged model, whose files come next.
    ///
    /// # Errors
    /// If the experiment or the run is not there, or something is too long or strange.
    pub fn create_logged_model(&self, by: &Actor, mut new: NewLoggedModel) -> Result<LoggedModel, Error> {
        new.tags.iter_mut().try_for_each(check::tag)?;
        new.params.iter_mut().try_for_each(check::param)?;
        let experiment = self.experiment(&new.experiment_id)?;
        if let Some(run) = &new.source_run_id {
            self.run(run)?;
        }
        let id = format!("m-{}", self.fresh_id()?);
        let name = new.name.filter(|name| !name.is_empty());
        let now = self.now_ms();
        let info = LoggedModelInfo {
            name: name.unwrap_or_else(|| format!("model-{}", id.get(2..10).unwrap_or_default())),
            artifact_uri: format!("{}/models/{id}/artifacts", experiment.artifact_location),
            model_id: id,
            experiment_id: experiment.experiment_id,
            creation_timestamp_ms: now,
            last_updated_timestamp_ms: now,
            status: "LOGGED_MODEL_PENDING".to_owned(),
            model_type: new.model_type,
            source_run_id: new.source_run_id,
            tags: new.tags,
        };
        let data = LoggedModelData { params: new.params, metrics: Vec::new() };
        let owned = Owned { by: by.id.clone(), what: LoggedModel { info, data } };
        self.make(&owned)?;
        Ok(owned.what)
    }

    /// A logged model.
    ///
    /// # Errors
    /// If there is none.
    pub fn logged_model(&self, id: &str) -> Result<LoggedModel, Error> {
        let owned: Owned<LoggedModel> = self.find(id)?.ok_or_else(|| missing(id))?;
        Ok(owned.what)
    }

    /// Changes a logged model.
    ///
    /// # Errors
    /// If it is not there, or something is too long or strange.
    pub fn change_logged_model(&self, id: &str, mut patch: ModelPatch) -> Result<LoggedModel, Error> {
        patch.tags.iter_mut().try_for_each(check::tag)?;
        patch.params.iter_mut().try_for_each(check::param)?;
        let status = patch.status.as_deref().map(status).transpose()?;
        let now = self.now_ms();
        let change = |owned: &mut Owned<LoggedModel>| {
            let model = &mut owned.what;
            if let Some(status) = &status {
                model.info.status.clone_from(status);
            }
            for tag in &patch.tags {
                set(&mut model.info.tags, tag.clone());
            }
            for param in &patch.params {
                set(&mut model.data.params, param.clone());
            }
            if let Some(key) = &patch.untag {
                let known = model.info.tags.len();
                model.info.tags.retain(|tag| tag.key != *key);
                if model.info.tags.len() == known {
                    return Err(Error::absent(format!("the logged model `{id}` has no tag `{key}`")));
                }
            }
            model.info.last_updated_timestamp_ms = now;
            Ok(Vec::new())
        };
        self.change(id, || missing(id), change).map(|owned: Owned<LoggedModel>| owned.what)
    }

    /// Forgets a logged model; versions that were made of it keep their files.
    ///
    /// # Errors
    /// If it is not there.
    pub fn delete_logged_model(&self, id: &str) -> Result<(), Error> {
        self.logged_model(id)?;
        let gone = world::Change::Remove { collection: Owned::<LoggedModel>::COLLECTION, id: id.to_owned() };
        self.store.write(&[gone]).map_err(super::outside)
    }

    /// Figures that a run logged for models belong to these models too.
    pub(super) fn keep_figures(&self, metrics: &[Metric]) -> Result<(), Error> {
        let mut models: Vec<&str> = metrics.iter().filter_map(|metric| metric.model_id.as_deref()).collect();
        models.sort_unstable();
        models.dedup();
        for id in models {
            let change = |owned: &mut Owned<LoggedModel>| {
                for metric in metrics.iter().filter(|metric| metric.model_id.as_deref() == Some(id)) {
                    keep_latest(&mut owned.what.data.metrics, metric);
                }
                Ok(Vec::new())
            };
            self.change(id, || missing(id), change)?;
        }
        Ok(())
    }

    /// Logged models that a search finds.
    ///
    /// # Errors
    /// Says what of the search is not understood.
    pub fn search_logged_models(
        &self,
        experiments: &[String],
        (filter, order): (&str, &[String]),
        (count, token): (Option<i64>, Option<&str>),
    ) -> Result<Page<LoggedModel>, Error> {
        let filter = Filter::parse(Kind::LoggedModels, filter)?;
        let order = Order::parse(Kind::LoggedModels, order, &["creation_timestamp DESC", "model_id ASC"])?;
        let mut found = Vec::new();
        for experiment in experiments {
            found.extend(self.all::<Owned<LoggedModel>>(experiment)?.into_iter().map(|owned| owned.what));
        }
        found.retain(|model| filter.matches(model));
        found.sort_by(|a, b| order.compare(a, b));
        page(found, count, token, PAGE)
    }
}
