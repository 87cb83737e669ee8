//! A folder as one artefact: its files, each with its digest and where it is. What approvals bind to is the digest of
//! the names and contents alone, so that the same files are the same artefact wherever they are kept.

use crate::notebook::FileRecord;
use crate::{Engine, Error};
use facts::Digest;
use mlflow::catalogue::Files;
use serde::{Deserialize, Serialize};
use signing::Resource;
use std::collections::BTreeMap;

/// The most files of one artefact.
const MAX_FILES: usize = 10_000;

/// The files of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Path, and what is there.
    pub files: BTreeMap<String, FileRecord>,
}

/// A manifest in writing.
pub(crate) struct Kept {
    files: Files,
    bytes: Vec<u8>,
}

impl Manifest {
    /// The digest of all names and contents.
    pub fn content(&self) -> Digest {
        Digest::of_files(self.files.iter().map(|(path, file)| (path.as_str(), file.digest, file.size_bytes)))
    }

    /// As it is kept.
    pub(crate) fn written(&self) -> Result<Kept, Error> {
        if self.files.len() > MAX_FILES {
            return Err(Error::input(format!("an artefact has at most {MAX_FILES} files")));
        }
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Error::damaged(format!("cannot write a manifest: {error}")))?;
        let files = Files {
            digest: self.content(),
            object: format!("manifests/{}", Digest::of(&bytes).to_hex()),
            count: u32::try_from(self.files.len()).unwrap_or(u32::MAX),
            size_bytes: self.files.values().map(|file| file.size_bytes).sum(),
        };
        Ok(Kept { files, bytes })
    }

    /// Names and digests, as a signature lists them.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        signing::in_order(self.files.iter().map(|(path, file)| (path.clone(), file.digest)))
    }

    /// A path that verifiers of signatures leave out, so that what lies there would be signed by nobody.
    pub(crate) fn ignored(&self) -> Option<&str> {
        let ignored = |path: &&String| path.split('/').any(|part| signing::IGNORED.contains(&part));
        self.files.keys().find(ignored).map(String::as_str)
    }

    /// The one ONNX model of the folder, if there is exactly one.
    pub(crate) fn onnx(&self) -> Option<&FileRecord> {
        let mut models = self.files.iter().filter(|(path, _)| path.ends_with(".onnx"));
        match (models.next(), models.next()) {
            (Some((_, file)), None) => Some(file),
            _ => None,
        }
    }
}

impl Engine {
    /// Keeps a manifest for good.
    pub(crate) fn keep_manifest(&self, manifest: Kept) -> Result<Files, Error> {
        self.ports.objects.put(&manifest.files.object, &manifest.bytes)?;
        Ok(manifest.files)
    }

    /// Reads a manifest: the very one that was kept, for the very artefact.
    pub(crate) fn manifest(&self, object: &str, artefact: &Digest) -> Result<Manifest, Error> {
        let damaged =
            |why: &str| Error::damaged(format!("the object `{object}` is not what was recorded: {why}"));
        let bytes = self.ports.objects.get(object)?;
        if object.rsplit('/').next() != Some(Digest::of(&bytes).to_hex().as_str()) {
            return Err(damaged("its digest differs"));
        }
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|_| damaged("it is not a list of files"))?;
        if manifest.content() == *artefact { Ok(manifest) } else { Err(damaged("it lists another artefact")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Manifest {
        let record = FileRecord {
            size_bytes: 1,
            digest: Digest::of(b"x"),
            key: "artefacts".parse().unwrap(),
            subject: String::new(),
            parts: Vec::new(),
        };
        Manifest { files: paths.iter().map(|path| ((*path).to_owned(), record.clone())).collect() }
    }

    #[test]
    fn what_a_verifier_would_leave_out_is_found() {
        assert_eq!(manifest(&["a/.git/config", "b"]).ignored(), Some("a/.git/config"));
        assert_eq!(manifest(&["a/.gitkeep", "b"]).ignored(), None);
    }
}
