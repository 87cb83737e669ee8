//! Bytes under names. Everything stored here is already encrypted: the store never sees plain data.

use crate::PortError;

/// An object store. All implementations pass [`crate::contract::objects`].
///
/// Names are slash-separated segments of `[a-z0-9._-]`, at most 200 bytes, none of them `.` or `..`.
pub trait ObjectStore: Send + Sync {
    /// Stores an object that must not exist yet (kind Conflict if it does, unless the bytes are the same). Durable on return;
    /// a crash leaves the whole object or none.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), PortError>;
    /// The whole object; kind Absent if there is none.
    fn get(&self, name: &str) -> Result<Vec<u8>, PortError>;
    /// The names that start with `prefix`, sorted.
    fn list(&self, prefix: &str) -> Result<Vec<String>, PortError>;
    /// Removes it; fine if there is none.
    fn delete(&self, name: &str) -> Result<(), PortError>;
}
