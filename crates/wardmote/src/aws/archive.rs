//! `wardmote aws archive`: the ledger as static files in a bucket, where they can be locked. What was archived once binds:
//! a ledger of which the archive's checkpoint is not a beginning is refused.

use super::args::ArchiveArgs;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use aws::ObjectUse::{Get, List, Put, Replace};
use aws::S3Objects;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use world::{Kind, ObjectStore};

/// As the layout of C2SP tlog-tiles names it.
const CHECKPOINT: &str = "checkpoint";

pub(super) fn run(house: &House, args: &ArchiveArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let settings = house.settings()?;
    let bucket = settings.bucket(&args.place, args.objects_key.as_ref(), args.bucket_owner.as_ref())?;
    let bucket = match args.retain_days {
        Some(days) => bucket.locked_for(days),
        None => bucket,
    };
    if args.permissions {
        let document = bucket.permissions(&[Put, Get, List, Replace])?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = Scratch::new(house.dir())?;
    match bucket.get(CHECKPOINT) {
        // What was given out before must be a beginning of what is given out now.
        Ok(earlier) => write_private(&scratch.0.join(CHECKPOINT), &earlier)?,
        Err(error) if error.kind() == Kind::Absent => {}
        Err(error) => return Err(error.into()),
    }
    let exported =
        local::export_tiles(&house.ledger_dir(), &scratch.0).map_err(|error| match error.kind() {
            Kind::Conflict => {
                let text = format!("the checkpoint in `{}` is not an earlier one of this ledger", args.place);
                Failure::new(Exit::Conflict, text).with_help(
                    "the ledger was rolled back, or the place holds another one: name another place",
                )
            }
            _ => error.into(),
        })?;
    let put = copy(&bucket, &scratch.0, args.compare)?;
    let answer = json!({
        "origin": exported.origin, "entries": exported.entries, "files": exported.files, "put": put,
        "place": args.place.to_string(), "locked_days": args.retain_days,
    });
    answers.give(&answer, |_| {
        let lock = args.retain_days.map_or_else(String::new, |days| format!(", locked for {days} days"));
        format!(
            "archived {} entries of {} in {}: {put} new files{lock}",
            exported.entries, exported.origin, args.place
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Puts what is not there, the checkpoint last: whatever it covers is there. Returns how many files were put.
fn copy(bucket: &S3Objects, folder: &Path, compare: bool) -> Result<usize, Failure> {
    let there: BTreeSet<String> = bucket.list("")?.into_iter().collect();
    let mut names = Vec::new();
    files(folder, "", &mut names)?;
    let mut put = 0;
    for name in names.iter().filter(|name| *name != CHECKPOINT) {
        if compare || !there.contains(name) {
            bucket.put(name, &crate::commands::read_file(&folder.join(name))?)?;
        }
        put += usize::from(!there.contains(name));
    }
    let checkpoint = crate::commands::read_file(&folder.join(CHECKPOINT))?;
    // With nothing new it would be one more version of the same.
    if put > 0 || bucket.get(CHECKPOINT).ok().as_deref() != Some(&checkpoint) {
        bucket.replace(CHECKPOINT, &checkpoint)?;
    }
    Ok(put)
}

fn files(root: &Path, within: &str, names: &mut Vec<String>) -> Result<(), Failure> {
    let folder = root.join(within);
    let failed = |error| Failure::io(format!("read `{}`", folder.display()), error);
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = if within.is_empty() { file } else { format!("{within}/{file}") };
        if entry.path().is_dir() { files(root, &name, names)? } else { names.push(name) }
    }
    names.sort();
    Ok(())
}

/// A folder of this process in the house, gone afterwards.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(format!("archive-{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| Failure::io(format!("make `{}`", path.display()), error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it is a copy of what is in the ledger beside it.
        drop(fs::remove_dir_all(&self.0));
    }
}
