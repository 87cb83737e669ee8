//! A new version that a client registers: its files are frozen as they are, and if the charter names the model, what it
//! rests on goes on record: the run, its figures, its parameters, its commit, its data, and who had a hand in it.

use super::source::{Prepared, Source};
use super::{bounded, catalogue_entry, no_model};
use crate::core::NewEntry;
use crate::hands::{CodeState, hand};
use crate::lineage::{is_output, named_snapshots, said_name};
use crate::notebook::Notebook;
use crate::record::{Fact, Refused};
use crate::{Engine, Error};
use charter::model::Model;
use facts::{Actor, ModelVersionDocument, PersonId};
use guard::Action;
use ledger::Outcome;
use mlflow::catalogue::{Event, Files, NewVersion};
use mlflow::entity::{Pair, Run, value_of};
use registry::{Command, Environment, How, Registration, TrackedRun, TrainedOn, Trigger, VersionNumber};
use std::collections::{BTreeMap, BTreeSet};

/// What a client says of a new version.
#[derive(Debug, Clone, Default)]
pub struct NewModelVersion {
    /// The registered model.
    pub name: String,
    /// Where the files are: `mlflow-artifacts:/...`, `runs:/...`, `models:/...`.
    pub source: String,
    /// The run that made it.
    pub run_id: Option<String>,
    /// The logged model that it is.
    pub model_id: Option<String>,
    /// A link to the run.
    pub run_link: Option<String>,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// What it came with says about approval elsewhere: claims.
    pub document: Option<ModelVersionDocument>,
}

/// The most figures or parameters that go on record with a version.
const MAX_RECORDED: usize = 300;

impl Engine {
    /// Registers a version. Its number is the next of the model.
    ///
    /// # Errors
    /// If there is no such model, run or source, or something is too long or strange.
    pub fn create_version(
        &mut self,
        actor: &Actor,
        notebook: &Notebook,
        prepared: Prepared,
    ) -> Result<u32, Error> {
        let Prepared { new, found } = prepared;
        bounded(&new.description, &new.tags)?;
        if self.state.catalogue().model(&new.name).is_none() {
            return Err(no_model(&new.name));
        }
        self.authorise_registry(actor, Action::RegistryWrite, &new.name)?;
        // What the notebook says is told to nobody who may not register here.
        let found = found?;
        let files = self.freeze(found.source)?;
        let made = NewVersion {
            source: new.source.clone(),
            run_id: new.run_id.clone(),
            model_id: new.model_id.clone(),
            run_link: new.run_link.clone(),
            description: new.description.clone(),
            tags: new.tags.clone(),
            files: files.clone(),
        };
        match self.chartered(&new.name) {
            None => {
                let version = self.registered_model(&new.name)?.next;
                let event = Event::VersionCreated { name: new.name.clone(), version, new: Box::new(made) };
                self.catalogue_event(actor, event)?;
                Ok(version)
            }
            Some(model) => self.submit((actor, notebook), &model, (found.run, files, new.document), made),
        }
    }

    /// Registers a version of a model of the charter.
    fn submit(
        &mut self,
        (actor, notebook): (&Actor, &Notebook),
        model: &Model,
        (run, files, document): (Option<(PersonId, Run)>, Option<Files>, Option<ModelVersionDocument>),
        made: NewVersion,
    ) -> Result<u32, Error> {
        let name = model.name.to_string();
        let files = files.ok_or_else(|| {
            Error::input(format!(
                "`{}` is not kept by this house, so that a version of `{name}` could not be proved to be what was approved",
                made.source
            ))
            .with_help("log the model with the tracking URI of this house")
        })?;
        let older = self.registered_model(&name)?.next - 1;
        let governed = self.state.registry().model(&model.name).map_or(0, |known| known.versions.len());
        if u32::try_from(governed).ok() != Some(older) {
            let why = Refused {
                reason: format!("`{name}` has versions from before the charter named it"),
                help: Some(
                    "take them out of the way: rename a copy of them, delete these, and register again"
                        .to_owned(),
                ),
                policies: Vec::new(),
            };
            return Err(self.refuse(
                actor,
                Action::RegistryWrite.as_str(),
                &format!("registered-models/{name}"),
                why,
            ));
        }
        let registration =
            Registration { document, ..self.registration((actor, notebook), model, run, &files)? };
        let event = self.decide(actor, &Command::Register(Box::new(registration)), model)?;
        let registry::Event::Registered { version: VersionNumber(version), .. } = event else {
            return Err(Error::damaged("the registry answered a registration with something else"));
        };
        let (governed, shown) = (format!("model/{name}"), format!("registered-models/{name}"));
        let registered = NewEntry {
            actor,
            action: Action::ModelRegister.as_str(),
            resource: &governed,
            outcome: Outcome::Done,
            fact: Fact::Registry { event: Box::new(event) },
        };
        let described = Event::VersionCreated { name, version, new: Box::new(made) };
        self.record(vec![registered, catalogue_entry(actor, &shown, described)])?;
        Ok(version)
    }

