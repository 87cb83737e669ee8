//! The key service: keys that encrypt keys, and keys that sign. Modelled on AWS KMS.

use crate::{Grant, NewGrant, PortError};
use facts::KeyId;
use std::collections::BTreeMap;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a data key is bound to; must be given again, unchanged, to unwrap it (KMS: encryption context).
pub type EncryptionContext = BTreeMap<String, String>;

/// A plain data key; leaves no trace in memory.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct DataKey(pub [u8; 32]);

/// A data key under a key-encryption key, safe to store beside the data. The three parts are those of an "encrypted
/// data key" in the message format of the AWS Encryption SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Who can unwrap it: `aws-kms`, `wardmote-local`.
    pub provider: String,
    /// What the provider needs to find the key: an ARN, or name, nonce and lengths.
    pub info: Vec<u8>,
    /// The key itself, encrypted.
    pub ciphertext: Vec<u8>,
}

/// A P-256 public key as SubjectPublicKeyInfo in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(pub String);

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Usable.
    Enabled,
    /// Exists; every use is refused until it is enabled again.
    Disabled,
}

/// A key service. All implementations pass [`crate::contract::keys`].
///
/// It decides nothing about who may call it: the engine has asked the policy first, and records every use.
pub trait KeyService: Send + Sync {
    /// Makes a symmetric key-encryption key. An error of kind Conflict if it exists.
    fn create(&self, key: &KeyId) -> Result<(), PortError>;
    /// Makes a P-256 signing key. An error of kind Conflict if it exists.
    fn create_signing(&self, key: &KeyId) -> Result<PublicKey, PortError>;
    /// The state; an error of kind Absent if there is no such key.
    fn state(&self, key: &KeyId) -> Result<KeyState, PortError>;
    /// Enables or disables it.
    fn set_state(&self, key: &KeyId, state: KeyState) -> Result<(), PortError>;
    /// New key material for new data keys; what was wrapped before can still be unwrapped. Returns the number of the new version.
    fn rotate(&self, key: &KeyId) -> Result<u32, PortError>;
    /// A fresh data key, plain and wrapped, bound to `context`. Kind Disabled if the key is.
    fn generate_data_key(
        &self,
        key: &KeyId,
        context: &EncryptionContext,
    ) -> Result<(DataKey, WrappedKey), PortError>;
    /// Unwraps; kind Disabled if the key is, Damaged if the bytes or the context are not those it was made with.
    fn unwrap_data_key(
        &self,
        key: &KeyId,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> Result<DataKey, PortError>;
    /// An ECDSA P-256/SHA-256 signature in DER over `message`. Kind Disabled if the key is.
    fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, PortError>;
    /// The public half of a signing key.
    fn public_key(&self, key: &KeyId) -> Result<PublicKey, PortError>;
    /// A 32-byte secret derived from the key for one pseudonymisation domain (HKDF-SHA-256); the same for the same key and
    /// domain, also after a rotation. Kind Disabled if the key is.
    fn derive_secret(&self, key: &KeyId, domain: &str) -> Result<DataKey, PortError>;
    /// Lets somebody who is not in the key's policy make or unwrap data keys. The same grant again is the one that is there.
    /// Kind Invalid if its terms are none, or the key is not one that encrypts.
    fn create_grant(&self, key: &KeyId, grant: &NewGrant) -> Result<Grant, PortError>;
    /// The grants of a key that are in force, in the order of their ids.
    fn list_grants(&self, key: &KeyId) -> Result<Vec<Grant>, PortError>;
    /// Takes a grant back; kind Absent if there is none of this id.
    fn revoke_grant(&self, key: &KeyId, id: &str) -> Result<(), PortError>;
    /// Gives a grant back as its grantee, who administers nothing. Kind Denied if it is somebody else's, Absent if there is none
    /// of this id.
    fn retire_grant(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError>;
    /// The service as a grantee sees it, who can do what grants say and nothing else: all else is of kind Denied.
    fn for_grantee(&self, grantee: &str) -> Result<Box<dyn KeyService>, PortError>;
}
