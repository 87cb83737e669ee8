//! Breaking the glass: a deployment without approvals, by a role that the charter names, for a reason, until a time, with
//! a review by somebody else. The gates are not lifted: they run by themselves and cost nobody any time.

use crate::decide::{Decided, refusal};
use crate::event::Event;
use crate::plan::{check_gates, find};
use crate::refusal::{Beside, Refusal, Why};
use crate::review::{Occasion, Review, ReviewDue};
use crate::rules::Rules;
use crate::state::{State, Status};
use crate::version::VersionNumber;
use facts::{Actor, ActorKind, Digest, EndpointName, ModelName, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

/// A wish to deploy without approvals.
#[derive(Debug, Clone)]
pub struct EmergencyRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who answers for it.
    pub by: &'a Actor,
    /// Why it cannot wait.
    pub reason: &'a str,
    /// Until when it may serve without approvals.
    pub until: Timestamp,
}

/// What a stretch rests on that began by breaking the glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenGlass {
    /// Who answers for it.
    pub by: PersonId,
    /// Why it could not wait.
    pub reason: String,
    /// Until when it may serve without approvals.
    pub until: Timestamp,
}

/// Proof that the charter lets this person deploy this version without approvals, now. Made only by [`Emergency::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Emergency {
    model: ModelName,
    version: VersionNumber,
    artefact: Digest,
    glass: BrokenGlass,
    review: ReviewDue,
}

impl Emergency {
    /// Checks role, reason, time, open reviews and gates.
    pub fn check(
        state: &State,
        request: &EmergencyRequest<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (model, by) = (request.model, request.by);
        let version = find(state, model, request.version)?;
        let refuse = |why| refusal(version, model, why);
        let allowed = rules.break_glass.as_ref().ok_or_else(|| refuse(Why::Beside(Beside::NoBreakGlass)))?;
        if by.kind != ActorKind::Human {
            return Err(refuse(Why::NotAPerson { id: by.id.clone(), wanted: "answer for an emergency of" }));
        }
        if !allowed.roles.iter().any(|role| by.has_role(role)) {
            return Err(refuse(Why::Beside(Beside::NoBreaker {
                person: by.id.clone(),
                roles: allowed.roles.clone(),
            })));
        }
        let reason = request.reason.trim();
        if reason.is_empty() {
            return Err(refuse(Why::ReasonMissing));
        }
        let latest = now.plus_seconds(i64::from(allowed.max_hours) * 3600);
        if request.until <= now || request.until > latest {
            return Err(refuse(Why::Beside(Beside::NotUntilThen { until: request.until, latest })));
        }
        if let Some(late) = state.overdue(model, now) {
            let (of, due) = (late.of.clone(), late.asked.due);
            return Err(refuse(Why::Beside(Beside::ReviewOverdue {
                of,
                due,
                role: late.asked.role.clone(),
            })));
        }
        if version.status == Status::Deployed {
            return Err(refuse(Why::NotNow { status: version.status, wanted: "deployed" }));
        }
        state.check_quarantine(model, request.version)?;
        check_gates(version, rules, now).map_err(refuse)?;
        state.is_compared(model, version, rules).map_err(refuse)?;
        let review = allowed.review.due(Occasion::BreakGlass, &by.id, now);
        let glass = BrokenGlass { by: by.id.clone(), reason: reason.to_owned(), until: request.until };
        let artefact = version.registration.artefact;
        Ok(Self { model: model.clone(), version: request.version, artefact, glass, review })
    }

    /// The model.
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// The version.
    pub fn version(&self) -> VersionNumber {
        self.version
    }

    /// The artefact that will serve.
    pub fn artefact(&self) -> &Digest {
        &self.artefact
    }

    /// Who answers for it, why and until when.
    pub fn glass(&self) -> &BrokenGlass {
        &self.glass
    }

    pub(crate) fn event(
        self,
        state: &State,
        endpoint: EndpointName,
        (bundle, object): (Digest, String),
    ) -> Event {
        let replaced =
            state.model(&self.model).and_then(|known| known.serving()).map(|stretch| stretch.version);
        Event::BrokeGlass {
            model: self.model,
            version: self.version,
            endpoint,
            replaced,
            glass: self.glass,
            bundle,
            object,
            review: self.review,
        }
    }
}

impl State {
    /// A review of a model that should be done by now, and is not.
    pub(crate) fn overdue(&self, model: &ModelName, now: Timestamp) -> Option<&Review> {
        self.model(model)?.reviews.iter().find(|review| review.is_overdue(now))
    }

    /// The models in which a version serves without approvals past its time: model and version.
    pub fn lapsed(&self, now: Timestamp) -> Vec<(ModelName, VersionNumber, BrokenGlass)> {
        let mut list = Vec::new();
        for (name, model) in self.models() {
            let Some(stretch) = model.serving() else { continue };
            if let Some(glass) = stretch.broken_glass.as_ref().filter(|_| stretch.is_over(now)) {
                list.push((name.clone(), stretch.version, glass.clone()));
            }
        }
        list
    }

    /// What somebody answers to a review; only who did not decide, and holds the role.
    pub(crate) fn review(&self, request: &ReviewRequest<'_>) -> Decided {
        let refuse = |why| Refusal { model: request.model.clone(), version: None, why };
        let reviews = self.model(request.model).map_or(&[] as &[_], |known| &known.reviews);
        let open = reviews
            .iter()
            .find(|review| review.done.is_none() && request.of.is_none_or(|of| review.of == *of));
        let open = open.ok_or_else(|| refuse(Why::Beside(Beside::NothingToReview)))?;
        let by = request.by;
        if by.kind != ActorKind::Human {
            return Err(refuse(Why::NotAPerson { id: by.id.clone(), wanted: "review" }));
        }
        let version = self.version(request.model, open.version);
        let hand = version.is_some_and(|version| {
            let theirs = |given: &crate::ApprovalGiven| given.approver.id == by.id;
            version.registration.involved.iter().any(|hand| hand.person == by.id)
                || version.approvals.iter().any(theirs)
        });
        if open.asked.decided_by == by.id || (hand && open.asked.occasion != Occasion::Rollback) {
            return Err(refuse(Why::Beside(Beside::OwnDecision {
                person: by.id.clone(),
                of: open.of.clone(),
            })));
        }
        if !by.has_role(&open.asked.role) {
            return Err(refuse(Why::Beside(Beside::NotTheReviewer {
                person: by.id.clone(),
                role: open.asked.role.clone(),
            })));
        }
        if request.note.trim().is_empty() {
            return Err(refuse(Why::Beside(Beside::NoteMissing)));
        }
        Ok(Event::Reviewed {
            model: request.model.clone(),
            of: open.of.clone(),
            by: by.id.clone(),
            upheld: request.upheld,
            note: request.note.trim().to_owned(),
        })
    }
}

/// An answer to a review.
#[derive(Debug, Clone)]
pub struct ReviewRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The entry of the decision; the oldest open one if absent.
    pub of: Option<&'a facts::EvidenceId>,
    /// Who reviews.
    pub by: &'a Actor,
    /// Whether the decision was right.
    pub upheld: bool,
    /// In their words.
    pub note: &'a str,
}
