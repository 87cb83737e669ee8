//! Answers that can be taken away: the answer, the entries that it rests on exactly as they were hashed, a C2SP tlog-proof
//! of each, and the checkpoint that they lead to. And their verification, which needs nothing but the folder and a key.

use crate::checkpoints::read_keys;
use crate::commands::{At, Run, read_file};
use crate::failure::{Exit, Failure};
use crate::files;
use crate::house::{House, write_private};
use crate::questions::written;
use engine::Engine;
use facts::{Digest, EvidenceId};
use ledger::{Checkpoint, Entry, NoteVerifier, TlogProof, Verifier, leaf_hash};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

const ANSWER: &str = "answer.json";
const KEY: &str = "log.vkey";
/// An entry has at most 64 KiB, and so has a proof; an answer may be longer.
const MAX_FILE_BYTES: usize = 1 << 24;
const MAX_FILES: usize = 20_000;
/// What an answer repeats of a decision, under the decision's own names.
const SAID: [&str; 7] = ["role", "expires", "own_work", "reason", "upheld", "note", "missing"];

/// What the check of a folder found.
#[derive(Debug, Serialize)]
struct Checked {
    /// The name of the log.
    origin: String,
    /// Whether the key came from elsewhere, and not out of the folder itself.
    key_brought: bool,
    /// The entries that are proved.
    proved: Vec<u64>,
    /// How many entries the ledger had when the proofs were made.
    size: u64,
    /// What is not as it must be.
    findings: Vec<String>,
}

/// Writes an answer and the proofs of its entries.
pub(crate) fn write<T: Serialize>(
    house: &House,
    engine: &Engine,
    (answer, entries): (&T, &[EvidenceId]),
    folder: &Path,
) -> Result<(), Failure> {
    let mut files = engine.proofs(entries)?;
    let answer = serde_json::to_vec_pretty(answer)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot encode the answer: {error}")))?;
    files.insert(ANSWER.to_owned(), answer);
    files.insert(KEY.to_owned(), read_file(&house.ledger_dir().join(KEY))?);
    for (name, bytes) in &files {
        write_private(&folder.join(name), bytes).map_err(|error| written(folder, error))?;
    }
    Ok(())
}

impl At<'_> {
    pub(crate) fn verify_proof(&self, folder: &Path, vkey: Option<&Path>) -> Run {
        let checked = check(folder, vkey)?;
        self.answers.give(&checked, text)?;
        let whole = checked.findings.is_empty();
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(Exit::Damaged as u8) })
    }
}

fn check(folder: &Path, vkey: Option<&Path>) -> Result<Checked, Failure> {
    let keys = read_keys(vkey.unwrap_or(&folder.join(KEY)))?;
    let own = keys.iter().find_map(|(_, key)| match key {
        NoteVerifier::Ed25519(own) => Some(own.clone()),
        NoteVerifier::Ecdsa(_) => None,
    });
    let verifier = own.ok_or_else(|| {
        let shown = vkey.unwrap_or(&folder.join(KEY)).display().to_string();
        Failure::new(Exit::Input, format!("`{shown}` holds no key of the ledger itself"))
            .with_help("put the line of `ledger/log.vkey` into it")
    })?;
    let mut checked = Checked {
        origin: verifier.name().to_owned(),
        key_brought: vkey.is_some(),
        proved: Vec::new(),
        size: 0,
        findings: Vec::new(),
    };
    let mut leaves: BTreeMap<u64, (Digest, Option<Entry>)> = BTreeMap::new();
    for index in indices(folder)? {
        let proof = bounded(&folder.join(format!("{index}.tlog-proof")))?;
        let proof = String::from_utf8(proof).ok().and_then(|text| TlogProof::parse(&text));
        let bytes = bounded(&folder.join(format!("{index}.json")))?;
        let leaf = leaf_hash(&bytes);
        let verdict = match &proof {
            None => Err("its proof cannot be read".to_owned()),
            Some(proof) if proof.index != index => Err(format!("its proof is of entry {}", proof.index)),
            Some(proof) => proved(proof, &leaf, (&verifier, &keys)),
        };
        match verdict {
            Ok(checkpoint) => {
                checked.size = checked.size.max(checkpoint.size);
                checked.proved.push(index);
                leaves.insert(index, (leaf, Entry::decode(&bytes).ok()));
            }
            Err(why) => checked.findings.push(format!("entry {index} is not proved: {why}")),
        }
    }
    let answer: Value = serde_json::from_slice(&bounded(&folder.join(ANSWER))?)
        .map_err(|_| Failure::new(Exit::Input, format!("`{ANSWER}` is not JSON")))?;
    let mut named = BTreeSet::new();
    evidence_in(&answer, &mut named);
    for entry in named {
        match leaves.get(&entry.index()) {
            Some((leaf, _)) if entry.matches(leaf) => {}
            Some(_) => checked
                .findings
                .push(format!("the answer names {entry}, and entry {} is another", entry.index())),
            None => checked.findings.push(format!("the answer names {entry}, which is not proved")),
        }
    }
    let entries = |index| leaves.get(&index).and_then(|(_, entry)| entry.as_ref());
    contradictions(&answer, &entries, &mut checked.findings);
    if checked.findings.is_empty() {
        let proved = leaves
            .iter()
            .filter_map(|(index, (leaf, entry))| Some((EvidenceId::new(*index, leaf), entry.as_ref()?)));
        checked.findings.extend(engine::contradicted(&answer, &proved.collect::<Vec<_>>()));
    }
    Ok(checked)
}

