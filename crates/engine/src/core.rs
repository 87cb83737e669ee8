//! The engine itself: ports, state, and the two ways anything is written: [`Engine::record`] and [`Engine::refuse`].

use crate::record::{Fact, Refused};
use crate::{Error, Notebook, State};
use charter::Checked;
use facts::{Actor, ActorKind, EvidenceId, PersonId, RoleId, StreamName, Timestamp};
use guard::door::Recognised;
use guard::{AccessKey, Action, Authorized, Authorizer, Decision, Resource};
use ledger::{Draft, Outcome};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use world::{
    Clock, Entropy, Fleet, KeyService, Kind, LedgerStore, ObjectStore, ProgramRunner, Receipt, Runtime,
    TrackingStore,
};

/// Everything outside, as the binary chose it.
#[derive(Clone)]
pub struct Ports {
    /// The record.
    pub ledger: Arc<dyn LedgerStore>,
    /// Encrypted bytes.
    pub objects: Arc<dyn ObjectStore>,
    /// Keys.
    pub keys: Arc<dyn KeyService>,
    /// Models in memory.
    pub runtime: Arc<dyn Runtime>,
    /// Training programs.
    pub programs: Arc<dyn ProgramRunner>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Platforms on which models serve, other than the house's gateway.
    pub fleet: Arc<dyn Fleet>,
    /// Experiments and runs.
    pub tracking: Arc<dyn TrackingStore>,
    /// The folder of the charter, in which training programs start.
    pub folder: PathBuf,
}

/// The use cases over one ledger.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) state: State,
    authorizer: Option<Authorizer>,
}

/// How many entries are read at once when the state is rebuilt.
const REPLAY_BATCH: usize = 4096;

impl Engine {
    /// Opens the house: reads the ledger from its start and rebuilds the state.
    pub fn open(ports: Ports) -> Result<Self, Error> {
        let mut engine = Self { ports, state: State::default(), authorizer: None };
        engine.refresh()?;
        Ok(engine)
    }

