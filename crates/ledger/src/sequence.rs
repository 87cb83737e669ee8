//! Giving entries their places: index in the log, number and predecessor in their stream. Plans only; whoever stores
//! the plan commits it.

use crate::entry::{Draft, Entry, EntryError};
use crate::tree::{Tree, leaf_hash};
use facts::{Digest, StreamName};
use std::collections::BTreeMap;

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    /// The number that its next entry gets.
    pub next_seq: u64,
    /// The leaf hash of its last entry.
    pub last: Digest,
}

/// The log as far as it is needed to continue it.
#[derive(Debug, Clone, Default)]
pub struct Sequencer {
    tree: Tree,
    heads: BTreeMap<StreamName, StreamHead>,
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Index in the log.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
    /// Its encoding.
    pub leaf: Vec<u8>,
    /// Its leaf hash.
    pub hash: Digest,
}

/// A batch that cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// Somebody else wrote to the stream first.
    #[error("the stream `{stream}` is at {actual}, not at {expected} any more")]
    Conflict {
        /// Which.
        stream: StreamName,
        /// As the writer believed.
        expected: u64,
        /// As it is.
        actual: u64,
    },
    /// An entry that cannot be encoded.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl Sequencer {
    /// The tree so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Where `stream` stands; none if it is new.
    pub fn head(&self, stream: &StreamName) -> Option<&StreamHead> {
        self.heads.get(stream)
    }

    /// Continues a log from what is stored of it.
    pub fn resume(tree: Tree, heads: BTreeMap<StreamName, StreamHead>) -> Self {
        Self { tree, heads }
    }

    /// Takes in an entry that is stored already.
    pub fn replay(&mut self, entry: &Entry, hash: Digest) {
        self.tree.push(hash);
        self.heads.insert(entry.stream.clone(), StreamHead { next_seq: entry.stream_seq + 1, last: hash });
    }

    /// Places drafts after each other, all or none. The sequencer itself does not change.
    pub fn plan(&self, drafts: Vec<Draft>) -> Result<Vec<Planned>, SequenceError> {
        let mut heads: BTreeMap<StreamName, StreamHead> = BTreeMap::new();
        let mut planned = Vec::with_capacity(drafts.len());
        for (offset, draft) in drafts.into_iter().enumerate() {
            let head = heads.get(&draft.stream).or_else(|| self.heads.get(&draft.stream)).copied();
            let actual = head.map_or(0, |head| head.next_seq);
            if let Some(expected) = draft.expected_seq.filter(|expected| *expected != actual) {
                return Err(SequenceError::Conflict { stream: draft.stream, expected, actual });
            }
            let entry = Entry {
                v: 1,
                stream: draft.stream,
                stream_seq: actual,
                stream_prev: head.map(|head| head.last),
                time: draft.time,
                actor: draft.actor,
                action: draft.action,
                resource: draft.resource,
                outcome: draft.outcome,
                body: draft.body,
            };
            let leaf = entry.encode()?;
            // What is answered is what a reader gets: 1.0 is stored, and read, as 1.
            let entry = Entry::decode(&leaf)?;
            let hash = leaf_hash(&leaf);
            heads.insert(entry.stream.clone(), StreamHead { next_seq: actual + 1, last: hash });
            planned.push(Planned { index: self.tree.size() + offset as u64, entry, leaf, hash });
        }
        Ok(planned)
    }
}
