//! An account in a cloud whose resources are put right: looked at, written to, read again.

use crate::PortError;
use facts::inventory::{Inventory, Touched};
use facts::remediation::{Call, Look, Target};
use serde_json::Value;

/// An account. All implementations pass [`crate::contract::account`].
///
/// Only calls that the adapter knows are made; others are refused with [`crate::Kind::Invalid`].
pub trait Account: Send + Sync {
    /// The account's number.
    fn number(&self) -> &str;

    /// What a part of a resource is now; null if there is none. A part that cannot be read is an error, never null.
    fn look(&self, look: &Look) -> Result<Value, PortError>;

    /// Makes a call that changes something. After an error it may have happened all the same: look.
    fn write(&self, call: &Call) -> Result<(), PortError>;

    /// The permissions that a call needs, as IAM actions.
    fn needs(&self, call: &Call) -> Result<Vec<String>, PortError>;

    /// What there is, all of it.
    fn inventory(&self) -> Result<Inventory, PortError>;

    /// Reads one resource again, with what belongs to it, into an inventory that was read before.
    fn refresh(&self, inventory: &mut Inventory, target: &Target) -> Result<(), PortError>;

    /// Reads again what may be other than it was read. [`crate::Kind::Invalid`] if only all of it can be read again.
    fn reread(&self, inventory: &mut Inventory, touched: &[Touched]) -> Result<(), PortError>;

    /// An object that a message names, such as a log file; [`crate::Kind::Invalid`] if it has more than so many bytes.
    fn object(&self, bucket: &str, key: &str, most: usize) -> Result<Vec<u8>, PortError>;

    /// Waits for a moment between two looks at something that takes its time. False if it was waited for long enough;
    /// `looks` is how often it was looked at.
    fn wait(&self, looks: u32) -> bool;
}
