//! What a charter demands to be on record of a version, beside the data that it was trained on: where it comes from,
//! documents about it, and figures that are not too old.

use crate::refusal::Why;
use crate::rules::Rules;
use crate::state::Version;
use crate::version::{Registration, VersionNumber};
use facts::{Days, Digest, DocumentKind, LineageKind, ModelName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What must be on record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// Where it comes from.
    pub lineage: Vec<LineageKind>,
    /// Documents about it.
    pub documents: Vec<DocumentKind>,
    /// How long what validation found counts.
    pub validation_days: Option<Days>,
}

/// What a version was made in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Lock files, by path, with the digests of their bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lock_files: BTreeMap<String, Digest>,
    /// The container image, as whoever ran the training says: a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Environment {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The image, if it is named by its digest: `name@sha256:...`, or the id of a local image, `sha256:...`.
    pub fn image_by_digest(&self) -> Option<&str> {
        let image = self.image.as_deref()?;
        let digest = image
            .strip_prefix("sha256:")
            .or_else(|| image.rsplit_once("@sha256:").map(|(_, digest)| digest))?;
        let is_hex = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then_some(image)
    }
}

impl Registration {
    /// The parameters that seed what is random in the training.
    pub fn seeds(&self) -> impl Iterator<Item = (&String, &String)> {
        self.hyperparameters.iter().filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let seeds = name.contains("seed") || name.ends_with("random_state");
            // `random_state = None` is how libraries say that there is no seed.
            seeds && !value.trim().is_empty() && !value.trim().eq_ignore_ascii_case("none")
        })
    }

    /// Whether a part of its lineage is on record.
    pub fn has(&self, kind: LineageKind) -> bool {
        match kind {
            LineageKind::Commit => self.code.git_commit.is_some() && !self.code.dirty,
            LineageKind::Environment => !self.environment.lock_files.is_empty(),
            LineageKind::Image => self.environment.image_by_digest().is_some(),
            LineageKind::Seed => self.seeds().next().is_some(),
        }
    }
}

/// What of the demands is not on record, the first of them.
pub(crate) fn missing(version: &Version, rules: &Rules) -> Option<Why> {
    let demands = &rules.demands;
    let lineage: Vec<LineageKind> =
        demands.lineage.iter().copied().filter(|kind| !version.registration.has(*kind)).collect();
    if !lineage.is_empty() {
        return Some(Why::Unmet(Unmet::LineageMissing { kinds: lineage }));
    }
    let document = demands.documents.iter().find(|kind| !version.documents.contains_key(*kind));
    document.map(|kind| Why::Unmet(Unmet::DocumentMissing { kind: kind.clone() }))
}

/// Whether what validation found is too old: since when.
pub(crate) fn stale(version: &Version, rules: &Rules, now: Timestamp) -> Option<Why> {
    let days = rules.demands.validation_days?;
    let ended = version.validated?.plus_seconds(days.seconds());
    (now >= ended).then_some(Why::Unmet(Unmet::ValidationTooOld { days, ended }))
}

/// What a charter demands and is not met, in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unmet {
    LineageMissing { kinds: Vec<LineageKind> },
    DocumentMissing { kind: DocumentKind },
    ValidationTooOld { days: Days, ended: Timestamp },
    AnotherIncumbent { then: Option<VersionNumber>, now: Option<VersionNumber> },
}

impl Unmet {
    pub(crate) fn help(&self, model: &ModelName, version: &str) -> String {
        match self {
            Self::LineageMissing { kinds } => {
                let how: Vec<&str> = kinds.iter().map(|kind| how_to_give(*kind)).collect();
                format!("{}; then register again", how.join("; "))
            }
            Self::DocumentMissing { kind } if kind.as_str() == "model-card" => {
                format!("`wardmote card {model} {version}` writes it")
            }
            Self::DocumentMissing { kind } => {
                format!("`wardmote model document {model} {version} {kind} FILE` puts it there")
            }
            Self::AnotherIncumbent { .. } => {
                format!(
                    "`wardmote model validate {model} {version}` compares it again, and so does each deployment"
                )
            }
            Self::ValidationTooOld { .. } => format!("run `wardmote model validate {model} {version}`"),
        }
    }

    pub(crate) fn say(&self, f: &mut fmt::Formatter<'_>, subject: &str) -> fmt::Result {
        match self {
            Self::LineageMissing { kinds } => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.spoken().trim_end_matches(',')).collect();
                write!(
                    f,
                    "what the charter demands of where {subject} comes from is not on record: {}",
                    words.join("; ")
                )
            }
            Self::DocumentMissing { kind } => {
                write!(
                    f,
                    "the document `{kind}` about {subject}, which the charter demands, is not on record"
                )
            }
            Self::ValidationTooOld { days, ended } => {
                let (days, ended) = (days.get(), ended.date());
                write!(f, "what validation found of {subject} counts {days} days, which were over on {ended}")
            }
            Self::AnotherIncumbent { then, now } => {
                let said = |one: &Option<VersionNumber>| {
                    one.map_or_else(|| "nothing".to_owned(), |number| format!("version {number}"))
                };
                write!(f, "{subject} was compared with {}, and {} serves now", said(then), said(now))
            }
        }
    }
}

/// How a part of the lineage comes on record.
fn how_to_give(kind: LineageKind) -> &'static str {
    match kind {
        LineageKind::Commit => {
            "commit the code and everything beside it; with MLflow, run the script from its Git checkout \
             (`mlflow.source.git.commit`)"
        }
        LineageKind::Environment => {
            "put a lock file (`uv.lock`, `poetry.lock`, `requirements.txt` with hashes) beside the training program, or log \
             it with the MLflow run"
        }
        LineageKind::Image => {
            "let the training program write `{\"image\": \"NAME@sha256:DIGEST\"}` to `$SM_OUTPUT_DATA_DIR/lineage.json`, or \
             set the tag `mlflow.docker.image.id` of the MLflow run"
        }
        LineageKind::Seed => "give the training a hyperparameter `seed`, or log it with the MLflow run",
    }
}
