//! Approval by people, one step after the other; with the last one the version is signed.

use crate::governance::GOVERNOR;
use crate::record::Refused;
use crate::{Done, Engine, Error, vault};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, GateId, ModelName, PersonId};
use guard::Action;
use registry::{
    ApprovalRequest, Approved, Command, Registration, Revocation, Stage, Statement, Status, VersionNumber,
};
use serde::Serialize;
use serde_json::json;

/// The name of the artefact inside a signature.
pub(crate) const ARTEFACT: &str = "model.onnx";

/// Where a version stands after a decision about it.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Where it is now.
    pub status: Status,
    /// Digest of the signature bundle, once all approvals are given.
    pub signature: Option<Digest>,
}

impl Engine {
    /// What an approver would sign now, the gates having been asked again. Whether it may be approved is decided when the
    /// signed statement comes back.
    pub fn approval_statement(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Statement, Error> {
        let model = self.model(name)?.clone();
        let resource = self.version_resource(&model, number);
        if self.permits(actor, Action::ModelApprove, &resource) {
            self.run_gates(&model, number, Stage::Approval)?;
        }
        let rules = self.rules(self.model(name)?)?;
        self.version(name, number)?;
        let said = self.state.registry().statement((name, number), actor, &rules, self.now());
        said.map_err(|refusal| {
            let error = Error::conflict(refusal.to_string());
            refusal.help().map_or_else(|| Error::conflict(refusal.to_string()), |help| error.with_help(help))
        })
    }

    /// Approves a version without a signature of the approver's own; with the last approval it is signed by the house.
    pub fn approve(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<Decision>, Error> {
        self.approve_with(actor, (name, number), None)
    }

    /// Approves a version with the statement that the approver signed; with the last approval it is signed by the house.
    pub fn approve_signed(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        note: &str,
    ) -> Result<Done<Decision>, Error> {
        self.approve_with(actor, (name, number), Some(note))
    }

    fn approve_with(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        signed: Option<&str>,
    ) -> Result<Done<Decision>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        // Whoever signed has been shown what the gates said just before.
        if signed.is_none() && self.permits(actor, Action::ModelApprove, &resource) {
            self.run_gates(&model, number, Stage::Approval)?;
        }
        // The registry knows the better reason for the commonest refusals; policy has the last word all the same.
        let request = ApprovalRequest { model: name, version: number, approver: actor, signed };
        let complete =
            Approved::check(self.state.registry(), name, number, &self.rules(&model)?, self.now()).ok();
        let mut evidence = Vec::new();
        if complete.is_none() || version.signature.is_some() {
            let event = self.decide(actor, &Command::Approve(request), &model)?;
            self.authorise(actor, Action::ModelApprove, &resource)?;
            evidence = self.record_event(actor, Action::ModelApprove, event)?;
        }
        let signature =
            match Approved::check(self.state.registry(), name, number, &self.rules(&model)?, self.now()) {
                Ok(approved) => {
                    let (digest, signed) = self.sign(&model, &approved)?;
                    evidence.extend(signed);
                    Some(digest)
                }
                Err(_) => None,
            };
        let status = self.version(name, number)?.status;
        Ok(Done { answer: Decision { model: name.clone(), version: number, status, signature }, evidence })
    }

    /// Takes back an approval: the own one, or as a compliance officer anybody's. If the version serves and is now without
    /// what it needs, that is recorded as well; it goes on serving until somebody decides, and is not deployed again.
    pub fn revoke_approval(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        of: &PersonId,
        reason: &str,
    ) -> Result<Done<Decision>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelRevokeApproval, &resource)?;
        if !self.may_revoke(actor, of) {
            let why = Refused {
                reason: format!("`{}` cannot take back the approval of `{of}`", actor.id),
                help: Some(format!("`{of}` can, or somebody with the role `{GOVERNOR}`")),
                policies: Vec::new(),
            };
            return Err(self.refuse(actor, Action::ModelRevokeApproval.as_str(), &resource.name(), why));
        }
        let command = Command::Revoke(Revocation { model: name, version: number, of, reason });
        let event = self.decide(actor, &command, &model)?;
        let mut evidence = self.record_event(actor, Action::ModelRevokeApproval, event)?;
        let serves = self
            .state
            .registry()
            .model(name)
            .and_then(|known| known.serving())
            .map(|stretch| stretch.version);
        let complete =
            Approved::check(self.state.registry(), name, number, &self.rules(&model)?, self.now()).is_ok();
        if let (Some(cause), true, false) = (evidence.last().cloned(), serves == Some(number), complete) {
            let event = self.decide(actor, &Command::LoseEvidence(name, number, &cause), &model)?;
            evidence.extend(self.record_event(actor, Action::ModelRevokeApproval, event)?);
        }
        let status = self.version(name, number)?.status;
        Ok(Done {
            answer: Decision { model: name.clone(), version: number, status, signature: None },
            evidence,
        })
    }

    /// Refuses a version for good.
    pub fn reject(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
        reason: &str,
    ) -> Result<Done<Decision>, Error> {
        let command = Command::Reject(name, number, reason);
        self.conclude(actor, name, number, (Action::ModelReject, &command))
    }

    /// Takes a version out of use for good.
    pub fn retire(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
        reason: &str,
    ) -> Result<Done<Decision>, Error> {
        let command = Command::Retire(name, number, reason);
        self.conclude(actor, name, number, (Action::ModelRetire, &command))
    }

    fn conclude(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
        (action, command): (Action, &Command<'_>),
    ) -> Result<Done<Decision>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, action, &resource)?;
        let event = self.decide(actor, command, &model)?;
        let evidence = self.record_event(actor, action, event)?;
        let status = self.version(name, number)?.status;
        Ok(Done {
            answer: Decision { model: name.clone(), version: number, status, signature: None },
            evidence,
        })
    }

    /// Signs what was approved: the proof of approval is what makes this function callable.
    fn sign(&mut self, model: &Model, approved: &Approved) -> Result<(Digest, Vec<EvidenceId>), Error> {
        let automation = self.automation()?;
        let version = self.version(approved.model(), approved.version())?;
        let approvals: Vec<_> = approved
            .approvals()
            .iter()
            .map(|given| json!({ "approver": given.approver.id, "role": given.role, "entry": given.evidence, "validation": given.validation, "signed": given.signed.is_some(), "own_work": given.own_work }))
            .collect();
        let compared = version.gates.iter().rev().find(|(result, _)| result.gate == GateId::incumbent());
        let evidence = json!({
            "model": approved.model(), "version": approved.version(), "charter": self.charter()?.digest(),
            "snapshot": version.registration.snapshot(),
            "snapshot_digest": version.registration.data.as_ref().map(|data| data.snapshot_digest),
            "git_commit": version.registration.code.git_commit, "approvals": approvals,
            "environment": version.registration.environment,
            "compared_with": compared.and_then(|(result, _)| result.incumbent.as_ref()),
            "comparison": compared.map(|(_, entry)| entry),
        });
        let name = format!("{}-v{}", approved.model(), approved.version());
        let (digest, object) = self.bundle(&name, &version.registration, &evidence)?;
        let command = Command::Sign(approved.model(), approved.version(), (digest, object));
        let event = self.decide(&automation, &command, model)?;
        let evidence = self.record_event(&automation, Action::KeyUse, event)?;
        Ok((digest, evidence))
    }

    /// Makes and keeps a signature bundle over the files of a version; gives its digest and object.
    pub(crate) fn bundle(
        &mut self,
        name: &str,
        registration: &Registration,
        evidence: &serde_json::Value,
    ) -> Result<(Digest, String), Error> {
        let automation = self.automation()?;
        let key = self.signing_key()?;
        let payload = signing::statement(name, &self.signed_files(registration)?, evidence);
        self.key_use(&automation, &key, "sign", &vault::context("signatures", name))?;
        let der = self
            .ports
            .keys
            .sign(&key, &signing::pae(&payload))
            .map_err(|error| self.explain_key(&key, error))?;
        let bundle = signing::bundle(&payload, &der, &self.signature_key()?);
        let digest = Digest::of(&bundle);
        let object = format!("signatures/{}", digest.to_hex());
        self.ports.objects.put(&object, &bundle)?;
        Ok((digest, object))
    }
}
