//! What is read of a version and is not what was registered: an incident, once for each version and cause, and a mark on the
//! version, so that it is not deployed, approved or served until all of it is again what it was.

use crate::core::NewEntry;
use crate::posture::{Closing, IncidentEvent, IncidentNews, IncidentOpening, short, stream};
use crate::record::{Fact, Refused};
use crate::{Done, Engine, Error};
use aws_lc_rs::digest::{Context, SHA256};
use facts::inventory::EMBEDDED;
use facts::{Actor, EvidenceId, ModelName};
use guard::{Action, Resource};
use ledger::Outcome;
use registry::{Command, VersionNumber};
use world::Kind;

/// The type of a version, as in the inventory of the house.
const MODEL_VERSION: &str = "AWS::SageMaker::ModelPackage";
/// What stands where the id of a control would.
const CONTROL: &str = "artefact-integrity";
/// Further causes are not recorded of a version of which so many are open: it is marked, and that is enough.
const MOST_CAUSES: usize = 10;

impl Engine {
    /// Passes on what was read of a version. If that is not what was registered, it is recorded first; what cannot be
    /// recorded changes nothing about the refusal.
    pub fn noticing<T>(&mut self, which: (&str, u32), read: Result<T, Error>) -> Result<T, Error> {
        let Err(error) = read else { return read };
        if let Error::Port(port) = &error
            && port.kind() == Kind::Damaged
        {
            drop(self.found_tampered(which, &error.to_string()));
        }
        Err(error)
    }

    /// Records that something of a version is not what was registered; nothing if that is on record and not put right.
    fn found_tampered(&mut self, (name, number): (&str, u32), cause: &str) -> Result<Vec<EvidenceId>, Error> {
        let (cause, resource) = (short(cause), format!("{name}/{number}"));
        let open = self.open_tamperings(&resource);
        if open.len() >= MOST_CAUSES || open.iter().any(|(_, known)| *known == cause) {
            return Ok(Vec::new());
        }
        let actor = self.automation()?;
        let id = format!("I-{}", self.state.postures().incidents().len() + 1);
        let opening = IncidentOpening {
            account: crate::embedded::ACCOUNT.to_owned(),
            region: EMBEDDED.to_owned(),
            control: CONTROL.to_owned(),
            kind: MODEL_VERSION.to_owned(),
            resource,
            severity: "critical".to_owned(),
            reason: cause.clone(),
            evidence: Vec::new(),
            changed: Vec::new(),
            cause: None,
        };
        let event = IncidentEvent::Opened(Box::new(opening));
        let (incident, governed) = (stream(&id), format!("model/{name}"));
        let entry = |resource, fact| NewEntry {
            actor: &actor,
            action: Action::WatchRun.as_str(),
            resource,
            outcome: Outcome::Done,
            fact,
        };
        let mut entries = Vec::new();
        let marked = self.registered(name, number);
        if let Some((model, version)) = &marked {
            let rules = self.rules(self.model(model)?)?;
            let command = Command::FindTampered(model, *version, &cause);
            let decided = self.state.registry().decide(&command, &rules, self.now());
            let event = decided.map_err(|refusal| Error::conflict(refusal.to_string()))?;
            entries.push(entry(governed.as_str(), Fact::Registry { event: Box::new(event) }));
        }
        entries.push(entry(incident.as_str(), Fact::Incident { incident: id, event }));
        let mut evidence = self.record(entries)?;
        let serving = |(model, version): &(ModelName, VersionNumber)| {
            let stretch = self.state.registry().model(model)?.serving()?;
            (stretch.version == *version).then_some(())
        };
        if let (Some(which), Some(cause)) =
            (marked.filter(|which| serving(which).is_some()), evidence.first().cloned())
        {
            let model = self.model(&which.0)?.clone();
            let event = self.decide(&actor, &Command::LoseEvidence(&which.0, which.1, &cause), &model)?;
            evidence.extend(self.record_event(&actor, Action::WatchRun, event)?);
        }
        Ok(evidence)
    }