/// The checkpoint to which a proof leads; all keys must have signed it.
fn proved(
    proof: &TlogProof,
    leaf: &Digest,
    (own, all): (&Verifier, &[(String, NoteVerifier)]),
) -> Result<Checkpoint, String> {
    let checkpoint = proof.verify(leaf, own).map_err(|error| error.to_string())?;
    for (_, key) in all {
        key.open(&proof.checkpoint).map_err(|error| error.to_string())?;
    }
    Ok(checkpoint)
}

/// Where the answer says something else of an entry than stands in it: who, when, and what a decision says of itself.
fn contradictions<'a>(
    value: &Value,
    entries: &impl Fn(u64) -> Option<&'a Entry>,
    findings: &mut Vec<String>,
) {
    match value {
        Value::Array(list) => list.iter().for_each(|inner| contradictions(inner, entries, findings)),
        Value::Object(map) => {
            map.values().for_each(|inner| contradictions(inner, entries, findings));
            let id = map.get("evidence").and_then(Value::as_str).and_then(|id| id.parse::<EvidenceId>().ok());
            let Some((id, entry)) = id.and_then(|id| Some((id.clone(), entries(id.index())?))) else {
                return;
            };
            let (who, when) = (Value::from(entry.actor.id.as_str()), Value::from(entry.time.to_string()));
            let event = &entry.body["event"];
            let facts = [("person", &who), ("by", &who), ("time", &when)];
            let of_itself = SAID.iter().filter_map(|name| Some((*name, event.get(name)?)));
            for (name, recorded) in facts.into_iter().chain(of_itself) {
                if let Some(said) = map.get(name).filter(|said| *said != recorded) {
                    findings.push(format!("the answer says {name} {said}, and {id} says {recorded}"));
                }
            }
        }
        _ => {}
    }
}

/// The entries that a folder holds.
fn indices(folder: &Path) -> Result<Vec<u64>, Failure> {
    let failed = |error| Failure::io(format!("read `{}`", folder.display()), error);
    let mut list = Vec::new();
    for file in std::fs::read_dir(folder).map_err(failed)? {
        let name = file.map_err(failed)?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".tlog-proof"));
        list.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        if list.len() > MAX_FILES {
            return Err(Failure::new(
                Exit::Input,
                format!("`{}` holds more than {MAX_FILES} proofs", folder.display()),
            ));
        }
    }
    list.sort_unstable();
    Ok(list)
}

fn bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    files::bounded(path, MAX_FILE_BYTES)
}

/// Every evidence id in an answer, wherever it stands.
fn evidence_in(value: &Value, found: &mut BTreeSet<EvidenceId>) {
    match value {
        Value::String(text) => found.extend(text.parse::<EvidenceId>().ok()),
        Value::Array(list) => list.iter().for_each(|inner| evidence_in(inner, found)),
        Value::Object(map) => map.values().for_each(|inner| evidence_in(inner, found)),
        _ => {}
    }
}

fn text(checked: &Checked) -> String {
    let mut text = format!(
        "{} entries are in the ledger `{}` of {} entries\n",
        checked.proved.len(),
        checked.origin,
        checked.size
    );
    if !checked.key_brought {
        text.push_str("against the key in the folder itself: bring the ledger's key with `--vkey` to be sure whose it is\n");
    }
    for finding in &checked.findings {
        text.push_str(&format!("  {finding}\n"));
    }
    text.push_str("proved is what is in the entries; that nothing else happened is not\n");
    text
}
