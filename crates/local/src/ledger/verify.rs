//! Verification from the stored bytes alone: the seal of the raw file, then every entry, stream, tile and checkpoint.
//! Reads only, and always ends in a report: what cannot be read is a finding, not a crash.

use super::db::FolderLock;
use super::{CHECKPOINT, DB, SqliteLedger, read_vkey, schema, seal};
use crate::files;
use facts::Digest;
use ledger::audit::{Auditor, Finding};
use serde::Serialize;
use std::path::Path;
use world::{Kind, PortError};

/// What verification found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// The name of the log.
    pub origin: String,
    /// Entries that were read.
    pub entries: u64,
    /// Streams among them.
    pub streams: u64,
    /// The root over what was read.
    pub root: Option<Digest>,
    /// Whether every bit of the file was covered by its seal; not so after an unclean stop, until the next clean one.
    pub sealed: bool,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn ok(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies the ledger in `dir`. An error only if there is no ledger or it may not be read at all.
pub fn verify_ledger(dir: &Path) -> Result<VerifyReport, PortError> {
    if !dir.join(DB).exists() {
        return Err(PortError::new(Kind::Absent, format!("there is no ledger in `{}`", dir.display())));
    }
    // The main file stays as it is until the end; others may append meanwhile.
    let _lock = FolderLock::shared(dir)?;
    let mut auditor = Auditor::default();
    let sealed = check_seal(dir, &mut auditor)?;
    // Read before the entries: whatever it covers is committed, so they are among the entries read after it.
    let given_out = files::read(&dir.join(CHECKPOINT));
    let inner = read_log(dir, &mut auditor);
    if let Err(error) = &inner {
        match error.kind() {
            Kind::Denied | Kind::Busy => return inner.map(|_| VerifyReport::default()),
            _ => auditor.find(0, format!("the entries from 0 on cannot be read: {error}")),
        }
    }
    let origin = match read_vkey(dir) {
        Ok(verifier) => {
            for (name, note) in notes(inner, given_out, auditor.entries()) {
                auditor.checkpoint(name, &note, &verifier);
            }
            verifier.name().to_owned()
        }
        Err(error) => {
            auditor.find(0, format!("the key that signs for entry 0 and all others cannot be read: {error}"));
            String::new()
        }
    };
    let audit = auditor.finish();
    Ok(VerifyReport {
        origin,
        entries: audit.entries,
        streams: audit.streams,
        root: audit.root,
        sealed,
        findings: audit.findings,
    })
}

fn check_seal(dir: &Path, auditor: &mut Auditor) -> Result<bool, PortError> {
    match seal::compare(dir) {
        Ok(None) => Ok(false),
        Ok(Some(compared)) => {
            for page in compared.damaged {
                let holds = if page.first == page.last {
                    format!("entry {}", page.first)
                } else {
                    format!("entries {} to {}", page.first, page.last)
                };
                auditor.find(
                    page.first,
                    format!("page {} of `{DB}` is damaged: it holds, or leads to, {holds}", page.page),
                );
            }
            Ok(compared.covered)
        }
        Err(error) if error.kind() == Kind::Damaged => {
            auditor.find(0, format!("{error}, so the pages with entry 0 and all others are not covered"));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Reads one state of the log. Returns the checkpoint in it.
fn read_log(dir: &Path, auditor: &mut Auditor) -> Result<Option<String>, PortError> {
    const BATCH: usize = 1024;
    let connection = schema::open_read_only(dir)?;
    let connection = connection.unchecked_transaction().map_err(|error| schema::failed("read", &error))?;
    let size = schema::size(&connection)?;
    let mut from = 0;
    while from < size {
        let leaves = schema::leaves(&connection, from, BATCH)?;
        let Some((last, _)) = leaves.last() else { break };
        from = last + 1;
        leaves.iter().for_each(|(index, leaf)| auditor.leaf(*index, leaf));
        let stored = schema::hashes(&connection, leaves[0].0, leaves.len())?;
        for ((index, _), hash) in leaves.iter().zip(stored) {
            match <[u8; 32]>::try_from(hash) {
                Ok(hash) => auditor.stored_hashes(*index, &[Digest::from_bytes(hash)]),
                Err(_) => auditor.find(*index, format!("the stored hash of entry {index} is damaged")),
            }
        }
    }
    let tiles = schema::tiles(&connection)?;
    if (tiles.len() as u64) < size / schema::TILE {
        auditor.find(
            tiles.len() as u64 * schema::TILE,
            format!("the stored hashes of entry {} are missing", tiles.len() as u64 * schema::TILE),
        );
    }
    tiles.iter().for_each(|(index, hashes)| auditor.stored_hashes(index * schema::TILE, hashes));
    auditor.stored_heads(&schema::heads(&connection)?);
    schema::checkpoint(&connection)
}

/// The checkpoint in the database and the one that was given out. What should be there and is not has no text.
fn notes(
    inner: Result<Option<String>, PortError>,
    given_out: Result<Vec<u8>, PortError>,
    entries: u64,
) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    match inner {
        Ok(None) if entries == 0 => {}
        inner => notes.push(("the checkpoint in the ledger", inner.ok().flatten().unwrap_or_default())),
    }
    match given_out {
        Err(error) if error.kind() == Kind::Absent && notes.is_empty() => {}
        bytes => notes.push((
            "the checkpoint that was given out",
            String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default(),
        )),
    }
    notes
}

impl SqliteLedger {
    /// Verifies the ledger of this folder, as [`verify_ledger`].
    pub fn verify(&self) -> Result<VerifyReport, PortError> {
        verify_ledger(&self.dir)
    }
}
