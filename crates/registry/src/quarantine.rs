//! Versions that nobody may use until somebody else has looked at them: put in at once by one person or by an alert, let out
//! by somebody else, with what was found. What was approved before no longer holds.

use crate::decide::{Decided, refusal};
use crate::event::{At, Event};
use crate::plan::find;
use crate::refusal::{Refusal, Why};
use crate::review::{Occasion, ReviewDue};
use crate::rules::{Rules, Separation};
use crate::state::{ModelState, State, Status, Version};
use crate::version::{How, Trigger, VersionNumber};
use facts::{Actor, ActorKind, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest reason and the longest finding, in letters.
pub const MOST_LETTERS: usize = 1000;

/// A wish that nobody uses a version.
#[derive(Debug, Clone)]
pub struct QuarantineRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who wishes it: a person, or an alert.
    pub by: &'a Actor,
    /// Why.
    pub reason: &'a str,
    /// The entry of the alert, if an alert wishes it.
    pub alert: Option<&'a EvidenceId>,
}

/// A wish that a version may be approved again.
#[derive(Debug, Clone)]
pub struct ReleaseRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Who looked at it.
    pub by: &'a Actor,
    /// What was found.
    pub finding: &'a str,
}

/// That nobody may use a version, or might not for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Who put it there.
    pub by: PersonId,
    /// Why.
    pub reason: String,
    /// Whether a person decided it or an alert did.
    pub trigger: Trigger,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
    /// Who let it out; none as long as it is there.
    pub released: Option<Released>,
}

/// That a version was let out of quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Who let it out.
    pub by: PersonId,
    /// What was found.
    pub finding: String,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
}

impl Quarantine {
    /// The entries that say it: into it, and out of it.
    pub fn entries(&self) -> impl Iterator<Item = &EvidenceId> {
        [Some(&self.evidence), self.released.as_ref().map(|released| &released.evidence)]
            .into_iter()
            .flatten()
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "in quarantine since {}, put there by `{}` ({}): {}",
            self.time, self.by, self.evidence, self.reason
        )
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "released on {} by `{}` ({}): {}", self.time, self.by, self.evidence, self.finding)
    }
}

/// Why something about a quarantine was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    InQuarantine(Box<Quarantine>),
    SameBytes { version: VersionNumber, quarantine: Box<Quarantine> },
    NeitherPersonNorAlert { id: PersonId },
    NotInQuarantine,
    OwnQuarantine { person: PersonId },
    OwnVersion { person: PersonId, how: How },
    NoRole { person: PersonId, roles: Vec<RoleId> },
    StillInPlace,
    NoReason,
    NoFinding,
    TooLong { letters: usize },
}

impl Held {
    pub(crate) fn say(&self, f: &mut fmt::Formatter<'_>, subject: &str) -> fmt::Result {
        match self {
            Self::InQuarantine(quarantine) => write!(f, "{subject} is {quarantine}"),
            Self::SameBytes { version, quarantine } => {
                write!(f, "{subject} is of the same bytes as version {version}, which is {quarantine}")
            }
            Self::NeitherPersonNorAlert { id } => {
                write!(f, "`{id}` cannot quarantine {subject}: only people and alerts of the charter can")
            }
            Self::NotInQuarantine => write!(f, "{subject} is not in quarantine"),
            Self::OwnQuarantine { person } => {
                write!(f, "`{person}` cannot release {subject}, having put it in quarantine")
            }
            Self::OwnVersion { person, how } => {
                write!(f, "`{person}` cannot release {subject}, having {how}")
            }
            Self::NoRole { person, roles } => {
                let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
                write!(f, "`{person}` cannot release {subject}: that needs the role {}", roles.join(" or "))
            }
            Self::StillInPlace => {
                write!(f, "{subject} cannot be released before its endpoint is without it")
            }
            Self::NoReason => write!(f, "a quarantine of {subject} needs a reason"),
            Self::NoFinding => write!(f, "a release of {subject} says what was found"),
            Self::TooLong { letters } => {
                write!(f, "what is said of {subject} has {letters} letters, of at most {MOST_LETTERS}")
            }
        }
    }

