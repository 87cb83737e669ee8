//! Files that somebody names: read within bounds, and the files of a version's folder.

use crate::failure::{Exit, Failure};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The deepest folder below the one that is named.
const MAX_DEPTH: usize = 32;
/// As many as an artefact may have.
const MAX_FILES: usize = 10_000;

/// The bytes of a file, at most `most` of them; a longer one is refused, however it grows while it is read.
pub(crate) fn bounded(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::io(format!("read `{}`", path.display()), error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        let text = format!("`{}` has more than {most} bytes", path.display());
        return Err(Failure::new(Exit::Input, text));
    }
    Ok(bytes)
}

/// All files of a version's folder but those that are to be left out: paths with slashes, in order, and where they are.
pub(crate) fn of_version(folder: &Path, without: &[String]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    list(folder, "", without, &mut files)?;
    files.sort();
    Ok(files)
}

fn list(
    folder: &Path,
    prefix: &str,
    without: &[String],
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Failure> {
    let unreadable = |error| Failure::io(format!("read `{}`", folder.display()), error);
    let wrong = |path: &Path, why: &str| Failure::new(Exit::Input, format!("`{}` {why}", path.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| wrong(&path, "has a name that is no text"))?;
        let name = format!("{prefix}{name}");
        if without.contains(&name) {
            continue;
        }
        if kind.is_dir() {
            if name.split('/').count() > MAX_DEPTH {
                return Err(wrong(&path, "is too deep below the version's folder"));
            }
            list(&path, &format!("{name}/"), without, files)?;
        } else if kind.is_file() {
            files.push((name, path));
        } else {
            let why = "is neither a file nor a folder: a version holds nothing else, no links either";
            return Err(wrong(&path, why).with_help("put the file itself in the place of a link"));
        }
        if files.len() > MAX_FILES {
            return Err(wrong(folder, &format!("holds more than {MAX_FILES} files")));
        }
    }
    Ok(())
}
