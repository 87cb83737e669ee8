//! Deployment and rollback: plan, check the plan, execute, record. And what a gateway needs to serve.

use crate::approval::ARTEFACT;
use crate::governance::SIGNING_KEY;
use crate::rollout::{Shifted, Warrant};
use crate::training::model_resource;
use crate::{Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, Digest, EndpointName, KeyId, ModelName, PersonId};
use guard::{Action, Resource};
use registry::{Approved, Command, DeploymentPlan, Registration, RollbackPlan, Stage, VersionNumber};
use serde::Serialize;
use signing::VerifyingKey;
use std::collections::BTreeSet;
use world::{Kind, LoadedModel};

/// What serves now.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed {
    /// The model.
    pub model: ModelName,
    /// The version that serves.
    pub version: VersionNumber,
    /// Where.
    pub endpoint: EndpointName,
    /// The version that served before.
    pub replaced: Option<VersionNumber>,
    /// Where, if not on the gateway of the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<PlacedOn>,
}

/// A release on another platform.
#[derive(Debug, Clone, Serialize)]
pub struct PlacedOn {
    /// The platform: `SageMaker`.
    pub platform: &'static str,
    /// The name of the release there.
    pub release: String,
}

/// A model behind an endpoint, loaded.
pub struct ServingModel {
    /// Where.
    pub endpoint: EndpointName,
    /// The model.
    pub model: ModelName,
    /// The label that counts as positive.
    pub positive_label: String,
    /// The share of requests that is captured.
    pub capture_share: f64,
    /// Who may call it, as the policies decide.
    pub allowed: BTreeSet<PersonId>,
    /// The version, if one is deployed and may serve.
    pub version: Option<(VersionNumber, Box<dyn LoadedModel>)>,
    /// Why the version that is deployed does not serve, if it is not what was registered.
    pub withheld: Option<String>,
}

