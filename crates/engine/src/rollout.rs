//! Serving on other platforms than the house's gateway: what will be done is recorded, then it is done, then the endpoint
//! is looked at until it has settled, and what it says is recorded with the decision. A state that cannot be read is not
//! known, and never "deployed".

use crate::core::NewEntry;
use crate::deployment::PlacedOn;
use crate::record::{Fact, Refused};
use crate::rollout_record::RolloutEvent;
use crate::{Engine, Error};
use charter::model::Model;
use facts::{Actor, EndpointName, EvidenceId};
use guard::Action;
use ledger::Outcome;
use registry::{Command, DeploymentPlan, Emergency, Event, RollbackPlan, Stretch, Version};
use std::sync::Arc;
use world::{Condition, Fleet, Kind, Observed, Pace, PortError, Release, Site};

/// How often an endpoint may fail to be read before its state is not known.
const MOST_SILENCE: u32 = 5;
/// How often a decision is taken again because somebody else wrote at the same moment.
const MOST_TURNS: u32 = 3;

/// What entitles a version to serve. Each is made only by the function that checked it.
pub(crate) enum Warrant<'a> {
    /// It is approved and signed.
    Plan(&'a DeploymentPlan),
    /// It is what is fallen back to.
    Rollback(&'a RollbackPlan),
    /// The glass was broken.
    Emergency(&'a Emergency),
    /// It serves already, says the record, and gets its traffic back at this pace.
    Record(&'a Stretch, Pace),
}

impl Warrant<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "deployment",
            Self::Rollback(_) => "rollback",
            Self::Emergency(_) => "emergency",
            Self::Record(..) => "record",
        }
    }

    fn version(&self) -> registry::VersionNumber {
        match self {
            Self::Plan(plan) => plan.approved().version(),
            Self::Rollback(plan) => plan.to(),
            Self::Emergency(emergency) => emergency.version(),
            Self::Record(stretch, _) => stretch.version,
        }
    }

    fn pace(&self) -> Pace {
        match self {
            Self::Rollback(_) => Pace::AtOnce,
            Self::Record(_, pace) => *pace,
            Self::Plan(_) | Self::Emergency(_) => Pace::Staged,
        }
    }
}

/// Traffic that has gone over; to be recorded with the decision.
pub(crate) struct Shifted {
    pub(crate) site: Site,
    pub(crate) release: Release,
    pub(crate) name: String,
    pub(crate) before: Observed,
    observed: Observed,
}

impl Shifted {
    /// Where it is, for an answer.
    pub(crate) fn placed_on(&self) -> PlacedOn {
        PlacedOn { platform: self.site.on.platform(), release: self.name.clone() }
    }

    /// The entry of what the endpoint says.
    pub(crate) fn settled(&self) -> Fact {
        self.fact(RolloutEvent::Settled {
            version: registry::VersionNumber(self.release.version),
            release: self.name.clone(),
            observed: self.observed.clone(),
        })
    }

    fn fact(&self, event: RolloutEvent) -> Fact {
        Fact::Rollout { endpoint: self.site.endpoint.clone(), event }
    }
}

/// The stream of an endpoint.
pub(crate) fn resource(endpoint: &EndpointName) -> String {
    format!("endpoint/{endpoint}")
}

impl Engine {
    /// Where a model serves, if not on the house's gateway.
    pub(crate) fn site(model: &Model) -> Option<Site> {
        let on = model.endpoint.serve_on.clone()?;
        // Tags are texts under names.
        let tags = serde_json::to_value(&model.tags).ok().and_then(|tags| serde_json::from_value(tags).ok());
        Some(Site {
            endpoint: model.endpoint.name.clone(),
            on,
            tags: tags.unwrap_or_default(),
            capture_share: model.endpoint.capture_share,
        })
    }

    pub(crate) fn fleet(&self) -> Arc<dyn Fleet> {
        Arc::clone(&self.ports.fleet)
    }

