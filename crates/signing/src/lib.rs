//! Signatures of model versions: OpenSSF Model Signing bundles (a Sigstore bundle v0.3 around a DSSE envelope around an
//! in-toto statement), method `files` with SHA-256. `model_signing verify key` accepts ours, and [`open`] reads theirs.
//!
//! A bundle of ours can carry, where Sigstore's have the entry of a transparency log, the entry of our ledger that recorded
//! the signature, with its proof and the checkpoint: one file then says what was signed, by whom, and that it was recorded.
//!
//! Sources: OpenSSF Model Signing specification v1.0; Sigstore bundle v0.3; DSSE v1 (PAE); in-toto Statement v1; C2SP
//! tlog-checkpoint.

mod bundle;
mod key;
mod proof;
mod statement;

pub use bundle::{Fault, MAX_BUNDLE_BYTES, Signed, bundle, open};
pub use key::{KeyFault, VerifyingKey};
pub use proof::{Recorded, with_proof};
pub use statement::{in_order, pae, statement};

use facts::Digest;

/// A file of a model: its path from the folder, with `/`, and the SHA-256 of its bytes.
pub type Resource = (String, Digest);

/// What the tool `model_signing` leaves out of every signature unless it is told otherwise; so nothing in an artefact may
/// have such a name, or it would be signed by nobody.
pub const IGNORED: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];
