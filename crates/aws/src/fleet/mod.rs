//! Platforms of AWS on which models serve: endpoints of SageMaker, services of ECS, Deployments in clusters of EKS.
//!
//! The region and the account are those of the key that the charter names for the endpoint. Everything is found again by
//! its name, which follows from what is in it; a call that failed is followed by a look, because it may have been carried
//! out all the same.

mod ecs;
mod eks;
mod kubernetes;
mod operations;
mod sagemaker;
mod weights;

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::objects::{ObjectSettings, ObjectUse, S3Objects};
use crate::operation::{On, Operation};
use crate::permissions::{Place, PolicyDocument, condition};
use facts::Arn;
use facts::serving::{S3Place, ServeOn};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use world::{CaptureFile, Files, Fleet, Kind, ObjectStore, Observed, Pace, PortError, Release, Site};

/// What a look takes on average once pauses have grown, in seconds.
const LONG_PAUSE_SECONDS: u64 = 16;
/// Looks with shorter pauses before that.
const SHORT_LOOKS: u32 = 4;
/// The platform keeps its own time; it is given a while longer to say so.
const GRACE_SECONDS: u64 = 300;
/// SageMaker begins a new file long before this many bytes.
const LARGEST_CAPTURE: usize = 256 << 20;
/// By these a release is told from what somebody else made.
const OF_ENDPOINT: &str = "wardmote:endpoint";
const OF_MODEL: &str = "wardmote:model";
const OF_VERSION: &str = "wardmote:version";
const OF_ARTEFACT: &str = "wardmote:artefact";
/// The tag of files that nobody may read, with the value `true`. The policy of their bucket has to ask for it.
pub const HELD: &str = "wardmote:quarantine";

/// The platforms of AWS. Cheap to clone; clones share their clients.
#[derive(Clone)]
pub struct AwsFleet {
    client: Client,
    elsewhere: Arc<Mutex<BTreeMap<String, Client>>>,
}

/// What one platform does. The port's promises are met by [`AwsFleet`] over these.
trait Platform {
    fn describe(&self) -> Result<Observed, PortError>;
    /// Whether a look shows that a release has all the traffic or gets it, after a call that failed and may have been carried
    /// out all the same. False if nothing can be seen: then the failure of the call is what is told.
    fn goes_to(&self, name: &str) -> bool {
        self.describe().is_ok_and(|seen| seen.goes_to(name))
    }
    /// What is there under a name, and how it differs from what it should be; nothing if there is nothing.
    fn differences(&self, release: &Release, name: &str) -> Result<Option<Vec<String>>, PortError>;
    /// Makes what is not there yet.
    fn make(&self, release: &Release, name: &str) -> Result<(), PortError>;
    fn shift(&self, name: &str, pace: Pace) -> Result<(), PortError>;
    /// Gives a release a share of the traffic beside the one that has the rest.
    fn weigh(&self, name: &str, percent: u32) -> Result<(), PortError>;
    fn stop(&self) -> Result<(), PortError>;
    fn prune(&self, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError>;
    fn operations(&self) -> &'static [&'static Operation];
    /// The ARNs of each kind.
    fn place(&self, on: On) -> Place;
}

impl AwsFleet {
    /// Nothing is called yet.
    pub fn new(client: Client) -> Self {
        Self { client, elsewhere: Arc::default() }
    }

    /// Whether an endpoint is on a platform of AWS.
    pub fn serves(site: &Site) -> bool {
        key(&site.on).is_some()
    }

    /// A client for the region of a key.
    fn client_for(&self, key: &Arn) -> Result<Client, PortError> {
        if self.client.region()? == key.region() {
            return Ok(self.client.clone());
        }
        let mut known = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(key.region()) {
            return Ok(client.clone());
        }
        let client = self.client.in_region(key.region())?;
        known.insert(key.region().to_owned(), client.clone());
        Ok(client)
    }

    fn ask<T>(
        &self,
        site: &Site,
        ask: impl FnOnce(&dyn Platform) -> Result<T, PortError>,
    ) -> Result<T, PortError> {
        let Some(key) = key(&site.on) else { return Err(elsewhere(site)) };
        let client = self.client_for(key)?;
        match &site.on {
            ServeOn::Sagemaker(on) => ask(&sagemaker::SageMakerEndpoint { client, site, on }),
            ServeOn::Ecs(on) => ask(&ecs::EcsService { client, site, on }),
            ServeOn::Eks(on) => ask(&eks::EksDeployment { client, site, on }),
            ServeOn::Directory(_) => Err(elsewhere(site)),
        }
    }

