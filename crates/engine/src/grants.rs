//! Grants of keys: a role that does not use a key gets to, for one encryption context, until it is taken back. Given and taken
//! back by whoever administers the key, and used through the key service as the grantee, which decides a second time.

use crate::record::Fact;
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
    /// Why it was given.
    pub reason: String,
}

/// Whether a grant is where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// On record, and in the key service.
    InForce,
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
}

impl Engine {
    /// Gives a role uses of a key. The same again is the same grant.
    ///
    /// # Errors
    /// If the actor does not administer the key, the role does already, or nobody has the role.
    pub fn grant_key(&mut self, actor: &Actor, request: GrantRequest) -> Result<Done<KeyGrant>, Error> {
        let GrantRequest { key, role, principal, operations, constraint, reason } = request;
        let resource = self.key_resource(&key)?;
        self.authorise(actor, Action::KeyAdminister, &resource)?;
        self.may_be_granted(&role, &resource)?;
        let terms = NewGrant {
            name: format!("wardmote/{role}"),
            grantee: principal.unwrap_or_else(|| role.to_string()),
            operations,
            constraint,
        };
        let grant = self.ports.keys.create_grant(&key, &terms)?;
        if let Some(known) = self.state.key_grants().iter().find(|known| known.what.is(&key, &grant.id)) {
            return Ok(Done { answer: known.what.clone(), evidence: vec![known.evidence.clone()] });
        }
        let given = KeyGrant { key, role, grant, reason };
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
                let state = if known.is_some() { GrantState::InForce } else { GrantState::Outside };
                views.push(view(&key, grant, state, known));
            }
            for known in recorded.into_values() {
                views.push(view(&key, known.what.grant.clone(), GrantState::Gone, Some(known)));
            }
        }
        Ok(views)
    }

    /// The grant by which somebody who does not use a key may do this, if there is one.
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
        self.state.key_grants().iter().find(fits).map(|known| known.what.clone())
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
    GrantView { key: key.clone(), grant, state, role: known.map(|known| known.what.role.clone()), given }
}
