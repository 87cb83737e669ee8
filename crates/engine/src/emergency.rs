//! What is decided without approvals, and the reviews that follow: emergencies, fallbacks, and answers to reviews.

use crate::record::Refused;
use crate::rollout::{Shifted, Warrant};
use crate::training::model_resource;
use crate::{Deployed, Done, Engine, Error};
use charter::model::Model;
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
            self.end_lapsed(&model)?;
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
        let evidence = self.concluded(of, (&command, None), &model, shifted.as_ref())?;
        let on = shifted.as_ref().map(Shifted::placed_on);
        Ok(Done {
            answer: Deployed { model: name.clone(), version: number, endpoint, replaced, on },
            evidence,
        })
    }

    /// The version that may serve now: the one behind the endpoint, unless it is there without approvals past its time, is
    /// not what was registered, or is in quarantine.
    pub fn serves(&self, name: &ModelName) -> Option<VersionNumber> {
        let now = self.now();
        let stretch = self.state.registry().model(name)?.serving()?;
        let version = self.state.registry().version(name, stretch.version)?;
        let lapsed = stretch.is_over(now);
        let whole = version.tampered().next().is_none() && version.quarantined().is_none();
        (whole && (!lapsed || self.is_approved(name, stretch.version))).then_some(stretch.version)
    }

    /// Whether a version has all that it needs to be deployed, now.
    pub(crate) fn is_approved(&self, name: &ModelName, number: VersionNumber) -> bool {
        let rules = self.model(name).and_then(|model| self.rules(model));
        rules.is_ok_and(|rules| {
            Approved::check(self.state.registry(), name, number, &rules, self.now()).is_ok()
        })
    }

    /// Takes back what serves without approvals past its time: the fallback serves again, or, where there is none, it is
    /// recorded that the version lost its evidence, which ends its time, and nothing serves. What was approved meanwhile stays.
    /// So is what is in quarantine and was left in its place.
    pub fn lapse(&mut self) -> Result<Vec<EvidenceId>, Error> {
        let now = self.now();
        let held = self.vacate_interrupted();
        let mut evidence = Vec::new();
        for (name, number, glass) in self.state.registry().lapsed(now) {
            let Ok(model) = self.model(&name).cloned() else { continue };
            if self.is_approved(&name, number) {
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
            evidence.extend(self.end_lapsed(&model)?);
        }
        evidence.extend(held?);
        Ok(evidence)
    }

    /// Records the end of what serves without approvals past its time, with nothing in its place.
    pub(crate) fn end_lapsed(&mut self, model: &Model) -> Result<Vec<EvidenceId>, Error> {
        let name = &model.name;
        let lapsed = self.state.registry().lapsed(self.now());
        let Some((_, number, _)) = lapsed.into_iter().find(|(lapsed, ..)| lapsed == name) else {
            return Ok(Vec::new());
        };
        let serving = self.state.registry().model(name).and_then(|known| known.serving());
        let Some(cause) = serving.map(|stretch| stretch.evidence.clone()) else { return Ok(Vec::new()) };
        if self.is_approved(name, number) {
            return Ok(Vec::new());
        }
        let alert = Self::alarm("break-glass")?;
        let of = (&alert, Action::ModelRollback);
        let mut evidence = Vec::new();
        // Before it is said that nothing serves: who is killed between the two says it the next time.
        if self.state.rollouts().settled(&model.endpoint.name).is_some() {
            let reason = format!("the time in which version {number} serves without approvals is over");
            evidence.extend(self.stop_serving(of, model, &reason)?);
        }
        let event = self.decide(&alert, &Command::LoseEvidence(name, number, &cause), model)?;
        evidence.extend(self.record_event(&alert, Action::ModelRollback, event)?);
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
