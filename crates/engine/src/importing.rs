//! Versions that were made elsewhere: their files are sealed as those of a run of whoever imports them, and registered as
//! any other version. What came with them are claims: figures, parameters, commits and data of another place.

use crate::artefacts::{PART_BYTES, Sealing};
use crate::catalogue::NewModelVersion;
use crate::notebook::{Batch, NewRun, RunPatch, checked_path};
use crate::{Engine, Error};
use facts::{Actor, ModelName, ModelVersionDocument};
use guard::{Action, Resource};
use mlflow::Code;
use mlflow::entity::{DatasetInput, Metric, Pair};
use serde::Serialize;

/// The experiment that holds the runs of imports.
const EXPERIMENT: &str = "Imported versions";
/// The most files of one import.
const MAX_FILES: u32 = 10_000;
/// The most bytes of one import.
const MAX_BYTES: u64 = 1 << 37;

/// What is said of a version that is imported.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// Where it is from: a folder, or the address of a version.
    pub origin: String,
    /// Its figures there.
    pub metrics: Vec<Metric>,
    /// Its parameters there.
    pub params: Vec<Pair>,
    /// Tags of its run there that say something about code and environment.
    pub tags: Vec<Pair>,
    /// Data that its run there names.
    pub inputs: Vec<DatasetInput>,
    /// What is said of its approval there; it approves nothing here.
    pub document: Option<ModelVersionDocument>,
}

/// An import that has begun.
#[derive(Debug)]
pub struct Import {
    model: ModelName,
    run: String,
    /// Where its files are: `3/RUN/artifacts/model`.
    root: String,
    files: u32,
    bytes: u64,
    document: Option<ModelVersionDocument>,
}

/// A file that is being taken in.
pub struct Incoming {
    path: String,
    sealing: Sealing,
    part: Vec<u8>,
    room: u64,
}

/// A version that was imported.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// The model.
    pub model: ModelName,
    /// Its number here.
    pub version: u32,
    /// How many files.
    pub files: u32,
    /// Their size.
    pub bytes: u64,
    /// The run that holds what came with it.
    pub run: String,
}

impl Engine {
    /// Begins an import: asks the policies, and makes the run that holds the files.
    ///
    /// # Errors
    /// If the charter has no such model, or the policies refuse.
    pub fn begin_import(
        &mut self,
        actor: &Actor,
        model: &ModelName,
        foreign: Foreign,
    ) -> Result<Import, Error> {
        self.model(model)?;
        let name = model.as_str();
        self.may(
            actor,
            Action::RegistryWrite,
            &Resource::RegisteredModel { name: name.to_owned(), chartered: true },
        )?;
        let notebook = self.notebook();
        // The first experiment is that of clients that name none.
        notebook.found()?;
        let experiment = match notebook.experiment_by_name(EXPERIMENT) {
            Ok(known) => known,
            Err(error) if error.code == Code::ResourceDoesNotExist => {
                let new = Resource::Experiment { id: "new".to_owned(), name: EXPERIMENT.to_owned() };
                self.may(actor, Action::TrackingWrite, &new)?;
                notebook.create_experiment(EXPERIMENT, Vec::new())?
            }
            Err(error) => return Err(error.into()),
        };
        let id = experiment.experiment_id;
        let resource = Resource::Experiment { id: id.clone(), name: EXPERIMENT.to_owned() };
        self.may(actor, Action::TrackingWrite, &resource)?;
        if self.state().catalogue().model(name).is_none() {
            self.create_registered_model(actor, name, (String::new(), Vec::new()))?;
        }
        let mut tags = foreign.tags;
        tags.push(Pair { key: "wardmote.imported.from".to_owned(), value: foreign.origin });
        let new = NewRun {
            experiment_id: id.clone(),
            name: Some(format!("import of {name}")),
            user_id: actor.id.to_string(),
            start_time: None,
            tags,
        };
        let run = notebook.create_run(actor, new)?.info.run_id;
        let mut batch = Batch { metrics: foreign.metrics, params: foreign.params, tags: Vec::new() };
        notebook.log(&run, &mut batch)?;
        notebook.log_inputs(&run, &foreign.inputs, &[])?;
        let root = format!("{id}/{run}/artifacts/model");
        Ok(Import { model: model.clone(), run, root, files: 0, bytes: 0, document: foreign.document })
    }

    /// Begins a file at a path below the version's folder.
    ///
    /// # Errors
    /// If the path is none, there are too many files, or the key cannot be used.
    pub fn begin_import_file(&mut self, import: &mut Import, path: &str) -> Result<Incoming, Error> {
        import.files += 1;
        if import.files > MAX_FILES {
            return Err(Error::input(format!("a version has at most {MAX_FILES} files")));
        }
        let path = checked_path(&format!("{}/{path}", import.root))?;
        let room = MAX_BYTES.saturating_sub(import.bytes);
        Ok(Incoming { path, sealing: self.begin_file()?, part: Vec::new(), room })
    }

    /// Keeps a file that has come whole.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn end_import_file(&mut self, import: &mut Import, file: Incoming) -> Result<(), Error> {
        let Incoming { path, mut sealing, part, .. } = file;
        if !part.is_empty() {
            sealing.part(&part)?;
        }
        let record = sealing.finish()?;
        import.bytes += record.size_bytes;
        Ok(self.notebook().keep_file(&path, &record)?)
    }

    /// Registers the version; its files are frozen with that.
    ///
    /// # Errors
    /// If there are no files, or it cannot be registered.
    pub fn end_import(&mut self, actor: &Actor, import: &Import) -> Result<Imported, Error> {
        if import.files == 0 {
            return Err(Error::input("there are no files, so there is nothing to import"));
        }
        self.end_run(import, "FINISHED")?;
        let new = NewModelVersion {
            name: import.model.to_string(),
            source: format!("mlflow-artifacts:/{}", import.root),
            run_id: Some(import.run.clone()),
            document: import.document.clone(),
            ..NewModelVersion::default()
        };
        let notebook = self.notebook();
        let version = self.create_version(actor, &notebook, notebook.prepare(new))?;
        if let Some(asking) = self.asking_at_registration(import.model.as_str(), version)? {
            self.answered_at_registration(actor, asking.ask())?;
        }
        let Import { model, run, files, bytes, .. } = import;
        Ok(Imported { model: model.clone(), version, files: *files, bytes: *bytes, run: run.clone() })
    }

    /// Forgets the files of an import that broke off; its run says that it failed.
    ///
    /// # Errors
    /// If the notebook cannot be written.
    pub fn abandon_import(&self, import: &Import) -> Result<(), Error> {
        self.end_run(import, "FAILED")?;
        Ok(self.notebook().forget_files(&import.root)?)
    }

    fn end_run(&self, import: &Import, status: &str) -> Result<(), Error> {
        let end_time = Some(self.now().unix_ms());
        let patch = RunPatch { status: Some(status.to_owned()), end_time, name: None };
        self.notebook().update_run(&import.run, &patch)?;
        Ok(())
    }
}

impl Incoming {
    /// Takes in what comes next of the file; in memory is one part at most.
    ///
    /// # Errors
    /// If it cannot be kept, or the import grows too large.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let more = bytes.len() as u64;
        self.room = self
            .room
            .checked_sub(more)
            .ok_or_else(|| Error::input(format!("a version has at most {MAX_BYTES} bytes")))?;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART_BYTES - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
            if self.part.len() == PART_BYTES {
                self.sealing.part(&self.part)?;
                self.part.clear();
            }
        }
        Ok(())
    }
}