    /// Where the files of a release are put, each version in a folder of its own.
    fn artefacts(&self, site: &Site) -> Result<S3Objects, PortError> {
        self.store(site, artefact_place(&site.on).ok_or_else(|| elsewhere(site))?)
    }

    fn store(&self, site: &Site, place: &S3Place) -> Result<S3Objects, PortError> {
        let key = key(&site.on).ok_or_else(|| elsewhere(site))?;
        let settings = ObjectSettings {
            bucket: place.bucket().to_owned(),
            prefix: place.prefix().to_owned(),
            kms_key: Some(key.to_string()),
            owner: Some(key.account().to_owned()),
            path_style: false,
        };
        Ok(S3Objects::new(self.client_for(key)?, settings)?.for_others())
    }

    /// Whether the files of a release are where they were put, byte for byte.
    fn has_files(&self, site: &Site, release: &Release) -> Result<bool, PortError> {
        let (store, folder) = (self.artefacts(site)?, format!("{}/", release.artefact.to_hex()));
        let mut files = Files::new();
        for name in store.list(&folder)? {
            let path = name.strip_prefix(&folder).unwrap_or(&name).to_owned();
            files.insert(path, store.get(&name)?);
        }
        Ok(release.is_made_of(&files))
    }

    /// The smallest policy with which these endpoints can be looked at and changed.
    ///
    /// # Errors
    /// If the region of one is none.
    pub fn permissions(&self, sites: &[Site]) -> Result<PolicyDocument, PortError> {
        let mut documents = Vec::new();
        for site in sites.iter().filter(|site| Self::serves(site)) {
            let uses = [ObjectUse::Put, ObjectUse::Get, ObjectUse::List, ObjectUse::Tag];
            documents.push(self.artefacts(site)?.permissions(&uses)?);
            if let Some(place) = capture_place(&site.on) {
                let uses = [ObjectUse::Get, ObjectUse::List];
                documents.push(self.store(site, place)?.permissions(&uses)?);
            }
            documents
                .push(self.ask(site, |on| Ok(PolicyDocument::of(on.operations(), |what| on.place(what))))?);
        }
        Ok(PolicyDocument::join(documents))
    }
}

fn elsewhere(site: &Site) -> PortError {
    let text = format!("`{}` serves on {}, which is no platform of AWS", site.endpoint, site.on.platform());
    PortError::new(Kind::Invalid, text)
}

fn shares_nothing(site: &Site) -> PortError {
    let text =
        format!("`{}` serves on {}, where two releases share no traffic", site.endpoint, site.on.platform());
    PortError::new(Kind::Invalid, text)
}

/// The key of an endpoint, which says its region and account; none if it is not on AWS.
fn key(on: &ServeOn) -> Option<&Arn> {
    match on {
        ServeOn::Directory(_) => None,
        ServeOn::Sagemaker(on) => Some(&on.key),
        ServeOn::Ecs(on) => Some(&on.key),
        ServeOn::Eks(on) => Some(&on.key),
    }
}

fn artefact_place(on: &ServeOn) -> Option<&S3Place> {
    match on {
        ServeOn::Directory(_) => None,
        ServeOn::Sagemaker(on) => Some(&on.artefacts),
        ServeOn::Ecs(on) => Some(&on.artefacts),
        ServeOn::Eks(on) => Some(&on.artefacts),
    }
}

/// Where the platform puts captured traffic, if it captures any.
fn capture_place(on: &ServeOn) -> Option<&S3Place> {
    match on {
        ServeOn::Sagemaker(on) => Some(&on.capture),
        ServeOn::Directory(_) | ServeOn::Ecs(_) | ServeOn::Eks(_) => None,
    }
}

/// The folder of a release's files.
fn artefact_uri(place: &S3Place, release: &Release) -> String {
    format!("{place}{}/", release.artefact.to_hex())
}

/// What the container is told of what it serves.
fn environment(release: &Release) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("WARDMOTE_ARTEFACT", release.artefact.to_string()),
        ("WARDMOTE_MODEL", release.model.to_string()),
        ("WARDMOTE_VERSION", release.version.to_string()),
    ])
}

/// The tags of a release, or of an endpoint, as `{key: value}` under the names that a service has for the two.
fn tags(site: &Site, release: Option<&Release>, (key, value): (&str, &str)) -> Vec<Value> {
    let mut all = site.tags.clone();
    all.insert(OF_ENDPOINT.to_owned(), site.endpoint.to_string());
    if let Some(release) = release {
        all.insert(OF_MODEL.to_owned(), release.model.to_string());
        all.insert(OF_VERSION.to_owned(), release.version.to_string());
        all.insert(OF_ARTEFACT.to_owned(), release.artefact.to_string());
    }
    all.into_iter().map(|(name, text)| json!({ key: name, value: text })).collect()
}

