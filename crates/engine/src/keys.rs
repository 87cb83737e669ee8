//! Administering keys. Who administers a key cannot use it, and the other way round: the policies hold that.

use crate::record::{Fact, KeyChange};
use crate::{Done, Engine, Error};
use facts::{Actor, KeyId};
use guard::Action;
use serde::Serialize;
use world::KeyState;

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyView {
    /// Its id.
    pub key: KeyId,
    /// What it protects.
    pub description: String,
    /// `enabled`, `disabled`, or `absent` if the charter names it and the key service does not have it.
    pub state: &'static str,
    /// The roles that administer it.
    pub administrators: Vec<facts::RoleId>,
    /// The roles that use it.
    pub users: Vec<facts::RoleId>,
}

impl Engine {
    /// The keys of the charter, with their state.
    pub fn list_keys(&self) -> Result<Vec<KeyView>, Error> {
        self.charter()?
            .charter()
            .keys
            .iter()
            .map(|key| {
                let state = match self.ports.keys.state(&key.id) {
                    Ok(KeyState::Enabled) => "enabled",
                    Ok(KeyState::Disabled) => "disabled",
                    Err(error) if error.kind() == world::Kind::Absent => "absent",
                    Err(error) => return Err(error.into()),
                };
                Ok(KeyView {
                    key: key.id.clone(),
                    description: key.description.clone(),
                    state,
                    administrators: key.administrators.clone(),
                    users: key.users.clone(),
                })
            })
            .collect()
    }

    /// Disables, enables or rotates a key.
    pub fn administer_key(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        change: KeyChange,
    ) -> Result<Done<KeyView>, Error> {
        let resource = self.key_resource(key)?;
        self.authorise(actor, Action::KeyAdminister, &resource)?;
        match change {
            KeyChange::Disabled => self.ports.keys.set_state(key, KeyState::Disabled)?,
            KeyChange::Enabled => self.ports.keys.set_state(key, KeyState::Enabled)?,
            KeyChange::Rotated => {
                self.ports.keys.rotate(key)?;
            }
            KeyChange::Created | KeyChange::CreatedSigning => {
                return Err(Error::input("keys are made by `wardmote apply`, from the charter"));
            }
        }
        let name = resource.name();
        let fact = Fact::KeyAdministered { key: key.clone(), change };
        let evidence = self.record(vec![Self::done(actor, Action::KeyAdminister, &name, fact)])?;
        let view = self.list_keys()?.into_iter().find(|view| view.key == *key);
        let answer =
            view.ok_or_else(|| Error::not_found(format!("there is no key `{key}` in the charter")))?;
        Ok(Done { answer, evidence })
    }
}
