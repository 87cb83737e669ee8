//! What really serves on other platforms, beside what the record says: looked at, told, an incident where somebody changed
//! it past the record, and put right.

use crate::posture::{Closing, Incident, IncidentEvent, IncidentOpening};
use crate::record::Fact;
use crate::rollout::{Warrant, resource};
use crate::rollout_record::RolloutEvent;
use crate::training::model_resource;
use crate::{Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, EndpointName, EvidenceId, ModelName, Verdict};
use guard::Action;
use registry::{Status, VersionNumber};
use serde::Serialize;
use std::collections::BTreeSet;
use world::{Condition, Observed, Pace, Release, Site};

/// Incidents of endpoints stand beside those of accounts.
const ACCOUNT: &str = "house";
const CONTROL: &str = "serving-follows-record";
const KIND: &str = "Wardmote::Endpoint";
const SECONDS_A_DAY: i64 = 86_400;

/// One thing in which an endpoint is not what the record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServingDifference {
    /// What, in a sentence.
    pub what: String,
    /// Whether somebody else did it, past the record.
    pub outside: bool,
}

/// An endpoint beside what the record says of it.
#[derive(Debug, Clone, Serialize)]
pub struct ServingView {
    /// The model.
    pub model: ModelName,
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The platform.
    pub on: &'static str,
    /// The version that serves, as the record says.
    pub version: Option<VersionNumber>,
    /// The release that was last seen to have its traffic.
    pub release: Option<String>,
    /// The entry that says so.
    pub seen: Option<EvidenceId>,
    /// What the endpoint says now; nothing if it cannot be read.
    pub observed: Option<Observed>,
    /// Whether it is as recorded.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How it differs.
    pub differences: Vec<ServingDifference>,
    /// The incident that is open about it.
    pub incident: Option<String>,
}

impl Engine {
    /// What really serves, of a model or of all that serve elsewhere. Only looks.
    ///
    /// # Errors
    /// If there is no such model, or it serves on the house's gateway.
    pub fn serving(&self, name: Option<&ModelName>) -> Result<Vec<ServingView>, Error> {
        let mut views = Vec::new();
        match name {
            Some(name) => views.push(self.view(self.model(name)?)?),
            None => {
                for model in
                    self.charter()?.charter().models.iter().filter(|model| Self::site(model).is_some())
                {
                    views.push(self.view(model)?);
                }
            }
        }
        Ok(views)
    }

    /// The endpoints of the charter that are on other platforms.
    ///
    /// # Errors
    /// If no charter is in force.
    pub fn sites(&self) -> Result<Vec<Site>, Error> {
        Ok(self.charter()?.charter().models.iter().filter_map(Self::site).collect())
    }

    fn view(&self, model: &Model) -> Result<ServingView, Error> {
        let site = Self::site(model).ok_or_else(|| {
            Error::input(format!("`{}` serves on the gateway of the house", model.name)).with_help(
                "`endpoint.serve_on` in the charter says where else; `wardmote model list` shows what serves",
            )
        })?;
        let rollouts = self.state.rollouts();
        let settled = rollouts.settled(&site.endpoint);
        let mut view = ServingView {
            model: model.name.clone(),
            endpoint: site.endpoint.clone(),
            on: site.on.platform(),
            version: self.serves(&model.name),
            release: settled.map(|settled| settled.what.release.clone()),
            seen: settled.map(|settled| settled.evidence.clone()),
            observed: None,
            verdict: Verdict::Holds,
            differences: Vec::new(),
            incident: self.serving_incident(&site.endpoint).map(|incident| incident.id.clone()),
        };
        let compared = self.ports.fleet.describe(&site).and_then(|observed| {
            view.observed = Some(observed.clone());
            self.compare((model, &site), &view, &observed)
        });
        match compared {
            Err(error) => view.verdict = Verdict::Unknown { missing: error.to_string() },
            Ok(differences) => {
                let changing =
                    view.observed.as_ref().is_some_and(|seen| seen.condition == Condition::Changing);
                if let Some(first) = differences.first() {
                    view.verdict = Verdict::Broken { reason: first.what.clone() };
                } else if changing {
                    let missing = "the endpoint is changing; look again when it has settled".to_owned();
                    view.verdict = Verdict::Unknown { missing };
                }
                view.differences = differences;
            }
        }
        Ok(view)
    }

