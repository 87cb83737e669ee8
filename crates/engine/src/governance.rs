//! Putting a charter in force: the first one founds the house, later ones change it. Keys and access keys that a
//! charter calls for are made here.

use crate::core::NewEntry;
use crate::record::{Fact, KeyChange, Refused};
use crate::{Done, Engine, Error};
use charter::Checked;
use facts::{Actor, Digest, KeyId, PersonId};
use guard::{AccessKey, Action, HashedKey, Resource};
use serde::Serialize;
use std::collections::BTreeMap;
use world::{Kind, PortError};

/// The role that may put a charter in force.
pub(crate) const GOVERNOR: &str = "compliance-officer";

/// The key that signs model versions, if the charter names it.
pub(crate) const SIGNING_KEY: &str = "model-signing";

/// What applying a charter did.
#[derive(Serialize)]
pub struct Founded {
    /// Digest of the charter now in force.
    pub charter: Digest,
    /// What changed, in sentences.
    pub changes: Vec<String>,
    /// Keys that were made.
    pub keys_created: Vec<KeyId>,
    /// Whose access keys were issued and delivered.
    pub issued: Vec<PersonId>,
}

/// An access key was issued.
#[derive(Debug, Clone, Serialize)]
pub struct Issued {
    /// To whom.
    pub holder: PersonId,
}

/// Takes access keys to where their holders find them. The house keeps only hashes, so this is the one chance.
pub type Deliver<'a> = &'a mut dyn FnMut(&BTreeMap<PersonId, AccessKey>) -> Result<(), PortError>;

impl Engine {
    /// What a charter would mean: nothing is changed.
    pub fn plan_charter(&self, new: &Checked) -> charter::Plan {
        charter::plan(self.state.charter(), new)
    }

    /// Puts a charter in force. The first is put in force by a compliance officer whom it names itself; every
    /// later one by a compliance officer of the charter in force.
    ///
    /// `deliver` gets the access keys before they are valid, so that a crash in between loses none: a key that was
    /// delivered and never came in force is issued anew by the next apply.
    pub fn apply_charter(
        &mut self,
        governor: &PersonId,
        new: &Checked,
        deliver: Deliver<'_>,
    ) -> Result<Done<Founded>, Error> {
        let first = self.state.charter().is_none();
        let actor = if first { founder(governor, new)? } else { self.actor(governor)? };
        if !first {
            self.authorise(&actor, Action::CharterApply, &Resource::Charter)?;
        }
        if self.state.charter().is_some_and(|old| old.digest() == new.digest()) {
            // What the charter calls for and is missing is made, so that an interrupted apply can be finished.
            return self.settle(governor, new, Vec::new(), deliver);
        }
        // A charter whose policies do not compile must never come in force: nobody could act any more.
        self.check_policies(&actor, new)?;
        let changes = self.plan_charter(new).sentences();
        let digest = new.digest();
        self.ports.objects.put(&charter_object(&digest), new.canonical_json().as_bytes())?;
        let fact = Fact::CharterApplied { digest, changes: changes.clone() };
        let evidence = self.record(vec![Self::done(&actor, Action::CharterApply, "charter", fact)])?;
        let mut done = self.settle(governor, new, changes, deliver)?;
        done.evidence.extend(evidence);
        Ok(done)
    }

    /// Issues a new access key to a person or service; the earlier one stops working.
    pub fn issue_credential(
        &mut self,
        actor: &Actor,
        holder: &PersonId,
        deliver: Deliver<'_>,
    ) -> Result<Done<Issued>, Error> {
        self.authorise(actor, Action::CredentialIssue, &Resource::Charter)?;
        self.actor(holder)?;
        let (key, entry) = self.new_credential(actor, holder)?;
        deliver(&BTreeMap::from([(holder.clone(), key)]))?;
        let evidence = self.record(vec![entry])?;
        Ok(Done { answer: Issued { holder: holder.clone() }, evidence })
    }

