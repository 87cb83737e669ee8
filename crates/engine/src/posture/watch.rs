//! Watching an account: all of it is read now and then, and between that what messages tell of. What is other than before
//! goes on the ledger together with the incidents that follow from it, in one append: nobody sees the one without the other.
//!
//! A trouble of the account or of a queue ends nothing: it is said, and the next round tries again. A trouble of the house
//! ends the watch, because what is not on record did not happen.

use super::incidents::{Context, IncidentNews, Turn, short, stream};
use super::known::Verdicts;
use super::record::{Cause, Counts, IncidentEvent, PostureEvent, VerdictChange};
use crate::record::Fact;
use crate::{Engine, Error};
use controls::{Finding, Posture, Selection, Severity};
use facts::inventory::{Inventory, Status, Touched};
use facts::{Actor, Digest, EvidenceId, Verdict};
use guard::{Action, Resource};
use serde::Serialize;
use std::collections::BTreeSet;
use trail::{Asked, LogFile, MAX_LOG_FILE_BYTES, Message, read_log_file, read_message};
use world::{Account, Kind, Letter, PortError, Queue};

/// A message that was given out so often is believed although what it tells of cannot be read.
const MOST_TRIES: u32 = 5;
/// So many rounds of messages are taken at once.
const MOST_AT_ONCE: usize = 10;
/// Entries of the ledger hold at most this much of a list.
const ENTRY_BYTES: usize = 32_000;

/// What is watched for.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// Which controls on which resources.
    pub selection: Selection,
    /// The least severity of incidents.
    pub incident_at: Severity,
}

/// Somebody who watches an account.
pub struct Watch {
    settings: WatchSettings,
    posture: Option<Posture>,
    verdicts: Option<Verdicts>,
}

/// What one round brought.
#[derive(Debug, Default, Serialize)]
pub struct Round {
    /// Whether all of the account was read.
    pub swept: bool,
    /// How many messages were taken in.
    pub messages: usize,
    /// How many controls were asked of how many resources, all in all.
    pub asked: usize,
    /// How many verdicts are other than before.
    pub changed: usize,
    /// How many there are of each now.
    pub counts: Counts,
    /// Incidents that are new.
    pub opened: Vec<IncidentNews>,
    /// Incidents that are over.
    pub closed: Vec<IncidentNews>,
    /// What people should know.
    pub remarks: Vec<String>,
    /// What could not be done, and is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The entries of the ledger.
    pub evidence: Vec<EvidenceId>,
    /// Findings that are other than before, for those who are told of all.
    #[serde(skip)]
    pub moved: Vec<Finding>,
    /// What AWS Config asks, with the message that it came by.
    #[serde(skip)]
    pub(super) questions: Vec<(Letter, Asked)>,
}

impl Round {
    fn troubled(error: &PortError) -> Self {
        Self { trouble: Some(error.to_string()), ..Self::default() }
    }
}

/// Messages of a queue: waits for the first, and takes what there is beside it.
pub fn receive(queue: &dyn Queue, wait_seconds: u32) -> Result<Vec<Letter>, PortError> {
    let mut all = queue.receive(wait_seconds)?;
    for _ in 1..MOST_AT_ONCE {
        if all.is_empty() {
            break;
        }
        let more = queue.receive(0).unwrap_or_default();
        if more.is_empty() {
            break;
        }
        all.extend(more);
    }
    Ok(all)
}

/// A message and what it says.
struct Opened<'l> {
    letter: &'l Letter,
    message: Message,
}

impl Watch {
    /// Nothing is read yet.
    pub fn new(settings: WatchSettings) -> Self {
        Self { settings, posture: None, verdicts: None }
    }

    /// What was read last.
    pub fn posture(&self) -> Option<&Posture> {
        self.posture.as_ref()
    }

    /// Reads all of the account and asks every control.
    pub fn sweep(&mut self, engine: &mut Engine, actor: &Actor, there: &dyn Account) -> Result<Round, Error> {
        may(engine, actor, there)?;
        self.sweep_for(engine, actor, there, Context::default())
    }

    fn sweep_for(
        &mut self,
        engine: &mut Engine,
        actor: &Actor,
        there: &dyn Account,
        mut context: Context,
    ) -> Result<Round, Error> {
        let inventory = match there.inventory() {
            Ok(inventory) => inventory,
            Err(error) => return Ok(Round::troubled(&error)),
        };
        let mut round = Round { swept: true, ..Round::default() };
        for (kind, why) in &inventory.unread {
            round.remarks.push(format!("{kind} could not be listed: {why}"));
        }
        self.take(inventory, &mut context, &mut round);
        self.settle(engine, actor, (&context, round))
    }

