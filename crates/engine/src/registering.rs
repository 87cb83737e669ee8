//! Candidates: sealed, recorded, with everything that is known about where they come from.

use crate::core::NewEntry;
use crate::hands::{CodeState, hand};
use crate::record::{Fact, Refused, Snapshot};
use crate::training::model_resource;
use crate::{Done, Engine, Error, vault};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, ModelName, SnapshotName};
use guard::{Action, Resource};
use ledger::Outcome;
use registry::{Command, Environment, How, Refusal, Registration, Stage, TrainedOn, Trigger, VersionNumber};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a training run left behind.
pub(crate) struct Candidate<'a> {
    pub(crate) model: &'a Model,
    pub(crate) submitter: &'a Actor,
    pub(crate) service: &'a Actor,
    pub(crate) artefact: Vec<u8>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) code: CodeState,
    pub(crate) environment: Environment,
    pub(crate) hyperparameters: BTreeMap<String, String>,
    pub(crate) claimed_metrics: BTreeMap<String, f64>,
    pub(crate) cause: Option<EvidenceId>,
}

/// A registered candidate.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Registered {
    pub(crate) version: VersionNumber,
    pub(crate) artefact: Digest,
    pub(crate) git_commit: Option<String>,
}

/// What a version was trained on, or the sentence that says that nobody knows.
pub(crate) fn lineage(version: &registry::Version) -> Result<&SnapshotName, Error> {
    version.registration.snapshot().ok_or_else(|| {
        Error::conflict(format!(
            "what version {} of `{}` was trained on is not on record",
            version.version, version.registration.model
        ))
    })
}

impl Engine {
    /// Seals the artefact and registers the candidate under the training service's identity.
    pub(crate) fn register(&mut self, candidate: Candidate<'_>) -> Result<Done<Registered>, Error> {
        let model = candidate.model;
        let resource = model_resource(model);
        self.authorise(candidate.service, Action::ModelRegister, &resource)?;
        // It must at least load: a candidate that cannot run would only fail later and less clearly.
        self.ports
            .runtime
            .load(&candidate.artefact)
            .map_err(|error| Error::input(format!("the candidate cannot be loaded: {error}")))?;
        let artefact = Digest::of(&candidate.artefact);
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let context = vault::context("artefacts", &artefact.to_hex());
        let sealed = self.seal(candidate.service, &key, &context, &candidate.artefact)?;
        let git_commit = candidate.code.git_commit.clone();
        let (code, mut hands) = self.code_hands(model, candidate.code)?;
        hands.extend(self.data_hands(&model.name, &candidate.snapshot.name)?);
        hands.extend([
            hand(&candidate.submitter.id, How::Submitted),
            hand(&candidate.service.id, How::Trained),
        ]);
        let registration = Registration {
            model: model.name.clone(),
            artefact,
            object: sealed.object,
            size_bytes: candidate.artefact.len() as u64,
            files: None,
            data: Some(TrainedOn {
                dataset: candidate.snapshot.dataset.clone(),
                snapshot: candidate.snapshot.name.clone(),
                snapshot_digest: candidate.snapshot.digest,
            }),
            run: None,
            code,
            environment: candidate.environment,
            hyperparameters: candidate.hyperparameters,
            claimed_metrics: candidate.claimed_metrics,
            document: None,
            involved: hands.into_iter().collect(),
            trigger: candidate.cause.map_or(Trigger::Person, |evidence| Trigger::Alert { evidence }),
        };
        let event = self.decide(candidate.service, &Command::Register(Box::new(registration)), model)?;
        let registry::Event::Registered { version, .. } = &event else {
            return Err(Error::damaged("the registry answered a registration with something else"));
        };
        let version = *version;
        let registered = self.record_event(candidate.service, Action::ModelRegister, event)?;
        let (_, mut evidence) = self.run_gates(model, version, Stage::Registration)?;
        evidence.extend(registered);
        let answer = Registered { version, artefact, git_commit };
        Ok(Done { answer, evidence })
    }