    pub(crate) fn help(&self, model: &ModelName, version: &str) -> String {
        match self {
            Self::InQuarantine(_) | Self::OwnQuarantine { .. } | Self::OwnVersion { .. } => format!(
                "somebody else who may approve looks at it and runs `wardmote model release {model} {version} --finding TEXT --as ID`"
            ),
            Self::SameBytes { version, .. } => format!(
                "when somebody else who may approve has looked at them: `wardmote model release {model} {version} --finding TEXT --as ID`"
            ),
            Self::NoRole { .. } => {
                format!(
                    "a person with that role runs `wardmote model release {model} {version} --finding TEXT --as ID`"
                )
            }
            Self::NeitherPersonNorAlert { .. } => "somebody signs in with `--as ID`".to_owned(),
            Self::NotInQuarantine => format!("`wardmote model show {model} {version}` shows what it was"),
            Self::StillInPlace => format!(
                "`wardmote model quarantine {model} {version} --reason TEXT --as ID` takes it out; so does `wardmote model rollback {model}`"
            ),
            Self::NoReason => "give one with `--reason`".to_owned(),
            Self::NoFinding => "say it with `--finding`".to_owned(),
            Self::TooLong { .. } => "say it shorter, and where the rest stands".to_owned(),
        }
    }
}

/// What is said, bounded and without what surrounds it.
fn said(text: &str, none: Held) -> Result<String, Why> {
    let text = text.trim();
    let letters = text.chars().count();
    match letters {
        0 => Err(Why::Held(none)),
        1..=MOST_LETTERS => Ok(text.to_owned()),
        _ => Err(Why::Held(Held::TooLong { letters })),
    }
}

impl Version {
    /// The quarantine that it is in; none if it is in none.
    pub fn quarantined(&self) -> Option<&Quarantine> {
        self.quarantines.last().filter(|last| last.released.is_none())
    }

    /// Why it cannot be used, if it is in quarantine.
    pub(crate) fn check_quarantine(&self) -> Result<(), Why> {
        let held = |quarantine: &Quarantine| Why::Held(Held::InQuarantine(Box::new(quarantine.clone())));
        self.quarantined().map_or(Ok(()), |quarantine| Err(held(quarantine)))
    }

    /// Whether it is signed, and if it was in quarantine, since it came out: what was signed before no longer holds.
    pub(crate) fn is_signed_since_quarantine(&self) -> bool {
        let Some((_, _, signed)) = &self.signature else { return false };
        self.quarantines.last().is_none_or(|last| {
            last.released.as_ref().is_some_and(|released| released.evidence.index() < signed.index())
        })
    }

    /// Whether what somebody said at a time no longer holds, because it was in quarantine then or since.
    pub(crate) fn was_quarantined_since(&self, time: Timestamp) -> bool {
        self.quarantines
            .last()
            .is_some_and(|last| last.released.as_ref().is_none_or(|released| time <= released.time))
    }
}

