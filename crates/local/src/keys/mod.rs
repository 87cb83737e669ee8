//! The local key service: one file per key, readable by its owner only, under a passphrase if one is given.
//!
//! Wrapped data keys have the form of a raw AES keyring of the AWS Encryption SDK: what is encrypted here opens there.

mod file;
mod grants;

use crate::files;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use facts::KeyId;
use file::{KeyFile, Material};
use std::path::{Path, PathBuf};
use world::{
    DataKey, EncryptionContext, Grant, KeyService, KeyState, Kind, NewGrant, PortError, PublicKey, WrappedKey,
};
use zeroize::Zeroizing;

/// The key provider's name in wrapped keys.
const PROVIDER: &str = "wardmote-local";
const NONCE: usize = 12;
const TAG_BITS: u32 = 128;

/// Keys in a folder.
#[derive(Clone)]
pub struct LocalKeys {
    dir: PathBuf,
    passphrase: Option<Zeroizing<String>>,
}

impl LocalKeys {
    /// Opens the folder, making it if it is not there. With a passphrase, key material is encrypted under it.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Self, PortError> {
        files::private_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), passphrase: passphrase.map(|text| Zeroizing::new(text.to_owned())) })
    }

    fn path(&self, key: &KeyId) -> PathBuf {
        self.dir.join(format!("{key}.json"))
    }

    fn load(&self, key: &KeyId) -> Result<KeyFile, PortError> {
        let bytes = files::read(&self.path(key)).map_err(|error| match error.kind() {
            Kind::Absent => {
                PortError::new(Kind::Absent, format!("there is no key `{key}` in the key service"))
            }
            _ => error,
        })?;
        KeyFile::decode(key, &bytes)
    }

    fn save(&self, key: &KeyId, file: &KeyFile) -> Result<(), PortError> {
        files::replace(&self.path(key), &file.encode()?)
    }

    fn make(&self, key: &KeyId, material: &Material) -> Result<(), PortError> {
        if self.path(key).exists() {
            return Err(PortError::new(Kind::Conflict, format!("the key `{key}` exists already")));
        }
        self.save(key, &KeyFile::new(material, self.passphrase.as_ref())?)
    }

    /// The material of a key that may be used.
    fn usable(&self, key: &KeyId) -> Result<Vec<Material>, PortError> {
        let file = self.load(key)?;
        if file.disabled() {
            let text = format!("key `{key}` is disabled, so what it protects cannot be read");
            return Err(PortError::new(Kind::Disabled, text));
        }
        file.materials(key, self.passphrase.as_ref())
    }

    fn symmetric(&self, key: &KeyId) -> Result<Vec<Zeroizing<[u8; 32]>>, PortError> {
        let materials = self.usable(key)?.into_iter().map(|material| match material {
            Material::Symmetric(bytes) => Ok(bytes),
            Material::Signing(_) => {
                Err(PortError::new(Kind::Invalid, format!("key `{key}` signs; it does not encrypt")))
            }
        });
        materials.collect()
    }

    fn pair(&self, key: &KeyId) -> Result<EcdsaKeyPair, PortError> {
        match self.usable(key)?.last() {
            Some(Material::Signing(pkcs8)) => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).map_err(|_| {
                    PortError::new(Kind::Damaged, format!("the material of key `{key}` is damaged"))
                })
            }
            _ => Err(PortError::new(Kind::Invalid, format!("key `{key}` encrypts; it does not sign"))),
        }
    }
}

impl KeyService for LocalKeys {
    fn create(&self, key: &KeyId) -> Result<(), PortError> {
        self.make(key, &Material::Symmetric(Zeroizing::new(random()?)))
    }

