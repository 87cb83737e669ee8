//! Small numbers with a meaning and a range.

use crate::ParseError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share: a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(with = "f64", extend("minimum" = 0, "maximum" = 1))]
pub struct Share(f64);

impl Share {
    /// A share; an error unless `0 <= value <= 1`.
    pub fn new(value: f64) -> Result<Self, ParseError> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(ParseError::new("share", value.to_string(), "a number from 0 to 1"))
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = ParseError;
    fn try_from(value: f64) -> Result<Self, ParseError> {
        Self::new(value)
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        share.0
    }
}

/// A span of whole days, from 1 to 36,500 (a hundred years).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(with = "u32", extend("minimum" = 1, "maximum" = 36500))]
pub struct Days(u32);

impl Days {
    /// The number of days.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The number of seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * 86_400
    }
}

impl TryFrom<u32> for Days {
    type Error = ParseError;
    fn try_from(days: u32) -> Result<Self, ParseError> {
        if (1..=36_500).contains(&days) {
            Ok(Self(days))
        } else {
            Err(ParseError::new("number of days", days.to_string(), "1 to 36500"))
        }
    }
}

impl From<Days> for u32 {
    fn from(days: Days) -> u32 {
        days.0
    }
}
