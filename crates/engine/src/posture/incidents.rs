//! Incidents: which there should be follows from what is known, from waivers and from the day; what is missing is opened, and
//! what is over is closed.

use super::known::{Key, Known, Verdicts};
use super::record::{Cause, Closing, Incident, IncidentEvent, Opening};
use crate::record::Fact;
use crate::{Done, Engine, Error, mirror};
use controls::{Finding, Posture, Severity};
use facts::inventory::Difference;
use facts::{Actor, Verdict};
use guard::{Action, Resource};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is quoted of evidence at most.
const MOST_EVIDENCE: usize = 5;
const LONGEST: usize = 500;

/// An incident that was opened or closed.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentNews {
    /// Its id.
    pub incident: String,
    /// How it began.
    #[serde(flatten)]
    pub opening: Opening,
    /// Since when.
    pub since: facts::Timestamp,
    /// Why it is over; nothing if it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closing>,
    /// The entry of the ledger that says so.
    pub evidence: facts::EvidenceId,
}

impl IncidentNews {
    /// How an incident stands.
    pub fn of(incident: &Incident) -> Self {
        let closed = incident.closed.as_ref();
        Self {
            incident: incident.id.clone(),
            opening: incident.opened.what.clone(),
            since: incident.opened.time,
            closed: closed.map(|closed| closed.what.clone()),
            evidence: closed.map_or(&incident.opened.evidence, |closed| &closed.evidence).clone(),
        }
    }
}

/// What is known of a change beside its outcome.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// What of which resource is different, by `type id`.
    pub(super) difference: Difference,
    /// Events, with what they touched.
    pub(super) causes: Vec<(facts::inventory::Touched, Cause)>,
}

/// What there is to say about incidents.
pub(super) struct Turn<'a> {
    pub(super) posture: &'a Posture,
    pub(super) verdicts: &'a Verdicts,
    pub(super) at_least: Severity,
    pub(super) context: &'a Context,
}

impl Engine {
    /// An incident that is not over.
    pub(crate) fn open_incident(&self, id: &str) -> Result<&Incident, Error> {
        let known = self.state.postures().incident(id).ok_or_else(|| {
            Error::not_found(format!("there is no incident `{}`", id.escape_debug()))
                .with_help("`wardmote incident list` shows them")
        })?;
        if known.closed.is_some() {
            return Err(Error::conflict(format!("the incident `{id}` is over")));
        }
        Ok(known)
    }

    /// Somebody takes an incident in hand.
    pub fn acknowledge_incident(
        &mut self,
        actor: &Actor,
        id: &str,
        note: Option<String>,
    ) -> Result<Done<IncidentNews>, Error> {
        let account = Resource::Account { id: self.open_incident(id)?.opened.what.account.clone() };
        self.authorise(actor, Action::IncidentAcknowledge, &account)?;
        let name = stream(id);
        let event = IncidentEvent::Acknowledged { note: note.map(|note| short(&note)) };
        let fact = Fact::Incident { incident: id.to_owned(), event };
        let evidence = self.record(vec![Self::done(actor, Action::IncidentAcknowledge, &name, fact)])?;
        let known = self.state.postures().incident(id);
        let answer =
            known.map(IncidentNews::of).ok_or_else(|| Error::damaged("the incident is not recorded"))?;
        Ok(Done { answer, evidence })
    }

    /// Incidents of which not everybody was told how they stand.
    pub fn untold_incidents(&self) -> Vec<IncidentNews> {
        let untold = |one: &&Incident| !one.told;
        self.state.postures().incidents().iter().filter(untold).map(IncidentNews::of).collect()
    }