    /// How an endpoint differs from the record, the worst first.
    fn compare(
        &self,
        (model, site): (&Model, &Site),
        view: &ServingView,
        observed: &Observed,
    ) -> Result<Vec<ServingDifference>, world::PortError> {
        let mut found = Vec::new();
        let mut say = |outside: bool, what: String| found.push(ServingDifference { what, outside });
        let rollouts = self.state.rollouts();
        let open = rollouts.open(&site.endpoint);
        let begun = |name: &str| open.is_some_and(|open| open.what.release == name);
        let settled = rollouts.settled(&site.endpoint).map(|settled| &settled.what);
        // Weights that we moved on the way to a release are ours; any others are somebody else's.
        let ours = rollouts.weighed(&site.endpoint).zip(open).is_some_and(|((from, to), open)| {
            let share = observed.share_of(&open.what.release);
            [from, to].iter().any(|percent| (share - f64::from(*percent)).abs() < 0.5)
        });
        for share in &observed.serving {
            let (name, percent) = (&share.release, share.percent);
            let known = settled.is_some_and(|settled| settled.release == *name);
            if known && (percent - 100.0).abs() < 1e-9 {
                continue;
            }
            let of = rollouts.releases(&site.endpoint).find(|(release, _)| release == name);
            let what = match of {
                Some((_, version)) if known => {
                    format!("version {version} has {percent:.0} % of the traffic and not all of it")
                }
                Some((_, version)) => {
                    format!("version {version} (`{name}`) has {percent:.0} % of the traffic")
                }
                None => format!(
                    "`{name}`, which is of no version in the record, has {percent:.0} % of the traffic"
                ),
            };
            match open.filter(|_| ours || begun(name) && rollouts.weighed(&site.endpoint).is_none()) {
                Some(open) => say(
                    false,
                    format!("{what}: a deployment that began ({}) was not seen to end", open.evidence),
                ),
                None => say(true, what),
            }
        }
        if let Some(towards) = observed.towards.as_ref().filter(|name| !begun(name)) {
            say(true, format!("the endpoint is being changed to `{towards}`"));
        }
        match (view.version, settled) {
            (None, _) if observed.serving.is_empty() => {}
            (None, _) => say(true, "something serves, and the record says that nothing may".to_owned()),
            (Some(version), Some(settled)) if settled.version == version => {
                self.compare_release((model, site), settled, observed, &mut say)?;
            }
            (Some(version), _) => {
                say(
                    false,
                    format!(
                        "version {version} serves as recorded, and was never put on {}",
                        site.on.platform()
                    ),
                );
            }
        }
        found.sort_by_key(|one| !one.outside);
        Ok(found)
    }

    fn compare_release(
        &self,
        (model, site): (&Model, &Site),
        settled: &crate::rollout_record::Placed,
        observed: &Observed,
        say: &mut impl FnMut(bool, String),
    ) -> Result<(), world::PortError> {
        let (version, name) = (settled.version, &settled.release);
        match observed.condition {
            Condition::Absent => {
                say(true, format!("version {version} should serve, and the endpoint is gone"));
            }
            Condition::Failed => {
                let said = observed.said.as_deref().unwrap_or("it does not say why");
                say(true, format!("version {version} should serve, and the endpoint has failed: {said}"));
            }
            Condition::Changing | Condition::Steady => {}
        }
        let Some(known) = self.state.registry().version(&model.name, version) else { return Ok(()) };
        let release = Release {
            model: model.name.clone(),
            version: version.0,
            artefact: known.registration.artefact,
            recorded: Some(name.clone()),
        };
        for what in self.ports.fleet.examine(site, &release, name)? {
            say(true, what);
        }
        if release.name(site) != *name {
            say(false, format!("the charter asks for other settings than those of `{name}`"));
        }
        Ok(())
    }

    fn serving_incident(&self, endpoint: &EndpointName) -> Option<&Incident> {
        let all = self.state.postures().incidents().iter();
        let mut open = all.filter(|one| one.closed.is_none());
        open.find(|one| {
            let of = &one.opened.what;
            of.account == ACCOUNT && of.control == CONTROL && of.resource == endpoint.as_str()
        })
    }

    /// Looks, and puts on record where somebody changed an endpoint past it: an incident is opened, and closed when the
    /// endpoint is as recorded again. What is not known changes nothing.
    pub fn check_serving(
        &mut self,
        actor: &Actor,
        name: Option<&ModelName>,
    ) -> Result<Done<Vec<ServingView>>, Error> {
        let mut views = self.serving(name)?;
        let mut evidence = Vec::new();
        for view in &mut views {
            let model = self.model(&view.model)?.clone();
            self.authorise(actor, Action::MonitorRun, &model_resource(&model))?;
            let outside: Vec<&ServingDifference> =
                view.differences.iter().filter(|one| one.outside).collect();
            let event = match (&view.verdict, outside.first(), &view.incident) {
                (Verdict::Unknown { .. }, ..) | (_, Some(_), Some(_)) | (_, None, None) => continue,
                (_, Some(first), None) => IncidentEvent::Opened(Box::new(IncidentOpening {
                    account: ACCOUNT.to_owned(),
                    region: String::new(),
                    control: CONTROL.to_owned(),
                    kind: KIND.to_owned(),
                    resource: view.endpoint.to_string(),
                    severity: controls::Severity::High.name().to_owned(),
                    reason: first.what.chars().take(500).collect(),
                    evidence: outside
                        .iter()
                        .take(5)
                        .map(|one| one.what.chars().take(500).collect())
                        .collect(),
                    changed: Vec::new(),
                    cause: None,
                })),
                (_, None, Some(_)) => IncidentEvent::Closed { because: Closing::Holds },
            };
            let next = format!("I-{}", self.state.postures().incidents().len() + 1);
            let id = view.incident.clone().unwrap_or(next);
            let stream = format!("incidents/{}", id.to_lowercase());
            let closed = matches!(event, IncidentEvent::Closed { .. });
            let fact = Fact::Incident { incident: id.clone(), event };
            evidence.extend(self.record(vec![Self::done(actor, Action::MonitorRun, &stream, fact)])?);
            view.incident = (!closed).then_some(id);
        }
        Ok(Done { answer: views, evidence })
    }

