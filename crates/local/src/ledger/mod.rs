//! The ledger in SQLite: group commit, a signed checkpoint with every commit.
//!
//! ```text
//! ledger.db     entries, full tiles of leaf hashes, heads of streams, the latest checkpoint
//! checkpoint    the latest checkpoint, a moment after its commit, for whoever wants to hold us to it later
//! tile/         full tiles and entry bundles as static files (C2SP tlog-tiles), for whoever mirrors the log
//! seal          a digest of every page of ledger.db, and which entries it holds
//! seal.next     the seal of what is being written back; only while it is, or after a kill
//! log.key       the Ed25519 seed, 0600          log.vkey   the verifier key
//! ```
//!
//! Invariants: an answer means the entry is on stable storage (WAL, `synchronous=FULL`); the main file changes only
//! when this code checkpoints the WAL, so the seal always describes it; several processes may append.

mod cosigner;
mod db;
mod published;
mod schema;
mod seal;
mod sequencer;
mod tiles;
mod verify;
mod wal;
mod writer;

pub use cosigner::Cosigner;
pub use tiles::{Exported, export_tiles};
pub use verify::{VerifyReport, verify_ledger};

use crate::files;
use db::Db;
use facts::{EvidenceId, StreamName};
use ledger::{Checkpoint, Draft, Entry, Signer, Tree, Verifier, leaf_hash};
use rusqlite::Connection;
use sequencer::{Sequencing, SharedCosigner};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use world::{Kind, LedgerStore, PortError, Receipt};
use writer::Writer;
use zeroize::Zeroizing;

pub(super) const DB: &str = "ledger.db";
pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const VKEY: &str = "log.vkey";
pub(super) const KEY: &str = "log.key";

/// A ledger in a folder.
pub struct SqliteLedger {
    reader: Mutex<Option<Db>>,
    writer: Option<Writer>,
    cosigner: SharedCosigner,
    dir: PathBuf,
}

impl SqliteLedger {
    /// Founds a ledger named `origin` in a folder that holds none.
    pub fn create(dir: &Path, origin: &str, seed: [u8; 32]) -> Result<Self, PortError> {
        let seed = Zeroizing::new(seed);
        if dir.join(DB).exists() {
            return Err(PortError::new(
                Kind::Conflict,
                format!("there is a ledger in `{}` already", dir.display()),
            ));
        }
        files::private_dir(dir)?;
        let signer =
            Signer::new(origin, &seed).map_err(|error| PortError::new(Kind::Invalid, error.to_string()))?;
        files::replace(&dir.join(KEY), hex::encode(*seed).as_bytes())?;
        files::replace(&dir.join(VKEY), format!("{}\n", signer.verifier().vkey()).as_bytes())?;
        // An empty one is given out at once: from here on its absence says that it was taken away.
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: 0, root: Tree::default().root() };
        files::replace(&dir.join(CHECKPOINT), checkpoint.sign(&signer).as_bytes())?;
        // The database appears under its name only when it is complete: its presence means that there is a ledger.
        let fresh = dir.join("ledger.db.part");
        drop(std::fs::remove_file(&fresh));
        schema::create(&fresh)?;
        std::fs::rename(&fresh, dir.join(DB))
            .and_then(|()| files::sync_dir(&dir.join(DB)))
            .map_err(|error| PortError::io(format!("write `{}`", dir.join(DB).display()), error))?;
        Self::open(dir)
    }

    /// Opens a ledger to read and append.
    pub fn open(dir: &Path) -> Result<Self, PortError> {
        let origin = read_vkey(dir)?;
        let seed = Zeroizing::new(files::read(&dir.join(KEY))?);
        let damaged = || PortError::new(Kind::Damaged, format!("`{}` is damaged", dir.join(KEY).display()));
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(seed.trim_ascii(), bytes.as_mut()).map_err(|_| damaged())?;
        let signer = Signer::new(origin.name(), &bytes).map_err(|_| damaged())?;
        if signer.verifier() != origin {
            return Err(damaged().with_help("`log.key` and `log.vkey` do not belong together"));
        }
        let cosigner = SharedCosigner::default();
        let writer = Writer::new(Sequencing::open(dir, signer, Arc::clone(&cosigner))?)?;
        let reader = Mutex::new(Some(schema::open(&dir.join(DB))?));
        Ok(Self { reader, writer: Some(writer), cosigner, dir: dir.to_owned() })
    }

    /// Opens a ledger to look at. Nothing in the folder changes.
    pub fn open_read_only(dir: &Path) -> Result<Self, PortError> {
        read_vkey(dir)?;
        let reader = Mutex::new(Some(schema::open_read_only(dir)?));
        Ok(Self { reader, writer: None, cosigner: SharedCosigner::default(), dir: dir.to_owned() })
    }

    /// From here on a key of a key service signs what is given out as well: what is there already before anything more is
    /// appended, or when the ledger is closed.
    pub fn cosigned_by(&self, cosigner: Cosigner) {
        *self.cosigner.lock().unwrap_or_else(PoisonError::into_inner) = Some(cosigner);
    }

    fn with_reader<T>(&self, look: impl FnOnce(&Connection) -> Result<T, PortError>) -> Result<T, PortError> {
        let guard: MutexGuard<'_, Option<Db>> = self
            .reader
            .lock()
            .map_err(|_| PortError::new(Kind::Failed, "the ledger has stopped after an earlier failure"))?;
        match guard.as_ref() {
            Some(connection) => look(connection),
            None => Err(PortError::new(Kind::Failed, "the ledger is closed")),
        }
    }
}