    /// Ends an incident about the bytes of a version, all of them having been read again and found to be what was
    /// registered. All incidents of the version end with it.
    pub fn resolve_incident(
        &mut self,
        actor: &Actor,
        id: &str,
        note: Option<&str>,
    ) -> Result<Done<IncidentNews>, Error> {
        let opening = self.open_incident(id)?.opened.what.clone();
        if opening.control != CONTROL || opening.kind != MODEL_VERSION {
            return Err(Error::conflict(format!(
                "the incident `{id}` ends by itself, when its control holds"
            ))
            .with_help("put right what it names, and `wardmote watch` ends it"));
        }
        self.authorise(
            actor,
            Action::IncidentAcknowledge,
            &Resource::Account { id: opening.account.clone() },
        )?;
        let wrong = || Error::damaged(format!("the incident `{id}` names no version"));
        let (name, number) = opening.resource.rsplit_once('/').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        if let Err(error) = self.read_all(name, number) {
            let why = Refused {
                reason: format!("version {number} of `{name}` is still not what was registered: {error}"),
                help: Some("put the bytes back from a copy of the objects, then resolve it again".to_owned()),
                policies: Vec::new(),
            };
            return Err(self.refuse(actor, Action::IncidentAcknowledge.as_str(), &stream(id), why));
        }
        let of_version = self.open_tamperings(&opening.resource);
        let names: Vec<(String, String)> = of_version.into_iter().map(|(id, _)| (stream(&id), id)).collect();
        let mut entries = Vec::new();
        let governed = format!("model/{name}");
        let action = Action::IncidentAcknowledge;
        if let Some((model, version)) = self.registered(name, number) {
            let charter = self.model(&model)?.clone();
            let event = self.decide(actor, &Command::Restore(&model, version), &charter)?;
            entries.push(Self::done(actor, action, &governed, Fact::Registry { event: Box::new(event) }));
        }
        for (stream, id) in &names {
            let taken = IncidentEvent::Acknowledged { note: note.map(short) };
            for event in [taken, IncidentEvent::Closed { because: Closing::Holds }] {
                entries.push(Self::done(
                    actor,
                    action,
                    stream,
                    Fact::Incident { incident: id.clone(), event },
                ));
            }
        }
        let evidence = self.record(entries)?;
        let known = self.state.postures().incident(id);
        let answer =
            known.map(IncidentNews::of).ok_or_else(|| Error::damaged("the incident is not recorded"))?;
        Ok(Done { answer, evidence })
    }

    /// The open incidents about the bytes of a version: ids and causes.
    fn open_tamperings(&self, resource: &str) -> Vec<(String, String)> {
        let all = self.state.postures().incidents().iter().filter(|one| {
            let of = &one.opened.what;
            one.closed.is_none()
                && of.control == CONTROL
                && of.kind == MODEL_VERSION
                && of.resource == resource
        });
        all.map(|one| (one.id.clone(), one.opened.what.reason.clone())).collect()
    }

    /// A version that the registry governs.
    fn registered(&self, name: &str, number: u32) -> Option<(ModelName, VersionNumber)> {
        let model: ModelName = name.parse().ok()?;
        self.model(&model).ok()?;
        self.state.registry().version(&model, VersionNumber(number))?;
        Some((model, VersionNumber(number)))
    }

    /// Reads every byte of a version and its signatures; in memory is one part at most of a folder's files.
    fn read_all(&mut self, name: &str, number: u32) -> Result<(), Error> {
        let Some((model, version)) = self.registered(name, number) else {
            let (_, version) = self.registered_version(name, number)?;
            let Some(files) = version.made.files.clone() else { return Ok(()) };
            return self.read_folder(&files.object, &files.digest);
        };
        let charter = self.model(&model)?.clone();
        let version = self.version(&model, version)?;
        let registration = &version.registration;
        match registration.files {
            Some(_) => self.read_folder(&registration.object, &registration.artefact)?,
            None => drop(self.artefact(&self.automation()?, &charter, &version)?),
        }
        for (digest, object, _) in version.signature.iter().chain(&version.emergency) {
            self.check_signature(object, digest, registration)?;
        }
        Ok(())
    }

    fn read_folder(&mut self, object: &str, artefact: &facts::Digest) -> Result<(), Error> {
        for (path, file) in self.manifest(object, artefact)?.files {
            let (expected, parts) = (file.digest, file.parts.len());
            let opening = self.begin_reading(file)?;
            let mut hash = Context::new(&SHA256);
            for n in 0..parts {
                hash.update(&opening.part(n)?);
            }
            if hash.finish().as_ref() != expected.as_bytes() {
                return Err(Error::damaged(format!("the digest of the file `{path}` differs")));
            }
        }
        Ok(())
    }
}
