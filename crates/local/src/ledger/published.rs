//! The file `checkpoint`: the latest checkpoint, given out so that others can hold us to it. It is evidence against a
//! rollback, so it is replaced only after it was shown to be a beginning of what replaces it.

use super::{CHECKPOINT, KEY};
use crate::files;
use ledger::{Checkpoint, Tree, Verifier};
use std::fs::File;
use std::path::{Path, PathBuf};
use world::{Kind, PortError};

pub(super) struct Published {
    path: PathBuf,
    lock: PathBuf,
    verifier: Verifier,
    /// What was found good, or written; the inner none is an absent file.
    good: Option<Option<Vec<u8>>>,
}

impl Published {
    pub(super) fn new(dir: &Path, verifier: Verifier) -> Self {
        Self { path: dir.join(CHECKPOINT), lock: dir.join(KEY), verifier, good: None }
    }

    /// Holds what was given out against the tree of everything that is committed.
    pub(super) fn check(&mut self, tree: &Tree) -> Result<(), PortError> {
        let found = self.read()?;
        if self.good.as_ref() == Some(&found) {
            return Ok(());
        }
        match &found {
            None if tree.size() == 0 => {}
            None => {
                let text =
                    format!("the checkpoint that was given out, `{}`, is missing", self.path.display());
                return Err(PortError::new(Kind::Damaged, text).with_help(NO_CHECKPOINT));
            }
            Some(note) => self.hold(&self.open(note)?, tree)?,
        }
        self.good = Some(found);
        Ok(())
    }

    /// Replaces it by `note`, which covers the whole tree. Leaves it alone if another process has got further.
    pub(super) fn replace(&mut self, tree: &Tree, note: &str) -> Result<(), PortError> {
        let failed = |error| PortError::io(format!("lock `{}`", self.lock.display()), error);
        // One process at a time, so that a later checkpoint is never replaced by an earlier one.
        let lock = File::open(&self.lock).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let found = self.read()?;
        if self.good.as_ref() != Some(&found) {
            let ahead = found.as_ref().map(|note| self.open(note)).transpose()?;
            if ahead.is_some_and(|checkpoint| checkpoint.size > tree.size()) {
                // The next append looks whether that is ours: it sees what the other process has committed.
                return Ok(());
            }
            self.check(tree)?;
        }
        files::put(&self.path, note.as_bytes())?;
        self.good = Some(Some(note.as_bytes().to_vec()));
        Ok(())
    }

    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, PortError> {
        match files::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == Kind::Absent => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, note: &[u8]) -> Result<Checkpoint, PortError> {
        Checkpoint::open(&String::from_utf8_lossy(note), &self.verifier).map_err(|error| {
            let text = format!(
                "the checkpoint that was given out, `{}`, cannot be trusted: {error}",
                self.path.display()
            );
            PortError::new(Kind::Damaged, text).with_help(NO_CHECKPOINT)
        })
    }

    fn hold(&self, checkpoint: &Checkpoint, tree: &Tree) -> Result<(), PortError> {
        let (size, path) = (checkpoint.size, self.path.display());
        let text = match tree.root_at(size) {
            Some(root) if root == checkpoint.root => return Ok(()),
            Some(_) => format!(
                "the ledger was rolled back and continued: the checkpoint that was given out, `{path}`, covers {size} \
                 entries, and the first {size} entries here are others"
            ),
            None => format!(
                "the ledger was rolled back: the checkpoint that was given out, `{path}`, covers {size} entries, and \
                 only {} are here",
                tree.size()
            ),
        };
        Err(PortError::new(Kind::Damaged, text).with_help(ROLLED_BACK))
    }
}

/// The note that was given out, if it says the same as the ledger's own: it may have signatures of others beside.
pub(super) fn with_others(dir: &Path, own: String) -> String {
    let given_out = files::read(&dir.join(CHECKPOINT)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = |note: &str| note.rfind("\n\n").map(|cut| note[..cut].to_owned());
    given_out.filter(|note| text(note).is_some() && text(note) == text(&own)).unwrap_or(own)
}

const ROLLED_BACK: &str = "nothing is appended to an older copy: put the latest `ledger.db` and `seal` back, then run \
                           `wardmote verify`";
const NO_CHECKPOINT: &str = "put it back from a copy; if there is none, `wardmote log export --tiles DIR` writes the \
                             ledger's own to `DIR/checkpoint`, to compare and to put in its place";