    /// Puts an endpoint right: the version that serves as recorded gets all the traffic, as the charter in force says; if
    /// nothing may serve, nothing does.
    pub fn sync_serving(&mut self, actor: &Actor, name: &ModelName) -> Result<Done<ServingView>, Error> {
        let model = self.model(name)?.clone();
        let serves = self.view(&model)?.version;
        let whole = model_resource(&model);
        let resource = serves.map_or(whole, |number| self.version_resource(&model, number));
        self.authorise(actor, Action::ModelDeploy, &resource)?;
        let evidence = self.put_right((actor, Action::ModelDeploy), &model, (serves, Pace::Staged))?;
        self.checked(actor, name, evidence)
    }

    /// Gives all the traffic to the version that serves as recorded, or to none; who may was asked before.
    pub(crate) fn put_right(
        &mut self,
        of: (&Actor, Action),
        model: &Model,
        (serves, pace): (Option<VersionNumber>, Pace),
    ) -> Result<Vec<EvidenceId>, Error> {
        let name = &model.name;
        let Some(number) = serves else {
            return self.stop_serving(of, model, "the record says that nothing may serve");
        };
        let version = self.version(name, number)?;
        let (digest, object) = version
            .bundle()
            .ok_or_else(|| Error::damaged(format!("version {number} of `{name}` serves unsigned")))?;
        let held = self.check_signature(object, digest, &version.registration);
        self.noticing((name.as_str(), number.0), held)?;
        let stretch = self.state.registry().model(name).and_then(|known| known.serving()).cloned();
        let stretch = stretch.filter(|stretch| stretch.version == number);
        let stretch = stretch.ok_or_else(|| Error::conflict(format!("nothing of `{name}` serves")))?;
        let mut evidence = Vec::new();
        if let Some(shifted) = self.roll_out(of, model, &version, &Warrant::Record(&stretch, pace))? {
            // Somebody may have taken it out of use meanwhile.
            self.refresh()?;
            if self.serves(name) != Some(number) {
                let text = format!("version {number} of `{name}` stopped serving while it was put right");
                return Err(Error::conflict(text).with_help("run the command again"));
            }
            let of_endpoint = resource(&model.endpoint.name);
            let entry = Self::done(of.0, of.1, &of_endpoint, shifted.settled());
            evidence = self.record(vec![entry])?;
        }
        Ok(evidence)
    }

    fn checked(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        mut evidence: Vec<EvidenceId>,
    ) -> Result<Done<ServingView>, Error> {
        let mut checked = self.check_serving(actor, Some(name))?;
        evidence.extend(checked.evidence);
        let answer = checked.answer.pop().ok_or_else(|| Error::damaged("the endpoint was not looked at"))?;
        Ok(Done { answer, evidence })
    }

    /// Removes the releases of a model that no version needs any more: it may not serve again, and it has not served for as
    /// long as captured traffic is kept.
    pub fn prune_releases(&mut self, actor: &Actor, name: &ModelName) -> Result<Done<Vec<String>>, Error> {
        let model = self.model(name)?.clone();
        self.authorise(actor, Action::ModelDeploy, &model_resource(&model))?;
        let Some(site) = Self::site(&model) else {
            return Ok(Done { answer: Vec::new(), evidence: Vec::new() });
        };
        let keep: BTreeSet<String> = self
            .state
            .rollouts()
            .releases(&site.endpoint)
            .filter(|(_, version)| self.is_needed(&model, *version))
            .map(|(release, _)| release.to_owned())
            .collect();
        let releases = self.fleet().prune(&site, &keep)?;
        if releases.is_empty() {
            return Ok(Done { answer: releases, evidence: Vec::new() });
        }
        let event = RolloutEvent::Pruned { releases: releases.clone() };
        let fact = Fact::Rollout { endpoint: site.endpoint.clone(), event };
        let of = resource(&site.endpoint);
        let evidence = self.record(vec![Self::done(actor, Action::ModelDeploy, &of, fact)])?;
        Ok(Done { answer: releases, evidence })
    }

    /// Whether a version may serve again, or served within the time for which captured traffic is kept.
    fn is_needed(&self, model: &Model, number: VersionNumber) -> bool {
        let Some(known) = self.state.registry().model(&model.name) else { return true };
        let refused = known
            .version(number)
            .is_some_and(|version| version.status.is_refused() || version.status == Status::RolledBack);
        let days = i64::from(model.retention.capture_days.get());
        let ends =
            known.stretches.iter().filter(|stretch| stretch.version == number).map(|stretch| stretch.until);
        let recent = ends
            .into_iter()
            .any(|until| until.is_none_or(|until| until.plus_seconds(days * SECONDS_A_DAY) > self.now()));
        !refused || recent
    }
}
