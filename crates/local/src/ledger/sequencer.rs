//! The one thread that appends. It takes what has queued up while the last commit was on its way to the disk, commits
//! it at once, signs, and only then answers: with many callers, one sync serves them all.

use super::{CHECKPOINT, DB, schema, seal};
use facts::{Digest, EvidenceId};
use ledger::{Checkpoint, Draft, Entry, Planned, SequenceError, Sequencer, Signer, StreamHead, leaf_hash};
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use world::{Kind, PortError, Receipt};

/// Where the answer to a job goes.
pub(super) type Reply = Sender<Result<Vec<Receipt>, PortError>>;

/// Something to append, and whom to tell.
pub(super) enum Job {
    Append { drafts: Vec<Draft>, reply: Reply },
}

/// The most jobs in one commit.
const MAX_BATCH: usize = 1024;
/// A WAL larger than this is written back to the main file.
const MAX_WAL_BYTES: u64 = 16 << 20;

pub(super) struct Sequencing {
    connection: Connection,
    sequencer: Sequencer,
    signer: Signer,
    dir: PathBuf,
}

impl Sequencing {
    pub(super) fn open(dir: &Path, signer: Signer) -> Result<Self, PortError> {
        let connection = schema::open(&dir.join(DB))?;
        let sequencer = load(&connection)?;
        Ok(Self { connection, sequencer, signer, dir: dir.to_owned() })
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut dead: Option<String> = None;
        while let Ok(first) = jobs.recv() {
            let batch: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(MAX_BATCH - 1)).collect();
            if let Some(reason) = &dead {
                for Job::Append { reply, .. } in batch {
                    drop(reply.send(Err(stopped(reason))));
                }
                continue;
            }
            dead = self.commit(batch);
            let wal =
                std::fs::metadata(self.dir.join(DB).with_extension("db-wal")).map_or(0, |meta| meta.len());
            if wal > MAX_WAL_BYTES && dead.is_none() {
                // Not done now is done at the end; nothing depends on it.
                drop(seal::write_back(&self.connection, &self.dir));
            }
        }
        if dead.is_none() && seal::write_back(&self.connection, &self.dir).unwrap_or(false) {
            drop(schema::tidy_on_close(&self.connection));
        }
    }

    /// One transaction for all jobs. Returns why nothing more can be appended, if that is so.
    fn commit(&mut self, batch: Vec<Job>) -> Option<String> {
        let mut answers = Vec::new();
        let outcome = self.transact(batch, &mut answers);
        let reason = outcome.err().map(|error| error.to_string());
        for (reply, answer) in answers {
            let answer = match &reason {
                Some(reason) => Err(stopped(reason)),
                None => answer,
            };
            drop(reply.send(answer));
        }
        reason
    }

    fn transact(
        &mut self,
        batch: Vec<Job>,
        answers: &mut Vec<(Reply, Result<Vec<Receipt>, PortError>)>,
    ) -> Result<(), PortError> {
        let failed = |error: rusqlite::Error| schema::failed("append to", &error);
        let mut jobs = batch.into_iter();
        let transaction = match self.connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(error) => {
                // Another process holds the ledger, or the disk is full: nothing was begun, so the next may try again.
                let kind = failed(error);
                let text = kind.to_string();
                let help = kind.help().unwrap_or("run the command again").to_owned();
                let same = || PortError::new(kind.kind(), text.clone()).with_help(help.clone());
                answers.extend(jobs.map(|Job::Append { reply, .. }| (reply, Err(same()))));
                return Ok(());
            }
        };
        let mut done = Ok(());
        if schema::size(&transaction)? != self.sequencer.tree().size() {
            // Another process has appended since.
            self.sequencer = load(&transaction)?;
        }
        let before = self.sequencer.tree().size();
        for Job::Append { drafts, reply } in jobs.by_ref() {
            let answer = match self.sequencer.plan(drafts) {
                Err(error) => Err(refused(&error)),
                Ok(planned) => {
                    done = planned.iter().try_for_each(|planned| insert(&transaction, planned));
                    planned.iter().for_each(|planned| self.sequencer.replay(&planned.entry, planned.hash));
                    Ok(planned.into_iter().map(receipt).collect())
                }
            };
            answers.push((reply, answer));
            if done.is_err() {
                break;
            }
        }
        answers.extend(jobs.map(|Job::Append { reply, .. }| (reply, Ok(Vec::new()))));
        done.map_err(failed)?;
        let tree = self.sequencer.tree();
        if tree.size() == before {
            return Ok(());
        }
        for tile in before / schema::TILE..tree.size() / schema::TILE {
            let hashes: Vec<u8> = (tile * schema::TILE..(tile + 1) * schema::TILE)
                .filter_map(|n| tree.leaf(n))
                .flat_map(|hash| *hash.as_bytes())
                .collect();
            transaction
                .execute("INSERT INTO tile VALUES (?1, ?2)", (schema::to_sql(tile), hashes))
                .map_err(failed)?;
        }
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: tree.size(),
            root: tree.root(),
        };
        let note = checkpoint.sign(&self.signer);
        transaction.execute("INSERT OR REPLACE INTO checkpoint VALUES (0, ?1)", [&note]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        // After the commit: what was given out must be in the log, never the other way round.
        export(&self.dir.join(CHECKPOINT), &note)
    }
}

