//! Platforms on which models serve: a folder of this machine, or a service of AWS, as the charter says for each endpoint.
//! AWS is called only where an endpoint is there.

use crate::answer::Answers;
use crate::aws::HouseSettings;
use facts::Timestamp;
use facts::serving::ServeOn;
use local::{ServingDirectories, SystemClock};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use world::{CaptureFile, Clock, Files, Fleet, Kind, Observed, Pace, PortError, Release, Site};

/// The platforms of a house. Where traffic goes over by weights, which takes its time, whoever waits is told how far it is.
pub(crate) struct HouseFleet {
    directories: ServingDirectories,
    dir: PathBuf,
    aws: Mutex<Option<aws::fleet::AwsFleet>>,
    /// Whether somebody waits who reads.
    tells: bool,
}

impl HouseFleet {
    /// The platforms of the house in a folder. Nothing is called yet.
    pub(crate) fn of(dir: &Path, tells: bool) -> Self {
        Self { directories: ServingDirectories::at(dir), dir: dir.to_owned(), aws: Mutex::default(), tells }
    }

    /// Says something of an endpoint whose traffic goes over by weights; `say` has the share of a step in per cent.
    fn tell(&self, site: &Site, say: impl FnOnce(u32) -> String) {
        if let Some(step) = site.on.weights().filter(|_| self.tells) {
            Answers::new(false).remark(&format!("note: `{}`: {}", site.endpoint, say(step.percent.max(1))));
        }
    }

    fn on<T>(
        &self,
        site: &Site,
        ask: impl FnOnce(&dyn Fleet) -> Result<T, PortError>,
    ) -> Result<T, PortError> {
        if matches!(site.on, ServeOn::Directory(_)) {
            return ask(&self.directories);
        }
        ask(&self.aws()?)
    }

    /// The platforms of AWS, as the house calls; the same client each time.
    fn aws(&self) -> Result<aws::fleet::AwsFleet, PortError> {
        let mut known = self.aws.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fleet) = known.as_ref() {
            return Ok(fleet.clone());
        }
        let client = HouseSettings::read(&self.dir).and_then(|settings| settings.client());
        let client = client.map_err(|failure| PortError::new(Kind::Invalid, failure.message()))?;
        Ok(known.insert(aws::fleet::AwsFleet::new(client)).clone())
    }
}

impl Fleet for HouseFleet {
    fn describe(&self, site: &Site) -> Result<Observed, PortError> {
        self.on(site, |fleet| fleet.describe(site))
    }

    fn find(&self, site: &Site, release: &Release) -> Result<Option<String>, PortError> {
        self.on(site, |fleet| fleet.find(site, release))
    }

    fn prepare(&self, site: &Site, release: &Release, files: &Files) -> Result<String, PortError> {
        self.on(site, |fleet| fleet.prepare(site, release, files))
    }

    fn shift(&self, site: &Site, release: &str, pace: Pace) -> Result<(), PortError> {
        self.tell(site, |_| format!("all of the traffic goes to {release}"));
        self.on(site, |fleet| fleet.shift(site, release, pace))
    }

    fn weigh(&self, site: &Site, release: &str, percent: u32) -> Result<(), PortError> {
        self.tell(site, |part| {
            let (step, steps) = (percent / part, 99 / part + 1);
            format!("step {step} of {steps}: {percent} % of the traffic goes to {release}")
        });
        self.on(site, |fleet| fleet.weigh(site, release, percent))
    }

    fn watch(&self, site: &Site, minutes: u32) -> Result<Option<String>, PortError> {
        let end = SystemClock.now().unix_ms().saturating_add(i64::from(minutes) * 60_000);
        if let Some(end) = Timestamp::from_unix_ms(end).ok().filter(|_| minutes > 0) {
            self.tell(site, |_| format!("watched for {minutes} minutes, until {end}; then more follows"));
        }
        self.on(site, |fleet| fleet.watch(site, minutes))
    }

    fn examine(&self, site: &Site, release: &Release, name: &str) -> Result<Vec<String>, PortError> {
        self.on(site, |fleet| fleet.examine(site, release, name))
    }

    fn stop(&self, site: &Site) -> Result<(), PortError> {
        self.on(site, |fleet| fleet.stop(site))
    }

    fn hold(&self, site: &Site, release: &Release, held: bool) -> Result<(), PortError> {
        self.on(site, |fleet| fleet.hold(site, release, held))
    }

    fn prune(&self, site: &Site, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        self.on(site, |fleet| fleet.prune(site, keep))
    }

    fn captured(&self, site: &Site) -> Result<Vec<CaptureFile>, PortError> {
        self.on(site, |fleet| fleet.captured(site))
    }

    fn captured_file(&self, site: &Site, name: &str) -> Result<Vec<u8>, PortError> {
        self.on(site, |fleet| fleet.captured_file(site, name))
    }

    fn wait(&self, site: &Site, looks: u32) -> bool {
        self.on(site, |fleet| Ok(fleet.wait(site, looks))).unwrap_or(false)
    }
}
