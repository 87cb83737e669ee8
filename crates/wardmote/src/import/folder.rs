//! A version in a folder: all of its files, and nothing that leads out of it.

use super::Source;
use crate::failure::{Exit, Failure};
use crate::files;
use engine::{Engine, Foreign, Import};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

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
        let files = files::of_version(&name, &[])?;
        // Where on this machine it lies is nobody's affair.
        let last = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { origin: format!("folder {last}"), files })
    }
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
