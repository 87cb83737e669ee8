//! What becomes of drafts: one transaction for all that came together, signed, and answered when it is on the disk. Who
//! calls, and when: `writer.rs`.

use super::cosigner::Cosigner;
use super::db::{Db, FolderLock};
use super::published::Published;
use super::tiles::FullTiles;
use super::{DB, schema, seal, wal};
use facts::{Digest, EvidenceId};
use ledger::{Checkpoint, Draft, Entry, Planned, SequenceError, Sequencer, Signer, StreamHead, leaf_hash};
use rusqlite::{Connection, Params, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use world::{Kind, PortError, Receipt};

/// Who else signs checkpoints, if anybody does; it is known only after the ledger was read.
pub(super) type SharedCosigner = Arc<Mutex<Option<Cosigner>>>;

/// Where the answer to a job goes.
pub(super) type Reply = Sender<Result<Vec<Receipt>, PortError>>;

/// Something to append, and whom to tell.
pub(super) struct Job {
    pub(super) drafts: Vec<Draft>,
    pub(super) reply: Reply,
}

/// A WAL larger than this is written back to the main file.
const MAX_WAL_BYTES: u64 = 16 << 20;
/// How long to wait for readers before writing back: between commits, while callers may wait, and at the end.
const BETWEEN: Duration = Duration::from_millis(50);
const AT_THE_END: Duration = Duration::from_secs(2);

pub(super) struct Sequencing {
    pub(super) connection: Db,
    sequencer: Sequencer,
    /// What is in memory may be ahead of what is stored, because a commit failed.
    stale: bool,
    /// What is given out, and the checkpoint that is still to be: after the tiles that it has filled.
    published: Published,
    unpublished: Option<String>,
    /// It could not be given out, so nothing more is appended until it is.
    withheld: bool,
    /// Why nothing can be appended any more.
    dead: Option<String>,
    tiles: FullTiles,
    signer: Signer,
    cosigner: SharedCosigner,
    dir: PathBuf,
}

/// Jobs with their answers, held back until the commit.
type Answers = Vec<(Reply, Result<Vec<Receipt>, PortError>)>;

impl Sequencing {
    pub(super) fn open(dir: &Path, signer: Signer, cosigner: SharedCosigner) -> Result<Self, PortError> {
        let mut connection = schema::open(&dir.join(DB))?;
        let mut published = Published::new(dir, signer.verifier());
        let sequencer = {
            let _lock = FolderLock::shared(dir)?;
            // Nobody commits between the two looks, so what is given out cannot be ahead of what is there.
            let transaction = begin(&mut connection)?;
            let sequencer = load(&transaction)?;
            published.check(sequencer.tree())?;
            sequencer
        };
        Ok(Self {
            connection,
            stale: false,
            published,
            unpublished: None,
            withheld: false,
            dead: None,
            tiles: FullTiles::found(dir, sequencer.tree().size()),
            sequencer,
            signer,
            cosigner,
            dir: dir.to_owned(),
        })
    }

    /// One transaction for all jobs, and their answers.
    pub(super) fn commit(&mut self, batch: Vec<Job>) {
        if let Some(reason) = &self.dead {
            for Job { reply, .. } in batch {
                drop(reply.send(Err(stopped(reason))));
            }
            return;
        }
        let mut jobs = batch.into_iter();
        let mut answers = Vec::new();
        // One that is on its way goes out a moment later; one that could not go out, or that somebody owes, goes out first.
        let waits = self.unpublished.is_some() && !self.withheld;
        let held = if waits { Ok(()) } else { self.publish() };
        let outcome = held.and_then(|()| self.transact(&mut jobs, &mut answers));
        answers.extend(jobs.map(|job| (job.reply, Ok(Vec::new()))));
        let failure = outcome.err();
        // Whoever cannot write now may be able to later; after any other failure nobody knows what the disk holds.
        self.dead = failure.as_ref().filter(|error| error.kind() == Kind::Failed).map(ToString::to_string);
        self.stale |= failure.is_some();
        for (reply, answer) in answers {
            let answer = match (&failure, &self.dead) {
                (_, Some(reason)) => Err(stopped(reason)),
                (Some(failure), _) => Err(again(failure)),
                (None, _) => answer,
            };
            drop(reply.send(answer));
        }
    }

    /// What can wait until callers have their answers: the checkpoint goes out, and a long WAL goes back.
    pub(super) fn keep_up(&mut self) {
        if self.dead.is_some() {
            return;
        }
        // The answers are true without it; if it fails, nothing more is appended until it is done.
        drop(self.publish());
        if wal::bytes(&self.dir) > MAX_WAL_BYTES {
            // Not done now is done at the end; nothing depends on it.
            drop(seal::write_back(&mut self.connection, &self.dir, BETWEEN));
        }
    }

    /// The checkpoint goes out, and the whole WAL goes back.
    pub(super) fn close(mut self) {
        if self.dead.is_some() {
            return;
        }
        drop(self.publish());
        if seal::write_back(&mut self.connection, &self.dir, AT_THE_END).unwrap_or(false) {
            drop(schema::tidy_on_close(&self.connection));
        }
    }

    /// After the commit: what is given out must be in the log, never the other way round.
    fn publish(&mut self) -> Result<(), PortError> {
        let cosigner = self.cosigner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.unpublished.is_none() && !self.stale {
            self.unpublished = self.owed(cosigner.as_ref())?;
        }
        if self.unpublished.is_none() {
            return Ok(());
        }
        self.withheld = true;
        if self.stale {
            // A commit failed since: the tree in memory is not the one that the note covers.
            let _lock = FolderLock::shared(&self.dir)?;
            let transaction = begin(&mut self.connection)?;
            self.sequencer = load(&transaction)?;
            self.unpublished = schema::checkpoint(&transaction)?;
            self.stale = false;
        }
        if let Some(note) = &self.unpublished {
            self.tiles.complete(&self.connection, self.sequencer.tree())?;
            let note = cosigner.map_or_else(|| Ok(note.clone()), |cosigner| cosigner.sign(note))?;
            self.published.replace(self.sequencer.tree(), &note)?;
        }
        (self.unpublished, self.withheld) = (None, false);
        Ok(())
    }

    /// Our latest checkpoint, if what is given out is an earlier one, or not signed by the one who signs beside us: it was given
    /// out before there was one, or by a process that knows of none. Nothing is signed but the tree that is here.
    fn owed(&self, cosigner: Option<&Cosigner>) -> Result<Option<String>, PortError> {
        let Some(cosigner) = cosigner else { return Ok(None) };
        let (tree, verifier) = (self.sequencer.tree(), self.signer.verifier());
        let open = |note: &str| Checkpoint::open(note, &verifier).ok();
        let own = schema::checkpoint(&self.connection)?;
        // Of another process, it is that process which owes it.
        let own =
            own.filter(|note| open(note).is_some_and(|it| it.size == tree.size() && it.root == tree.root()));
        let given_out = self.published.read()?.unwrap_or_default();
        let given_out = String::from_utf8_lossy(&given_out);
        let done = |note: &String| cosigner.signed(&given_out) && open(&given_out) == open(note);
        Ok(own.filter(|note| !done(note)))
    }

    fn transact(
        &mut self,
        jobs: &mut impl Iterator<Item = Job>,
        answers: &mut Answers,
    ) -> Result<(), PortError> {
        let failed = |error: rusqlite::Error| schema::failed("append to", &error);
        let _lock = FolderLock::shared(&self.dir)?;
        let transaction = begin(&mut self.connection)?;
        if self.stale || schema::size(&transaction)? != self.sequencer.tree().size() {
            // Another process has appended since, or we have failed to.
            self.sequencer = load(&transaction)?;
            self.stale = false;
        }
        self.published.check(self.sequencer.tree())?;
        let before = self.sequencer.tree().size();
        for Job { drafts, reply } in jobs {
            match self.sequencer.plan(drafts) {
                Err(error) => answers.push((reply, Err(refused(&error)))),
                Ok(planned) => {
                    let done = planned.iter().try_for_each(|planned| insert(&transaction, planned));
                    planned.iter().for_each(|planned| self.sequencer.replay(&planned.entry, planned.hash));
                    answers.push((reply, Ok(planned.into_iter().map(receipt).collect())));
                    done.map_err(failed)?;
                }
            }
        }
        let tree = self.sequencer.tree();
        if tree.size() == before {
            return Ok(());
        }
        for tile in before / schema::TILE..tree.size() / schema::TILE {
            let hashes: Vec<u8> = (tile * schema::TILE..(tile + 1) * schema::TILE)
                .filter_map(|n| tree.leaf(n))
                .flat_map(|hash| *hash.as_bytes())
                .collect();
            let sql = "INSERT INTO tile VALUES (?1, ?2)";
            execute(&transaction, sql, (schema::to_sql(tile), hashes)).map_err(failed)?;
        }
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: tree.size(),
            root: tree.root(),
        };
        let note = checkpoint.sign(&self.signer);
        execute(&transaction, "INSERT OR REPLACE INTO checkpoint VALUES (0, ?1)", [&note]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.unpublished = Some(note);
        Ok(())
    }
}

/// Nobody else commits from here on.
fn begin(connection: &mut Db) -> Result<Transaction<'_>, PortError> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| {
        let error = schema::failed("append to", &error);
        if error.help().is_some() { error } else { error.with_help("run the command again") }
    })
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
    let row = (index, planned.hash.as_bytes().as_slice(), &planned.leaf);
    execute(connection, "INSERT INTO entry VALUES (?1, ?2, ?3)", row)?;
    let next_seq = schema::to_sql(planned.entry.stream_seq + 1);
    let head = (planned.entry.stream.as_str(), next_seq, planned.hash.as_bytes().as_slice());
    execute(connection, "INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3)", head)
}

