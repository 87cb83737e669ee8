//! What says that a version is in production: some aliases, and MLflow's stage of that name. A model of the charter gets
//! there only approved and signed, and any other model not at all; the attempt opens a request for what is missing.

use super::no_version;
use crate::core::NewEntry;
use crate::record::{ApprovalRequested, Fact, Refused};
use crate::{Engine, Error};
use charter::model::Model;
use facts::{Actor, EvidenceId, ModelName, PersonId, Timestamp};
use guard::Action;
use ledger::Outcome;
use mlflow::catalogue::Event;
use mlflow::check;
use registry::{Approved, Refusal, VersionNumber};
use serde::Serialize;
use std::fmt;

/// The alias of the version that serves.
pub(crate) const PRODUCTION: &str = "production";
/// Aliases that say that a version is in production, whichever way they are spelt.
const PRODUCTION_ALIASES: [&str; 3] = ["champion", "prod", PRODUCTION];
const PRODUCTION_STAGE: &str = "Production";

/// What somebody wants a version to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// An alias.
    Alias(&'a str),
    /// MLflow's stage.
    Stage(&'a str),
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(alias) => write!(f, "alias {alias}"),
            Self::Stage(stage) => write!(f, "stage {stage}"),
        }
    }
}

impl Wanted<'_> {
    fn says_production(self, chartered: bool) -> bool {
        match self {
            Self::Stage(stage) => stage.eq_ignore_ascii_case(PRODUCTION_STAGE),
            // Outside the charter `champion` is a word like any other: only people who may load unapproved versions can follow it.
            Self::Alias(alias) if !chartered && alias.eq_ignore_ascii_case("champion") => false,
            Self::Alias(alias) => PRODUCTION_ALIASES.iter().any(|name| name.eq_ignore_ascii_case(alias)),
        }
    }
}

/// A request for approval that waits, and for what.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingRequest {
    /// Its id: `AR-3`.
    pub request: String,
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// What was wanted.
    pub wanted: String,
    /// Who asked.
    pub by: PersonId,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// What is missing now, and who can give it.
    pub missing: String,
}

