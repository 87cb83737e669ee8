//! Grants of keys: a role that does not use a key gets to, for one encryption context, until it is taken back. Given and taken
//! back by whoever administers the key, and used through the key service as the grantee, which decides a second time.

use crate::record::{Fact, Refused};
use crate::{Done, Engine, Error, Recorded};
use facts::{Actor, EvidenceId, KeyId, PersonId, RoleId, Timestamp};
use guard::{Action, Resource};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use world::{Grant, GrantConstraint, GrantOperation, Kind, NewGrant};

/// A grant that somebody asks for.
#[derive(Debug, Clone)]
pub struct GrantRequest {
    /// The key.
    pub key: KeyId,
    /// The role of the charter that gets it.
    pub role: RoleId,
    /// How the key service knows that role; its id if absent.
    pub principal: Option<String>,
    /// What it may do.
    pub operations: BTreeSet<GrantOperation>,
    /// For which contexts.
    pub constraint: GrantConstraint,
    /// When it ends; when it is taken back if absent.
    pub until: Option<Timestamp>,
    /// Why, for the record.
    pub reason: String,
}

/// A grant as the record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGrant {
    /// The key.
    pub key: KeyId,
    /// The role of the charter that has it.
    pub role: RoleId,
    /// The grant as the key service has it.
    pub grant: Grant,
    /// From when on the house refuses a use by it; key services know no such time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why it was given.
    pub reason: String,
}

/// Whether a grant is where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// On record, and in the key service.
    InForce,
    /// Its time is over, and the key service still has it: the house refuses its use.
    Ended,
    /// In the key service, and on no record: somebody else gave it.
    Outside,
    /// On record, and not in the key service: somebody else took it back.
    Gone,
}

/// A grant as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GrantView {
    /// The key.
    pub key: KeyId,
    /// What the key service has, or had.
    #[serde(flatten)]
    pub grant: Grant,
    /// Where it is.
    pub state: GrantState,
    /// When it ends or ended, if that is on record.
    pub until: Option<Timestamp>,
    /// The role, if it is on record.
    pub role: Option<RoleId>,
    /// Who gave it and when, if it is on record.
    pub given: Option<Given>,
}

/// Who gave a grant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Given {
    /// Who.
    pub by: PersonId,
    /// When.
    pub time: Timestamp,
    /// Why.
    pub reason: String,
    /// The entry.
    pub evidence: EvidenceId,
}

/// The grants that are on record and were not taken back.
#[derive(Debug, Default)]
pub struct KeyGrants(Vec<Recorded<KeyGrant>>);

impl KeyGrants {
    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Recorded<KeyGrant>> {
        self.0.iter()
    }

    pub(crate) fn given(&mut self, grant: Recorded<KeyGrant>) {
        self.0.retain(|known| !known.what.is(&grant.what.key, &grant.what.grant.id));
        self.0.push(grant);
    }

    pub(crate) fn revoked(&mut self, key: &KeyId, id: &str) {
        self.0.retain(|known| !known.what.is(key, id));
    }
}

