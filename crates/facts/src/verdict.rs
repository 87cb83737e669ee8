//! What a check can answer. "Unknown" is an answer; it never counts as a pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The demand is met, and there is evidence for it.
    Holds,
    /// The demand is not met; the sentence names the number or fact that breaks it.
    Broken {
        /// One sentence for people.
        reason: String,
    },
    /// It could not be decided; treated as not met wherever a decision depends on it.
    Unknown {
        /// What was missing: a call, a permission, a metric, a label.
        missing: String,
    },
    /// The demand does not concern this subject.
    NotApplicable {
        /// Why not.
        reason: String,
    },
}

impl Verdict {
    /// True only for [`Verdict::Holds`] and [`Verdict::NotApplicable`]: fail closed.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Holds | Self::NotApplicable { .. })
    }

    /// The worse of two: Broken before Unknown before Holds before NotApplicable.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NotApplicable { .. } => 0,
            Self::Holds => 1,
            Self::Unknown { .. } => 2,
            Self::Broken { .. } => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Broken { reason } => write!(f, "broken: {reason}"),
            Self::Unknown { missing } => write!(f, "unknown: {missing}"),
            Self::NotApplicable { reason } => write!(f, "not applicable: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_never_passes_and_the_worst_wins() {
        let unknown = Verdict::Unknown { missing: "labels".into() };
        let broken = Verdict::Broken { reason: "0.6 is below 0.7".into() };
        assert!(!unknown.passes() && !broken.passes() && Verdict::Holds.passes());
        assert_eq!(Verdict::Holds.and(unknown.clone()), unknown);
        assert_eq!(broken.clone().and(unknown), broken);
    }
}
