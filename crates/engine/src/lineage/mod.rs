//! Where a version comes from and what became of it: the record, walked in both directions. What only the notebook of
//! experiments knows is shown as a claim; what should be on record and is not, as missing.

mod after;
mod events;
mod inputs;

use crate::environment::IMAGE_TAGS;
use crate::record::{Origin, Snapshot, TrainingRun};
use crate::{Engine, Error, Recorded};
use dossier::lineage::{Basis, Graph, Kind, Node};
use facts::{EvidenceId, ModelName, SnapshotName};
use mlflow::entity::{Dataset, DatasetInput, Pair, Run, value_of};
use registry::{How, Trigger, Version, VersionNumber};
use std::collections::BTreeSet;

pub(crate) use inputs::{named_snapshots, said_name};

/// Files that say which libraries a model was made with.
const LOCK_FILES: [&str; 11] = [
    "requirements.txt",
    "conda.yaml",
    "python_env.yaml",
    "environment.yml",
    "pylock.toml",
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
    "package-lock.json",
    "renv.lock",
    "Cargo.lock",
];
/// So many parameters are shown with a run.
const SHOWN_PARAMETERS: usize = 6;
/// The tag that says whether a run read or wrote data of which OpenLineage tells; MLflow has no place for what was written.
const DIRECTION: &str = "wardmote.lineage";
/// It was read.
pub const INPUT: &str = "input";
/// It was written.
pub const OUTPUT: &str = "output";

/// Data that an event of OpenLineage names, as a run keeps it.
#[must_use]
pub fn lineage_dataset(name: &str, version: &str, direction: &str, job: &str) -> DatasetInput {
    let tag = |key: &str, value: &str| Pair { key: key.to_owned(), value: value.to_owned() };
    let dataset = Dataset {
        name: name.to_owned(),
        digest: version.to_owned(),
        source_type: "openlineage".to_owned(),
        source: job.to_owned(),
        schema: None,
        profile: None,
    };
    DatasetInput { tags: vec![tag(DIRECTION, direction)], dataset }
}

/// Whether this is data that a run wrote, kept beside what it read.
pub(crate) fn is_output(input: &DatasetInput) -> bool {
    value_of(&input.tags, DIRECTION) == Some(OUTPUT)
}

impl Engine {
    /// The graph of a version, or of all versions of a model.
    ///
    /// # Errors
    /// If the charter has no such model, or there is no such version.
    pub fn lineage(&self, name: &ModelName, version: Option<VersionNumber>) -> Result<Graph, Error> {
        let versions = self.chosen(name, version)?;
        let title = match version {
            Some(number) => format!("{name}, version {number}"),
            None => format!("{name}, all versions"),
        };
        let mut walk = Walk { engine: self, graph: Graph::new(title) };
        versions.iter().for_each(|version| walk.version(version));
        Ok(walk.graph)
    }

    /// The versions that were asked for, at least one.
    fn chosen(&self, name: &ModelName, version: Option<VersionNumber>) -> Result<Vec<Version>, Error> {
        if let Some(number) = version {
            return self.version(name, number).map(|version| vec![version]);
        }
        self.model(name)?;
        let all = self.state.registry().model(name).map(|model| model.versions.clone()).unwrap_or_default();
        if all.is_empty() {
            return Err(Error::not_found(format!(
                "there is no version of `{name}`: nothing is registered yet"
            ))
            .with_help("`wardmote model train` makes one"));
        }
        Ok(all)
    }

    /// The run of the charter's training program that made a version: the last that went well on its data before it was
    /// registered.
    pub(crate) fn training_of(&self, version: &Version) -> Option<&Recorded<TrainingRun>> {
        let made = |run: &&Recorded<TrainingRun>| {
            run.what.model == version.registration.model
                && run.what.exit_code == Some(0)
                && version.registration.snapshot() == Some(&run.what.snapshot)
                && run.evidence.index() < version.registered_by.index()
        };
        self.state.trainings().iter().rev().find(made)
    }

    /// The run that a client logged, if the notebook still has it.
    fn logged_run(&self, version: &Version) -> Option<Run> {
        let tracked = version.registration.run.as_ref()?;
        self.notebook().run(&tracked.run_id).ok()
    }
}

