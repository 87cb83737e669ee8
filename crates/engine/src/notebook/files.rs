//! Which files there are and where their bytes are. The bytes themselves are sealed objects.

use super::{Notebook, outside};
use facts::{Digest, KeyId};
use mlflow::{Code, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::Change;

const COLLECTION: &str = "files";
/// The longest path.
const MAX_PATH: usize = 1000;

/// A file: what it is, and the sealed objects that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the content.
    pub digest: Digest,
    /// The key that protects it.
    pub key: KeyId,
    /// What the sealed objects are bound to.
    pub subject: String,
    /// The objects, in order; each holds [`crate::PART_BYTES`] of content, the last one the rest.
    pub parts: Vec<String>,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Listed {
    /// Its name, relative to the folder.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Size in bytes, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
}

/// A path of files in the form in which it is kept: no empty parts, nothing that leads elsewhere.
///
/// # Errors
/// Says what is wrong with it.
pub fn checked_path(path: &str) -> Result<String, Error> {
    let wrong = |why: &str| {
        let shown: String = path.chars().take(80).collect();
        Err(Error::invalid(format!("`{}` is not the path of an artefact: {why}", shown.escape_debug())))
    };
    let trimmed = path.trim_matches('/');
    if trimmed.len() > MAX_PATH {
        return wrong("it is longer than 1000 bytes");
    }
    if trimmed.chars().any(|c| c.is_control() || c == '\\') {
        return wrong("it holds letters that no file name should");
    }
    if trimmed.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return wrong("it leads elsewhere");
    }
    Ok(trimmed.to_owned())
}

impl Notebook {
    /// Notes a file; an earlier one of the same path is replaced.
    ///
    /// # Errors
    /// If the notebook cannot be written.
    pub fn keep_file(&self, path: &str, record: &FileRecord) -> Result<(), Error> {
        let body = serde_json::to_string(record)
            .map_err(|error| Error::new(Code::InternalError, format!("cannot note a file: {error}")))?;
        let gone = Change::Remove { collection: COLLECTION, id: path.to_owned() };
        let made = Change::Put {
            collection: COLLECTION,
            id: path.to_owned(),
            parent: String::new(),
            expected: 0,
            body,
        };
        self.store.write(&[gone, made]).map_err(outside)
    }

    /// A file.
    ///
    /// # Errors
    /// If there is none.
    pub fn file(&self, path: &str) -> Result<FileRecord, Error> {
        let document = self.store.get(COLLECTION, path).map_err(outside)?;
        let document = document.ok_or_else(|| Error::absent(format!("there is no artefact `{path}`")))?;
        record(&document.body)
    }

    /// All files below a folder, by their paths relative to it.
    ///
    /// # Errors
    /// If the notebook cannot be read.
    pub fn files_below(&self, folder: &str) -> Result<BTreeMap<String, FileRecord>, Error> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let documents = self.store.under(COLLECTION, &prefix).map_err(outside)?;
        documents
            .into_iter()
            .map(|document| {
                let name = document.id.strip_prefix(&prefix).unwrap_or(&document.id).to_owned();
                Ok((name, record(&document.body)?))
            })
            .collect()
    }

    /// Forgets a file, or all files below a folder. The bytes stay for the versions that were made of them.
    ///
    /// # Errors
    /// If the notebook cannot be written.
    pub fn forget_files(&self, path: &str) -> Result<(), Error> {
        let mut gone = vec![Change::Remove { collection: COLLECTION, id: path.to_owned() }];
        for name in self.files_below(path)?.keys() {
            gone.push(Change::Remove { collection: COLLECTION, id: format!("{path}/{name}") });
        }
        self.store.write(&gone).map_err(outside)
    }
}

fn record(body: &str) -> Result<FileRecord, Error> {
    serde_json::from_str(body).map_err(|error| {
        Error::new(Code::InternalError, format!("the note of a file cannot be read: {error}"))
    })
}

/// The entries of a folder, of which `files` are all files below it.
pub fn listing<'a>(files: impl Iterator<Item = (&'a String, u64)>) -> Vec<Listed> {
    let mut entries: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for (name, size) in files {
        match name.split_once('/') {
            Some((folder, _)) => entries.insert(folder, None),
            None => entries.insert(name, Some(size)),
        };
    }
    let entry = |(path, size): (&str, Option<u64>)| Listed {
        path: path.to_owned(),
        is_dir: size.is_none(),
        file_size: size,
    };
    entries.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_where_they_are() {
        assert_eq!(checked_path("/0/r/artifacts/model/").unwrap(), "0/r/artifacts/model");
        let wrong = ["", "a/../b", "a//b", "./a", "a\\b", "a\nb", &"x".repeat(1001)];
        let said: Vec<String> =
            wrong.iter().map(|path| checked_path(path).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(said.join("\n").replace(&"x".repeat(80), "x.."));
    }

    #[test]
    fn a_folder_lists_what_is_right_below_it() {
        let names = ["a", "b/c", "b/d/e"].map(str::to_owned);
        let listed = listing(names.iter().map(|name| (name, 3)));
        let listed: Vec<_> = listed.iter().map(|entry| (entry.path.as_str(), entry.file_size)).collect();
        assert_eq!(listed, [("a", Some(3)), ("b", None)]);
    }
}