/// Whether a name is one that a release of this endpoint may have.
fn is_release_of(site: &Site, name: &str) -> bool {
    let endpoint: String = site.endpoint.as_str().chars().take(36).collect();
    let rest = name.strip_prefix(endpoint.trim_end_matches('-')).and_then(|rest| rest.strip_prefix("-v"));
    rest.and_then(|rest| rest.split_once('-')).is_some_and(|(version, hash)| {
        !version.is_empty()
            && version.bytes().all(|b| b.is_ascii_digit())
            && hash.len() == 12
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// How what is there differs from what is wanted: every value that is wanted is looked for at its place.
fn compare(wanted: &Value, there: &Value, place: &str, found: &mut Vec<String>) {
    match (wanted, there) {
        (Value::Object(wanted), _) => {
            for (name, value) in wanted {
                let at = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                compare(value, there.get(name).unwrap_or(&Value::Null), &at, found);
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            for (at, (wanted, there)) in wanted.iter().zip(there).enumerate() {
                compare(wanted, there, &format!("{place}[{at}]"), found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (a, b) if a == b => {}
        _ => {
            let shown = |value: &Value| {
                let text = value.to_string();
                let cut: String = text.chars().take(160).collect();
                if cut.len() < text.len() { format!("{cut}...") } else { cut }
            };
            found.push(format!("`{place}` is {} and should be {}", shown(there), shown(wanted)));
        }
    }
}

/// As many differences as somebody reads, and how many more there are.
fn first_few(mut found: Vec<String>) -> Vec<String> {
    const MOST: usize = 4;
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("{more} more values of it differ"));
    }
    found
}

/// Nothing instead of an error that says that there is no such thing, in the words of the service.
fn or_absent<T>(result: Result<T, AwsError>, words: &[(&str, &str)]) -> Result<Option<T>, AwsError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.trouble() == Trouble::Absent => Ok(None),
        Err(error) => {
            let said = error.to_string();
            let absent = |(code, text): &(&str, &str)| error.code() == *code && said.contains(text);
            if words.iter().any(absent) { Ok(None) } else { Err(error) }
        }
    }
}

/// A place in policies without conditions.
fn at(resource: Vec<String>) -> Place {
    Place { resource, condition: BTreeMap::new() }
}

/// A role that may be handed to one service only.
fn passed(roles: &[&Arn], service: &str) -> Place {
    Place {
        resource: roles.iter().map(ToString::to_string).collect(),
        condition: condition("StringEquals", "iam:PassedToService", service),
    }
}

impl Fleet for AwsFleet {
    fn describe(&self, site: &Site) -> Result<Observed, PortError> {
        self.ask(site, |on| on.describe())
    }

    fn find(&self, site: &Site, release: &Release) -> Result<Option<String>, PortError> {
        for name in release.recorded.iter().cloned().chain([release.name(site)]) {
            let there = self.ask(site, |on| on.differences(release, &name))?;
            if there.is_some_and(|differences| differences.is_empty()) && self.has_files(site, release)? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    fn prepare(&self, site: &Site, release: &Release, files: &Files) -> Result<String, PortError> {
        if !release.is_made_of(files) {
            return Err(PortError::new(Kind::Invalid, "the files are not the artefact of the version"));
        }
        let store = self.artefacts(site)?;
        for (path, bytes) in files {
            store.put(&format!("{}/{path}", release.artefact.to_hex()), bytes)?;
        }
        let name = release.name(site);
        let made = self.ask(site, |on| on.make(release, &name));
        // Whoever was first, or an answer that was lost: what is there decides.
        let there = self.ask(site, |on| on.differences(release, &name));
        match (made, there) {
            (_, Ok(Some(differences))) if differences.is_empty() => Ok(name),
            (Err(error), Err(_) | Ok(None)) | (Ok(()), Err(error)) => Err(error),
            (Ok(()), Ok(None)) => {
                Err(PortError::new(Kind::Failed, format!("`{name}` was made and is not there")))
            }
            (_, Ok(Some(differences))) => {
                let text =
                    format!("`{name}` is there with other content: {}", first_few(differences).join("; "));
                Err(PortError::new(Kind::Conflict, text)
                    .with_help("see who made it, and remove it; then run the command again"))
            }
        }
    }

    fn shift(&self, site: &Site, release: &str, pace: Pace) -> Result<(), PortError> {
        self.ask(site, |on| on.shift(release, pace))
    }

    fn weigh(&self, site: &Site, release: &str, percent: u32) -> Result<(), PortError> {
        if !(1..=99).contains(&percent) {
            return Err(PortError::new(Kind::Invalid, format!("{percent} % are no share of the traffic")));
        }
        self.ask(site, |on| on.weigh(release, percent))
    }

    fn watch(&self, site: &Site, minutes: u32) -> Result<Option<String>, PortError> {
        match &site.on {
            ServeOn::Sagemaker(on) => weights::watch(&self.client_for(&on.key)?, &on.alarms, minutes),
            ServeOn::Directory(_) | ServeOn::Ecs(_) | ServeOn::Eks(_) => Ok(None),
        }
    }

    fn examine(&self, site: &Site, release: &Release, name: &str) -> Result<Vec<String>, PortError> {
        let there = self.ask(site, |on| on.differences(release, name))?.map(first_few);
        let mut found = there.unwrap_or_else(|| vec![format!("`{name}` is not there any more")]);
        if !self.has_files(site, release)? {
            let place =
                artefact_place(&site.on).map(|place| artefact_uri(place, release)).unwrap_or_default();
            found.push(format!("the files in `{place}` are not those of version {}", release.version));
        }
        Ok(found)
    }

    fn stop(&self, site: &Site) -> Result<(), PortError> {
        self.ask(site, |on| on.stop())
    }

    fn hold(&self, site: &Site, release: &Release, held: bool) -> Result<(), PortError> {
        let store = self.artefacts(site)?;
        for name in store.list(&format!("{}/", release.artefact.to_hex()))? {
            store.tag(&name, (HELD, held.then_some("true")))?;
        }
        Ok(())
    }

    fn prune(&self, site: &Site, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        let observed = self.describe(site)?;
        let mut keep = keep.clone();
        keep.extend(observed.serving.into_iter().map(|share| share.release));
        keep.extend(observed.towards);
        self.ask(site, |on| on.prune(&keep))
    }

    /// SageMaker writes `ENDPOINT/VARIANT/yyyy/mm/dd/hh/NAME.jsonl`, so that the order of names is that of time (developer guide,
    /// "Capture data from real-time endpoint").
    fn captured(&self, site: &Site) -> Result<Vec<CaptureFile>, PortError> {
        let Some(place) = capture_place(&site.on) else { return Ok(Vec::new()) };
        let folder = format!("{}/", site.endpoint);
        let mut names = self.store(site, place)?.list(&folder)?;
        names.retain(|name| name.ends_with(".jsonl"));
        names.sort();
        let file = |name: String| {
            let variant = name.strip_prefix(&folder)?.split('/').next()?.to_owned();
            Some(CaptureFile { name, variant })
        };
        Ok(names.into_iter().filter_map(file).collect())
    }

    fn captured_file(&self, site: &Site, name: &str) -> Result<Vec<u8>, PortError> {
        let place = capture_place(&site.on).ok_or_else(|| elsewhere(site))?;
        self.store(site, place)?.get_at_most(name, LARGEST_CAPTURE)
    }

    fn wait(&self, site: &Site, looks: u32) -> bool {
        let seconds = site.on.time_limit_seconds() + GRACE_SECONDS;
        if u64::from(looks.saturating_sub(SHORT_LOOKS)) * LONG_PAUSE_SECONDS > seconds {
            return false;
        }
        std::thread::sleep(self.client.pause_between(looks));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_its_place() {
        let wanted = json!({"A": {"B": [{"C": 1.0}], "D": "x"}, "E": true});
        let mut found = Vec::new();
        compare(&wanted, &json!({"A": {"B": [{"C": 1, "more": 2}], "D": "y"}, "more": 3}), "", &mut found);
        assert_eq!(found, ["`A.D` is \"y\" and should be \"x\"", "`E` is null and should be true"]);
    }

    #[test]
    fn releases_of_other_endpoints_are_not_ours() {
        let on = serde_json::from_value(json!({"directory": {"path": "x"}})).unwrap();
        let endpoint = "credit".parse().unwrap();
        let site = Site { endpoint, on, tags: BTreeMap::new(), capture_share: 1.0 };
        assert!(is_release_of(&site, "credit-v12-0123456789ab"));
        for other in
            ["credit-risk-v1-0123456789ab", "credit-v1-0123456789abcd", "credit-vx-0123456789ab", "credit"]
        {
            assert!(!is_release_of(&site, other), "{other}");
        }
    }
}