    /// Takes in messages: reads again what they touched. A message is taken from the queue when what it tells of was read and
    /// is on record.
    pub fn letters(
        &mut self,
        engine: &mut Engine,
        actor: &Actor,
        (there, queue): (&dyn Account, &dyn Queue),
        letters: &[Letter],
    ) -> Result<Round, Error> {
        may(engine, actor, there)?;
        let mut aside = Vec::new();
        let mut opened = Vec::new();
        let mut unread = Vec::new();
        for letter in letters {
            match read_message(&letter.body) {
                Ok(mut message) => {
                    unread.extend(open_files(&mut message, there));
                    opened.push(Opened { letter, message });
                }
                Err(why) => aside.push((letter, why)),
            }
        }
        let (touched, context) = self.touched(&opened, there.number());
        let everything = self.posture.is_none() || opened.iter().any(|one| one.message.everything);
        let mut round = match self.read_again(there, &touched, everything) {
            Ok(None) => self.sweep_for(engine, actor, there, context)?,
            Ok(Some(inventory)) => {
                let (mut context, mut round) = (context, Round::default());
                self.take(inventory, &mut context, &mut round);
                self.settle(engine, actor, (&context, round))?
            }
            Err(error) => Round::troubled(&error),
        };
        round.remarks.extend(unread);
        self.set_aside(engine, actor, there, (&aside, &mut round))?;
        let mut done: Vec<&Letter> = aside.iter().map(|(letter, _)| *letter).collect();
        if round.trouble.is_none() {
            round.messages = letters.len();
            for one in opened {
                match (self.unread_by(&one.message), one.message.asked) {
                    (Some(why), _) if one.letter.received < MOST_TRIES => {
                        round.remarks.push(format!("a message waits, because {why}"));
                    }
                    (_, Some(asked)) => round.questions.push((one.letter.clone(), asked)),
                    _ => done.push(one.letter),
                }
            }
        }
        if let Err(error) = queue.delete(&done) {
            round.remarks.push(format!("messages that are done come again: {error}"));
        }
        Ok(round)
    }

