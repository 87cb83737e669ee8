//! Mirrors of the registry elsewhere: what was written there is on record, by digests, so that what somebody else did there
//! is told apart from what is only older. It is an incident, which ends when nothing is seen of it any more.
//!
//! A write is on record before it happens, and again when it is done: after a kill between the two, both what was and what
//! was to be may stand there, and nobody is accused of either.

use crate::posture::{short, stream};
use crate::record::Fact;
use crate::{Cause, Closing, Engine, Error, IncidentEvent, IncidentNews, IncidentOpening};
use dossier::model_card;
use facts::{Actor, Digest, ModelName};
use guard::{Action, Resource};
use registry::VersionNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the controls of incidents about mirrors begin with; no control of an account does.
const CONTROL: &str = "mirror:";

/// Digests of the parts of what is written on a mirror, by the names of the parts.
pub type Parts = BTreeMap<String, Digest>;

/// How far the writing of a version's mirror came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum MirrorEvent {
    /// It is about to be written.
    Writing {
        /// What.
        parts: Parts,
    },
    /// It was written.
    Written {
        /// Where: the ARN of a package.
        place: String,
        /// What.
        parts: Parts,
    },
}

/// What is known of a version's mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Where it is, if it was ever written.
    pub place: Option<String>,
    written: Parts,
    /// Since then, what may have been written.
    writing: Vec<Parts>,
}

impl Mirrored {
    /// Whether a part can be so by what is on record; with nothing on record of the part, it cannot.
    pub fn can_be(&self, part: &str, digest: &Digest) -> bool {
        let is = |parts: &Parts| parts.get(part) == Some(digest);
        is(&self.written) || self.writing.iter().any(is)
    }

    /// Whether this part was ever to be written.
    pub fn knows(&self, part: &str) -> bool {
        self.written.contains_key(part) || self.writing.iter().any(|parts| parts.contains_key(part))
    }

    fn take(&mut self, event: MirrorEvent) {
        match event {
            MirrorEvent::Writing { parts } => {
                if !self.writing.contains(&parts) {
                    self.writing.push(parts);
                }
            }
            MirrorEvent::Written { place, parts } => {
                self.place = Some(place);
                self.written = parts;
                self.writing.clear();
            }
        }
    }
}

/// All mirrors: by `ACCOUNT/REGION/GROUP` and version.
#[derive(Debug, Default)]
pub struct Mirrors(BTreeMap<(String, VersionNumber), Mirrored>);

impl Mirrors {
    /// The mirror of a version; none if it was never to be written.
    pub fn of(&self, mirror: &str, version: VersionNumber) -> Option<&Mirrored> {
        self.0.get(&(mirror.to_owned(), version))
    }

    pub(crate) fn take(&mut self, mirror: String, version: VersionNumber, event: MirrorEvent) {
        self.0.entry((mirror, version)).or_default().take(event);
    }
}

/// Something on a mirror that nobody here wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Which part: `approval`.
    pub part: String,
    /// The type of the resource.
    pub kind: String,
    /// The resource.
    pub resource: String,
    /// Whether somebody may deploy by it what may not serve.
    pub grave: bool,
    /// What is wrong, in one sentence.
    pub reason: String,
    /// What that rests on, in sentences.
    pub evidence: Vec<String>,
    /// Who did it, as far as the other registry says.
    pub cause: Cause,
}

/// Whether an incident is about a mirror, so that what is known of an account says nothing about it.
pub(crate) fn is_of_mirror(control: &str) -> bool {
    control.starts_with(CONTROL)
}

impl Engine {
    /// Whether somebody may write mirrors in an account, and put on record what is found there: who may watch it.
    ///
    /// # Errors
    /// If the policies refuse, which is recorded.
    pub fn may_mirror(&mut self, actor: &Actor, account: &str) -> Result<(), Error> {
        self.may(actor, Action::WatchRun, &Resource::Account { id: account.to_owned() })
    }

    /// The content of a version's card for a model package of SageMaker, from the record. Nothing is recorded.
    ///
    /// # Errors
    /// If there is no such version, or the record cannot be read.
    pub fn package_card(&self, model: &ModelName, version: VersionNumber) -> Result<String, Error> {
        let card = self.card_of(self.model(model)?, &self.version(model, version)?)?;
        Ok(model_card::to_package_json(&card))
    }