impl KeyGrant {
    fn is(&self, key: &KeyId, id: &str) -> bool {
        self.key == *key && self.grant.id == id
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Engine {
    /// Gives a role uses of a key. The same again is the same grant.
    ///
    /// # Errors
    /// If the actor does not administer the key, the role does already, nobody has the role, or its time would be over.
    pub fn grant_key(&mut self, actor: &Actor, request: GrantRequest) -> Result<Done<KeyGrant>, Error> {
        let GrantRequest { key, role, principal, operations, constraint, until, reason } = request;
        let resource = self.key_resource(&key)?;
        self.authorise(actor, Action::KeyAdminister, &resource)?;
        self.may_be_granted(&role, &resource)?;
        if let Some(until) = until.filter(|until| *until <= self.now()) {
            return Err(Error::input(format!("`{until}` is not in the future")).with_help(
                "name a time that is to come: `--until 2031-01-31` or `--until 2031-01-31T18:00:00Z`",
            ));
        }
        let terms = NewGrant {
            name: format!("wardmote/{role}"),
            grantee: principal.unwrap_or_else(|| role.to_string()),
            operations,
            constraint,
        };
        let grant = self.ports.keys.create_grant(&key, &terms)?;
        let same = |known: &&Recorded<KeyGrant>| known.what.is(&key, &grant.id) && known.what.until == until;
        if let Some(known) = self.state.key_grants().iter().find(same) {
            return Ok(Done { answer: known.what.clone(), evidence: vec![known.evidence.clone()] });
        }
        let given = KeyGrant { key, role, grant, until, reason };
        let name = resource.name();
        let fact = Fact::KeyGranted(Box::new(given.clone()));
        let evidence = self.record(vec![Self::done(actor, Action::KeyAdminister, &name, fact)])?;
        Ok(Done { answer: given, evidence })
    }

    /// Takes a grant back, whoever gave it.
    ///
    /// # Errors
    /// If the actor does not administer the key, or there is no such grant.
    pub fn revoke_key_grant(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        (id, reason): (&str, &str),
    ) -> Result<Done<GrantView>, Error> {
        let resource = self.key_resource(key)?;
        self.authorise(actor, Action::KeyAdminister, &resource)?;
        let view = self.key_grants(Some(key))?.into_iter().find(|view| view.grant.id == id);
        let view = view.ok_or_else(|| {
            Error::not_found(format!("key `{key}` has no grant `{}`", id.escape_debug()))
                .with_help(format!("`wardmote key grants {key}` lists them"))
        })?;
        match self.ports.keys.revoke_grant(key, id) {
            // It is gone already, perhaps by us, in an attempt that was not recorded.
            Err(error) if error.kind() == Kind::Absent => {}
            done => done?,
        }
        let name = resource.name();
        let fact = Fact::KeyGrantRevoked { key: key.clone(), id: id.to_owned(), reason: reason.to_owned() };
        let evidence = self.record(vec![Self::done(actor, Action::KeyAdminister, &name, fact)])?;
        Ok(Done { answer: view, evidence })
    }

    /// Takes back the grants of a key, or of all keys of the charter, whose time is over.
    ///
    /// # Errors
    /// If there is no such key, the actor does not administer one of them, or one cannot be taken back; those before it are.
    pub fn end_key_grants(
        &mut self,
        actor: &Actor,
        key: Option<&KeyId>,
    ) -> Result<Done<Vec<GrantView>>, Error> {
        let now = self.now();
        let over = |view: &GrantView| view.until.is_some_and(|until| until <= now);
        let over: Vec<GrantView> = self.key_grants(key)?.into_iter().filter(over).collect();
        let mut evidence = Vec::new();
        for view in &over {
            let reason = view.until.map(|until| format!("it ended at {until}")).unwrap_or_default();
            evidence.extend(self.revoke_key_grant(actor, &view.key, (&view.grant.id, &reason))?.evidence);
        }
        Ok(Done { answer: over, evidence })
    }

    /// Gives a grant back: whoever has the role that it was given to may, and needs nobody who administers the key.
    ///
    /// # Errors
    /// If no such grant is on record, the actor has not its role, or the key service refuses.
    pub fn retire_key_grant(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        (id, reason): (&str, &str),
    ) -> Result<Done<KeyGrant>, Error> {
        let mut resource = self.key_resource(key)?;
        let known = self.state.key_grants().iter().find(|known| known.what.is(key, id));
        let known = known.map(|known| known.what.clone()).ok_or_else(|| {
            Error::not_found(format!("no grant `{}` of key `{key}` is on record", id.escape_debug()))
                .with_help(format!("`wardmote key grants {key}` lists them"))
        })?;
        // Whoever may use the key by it may give it back.
        if let Resource::Key { users, .. } = &mut resource {
            *users = vec![known.role.clone()];
        }
        self.authorise(actor, Action::KeyUse, &resource)?;
        match self.ports.keys.retire_grant(key, id, &known.grant.terms.grantee) {
            // It is gone already, perhaps by us, in an attempt that was not recorded.
            Err(error) if error.kind() == Kind::Absent => {}
            done => done?,
        }
        let fact = Fact::KeyGrantRetired { key: key.clone(), id: id.to_owned(), reason: reason.to_owned() };
        let name = resource.name();
        let evidence = self.record(vec![Self::done(actor, Action::KeyUse, &name, fact)])?;
        Ok(Done { answer: known, evidence })
    }

    /// The grants of a key, or of all keys of the charter: what the key service has, beside what is on record.
    ///
    /// # Errors
    /// If there is no such key, or the key service does not tell.
    pub fn key_grants(&self, key: Option<&KeyId>) -> Result<Vec<GrantView>, Error> {
        let keys: Vec<KeyId> = match key {
            Some(key) => {
                self.key_resource(key)?;
                vec![key.clone()]
            }
            None => self.charter()?.charter().keys.iter().map(|key| key.id.clone()).collect(),
        };
        let mut views = Vec::new();
        for key in keys {
            let mut recorded: BTreeMap<&str, &Recorded<KeyGrant>> = self
                .state
                .key_grants()
                .iter()
                .filter(|known| known.what.key == key)
                .map(|known| (known.what.grant.id.as_str(), known))
                .collect();
            for grant in self.ports.keys.list_grants(&key)? {
                let known = recorded.remove(grant.id.as_str());
                // One of the same id that says something else is not ours either.
                let known = known.filter(|known| known.what.grant == grant);
                let state = match known {
                    Some(known) if known.what.has_ended(self.now()) => GrantState::Ended,
                    Some(_) => GrantState::InForce,
                    None => GrantState::Outside,
                };
                views.push(view(&key, grant, state, known));
            }
            for known in recorded.into_values() {
                views.push(view(&key, known.what.grant.clone(), GrantState::Gone, Some(known)));
            }
        }
        Ok(views)
    }

    /// The grant by which somebody who does not use a key may do this, if there is one; the one that ends last. It may have
    /// ended: then it is [refused](Self::not_ended).
    pub(crate) fn granted(
        &self,
        actor: &Actor,
        (key, operation): (&Resource, &str),
        context: &BTreeMap<String, String>,
    ) -> Option<KeyGrant> {
        let Resource::Key { id, users, .. } = key else { return None };
        let operation = match operation {
            "encrypt" => GrantOperation::GenerateDataKey,
            "decrypt" => GrantOperation::Decrypt,
            _ => return None,
        };
        if actor.roles.iter().any(|role| users.contains(role)) {
            return None;
        }
        let fits = |known: &&Recorded<KeyGrant>| {
            let KeyGrant { key, role, grant, .. } = &known.what;
            key == id && actor.roles.contains(role) && grant.terms.permits(operation, context)
        };
        let fitting = self.state.key_grants().iter().filter(fits).map(|known| &known.what);
        // One without an end ends after all others.
        fitting.max_by_key(|grant| (grant.until.is_none(), grant.until)).cloned()
    }

    /// Refuses a use by a grant whose time is over, whether or not the key service still has it.
    pub(crate) fn not_ended(&mut self, actor: &Actor, key: &Resource, grant: &KeyGrant) -> Result<(), Error> {
        let Some(until) = grant.until.filter(|_| grant.has_ended(self.now())) else { return Ok(()) };
        let reason =
            format!("the grant of key `{}` to the role `{}` ended at {until}", grant.key, grant.role);
        let help = Some("whoever administers the key can give another one: `wardmote key grant`".to_owned());
        let why = Refused { reason, help, policies: Vec::new() };
        Err(self.refuse(actor, Action::KeyUse.as_str(), &key.name(), why))
    }

    fn may_be_granted(&self, role: &RoleId, key: &Resource) -> Result<(), Error> {
        if let Resource::Key { id, administrators, .. } = key
            && administrators.contains(role)
        {
            return Err(Error::input(format!("`{role}` administers key `{id}`, and cannot use it"))
                .with_help("grant it to a role that does not administer the key"));
        }
        let charter = self.charter()?.charter();
        let people = charter.people.iter().flat_map(|person| &person.roles);
        let held: BTreeSet<&RoleId> =
            people.chain(charter.services.iter().flat_map(|service| &service.roles)).collect();
        if held.contains(role) {
            return Ok(());
        }
        let held: Vec<String> = held.iter().map(|role| format!("`{role}`")).collect();
        Err(Error::input(format!("nobody in the charter has the role `{role}`"))
            .with_help(format!("roles: {}", held.join(", "))))
    }
}

fn view(key: &KeyId, grant: Grant, state: GrantState, known: Option<&Recorded<KeyGrant>>) -> GrantView {
    let given = known.map(|known| Given {
        by: known.by.clone(),
        time: known.time,
        reason: known.what.reason.clone(),
        evidence: known.evidence.clone(),
    });
    let until = known.and_then(|known| known.what.until);
    let role = known.map(|known| known.what.role.clone());
    GrantView { key: key.clone(), grant, state, until, role, given }
}