/// A graph while it is made.
struct Walk<'a> {
    engine: &'a Engine,
    graph: Graph,
}

fn recorded(evidence: &EvidenceId) -> Basis {
    Basis::Recorded { evidence: evidence.clone() }
}

fn of_version(version: &Version) -> String {
    format!("version:{}/{}", version.registration.model, version.version)
}

/// The beginning of a digest: enough to compare by eye, and to find the rest in the record.
fn brief(digest: &facts::Digest) -> String {
    digest.to_hex().chars().take(12).collect()
}

impl Walk<'_> {
    fn version(&mut self, version: &Version) {
        let (id, about) = (of_version(version), &version.registration);
        let name = format!("{} version {}", about.model, version.version);
        let mut node = Node::new(&id, Kind::Version, name, recorded(&version.registered_by))
            .with("status", &version.status)
            .with("artefact", &brief(&about.artefact))
            .with("bytes", &about.size_bytes)
            .with("registered", &version.registered.date());
        for hand in about.involved.iter().filter(|hand| hand.how == How::Submitted) {
            node = node.with("submitted by", &hand.person);
        }
        self.graph.node(node);
        let run = self.run(version);
        self.graph.edge(&run, "made", &id);
        self.data(version, &run);
        self.code(version, &run);
        self.environment(version, &run);
        self.after(version);
    }

    /// The run of a version; its id in the graph.
    fn run(&mut self, version: &Version) -> String {
        let about = &version.registration;
        let node = if let Some(tracked) = &about.run {
            let short: String = tracked.run_id.chars().take(8).collect();
            let basis = recorded(&version.registered_by);
            Node::new(format!("run:{}", tracked.run_id), Kind::Run, format!("MLflow run {short}"), basis)
                .with("by", &tracked.by)
                .with("experiment", &tracked.experiment_id)
        } else if let Some(run) = self.engine.training_of(version) {
            let seconds = run.what.duration_ms / 1000;
            let tenths = run.what.duration_ms % 1000 / 100;
            Node::new(format!("run:{}", run.evidence), Kind::Run, "training run", recorded(&run.evidence))
                .with("by", &run.what.service)
                .with("program", &run.what.command.first().map_or("", |word| name_of(word)))
                .with("lasted", &format!("{seconds}.{tenths} s"))
        } else {
            Node::new(format!("run:?{}", version.version), Kind::Run, "the run that made it", Basis::Missing)
        };
        let parameters = about.hyperparameters.iter().take(SHOWN_PARAMETERS);
        let node = parameters.fold(node, |node, (name, value)| node.with(name, value));
        let id = node.id.clone();
        self.graph.node(node);
        if let Trigger::Alert { evidence } = &about.trigger {
            self.alert(evidence);
            self.graph.edge(format!("alert:{evidence}"), "triggered", &id);
        }
        id
    }

    fn data(&mut self, version: &Version, run: &str) {
        let about = &version.registration;
        match about.snapshot() {
            Some(name) => {
                let id = self.snapshot(name);
                self.graph.edge(id, "read by", run);
            }
            None => {
                let id = format!("data:?{}", version.version);
                self.graph.node(Node::new(&id, Kind::Data, "what it was trained on", Basis::Missing));
                self.graph.edge(id, "read by", run);
            }
        }
        let trained = about.snapshot().map(ToString::to_string);
        for input in about.run.iter().flat_map(|run| &run.inputs) {
            let (name, digest) = input.rsplit_once('@').unwrap_or((input, ""));
            if trained.as_deref() == Some(name) {
                continue;
            }
            let id = format!("claim:{input}");
            let node = Node::new(&id, Kind::Data, name, Basis::Claimed);
            self.graph.node(if digest.is_empty() { node } else { node.with("digest", digest) });
            self.graph.edge(id, "said to be read", run);
        }
        let written =
            self.engine.logged_run(version).map(|run| run.inputs.dataset_inputs).unwrap_or_default();
        for output in written.iter().filter(|input| is_output(input)) {
            let id = format!("claim:{}@{}", output.dataset.name, output.dataset.digest);
            self.graph.node(Node::new(&id, Kind::Data, &output.dataset.name, Basis::Claimed));
            self.graph.edge(run, "said to write", id);
        }
    }

    /// A snapshot and what it was made from; its id in the graph.
    fn snapshot(&mut self, name: &SnapshotName) -> String {
        let id = format!("data:{name}");
        let Some(known) = self.engine.state.snapshot(name).cloned() else {
            self.graph.node(Node::new(&id, Kind::Data, name.to_string(), Basis::Missing));
            return id;
        };
        let Recorded { what, evidence, time, by } = known;
        let node = Node::new(&id, Kind::Data, name.to_string(), recorded(&evidence));
        self.graph.node(described(node, &what).with("made by", &by).with("on", &time.date()));
        match &what.origin {
            Origin::File { .. } => {}
            Origin::Pseudonymised { source, .. } => {
                let from = self.snapshot(source);
                self.graph.edge(from, "pseudonymised", &id);
            }
            Origin::Feedback { base, labelled_requests, sources } => {
                let from = self.snapshot(base);
                self.graph.edge(from, "extended", &id);
                let last = sources.last().unwrap_or(&evidence);
                let labelled = format!("labelled:{last}");
                let name = format!("{labelled_requests} labelled requests");
                self.graph.node(Node::new(&labelled, Kind::Use, name, recorded(last)));
                self.graph.edge(labelled, "added to", &id);
            }
        }
        id
    }

    fn code(&mut self, version: &Version, run: &str) {
        let code = &version.registration.code;
        let node = match &code.git_commit {
            Some(commit) => {
                let short: String = commit.chars().take(12).collect();
                let id = format!("code:{commit}{}", if code.dirty { "+" } else { "" });
                Node::new(id, Kind::Code, format!("commit {short}"), recorded(&version.registered_by))
                    .with("uncommitted changes", if code.dirty { "yes" } else { "no" })
            }
            None => Node::new(
                format!("code:?{}", version.version),
                Kind::Code,
                "the commit of its code",
                Basis::Missing,
            ),
        };
        let id = node.id.clone();
        self.graph.node(node);
        self.graph.edge(id, "ran as", run);
    }

    /// Lock files are part of the artefact or the registration, seeds of the registration; the image is what the client or
    /// the training program says.
    fn environment(&mut self, version: &Version, run: &str) {
        let about = &version.registration;
        let id = format!("environment:{}/{}", about.model, version.version);
        let mut node = Node::new(&id, Kind::Environment, "environment", recorded(&version.registered_by));
        let folder = about.files.and_then(|_| self.engine.manifest(&about.object, &about.artefact).ok());
        for (path, file) in folder.iter().flat_map(|folder| &folder.files) {
            if LOCK_FILES.contains(&name_of(path)) {
                node = node.with(path.as_str(), &brief(&file.digest));
            }
        }
        for (path, digest) in &about.environment.lock_files {
            if !node.details.iter().any(|detail| detail.name == *path) {
                node = node.with(path.as_str(), &brief(digest));
            }
        }
        node = about.seeds().fold(node, |node, (name, value)| node.with(name, value));
        if node.details.is_empty() {
            node.basis = Basis::Missing;
        }
        self.graph.node(node);
        self.graph.edge(&id, "ran in", run);
        let logged = self.engine.logged_run(version);
        let tagged =
            logged.iter().flat_map(|run| IMAGE_TAGS.iter().filter_map(|tag| value_of(&run.data.tags, tag)));
        let images: BTreeSet<&str> = about.environment.image.as_deref().into_iter().chain(tagged).collect();
        for image in images {
            let id = format!("image:{image}");
            self.graph.node(
                Node::new(&id, Kind::Environment, image, Basis::Claimed).with("what", "container image"),
            );
            self.graph.edge(id, "ran in", run);
        }
    }
}

fn described(node: Node, snapshot: &Snapshot) -> Node {
    let node = node
        .with("rows", &snapshot.rows)
        .with("columns", &snapshot.columns.len())
        .with("digest", &brief(&snapshot.digest))
        .with("key", &snapshot.key);
    match &snapshot.origin {
        Origin::File { file } => node.with("file", file),
        _ => node,
    }
}

/// The last part of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
