//! Objects as files in a folder.

use crate::files;
use std::fs;
use std::path::{Path, PathBuf};
use world::{Content, Kind, ObjectStore, PortError, wrong_length};

/// A folder of objects.
#[derive(Debug, Clone)]
pub struct FolderObjects {
    dir: PathBuf,
}

impl FolderObjects {
    /// Opens the folder, making it if it is not there.
    pub fn open(dir: &Path) -> Result<Self, PortError> {
        files::private_dir(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    fn path(&self, name: &str) -> Result<PathBuf, PortError> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let proper =
            |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(letters);
        if name.len() <= 200 && name.split('/').all(proper) && !name.ends_with(".part") {
            Ok(self.dir.join(name))
        } else {
            Err(PortError::new(
                Kind::Invalid,
                format!("`{}` is not the name of an object", name.escape_debug()),
            ))
        }
    }
}

impl ObjectStore for FolderObjects {
    fn put_from(&self, name: &str, content: &dyn Content) -> Result<(), PortError> {
        let path = self.path(name)?;
        if path.exists() {
            return if files::holds(&path, content)? {
                Ok(())
            } else {
                Err(PortError::new(Kind::Conflict, format!("the object `{name}` exists with other content")))
            };
        }
        if let Some(parent) = path.parent() {
            files::private_dir(parent)?;
        }
        match files::replace_from(&path, content)? {
            true => Ok(()),
            false => Err(wrong_length(name, content)),
        }
    }

    fn get(&self, name: &str) -> Result<Vec<u8>, PortError> {
        let path = self.path(name)?;
        files::read(&path).map_err(|error| match error.kind() {
            Kind::Absent => PortError::new(Kind::Absent, format!("there is no object `{name}`")),
            _ => error,
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        let mut names = Vec::new();
        collect(&self.dir, "", &mut names)?;
        names.retain(|name| name.starts_with(prefix) && !name.ends_with(".part"));
        names.sort();
        Ok(names)
    }

    fn delete(&self, name: &str) -> Result<(), PortError> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(PortError::io(format!("delete the object `{name}`"), error))
            }
            _ => Ok(()),
        }
    }
}

fn collect(dir: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), PortError> {
    let failed = |error| PortError::io(format!("list `{}`", dir.display()), error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
