//! Where the ledger lives. The tree, the encoding and the proofs are [`ledger`]'s; a store only keeps and orders.

use crate::PortError;
use facts::{EvidenceId, StreamName};
use ledger::{Draft, Entry, Verifier};

/// An answer that says "done": the entry is on stable storage and under a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Where the entry is.
    pub evidence: EvidenceId,
    /// The entry as it was stored.
    pub entry: Entry,
}

/// The append-only store of one log. All implementations pass [`crate::contract::ledger`].
pub trait LedgerStore: Send + Sync {
    /// Appends all drafts, in order, or none; returns when they are durable.
    ///
    /// A draft with an `expected_seq` is refused with [`crate::Kind::Conflict`] if its stream has moved on.
    fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Receipt>, PortError>;

    /// How many entries there are, durable ones only. Sees what other processes appended.
    fn size(&self) -> Result<u64, PortError>;

    /// The entries `from..` in order, at most `limit` of them, decoded.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<Receipt>, PortError>;

    /// The sequence number that the next entry of `stream` will have (0 for a new stream).
    fn next_seq(&self, stream: &StreamName) -> Result<u64, PortError>;

    /// The latest checkpoint as a signed note (C2SP tlog-checkpoint).
    fn checkpoint(&self) -> Result<String, PortError>;

    /// The key that checkpoints are checked with, and the name of the log.
    fn verifier(&self) -> Result<Verifier, PortError>;

    /// A C2SP `tlog-proof@v1` for entry `index` against the latest checkpoint.
    fn proof(&self, index: u64) -> Result<String, PortError>;
}
