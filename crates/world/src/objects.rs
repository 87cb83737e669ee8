//! Bytes under names. Everything stored here is already encrypted: the store never sees plain data.

use crate::{Kind, PortError};
use std::io::Read;

/// What is stored under a name: read from its beginning as often as it takes, and the same each time. It need not be in memory
/// as a whole.
pub trait Content {
    /// How many bytes it has.
    fn length(&self) -> u64;
    /// From the beginning.
    fn reader(&self) -> Box<dyn Read + '_>;
}

impl Content for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(*self)
    }
}

/// The next `most` bytes, or what is left if it is less.
///
/// # Errors
/// Of kind Failed, if it cannot be read.
pub fn next_part(reader: &mut dyn Read, most: u64) -> Result<Vec<u8>, PortError> {
    let mut part = Vec::new();
    let read = reader.take(most).read_to_end(&mut part);
    read.map_err(|error| PortError::new(Kind::Failed, format!("cannot read what is to be stored: {error}")))?;
    Ok(part)
}

/// Content that has another length than it says.
#[must_use]
pub fn wrong_length(name: &str, content: &dyn Content) -> PortError {
    let text =
        format!("what is to be stored as `{name}` does not have the {} bytes that it says", content.length());
    PortError::new(Kind::Failed, text)
}

/// An object store. All implementations pass [`crate::contract::objects`].
///
/// Names are slash-separated segments of `[a-z0-9._-]`, at most 200 bytes, none of them `.` or `..`.
pub trait ObjectStore: Send + Sync {
    /// Stores an object that must not exist yet (kind Conflict if it does, unless the bytes are the same). Durable on return;
    /// a crash leaves the whole object or none.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), PortError> {
        self.put_from(name, &bytes)
    }
    /// The same of content that is read as it goes, at most some 64 MiB of it at a time. Kind Failed, and nothing stored, if it
    /// cannot be read or has another length than it says.
    fn put_from(&self, name: &str, content: &dyn Content) -> Result<(), PortError>;
    /// The whole object; kind Absent if there is none.
    fn get(&self, name: &str) -> Result<Vec<u8>, PortError>;
    /// The names that start with `prefix`, sorted.
    fn list(&self, prefix: &str) -> Result<Vec<String>, PortError>;
    /// Removes it; fine if there is none.
    fn delete(&self, name: &str) -> Result<(), PortError>;
}
