//! Checkpoints (C2SP tlog-checkpoint): origin, size and root, signed; and `c2sp.org/tlog-proof@v1`, which carries one
//! entry's proof together with the checkpoint that it leads to.

use crate::note::{NoteError, Signer, Verifier};
use crate::proof::{ProofError, verify_inclusion};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::Digest;

/// What the log promises: this many entries, with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

/// A checkpoint or proof that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text in it.
    #[error("this is not a checkpoint of the log `{0}`")]
    Malformed(String),
    /// The proof with it.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// The signed note.
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&self.text())
    }

    /// Reads a signed note; the origin must be the verifier's name.
    pub fn open(note: &str, verifier: &Verifier) -> Result<Self, CheckpointError> {
        let text = verifier.open(note)?;
        let malformed = || CheckpointError::Malformed(verifier.name().to_owned());
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed());
        };
        let plain = size == "0" || (!size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit()));
        let root: [u8; 32] =
            STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or_else(malformed)?;
        match size.parse() {
            Ok(size) if plain && origin == verifier.name() => {
                Ok(Self { origin: origin.to_owned(), size, root: Digest::from_bytes(root) })
            }
            _ => Err(malformed()),
        }
    }
}

/// A proof that travels: entry index, path, and the signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Which entry.
    pub index: u64,
    /// The inclusion proof.
    pub path: Vec<Digest>,
    /// The signed note.
    pub checkpoint: String,
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";

impl TlogProof {
    /// The text form.
    pub fn to_text(&self) -> String {
        let path: String = self.path.iter().map(|hash| STANDARD.encode(hash.as_bytes()) + "\n").collect();
        format!("{HEADER}\nindex {}\n{path}\n{}", self.index, self.checkpoint)
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        (lines.next()? == HEADER).then_some(())?;
        let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
        let path = lines
            .map(|line| STANDARD.decode(line).ok()?.try_into().ok().map(Digest::from_bytes))
            .collect::<Option<Vec<_>>>()?;
        (path.len() <= 63).then(|| Self { index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the entry with `leaf` as its hash is in the log of `verifier`.
    pub fn verify(&self, leaf: &Digest, verifier: &Verifier) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        verify_inclusion(leaf, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(checkpoint)
    }
}