    /// Reads a charter that was in force from the objects, and checks that it is the one recorded.
    pub(crate) fn read_charter(&self, digest: &Digest) -> Result<Checked, Error> {
        let name = charter_object(digest);
        let bytes = self.ports.objects.get(&name)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::damaged(format!("the object `{name}` is not text")))?;
        let checked = Checked::from_json(&text)
            .map_err(|_| Error::damaged(format!("the object `{name}` is not a charter")))?;
        if checked.digest() != *digest {
            return Err(Error::damaged(format!(
                "the object `{name}` is not the charter that was put in force"
            )));
        }
        Ok(checked)
    }

    /// Makes the keys and access keys that the charter calls for and that do not exist yet; revokes those of people who left.
    fn settle(
        &mut self,
        governor: &PersonId,
        new: &Checked,
        changes: Vec<String>,
        deliver: Deliver<'_>,
    ) -> Result<Done<Founded>, Error> {
        let actor = self.actor(governor)?;
        let keys_created = self.create_missing_keys(&actor, new)?;
        self.settle_checkpoints(&actor, new)?;
        let mut issued = BTreeMap::new();
        let mut entries = Vec::new();
        let charter = new.charter();
        let holders = charter
            .people
            .iter()
            .map(|person| &person.id)
            .chain(charter.services.iter().map(|service| &service.id));
        for holder in holders.clone().filter(|holder| !self.state.credentials().has(holder)) {
            let (key, entry) = self.new_credential(&actor, holder)?;
            issued.insert(holder.clone(), key);
            entries.push(entry);
        }
        let present: Vec<&PersonId> = holders.collect();
        let gone: Vec<PersonId> = self
            .state
            .credentials()
            .iter()
            .map(|(holder, _)| holder.clone())
            .filter(|holder| !present.contains(&holder))
            .collect();
        for holder in gone {
            entries.push(Self::done(
                &actor,
                Action::CredentialIssue,
                "credential",
                Fact::CredentialRevoked { holder },
            ));
        }
        if !issued.is_empty() {
            deliver(&issued)?;
        }
        let evidence = if entries.is_empty() { Vec::new() } else { self.record(entries)? };
        Ok(Done {
            answer: Founded {
                charter: new.digest(),
                changes,
                keys_created,
                issued: issued.into_keys().collect(),
            },
            evidence,
        })
    }

    fn create_missing_keys(&mut self, actor: &Actor, new: &Checked) -> Result<Vec<KeyId>, Error> {
        let mut created = Vec::new();
        for key in &new.charter().keys {
            match self.ports.keys.state(&key.id) {
                Ok(_) => continue,
                Err(error) if error.kind() == Kind::Absent => {}
                Err(error) => return Err(error.into()),
            }
            let change = if key.id.as_str() == SIGNING_KEY || key.signs_checkpoints() {
                self.ports.keys.create_signing(&key.id)?;
                KeyChange::CreatedSigning
            } else {
                self.ports.keys.create(&key.id)?;
                KeyChange::Created
            };
            let name = format!("key/{}", key.id);
            let fact = Fact::KeyAdministered { key: key.id.clone(), change };
            self.record(vec![Self::done(actor, Action::KeyCreate, &name, fact)])?;
            created.push(key.id.clone());
        }
        Ok(created)
    }

    fn new_credential<'a>(
        &self,
        actor: &'a Actor,
        holder: &PersonId,
    ) -> Result<(AccessKey, NewEntry<'a>), Error> {
        let key = AccessKey::new(holder, self.random()?);
        let fact = Fact::CredentialIssued { holder: holder.clone(), key: HashedKey::of(&key) };
        Ok((key, Self::done(actor, Action::CredentialIssue, "credential", fact)))
    }

    fn check_policies(&mut self, actor: &Actor, new: &Checked) -> Result<(), Error> {
        let policies: Vec<(String, String)> =
            new.charter().policies.iter().map(|policy| (policy.id.clone(), policy.cedar.clone())).collect();
        match guard::Authorizer::new(&policies) {
            Ok(_) => Ok(()),
            Err(error) if self.state.charter().is_none() => Err(Error::input(error.to_string())),
            Err(error) => {
                let why = Refused {
                    reason: error.to_string(),
                    help: Some("correct the policy in the charter".into()),
                    policies: vec![],
                };
                Err(self.refuse(actor, Action::CharterApply.as_str(), "charter", why))
            }
        }
    }
}

/// The first charter is put in force by somebody whom it makes a compliance officer.
fn founder(id: &PersonId, new: &Checked) -> Result<Actor, Error> {
    let governors: Vec<String> = new
        .charter()
        .people
        .iter()
        .filter(|person| person.roles.iter().any(|role| role.as_str() == GOVERNOR))
        .map(|person| format!("`{}`", person.id))
        .collect();
    let help = format!("people with that role: {}", governors.join(", "));
    let (kind, roles) = new.roles_of(id).ok_or_else(|| {
        Error::input(format!("`{id}` is neither a person nor a service of the charter"))
            .with_help(help.clone())
    })?;
    let actor = Actor::new(id.clone(), kind, roles);
    if actor.roles.iter().any(|role| role.as_str() == GOVERNOR) {
        Ok(actor)
    } else {
        Err(Error::input(format!("the first charter is put in force by a `{GOVERNOR}`, and `{id}` is none"))
            .with_help(help))
    }
}

fn charter_object(digest: &Digest) -> String {
    format!("charters/{}", digest.to_hex())
}
