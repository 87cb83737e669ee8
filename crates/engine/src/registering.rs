//! Candidates: sealed, recorded, with everything that is known about where they come from.

use crate::core::NewEntry;
use crate::record::{Fact, Origin, Refused, Snapshot};
use crate::training::{CodeState, model_resource};
use crate::{Done, Engine, Error, vault};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, ModelName, PersonId, SnapshotName};
use guard::{Action, Resource};
use ledger::Outcome;
use registry::{Command, How, Involvement, Refusal, Registration, TrainedOn, Trigger, VersionNumber};
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
            code: registry::CodeVersion {
                git_commit: candidate.code.git_commit.clone(),
                dirty: candidate.code.dirty,
            },
            hyperparameters: candidate.hyperparameters,
            claimed_metrics: candidate.claimed_metrics,
            document: None,
            involved: self.involved(candidate.submitter, candidate.service, candidate.snapshot),
            trigger: candidate.cause.map_or(Trigger::Person, |evidence| Trigger::Alert { evidence }),
        };
        let event = self.decide(candidate.service, &Command::Register(Box::new(registration)), model)?;
        let registry::Event::Registered { version, .. } = &event else {
            return Err(Error::damaged("the registry answered a registration with something else"));
        };
        let version = *version;
        let evidence = self.record_event(candidate.service, Action::ModelRegister, event)?;
        let answer = Registered { version, artefact, git_commit: candidate.code.git_commit };
        Ok(Done { answer, evidence })
    }

    /// Everybody who had a hand in a version: submitter, training service, and whoever made the data that it rests on.
    fn involved(&self, submitter: &Actor, service: &Actor, snapshot: &Snapshot) -> Vec<Involvement> {
        let hand = |person: &PersonId, how| Involvement { person: person.clone(), how };
        let mut involved = vec![hand(&submitter.id, How::Submitted), hand(&service.id, How::Trained)];
        self.prepared(snapshot, &mut involved);
        involved.sort();
        involved.dedup();
        involved
    }

    /// Whoever made a snapshot and what it was made from.
    pub(crate) fn prepared(&self, snapshot: &Snapshot, involved: &mut Vec<Involvement>) {
        let mut name = Some(snapshot.name.clone());
        while let Some(current) = name.take() {
            let Some(recorded) = self.state.snapshot(&current) else { break };
            involved.push(Involvement { person: recorded.by.clone(), how: How::PreparedData });
            name = match &recorded.what.origin {
                Origin::File { .. } => None,
                Origin::Pseudonymised { source, .. } => Some(source.clone()),
                Origin::Feedback { base, .. } => Some(base.clone()),
            };
        }
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
            Command::Approve(request) => (Action::ModelApprove, Some(request.version)),
            Command::Revoke(request) => (Action::ModelRevokeApproval, Some(request.version)),
            Command::LoseEvidence(_, version, _) => (Action::ModelRevokeApproval, Some(*version)),
            Command::Sign(_, version, _) => (Action::ModelApprove, Some(*version)),
            Command::Reject(_, version, _) => (Action::ModelReject, Some(*version)),
            Command::Deploy(_, version, _) => (Action::ModelDeploy, Some(*version)),
            Command::Rollback(..) => (Action::ModelRollback, None),
            Command::Retire(_, version, _) => (Action::ModelRetire, Some(*version)),
        };
        let resource = version.map_or_else(
            || format!("model/{}", model.name),
            |version| format!("model/{}/{version}", model.name),
        );
        let why = Refused { reason: refusal.to_string(), help: refusal.help(), policies: Vec::new() };
        self.refuse(actor, action.as_str(), &resource, why)
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
            involved: people,
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
