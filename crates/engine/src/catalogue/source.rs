//! What a new version is made of, as the notebook has it. It is read before the engine is asked, which answers others
//! meanwhile; whether anybody may hear of it is decided afterwards.

use super::NewModelVersion;
use crate::Error;
use crate::manifest::{Kept, Manifest};
use crate::notebook::{Notebook, checked_path};
use facts::PersonId;
use mlflow::entity::Run;

/// A version to be registered, with what the notebook says of it.
pub struct Prepared {
    pub(super) new: NewModelVersion,
    pub(super) found: Result<Found, Error>,
}

/// What the notebook says.
pub(super) struct Found {
    /// The run that made it, and who made the run.
    pub(super) run: Option<(PersonId, Run)>,
    pub(super) source: Source,
}

/// Where the files of a version are.
pub(super) enum Source {
    /// Not in this house, or nowhere yet.
    Elsewhere,
    /// They are those of another version.
    Version {
        /// The registered model.
        name: String,
        /// The number of the version.
        number: u32,
    },
    /// A folder of the notebook, as it is now.
    Folder(Kept),
}

impl Notebook {
    /// Reads what there is to be known of a new version.
    pub fn prepare(&self, mut new: NewModelVersion) -> Prepared {
        let found = self.found_for(&mut new);
        Prepared { new, found }
    }

    fn found_for(&self, new: &mut NewModelVersion) -> Result<Found, Error> {
        if let (None, Some(model)) = (&new.run_id, &new.model_id) {
            new.run_id = self.logged_model(model)?.info.source_run_id;
        }
        let run =
            new.run_id.as_deref().filter(|id| !id.is_empty()).map(|id| self.owned_run(id)).transpose()?;
        let source = self.source(&new.source, run.as_ref().map(|(_, run)| run))?;
        Ok(Found { run, source })
    }

    fn source(&self, source: &str, run: Option<&Run>) -> Result<Source, Error> {
        let wrong = |why: &str| {
            let said: String = source.chars().take(200).collect();
            Error::from(mlflow::Error::invalid(format!("`{said}` is not the source of a version: {why}")))
        };
        if let Some(rest) = source.strip_prefix("models:/") {
            let rest = rest.trim_matches('/');
            if rest.starts_with("m-") && !rest.contains('/') {
                let uri = self.logged_model(rest)?.info.artifact_uri;
                return self.folder(folder_of(&uri).unwrap_or_default());
            }
            let (name, number) =
                rest.split_once('/').ok_or_else(|| wrong("expected `models:/NAME/VERSION`"))?;
            let number = number.parse().map_err(|_| wrong("expected `models:/NAME/VERSION`"))?;
            return Ok(Source::Version { name: name.to_owned(), number });
        }
        if let Some(rest) = source.strip_prefix("runs:/") {
            let (run, path) = rest.split_once('/').ok_or_else(|| wrong("expected `runs:/RUN/PATH`"))?;
            let uri = self.run(run)?.info.artifact_uri;
            return self.folder(&format!("{}/{path}", folder_of(&uri).unwrap_or_default()));
        }
        if let Some(folder) = folder_of(source) {
            let folder = checked_path(folder)?;
            let inside = run.is_some_and(|run| {
                let root = folder_of(&run.info.artifact_uri).unwrap_or_default().trim_matches('/').to_owned();
                folder == root || folder.starts_with(&format!("{root}/"))
            });
            let logged = folder.split('/').nth(1) == Some("models");
            return if inside || logged {
                self.folder(&folder)
            } else {
                Err(wrong("it is not below the artefacts of the run that is named with it"))
            };
        }
        let remote = source.split_once("://").map(|(scheme, _)| scheme);
        match remote {
            Some(scheme) if !scheme.eq_ignore_ascii_case("file") => Ok(Source::Elsewhere),
            _ => Err(wrong("it is a path on somebody's machine; log the model to this house first")),
        }
    }

    fn folder(&self, folder: &str) -> Result<Source, Error> {
        let files = self.files_below(&checked_path(folder)?)?;
        if files.is_empty() {
            // A run may register a folder to which nothing was logged yet; there is nothing to govern in it.
            return Ok(Source::Elsewhere);
        }
        let manifest = Manifest { files };
        if let Some(path) = manifest.ignored() {
            return Err(Error::input(format!(
                "the file `{path}` cannot be part of a version: tools that verify signatures leave such paths out"
            ))
            .with_help("log the model again without it"));
        }
        manifest.written().map(Source::Folder)
    }
}

/// The folder of an `mlflow-artifacts:` address, with or without a host.
fn folder_of(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("mlflow-artifacts:")?;
    match rest.strip_prefix("//") {
        Some(with_host) => with_host.split_once('/').map(|(_, path)| path),
        None => Some(rest),
    }
}
