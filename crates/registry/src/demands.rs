//! What a charter demands to be on record of a version, beside the data that it was trained on: where it comes from,
//! documents about it, and figures that are not too old.

use crate::refusal::Why;
use crate::rules::Rules;
use crate::state::Version;
use crate::version::Registration;
use facts::{Days, Digest, DocumentKind, LineageKind, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
        return Some(Why::LineageMissing { kinds: lineage });
    }
    let document = demands.documents.iter().find(|kind| !version.documents.contains_key(*kind));
    document.map(|kind| Why::DocumentMissing { kind: kind.clone() })
}

/// Whether what validation found is too old: since when.
pub(crate) fn stale(version: &Version, rules: &Rules, now: Timestamp) -> Option<Why> {
    let days = rules.demands.validation_days?;
    let ended = version.validated?.plus_seconds(days.seconds());
    (now >= ended).then_some(Why::ValidationTooOld { days, ended })
}