    /// Sees to it that a version can serve: on the house's gateway by loading it, elsewhere by shifting the traffic to it.
    /// What cannot be loaded or shifted now would be found out by the first customer.
    pub(crate) fn roll_out(
        &mut self,
        (actor, action): (&Actor, Action),
        model: &Model,
        version: &Version,
        warrant: &Warrant<'_>,
    ) -> Result<Option<Shifted>, Error> {
        let automation = self.automation()?;
        let Some(site) = Self::site(model) else {
            drop(self.load_version(&automation, model, version)?);
            return Ok(None);
        };
        if warrant.version() != version.version {
            return Err(Error::damaged("what entitles a version to serve speaks of another one"));
        }
        let number = version.version;
        let recorded = match warrant {
            Warrant::Rollback(_) => self.state.rollouts().release_of(&site.endpoint, number),
            _ => None,
        };
        let release = Release {
            model: model.name.clone(),
            version: number.0,
            artefact: version.registration.artefact,
            recorded: recorded.map(str::to_owned),
        };
        let fleet = self.fleet();
        if !version.quarantines.is_empty() {
            // Whoever let it out may have been stopped before its files could be read again.
            self.hold_copies(model, number, false)?;
        }
        // Looked at before anything is recorded: what cannot be read now is not touched.
        let before = fleet.describe(&site)?;
        let found = fleet.find(&site, &release)?;
        let name = found.clone().unwrap_or_else(|| release.name(&site));
        let begun = RolloutEvent::Begun {
            model: model.name.clone(),
            version: number,
            artefact: release.artefact,
            on: site.on.platform().to_owned(),
            release: name.clone(),
            by: warrant.name().to_owned(),
            before: before.clone(),
        };
        let mut shifted = Shifted { observed: before.clone(), site, release, name, before };
        self.rollout_event((actor, action, Outcome::Done), &shifted, begun)?;
        if found.is_none() {
            let files = self.artefact_files(&automation, model, version)?;
            if let Err(error) = fleet.prepare(&shifted.site, &shifted.release, &files) {
                return Err(self.not_done((actor, action), &shifted, error, None));
            }
        }
        self.by_weights((actor, action), &shifted, warrant)?;
        let done = fleet.shift(&shifted.site, &shifted.name, warrant.pace());
        shifted.observed = self.until_settled((actor, action), &shifted, done)?;
        Ok(Some(shifted))
    }

    pub(crate) fn rollout_event(
        &mut self,
        (actor, action, outcome): (&Actor, Action, Outcome),
        shifted: &Shifted,
        event: RolloutEvent,
    ) -> Result<EvidenceId, Error> {
        let resource = resource(&shifted.site.endpoint);
        let fact = shifted.fact(event);
        let entry = NewEntry { actor, action: action.as_str(), resource: &resource, outcome, fact };
        let evidence = self.record(vec![entry])?.pop();
        evidence.ok_or_else(|| Error::damaged("what happened at the endpoint was not recorded"))
    }

    /// Looks until the endpoint has settled; anything but the release with all the traffic is recorded and an error.
    fn until_settled(
        &mut self,
        (actor, action): (&Actor, Action),
        shifted: &Shifted,
        done: Result<(), PortError>,
    ) -> Result<Observed, Error> {
        let (site, name) = (&shifted.site, &shifted.name);
        let looked = match &done {
            Ok(()) => look(self.fleet().as_ref(), site),
            // One look: the call may have failed after it did its work, and then it goes on.
            Err(_) => match self.fleet().describe(site) {
                Ok(seen) if seen.towards.as_ref() == Some(name) => look(self.fleet().as_ref(), site),
                other => other.map_err(|error| error.to_string()),
            },
        };
        let observed = match looked {
            Ok(observed) if observed.serves(name) => return Ok(observed),
            Ok(observed) => observed,
            Err(missing) => {
                let missing = done.err().map_or(missing.clone(), |error| format!("{error}; then {missing}"));
                return Err(self.not_known((actor, action), shifted, missing));
            }
        };
        match done {
            // The outside did not do it: nothing was decided, and what served goes on.
            Err(error) => Err(self.not_done((actor, action), shifted, error, Some(observed))),
            Ok(()) => {
                let observed = self.mended(shifted, observed);
                Err(self.taken_back((actor, action), shifted, observed))
            }
        }
    }

    /// What became of it is not known; that is recorded.
    pub(crate) fn not_known(
        &mut self,
        (actor, action): (&Actor, Action),
        shifted: &Shifted,
        missing: String,
    ) -> Error {
        let version = registry::VersionNumber(shifted.release.version);
        let text = format!(
            "whether version {version} of `{}` serves at `{}` is not known: {missing}",
            shifted.release.model, shifted.site.endpoint
        );
        let event = RolloutEvent::Unknown { version, release: shifted.name.clone(), missing };
        match self.rollout_event((actor, action, Outcome::Failed), shifted, event) {
            Ok(evidence) => Error::Port(PortError::new(Kind::Failed, text).with_help(format!(
                "recorded as {evidence}; run the same command again: it finds what is there and goes on"
            ))),
            Err(error) => error,
        }
    }

