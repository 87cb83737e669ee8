//! Experiments.

use super::Notebook;
use super::documents::Kept;
use mlflow::check;
use mlflow::entity::{ACTIVE, DELETED, Experiment, Pair, set};
use mlflow::search::{Filter, Kind, Order, Page, page};
use mlflow::{Code, Error};

impl Kept for Experiment {
    const COLLECTION: &'static str = "experiments";
    fn id(&self) -> &str {
        &self.experiment_id
    }
    fn parent(&self) -> &str {
        ""
    }
}

/// How many experiments if nobody says, and the most.
const PAGE: (usize, usize) = (1000, 50_000);
/// How often a number is tried that somebody else may take at the same moment.
const ATTEMPTS: u64 = 100;

/// Which of the deleted and others a search means: `ACTIVE_ONLY`, `DELETED_ONLY`, `ALL`.
pub(super) fn seen(view: Option<&str>, stage: &str) -> Result<bool, Error> {
    match view.unwrap_or("ACTIVE_ONLY") {
        "ACTIVE_ONLY" | "1" => Ok(stage == ACTIVE),
        "DELETED_ONLY" | "2" => Ok(stage == DELETED),
        "ALL" | "3" => Ok(true),
        other => {
            Err(Error::invalid(format!("`{other}` is not a view: expected ACTIVE_ONLY, DELETED_ONLY or ALL")))
        }
    }
}

fn missing(id: &str) -> Error {
    Error::absent(format!("there is no experiment with the id `{id}`"))
}

/// What is deleted may be looked at and restored, not changed.
fn active(experiment: &Experiment) -> Result<(), Error> {
    if experiment.lifecycle_stage == ACTIVE {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the experiment `{}` is deleted: restore it before it is changed",
        experiment.experiment_id
    )))
}