/// A statement that comes again and again.
fn execute(connection: &Connection, sql: &str, values: impl Params) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
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

/// The same failure for one more caller.
fn again(error: &PortError) -> PortError {
    let copy = PortError::new(error.kind(), format!("{error}; nothing was appended"));
    match error.help() {
        Some(help) => copy.with_help(help),
        None => copy,
    }
}

fn stopped(reason: &str) -> PortError {
    PortError::new(Kind::Failed, format!("{reason}; nothing was appended"))
        .with_help("put right what failed and run the command again; what was acknowledged before is safe")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteLedger, verify_ledger};
    use facts::{Actor, ActorKind};
    use ledger::Outcome;
    use std::sync::mpsc::channel;

    fn append(sequencing: &mut Sequencing, bytes: usize) -> Result<Vec<Receipt>, PortError> {
        let draft = Draft {
            stream: "model/a".parse().unwrap(),
            expected_seq: None,
            time: facts::Timestamp::EPOCH,
            actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec![]),
            action: "model.train".into(),
            resource: "model/a".into(),
            outcome: Outcome::Done,
            body: serde_json::json!({ "text": "x".repeat(bytes) }),
        };
        let (reply, answer) = channel();
        sequencing.commit(vec![Job { drafts: vec![draft], reply }]);
        assert_eq!(sequencing.dead, None, "it goes on");
        let answer = answer.recv().unwrap();
        sequencing.keep_up();
        answer
    }

    fn set_max_pages(sequencing: &Sequencing, pages: u32) {
        let sql = format!("PRAGMA max_page_count={pages}");
        sequencing.connection.query_row(&sql, [], |_| Ok(())).unwrap();
    }

    #[test]
    fn a_full_disk_refuses_and_loses_nothing_and_the_ledger_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ledger");
        drop(SqliteLedger::create(&dir, "test.example", [7; 32]).unwrap());
        let mut sequencing =
            Sequencing::open(&dir, Signer::new("test.example", &[7; 32]).unwrap(), SharedCosigner::default())
                .unwrap();
        let mut acknowledged = append(&mut sequencing, 10).unwrap();
        set_max_pages(&sequencing, 1); // SQLite takes the present size for it.
        let error = append(&mut sequencing, 60_000).unwrap_err();
        assert_eq!(error.kind(), Kind::Full);
        insta::assert_snapshot!(format!("{error}\n  help: {}", error.help().unwrap()));
        assert!(verify_ledger(&dir).unwrap().ok());
        acknowledged.extend(append(&mut sequencing, 20).unwrap());
        set_max_pages(&sequencing, 1_000_000);
        acknowledged.extend(append(&mut sequencing, 60_000).unwrap());
        sequencing.close();
        let report = verify_ledger(&dir).unwrap();
        assert!(report.ok() && report.sealed, "{report:?}");
        let ledger = SqliteLedger::open(&dir).unwrap();
        assert_eq!(world::LedgerStore::read(&ledger, 0, 10).unwrap(), acknowledged);
    }

    #[test]
    fn entries_are_acknowledged_when_only_the_checkpoint_cannot_be_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ledger");
        drop(SqliteLedger::create(&dir, "test.example", [7; 32]).unwrap());
        let mut sequencing =
            Sequencing::open(&dir, Signer::new("test.example", &[7; 32]).unwrap(), SharedCosigner::default())
                .unwrap();
        let key = std::fs::read(dir.join("log.key")).unwrap();
        // Without it the lock for giving out cannot be taken.
        std::fs::remove_file(dir.join("log.key")).unwrap();
        append(&mut sequencing, 10).unwrap();
        assert!(append(&mut sequencing, 10).is_err(), "first the last checkpoint has to go out");
        std::fs::write(dir.join("log.key"), key).unwrap();
        append(&mut sequencing, 10).unwrap();
        sequencing.close();
        let report = verify_ledger(&dir).unwrap();
        assert!(report.ok() && report.entries == 2, "{report:?}");
    }
}