    /// It could not be made or shifted; that is recorded.
    pub(crate) fn not_done(
        &mut self,
        (actor, action): (&Actor, Action),
        shifted: &Shifted,
        error: PortError,
        observed: Option<Observed>,
    ) -> Error {
        let event = RolloutEvent::Failed {
            version: registry::VersionNumber(shifted.release.version),
            release: shifted.name.clone(),
            reason: error.to_string(),
            observed,
        };
        let recorded = self.rollout_event((actor, action, Outcome::Failed), shifted, event);
        recorded.err().unwrap_or(Error::Port(error))
    }

    /// A platform that gives up without taking the update back is sent back to what served before.
    fn mended(&self, shifted: &Shifted, observed: Observed) -> Observed {
        let (fleet, site) = (self.fleet(), &shifted.site);
        let former = shifted.before.only().filter(|former| *former != shifted.name);
        let former = former.filter(|former| !self.is_held(shifted, former));
        let back = former.filter(|_| observed.condition == Condition::Failed).map(|former| {
            fleet.shift(site, former, Pace::AtOnce).map_err(|error| error.to_string())?;
            look(fleet.as_ref(), site)
        });
        match back {
            // Why it failed is still worth knowing.
            Some(Ok(after)) => Observed { said: observed.said.or(after.said.clone()), ..after },
            _ => observed,
        }
    }

    /// The platform decided against it: alarms, or containers that were not well.
    pub(crate) fn taken_back(
        &mut self,
        (actor, action): (&Actor, Action),
        shifted: &Shifted,
        observed: Observed,
    ) -> Error {
        let Shifted { site, release, name, before, .. } = shifted;
        let said = observed.said.clone().map_or_else(String::new, |said| format!(": {said}"));
        let rest = match (observed.condition, observed.only()) {
            (Condition::Steady, Some(serving)) if before.only() == Some(serving) => {
                format!("what served before goes on serving (`{serving}`)")
            }
            (Condition::Steady, _) => {
                let names: Vec<_> =
                    observed.serving.iter().map(|share| format!("`{}`", share.release)).collect();
                format!("the endpoint serves {}", names.join(" and "))
            }
            (Condition::Absent, _) => "nothing serves".to_owned(),
            (Condition::Changing, _) => "it is still changing".to_owned(),
            (Condition::Failed, _) => "the endpoint has failed, and may serve nothing".to_owned(),
        };
        let reason = format!(
            "{} did not take version {} of `{}` to `{}`{said}; {rest}",
            site.on.platform(),
            release.version,
            release.model,
            site.endpoint
        );
        let help = Some(format!(
            "look at the alarms and at the logs of `{name}`, then deploy again; `wardmote model serving {}` says what serves",
            release.model
        ));
        let event = RolloutEvent::Failed {
            version: registry::VersionNumber(release.version),
            release: name.clone(),
            reason: reason.clone(),
            observed: Some(observed),
        };
        match self.rollout_event((actor, action, Outcome::Refused), shifted, event) {
            Ok(evidence) => Error::Refused { why: Refused { reason, help, policies: Vec::new() }, evidence },
            Err(error) => error,
        }
    }