impl State {
    pub(crate) fn quarantine(
        &self,
        request: &QuarantineRequest<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Decided {
        let (model, by) = (request.model, request.by);
        let version = find(self, model, request.version)?;
        let refuse = |why| refusal(version, model, why);
        version.check_quarantine().map_err(refuse)?;
        let trigger = match (by.kind, request.alert) {
            (ActorKind::Human, None) => Trigger::Person,
            (ActorKind::Alert, Some(evidence)) => Trigger::Alert { evidence: evidence.clone() },
            _ => return Err(refuse(Why::Held(Held::NeitherPersonNorAlert { id: by.id.clone() }))),
        };
        let reason = said(request.reason, Held::NoReason).map_err(refuse)?;
        let review = rules.rollback_review.as_ref();
        Ok(Event::Quarantined {
            model: model.clone(),
            version: request.version,
            by: by.id.clone(),
            reason,
            trigger,
            review: review.map(|review| review.due(Occasion::Quarantine, &by.id, now)),
        })
    }

    /// Four eyes: an approver who neither put it there nor, where duties are separated, had a hand in it.
    pub(crate) fn release(&self, request: &ReleaseRequest<'_>, rules: &Rules) -> Decided {
        let (model, by) = (request.model, request.by);
        let version = find(self, model, request.version)?;
        let refuse = |why| refusal(version, model, why);
        let held = |why| refusal(version, model, Why::Held(why));
        let person = || by.id.clone();
        let quarantine = version.quarantined().ok_or_else(|| held(Held::NotInQuarantine))?;
        if by.kind != ActorKind::Human {
            return Err(refuse(Why::NotAPerson { id: person(), wanted: "release" }));
        }
        if quarantine.by == by.id {
            return Err(held(Held::OwnQuarantine { person: person() }));
        }
        let hand = version.registration.involved.iter().find(|hand| hand.person == by.id);
        if let Some(hand) = hand.filter(|_| rules.separation == Separation::Demanded) {
            return Err(held(Held::OwnVersion { person: person(), how: hand.how }));
        }
        if !rules.approvals.iter().any(|step| by.has_role(&step.role)) {
            let roles = rules.approvals.iter().map(|step| step.role.clone()).collect();
            return Err(held(Held::NoRole { person: person(), roles }));
        }
        if self.serves(model, request.version) {
            return Err(held(Held::StillInPlace));
        }
        let finding = said(request.finding, Held::NoFinding).map_err(refuse)?;
        Ok(Event::Released { model: model.clone(), version: request.version, by: person(), finding })
    }

    /// Whether a version may be used, as far as no quarantine keeps it or another version of the same bytes; one that is not
    /// known is kept by none.
    ///
    /// # Errors
    /// If it is in quarantine, or one of the same bytes is.
    pub fn check_quarantine(&self, model: &ModelName, number: VersionNumber) -> Result<(), Refusal> {
        let (Some(known), Some(version)) = (self.model(model), self.version(model, number)) else {
            return Ok(());
        };
        known.check_held(version).map_err(|why| refusal(version, model, why))
    }

    /// Whether a version has the open stretch of its model.
    fn serves(&self, model: &ModelName, version: VersionNumber) -> bool {
        self.model(model).and_then(ModelState::serving).is_some_and(|stretch| stretch.version == version)
    }

    /// The versions in quarantine that still have the open stretch of their model: not taken out yet.
    pub fn held_in_place(&self) -> Vec<(ModelName, VersionNumber)> {
        let mut list = Vec::new();
        for (name, model) in self.models() {
            let serving = model.serving().and_then(|stretch| model.version(stretch.version));
            list.extend(
                serving
                    .filter(|version| version.quarantined().is_some())
                    .map(|version| (name.clone(), version.version)),
            );
        }
        list
    }
}

impl ModelState {
    /// Why a version cannot be used, if it is in quarantine or its bytes are: under another number they are what they were.
    pub(crate) fn check_held(&self, version: &Version) -> Result<(), Why> {
        version.check_quarantine()?;
        for other in self.same_bytes(version) {
            if let Some(held) = other.quarantined() {
                let quarantine = Box::new(held.clone());
                return Err(Why::Held(Held::SameBytes { version: other.version, quarantine }));
            }
        }
        Ok(())
    }

    /// The other versions that have the bytes of a version.
    pub fn same_bytes(&self, version: &Version) -> impl Iterator<Item = &Version> {
        let (number, artefact) = (version.version, version.registration.artefact);
        self.versions
            .iter()
            .filter(move |other| other.version != number && other.registration.artefact == artefact)
    }

    /// A version goes into quarantine, and somebody may have to look at that; or it comes out, with everything that it was
    /// approved on gone.
    pub(crate) fn held(&mut self, event: &Event, at: &At) -> Option<()> {
        match event {
            Event::Quarantined { version, by, reason, trigger, review, .. } => {
                self.put_in(*version, (by, reason, trigger), at)?;
                self.ask(*version, review.as_ref(), at);
                Some(())
            }
            Event::Released { version, by, finding, .. } => {
                let known = self.version_mut(*version)?;
                let open = known.quarantines.last_mut().filter(|last| last.released.is_none())?;
                open.released = Some(Released {
                    by: by.clone(),
                    finding: finding.clone(),
                    time: at.time,
                    evidence: at.evidence.clone(),
                });
                known.taken_back = Some(at.time);
                Some(())
            }
            _ => None,
        }
    }

    fn put_in(
        &mut self,
        number: VersionNumber,
        (by, reason, trigger): (&PersonId, &str, &Trigger),
        at: &At,
    ) -> Option<()> {
        let version = self.version_mut(number)?;
        version.quarantined().is_none().then_some(())?;
        version.quarantines.push(Quarantine {
            by: by.clone(),
            reason: reason.to_owned(),
            trigger: trigger.clone(),
            time: at.time,
            evidence: at.evidence.clone(),
            released: None,
        });
        version.taken_back = Some(at.time);
        version.status = match version.status {
            Status::Approved => Status::Validated,
            Status::Superseded => Status::RolledBack,
            status => status,
        };
        Some(())
    }
}

/// The review that a rollback calls for; where a quarantine was the cause, that is looked at instead.
pub(crate) fn review_of_rollback(
    rules: &Rules,
    by: &PersonId,
    now: Timestamp,
    held: bool,
) -> Option<ReviewDue> {
    let review = rules.rollback_review.as_ref().filter(|_| !held)?;
    Some(review.due(Occasion::Rollback, by, now))
}