impl Notebook {
    /// Makes sure of the experiment `0`, which clients take for granted.
    ///
    /// # Errors
    /// If the notebook cannot be written.
    pub fn found(&self) -> Result<(), Error> {
        if self.find::<Experiment>("0")?.is_some() {
            return Ok(());
        }
        let now = self.now_ms();
        let default = Experiment {
            experiment_id: "0".to_owned(),
            name: "Default".to_owned(),
            artifact_location: "mlflow-artifacts:/0".to_owned(),
            lifecycle_stage: ACTIVE.to_owned(),
            creation_time: now,
            last_update_time: now,
            tags: Vec::new(),
        };
        match self.make(&default) {
            Err(error) if error.code != Code::ResourceConflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes an experiment; its artefacts are kept by the house, wherever the client wanted them.
    ///
    /// # Errors
    /// If the name is taken or no name.
    pub fn create_experiment(&self, name: &str, mut tags: Vec<Pair>) -> Result<Experiment, Error> {
        check::experiment_name(name)?;
        tags.iter_mut().try_for_each(check::tag)?;
        for _ in 0..ATTEMPTS {
            let all = self.all::<Experiment>("")?;
            if let Some(known) = all.iter().find(|known| known.name == name) {
                let state =
                    if known.lifecycle_stage == DELETED { ", and is deleted: restore it" } else { "" };
                return Err(Error::exists(format!("the experiment `{name}` exists already{state}")));
            }
            let next = all.iter().filter_map(|known| known.experiment_id.parse::<u64>().ok()).max();
            let id = next.map_or(0, |last| last + 1).to_string();
            let now = self.now_ms();
            let new = Experiment {
                artifact_location: format!("mlflow-artifacts:/{id}"),
                experiment_id: id,
                name: name.to_owned(),
                lifecycle_stage: ACTIVE.to_owned(),
                creation_time: now,
                last_update_time: now,
                tags: tags.clone(),
            };
            match self.make(&new) {
                Ok(()) => return Ok(new),
                Err(error) if error.code == Code::ResourceConflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Code::ResourceConflict, "others make experiments all the time: try again"))
    }

    /// An experiment by its id.
    ///
    /// # Errors
    /// If there is none.
    pub fn experiment(&self, id: &str) -> Result<Experiment, Error> {
        self.find(id)?.ok_or_else(|| missing(id))
    }

    /// An experiment by its name; an active one before a deleted one.
    ///
    /// # Errors
    /// If there is none.
    pub fn experiment_by_name(&self, name: &str) -> Result<Experiment, Error> {
        let mut named: Vec<Experiment> = self.all("")?;
        named.retain(|experiment: &Experiment| experiment.name == name);
        named.sort_by_key(|experiment| experiment.lifecycle_stage != ACTIVE);
        named
            .into_iter()
            .next()
            .ok_or_else(|| Error::absent(format!("there is no experiment named `{name}`")))
    }

    /// Renames it.
    ///
    /// # Errors
    /// If the name is taken, or it is deleted or not there.
    pub fn rename_experiment(&self, id: &str, name: &str) -> Result<(), Error> {
        check::experiment_name(name)?;
        if self.all::<Experiment>("")?.iter().any(|known| known.name == name && known.experiment_id != id) {
            return Err(Error::exists(format!("the experiment `{name}` exists already")));
        }
        self.change_experiment(id, |experiment| {
            active(experiment)?;
            name.clone_into(&mut experiment.name);
            Ok(())
        })
    }

    /// Deletes it and its runs, or restores them.
    ///
    /// # Errors
    /// If it is not there, or is so already.
    pub fn set_experiment_stage(&self, id: &str, stage: &str) -> Result<(), Error> {
        self.change_experiment(id, |experiment| {
            if experiment.lifecycle_stage == stage {
                return Err(Error::absent(format!("the experiment `{id}` is {stage} already")));
            }
            stage.clone_into(&mut experiment.lifecycle_stage);
            Ok(())
        })?;
        self.set_stage_of_runs(id, stage)
    }

    /// Sets a tag of it, or removes it.
    ///
    /// # Errors
    /// If the tag is too long or strange, or the experiment deleted or not there.
    pub fn tag_experiment(&self, id: &str, key: &str, value: Option<&str>) -> Result<(), Error> {
        let mut tag = Pair { key: key.to_owned(), value: value.unwrap_or_default().to_owned() };
        check::tag(&mut tag)?;
        self.change_experiment(id, |experiment| {
            active(experiment)?;
            let known = experiment.tags.len();
            if value.is_some() {
                set(&mut experiment.tags, tag.clone());
                return Ok(());
            }
            experiment.tags.retain(|tag| tag.key != key);
            if experiment.tags.len() < known {
                return Ok(());
            }
            Err(Error::absent(format!("the experiment `{id}` has no tag `{key}`")))
        })
    }

    /// Experiments that a search finds.
    ///
    /// # Errors
    /// Says what of the search is not understood.
    pub fn search_experiments(
        &self,
        (filter, order): (&str, &[String]),
        view: Option<&str>,
        (count, token): (Option<i64>, Option<&str>),
    ) -> Result<Page<Experiment>, Error> {
        let filter = Filter::parse(Kind::Experiments, filter)?;
        let order = Order::parse(Kind::Experiments, order, &["creation_time DESC", "experiment_id DESC"])?;
        let mut found = Vec::new();
        for experiment in self.all::<Experiment>("")? {
            if seen(view, &experiment.lifecycle_stage)? && filter.matches(&experiment) {
                found.push(experiment);
            }
        }
        found.sort_by(|a, b| order.compare(a, b));
        page(found, count, token, PAGE)
    }

    fn change_experiment(
        &self,
        id: &str,
        change: impl Fn(&mut Experiment) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let now = self.now_ms();
        self.change(
            id,
            || missing(id),
            |experiment: &mut Experiment| {
                change(experiment)?;
                experiment.last_update_time = now;
                Ok(Vec::new())
            },
        )
        .map(|_| ())
    }
}