    /// Records a decision, with what the endpoint says. The outside took its time, so that what counts now is decided again;
    /// if it is refused now, the traffic goes back.
    pub(crate) fn concluded(
        &mut self,
        (actor, action): (&Actor, Action),
        (command, planned): (&Command<'_>, Option<&RollbackPlan>),
        model: &Model,
        shifted: Option<&Shifted>,
    ) -> Result<Vec<EvidenceId>, Error> {
        let mut turn = 0;
        loop {
            turn += 1;
            self.refresh()?;
            let decided = self.decide(actor, command, model).and_then(|event| still_meant(event, planned));
            let event = match decided {
                Ok(event) => event,
                Err(refused) => {
                    if let Some(shifted) = shifted {
                        self.put_back((actor, action), shifted, &refused)?;
                    }
                    return Err(refused);
                }
            };
            let (of_model, of_endpoint) = (format!("model/{}", model.name), resource(&model.endpoint.name));
            let mut entries =
                vec![Self::done(actor, action, &of_model, Fact::Registry { event: Box::new(event) })];
            if let Some(shifted) = shifted {
                entries.insert(0, Self::done(actor, action, &of_endpoint, shifted.settled()));
            }
            match self.record(entries) {
                Err(Error::Conflict { .. }) if shifted.is_some() && turn < MOST_TURNS => {}
                other => return other,
            }
        }
    }

    /// What was shifted goes back, because the decision was refused meanwhile.
    fn put_back(
        &mut self,
        (actor, action): (&Actor, Action),
        shifted: &Shifted,
        refused: &Error,
    ) -> Result<(), Error> {
        let (fleet, site) = (self.fleet(), &shifted.site);
        let former = shifted.before.only().filter(|former| *former != shifted.name);
        let former = former.filter(|former| !self.is_held(shifted, former));
        let back = match former {
            Some(former) => fleet.shift(site, former, Pace::AtOnce),
            None => fleet.stop(site),
        };
        let looked = back.map_err(|error| error.to_string()).and_then(|()| look(fleet.as_ref(), site));
        let is_back = |seen: &Observed| match former {
            Some(former) => seen.serves(former),
            None => seen.condition == Condition::Absent,
        };
        let reason = match &looked {
            Ok(seen) if is_back(seen) => format!("refused while it was shifted, and taken back: {refused}"),
            Ok(_) => format!("refused while it was shifted, and NOT taken back: {refused}"),
            Err(why) => {
                format!("refused while it was shifted, and perhaps not taken back ({why}): {refused}")
            }
        };
        let event = RolloutEvent::Failed {
            version: registry::VersionNumber(shifted.release.version),
            release: shifted.name.clone(),
            reason,
            observed: looked.ok(),
        };
        self.rollout_event((actor, action, Outcome::Refused), shifted, event).map(|_| ())
    }

    /// Whether a release is of a version in quarantine, to which no traffic goes back.
    pub(crate) fn is_held(&self, shifted: &Shifted, release: &str) -> bool {
        let mut known = self.state.rollouts().releases(&shifted.site.endpoint);
        let of = known.find(|(name, _)| *name == release).map(|(_, version)| version);
        of.is_some_and(|version| {
            self.state.registry().check_quarantine(&shifted.release.model, version).is_err()
        })
    }

    /// Nothing serves at a model's endpoint any more.
    pub(crate) fn stop_serving(
        &mut self,
        (actor, action): (&Actor, Action),
        model: &Model,
        reason: &str,
    ) -> Result<Vec<EvidenceId>, Error> {
        let Some(site) = Self::site(model) else { return Ok(Vec::new()) };
        self.fleet().stop(&site)?;
        let event = RolloutEvent::Stopped { reason: reason.to_owned() };
        let (name, fact) =
            (resource(&site.endpoint), Fact::Rollout { endpoint: site.endpoint.clone(), event });
        self.record(vec![Self::done(actor, action, &name, fact)])
    }
}

/// A rollback of what was to be rolled back, and of nothing that came in its place meanwhile.
fn still_meant(event: Event, planned: Option<&RollbackPlan>) -> Result<Event, Error> {
    match (&event, planned) {
        (Event::RolledBack { from, to, model, .. }, Some(plan))
            if (*from, *to) != (plan.from(), plan.to()) =>
        {
            let text = format!("something else serves of `{model}` than when the rollback began");
            Err(Error::conflict(text).with_help("`wardmote model list` shows what serves now"))
        }
        _ => Ok(event),
    }
}

/// Looks until an endpoint has settled, or for as long as its site allows; why it is not known, else.
pub(crate) fn look(fleet: &dyn Fleet, site: &Site) -> Result<Observed, String> {
    let (mut looks, mut silent) = (0, 0);
    loop {
        let missing = match fleet.describe(site) {
            Ok(observed) if observed.condition != Condition::Changing => return Ok(observed),
            Ok(_) => {
                silent = 0;
                format!("it is still changing after {} minutes", site.on.time_limit_seconds() / 60)
            }
            Err(error) if error.kind() == Kind::Denied || silent + 1 >= MOST_SILENCE => {
                return Err(error.to_string());
            }
            Err(error) => {
                silent += 1;
                error.to_string()
            }
        };
        if !fleet.wait(site, looks) {
            return Err(missing);
        }
        looks += 1;
    }
}
