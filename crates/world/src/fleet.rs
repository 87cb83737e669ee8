//! Platforms on which models serve, other than the house's own gateway.
//!
//! A release is a version of a model as one platform serves it. It is made first, which moves nothing; then traffic is
//! shifted to it; then the endpoint is looked at until it has settled. Whoever starts again finds what is there by its
//! name, which follows from what is in it.

use crate::{Kind, PortError};
use facts::serving::ServeOn;
use facts::{Digest, EndpointName, ModelName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An endpoint, and where and how it serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its name.
    pub endpoint: EndpointName,
    /// Where it is.
    pub on: ServeOn,
    /// The tags of what is made for it.
    pub tags: BTreeMap<String, String>,
    /// The share of requests that is captured, from 0 to 1.
    pub capture_share: f64,
}

/// A version of a model that is to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The model.
    pub model: ModelName,
    /// The number of the version.
    pub version: u32,
    /// The digest of its artefact.
    pub artefact: Digest,
    /// The name under which it served before; if it is still there, it serves under it again.
    pub recorded: Option<String>,
}

impl Release {
    /// Whether these files are its artefact: one file by its own digest, several by that of their list.
    pub fn is_made_of(&self, files: &Files) -> bool {
        let listed = files.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes), bytes.len() as u64));
        let only = || files.len() == 1 && files.values().all(|bytes| Digest::of(bytes) == self.artefact);
        Digest::of_files(listed) == self.artefact || only()
    }

    /// Its name on the platform, at most 63 letters, digits and hyphens: the endpoint, the version, and the beginning of a
    /// digest over the artefact and all settings that make it what it is.
    pub fn name(&self, site: &Site) -> String {
        let identity =
            (&self.model, self.version, &self.artefact, site.on.settled(), site.capture_share.to_bits());
        // These are texts and numbers, which always have a JSON form.
        let text = serde_json::to_vec(&identity).unwrap_or_default();
        let hash = Digest::of(&text).to_hex();
        let endpoint: String = site.endpoint.as_str().chars().take(36).collect();
        format!("{}-v{}-{}", endpoint.trim_end_matches('-'), self.version, &hash[..12])
    }
}

/// How an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// There is none.
    Absent,
    /// It is being made, updated, rolled back or removed.
    Changing,
    /// It serves, and nothing moves.
    Steady,
    /// The platform gave up on it.
    Failed,
}

/// A release, and its share of the traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The name of the release.
    pub release: String,
    /// In per cent.
    pub percent: f64,
}

/// What an endpoint says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// How it is.
    pub condition: Condition,
    /// What serves, the largest share first.
    pub serving: Vec<Share>,
    /// Where it goes, if it is changing and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub towards: Option<String>,
    /// What the platform said about it: why an update failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl Observed {
    /// There is no such endpoint.
    pub fn absent() -> Self {
        Self { condition: Condition::Absent, serving: Vec::new(), towards: None, said: None }
    }

    /// The share of a release, in per cent.
    pub fn share_of(&self, release: &str) -> f64 {
        self.serving.iter().filter(|share| share.release == release).map(|share| share.percent).sum()
    }

    /// The one release that has all the traffic, if there is one.
    pub fn only(&self) -> Option<&str> {
        match &self.serving[..] {
            [one] => Some(&one.release),
            _ => None,
        }
    }

    /// Whether this release has all the traffic, or is on the way to it.
    pub fn goes_to(&self, release: &str) -> bool {
        self.serves(release) || self.towards.as_deref() == Some(release)
    }

    /// Whether this release has all the traffic, and nothing moves.
    pub fn serves(&self, release: &str) -> bool {
        self.condition == Condition::Steady && self.only() == Some(release)
    }
}

/// How traffic goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As the site says: in steps, watched by alarms.
    Staged,
    /// At once: back to what served before.
    AtOnce,
}

/// The files of an artefact, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A file of traffic that a platform captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureFile {
    /// Its name, which no other file ever has.
    pub name: String,
    /// The variant that answered.
    pub variant: String,
}

/// Platforms on which endpoints are. All implementations pass [`crate::contract::fleet`].
///
/// Every call may be made again after a failure: what is there already is found and not made twice.
pub trait Fleet: Send + Sync {
    /// What an endpoint says of itself. A state that cannot be read, or is not known, is an error.
    fn describe(&self, site: &Site) -> Result<Observed, PortError>;

    /// The name under which a release is there, whole: the recorded one, or else the one that follows from what is in it.
    fn find(&self, site: &Site, release: &Release) -> Result<Option<String>, PortError>;

    /// Makes a release with these files, moves no traffic, and gives its name. Kind Conflict if something else has the name,
    /// Invalid if the files are not its artefact.
    fn prepare(&self, site: &Site, release: &Release, files: &Files) -> Result<String, PortError>;

    /// Begins to shift all traffic to a release that is there; if it has or gets it already, nothing is done. Kind Absent if
    /// there is no such release, Busy if the endpoint is changing to something else.
    fn shift(&self, site: &Site, release: &str, pace: Pace) -> Result<(), PortError>;

    /// Begins to give a release that is there a share of the traffic in per cent, from 1 to 99, beside the one that has the rest; if it
    /// has that share already, nothing is done. Kind Absent if there is no such release, Invalid if the platform shares no
    /// traffic or the share is none, Conflict if nothing else serves, or two others do, Busy if the endpoint is changing.
    fn weigh(&self, site: &Site, release: &str, percent: u32) -> Result<(), PortError> {
        let text = format!(
            "`{}` serves on {}, where two releases share no traffic",
            site.endpoint,
            site.on.platform()
        );
        let _ = (release, percent);
        Err(PortError::new(Kind::Invalid, text))
    }

