//! Checking a whole log from its stored bytes: every entry, every stream, and the checkpoint. Names what is damaged.

use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::note::Verifier;
use crate::tree::{Tree, leaf_hash};
use facts::{Digest, StreamName};
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The entry that is damaged, missing, or no longer covered.
    pub entry: u64,
    /// One sentence.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Entries read.
    pub entries: u64,
    /// Streams among them.
    pub streams: u64,
    /// The root over what was read.
    pub root: Option<Digest>,
    /// Everything that is wrong, in the order found.
    pub findings: Vec<Finding>,
}

/// Reads a log from its start.
#[derive(Debug, Default)]
pub struct Auditor {
    tree: Tree,
    streams: BTreeMap<StreamName, (u64, Digest)>,
    findings: Vec<Finding>,
}

impl Auditor {
    /// Takes in the next leaf as stored.
    pub fn leaf(&mut self, index: u64, leaf: &[u8]) {
        let expected = self.tree.size();
        if index != expected {
            self.find(expected, format!("entry {expected} is missing: entry {index} follows instead"));
        }
        let hash = leaf_hash(leaf);
        self.tree.push(hash);
        match Entry::decode(leaf) {
            Err(error) => self.find(index, format!("entry {index} is damaged: {error}")),
            Ok(entry) => self.stream(index, &entry, hash),
        }
    }

    /// Takes in the hashes that were stored for leaves `from..`, as a second witness that tells which entry changed.
    pub fn stored_hashes(&mut self, from: u64, hashes: &[Digest]) {
        for (offset, stored) in hashes.iter().enumerate() {
            let index = from + offset as u64;
            match self.tree.leaf(index) {
                Some(actual) if actual == stored => {}
                Some(_) => {
                    self.find(index, format!("entry {index} does not have the hash that was stored for it"));
                }
                None => self
                    .find(index, format!("entry {index} is missing: its hash is stored, the entry is not")),
            }
        }
    }

    /// Holds what was read against a checkpoint that the log gave out.
    pub fn checkpoint(&mut self, name: &str, note: &str, verifier: &Verifier) {
        let size = self.tree.size();
        match Checkpoint::open(note, verifier) {
            Err(error) => self.find(
                size.saturating_sub(1),
                format!(
                    "{name} cannot be trusted, so no entry up to {} is covered by it: {error}",
                    size.saturating_sub(1)
                ),
            ),
            Ok(checkpoint) if checkpoint.size > size => {
                let what = format!(
                    "{name} was signed over {} entries and only {size} are there: entries {size} to {} are missing",
                    checkpoint.size,
                    checkpoint.size - 1
                );
                self.find(size, what);
            }
            Ok(checkpoint) => {
                if self.tree.root_at(checkpoint.size) != Some(checkpoint.root) {
                    let last = checkpoint.size.saturating_sub(1);
                    self.find(
                        last,
                        format!("entries 0 to {last} do not lead to the root that {name} was signed over"),
                    );
                }
            }
        }
    }

    /// Takes in where the streams were stored to stand: name, next number, last leaf hash. To be called after all leaves.
    pub fn stored_heads(&mut self, heads: &[(String, u64, Vec<u8>)]) {
        let at = self.tree.size().saturating_sub(1);
        let fits = |stream: &StreamName, next: &u64, last: &Digest| {
            heads.iter().any(|(name, stored, hash)| {
                name == stream.as_str() && stored == next && hash == last.as_bytes()
            })
        };
        let wrong: Vec<StreamName> = self
            .streams
            .iter()
            .filter(|(stream, (next, last))| !fits(stream, next, last))
            .map(|(stream, _)| stream.clone())
            .collect();
        for stream in wrong {
            self.find(
                at,
                format!("the stored head of the stream `{stream}` does not fit its entries up to entry {at}"),
            );
        }
        if heads.len() > self.streams.len() {
            self.find(
                at,
                format!(
                    "heads of {} streams are stored, and the entries up to {at} have {}",
                    heads.len(),
                    self.streams.len()
                ),
            );
        }
    }

    /// How many leaves were taken in.
    pub fn entries(&self) -> u64 {
        self.tree.size()
    }

    /// Something else that is wrong.
    pub fn find(&mut self, entry: u64, what: String) {
        self.findings.push(Finding { entry, what });
    }

    /// The result.
    pub fn finish(self) -> Audit {
        let mut findings = self.findings;
        // Two witnesses may say the same of one entry.
        let mut said = std::collections::BTreeSet::new();
        findings.retain(|finding| said.insert(finding.what.clone()));
        let root = (self.tree.size() > 0).then(|| self.tree.root());
        Audit { entries: self.tree.size(), streams: self.streams.len() as u64, root, findings }
    }

    fn stream(&mut self, index: u64, entry: &Entry, hash: Digest) {
        let (next, last) = match self.streams.get(&entry.stream) {
            Some((next, last)) => (*next, Some(*last)),
            None => (0, None),
        };
        if entry.stream_seq != next {
            let what = format!(
                "entry {index} is number {} of the stream `{}`, where number {next} was due",
                entry.stream_seq, entry.stream
            );
            self.find(index, what);
        } else if entry.stream_prev != last {
            self.find(
                index,
                format!("entry {index} does not follow the previous entry of the stream `{}`", entry.stream),
            );
        }
        self.streams.insert(entry.stream.clone(), (entry.stream_seq + 1, hash));
    }
}
