//! Versions that nobody may use until somebody else has looked at them. That is on record first; then what serves is taken
//! out: the fallback serves, or nothing does. Whoever runs it again finds it so and goes on where it stopped.

use crate::record::Refused;
use crate::rollout::look;
use crate::{Decision, Deployed, Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, EvidenceId, ModelName};
use guard::Action;
use registry::{Command, Quarantine, QuarantineRequest, ReleaseRequest, RollbackPlan, VersionNumber};
use serde::Serialize;
use world::{Kind, Pace, PortError, Release};

/// How often it is tried to put something on record while others write.
const MOST_TURNS: u32 = 3;
/// Whoever put a version in quarantine takes it out of service; who has not done so after this time was interrupted.
const INTERRUPTED_SECONDS: i64 = 30;

/// A version in quarantine.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who put it there, when and why.
    pub quarantine: Quarantine,
    /// Whether it was there before.
    pub already: bool,
    /// Other versions of the same bytes, which nobody approves, deploys or gets either; what serves of them goes on.
    pub same_bytes: Vec<VersionNumber>,
    /// What became of its place at the endpoint.
    #[serde(flatten)]
    pub place: Vacated,
}

/// What became of the place of a version at its endpoint.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Vacated {
    /// It did not serve.
    NotServing,
    /// Another version serves.
    FellBack {
        /// Which.
        serving: Deployed,
    },
    /// Nothing serves.
    Empty {
        /// Why no other version does.
        why: String,
    },
}