impl Engine {
    /// Puts an approved, signed version behind the model's endpoint.
    pub fn deploy(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<Deployed>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelDeploy, &resource)?;
        // What is out of its time serves no more, and is no incumbent either.
        self.end_lapsed(&model)?;
        self.run_gates(&model, number, Stage::Deployment)?;
        let endpoint = model.endpoint.name.clone();
        let command = Command::Deploy(name, number, (endpoint.clone(), &actor.id));
        // The registry decides on a refusal's wording and records it; the plan below carries the proof.
        self.decide(actor, &command, &model)?;
        let rules = self.rules(&model)?;
        let planned =
            Approved::check(self.state.registry(), name, number, &rules, self.now()).and_then(|approved| {
                DeploymentPlan::new(self.state.registry(), approved, endpoint.clone(), &rules)
            });
        let plan = planned.map_err(|refusal| Error::conflict(refusal.to_string()))?;
        let (digest, object) = plan.bundle();
        let held = self.check_signature(object, digest, &version.registration);
        self.noticing((name.as_str(), number.0), held)?;
        let replaced = plan.replaced();
        let of = (actor, Action::ModelDeploy);
        let shifted = self.roll_out(of, &model, &version, &Warrant::Plan(&plan))?;
        let evidence = self.concluded(of, (&command, None), &model, shifted.as_ref())?;
        let on = shifted.as_ref().map(Shifted::placed_on);
        Ok(Done {
            answer: Deployed { model: name.clone(), version: number, endpoint, replaced, on },
            evidence,
        })
    }

    /// Puts the version back that served before. No new approval is needed: that is what a fallback is for.
    pub fn rollback(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        reason: &str,
    ) -> Result<Done<Deployed>, Error> {
        let model = self.model(name)?.clone();
        self.authorise(actor, Action::ModelRollback, &model_resource(&model))?;
        self.fall_back((actor, Action::ModelRollback), &model, reason)
    }

    /// Puts the fallback in the place of what serves; who may was asked before.
    pub(crate) fn fall_back(
        &mut self,
        of: (&Actor, Action),
        model: &Model,
        reason: &str,
    ) -> Result<Done<Deployed>, Error> {
        let (actor, name) = (of.0, &model.name);
        let command = Command::Rollback(name, reason, &actor.id);
        self.decide(actor, &command, model)?;
        let plan = RollbackPlan::new(self.state.registry(), name, reason)
            .map_err(|refusal| Error::conflict(refusal.to_string()))?;
        let fallback = self.version(name, plan.to())?;
        if let Some((digest, object, _)) = &fallback.signature {
            let held = self.check_signature(object, digest, &fallback.registration);
            self.noticing((name.as_str(), fallback.version.0), held)?;
        }
        let shifted = self.roll_out(of, model, &fallback, &Warrant::Rollback(&plan))?;
        let evidence = self.concluded(of, (&command, Some(&plan)), model, shifted.as_ref())?;
        let answer = Deployed {
            model: name.clone(),
            version: plan.to(),
            endpoint: model.endpoint.name.clone(),
            replaced: Some(plan.from()),
            on: shifted.as_ref().map(Shifted::placed_on),
        };
        Ok(Done { answer, evidence })
    }

    /// Everything that is to be served, loaded.
    pub fn serving_models(&mut self) -> Result<Vec<ServingModel>, Error> {
        let automation = self.automation()?;
        let models = self.charter()?.charter().models.clone();
        let mut list = Vec::new();
        // What serves elsewhere is not served here as well.
        for model in models.into_iter().filter(|model| model.endpoint.serve_on.is_none()) {
            let endpoint = Resource::Endpoint {
                name: model.endpoint.name.clone(),
                consumers: model.endpoint.consumers.clone(),
            };
            self.authorise(&automation, Action::EndpointServe, &endpoint)?;
            let loaded = match self.serves(&model.name) {
                None => Ok(None),
                Some(number) => self.load_serving(&automation, &model, number).map(Some),
            };
            let (version, withheld) = match loaded {
                Ok(version) => (version, None),
                // It is an incident, and no reason to keep back the other models.
                Err(Error::Port(port)) if port.kind() == Kind::Damaged => (None, Some(port.to_string())),
                Err(error) => return Err(error),
            };
            let allowed = self.who_may(Action::EndpointInvoke, &endpoint)?;
            list.push(ServingModel {
                endpoint: model.endpoint.name,
                model: model.name,
                positive_label: model.training.positive_label,
                capture_share: model.endpoint.capture_share,
                allowed,
                version,
                withheld,
            });
        }
        Ok(list)
    }

    /// A version that serves, with its signature checked.
    fn load_serving(
        &mut self,
        automation: &Actor,
        model: &Model,
        number: VersionNumber,
    ) -> Result<(VersionNumber, Box<dyn LoadedModel>), Error> {
        let version = self.version(&model.name, number)?;
        let (digest, object) = version
            .bundle()
            .ok_or_else(|| Error::damaged(format!("version {number} of `{}` serves unsigned", model.name)))?;
        let held = self.check_signature(object, digest, &version.registration);
        self.noticing((model.name.as_str(), number.0), held)?;
        Ok((number, self.load_version(automation, model, &version)?))
    }

    fn who_may(&self, action: Action, resource: &Resource) -> Result<BTreeSet<PersonId>, Error> {
        let charter = self.charter()?.charter();
        let everybody = charter
            .people
            .iter()
            .map(|person| &person.id)
            .chain(charter.services.iter().map(|service| &service.id));
        let mut allowed = BTreeSet::new();
        for id in everybody {
            if self.permits(&self.actor(id)?, action, resource) {
                allowed.insert(id.clone());
            }
        }
        Ok(allowed)
    }

    /// The files that a version's signature speaks of.
    pub(crate) fn signed_files(&self, registration: &Registration) -> Result<Vec<(String, Digest)>, Error> {
        match registration.files {
            None => Ok(vec![(ARTEFACT.to_owned(), registration.artefact)]),
            Some(_) => Ok(self.manifest(&registration.object, &registration.artefact)?.resources()),
        }
    }

    /// The key that signs versions.
    pub(crate) fn signing_key(&self) -> Result<KeyId, Error> {
        SIGNING_KEY.parse().map_err(|error: facts::ParseError| Error::input(error.to_string()))
    }

    /// What its signatures are checked with.
    pub(crate) fn signature_key(&self) -> Result<VerifyingKey, Error> {
        VerifyingKey::parse(&self.public_signing_key()?).map_err(|why| {
            Error::damaged(format!("the public half of the key `{SIGNING_KEY}` is damaged: {why}"))
        })
    }

    /// Its public half, in PEM.
    pub(crate) fn public_signing_key(&self) -> Result<String, Error> {
        let key = self.signing_key()?;
        let public = self.ports.keys.public_key(&key).map_err(|error| self.explain_key(&key, error))?;
        Ok(public.0)
    }

    /// The bundle is the one recorded, it is signed by our key, and it speaks of these files.
    pub(crate) fn check_signature(
        &self,
        object: &str,
        digest: &Digest,
        registration: &Registration,
    ) -> Result<(), Error> {
        let bundle = self.ports.objects.get(object)?;
        if Digest::of(&bundle) != *digest {
            return Err(Error::damaged(format!("the signature `{object}` is not the one that was recorded")));
        }
        let files = self.signed_files(registration)?;
        signing::open(&bundle, &self.signature_key()?)
            .and_then(|signed| signed.holds_for(&files))
            .map_err(|why| Error::damaged(format!("the signature `{object}` does not hold: {why}")))
    }
}
