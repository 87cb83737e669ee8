//! Typed documents: read, changed, and written if nobody else was faster.

use super::{Notebook, outside};
use mlflow::{Code, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use world::{Change, Document, Kind};

/// A kind of document.
pub(super) trait Kept: Serialize + DeserializeOwned {
    /// Where they are kept.
    const COLLECTION: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// What it belongs to.
    fn parent(&self) -> &str;
}

/// How often a change is tried when somebody else is always faster.
const ATTEMPTS: usize = 50;

impl Notebook {
    /// A document, if there is one.
    pub(super) fn find<T: Kept>(&self, id: &str) -> Result<Option<T>, Error> {
        let document = self.store.get(T::COLLECTION, id).map_err(outside)?;
        document.map(|document| decode(&document)).transpose()
    }

    /// All documents of a parent, oldest first.
    pub(super) fn all<T: Kept>(&self, parent: &str) -> Result<Vec<T>, Error> {
        let list = self.store.children(T::COLLECTION, parent).map_err(outside)?;
        list.iter().map(decode).collect()
    }

    /// Writes a document that is not there yet.
    pub(super) fn make<T: Kept>(&self, new: &T) -> Result<(), Error> {
        self.store.write(&[put(new, 0)?]).map_err(outside)
    }

    /// Reads a document, changes it, and writes it with the further changes that `change` gives back.
    pub(super) fn change<T: Kept>(
        &self,
        id: &str,
        missing: impl Fn() -> Error,
        change: impl Fn(&mut T) -> Result<Vec<Change>, Error>,
    ) -> Result<T, Error> {
        for _ in 0..ATTEMPTS {
            let document = self.store.get(T::COLLECTION, id).map_err(outside)?.ok_or_else(&missing)?;
            let mut what: T = decode(&document)?;
            let mut changes = change(&mut what)?;
            changes.push(put(&what, document.revision)?);
            match self.store.write(&changes) {
                Ok(()) => return Ok(what),
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(outside(error)),
            }
        }
        Err(Error::new(
            Code::ResourceConflict,
            format!("`{id}` is changed by others all the time; nothing was done: try again"),
        ))
    }
}

fn put<T: Kept>(what: &T, expected: u64) -> Result<Change, Error> {
    let body = serde_json::to_string(what)
        .map_err(|error| Error::new(Code::InternalError, format!("cannot write `{}`: {error}", what.id())))?;
    Ok(Change::Put {
        collection: T::COLLECTION,
        id: what.id().to_owned(),
        parent: what.parent().to_owned(),
        expected,
        body,
    })
}

fn decode<T: Kept>(document: &Document) -> Result<T, Error> {
    serde_json::from_str(&document.body).map_err(|error| {
        let text = format!("`{}` in the notebook cannot be read: {error}", document.id);
        Error::new(Code::InternalError, text)
    })
}