    /// Everybody was told of these.
    pub fn incidents_told(&mut self, actor: &Actor, ids: &[String]) -> Result<(), Error> {
        let names: Vec<String> = ids.iter().map(|id| stream(id)).collect();
        let fact = |id: &String| Fact::Incident { incident: id.clone(), event: IncidentEvent::Told };
        let entries =
            names.iter().zip(ids).map(|(name, id)| Self::done(actor, Action::WatchRun, name, fact(id)));
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            self.record(entries)?;
        }
        Ok(())
    }

    /// Everybody was told of these, by the house itself.
    pub fn house_told(&mut self, ids: &[String]) -> Result<(), Error> {
        let automation = self.automation()?;
        self.incidents_told(&automation, ids)
    }

    /// What is to be recorded about incidents: the id, and what happened.
    pub(super) fn incident_turn(&self, turn: &Turn<'_>) -> Vec<(String, IncidentEvent)> {
        let inventory = turn.posture.inventory();
        let key = |one: &Incident| {
            let of = &one.opened.what;
            (of.control.clone(), of.kind.clone(), of.resource.clone())
        };
        let all = self.state.postures().incidents();
        let is_own = |one: &&Incident| {
            one.closed.is_none()
                && one.is_of(&inventory.account, &inventory.region)
                && !mirror::is_of_mirror(&one.opened.what.control)
        };
        let own = all.iter().filter(is_own);
        let mut open: BTreeMap<Key, String> = own.map(|one| (key(one), one.id.clone())).collect();
        let (mut events, mut next) = (Vec::new(), all.len());
        let findings = of_interest(turn);
        for key in turn.verdicts.broken() {
            let was_open = open.remove(key);
            // What is out of scope this time stays as it is.
            let Some(finding) = findings.get(key) else { continue };
            match (self.waiver_for(finding), was_open) {
                (Some(waiver), Some(id)) => {
                    events.push((id, IncidentEvent::Closed { because: Closing::Waived { waiver } }));
                }
                (Some(_), None) | (None, Some(_)) => {}
                (None, None) => {
                    // Nothing is opened on what is not known at this moment.
                    if !matches!(finding.verdict, Verdict::Broken { .. })
                        || finding.about.severity() < turn.at_least
                    {
                        continue;
                    }
                    next += 1;
                    events
                        .push((format!("I-{next}"), IncidentEvent::Opened(Box::new(opening(turn, finding)))));
                }
            }
        }
        for (key, id) in open {
            let because = match turn.verdicts.passes(&key) {
                Some(Known::Holds) => Closing::Holds,
                Some(_) => Closing::NotApplicable,
                None => Closing::Gone,
            };
            events.push((id, IncidentEvent::Closed { because }));
        }
        events
    }

    /// The waiver that lets a finding stay today.
    pub(super) fn waiver_for(&self, finding: &Finding) -> Option<String> {
        let today = self.now().date();
        let mut all = self.state.waivers().standing();
        let lets = |one: &&super::GrantedWaiver| {
            !one.granted.what.is_over(&today) && one.granted.what.is_for(finding)
        };
        all.find(lets).map(|one| one.id.clone())
    }
}

fn of_interest<'a>(turn: &Turn<'a>) -> BTreeMap<Key, &'a Finding> {
    let broken: BTreeSet<&Key> = turn.verdicts.broken().collect();
    if broken.is_empty() {
        return BTreeMap::new();
    }
    let key = |one: &Finding| (one.control().to_string(), one.subject.kind.clone(), one.subject.id.clone());
    let open = turn.posture.findings().filter(|one| !one.verdict.passes());
    open.map(|one| (key(one), one)).filter(|(key, _)| broken.contains(key)).collect()
}

fn opening(turn: &Turn<'_>, finding: &Finding) -> Opening {
    let inventory = turn.posture.inventory();
    let mut resources = turn.posture.resources();
    let item = resources.find(|(kind, id, _)| *kind == finding.subject.kind && *id == finding.subject.id);
    let id = item.and_then(|(_, _, item)| item).map_or(finding.subject.id.as_str(), |item| &item.id);
    let caused =
        |(touched, _): &&(facts::inventory::Touched, Cause)| touched.covers(&finding.subject.kind, id);
    // A policy is read with its bucket, and told of by the bucket's name.
    let beside = |(touched, _): &&(facts::inventory::Touched, Cause)| touched.id.as_deref() == Some(id);
    let causes = &turn.context.causes;
    let cause = causes.iter().rev().find(caused).or_else(|| causes.iter().rev().find(beside));
    let changed = turn.context.difference.changed.get(&format!("{} {id}", finding.subject.kind));
    Opening {
        account: inventory.account.clone(),
        region: inventory.region.clone(),
        control: finding.control().to_string(),
        kind: finding.subject.kind.clone(),
        resource: finding.subject.id.clone(),
        severity: finding.about.severity().name().to_owned(),
        reason: short(finding.reason()),
        evidence: finding.evidence.iter().take(MOST_EVIDENCE).map(|one| short(&one.said)).collect(),
        changed: changed.cloned().unwrap_or_default().into_iter().take(50).collect(),
        cause: cause.map(|(_, cause)| cause.clone()),
    }
}

/// The name of an incident in the ledger; streams have lower-case names.
pub(crate) fn stream(id: &str) -> String {
    format!("incidents/{}", id.to_lowercase())
}

/// As much of a text as an entry of the ledger needs.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