    /// Lets the registry decide; a refusal is recorded and returned as an error.
    pub(crate) fn decide(
        &mut self,
        actor: &Actor,
        command: &Command<'_>,
        model: &Model,
    ) -> Result<registry::Event, Error> {
        let rules = self.rules(model)?;
        match self.state.registry().decide(command, &rules, self.now()) {
            Ok(event) => Ok(event),
            Err(refusal) => Err(self.refuse_by(actor, command, model, &refusal)),
        }
    }

    fn refuse_by(&mut self, actor: &Actor, command: &Command<'_>, model: &Model, refusal: &Refusal) -> Error {
        let (action, version) = match command {
            Command::Register(_) => (Action::ModelRegister, None),
            Command::Validate(_, version, _) => (Action::ModelValidate, Some(*version)),
            Command::AskGate(_, version, _) => (Action::ModelValidate, Some(*version)),
            Command::Approve(request) => (Action::ModelApprove, Some(request.version)),
            Command::Revoke(request) => (Action::ModelRevokeApproval, Some(request.version)),
            Command::LoseEvidence(_, version, _) => (Action::ModelRevokeApproval, Some(*version)),
            Command::Sign(_, version, _) => (Action::ModelApprove, Some(*version)),
            Command::Reject(_, version, _) => (Action::ModelReject, Some(*version)),
            Command::Deploy(_, version, _) => (Action::ModelDeploy, Some(*version)),
            Command::BreakGlass(request, ..) => (Action::ModelBreakGlass, Some(request.version)),
            Command::Rollback(..) => (Action::ModelRollback, None),
            Command::NameFallback(_, version) => (Action::ModelNameFallback, Some(*version)),
            Command::Review(_) => (Action::ModelReview, None),
            Command::FindTampered(_, version, _) => (Action::WatchRun, Some(*version)),
            Command::Restore(_, version) => (Action::IncidentAcknowledge, Some(*version)),
            Command::Quarantine(request) => (Action::ModelQuarantine, Some(request.version)),
            Command::Release(request) => (Action::ModelRelease, Some(request.version)),
            Command::Retire(_, version, _) => (Action::ModelRetire, Some(*version)),
        };
        let resource = version.map_or_else(
            || format!("model/{}", model.name),
            |version| format!("model/{}/{version}", model.name),
        );
        self.refuse(actor, action.as_str(), &resource, Refused::by(refusal))
    }

    /// Records what the registry decided.
    pub(crate) fn record_event(
        &mut self,
        actor: &Actor,
        action: Action,
        event: registry::Event,
    ) -> Result<Vec<EvidenceId>, Error> {
        let resource = format!("model/{}", event.model());
        let fact = Fact::Registry { event: Box::new(event) };
        self.record(vec![NewEntry {
            actor,
            action: action.as_str(),
            resource: &resource,
            outcome: Outcome::Done,
            fact,
        }])
    }

    /// A version as the policies see it; who had a hand in it comes from the registry.
    pub(crate) fn version_resource(&self, model: &Model, version: VersionNumber) -> Resource {
        let known = self.state.registry().version(&model.name, version);
        let people = known.map_or_else(Vec::new, |known| {
            known.registration.involved.iter().map(|i| i.person.clone()).collect()
        });
        Resource::Version {
            model: model.name.clone(),
            version: version.0,
            approver_roles: model.approvals.iter().map(|approval| approval.role.clone()).collect(),
            breaker_roles: model.break_glass.as_ref().map_or_else(Vec::new, |glass| glass.roles.clone()),
            involved: people,
            separated: model.separation.is_none(),
        }
    }

    /// A version that exists, or the sentence that says which do.
    pub(crate) fn version(
        &self,
        model: &ModelName,
        version: VersionNumber,
    ) -> Result<registry::Version, Error> {
        self.model(model)?;
        self.state.registry().version(model, version).cloned().ok_or_else(|| {
            let count = self.state.registry().model(model).map_or(0, |known| known.versions.len());
            let text = match count {
                0 => format!("there is no version {version} of `{model}`: nothing is registered yet"),
                latest => format!("there is no version {version} of `{model}`; the latest is {latest}"),
            };
            Error::not_found(text).with_help("`wardmote model list` shows the versions")
        })
    }
}