    fn create_signing(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &rand::SystemRandom::new())
            .map_err(|_| PortError::new(Kind::Failed, "cannot make a signing key"))?;
        self.make(key, &Material::Signing(Zeroizing::new(pkcs8.as_ref().to_vec())))?;
        self.public_key(key)
    }

    fn state(&self, key: &KeyId) -> Result<KeyState, PortError> {
        Ok(if self.load(key)?.disabled() { KeyState::Disabled } else { KeyState::Enabled })
    }

    fn set_state(&self, key: &KeyId, state: KeyState) -> Result<(), PortError> {
        let mut file = self.load(key)?;
        file.set_disabled(state == KeyState::Disabled);
        self.save(key, &file)
    }

    fn rotate(&self, key: &KeyId) -> Result<u32, PortError> {
        let mut file = self.load(key)?;
        self.symmetric(key)?;
        let version = file.add(&Material::Symmetric(Zeroizing::new(random()?)), self.passphrase.as_ref())?;
        self.save(key, &file)?;
        Ok(version)
    }

    fn generate_data_key(
        &self,
        key: &KeyId,
        context: &EncryptionContext,
    ) -> Result<(DataKey, WrappedKey), PortError> {
        let versions = self.symmetric(key)?;
        let (Some(newest), version) = (versions.last(), versions.len()) else {
            return Err(PortError::new(Kind::Damaged, format!("key `{key}` has no material")));
        };
        let data_key = DataKey(random()?);
        let nonce: [u8; NONCE] = random()?;
        let mut ciphertext = data_key.0.to_vec();
        let aad = context_bytes(context)?;
        cipher(newest)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut ciphertext)
            .map_err(|_| PortError::new(Kind::Failed, "cannot wrap a data key"))?;
        let info = [
            format!("{key}/{version}").as_bytes(),
            &TAG_BITS.to_be_bytes(),
            &(NONCE as u32).to_be_bytes(),
            &nonce,
        ]
        .concat();
        Ok((data_key, WrappedKey { provider: PROVIDER.to_owned(), info, ciphertext }))
    }

    fn unwrap_data_key(
        &self,
        key: &KeyId,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> Result<DataKey, PortError> {
        let damaged = || {
            PortError::new(Kind::Damaged, format!("the data key does not open with key `{key}` for this use"))
        };
        let versions = self.symmetric(key)?;
        let cut = wrapped.info.len().checked_sub(8 + NONCE).ok_or_else(damaged)?;
        let (name, rest) = wrapped.info.split_at(cut);
        let name = std::str::from_utf8(name).map_err(|_| damaged())?;
        let version: usize = name
            .strip_prefix(key.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|n| n.parse().ok())
            .ok_or_else(damaged)?;
        let material = version.checked_sub(1).and_then(|at| versions.get(at)).ok_or_else(damaged)?;
        let nonce: [u8; NONCE] = rest[8..].try_into().map_err(|_| damaged())?;
        if wrapped.provider != PROVIDER
            || rest[..4] != TAG_BITS.to_be_bytes()
            || rest[4..8] != (NONCE as u32).to_be_bytes()
        {
            return Err(damaged());
        }
        let mut bytes = Zeroizing::new(wrapped.ciphertext.clone());
        let aad = Aad::from(context_bytes(context)?);
        let plain = cipher(material)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .map_err(|_| damaged())?;
        Ok(DataKey(<[u8; 32]>::try_from(&*plain).map_err(|_| damaged())?))
    }

    fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, PortError> {
        let signature = self.pair(key)?.sign(&rand::SystemRandom::new(), message);
        Ok(signature
            .map_err(|_| PortError::new(Kind::Failed, format!("key `{key}` did not sign")))?
            .as_ref()
            .to_vec())
    }

    fn public_key(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        // The fixed beginning of a SubjectPublicKeyInfo for an uncompressed point on P-256 (RFC 5480).
        const SPKI: [u8; 26] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let der = [SPKI.as_slice(), self.pair(key)?.public_key().as_ref()].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        Ok(PublicKey(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))))
    }

    fn derive_secret(&self, key: &KeyId, domain: &str) -> Result<DataKey, PortError> {
        let versions = self.symmetric(key)?;
        // The first version, always: tokens must stay the same when the key is rotated.
        let first = versions
            .first()
            .ok_or_else(|| PortError::new(Kind::Damaged, format!("key `{key}` has no material")))?;
        let prk =
            hkdf::Salt::new(hkdf::HKDF_SHA256, b"wardmote pseudonymisation domain").extract(first.as_ref());
        let info = [domain.as_bytes()];
        let mut secret = DataKey([0; 32]);
        prk.expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut secret.0))
            .map_err(|_| PortError::new(Kind::Failed, "cannot derive a secret"))?;
        Ok(secret)
    }

    fn create_grant(&self, key: &KeyId, grant: &NewGrant) -> Result<Grant, PortError> {
        self.give(key, grant)
    }

    fn list_grants(&self, key: &KeyId) -> Result<Vec<Grant>, PortError> {
        Ok(self.load(key)?.grants)
    }

    fn revoke_grant(&self, key: &KeyId, id: &str) -> Result<(), PortError> {
        self.take_back(key, id)
    }

    fn retire_grant(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError> {
        self.give_back(key, id, grantee)
    }

    fn for_grantee(&self, grantee: &str) -> Result<Box<dyn KeyService>, PortError> {
        Ok(Box::new(grants::Granted::new(self.clone(), grantee)?))
    }
}

fn random<const N: usize>() -> Result<[u8; N], PortError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| PortError::new(Kind::Failed, "the system gave no random bytes"))?;
    Ok(bytes)
}

fn cipher(material: &[u8; 32]) -> Result<LessSafeKey, PortError> {
    let key = UnboundKey::new(&AES_256_GCM, material)
        .map_err(|_| PortError::new(Kind::Damaged, "key material is damaged"))?;
    Ok(LessSafeKey::new(key))
}

fn context_bytes(context: &EncryptionContext) -> Result<Vec<u8>, PortError> {
    privacy::envelope::encode_context(context)
        .map_err(|error| PortError::new(Kind::Invalid, error.to_string()))
}