    /// What messages touched of this account, as far as it is read at all, and by which events.
    fn touched(&self, opened: &[Opened<'_>], account: &str) -> (Vec<Touched>, Context) {
        let (mut all, mut context) = (BTreeSet::new(), Context::default());
        let Some(inventory) = self.posture.as_ref().map(Posture::inventory) else {
            return (Vec::new(), context);
        };
        let own = |of: &Option<String>| of.as_ref().is_none_or(|of| of == account);
        for event in opened.iter().flat_map(|one| &one.message.events).filter(|event| own(&event.account)) {
            let cause = Cause {
                call: short(&event.call),
                event: event.id.as_deref().map(short),
                time: event.time.as_deref().map(short),
                by: event.by.as_deref().map(short),
            };
            context.causes.extend(event.touched.iter().map(|touched| (touched.clone(), cause.clone())));
            all.extend(event.touched.iter().flat_map(|touched| expanded(touched, inventory)));
        }
        for asked in
            opened.iter().filter_map(|one| one.message.asked.as_ref()).filter(|asked| own(&asked.account))
        {
            let Some(of) = &asked.resource else { continue };
            let found = item_of(inventory, &of.kind, &of.id, &of.names);
            let one = found.map_or_else(|| Touched::all(&of.kind), |item| Touched::one(&of.kind, &item.id));
            all.extend(expanded(&one, inventory));
        }
        (all.into_iter().collect(), context)
    }

    /// The inventory with what was touched read again; nothing if all of it has to be read.
    fn read_again(
        &self,
        there: &dyn Account,
        touched: &[Touched],
        everything: bool,
    ) -> Result<Option<Inventory>, PortError> {
        let Some(posture) = self.posture.as_ref().filter(|_| !everything) else { return Ok(None) };
        let mut inventory = posture.inventory().clone();
        if touched.is_empty() {
            return Ok(Some(inventory));
        }
        match there.reread(&mut inventory, touched) {
            Ok(()) => Ok(Some(inventory)),
            Err(error) if error.kind() == Kind::Invalid => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks what could be other than before.
    fn take(&mut self, inventory: Inventory, context: &mut Context, round: &mut Round) {
        let moved = match &mut self.posture {
            Some(posture) => {
                context.difference = posture.inventory().difference(&inventory);
                posture.update(inventory)
            }
            None => {
                self.posture = Some(Posture::new(inventory, self.settings.selection.clone()));
                Vec::new()
            }
        };
        round.asked = self.posture.as_ref().map_or(0, Posture::asked);
        round.moved = moved.into_iter().filter_map(|one| one.after.or(one.before)).collect();
    }

    /// Puts on record what is other than before, and what follows from it.
    fn settle(
        &mut self,
        engine: &mut Engine,
        actor: &Actor,
        (context, mut round): (&Context, Round),
    ) -> Result<Round, Error> {
        engine.refresh()?;
        let Some(posture) = &self.posture else { return Ok(round) };
        let (account, region) = (posture.inventory().account.clone(), posture.inventory().region.clone());
        let mut verdicts = match self.verdicts.take() {
            Some(verdicts) => verdicts,
            None => engine.known_verdicts(&account, &region)?,
        };
        round.counts = counts(posture);
        let wholes = posture.findings().filter(|finding| posture.is_whole(finding));
        let mut changes: Vec<VerdictChange> = wholes.filter_map(|finding| verdicts.change(finding)).collect();
        changes.extend(verdicts.gone(posture));
        round.changed = changes.len();
        changes.iter().for_each(|change| verdicts.take(change.clone()));
        let turn = Turn { posture, verdicts: &verdicts, at_least: self.settings.incident_at, context };
        let incidents = engine.incident_turn(&turn);
        let mut events = Vec::new();
        if round.swept {
            let table = verdicts.ask(posture) | engine.needs_table(&account, &region, changes.len());
            let table = if table { Some(engine.keep_table(&verdicts)?) } else { None };
            if table.is_some() {
                changes.clear();
            }
            events.push(PostureEvent::Swept { counts: round.counts, table });
        }
        events.extend(chunks(changes).into_iter().map(|verdicts| PostureEvent::Changed { verdicts }));
        let said: Vec<String> = incidents.iter().map(|(id, _)| id.clone()).collect();
        match engine.put_on_record(actor, (&account, &region), events, incidents) {
            Ok(evidence) => round.evidence.extend(evidence),
            // Somebody else watches the same account: what they recorded is read before the next round.
            Err(Error::Conflict { message, .. }) => {
                self.posture = None;
                round.trouble = Some(message);
                return Ok(round);
            }
            Err(error) => return Err(error),
        }
        self.verdicts = Some(verdicts);
        for incident in said.iter().filter_map(|id| engine.state().postures().incident(id)) {
            let list = if incident.closed.is_some() { &mut round.closed } else { &mut round.opened };
            list.push(IncidentNews::of(incident));
        }
        Ok(round)
    }

    /// What nobody can read is kept, said, and taken from the queue.
    fn set_aside(
        &self,
        engine: &mut Engine,
        actor: &Actor,
        there: &dyn Account,
        (aside, round): (&[(&Letter, String)], &mut Round),
    ) -> Result<(), Error> {
        if aside.is_empty() {
            return Ok(());
        }
        let region = self.posture.as_ref().map_or("", |posture| &posture.inventory().region).to_owned();
        let mut events = Vec::new();
        for (letter, why) in aside {
            let message = Digest::of(letter.body.as_bytes());
            engine.ports.objects.put(&format!("set-aside/{}", message.to_hex()), letter.body.as_bytes())?;
            round.remarks.push(format!(
                "a message was set aside as `set-aside/{}` of the house's objects: {why}",
                message.to_hex()
            ));
            events.push(PostureEvent::SetAside { message, because: short(why) });
        }
        let of = (there.number(), if region.is_empty() { "unknown" } else { &region });
        round.evidence.extend(engine.put_on_record(actor, of, events, Vec::new())?);
        Ok(())
    }

    /// Why something that a message touched could not be read, if it could not and may yet be.
    fn unread_by(&self, message: &Message) -> Option<String> {
        let inventory = self.posture.as_ref()?.inventory();
        for touched in message.events.iter().flat_map(|event| &event.touched) {
            let items = inventory.resources.iter().filter(|item| touched.covers(&item.kind, &item.id));
            let failed =
                items.flat_map(|item| item.provenance.values()).find(|one| one.status == Status::Error);
            let listed = inventory.unread.iter().find(|(kind, _)| touched.covers_kind(kind));
            let why = failed.and_then(facts::inventory::Provenance::missing);
            if let Some(why) = why.or_else(|| listed.map(|(_, why)| why.clone())) {
                return Some(why);
            }
        }
        None
    }
}

/// Whether somebody may watch; what is recorded under a name must be allowed to it.
fn may(engine: &mut Engine, actor: &Actor, there: &dyn Account) -> Result<(), Error> {
    engine.refresh()?;
    engine.may(actor, Action::WatchRun, &Resource::Account { id: there.number().to_owned() })
}

impl Engine {
    /// One append: either all of it happened or nothing.
    fn put_on_record(
        &mut self,
        actor: &Actor,
        (account, region): (&str, &str),
        events: Vec<PostureEvent>,
        incidents: Vec<(String, IncidentEvent)>,
    ) -> Result<Vec<EvidenceId>, Error> {
        let name = format!("posture/{account}-{region}");
        let names: Vec<String> = incidents.iter().map(|(id, _)| stream(id)).collect();
        let posture = |event| Fact::Posture { account: account.to_owned(), region: region.to_owned(), event };
        let known =
            events.into_iter().map(|event| Self::done(actor, Action::WatchRun, &name, posture(event)));
        let happened = names.iter().zip(incidents).map(|(name, (incident, event))| {
            Self::done(actor, Action::WatchRun, name, Fact::Incident { incident, event })
        });
        let entries: Vec<_> = known.chain(happened).collect();
        if entries.is_empty() { Ok(Vec::new()) } else { self.record(entries) }
    }
}

/// A list in parts that fit into an entry.
fn chunks(changes: Vec<VerdictChange>) -> Vec<Vec<VerdictChange>> {
    let (mut all, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for change in changes {
        bytes += change.control.len() + change.kind.len() + 2 * change.resource.len() + 80;
        if bytes > ENTRY_BYTES && !part.is_empty() {
            all.push(std::mem::take(&mut part));
            bytes = 0;
        }
        part.push(change);
    }
    if !part.is_empty() {
        all.push(part);
    }
    all
}

/// What there is of each; parts of controls are not counted beside the whole.
fn counts(posture: &Posture) -> Counts {
    let resources = u32::try_from(posture.resources().count()).unwrap_or(u32::MAX);
    let mut counts = Counts { resources, ..Counts::default() };
    for finding in posture.findings().filter(|finding| posture.is_whole(finding)) {
        match finding.verdict {
            Verdict::Holds => counts.holds += 1,
            Verdict::Broken { .. } => counts.broken += 1,
            Verdict::Unknown { .. } => counts.unknown += 1,
            Verdict::NotApplicable { .. } => counts.not_applicable += 1,
        }
    }
    counts
}

/// The types that are meant, as far as this version reads them.
fn expanded(touched: &Touched, inventory: &Inventory) -> Vec<Touched> {
    let all: BTreeSet<&String> = inventory.read.iter().chain(inventory.unread.keys()).collect();
    let meant = all.into_iter().filter(|kind| touched.covers_kind(kind));
    meant.map(|kind| Touched { kind: kind.clone(), id: touched.id.clone() }).collect()
}

/// Reads the log files that a message names: what happened stands there. Without one of them nobody knows, so that everything is
/// read again; tells why.
fn open_files(message: &mut Message, there: &dyn Account) -> Option<String> {
    for LogFile { bucket, key } in std::mem::take(&mut message.files) {
        if message.everything {
            return None;
        }
        let bytes = there.object(&bucket, &key, MAX_LOG_FILE_BYTES).map_err(|error| error.to_string());
        match bytes.and_then(|bytes| read_log_file(&bytes)) {
            Ok(events) => message.events.extend(events),
            Err(why) => {
                message.everything = true;
                let key = short(&key);
                return Some(format!(
                    "the log file `{key}` in `{bucket}` could not be read, so everything was: {why}"
                ));
            }
        }
    }
    None
}

/// The resource that others call so.
pub(super) fn item_of<'a>(
    inventory: &'a Inventory,
    kind: &str,
    id: &str,
    names: &[String],
) -> Option<&'a facts::inventory::Item> {
    let called = |name: &str| id == name || names.iter().any(|other| other == name);
    let mut all = inventory.resources.iter().filter(|item| item.kind == kind);
    all.find(|item| called(&item.id) || item.arn.as_deref().is_some_and(called))
}