    /// Takes in what others appended since. Returns whether there was anything new.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let mut news = false;
        loop {
            let receipts = self.ports.ledger.read(self.state.size(), REPLAY_BATCH)?;
            if receipts.is_empty() {
                return Ok(news);
            }
            news = true;
            self.take_in(&receipts)?;
            if receipts.len() < REPLAY_BATCH {
                return Ok(news);
            }
        }
    }

    /// The state: what the ledger says so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The notebook of experiments and runs.
    pub fn notebook(&self) -> Notebook {
        Notebook::new(&self.ports)
    }

    /// The charter in force.
    pub fn charter(&self) -> Result<&Checked, Error> {
        self.state.charter().ok_or_else(|| {
            Error::not_found("no charter is in force yet")
                .with_help("write one with `wardmote init`, read it with `wardmote plan`, and put it in force with `wardmote apply`")
        })
    }

    /// Whom an access key belongs to, with the roles that the charter in force gives.
    pub fn sign_in(&self, key: &AccessKey) -> Result<Actor, Error> {
        let unknown = || {
            Error::input("the access key is not valid").with_help(
                "keys stop working when a new one is issued; ask a compliance officer for `wardmote credential issue`",
            )
        };
        let holder = self.state.credentials().verify(key).ok_or_else(unknown)?;
        self.actor(holder)
    }

    /// Whom a door has recognised, with the roles that the charter in force gives and the door leaves them.
    ///
    /// # Errors
    /// If the charter names nobody of that id.
    pub fn let_in(&self, recognised: &Recognised) -> Result<Actor, Error> {
        let actor = self.actor(recognised.id())?;
        Ok(Actor::new(actor.id, actor.kind, recognised.held(actor.roles)))
    }

    /// The actor behind a person's or service's id, as the charter in force describes it.
    pub(crate) fn actor(&self, id: &PersonId) -> Result<Actor, Error> {
        let charter = self.charter()?;
        let (kind, roles) = charter.roles_of(id).ok_or_else(|| {
            Error::input(format!("`{id}` is neither a person nor a service of the charter"))
                .with_help("add them to the charter and run `wardmote apply`")
        })?;
        Ok(Actor::new(id.clone(), kind, roles))
    }

    /// An alert, acting for a rule of the charter.
    pub(crate) fn alert_actor(rule: &facts::AlertRule) -> Result<Actor, Error> {
        let slug: String = rule
            .metric
            .as_str()
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        Self::alarm(slug.trim_matches('-'))
    }

    /// An alert of this name, acting by itself.
    pub(crate) fn alarm(name: &str) -> Result<Actor, Error> {
        let id =
            format!("alert-{name}").parse().map_err(|e: facts::ParseError| Error::input(e.to_string()))?;
        let role: RoleId =
            "automation".parse().map_err(|e: facts::ParseError| Error::input(e.to_string()))?;
        Ok(Actor::new(id, ActorKind::Alert, vec![role]))
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Fresh random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.ports.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Asks the policies; a refusal is recorded and returned as an error.
    pub(crate) fn authorise(
        &mut self,
        actor: &Actor,
        action: Action,
        resource: &Resource,
    ) -> Result<Authorized, Error> {
        let decision = match &self.authorizer {
            Some(authorizer) => authorizer.decide(actor, action, resource),
            None => {
                return Err(self
                    .charter()
                    .err()
                    .unwrap_or_else(|| Error::damaged("the policies are not loaded")));
            }
        };
        match decision {
            Decision::Allowed(proof) => Ok(proof),
            Decision::Denied(denial) => {
                let why = Refused {
                    reason: denial.reason().to_owned(),
                    help: denial.help(),
                    policies: denial.policies().to_vec(),
                };
                Err(self.refuse(actor, action.as_str(), &resource.name(), why))
            }
        }
    }

    /// Asks the policies for a caller outside; a refusal is recorded.
    ///
    /// # Errors
    /// The refusal.
    pub fn may(&mut self, actor: &Actor, action: Action, resource: &Resource) -> Result<(), Error> {
        self.authorise(actor, action, resource).map(|_| ())
    }

    /// Whether the policies would allow it; asks only, and records nothing.
    pub(crate) fn permits(&self, actor: &Actor, action: Action, resource: &Resource) -> bool {
        self.authorizer.as_ref().is_some_and(|authorizer| authorizer.permits(actor, action, resource))
    }

    /// Records a refusal and makes the error for it.
    pub(crate) fn refuse(&mut self, actor: &Actor, action: &str, resource: &str, why: Refused) -> Error {
        let entry =
            NewEntry { actor, action, resource, outcome: Outcome::Refused, fact: Fact::Refused(why.clone()) };
        match self.record(vec![entry]) {
            Ok(mut evidence) => match evidence.pop() {
                Some(evidence) => Error::Refused { why, evidence },
                None => Error::damaged("the refusal was not recorded"),
            },
            Err(error) => error,
        }
    }

    /// Appends what happened, durably, and takes it into the state.
    pub(crate) fn record(&mut self, entries: Vec<NewEntry<'_>>) -> Result<Vec<EvidenceId>, Error> {
        let time = self.now();
        let mut drafts =
            entries.into_iter().map(|entry| self.draft(&entry, time)).collect::<Result<Vec<_>, _>>()?;
        // What follows in the same append follows whatever it follows there.
        let mut first = BTreeSet::new();
        for draft in &mut drafts {
            if !first.insert(draft.stream.clone()) {
                draft.expected_seq = None;
            }
        }
        let receipts = self.ports.ledger.append(drafts).map_err(|error| match error.kind() {
            Kind::Conflict => {
                Error::conflict("somebody else changed this at the same moment; nothing was done")
                    .with_help("run the command again")
            }
            _ => Error::Port(error),
        })?;
        let next = self.state.size();
        if receipts.first().is_some_and(|first| first.evidence.index() == next) {
            self.take_in(&receipts)?;
        } else {
            // Others have appended before; the state takes entries in order only.
            self.refresh()?;
        }
        Ok(receipts.into_iter().map(|receipt| receipt.evidence).collect())
    }

    /// One thing that was done.
    pub(crate) fn done<'a>(actor: &'a Actor, action: Action, resource: &'a str, fact: Fact) -> NewEntry<'a> {
        NewEntry { actor, action: action.as_str(), resource, outcome: Outcome::Done, fact }
    }

    fn draft(&self, entry: &NewEntry<'_>, time: Timestamp) -> Result<Draft, Error> {
        let stream = stream_of(entry.resource, entry.action)?;
        // What the registry decided, it decided on a state; if the stream has moved on since, it must decide again.
        let decided = matches!(
            entry.fact,
            Fact::Registry { .. }
                | Fact::Catalogue { .. }
                | Fact::Posture { .. }
                | Fact::Incident { .. }
                | Fact::Waiver { .. }
                | Fact::Stack { .. }
                | Fact::Lifecycle { .. }
        );
        let expected_seq = decided.then(|| self.state.next_seq(&stream));
        let body = serde_json::to_value(&entry.fact)
            .map_err(|error| Error::damaged(format!("cannot encode a fact: {error}")))?;
        Ok(Draft {
            stream,
            expected_seq,
            time,
            actor: entry.actor.clone(),
            action: entry.action.to_owned(),
            resource: entry.resource.to_owned(),
            outcome: entry.outcome,
            body,
        })
    }

    fn take_in(&mut self, receipts: &[Receipt]) -> Result<(), Error> {
        for receipt in receipts {
            if let Some(digest) = self.state.apply(receipt)? {
                let checked = self.read_charter(&digest)?;
                let policies: Vec<(String, String)> = checked
                    .charter()
                    .policies
                    .iter()
                    .map(|policy| (policy.id.clone(), policy.cedar.clone()))
                    .collect();
                self.authorizer =
                    Some(Authorizer::new(&policies).map_err(|error| Error::damaged(error.to_string()))?);
                self.state.set_charter(checked);
            }
        }
        Ok(())
    }
}

/// Something to append.
pub(crate) struct NewEntry<'a> {
    /// Who.
    pub(crate) actor: &'a Actor,
    /// What was attempted.
    pub(crate) action: &'a str,
    /// On what.
    pub(crate) resource: &'a str,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// The rest.
    pub(crate) fact: Fact,
}

/// The stream of a resource: its first two segments, so that all that concerns one model, key or data set is in order.
fn stream_of(resource: &str, action: &str) -> Result<StreamName, Error> {
    let mut segments = resource.split('/');
    let name = match (segments.next(), segments.next()) {
        // Registered models have names that no stream could have; what happens to them is in one order.
        (Some(kind @ "registered-models"), _) => kind.to_owned(),
        (Some(kind), Some(id)) => format!("{kind}/{id}"),
        (Some(kind), None) => kind.to_owned(),
        _ => action.to_owned(),
    };
    name.parse().map_err(|error: facts::ParseError| Error::damaged(error.to_string()))
}
