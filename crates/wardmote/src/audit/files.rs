//! Files and folders of templates, and plans.

use super::live;
use crate::failure::{Exit, Failure};
use controls::{Estate, Unreadable};
use facts::inventory::Inventory;
use std::path::{Path, PathBuf};

/// Folders within folders, deeper than this, are not followed.
const MAX_DEPTH: usize = 32;
const MAX_FILES: usize = 10_000;
/// Inventories and snapshots may be larger than templates.
const MAX_INVENTORY_BYTES: u64 = 512 << 20;
const ENDINGS: [&str; 4] = ["yaml", "yml", "json", "template"];

/// What was found under the paths.
#[derive(Default)]
pub(super) struct Found {
    pub(super) estates: Vec<Estate>,
    /// Files that should be templates and cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// Files of a folder that are no templates at all.
    pub(super) skipped: Vec<String>,
}

impl Found {
    /// What is there.
    pub(super) fn of(inventory: &Inventory) -> Self {
        Self { estates: vec![controls::live(inventory)], ..Self::default() }
    }
}

/// A plan.
pub(super) fn plan(path: &Path) -> Result<Found, Failure> {
    let estate =
        controls::plan(&path.display().to_string(), &text(path)?).map_err(|wrong| refused(&wrong))?;
    Ok(Found { estates: vec![estate], ..Found::default() })
}

/// Templates, in the order of their names.
pub(super) fn templates(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            found.estates.push(one(path)?);
            continue;
        }
        let mut files = Vec::new();
        walk(path, 0, &mut files)?;
        files.sort();
        let before = found.estates.len() + found.unreadable.len();
        for file in files {
            take(&file, &mut found)?;
        }
        if found.estates.len() + found.unreadable.len() == before {
            let message = format!("there is no template in `{}`", path.display());
            return Err(Failure::new(Exit::NotFound, message).with_help(
                "a template ends in `.yaml`, `.yml`, `.json` or `.template` and has `Resources`",
            ));
        }
    }
    Ok(found)
}

/// A file that was named: an inventory, a snapshot, or else a template.
fn one(path: &Path) -> Result<Estate, Failure> {
    let name = path.display().to_string();
    let text = inventory_text(path)?;
    match live::kept(&name, &text) {
        Some(kept) => kept.map(|inventory| controls::live(&inventory)),
        None if text.len() > controls::MAX_BYTES => {
            Err(too_large(path, text.len() as u64, controls::MAX_BYTES as u64))
        }
        None => controls::template(&name, &text).map_err(|wrong| refused(&wrong)),
    }
}

fn take(file: &Path, found: &mut Found) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = text(file)?;
    match controls::template(&name, &text) {
        Ok(estate) => found.estates.push(estate),
        // What does not even speak of resources of AWS is something else, such as a values file.
        Err(_) if !text.contains("Resources") && !text.contains("AWSTemplateFormatVersion") => {
            found.skipped.push(name);
        }
        Err(wrong) => found.unreadable.push(wrong),
    }
    Ok(())
}

/// Links to folders are not followed, so that every way ends.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::io(format!("read the folder `{}`", folder.display()), error);
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type().map_err(failed)?.is_dir() {
            if !is_hidden {
                if depth == MAX_DEPTH {
                    let message = format!("`{}` is more than {MAX_DEPTH} folders deep", path.display());
                    return Err(Failure::new(Exit::Input, message)
                        .with_help("name the folder of the templates itself"));
                }
                walk(&path, depth + 1, files)?;
            }
        } else if path.is_file()
            && path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known))
        {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            let message =
                format!("`{}` has more than {MAX_FILES} files that may be templates", folder.display());
            return Err(
                Failure::new(Exit::Input, message).with_help("name the folder of the templates itself")
            );
        }
    }
    Ok(())
}

pub(super) fn text(path: &Path) -> Result<String, Failure> {
    limited(path, controls::MAX_BYTES as u64)
}

/// The text of what may be an inventory.
pub(super) fn inventory_text(path: &Path) -> Result<String, Failure> {
    limited(path, MAX_INVENTORY_BYTES)
}

/// What stands in a file; AWS Config compresses its snapshots.
fn limited(path: &Path, most: u64) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Exit::NotFound, format!("there is no file `{}`", path.display()))
        }
        _ => Failure::io(format!("read `{}`", path.display()), error),
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > most {
        return Err(too_large(path, size, most));
    }
    let mut bytes = std::fs::read(path).map_err(unreadable)?;
    if path.extension().is_some_and(|end| end == "gz") {
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        bytes = trail::gzip::expand(&bytes, limit).map_err(|wrong| {
            Failure::new(Exit::Input, format!("`{}` cannot be expanded: {wrong}", path.display()))
                .with_help("give the file as AWS Config wrote it, or expand it with `gunzip`")
        })?;
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(Exit::Input, format!("`{}` is not UTF-8", path.display()))
            .with_help("save the template as UTF-8")
    })
}

fn too_large(path: &Path, size: u64, most: u64) -> Failure {
    let message = format!("`{}` has {size} bytes; at most {most} are read", path.display());
    Failure::new(Exit::Input, message).with_help("split it, or check one part at a time")
}

pub(super) fn refused(wrong: &Unreadable) -> Failure {
    Failure::new(Exit::Input, wrong.to_string()).with_help(wrong.help().to_owned())
}
