//! The runs behind versions as OpenLineage has them: what made each snapshot, and what trained.

use super::is_output;
use crate::record::{Origin, Snapshot};
use crate::{Engine, Error, Recorded};
use dossier::lineage::openlineage::{Dataset, Run, dashed, uuid_of};
use facts::{ModelName, Timestamp};
use registry::{Version, VersionNumber};
use serde_json::{Map, Value};

impl Engine {
    /// The events of all runs that a version, or all versions of a model, rest on; in the order in which they ended.
    ///
    /// # Errors
    /// If the charter has no such model, or there is no such version.
    pub fn lineage_events(
        &self,
        name: &ModelName,
        version: Option<VersionNumber>,
    ) -> Result<Vec<Value>, Error> {
        let mut runs: Vec<Run> = Vec::new();
        for version in self.chosen(name, version)? {
            let mut next = version.registration.snapshot().and_then(|name| self.state.snapshot(name));
            while let Some(snapshot) = next {
                runs.push(made(snapshot));
                next = source(&snapshot.what).and_then(|name| self.state.snapshot(name));
            }
            runs.push(self.trained(&version));
        }
        runs.sort_by(|a, b| (a.ended, &a.id).cmp(&(b.ended, &b.id)));
        runs.dedup_by(|a, b| a.id == b.id);
        let namespace = self.lineage_namespace()?;
        Ok(runs.iter().flat_map(|run| run.events(&namespace)).collect())
    }

    /// The namespace of this house in OpenLineage.
    ///
    /// # Errors
    /// If no charter is in force.
    pub fn lineage_namespace(&self) -> Result<String, Error> {
        Ok(format!("wardmote://{}", self.charter()?.charter().organisation.id))
    }

    fn trained(&self, version: &Version) -> Run {
        let about = &version.registration;
        let mut more = Map::new();
        if let Some(commit) = &about.code.git_commit {
            more.insert("gitCommit".to_owned(), Value::from(commit.clone()));
            more.insert("uncommittedChanges".to_owned(), Value::from(about.code.dirty));
        }
        let parameters =
            about.hyperparameters.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        more.insert("parameters".to_owned(), Value::Object(parameters.collect()));
        let snapshot = about.snapshot().and_then(|name| self.state.snapshot(name));
        let mut run = Run {
            id: uuid_of(&version.registered_by.to_string()),
            job: format!("train.{}", about.model),
            began: version.registered,
            ended: version.registered,
            well: true,
            inputs: snapshot.map(|snapshot| dataset(&snapshot.what)).into_iter().collect(),
            outputs: vec![Dataset {
                name: format!("model/{}/{}", about.model, version.version),
                version: Some(about.artefact.to_string()),
                columns: Vec::new(),
            }],
            evidence: version.registered_by.to_string(),
            more,
        };
        if let Some(tracked) = &about.run {
            run.id = dashed(&tracked.run_id).unwrap_or_else(|| uuid_of(&tracked.run_id));
            let trained = about.snapshot().map(ToString::to_string);
            let claimed = tracked.inputs.iter().filter_map(|input| {
                let (name, digest) = input.rsplit_once('@').unwrap_or((input, ""));
                let version = Some(digest.to_owned()).filter(|digest| !digest.is_empty());
                (trained.as_deref() != Some(name)).then(|| Dataset {
                    name: name.to_owned(),
                    version,
                    columns: Vec::new(),
                })
            });
            run.inputs.extend(claimed);
        } else if let Some(training) = self.training_of(version) {
            let began = training.time.unix_ms() - i64::try_from(training.what.duration_ms).unwrap_or(0);
            run.id = uuid_of(&training.evidence.to_string());
            run.ended = training.time;
            run.began = Timestamp::from_unix_ms(began).unwrap_or(training.time);
        }
        if let Some(logged) = self.logged_run(version) {
            let time = |ms: i64| Timestamp::from_unix_ms(ms).ok();
            let ended = logged.info.end_time.and_then(time).filter(|ended| *ended <= version.registered);
            run.ended = ended.unwrap_or(run.ended);
            run.began = time(logged.info.start_time).filter(|began| *began <= run.ended).unwrap_or(run.ended);
            let written = logged.inputs.dataset_inputs.iter().filter(|input| is_output(input));
            run.outputs.extend(written.map(|output| Dataset {
                name: output.dataset.name.clone(),
                version: Some(output.dataset.digest.clone()).filter(|digest| !digest.is_empty()),
                columns: Vec::new(),
            }));
        }
        run
    }
}

/// What a snapshot was made from.
fn source(snapshot: &Snapshot) -> Option<&facts::SnapshotName> {
    match &snapshot.origin {
        Origin::File { .. } => None,
        Origin::Pseudonymised { source, .. } => Some(source),
        Origin::Feedback { base, .. } => Some(base),
    }
}

fn dataset(snapshot: &Snapshot) -> Dataset {
    Dataset {
        name: snapshot.name.to_string(),
        version: Some(snapshot.digest.to_string()),
        columns: snapshot.columns.iter().map(ToString::to_string).collect(),
    }
}

/// The making of a snapshot.
fn made(snapshot: &Recorded<Snapshot>) -> Run {
    let how = match &snapshot.what.origin {
        Origin::File { .. } => "import",
        Origin::Pseudonymised { .. } => "pseudonymise",
        Origin::Feedback { .. } => "extend",
    };
    let from = source(&snapshot.what).map(|name| Dataset {
        name: name.to_string(),
        version: None,
        columns: Vec::new(),
    });
    Run {
        id: uuid_of(&snapshot.evidence.to_string()),
        job: format!("{how}.{}", snapshot.what.dataset),
        began: snapshot.time,
        ended: snapshot.time,
        well: true,
        inputs: from.into_iter().collect(),
        outputs: vec![dataset(&snapshot.what)],
        evidence: snapshot.evidence.to_string(),
        more: Map::new(),
    }
}