impl Engine {
    /// Lets nobody use a version, at once; if it serves, it is taken out of service. An alert names its entry.
    ///
    /// # Errors
    /// If the policies refuse, there is no reason, or what serves could not be taken out; then the version is in quarantine
    /// all the same.
    pub fn quarantine(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        (reason, alert): (&str, Option<&EvidenceId>),
    ) -> Result<Done<Held>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelQuarantine, &resource)?;
        let mut evidence = Vec::new();
        let already = self.held(name, number).is_ok();
        for turn in 1..=MOST_TURNS {
            if self.held(name, number).is_ok() {
                break;
            }
            let request = QuarantineRequest { model: name, version: number, by: actor, reason, alert };
            let event = self.decide(actor, &Command::Quarantine(request), &model)?;
            match self.record_event(actor, Action::ModelQuarantine, event) {
                Ok(recorded) => evidence.extend(recorded),
                // Others may write at the same moment; this does not wait for a person to say it again.
                Err(Error::Conflict { .. }) if turn < MOST_TURNS => drop(self.refresh()?),
                Err(error) => return Err(error),
            }
        }
        let (place, entries) = self.vacate((actor, Action::ModelQuarantine), &model, number)?;
        evidence.extend(entries);
        let quarantine = self.held(name, number)?;
        if let Err(error) = self.hold_copies(&model, number, true) {
            let text = format!(
                "version {number} of `{name}` is in quarantine ({}) and does not serve, but copies of its files may still be read: {error}",
                quarantine.evidence
            );
            let error = PortError::new(Kind::Failed, text);
            return Err(Error::Port(
                error.with_help("run the same command again, it goes on where it stopped"),
            ));
        }
        let known = self.state.registry().model(name);
        let same = known.zip(self.state.registry().version(name, number));
        let same_bytes = same.map_or_else(Vec::new, |(known, version)| {
            known.same_bytes(version).map(|other| other.version).collect()
        });
        let answer = Held { model: name.clone(), version: number, quarantine, already, same_bytes, place };
        Ok(Done { answer, evidence })
    }

    /// Lets a version be approved again: somebody else has looked at it. It gets back nothing else.
    ///
    /// # Errors
    /// If it is in no quarantine, the registry or the policies refuse, or nothing was found.
    pub fn release(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        finding: &str,
    ) -> Result<Done<Decision>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        let request = ReleaseRequest { model: name, version: number, by: actor, finding };
        // The registry knows the better reason; policy has the last word all the same.
        let event = self.decide(actor, &Command::Release(request), &model)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelRelease, &resource)?;
        let evidence = self.record_event(actor, Action::ModelRelease, event)?;
        if let Err(error) = self.hold_copies(&model, number, false) {
            let text = format!(
                "version {number} of `{name}` is out of quarantine, but copies of its files are still marked: {error}"
            );
            let help = format!("`wardmote model deploy {name} {number}` takes the mark away too");
            return Err(Error::Port(PortError::new(Kind::Failed, text).with_help(help)));
        }
        let status = self.version(name, number)?.status;
        Ok(Done {
            answer: Decision { model: name.clone(), version: number, status, signature: None },
            evidence,
        })
    }

    /// Refuses to hand out what is in quarantine, and records that.
    pub(crate) fn refuse_held(
        &mut self,
        (actor, action): (&Actor, Action),
        (model, number): (&ModelName, VersionNumber),
    ) -> Result<(), Error> {
        match self.state.registry().check_quarantine(model, number) {
            Ok(()) => Ok(()),
            Err(refusal) => {
                let resource = format!("model/{model}/{number}");
                Err(self.refuse(actor, action.as_str(), &resource, Refused::by(&refusal)))
            }
        }
    }

    /// Takes out of service what is in quarantine and was left in its place by whoever put it there, on the house's own
    /// gateway. Elsewhere that takes its time, and somebody else may be at it.
    pub(crate) fn vacate_interrupted(&mut self) -> Result<Vec<EvidenceId>, Error> {
        let mut evidence = Vec::new();
        for (name, number) in self.state.registry().held_in_place() {
            let Ok(model) = self.model(&name).cloned() else { continue };
            let since = self.held(&name, number)?.time;
            if Self::site(&model).is_none() && self.now().seconds_since(since) >= INTERRUPTED_SECONDS {
                let alert = Self::alarm("quarantine")?;
                evidence.extend(self.vacate((&alert, Action::ModelQuarantine), &model, number)?.1);
            }
        }
        Ok(evidence)
    }

    fn held(&self, name: &ModelName, number: VersionNumber) -> Result<Quarantine, Error> {
        let version = self.version(name, number)?;
        let held = version.quarantined().cloned();
        held.ok_or_else(|| Error::conflict(format!("version {number} of `{name}` is not in quarantine")))
    }

    /// Whether a version has traffic on another platform, or is on the way to it, says the platform. The record may not know:
    /// somebody was stopped in between.
    fn has_traffic(&self, model: &Model, number: VersionNumber) -> Result<bool, PortError> {
        let Some(site) = Self::site(model) else { return Ok(false) };
        let begun = self.state.rollouts().releases(&site.endpoint);
        let own: Vec<&str> = begun.filter(|(_, of)| *of == number).map(|(name, _)| name).collect();
        if own.is_empty() {
            return Ok(false);
        }
        let seen = self.fleet().describe(&site)?;
        Ok(own.iter().any(|name| seen.share_of(name) > 0.0 || seen.towards.as_deref() == Some(name)))
    }

    fn has_place(&self, name: &ModelName, number: VersionNumber) -> bool {
        let serving = self.state.registry().model(name).and_then(|known| known.serving());
        serving.is_some_and(|stretch| stretch.version == number)
    }

    /// Takes a version in quarantine out of service, if it serves: by the rollback that anybody could order, or if that
    /// cannot be, by letting nothing serve.
    fn vacate(
        &mut self,
        of: (&Actor, Action),
        model: &Model,
        number: VersionNumber,
    ) -> Result<(Vacated, Vec<EvidenceId>), Error> {
        let name = &model.name;
        let quarantine = self.held(name, number)?;
        if !self.has_place(name, number) {
            let may_serve = |why: &str| may_serve(model, (number, &quarantine), why);
            if self.has_traffic(model, number).map_err(|error| may_serve(&error.to_string()))? {
                let back = self.put_right(of, model, (self.serves(name), Pace::AtOnce));
                let back = back.map_err(|error| may_serve(&error.to_string()))?;
                return Ok((Vacated::NotServing, back));
            }
            return Ok((Vacated::NotServing, Vec::new()));
        }
        let reason = format!("version {number} is {quarantine}");
        let mut why = "there is no other version that may serve again".to_owned();
        // Whatever turns out to be damaged on the way is no fallback any more, and the next one is.
        let most = self.state.registry().model(name).map_or(0, |known| known.versions.len());
        for _ in 0..most {
            if RollbackPlan::new(self.state.registry(), name, &reason).is_err() {
                break;
            }
            let fell = self.fall_back(of, model, &reason);
            // Somebody else may have been faster, and what serves now is not for us to take back.
            if !self.has_place(name, number) {
                return Ok(match fell {
                    Ok(done) => (Vacated::FellBack { serving: done.answer }, done.evidence),
                    Err(_) => (Vacated::NotServing, Vec::new()),
                });
            }
            match fell {
                Err(Error::Port(error)) if error.kind() == Kind::Damaged => why = error.to_string(),
                // Somebody wrote at the same moment, about something else.
                Err(Error::Conflict { message, .. }) => {
                    why = message;
                    self.refresh()?;
                }
                Err(error) => {
                    why = error.to_string();
                    break;
                }
                Ok(_) => return Err(Error::damaged("a rollback left what it took back in its place")),
            }
        }
        let evidence = self.let_nothing_serve(of, model, (number, &quarantine, &reason));
        match evidence {
            Ok(evidence) => Ok((Vacated::Empty { why }, evidence)),
            Err(error) => Err(may_serve(model, (number, &quarantine), &format!("{error} (first: {why})"))),
        }
    }

    /// Marks the files that another platform has a version from, so that the policy of their place keeps them from everybody;
    /// or takes the mark away. Files that are another version's too stay as what serves or is in quarantine needs them.
    pub(crate) fn hold_copies(
        &self,
        model: &Model,
        number: VersionNumber,
        held: bool,
    ) -> Result<(), PortError> {
        let known = self.state.registry().model(&model.name);
        let version = known.and_then(|known| known.version(number));
        let (Some(site), Some(known), Some(version)) = (Self::site(model), known, version) else {
            return Ok(());
        };
        let artefact = version.registration.artefact;
        let mut others = known.same_bytes(version);
        let needed = match held {
            true => others.any(|one| self.has_place(&model.name, one.version)),
            false => others.any(|one| one.quarantined().is_some()),
        };
        if needed {
            return Ok(());
        }
        let (name, recorded) = (model.name.clone(), None);
        let release = Release { model: name, version: number.0, artefact, recorded };
        self.fleet().hold(&site, &release, held)
    }

    fn let_nothing_serve(
        &mut self,
        of: (&Actor, Action),
        model: &Model,
        (number, quarantine, reason): (VersionNumber, &Quarantine, &str),
    ) -> Result<Vec<EvidenceId>, Error> {
        if let Some(site) = Self::site(model) {
            self.fleet().stop(&site)?;
            // What is told to stop has not stopped yet, and only what has is said to serve nowhere.
            let seen = look(self.fleet().as_ref(), &site);
            let left = match &seen {
                Ok(seen) if seen.serving.is_empty() => None,
                Ok(_) => Some("it was told to stop, and goes on".to_owned()),
                Err(missing) => Some(missing.clone()),
            };
            if let Some(left) = left {
                return Err(Error::Port(PortError::new(Kind::Failed, left)));
            }
        }
        // Before it is said that nothing serves: who is killed between the two says it the next time.
        let mut evidence = self.stop_serving(of, model, reason)?;
        let command = Command::LoseEvidence(&model.name, number, &quarantine.evidence);
        let event = self.decide(of.0, &command, model)?;
        evidence.extend(self.record_event(of.0, of.1, event)?);
        Ok(evidence)
    }
}

/// That what is in quarantine could not be seen to be without traffic.
fn may_serve(model: &Model, (number, quarantine): (VersionNumber, &Quarantine), why: &str) -> Error {
    let (name, endpoint) = (&model.name, &model.endpoint.name);
    let text = format!(
        "version {number} of `{name}` is in quarantine ({}), and may still serve at `{endpoint}`: {why}",
        quarantine.evidence
    );
    let help = format!(
        "run the same command again, it goes on where it stopped; `wardmote model list` and `wardmote model serving {name}` say what serves"
    );
    Error::Port(PortError::new(Kind::Failed, text).with_help(help))
}
