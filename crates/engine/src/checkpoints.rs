//! Who signs checkpoints beside the ledger's own key: a key of the key service that the charter names for it. Each one is on
//! record with its public half, so that checkpoints of any time can be checked without the key service.

use crate::record::Fact;
use crate::{Engine, Error};
use charter::Checked;
use facts::{Actor, KeyId};
use guard::Action;
use ledger::EcdsaVerifier;
use serde::{Deserialize, Serialize};

/// A key that signs checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSigner {
    /// Its id in the key service.
    pub key: KeyId,
    /// Its public half: the text of a verifier key (C2SP signed-note, type 0x02).
    pub verifier: String,
}

impl CheckpointSigner {
    /// Its public half.
    ///
    /// # Errors
    /// If what is on record is none.
    pub fn verifier(&self) -> Result<EcdsaVerifier, Error> {
        EcdsaVerifier::parse(&self.verifier).map_err(|error| {
            Error::damaged(format!("the record of the key `{}`, which signs checkpoints: {error}", self.key))
        })
    }
}

impl Engine {
    /// Puts on record which key signs checkpoints from here on, if the charter names another than before.
    pub(crate) fn settle_checkpoints(&mut self, actor: &Actor, charter: &Checked) -> Result<(), Error> {
        let named = charter.charter().keys.iter().rev().find(|key| key.signs_checkpoints());
        let Some(key) = named.map(|key| key.id.clone()) else { return Ok(()) };
        if self.state.checkpoint_signers().last().is_some_and(|last| last.what.key == key) {
            return Ok(());
        }
        let public = self.ports.keys.public_key(&key).map_err(|error| self.explain_key(&key, error))?;
        let origin = self.ports.ledger.verifier()?.name().to_owned();
        let verifier = EcdsaVerifier::from_pem(&origin, &public.0)
            .map_err(|_| Error::damaged(format!("the public half of key `{key}` is not one on P-256")))?;
        let name = format!("key/{key}");
        let fact = Fact::CheckpointSigner(CheckpointSigner { key, verifier: verifier.vkey() });
        self.record(vec![Self::done(actor, Action::KeyCreate, &name, fact)])?;
        Ok(())
    }
}
