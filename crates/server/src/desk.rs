//! What all calls share: the engine behind its lock, and the notebook beside it.

use crate::auth::{Login, same_name};
use crate::doors::{Doors, Shown};
use crate::failure::wire;
use engine::{Engine, Notebook};
use facts::Actor;
use guard::{Action, Resource};
use mlflow::entity::Experiment;
use mlflow::{Code, Error};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The engine and the notebook of one house.
pub struct Desk {
    engine: Arc<Mutex<Engine>>,
    notebook: Notebook,
    doors: Arc<Doors>,
    /// Held while programs at gates run: however many register at once, they are asked one after the other.
    programs: Mutex<()>,
}

impl Desk {
    /// The desk of a house.
    ///
    /// # Errors
    /// If the notebook cannot be opened.
    pub fn new(engine: Arc<Mutex<Engine>>, doors: Arc<Doors>) -> Result<Self, Error> {
        let notebook = lock(&engine)?.notebook();
        notebook.found()?;
        Ok(Self { engine, notebook, doors, programs: Mutex::new(()) })
    }

    /// The notebook.
    pub(crate) fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    /// The turn to have programs run.
    pub(crate) fn programs(&self) -> MutexGuard<'_, ()> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine, having taken in what others recorded since.
    pub(crate) fn engine(&self) -> Result<MutexGuard<'_, Engine>, Error> {
        let mut engine = lock(&self.engine)?;
        engine.refresh().map_err(wire)?;
        Ok(engine)
    }

    /// Who calls. May ask an issuer or STS, with the engine free meanwhile.
    pub(crate) fn sign_in(&self, login: &Login) -> Result<Actor, Error> {
        let unknown = |why: &dyn std::fmt::Display| Error::new(Code::Unauthenticated, why.to_string());
        let recognised = match &login.shown {
            Shown::Key(key) => {
                same_name(&login.user, key.holder())?;
                return self.engine()?.sign_in(key).map_err(|error| unknown(&error));
            }
            Shown::Token(token) => self.doors.token(token),
            Shown::Aws(token) => self.doors.aws(token),
        };
        let recognised = recognised.map_err(|why| unknown(&why))?;
        same_name(&login.user, recognised.id())?;
        self.engine()?.let_in(&recognised).map_err(|error| unknown(&error))
    }

    /// Asks the policies about an experiment; a refusal is recorded.
    pub(crate) fn allow(&self, actor: &Actor, action: Action, experiment: &Experiment) -> Result<(), Error> {
        let resource =
            Resource::Experiment { id: experiment.experiment_id.clone(), name: experiment.name.clone() };
        self.engine()?.may(actor, action, &resource).map_err(wire)
    }

    /// Asks the policies about an experiment by its id, and gives the experiment.
    pub(crate) fn allow_id(&self, actor: &Actor, action: Action, id: &str) -> Result<Experiment, Error> {
        let experiment = self.notebook.experiment(id)?;
        self.allow(actor, action, &experiment)?;
        Ok(experiment)
    }

    /// Asks the policies about the experiment of a run, and gives the run.
    pub(crate) fn allow_run(
        &self,
        actor: &Actor,
        action: Action,
        id: &str,
    ) -> Result<mlflow::entity::Run, Error> {
        let run = self.notebook.run(id)?;
        self.allow_id(actor, action, &run.info.experiment_id)?;
        Ok(run)
    }

    /// Asks the policies about what is not there yet.
    pub(crate) fn allow_new(&self, actor: &Actor, action: Action, name: &str) -> Result<(), Error> {
        let resource = Resource::Experiment { id: "new".to_owned(), name: name.to_owned() };
        self.engine()?.may(actor, action, &resource).map_err(wire)
    }
}

fn lock(engine: &Mutex<Engine>) -> Result<MutexGuard<'_, Engine>, Error> {
    engine
        .lock()
        .map_err(|_| Error::new(Code::InternalError, "the engine has stopped; start the server again"))
}
