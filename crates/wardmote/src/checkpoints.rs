//! Whether the checkpoint that was given out is signed by whom it should be: by the key that the record names, or by those that
//! somebody brings.

use crate::failure::{Exit, Failure};
use crate::files::bounded;
use crate::house::House;
use engine::Engine;
use facts::Verdict;
use ledger::NoteVerifier;
use serde::Serialize;
use std::path::Path;

/// Keys and checkpoints are a few lines.
const MAX_FILE_BYTES: usize = 1 << 20;

/// A key, and whether it signed the checkpoint.
#[derive(Serialize)]
pub(crate) struct CheckpointSigned {
    /// The key's id, or where it is from.
    pub(crate) key: String,
    /// Its public half, as others bring it.
    pub(crate) verifier: String,
    /// Over how many entries. Fewer than there are, if the last ones are still to be signed.
    pub(crate) entries: Option<u64>,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// Verifier keys of a ledger, one a line.
pub(crate) fn read_keys(path: &Path) -> Result<Vec<(String, NoteVerifier)>, Failure> {
    let shown = path.display();
    let wrong = |what: String| {
        Failure::new(Exit::Input, what).with_help(
            "it is `ledger/log.vkey` of the house, and what `wardmote verify` shows of other keys: `name+hash+key`, one a line",
        )
    };
    let text = String::from_utf8(bounded(path, MAX_FILE_BYTES)?)
        .map_err(|_| wrong(format!("`{shown}` holds no verifier key")))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|line| match NoteVerifier::parse(line) {
        Ok(key) => Ok((line.to_owned(), key)),
        Err(error) => Err(wrong(format!("`{shown}`: {error}"))),
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(wrong(format!("`{shown}` holds no verifier key"))) } else { Ok(keys) }
}

/// Who signed the checkpoint beside the ledger's own key, of those who should have.
pub(crate) fn signed(
    house: &House,
    engine: Option<&Engine>,
    brought: Option<&Path>,
) -> Result<Vec<CheckpointSigned>, Failure> {
    let mut wanted = Vec::new();
    if let Some(last) = engine.and_then(|engine| engine.state().checkpoint_signers().last()) {
        let key = NoteVerifier::Ecdsa(last.what.verifier()?);
        wanted.push((last.what.key.to_string(), last.what.verifier.clone(), key));
    }
    for (line, key) in brought.map(read_keys).transpose()?.unwrap_or_default() {
        wanted.push(("brought".to_owned(), line, key));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let note = bounded(&house.ledger_dir().join("checkpoint"), MAX_FILE_BYTES).unwrap_or_default();
    let note = String::from_utf8_lossy(&note);
    let one = |(key, verifier, by): (String, String, NoteVerifier)| {
        let (entries, verdict) = match by.open(&note) {
            Ok(text) => (text.lines().nth(1).and_then(|size| size.parse().ok()), Verdict::Holds),
            Err(error) => (None, Verdict::Broken { reason: error.to_string() }),
        };
        CheckpointSigned { key, verifier, entries, verdict }
    };
    Ok(wanted.into_iter().map(one).collect())
}
