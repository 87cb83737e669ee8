//! A version in a folder: all of its files, and nothing that leads out of it.

use super::Source;
use crate::failure::{Exit, Failure};
use engine::{Engine, Foreign, Import};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The deepest folder below the one that is named.
const MAX_DEPTH: usize = 32;
/// More files than a version can have are not even listed.
const MAX_FILES: usize = 10_000;
/// So much is read at once.
const CHUNK: usize = 1 << 20;

/// A folder, listed.
pub(super) struct Folder {
    origin: String,
    /// Paths with slashes, and where they are.
    files: Vec<(String, PathBuf)>,
}

impl Folder {
    /// Lists a folder.
    pub(super) fn at(path: &Path) -> Result<Self, Failure> {
        let name =
            path.canonicalize().map_err(|error| Failure::io(format!("read `{}`", path.display()), error))?;
        if !name.is_dir() {
            let text =
                format!("`{}` is no folder: name the folder that holds the version's files", path.display());
            return Err(Failure::new(Exit::Input, text));
        }
        let mut files = Vec::new();
        list(&name, "", &mut files)?;
        files.sort();
        // Where on this machine it lies is nobody's affair.
        let last = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { origin: format!("folder {last}"), files })
    }
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Failure> {
    let unreadable = |error| Failure::io(format!("read `{}`", folder.display()), error);
    let wrong = |path: &Path, why: &str| Failure::new(Exit::Input, format!("`{}` {why}", path.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| wrong(&path, "has a name that is no text"))?;
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            if name.split('/').count() > MAX_DEPTH {
                return Err(wrong(&path, "is too deep below the version's folder"));
            }
            list(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.push((name, path));
        } else {
            return Err(wrong(
                &path,
                "is neither a file nor a folder: a version holds nothing else, no links either",
            ));
        }
        if files.len() > MAX_FILES {
            return Err(wrong(folder, &format!("holds more than {MAX_FILES} files")));
        }
    }
    Ok(())
}

impl Source for Folder {
    fn foreign(&self) -> Foreign {
        Foreign { origin: self.origin.clone(), ..Foreign::default() }
    }

    fn files(&self, engine: &mut Engine, import: &mut Import) -> Result<(), Failure> {
        let mut chunk = vec![0; CHUNK];
        for (name, path) in &self.files {
            let unreadable = |error| Failure::io(format!("read `{}`", path.display()), error);
            let mut file = File::open(path).map_err(unreadable)?;
            let mut incoming = engine.begin_import_file(import, name)?;
            loop {
                let read = file.read(&mut chunk).map_err(unreadable)?;
                if read == 0 {
                    break;
                }
                incoming.write(chunk.get(..read).unwrap_or_default())?;
            }
            engine.end_import_file(import, incoming)?;
        }
        Ok(())
    }
}