    fn registration(
        &mut self,
        (actor, notebook): (&Actor, &Notebook),
        model: &Model,
        run: Option<(PersonId, Run)>,
        files: &Files,
    ) -> Result<Registration, Error> {
        let mut hands = BTreeSet::from([hand(&actor.id, How::Submitted)]);
        let (mut data, mut environment) = (None, Environment::default());
        let (mut code, mut parameters, mut figures, mut tracked) =
            (CodeState { git_commit: None, dirty: false }, BTreeMap::new(), BTreeMap::new(), None);
        if let Some((by, run)) = run {
            hands.insert(hand(&by, How::Trained));
            data = self.trained_on(model, &by, &run);
            code = code_of(&run);
            parameters =
                run.data.params.iter().take(MAX_RECORDED).map(|p| (p.key.clone(), p.value.clone())).collect();
            let finite = run.data.metrics.iter().filter(|metric| metric.value.is_finite());
            figures = finite.take(MAX_RECORDED).map(|metric| (metric.key.clone(), metric.value)).collect();
            environment = self.logged_environment(notebook, &run, files)?;
            tracked = Some(tracked_run(by, &run));
        }
        if let Some(data) = &data {
            hands.extend(self.data_hands(&model.name, &data.snapshot)?);
        }
        let (code, committers) = self.code_hands(model, code)?;
        hands.extend(committers);
        Ok(Registration {
            model: model.name.clone(),
            artefact: files.digest,
            object: files.object.clone(),
            size_bytes: files.size_bytes,
            files: Some(files.count),
            data,
            run: tracked,
            code,
            environment,
            hyperparameters: parameters,
            claimed_metrics: figures,
            document: None,
            involved: hands.into_iter().collect(),
            trigger: Trigger::Person,
        })
    }

    /// The snapshot that a run names as its input, if it is one of the model's data and the record shows that whoever
    /// ran it had read it. A name alone is only a claim.
    fn trained_on(&self, model: &Model, by: &PersonId, run: &Run) -> Option<TrainedOn> {
        run.inputs.dataset_inputs.iter().filter(|input| !is_output(input)).find_map(|input| {
            let named = named_snapshots(input);
            let mut known = named.iter().filter_map(|name| self.state.snapshot(name));
            // An input that names two of them says nothing.
            let (Some(known), None) = (known.next(), known.next()) else { return None };
            let snapshot = &known.what;
            let usable =
                snapshot.dataset == model.training.dataset && self.state.has_read(&snapshot.name, by);
            usable.then(|| TrainedOn {
                dataset: snapshot.dataset.clone(),
                snapshot: snapshot.name.clone(),
                snapshot_digest: snapshot.digest,
            })
        })
    }

    /// The files of a source, frozen; none if the source is somewhere else.
    fn freeze(&self, source: Source) -> Result<Option<Files>, Error> {
        match source {
            Source::Elsewhere => Ok(None),
            Source::Version { name, number } => {
                Ok(self.registered_version(&name, number)?.1.made.files.clone())
            }
            Source::Folder(kept) => self.keep_manifest(kept).map(Some),
        }
    }
}

fn code_of(run: &Run) -> CodeState {
    let tag = |key: &str| value_of(&run.data.tags, key);
    let commit = tag("mlflow.source.git.commit")
        .filter(|text| (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let dirty = tag("mlflow.source.git.dirty").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    CodeState { git_commit: commit.map(str::to_owned), dirty }
}

fn tracked_run(by: PersonId, run: &Run) -> TrackedRun {
    let inputs = run.inputs.dataset_inputs.iter().filter(|input| !is_output(input)).take(MAX_RECORDED);
    TrackedRun {
        run_id: run.info.run_id.clone(),
        experiment_id: run.info.experiment_id.clone(),
        by,
        inputs: inputs.map(|input| format!("{}@{}", said_name(input), input.dataset.digest)).collect(),
    }
}