    /// Puts on record that mirrors are about to be written, or were. Whoever calls this asked [`Engine::may_mirror`].
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub fn mirrored(
        &mut self,
        actor: &Actor,
        mirror: &str,
        events: Vec<(VersionNumber, MirrorEvent)>,
    ) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let name = format!("mirror/{}", mirror.to_lowercase());
        let fact = |(version, event)| Fact::Mirrored { mirror: mirror.to_owned(), version, event };
        let entries =
            events.into_iter().map(|one| Self::done(actor, Action::WatchRun, &name, fact(one))).collect();
        self.record(entries).map(|_| ())
    }

    /// Opens incidents for what somebody else did on the mirrors in an account and region, and closes those of which nothing
    /// is seen any more. What is open already is not opened twice. Whoever calls this asked [`Engine::may_mirror`], and
    /// looked at all mirrors there.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub fn mirror_incidents(
        &mut self,
        actor: &Actor,
        (account, region): (&str, &str),
        found: &[Outside],
    ) -> Result<Vec<IncidentNews>, Error> {
        self.refresh()?;
        let all = self.state.postures().incidents();
        let is_own = |one: &&crate::Incident| {
            let control = &one.opened.what.control;
            one.closed.is_none() && one.is_of(account, region) && is_of_mirror(control)
        };
        let mut open: BTreeMap<(String, String), String> = all
            .iter()
            .filter(is_own)
            .map(|one| ((one.opened.what.control.clone(), one.opened.what.resource.clone()), one.id.clone()))
            .collect();
        let (mut events, mut next) = (Vec::new(), all.len());
        for one in found {
            let control = format!("{CONTROL}{}", one.part);
            if open.remove(&(control.clone(), one.resource.clone())).is_none() {
                next += 1;
                let opening = opening(one, control, (account, region));
                events.push((format!("I-{next}"), IncidentEvent::Opened(Box::new(opening))));
            }
        }
        events.extend(open.into_values().map(|id| (id, IncidentEvent::Closed { because: Closing::Holds })));
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = events.iter().map(|(id, _)| id.clone()).collect();
        let names: Vec<String> = ids.iter().map(|id| stream(id)).collect();
        let entries = names.iter().zip(events).map(|(name, (incident, event))| {
            Self::done(actor, Action::WatchRun, name, Fact::Incident { incident, event })
        });
        let entries: Vec<_> = entries.collect();
        self.record(entries)?;
        let postures = self.state.postures();
        Ok(ids.iter().filter_map(|id| postures.incident(id)).map(IncidentNews::of).collect())
    }
}

fn opening(one: &Outside, control: String, (account, region): (&str, &str)) -> IncidentOpening {
    let Cause { call, event, time, by } = &one.cause;
    let cut = |text: &Option<String>| text.as_deref().map(short);
    IncidentOpening {
        account: account.to_owned(),
        region: region.to_owned(),
        control,
        kind: one.kind.clone(),
        resource: one.resource.clone(),
        severity: if one.grave { "high" } else { "medium" }.to_owned(),
        reason: short(&one.reason),
        evidence: one.evidence.iter().map(|text| short(text)).collect(),
        changed: Vec::new(),
        cause: Some(Cause { call: short(call), event: cut(event), time: cut(time), by: cut(by) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        /// A write that was done, and one of which nobody knows whether it was.
        Done(u8),
        Killed(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![(0..4u8).prop_map(Step::Done), (0..4u8).prop_map(Step::Killed)];
        proptest::collection::vec(step, 0..12)
    }

    proptest! {
        /// Slow second answer: all that can stand there after some of the killed writes happened.
        #[test]
        fn what_can_be_there_is_what_some_outcome_leaves(steps in steps()) {
            let parts = |value: u8| Parts::from([("approval".to_owned(), Digest::of(&[value]))]);
            let mut known = Mirrored::default();
            for step in &steps {
                let (Step::Done(value) | Step::Killed(value)) = step;
                known.take(MirrorEvent::Writing { parts: parts(*value) });
                if let Step::Done(_) = step {
                    known.take(MirrorEvent::Written { place: "p".to_owned(), parts: parts(*value) });
                }
            }
            let killed: Vec<usize> =
                (0..steps.len()).filter(|at| matches!(steps[*at], Step::Killed(_))).collect();
            let mut possible = std::collections::BTreeSet::new();
            for mask in 0..1u32 << killed.len() {
                let mut there = None;
                for (at, step) in steps.iter().enumerate() {
                    let happened = killed.iter().position(|of| *of == at).is_none_or(|bit| mask & (1 << bit) != 0);
                    let (Step::Done(value) | Step::Killed(value)) = step;
                    there = if happened { Some(*value) } else { there };
                }
                possible.extend(there);
            }
            for value in 0..4u8 {
                prop_assert_eq!(known.can_be("approval", &Digest::of(&[value])), possible.contains(&value));
            }
            prop_assert_eq!(known.knows("approval"), !steps.is_empty());
            prop_assert!(!known.knows("card"));
        }
    }
}