impl Engine {
    /// The requests for approval that still wait, oldest first: what was asked for is not possible yet.
    pub fn waiting_requests(&self) -> impl Iterator<Item = WaitingRequest> + '_ {
        self.state.requests().iter().filter_map(|request| {
            let asked = &request.what;
            let model = self.model(&asked.model).ok()?;
            let missing = match self.in_force(model, asked.version) {
                Ok(Ok(())) => return None,
                Ok(Err(refusal)) => match refusal.help() {
                    Some(help) => format!("{refusal}; {help}"),
                    None => refusal.to_string(),
                },
                Err(error) => error.to_string(),
            };
            Some(WaitingRequest {
                request: asked.request.clone(),
                model: asked.model.clone(),
                version: asked.version,
                wanted: asked.wanted.clone(),
                by: request.by.clone(),
                time: request.time,
                evidence: request.evidence.clone(),
                missing,
            })
        })
    }

    /// Lets an alias name a version.
    ///
    /// # Errors
    /// If there is no such version, or the alias says production and the version may not be there.
    pub fn set_alias(
        &mut self,
        actor: &Actor,
        (name, version): (&str, u32),
        alias: &str,
    ) -> Result<(), Error> {
        check::alias(alias)?;
        self.admit(actor, (name, version), Wanted::Alias(alias))?;
        let event =
            Event::AliasSet { name: name.to_owned(), alias: alias.to_owned(), version: Some(version) };
        self.catalogue_event(actor, event)
    }

    /// Takes an alias away.
    ///
    /// # Errors
    /// If there is no such model.
    pub fn delete_alias(&mut self, actor: &Actor, name: &str, alias: &str) -> Result<(), Error> {
        self.registered_model(name)?;
        let production = Wanted::Alias(alias).says_production(self.is_chartered(name));
        let action = if production { Action::RegistryPromote } else { Action::RegistryWrite };
        self.authorise_registry(actor, action, name)?;
        if self.registered_model(name)?.aliases.contains_key(alias) {
            let event = Event::AliasSet { name: name.to_owned(), alias: alias.to_owned(), version: None };
            self.catalogue_event(actor, event)?;
        }
        Ok(())
    }

    /// Moves a version to a stage, and if asked all others that are in it to the archive.
    ///
    /// # Errors
    /// If there is no such version or stage, or the stage says production and the version may not be there.
    pub fn set_stage(
        &mut self,
        actor: &Actor,
        (name, version): (&str, u32),
        (stage, archive): (&str, bool),
    ) -> Result<(), Error> {
        let stage = check::stage(stage)?;
        self.admit(actor, (name, version), Wanted::Stage(stage))?;
        let (model, _) = self.registered_version(name, version)?;
        let others = model.versions.values().filter(|other| other.stage == stage && other.number != version);
        let archived = if archive { others.map(|other| other.number).collect() } else { Vec::new() };
        let event = Event::StageChanged { name: name.to_owned(), version, stage: stage.to_owned(), archived };
        self.catalogue_event(actor, event)
    }

    /// Whether a version may be called so; a refusal is recorded, and the request that it opens.
    fn admit(
        &mut self,
        actor: &Actor,
        (name, version): (&str, u32),
        wanted: Wanted<'_>,
    ) -> Result<(), Error> {
        self.registered_version(name, version)?;
        let chartered = self.chartered(name);
        if !wanted.says_production(chartered.is_some()) {
            return self.authorise_registry(actor, Action::RegistryWrite, name);
        }
        self.authorise_registry(actor, Action::RegistryPromote, name)?;
        let Some(model) = chartered else { return Err(self.refuse_unchartered(actor, name, wanted)) };
        let number = VersionNumber(version);
        if self.state.registry().version(&model.name, number).is_none() {
            return Err(no_version(name, version));
        }
        let known = self.in_force(&model, number);
        if let Err(refusal) = self.noticing((name, version), known)? {
            return Err(self.request_approval(actor, (&model.name, number), wanted, &refusal));
        }
        Ok(())
    }

    /// Whether a version has all its approvals and a signature that holds.
    pub(super) fn in_force(
        &self,
        model: &Model,
        number: VersionNumber,
    ) -> Result<Result<(), Refusal>, Error> {
        let rules = self.rules(model)?;
        let (state, now) = (self.state.registry(), self.now());
        // In an emergency a version serves without approvals until its time is over, and may be loaded as long.
        let emergency = state
            .model(&model.name)
            .and_then(|known| known.serving())
            .filter(|stretch| stretch.version == number)
            .and_then(|stretch| stretch.broken_glass.as_ref())
            .is_some_and(|glass| now < glass.until);
        match Approved::check(state, &model.name, number, &rules, now) {
            Err(refusal) if !emergency => return Ok(Err(refusal)),
            _ => {}
        }
        let version = self.version(&model.name, number)?;
        let signed = emergency || version.signature.is_some();
        let (digest, object) = version.bundle().filter(|_| signed).ok_or_else(|| {
            Error::conflict(format!("version {number} of `{}` is approved and not signed yet", model.name))
                .with_help(format!("run `wardmote model approve {} {number} --as ID` again", model.name))
        })?;
        self.check_signature(object, digest, &version.registration)?;
        Ok(Ok(()))
    }

    fn refuse_unchartered(&mut self, actor: &Actor, name: &str, wanted: Wanted<'_>) -> Error {
        let why = Refused {
            reason: format!(
                "`{name}` gets no {wanted}: the charter does not name it, and nothing else goes to production"
            ),
            help: Some("a compliance officer adds the model to the charter: `wardmote apply`".to_owned()),
            policies: Vec::new(),
        };
        self.refuse(actor, Action::RegistryPromote.as_str(), &format!("registered-models/{name}"), why)
    }

    /// Opens a request for what is missing, or finds the one that is open, and refuses.
    fn request_approval(
        &mut self,
        actor: &Actor,
        (model, version): (&ModelName, VersionNumber),
        wanted: Wanted<'_>,
        refusal: &Refusal,
    ) -> Error {
        let open = self.state.requests().iter().find(|request| {
            request.what.model == *model
                && request.what.version == version
                && request.what.wanted == wanted.to_string()
        });
        let (request, said) = match open {
            Some(open) => (open.what.request.clone(), "is open"),
            None => (format!("AR-{}", self.state.requests().len() + 1), "opened"),
        };
        if said == "opened" {
            let resource = format!("model/{model}/{}", version.0);
            let opened = ApprovalRequested {
                request: request.clone(),
                model: model.clone(),
                version,
                wanted: wanted.to_string(),
            };
            let entry = NewEntry {
                actor,
                action: Action::RegistryPromote.as_str(),
                resource: &resource,
                outcome: Outcome::Done,
                fact: Fact::ApprovalRequested(opened),
            };
            if let Err(error) = self.record(vec![entry]) {
                return error;
            }
        }
        let why = Refused {
            reason: format!(
                "{wanted} needs an approved version: {refusal} (approval request {request} {said})"
            ),
            help: refusal.help(),
            policies: Vec::new(),
        };
        self.refuse(actor, Action::RegistryPromote.as_str(), &format!("registered-models/{model}"), why)
    }
}
