//! Approval by people, one step after the other; with the last one the version is signed.

use crate::{Done, Engine, Error, signing, vault};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, ModelName};
use guard::Action;
use registry::{ApprovalRequest, Approved, Command, Status, VersionNumber};
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
    /// Approves a version. With the last approval it is signed.
    pub fn approve(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<Decision>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        // The registry knows the better reason for the commonest refusals; policy has the last word all the same.
        let request = ApprovalRequest { model: name, version: number, approver: actor };
        let complete =
            Approved::check(self.state.registry(), name, number, &self.rules(&model)?, self.now()).ok();
        let mut evidence = Vec::new();
        if complete.is_none() || version.signature.is_some() {
            let event = self.decide(actor, &Command::Approve(request), &model)?;
            let resource = self.version_resource(&model, number);
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
        let key = self.signing_key()?;
        let version = self.version(approved.model(), approved.version())?;
        let approvals: Vec<_> = approved
            .approvals()
            .iter()
            .map(|given| json!({ "approver": given.approver.id, "role": given.role, "entry": given.evidence, "validation": given.validation }))
            .collect();
        let evidence = json!({
            "model": approved.model(), "version": approved.version(), "charter": self.charter()?.digest(),
            "snapshot": version.registration.snapshot(),
            "snapshot_digest": version.registration.data.as_ref().map(|data| data.snapshot_digest),
            "git_commit": version.registration.code.git_commit, "approvals": approvals,
        });
        let name = format!("{}-v{}", approved.model(), approved.version());
        let resources = self.signed_files(&version.registration)?;
        let payload = signing::statement(&name, &resources, &evidence);
        self.key_use(&automation, &key, "sign", &vault::context("signatures", &name))?;
        let der = self
            .ports
            .keys
            .sign(&key, &signing::pae(&payload))
            .map_err(|error| self.explain_key(&key, error))?;
        let public = self.ports.keys.public_key(&key).map_err(|error| self.explain_key(&key, error))?;
        let bundle = signing::bundle(&payload, &der, &public);
        let digest = Digest::of(&bundle);
        let object = format!("signatures/{}", digest.to_hex());
        self.ports.objects.put(&object, &bundle)?;
        let command = Command::Sign(approved.model(), approved.version(), (digest, object));
        let event = self.decide(&automation, &command, model)?;
        let evidence = self.record_event(&automation, Action::KeyUse, event)?;
        Ok((digest, evidence))
    }
}