impl LedgerStore for SqliteLedger {
    fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Receipt>, PortError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let writer = self
            .writer
            .as_ref()
            .ok_or_else(|| PortError::new(Kind::Denied, "the ledger was opened to look at, not to append"))?;
        writer.append(drafts)
    }

    fn size(&self) -> Result<u64, PortError> {
        self.with_reader(schema::size)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Receipt>, PortError> {
        let leaves = self.with_reader(|connection| schema::leaves(connection, from, limit))?;
        leaves
            .into_iter()
            .map(|(index, leaf)| {
                let entry = Entry::decode(&leaf).map_err(|error| {
                    PortError::new(Kind::Damaged, format!("entry {index} is damaged: {error}"))
                })?;
                Ok(Receipt { evidence: EvidenceId::new(index, &leaf_hash(&leaf)), entry })
            })
            .collect()
    }

    fn next_seq(&self, stream: &StreamName) -> Result<u64, PortError> {
        self.with_reader(|connection| schema::next_seq(connection, stream))
    }

    fn checkpoint(&self) -> Result<String, PortError> {
        let own = self.with_reader(schema::checkpoint)?;
        let own = own.ok_or_else(|| PortError::new(Kind::Absent, "the ledger is empty"))?;
        Ok(published::with_others(&self.dir, own))
    }

    fn verifier(&self) -> Result<Verifier, PortError> {
        read_vkey(&self.dir)
    }

    fn proof(&self, index: u64) -> Result<String, PortError> {
        let (tree, checkpoint) = self.with_reader(|connection| {
            // One state of both, whatever is appended between the two questions.
            let state = connection.unchecked_transaction().map_err(|error| schema::failed("read", &error))?;
            let (tree, _) = schema::tree(&state)?;
            Ok((tree, schema::checkpoint(&state)?.unwrap_or_default()))
        })?;
        let path = tree.inclusion(index, tree.size()).ok_or_else(|| {
            PortError::new(Kind::Absent, format!("there is no entry {index}; the ledger has {}", tree.size()))
        })?;
        let checkpoint = published::with_others(&self.dir, checkpoint);
        Ok(ledger::TlogProof { index, path, checkpoint }.to_text())
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        if let Ok(reader) = self.reader.get_mut() {
            drop(reader.take());
        }
        // The last reader is gone, so the writer can tidy up.
        drop(self.writer.take());
    }
}

impl std::fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteLedger({})", self.dir.display())
    }
}

/// The verifier key of the folder.
pub(super) fn read_vkey(dir: &Path) -> Result<Verifier, PortError> {
    let path = dir.join(VKEY);
    let text = String::from_utf8(files::read(&path)?).unwrap_or_default();
    Verifier::parse(&text)
        .map_err(|error| PortError::new(Kind::Damaged, format!("`{}`: {error}", path.display())))
}
