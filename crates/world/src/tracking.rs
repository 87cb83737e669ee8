//! Where a laboratory's notebook is kept: experiments, runs and their figures. It is not the record: what a version
//! rests on is copied into the ledger when the version is registered.

use crate::PortError;

/// A kept document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id within its collection.
    pub id: String,
    /// How often it was written, from 1.
    pub revision: u64,
    /// The text.
    pub body: String,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Writes a document. Kind Conflict if its revision is not `expected`; 0 for one that must not be there yet.
    Put {
        /// `runs`, `experiments`, ...
        collection: &'static str,
        /// The id.
        id: String,
        /// What it belongs to; lists go by it. May change.
        parent: String,
        /// The revision that it has now.
        expected: u64,
        /// The text.
        body: String,
    },
    /// Removes a document; fine if there is none.
    Remove {
        /// The collection.
        collection: &'static str,
        /// The id.
        id: String,
    },
    /// Adds points to a series; points that are there already are not added again.
    Append {
        /// The series.
        series: String,
        /// Key and text of each.
        points: Vec<(String, String)>,
    },
}

/// A notebook. All implementations pass [`crate::contract::tracking`].
pub trait TrackingStore: Send + Sync {
    /// Makes all changes, in order, or none; durable on return.
    fn write(&self, changes: &[Change]) -> Result<(), PortError>;
    /// A document, if there is one.
    fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, PortError>;
    /// The documents of a parent, in the order in which they were first written.
    fn children(&self, collection: &str, parent: &str) -> Result<Vec<Document>, PortError>;
    /// The documents whose id begins with `prefix`, by id.
    fn under(&self, collection: &str, prefix: &str) -> Result<Vec<Document>, PortError>;
    /// The points of a key of a series, in the order in which they came: `limit` of them from the `from`th on.
    fn points(&self, series: &str, key: &str, from: usize, limit: usize) -> Result<Vec<String>, PortError>;
}
