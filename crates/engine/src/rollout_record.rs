//! What the ledger says of endpoints on other platforms: what was begun there, and what the endpoint said then.

use crate::Recorded;
use facts::{Digest, EndpointName, ModelName};
use registry::VersionNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::Observed;

/// Something that happened at an endpoint on another platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RolloutEvent {
    /// Traffic will be shifted to a release. Recorded before anything is made.
    Begun {
        /// The model.
        model: ModelName,
        /// The version.
        version: VersionNumber,
        /// Its artefact.
        artefact: Digest,
        /// The platform: `SageMaker`.
        on: String,
        /// The name of the release there.
        release: String,
        /// What entitles it to serve: `deployment`, `rollback`, `emergency`, `record`.
        by: String,
        /// What the endpoint said before.
        before: Observed,
    },
    /// It will have a share of the traffic, beside the one that has the rest. Recorded before the weights are moved.
    Weighed {
        /// The version.
        version: VersionNumber,
        /// The name of the release.
        release: String,
        /// Its share, in per cent.
        percent: u32,
        /// What the endpoint said before.
        before: Observed,
    },
    /// It has all the traffic, says the endpoint.
    Settled {
        /// The version.
        version: VersionNumber,
        /// The name of the release.
        release: String,
        /// What the endpoint says.
        observed: Observed,
    },
    /// It has not: it could not be made, the platform took it back, or it was taken back here.
    Failed {
        /// The version.
        version: VersionNumber,
        /// The name of the release.
        release: String,
        /// Why.
        reason: String,
        /// What the endpoint says; nothing if it says nothing.
        observed: Option<Observed>,
    },
    /// What became of it is not known.
    Unknown {
        /// The version.
        version: VersionNumber,
        /// The name of the release.
        release: String,
        /// What could not be read.
        missing: String,
    },
    /// Nothing serves there any more.
    Stopped {
        /// Why.
        reason: String,
    },
    /// Releases that no version needs any more were removed.
    Pruned {
        /// Their names.
        releases: Vec<String>,
    },
}

/// A version under the name of its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The version.
    pub version: VersionNumber,
    /// The name of the release.
    pub release: String,
}

/// All endpoints on other platforms.
#[derive(Debug, Default)]
pub struct Rollouts {
    by_endpoint: BTreeMap<EndpointName, Line>,
}

/// One endpoint.
#[derive(Debug, Default)]
struct Line {
    /// The platform of what was begun last.
    on: String,
    /// What was last seen to serve.
    settled: Option<Recorded<Placed>>,
    /// What was begun and not seen to end.
    open: Option<Recorded<Placed>>,
    /// The shares that it had or was to have last, in per cent: before the last move of weights and after it.
    weighed: Option<(u32, u32)>,
    /// Every release that was ever begun.
    versions: BTreeMap<String, VersionNumber>,
    /// The release under which each version last served.
    last: BTreeMap<VersionNumber, String>,
}

impl Rollouts {
    /// What was last seen to serve at an endpoint, and the entry that says so.
    pub fn settled(&self, endpoint: &EndpointName) -> Option<&Recorded<Placed>> {
        self.by_endpoint.get(endpoint)?.settled.as_ref()
    }

    /// What was begun at an endpoint and not seen to end.
    pub fn open(&self, endpoint: &EndpointName) -> Option<&Recorded<Placed>> {
        self.by_endpoint.get(endpoint)?.open.as_ref()
    }

    /// The platform on which something was begun last at an endpoint.
    pub fn platform(&self, endpoint: &EndpointName) -> Option<&str> {
        self.by_endpoint.get(endpoint).map(|line| line.on.as_str())
    }

    /// The shares in per cent that what is open may have: before the last move of weights and after it.
    pub fn weighed(&self, endpoint: &EndpointName) -> Option<(u32, u32)> {
        self.by_endpoint.get(endpoint)?.weighed
    }

    /// The release under which a version last served at an endpoint.
    pub fn release_of(&self, endpoint: &EndpointName, version: VersionNumber) -> Option<&str> {
        self.by_endpoint.get(endpoint)?.last.get(&version).map(String::as_str)
    }

    /// All releases of an endpoint that were ever begun, with their versions.
    pub fn releases(&self, endpoint: &EndpointName) -> impl Iterator<Item = (&str, VersionNumber)> {
        let line = self.by_endpoint.get(endpoint);
        line.into_iter()
            .flat_map(|line| line.versions.iter())
            .map(|(name, version)| (name.as_str(), *version))
    }

    /// Takes in what happened.
    pub(crate) fn take(&mut self, event: RolloutEvent, entry: Recorded<EndpointName>) {
        let Recorded { what: endpoint, evidence, time, by } = entry;
        let line = self.by_endpoint.entry(endpoint).or_default();
        let placed = |version, release| Recorded { what: Placed { version, release }, evidence, time, by };
        match event {
            RolloutEvent::Weighed { percent, .. } => {
                line.weighed = Some((line.weighed.map_or(0, |(_, last)| last), percent));
            }
            RolloutEvent::Begun { version, release, on, .. } => {
                line.on = on;
                // Whoever goes on with the same release finds the shares that it had.
                if line.open.as_ref().is_none_or(|open| open.what.release != release) {
                    line.weighed = None;
                }
                line.versions.insert(release.clone(), version);
                line.open = Some(placed(version, release));
            }
            RolloutEvent::Settled { version, release, .. } => {
                line.versions.insert(release.clone(), version);
                line.last.insert(version, release.clone());
                line.settled = Some(placed(version, release));
                (line.open, line.weighed) = (None, None);
            }
            RolloutEvent::Failed { .. } => (line.open, line.weighed) = (None, None),
            // It may still go on, so it stays open.
            RolloutEvent::Unknown { .. } => {}
            RolloutEvent::Stopped { .. } => (line.settled, line.open, line.weighed) = (None, None, None),
            RolloutEvent::Pruned { releases } => {
                line.versions.retain(|name, _| !releases.contains(name));
                line.last.retain(|_, name| !releases.contains(name));
            }
        }
    }
}
