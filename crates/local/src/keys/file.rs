//! The file of one key: its versions, whether it is disabled, and how its material is protected.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use facts::KeyId;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use world::{Grant, Kind, PortError};
use zeroize::Zeroizing;

/// What a key is made of.
pub(super) enum Material {
    /// A key-encryption key.
    Symmetric(Zeroizing<[u8; 32]>),
    /// A P-256 key in PKCS #8.
    Signing(Zeroizing<Vec<u8>>),
}

/// As stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    format: u32,
    purpose: Purpose,
    disabled: bool,
    /// How the material below is protected, in words, for whoever opens the file.
    protection: Protection,
    versions: Vec<Stored>,
    /// Who else may use it, and for what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    EncryptDecrypt,
    SignVerify,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Protection {
    /// Nothing but the permissions of this file.
    FilePermissionsOnly,
    /// AES-256-GCM under a key from the passphrase by PBKDF2-HMAC-SHA-256.
    Passphrase,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    salt: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    nonce: String,
    material: String,
}

/// OWASP Password Storage Cheat Sheet (2023) for PBKDF2-HMAC-SHA256.
const ITERATIONS: u32 = 600_000;

impl KeyFile {
    pub(super) fn new(
        material: &Material,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Self, PortError> {
        let purpose = match material {
            Material::Symmetric(_) => Purpose::EncryptDecrypt,
            Material::Signing(_) => Purpose::SignVerify,
        };
        let protection =
            if passphrase.is_some() { Protection::Passphrase } else { Protection::FilePermissionsOnly };
        let mut file = Self {
            format: 1,
            purpose,
            disabled: false,
            protection,
            versions: Vec::new(),
            grants: Vec::new(),
        };
        file.add(material, passphrase)?;
        Ok(file)
    }

    pub(super) fn decode(key: &KeyId, bytes: &[u8]) -> Result<Self, PortError> {
        let file: Self = serde_json::from_slice(bytes).map_err(|_| damaged(key))?;
        if file.format == 1 { Ok(file) } else { Err(damaged(key)) }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, PortError> {
        serde_json::to_vec_pretty(self)
            .map_err(|error| PortError::new(Kind::Failed, format!("cannot encode a key file: {error}")))
    }

    /// Whether it encrypts; else it signs.
    pub(super) fn encrypts(&self) -> bool {
        self.purpose == Purpose::EncryptDecrypt
    }

    pub(super) fn disabled(&self) -> bool {
        self.disabled
    }

    pub(super) fn set_disabled(&mut self, disabled: bool) {
        self.disabled = disabled;
    }

    /// Adds a version and gives its number, from 1.
    pub(super) fn add(
        &mut self,
        material: &Material,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<u32, PortError> {
        let plain: &[u8] = match material {
            Material::Symmetric(bytes) => bytes.as_ref(),
            Material::Signing(bytes) => bytes,
        };
        let stored = match (self.protection, passphrase) {
            (Protection::FilePermissionsOnly, _) => {
                Stored { salt: String::new(), nonce: String::new(), material: hex::encode(plain) }
            }
            (Protection::Passphrase, Some(passphrase)) => protect(plain, passphrase)?,
            (Protection::Passphrase, None) => return Err(passphrase_needed()),
        };
        self.versions.push(stored);
        Ok(u32::try_from(self.versions.len()).unwrap_or(u32::MAX))
    }

    /// All versions, oldest first.
    pub(super) fn materials(
        &self,
        key: &KeyId,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Vec<Material>, PortError> {
        let open = |stored: &Stored| -> Result<Material, PortError> {
            let bytes = Zeroizing::new(hex::decode(&stored.material).map_err(|_| damaged(key))?);
            let plain = match (self.protection, passphrase) {
                (Protection::FilePermissionsOnly, _) => bytes,
                (Protection::Passphrase, Some(passphrase)) => uncover(stored, bytes, passphrase)?,
                (Protection::Passphrase, None) => return Err(passphrase_needed()),
            };
            match self.purpose {
                Purpose::SignVerify => Ok(Material::Signing(plain)),
                Purpose::EncryptDecrypt => {
                    let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| damaged(key))?;
                    Ok(Material::Symmetric(Zeroizing::new(bytes)))
                }
            }
        };
        self.versions.iter().map(open).collect()
    }
}

fn protect(plain: &[u8], passphrase: &str) -> Result<Stored, PortError> {
    let (salt, nonce): ([u8; 16], [u8; 12]) = (super::random()?, super::random()?);
    let mut bytes = plain.to_vec();
    cipher(passphrase, &salt)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .map_err(|_| PortError::new(Kind::Failed, "cannot encrypt key material"))?;
    Ok(Stored { salt: hex::encode(salt), nonce: hex::encode(nonce), material: hex::encode(bytes) })
}

fn uncover(
    stored: &Stored,
    mut bytes: Zeroizing<Vec<u8>>,
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, PortError> {
    let wrong = || {
        PortError::new(Kind::Denied, "the passphrase does not open the key")
            .with_help("set WARDMOTE_KEY_PASSPHRASE to the right one")
    };
    let salt = hex::decode(&stored.salt).map_err(|_| wrong())?;
    let nonce: [u8; 12] =
        hex::decode(&stored.nonce).ok().and_then(|nonce| nonce.try_into().ok()).ok_or_else(wrong)?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let plain =
        cipher(passphrase, &salt)?.open_in_place(nonce, Aad::empty(), &mut bytes).map_err(|_| wrong())?;
    Ok(Zeroizing::new(plain.to_vec()))
}

fn cipher(passphrase: &str, salt: &[u8]) -> Result<LessSafeKey, PortError> {
    let failed = || PortError::new(Kind::Failed, "cannot derive a key from the passphrase");
    let iterations = NonZeroU32::new(ITERATIONS).ok_or_else(failed)?;
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase.as_bytes(), key.as_mut());
    UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| failed())
}

fn damaged(key: &KeyId) -> PortError {
    PortError::new(Kind::Damaged, format!("the file of key `{key}` is damaged"))
}

fn passphrase_needed() -> PortError {
    PortError::new(Kind::Denied, "the key is protected by a passphrase, and none was given")
        .with_help("set WARDMOTE_KEY_PASSPHRASE")
}
