//! Grants of the local key service: kept in the file of the key, and asked before a grantee gets anything.

use super::{LocalKeys, random};
use facts::KeyId;
use world::{
    DataKey, EncryptionContext, Grant, GrantOperation, KeyService, KeyState, Kind, NewGrant, PortError,
    PublicKey, WrappedKey,
};

/// As many as KMS keeps for a key is far more than a file should.
const MOST_GRANTS: usize = 1000;

impl LocalKeys {
    pub(super) fn give(&self, key: &KeyId, terms: &NewGrant) -> Result<Grant, PortError> {
        terms.check()?;
        named(&terms.grantee)?;
        let mut file = self.load(key)?;
        if !file.encrypts() {
            let text = format!("key `{key}` signs, and what it signs has no encryption context");
            return Err(PortError::new(Kind::Invalid, text).with_help("grants are for keys that encrypt"));
        }
        if let Some(known) = file.grants.iter().find(|known| known.terms == *terms) {
            return Ok(known.clone());
        }
        if file.grants.len() >= MOST_GRANTS {
            let text = format!("key `{key}` has {MOST_GRANTS} grants");
            return Err(PortError::new(Kind::Full, text).with_help("take back those that are not needed"));
        }
        let grant = Grant { id: hex::encode(random::<32>()?), terms: terms.clone() };
        file.grants.push(grant.clone());
        file.grants.sort_by(|a, b| a.id.cmp(&b.id));
        self.save(key, &file)?;
        Ok(grant)
    }

    pub(super) fn take_back(&self, key: &KeyId, id: &str) -> Result<(), PortError> {
        let mut file = self.load(key)?;
        let before = file.grants.len();
        file.grants.retain(|grant| grant.id != id);
        if file.grants.len() == before {
            let text = format!("key `{key}` has no grant `{}`", id.escape_debug());
            return Err(PortError::new(Kind::Absent, text));
        }
        self.save(key, &file)
    }

    pub(super) fn give_back(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError> {
        let grants = self.load(key)?.grants;
        if grants.iter().any(|grant| grant.id == id && grant.terms.grantee != grantee) {
            return Err(
                Granted::new(self.clone(), grantee)?.denied(key, "give back what somebody else holds")
            );
        }
        self.take_back(key, id)
    }
}

fn named(grantee: &str) -> Result<(), PortError> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    if (1..=256).contains(&grantee.len()) && grantee.bytes().all(letters) {
        return Ok(());
    }
    let text = format!("`{}` is nobody to whom a use of a key is granted", grantee.escape_debug());
    Err(PortError::new(Kind::Invalid, text).with_help("expected the id of a role, or an ARN"))
}

/// The service as a grantee sees it.
pub(super) struct Granted {
    keys: LocalKeys,
    grantee: String,
}

impl Granted {
    pub(super) fn new(keys: LocalKeys, grantee: &str) -> Result<Self, PortError> {
        named(grantee)?;
        Ok(Self { keys, grantee: grantee.to_owned() })
    }

    fn permitted(
        &self,
        key: &KeyId,
        operation: GrantOperation,
        context: &EncryptionContext,
    ) -> Result<(), PortError> {
        let grants = self.keys.load(key)?.grants;
        let mut own = grants.iter().filter(|grant| grant.terms.grantee == self.grantee);
        if own.any(|grant| grant.terms.permits(operation, context)) {
            return Ok(());
        }
        Err(self.denied(key, &format!("{operation:?} for this encryption context")))
    }

    fn denied(&self, key: &KeyId, what: &str) -> PortError {
        let text = format!("no grant of key `{key}` lets `{}` do this: {what}", self.grantee);
        PortError::new(Kind::Denied, text).with_help("an administrator of the key can give one")
    }
}

impl KeyService for Granted {
    fn create(&self, key: &KeyId) -> Result<(), PortError> {
        Err(self.denied(key, "make a key"))
    }

    fn create_signing(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        Err(self.denied(key, "make a key"))
    }

    fn state(&self, key: &KeyId) -> Result<KeyState, PortError> {
        Err(self.denied(key, "look at its state"))
    }

    fn set_state(&self, key: &KeyId, _: KeyState) -> Result<(), PortError> {
        Err(self.denied(key, "change its state"))
    }

    fn rotate(&self, key: &KeyId) -> Result<u32, PortError> {
        Err(self.denied(key, "rotate it"))
    }

    fn generate_data_key(
        &self,
        key: &KeyId,
        context: &EncryptionContext,
    ) -> Result<(DataKey, WrappedKey), PortError> {
        self.permitted(key, GrantOperation::GenerateDataKey, context)?;
        self.keys.generate_data_key(key, context)
    }

    fn unwrap_data_key(
        &self,
        key: &KeyId,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> Result<DataKey, PortError> {
        self.permitted(key, GrantOperation::Decrypt, context)?;
        self.keys.unwrap_data_key(key, wrapped, context)
    }

    fn sign(&self, key: &KeyId, _: &[u8]) -> Result<Vec<u8>, PortError> {
        Err(self.denied(key, "sign"))
    }

    fn public_key(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        Err(self.denied(key, "read its public half"))
    }

    fn derive_secret(&self, key: &KeyId, _: &str) -> Result<DataKey, PortError> {
        Err(self.denied(key, "derive secrets"))
    }

    fn create_grant(&self, key: &KeyId, _: &NewGrant) -> Result<Grant, PortError> {
        Err(self.denied(key, "give grants"))
    }

    fn list_grants(&self, key: &KeyId) -> Result<Vec<Grant>, PortError> {
        Err(self.denied(key, "list grants"))
    }

    fn revoke_grant(&self, key: &KeyId, _: &str) -> Result<(), PortError> {
        Err(self.denied(key, "take grants back"))
    }

    fn retire_grant(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError> {
        match grantee == self.grantee {
            true => self.keys.give_back(key, id, grantee),
            false => Err(self.denied(key, "give back what somebody else holds")),
        }
    }

    fn for_grantee(&self, grantee: &str) -> Result<Box<dyn KeyService>, PortError> {
        Ok(Box::new(Self::new(self.keys.clone(), grantee)?))
    }
}
