//! What is decided without approvals, and the reviews that follow: emergencies, fallbacks, and answers to reviews.

use crate::record::Refused;
use crate::rollout::{Shifted, Warrant};
use crate::training::model_resource;
use crate::{Deployed, Done, Engine, Error};
use facts::{Actor, EvidenceId, ModelName, Timestamp};
use guard::Action;
use registry::{Approved, Command, Emergency, EmergencyRequest, Review, ReviewRequest, Stage, VersionNumber};
use serde::Serialize;
use serde_json::json;

/// A review as people look at it.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewView {
    /// The model.
    pub model: ModelName,
    /// The review.
    #[serde(flatten)]
    pub review: Review,
    /// Whether it should be done by now, and is not.
    pub overdue: bool,
}

/// The version named to fall back to.
#[derive(Debug, Clone, Serialize)]
pub struct Fallback {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
}

impl Engine {
    /// Puts a version that passed its gates behind the endpoint without approvals, until a time, for a reason.
    pub fn break_glass(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        reason: &str,
        until: Timestamp,
    ) -> Result<Done<Deployed>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        if self.permits(actor, Action::ModelBreakGlass, &resource) {
            self.run_gates(&model, number, Stage::Deployment)?;
        }
        let request = EmergencyRequest { model: name, version: number, by: actor, reason, until };
        let endpoint = model.endpoint.name.clone();
        let checked = Emergency::check(self.state.registry(), &request, &self.rules(&model)?, self.now());
        let emergency = match checked {
            Ok(emergency) => emergency,
            Err(refusal) => {
                let action = Action::ModelBreakGlass.as_str();
                return Err(self.refuse(actor, action, &resource.name(), Refused::by(&refusal)));
            }
        };
        // The registry knows the better reason; policy has the last word all the same.
        self.authorise(actor, Action::ModelBreakGlass, &resource)?;
        let of = (actor, Action::ModelBreakGlass);
        let shifted = self.roll_out(of, &model, &version, &Warrant::Emergency(&emergency))?;
        let evidence = json!({
            "model": name, "version": number, "charter": self.charter()?.digest(), "break_glass": emergency.glass(),
        });
        let bundle = self.bundle(&format!("{name}-v{number}"), &version.registration, &evidence)?;
        let replaced = self.state.registry().model(name).and_then(|known| known.serving()).map(|s| s.version);
        let command = Command::BreakGlass(request, endpoint.clone(), bundle);
        let evidence = self.concluded(of, &command, &model, shifted.as_ref())?;
        let on = shifted.as_ref().map(Shifted::placed_on);
        Ok(Done {
            answer: Deployed { model: name.clone(), version: number, endpoint, replaced, on },
            evidence,
        })
    }

    /// The version that may serve now: the one behind the endpoint, unless it is there without approvals past its time.
    pub fn serves(&self, name: &ModelName) -> Option<VersionNumber> {
        let now = self.now();
        let stretch = self.state.registry().model(name)?.serving()?;
        let lapsed = stretch.broken_glass.as_ref().is_some_and(|glass| now >= glass.until);
        let approved = || {
            let rules = self.rules(self.model(name).ok()?).ok()?;
            Approved::check(self.state.registry(), name, stretch.version, &rules, now).ok()
        };
        (!lapsed || approved().is_some()).then_some(stretch.version)
    }

    /// Takes back what serves without approvals past its time: the fallback serves again, or, where there is none, it is
    /// recorded that the version lost its evidence, and nothing serves. What was approved meanwhile stays.
    pub fn lapse(&mut self) -> Result<Vec<EvidenceId>, Error> {
        let now = self.now();
        let mut evidence = Vec::new();
        for (name, number, glass) in self.state.registry().lapsed(now) {
            let Ok(model) = self.model(&name).cloned() else { continue };
            if Approved::check(self.state.registry(), &name, number, &self.rules(&model)?, now).is_ok() {
                continue;
            }
            let alert = Self::alarm("break-glass")?;
            let reason = format!(
                "version {number} served without approvals until {}, and has none now; `{}` had broken the glass",
                glass.until, glass.by
            );
            if registry::RollbackPlan::new(self.state.registry(), &name, &reason).is_ok() {
                evidence.extend(self.rollback(&alert, &name, &reason)?.evidence);
                continue;
            }
            let known = self.state.registry().model(&name);
            let began = known
                .and_then(|known| known.serving())
                .map(|stretch| (stretch.since, stretch.evidence.clone()));
            let Some((since, cause)) = began else { continue };
            let said = self
                .version(&name, number)?
                .losses
                .iter()
                .any(|loss| loss.time >= since && loss.cause == cause);
            if !said {
                let event = self.decide(&alert, &Command::LoseEvidence(&name, number, &cause), &model)?;
                evidence.extend(self.record_event(&alert, Action::ModelRollback, event)?);
            }
            if self.state.rollouts().settled(&model.endpoint.name).is_some() {
                evidence.extend(self.stop_serving((&alert, Action::ModelRollback), &model, &reason)?);
            }
        }
        Ok(evidence)
    }

    /// Names the version to fall back to: approved and signed now, so that falling back needs nobody.
    pub fn name_fallback(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<Fallback>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelNameFallback, &resource)?;
        let event = self.decide(actor, &Command::NameFallback(name, number), &model)?;
        let evidence = self.record_event(actor, Action::ModelNameFallback, event)?;
        Ok(Done { answer: Fallback { model: name.clone(), version: number }, evidence })
    }

    /// Answers a review: the one of an entry, or the oldest open one.
    pub fn review(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        of: Option<&EvidenceId>,
        (upheld, note): (bool, &str),
    ) -> Result<Done<ReviewView>, Error> {
        let model = self.model(name)?.clone();
        let request = ReviewRequest { model: name, of, by: actor, upheld, note };
        let event = self.decide(actor, &Command::Review(request), &model)?;
        self.authorise(actor, Action::ModelReview, &model_resource(&model))?;
        let evidence = self.record_event(actor, Action::ModelReview, event)?;
        let last = evidence.last();
        let done = self
            .reviews(Some(name))
            .into_iter()
            .find(|view| view.review.done.as_ref().is_some_and(|done| Some(&done.evidence) == last));
        let answer = done.ok_or_else(|| Error::damaged("a review was not recorded"))?;
        Ok(Done { answer, evidence })
    }

    /// The reviews of a model, or of all, oldest first.
    pub fn reviews(&self, name: Option<&ModelName>) -> Vec<ReviewView> {
        let now = self.now();
        let models =
            self.state.registry().models().filter(|(known, _)| name.is_none_or(|name| name == *known));
        let views = models.flat_map(|(known, model)| {
            model.reviews.iter().map(move |review| ReviewView {
                model: known.clone(),
                overdue: review.is_overdue(now),
                review: review.clone(),
            })
        });
        views.collect()
    }
}
