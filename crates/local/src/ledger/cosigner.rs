//! A second signature on what is given out, by a key of the key service (C2SP signed-note, type 0x02): whoever has the files of
//! a house has the Ed25519 seed in them, and not this key.

use ledger::EcdsaVerifier;
use std::sync::Arc;
use world::{KeyService, Kind, PortError};

/// Who signs checkpoints beside the ledger itself.
#[derive(Clone)]
pub struct Cosigner {
    keys: Arc<dyn KeyService>,
    key: facts::KeyId,
    verifier: EcdsaVerifier,
}

impl Cosigner {
    /// A key of a key service, and its public half as the record has it.
    pub fn new(keys: Arc<dyn KeyService>, key: facts::KeyId, verifier: EcdsaVerifier) -> Self {
        Self { keys, key, verifier }
    }

    /// Whether a note has its signature, and a good one.
    pub(super) fn signed(&self, note: &str) -> bool {
        self.verifier.open(note).is_ok()
    }

    /// The note with its signature.
    pub(super) fn sign(&self, note: &str) -> Result<String, PortError> {
        let cut = note.rfind("\n\n").map_or(0, |at| at + 1);
        let der = self.keys.sign(&self.key, &note.as_bytes()[..cut]).map_err(|error| self.explain(&error))?;
        self.verifier.add(note, &der).map_err(|_| {
            let text = format!("key `{}` is not the one that the record has for checkpoints", self.key);
            PortError::new(Kind::Denied, text).with_help(WAITS)
        })
    }

    /// Whatever the key service has: it can be put right, and the ledger goes on then.
    fn explain(&self, error: &PortError) -> PortError {
        let kind = if error.kind() == Kind::Failed { Kind::Busy } else { error.kind() };
        let text = format!("the checkpoint cannot be signed with key `{}`: {error}", self.key);
        PortError::new(kind, text).with_help(WAITS)
    }
}

const WAITS: &str = "what was acknowledged is safe; nothing more is appended until the key signs again";
