//! Reviews: what was decided without somebody else is looked at by somebody else, within a time.

use crate::version::VersionNumber;
use facts::{EvidenceId, PersonId, RoleId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What calls for a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A deployment without approvals, in an emergency.
    BreakGlass,
    /// A rollback, which nobody approves beforehand.
    Rollback,
    /// A quarantine, which one person decides.
    Quarantine,
    /// A deployment on approvals of people who had a hand in the version.
    OwnWork,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BreakGlass => "deployed without approvals",
            Self::Rollback => "rolled back",
            Self::Quarantine => "put in quarantine",
            Self::OwnWork => "deployed without separation of duties",
        })
    }
}

/// A review that a decision calls for; part of the decision's entry, so that neither is without the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewDue {
    /// What calls for it.
    pub occasion: Occasion,
    /// Who decided, and cannot be the one who reviews.
    pub decided_by: PersonId,
    /// The role of whoever reviews.
    pub role: RoleId,
    /// Until when.
    pub due: Timestamp,
}

/// A review, open or done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The entry of the decision to be reviewed.
    pub of: EvidenceId,
    /// The version that came to serve by it, or that is used by nobody because of it.
    pub version: VersionNumber,
    /// What is asked for.
    #[serde(flatten)]
    pub asked: ReviewDue,
    /// What came of it.
    pub done: Option<Reviewed>,
}

/// What came of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    /// Who reviewed.
    pub by: PersonId,
    /// Whether the decision was right.
    pub upheld: bool,
    /// In their words.
    pub note: String,
    /// When.
    pub time: Timestamp,
    /// The entry.
    pub evidence: EvidenceId,
}

impl Review {
    /// Whether it should be done by now, and is not.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.done.is_none() && now >= self.asked.due
    }
}