    /// Looks at the alarms of an endpoint for so many minutes, at least once: why traffic is to be taken back, as soon as one is
    /// on. Nothing if none is on; where the platform has none, it is waited for as long.
    fn watch(&self, site: &Site, minutes: u32) -> Result<Option<String>, PortError> {
        let _ = (site, minutes);
        Ok(None)
    }

    /// How a release that is there differs from what it should be, in sentences; nothing if it does not.
    fn examine(&self, site: &Site, release: &Release, name: &str) -> Result<Vec<String>, PortError>;

    /// Nothing serves any more. Releases stay. Fine if nothing serves.
    fn stop(&self, site: &Site) -> Result<(), PortError>;

    /// Marks the files of a release as held, where the platform and others have them from a place that others read, so that
    /// the policy of the place keeps them from everybody; or takes the mark away. Twice is as once, and fine if there are no
    /// such files.
    fn hold(&self, site: &Site, release: &Release, held: bool) -> Result<(), PortError> {
        let _ = (site, release, held);
        Ok(())
    }

    /// Removes the releases of an endpoint that are not named and do not serve; their names.
    fn prune(&self, site: &Site, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError>;

    /// The names of the files of captured traffic, the oldest of each variant first; none where the platform captures nothing
    /// itself.
    fn captured(&self, site: &Site) -> Result<Vec<CaptureFile>, PortError> {
        let _ = site;
        Ok(Vec::new())
    }

    /// The content of such a file: requests and answers in SageMaker's JSON Lines. Kind Absent if it is gone.
    fn captured_file(&self, site: &Site, name: &str) -> Result<Vec<u8>, PortError> {
        let text = format!("`{}` captures nothing itself, so there is no `{name}`", site.endpoint);
        Err(PortError::new(Kind::Absent, text))
    }

    /// Waits for a moment between two looks at an endpoint. False if it was waited for as long as the site allows; `looks` is
    /// how often it was looked at.
    fn wait(&self, site: &Site, looks: u32) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;
    use facts::serving::{Directory, Step, Traffic};

    fn site(endpoint: &str, on: ServeOn) -> Site {
        Site { endpoint: endpoint.parse().unwrap(), on, tags: BTreeMap::new(), capture_share: 1.0 }
    }

    fn directory(path: &str) -> ServeOn {
        ServeOn::Directory(Directory { path: path.to_owned(), traffic: Traffic::AllAtOnce })
    }

    fn release(version: u32, artefact: &[u8]) -> Release {
        Release { model: "credit".parse().unwrap(), version, artefact: Digest::of(artefact), recorded: None }
    }

    #[test]
    fn names_fit_every_platform() {
        for length in 1..=63 {
            // Hyphens where the name is cut must not end up beside each other's.
            for endpoint in ["a".repeat(length), format!("{}a", "a-".repeat(length / 2))] {
                for version in [1, u32::MAX] {
                    let name = release(version, b"x").name(&site(&endpoint, directory("x")));
                    assert!(name.parse::<EndpointName>().is_ok(), "{name}");
                    assert!(name.contains(&format!("-v{version}-")) && !name.contains("--"), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_name_follows_from_what_is_in_the_release_and_from_nothing_else() {
        let name = |version, artefact: &[u8], on| release(version, artefact).name(&site("credit", on));
        let first = name(1, b"x", directory("x"));
        assert_eq!(first, name(1, b"x", directory("x")));
        for other in
            [name(2, b"x", directory("x")), name(1, b"y", directory("x")), name(1, b"x", directory("y"))]
        {
            assert_ne!(first, other);
        }
        let sagemaker = |instances: u32, traffic, alarms: &[&str]| -> ServeOn {
            serde_json::from_value(serde_json::json!({ "sagemaker": {
                "image": format!("a/b@sha256:{}", "0".repeat(64)), "instance_type": "ml.m5.large", "instances": instances,
                "role": "arn:aws:iam::123456789012:role/r", "subnets": [], "security_groups": [], "artefacts": "s3://abc/",
                "capture": "s3://abc/", "key": "arn:aws:kms:eu-central-1:123456789012:key/k", "alarms": alarms,
                "traffic": traffic,
            } }))
            .unwrap()
        };
        let canary = Traffic::Canary(Step { percent: 10, minutes: 1 });
        let plain = name(1, b"x", sagemaker(1, Traffic::AllAtOnce, &[]));
        assert_eq!(plain, name(1, b"x", sagemaker(1, canary, &["a"])), "how it is updated is no part of it");
        let weights =
            Directory { path: "x".to_owned(), traffic: Traffic::Weights(Step { percent: 10, minutes: 1 }) };
        assert_eq!(first, name(1, b"x", ServeOn::Directory(weights)), "nor there");
        assert_ne!(plain, name(1, b"x", sagemaker(2, Traffic::AllAtOnce, &[])));
    }

    #[test]
    fn an_artefact_is_one_file_or_the_list_of_them() {
        let files = |all: &[(&str, &[u8])]| -> Files {
            all.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
        };
        assert!(release(1, b"x").is_made_of(&files(&[("model.onnx", b"x")])));
        for other in [files(&[]), files(&[("model.onnx", b"y")]), files(&[("a", b"x"), ("b", b"x")])] {
            assert!(!release(1, b"x").is_made_of(&other));
        }
        let both = files(&[("a", b"x"), ("b/c", b"yy")]);
        let artefact = Digest::of_files([("a", Digest::of(b"x"), 1), ("b/c", Digest::of(b"yy"), 2)]);
        let folder = Release { artefact, ..release(1, b"") };
        assert!(folder.is_made_of(&both) && !folder.is_made_of(&files(&[("a", b"x"), ("b/d", b"yy")])));
    }
}
