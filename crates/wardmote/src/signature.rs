//! `model verify`: a signature, the files that it was made for, and the proof that it was recorded. Needs no house, so that
//! whoever got a model can check it alone.

use crate::answer::Answers;
use crate::args::SignatureArgs;
use crate::commands::Run;
use crate::failure::{Exit, Failure};
use crate::files;
use facts::Digest;
use ledger::Verifier;
use serde::Serialize;
use signing::{MAX_BUNDLE_BYTES, Resource, Signed, VerifyingKey};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

const MAX_KEY_BYTES: usize = 4_096;

/// A signature that holds.
#[derive(Debug, Serialize)]
struct Held {
    /// The name under which it was signed.
    subject: String,
    /// How many files were compared.
    files: usize,
    /// What the house that signed it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    house: Option<serde_json::Value>,
    /// Where it was recorded; nothing if that was not to be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<Entry>,
    /// Whether there is a proof that nobody asked for.
    #[serde(skip)]
    unasked: bool,
}

#[derive(Debug, Serialize)]
struct Entry {
    log: String,
    entry: u64,
    time: facts::Timestamp,
    log_size: u64,
}

pub(crate) fn verify(args: &SignatureArgs, answers: &Answers) -> Run {
    let key = VerifyingKey::parse(&text(&args.public_key)?).map_err(|why| {
        input(format!("`{}` cannot be used: {why}", args.public_key.display()))
            .with_help("`wardmote model export` writes it as `key.pub`")
    })?;
    let bundle = files::bounded(&args.signature, MAX_BUNDLE_BYTES)?;
    let broken = |why: signing::Fault| {
        Failure::new(
            Exit::Damaged,
            format!("the signature `{}` does not hold: {why}", args.signature.display()),
        )
        .with_help(advice(&why))
    };
    let signed = signing::open(&bundle, &key).map_err(broken)?;
    let files = listed(&args.folder, &args.ignore)?;
    signed.holds_for(&files).map_err(broken)?;
    let held = Held {
        recorded: args.log_key.as_deref().map(|file| recorded(&signed, file, broken)).transpose()?,
        unasked: signed.has_proof() && args.log_key.is_none(),
        subject: signed.subject,
        files: files.len(),
        house: signed.house,
    };
    answers.give(&held, said)?;
    Ok(ExitCode::SUCCESS)
}

fn recorded(
    signed: &Signed,
    file: &Path,
    broken: impl Fn(signing::Fault) -> Failure,
) -> Result<Entry, Failure> {
    let log = Verifier::parse(&text(file)?).map_err(|_| {
        input(format!("`{}` holds no key of a ledger", file.display()))
            .with_help("it is `ledger/log.vkey` of the house, one line: `name+hash+key`")
    })?;
    let signing::Recorded { log, index, time, size } = signed.recorded(&log).map_err(broken)?;
    Ok(Entry { log, entry: index, time, log_size: size })
}

fn advice(why: &signing::Fault) -> &'static str {
    match why {
        signing::Fault::NotABundle(_) | signing::Fault::OtherStatement(_) => {
            "it must be a bundle of `wardmote model export` or `model_signing sign key`"
        }
        signing::Fault::OtherKey | signing::Fault::WrongSignature => {
            "get the public key from whom you trust; if it is the right one, do not use the model"
        }
        signing::Fault::OtherFiles(_) => {
            "do not use the model, or name with `--ignore` what need not be signed"
        }
        signing::Fault::NoProof => "`wardmote model export` writes the proof into the signature",
        signing::Fault::WrongProof(_) => {
            "get the key of the ledger from whom you trust; if it is the right one, nobody recorded this signature"
        }
    }
}

fn said(held: &Held) -> String {
    let mut text = format!("the signature of {} holds for all {} files\n", held.subject, held.files);
    if held.files == 1 {
        text = format!("the signature of {} holds for its one file\n", held.subject);
    }
    if let Some(entry) = &held.recorded {
        text.push_str(&format!(
            "it was recorded at {} as entry {} of {}, which had {} entries when the proof was made\n",
            entry.time, entry.entry, entry.log, entry.log_size
        ));
    }
    if held.unasked {
        text.push_str("it carries a proof that it was recorded; check that too with `--log-key log.vkey`\n");
    }
    text
}

/// All files of a folder with their digests. Links are refused: what they lead to may change without the folder.
fn listed(folder: &Path, ignore: &[String]) -> Result<Vec<Resource>, Failure> {
    if !folder.is_dir() {
        return Err(Failure::new(Exit::NotFound, format!("there is no folder `{}`", folder.display()))
            .with_help("name the folder that holds the model's files, and nothing else"));
    }
    let files = files::of_version(folder, ignore)?.into_iter();
    let digested = files.map(|(name, path)| {
        let digest = File::open(&path).and_then(|mut file| Digest::of_reader(&mut file));
        let failed = |error| Failure::io(format!("read `{}`", path.display()), error);
        Ok((name, digest.map_err(failed)?))
    });
    digested.collect()
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(files::bounded(path, MAX_KEY_BYTES)?)
        .map_err(|_| input(format!("`{}` is not a text", path.display())))
}

fn input(message: String) -> Failure {
    Failure::new(Exit::Input, message)
}
