//! Artefacts of any size: cut into parts, each part a sealed message of its own under the one data key of the file. The
//! use of the key is recorded once a file, before it happens; parts are sealed and opened without the engine.

use crate::notebook::FileRecord;
use crate::{Engine, Error, vault};
use aws_lc_rs::digest::{Context, SHA256};
use facts::{Digest, KeyId};
use privacy::envelope::{self, Edk, Header};
use std::collections::BTreeMap;
use std::sync::Arc;
use world::{DataKey, Entropy, ObjectStore, WrappedKey};
use zeroize::Zeroizing;

/// Content of one part.
pub const PART_BYTES: usize = 4 << 20;

/// The key that protects artefacts, if the charter names it.
const ARTEFACT_KEY: &str = "artefacts";
const KIND: &str = "files";

/// A file that is being taken in.
pub struct Sealing {
    data_key: DataKey,
    edk: Edk,
    key: KeyId,
    subject: String,
    context: BTreeMap<String, String>,
    objects: Arc<dyn ObjectStore>,
    entropy: Arc<dyn Entropy>,
    hash: Context,
    size_bytes: u64,
    parts: Vec<String>,
}

impl Sealing {
    /// Seals the next part: [`PART_BYTES`] of content, or less if it is the last.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn part(&mut self, plain: &[u8]) -> Result<(), Error> {
        self.hash.update(plain);
        self.size_bytes += plain.len() as u64;
        let mut message_id = [0; 32];
        self.entropy.fill(&mut message_id)?;
        let edks = std::slice::from_ref(&self.edk);
        let bytes = envelope::seal(plain, &self.data_key.0, message_id, edks, &self.context)
            .map_err(|error| Error::damaged(error.to_string()))?;
        let name = format!("{KIND}/{}", Digest::of(&bytes).to_hex());
        self.objects.put(&name, &bytes)?;
        self.parts.push(name);
        Ok(())
    }

    /// The file as it is now.
    pub fn finish(mut self) -> Result<FileRecord, Error> {
        if self.parts.is_empty() {
            self.part(&[])?;
        }
        let hash = self.hash.finish();
        let bytes = hash.as_ref().try_into();
        let bytes = bytes.map_err(|_| Error::damaged("a digest of another length than SHA-256's"))?;
        Ok(FileRecord {
            size_bytes: self.size_bytes,
            digest: Digest::from_bytes(bytes),
            key: self.key,
            subject: self.subject,
            parts: self.parts,
        })
    }
}

/// A file that is being read.
pub struct Opening {
    data_key: DataKey,
    context: BTreeMap<String, String>,
    objects: Arc<dyn ObjectStore>,
    record: FileRecord,
}

impl Opening {
    /// What is read.
    pub fn record(&self) -> &FileRecord {
        &self.record
    }

    /// The content of a part.
    ///
    /// # Errors
    /// If it is not, bit for bit, what was kept.
    pub fn part(&self, n: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let name = self.record.parts.get(n).ok_or_else(|| Error::damaged("a file has no such part"))?;
        let bytes = fetch(self.objects.as_ref(), name)?;
        let header = Header::parse(&bytes).map_err(|error| changed(name, &error.to_string()))?;
        if *header.context() != self.context {
            return Err(changed(name, "it was sealed for something else"));
        }
        envelope::open(&bytes, &self.data_key.0)
            .map(Zeroizing::new)
            .map_err(|error| changed(name, &error.to_string()))
    }
}

/// A part's name is the digest of its bytes, so that it cannot be changed or exchanged unnoticed.
fn fetch(objects: &dyn ObjectStore, name: &str) -> Result<Vec<u8>, Error> {
    let bytes = objects.get(name)?;
    if name.rsplit('/').next() == Some(Digest::of(&bytes).to_hex().as_str()) {
        return Ok(bytes);
    }
    Err(changed(name, "its digest differs"))
}

fn changed(name: &str, why: &str) -> Error {
    Error::damaged(format!("the object `{name}` is not what was kept: {why}"))
}

fn context(subject: &str) -> BTreeMap<String, String> {
    vault::context(KIND, subject)
}

impl Engine {
    /// Begins to take in a file.
    ///
    /// # Errors
    /// If the house may not use the key, or it is disabled.
    pub fn begin_file(&mut self) -> Result<Sealing, Error> {
        let automation = self.automation()?;
        let key = self.artefact_key()?;
        let subject: String = self.random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let context = context(&subject);
        self.key_use(&automation, &key, "encrypt", &context)?;
        let (data_key, wrapped) = self
            .ports
            .keys
            .generate_data_key(&key, &context)
            .map_err(|error| self.explain_key(&key, error))?;
        Ok(Sealing {
            data_key,
            edk: Edk { provider: wrapped.provider, info: wrapped.info, ciphertext: wrapped.ciphertext },
            key,
            subject,
            context,
            objects: Arc::clone(&self.ports.objects),
            entropy: Arc::clone(&self.ports.entropy),
            hash: Context::new(&SHA256),
            size_bytes: 0,
            parts: Vec::new(),
        })
    }

    /// Begins to read a file.
    ///
    /// # Errors
    /// If the house may not use the key, it is disabled, or the file is not what was kept.
    pub fn begin_reading(&mut self, record: FileRecord) -> Result<Opening, Error> {
        let automation = self.automation()?;
        let context = context(&record.subject);
        self.key_use(&automation, &record.key, "decrypt", &context)?;
        let first = record.parts.first().ok_or_else(|| Error::damaged("a file without parts"))?;
        let bytes = fetch(self.ports.objects.as_ref(), first)?;
        let header = Header::parse(&bytes).map_err(|error| changed(first, &error.to_string()))?;
        let edk = header.edks().first().ok_or_else(|| changed(first, "it names no key"))?;
        let wrapped = WrappedKey {
            provider: edk.provider.clone(),
            info: edk.info.clone(),
            ciphertext: edk.ciphertext.clone(),
        };
        let data_key = self
            .ports
            .keys
            .unwrap_data_key(&record.key, &wrapped, &context)
            .map_err(|error| self.explain_key(&record.key, error))?;
        Ok(Opening { data_key, context, objects: Arc::clone(&self.ports.objects), record })
    }

    /// The whole of a small file; it is what was kept, or an error.
    pub(crate) fn read_file(&mut self, record: FileRecord) -> Result<Zeroizing<Vec<u8>>, Error> {
        let expected = record.digest;
        let opening = self.begin_reading(record)?;
        let mut whole = Zeroizing::new(Vec::new());
        for n in 0..opening.record.parts.len() {
            whole.extend_from_slice(&opening.part(n)?);
        }
        if Digest::of(&whole) == expected {
            Ok(whole)
        } else {
            Err(Error::damaged("a file's digest differs"))
        }
    }

    /// `artefacts`, if the charter has a key of that name; else the key of what the first model is trained on.
    fn artefact_key(&self) -> Result<KeyId, Error> {
        let charter = self.charter()?;
        let named = charter.charter().keys.iter().find(|key| key.id.as_str() == ARTEFACT_KEY);
        let trained = || {
            let model = charter.charter().models.first()?;
            charter.dataset(&model.training.dataset).map(|dataset| dataset.key.clone())
        };
        named.map(|key| key.id.clone()).or_else(trained).ok_or_else(|| {
            Error::conflict("the charter names no key that could protect artefacts").with_help(format!(
                "add a key `{ARTEFACT_KEY}` with the role of the automation among its users"
            ))
        })
    }
}
