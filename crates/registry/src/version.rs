//! What a version is made of, and what validation found out about it.

use crate::demands::Environment;
use facts::{
    Criterion, DatasetId, Digest, EvidenceId, ModelName, ModelVersionDocument, PersonId, SnapshotName,
    Verdict,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The number of a version of one model, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(pub u32);

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How somebody had a hand in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Submitted it to the registry.
    Submitted,
    /// Ran the training.
    Trained,
    /// Committed the code.
    Committed,
    /// Imported or pseudonymised the data.
    PreparedData,
    /// Labelled the data.
    Labelled,
    /// Is of the team that owns the data, and so lets them be used.
    GrantedData,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submitted => "submitted it",
            Self::Trained => "trained it",
            Self::Committed => "committed its code",
            Self::PreparedData => "prepared its data",
            Self::Labelled => "labelled its data",
            Self::GrantedData => "granted its data",
        })
    }
}

/// Somebody who had a hand in a version, and therefore cannot approve it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Involvement {
    /// Who.
    pub person: PersonId,
    /// How.
    pub how: How,
}

/// What started the making of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person did.
    Person,
    /// An alert did.
    Alert {
        /// The entry of the alert.
        evidence: EvidenceId,
    },
}

/// The state of the training code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeVersion {
    /// The Git commit; none if the code is not in Git.
    pub git_commit: Option<String>,
    /// Whether there were changes in no commit.
    pub dirty: bool,
    /// Who committed it; none if nobody looked, because the charter listed no addresses of committers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committers: Option<Committers>,
}

/// Who committed the code of a version, as far as Git and the charter say. Addresses are personal data and not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Committers {
    /// All that Git names were looked up in the charter; who is a person there is among the involved.
    Known {
        /// How many addresses stand nowhere in the charter: they may be anybody's.
        strangers: u32,
    },
    /// Git did not say.
    Unknown {
        /// Why not.
        missing: String,
    },
}

impl CodeVersion {
    /// Why it is not known who committed the code; none if it is.
    pub fn committers_missing(&self) -> Option<String> {
        match &self.committers {
            Some(Committers::Known { strangers: 0 }) => None,
            Some(Committers::Known { strangers: 1 }) => {
                Some("1 address in Git stands with nobody in the charter".to_owned())
            }
            Some(Committers::Known { strangers }) => {
                Some(format!("{strangers} addresses in Git stand with nobody in the charter"))
            }
            Some(Committers::Unknown { missing }) => Some(missing.clone()),
            None => Some("the charter listed no addresses when it was registered".to_owned()),
        }
    }
}

/// What a version was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// The data set.
    pub dataset: DatasetId,
    /// The snapshot of it.
    pub snapshot: SnapshotName,
    /// Digest of the snapshot.
    pub snapshot_digest: Digest,
}

/// The MLflow run that made a version, as the client logged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedRun {
    /// Its id.
    pub run_id: String,
    /// Its experiment.
    pub experiment_id: String,
    /// Who began it: the caller, not whom the client names.
    pub by: PersonId,
    /// Data that the client says it read, `name@digest`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
}

/// Everything that is said when a version is registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The model.
    pub model: ModelName,
    /// Digest of the artefact: what approvals bind to.
    pub artefact: Digest,
    /// The object that holds it, encrypted; of a folder, the object that says where its files are.
    pub object: String,
    /// Size of the artefact.
    pub size_bytes: u64,
    /// How many files, if the artefact is a folder; its digest is then that of the list of their names and digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u32>,
    /// What it was trained on. Without that on record nobody can approve it.
    #[serde(flatten)]
    pub data: Option<TrainedOn>,
    /// The run that made it, if it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<TrackedRun>,
    /// The training code.
    pub code: CodeVersion,
    /// What it was made in.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// Hyperparameters as used.
    pub hyperparameters: BTreeMap<String, String>,
    /// Metrics as the training program states them: claims.
    pub claimed_metrics: BTreeMap<String, f64>,
    /// What a document that came with it says about approval: claims, which approve nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<ModelVersionDocument>,
    /// Who had a hand in it.
    pub involved: Vec<Involvement>,
    /// What started it.
    pub trigger: Trigger,
}

impl Registration {
    /// The snapshot that it was trained on, if that is on record.
    pub fn snapshot(&self) -> Option<&SnapshotName> {
        self.data.as_ref().map(|data| &data.snapshot)
    }
}

/// One acceptance criterion, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriterionResult {
    /// The criterion of the charter; its comparison with what serves is a gate of its own.
    pub criterion: Criterion,
    /// What was measured; none if it could not be.
    pub measured: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

/// What validation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// The artefact that was measured.
    pub artefact: Digest,
    /// The charter whose criteria were used.
    pub charter: Digest,
    /// The snapshot whose held-back rows were used.
    pub snapshot: SnapshotName,
    /// How many rows.
    pub rows: u64,
    /// The run whose own figures were judged, if nothing was measured: then they are claims, which the charter accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by_run: Option<String>,
    /// Everything that was measured, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The criteria, judged.
    pub criteria: Vec<CriterionResult>,
}

impl ValidationReport {
    /// Judges measured values by criteria. No criteria, or a value that is missing, never passes.
    pub fn judge(
        artefact: Digest,
        charter: Digest,
        (snapshot, rows): (SnapshotName, u64),
        metrics: BTreeMap<String, f64>,
        criteria: &[Criterion],
    ) -> Self {
        let criteria = criteria
            .iter()
            .map(|criterion| {
                let measured = metrics.get(&criterion.key()).copied();
                CriterionResult { criterion: criterion.alone(), measured, verdict: criterion.judge(measured) }
            })
            .collect();
        Self { artefact, charter, snapshot, rows, claimed_by_run: None, metrics, criteria }
    }

    /// Whether every criterion holds, and there is at least one.
    pub fn passes(&self) -> bool {
        !self.criteria.is_empty() && self.criteria.iter().all(|result| result.verdict.passes())
    }

    /// The criteria that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &CriterionResult> {
        self.criteria.iter().filter(|result| !result.verdict.passes())
    }
}