/// The exported checkpoint is a witness, not the record: it is replaced in one step, and not synced, because a
/// power cut that takes it back to an earlier one loses nothing.
fn export(path: &Path, note: &str) -> Result<(), PortError> {
    let fresh = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&fresh, note)
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(|error| PortError::io(format!("write `{}`", path.display()), error))
}

fn load(connection: &Connection) -> Result<Sequencer, PortError> {
    let (tree, _) = schema::tree(connection)?;
    let mut heads = std::collections::BTreeMap::new();
    for (stream, next_seq, last) in schema::heads(connection)? {
        let damaged =
            || PortError::new(Kind::Damaged, format!("the stored head of the stream `{stream}` is damaged"));
        let last: [u8; 32] = last.try_into().map_err(|_| damaged())?;
        let name = stream.parse().map_err(|_| damaged())?;
        heads.insert(name, StreamHead { next_seq, last: Digest::from_bytes(last) });
    }
    check_tail(connection, tree.size())?;
    Ok(Sequencer::resume(tree, heads))
}

/// The last entry must be readable before anything is built upon it.
fn check_tail(connection: &Connection, size: u64) -> Result<(), PortError> {
    let Some(last) = size.checked_sub(1) else { return Ok(()) };
    for (index, leaf) in schema::leaves(connection, last, 1)? {
        Entry::decode(&leaf).map_err(|error| {
            PortError::new(Kind::Damaged, format!("entry {index} is damaged: {error}"))
                .with_help("run `wardmote verify`")
        })?;
    }
    Ok(())
}

fn insert(connection: &Connection, planned: &Planned) -> rusqlite::Result<()> {
    let index = schema::to_sql(planned.index);
    connection.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3)")?.execute((
        index,
        planned.hash.as_bytes().as_slice(),
        &planned.leaf,
    ))?;
    let next_seq = schema::to_sql(planned.entry.stream_seq + 1);
    let head = (planned.entry.stream.as_str(), next_seq, planned.hash.as_bytes().as_slice());
    connection.prepare_cached("INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3)")?.execute(head)?;
    Ok(())
}

fn receipt(planned: Planned) -> Receipt {
    Receipt { evidence: EvidenceId::new(planned.index, &leaf_hash(&planned.leaf)), entry: planned.entry }
}

fn refused(error: &SequenceError) -> PortError {
    match error {
        SequenceError::Conflict { .. } => PortError::new(Kind::Conflict, error.to_string()),
        SequenceError::Entry(_) => PortError::new(Kind::Invalid, error.to_string()),
    }
}

fn stopped(reason: &str) -> PortError {
    PortError::new(Kind::Failed, format!("{reason}; nothing was appended"))
        .with_help("put right what failed and run the command again; what was acknowledged before is safe")
}
