//! An append-only Merkle log of decisions: canonical entries (RFC 8785), RFC 6962 hashing, inclusion and consistency
//! proofs, signed checkpoints (C2SP tlog-checkpoint over signed-note), `c2sp.org/tlog-proof@v1` texts and the layout of
//! static files (C2SP tlog-tiles).
//!
//! Invariants: no I/O and no storage engine; whoever keeps the entries is not trusted: [`audit`] needs only the
//! stored bytes, the checkpoint and the verifier key.

pub mod audit;
mod checkpoint;
mod ecdsa;
mod entry;
mod note;
mod proof;
mod sequence;
pub mod tiles;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, TlogProof};
pub use ecdsa::{EcdsaVerifier, NoteVerifier};
pub use entry::{Draft, Entry, EntryError, MAX_LEAF_BYTES, Outcome};
pub use note::{NoteError, Signer, Verifier, private_key};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use sequence::{Planned, SequenceError, Sequencer, StreamHead};
pub use tree::{Tree, leaf_hash, node_hash};
