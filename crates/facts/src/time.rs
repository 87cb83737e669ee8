//! Points in time, as arguments: nothing in the lower storeys reads a clock.

use crate::ParseError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A point in time in UTC, to the millisecond. Prints as RFC 3339, always with three decimals and `Z`, so that
/// texts sort as times do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timestamp(i64);

/// The range that prints with four-digit years: 0000-01-01 to 9999-12-30.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_199_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Milliseconds since 1970-01-01T00:00:00Z; an error outside the years 0000 to 9999.
    pub fn from_unix_ms(unix_ms: i64) -> Result<Self, ParseError> {
        if RANGE_MS.contains(&unix_ms) {
            Ok(Self(unix_ms))
        } else {
            Err(ParseError::new("time", unix_ms.to_string(), "a time in the years 0000 to 9999"))
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// This time plus `seconds` (which may be negative), held at the ends of the range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let ms = self.0.saturating_add(seconds.saturating_mul(1000));
        Self(ms.clamp(*RANGE_MS.start(), *RANGE_MS.end()))
    }

    /// Seconds from `earlier` to this time, rounded down; negative if this time is before it.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(1000)
    }

    /// `2026-11-21`.
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }

    /// `2026/11/21/04`, as SageMaker data capture lays out its folders.
    pub fn hour_path(self) -> String {
        let text = self.to_string();
        format!("{}/{}/{}/{}", &text[..4], &text[5..7], &text[8..10], &text[11..13])
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // INVARIANT of the type: in range, so this cannot fail; the epoch would be a lie, hence the error.
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;
    /// Accepts RFC 3339 with any offset; finer than a millisecond is cut off; a plain date is its midnight in UTC.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || {
            ParseError::new(
                "time",
                text,
                "RFC 3339 such as `2026-11-21T04:30:00Z` or a date such as `2026-11-21`",
            )
        };
        let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let full = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let time: jiff::Timestamp = full.parse().map_err(|_| wrong())?;
        Self::from_unix_ms(time.as_millisecond()).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_offsets_and_dates_and_prints_utc() {
        let read = |text: &str| text.parse::<Timestamp>().unwrap().to_string();
        assert_eq!(read("2026-11-21T05:30:00.1239+01:00"), "2026-11-21T04:30:00.123Z");
        assert_eq!(read("2026-11-21"), "2026-11-21T00:00:00.000Z");
        assert_eq!("2026-11-21T04:30:00Z".parse::<Timestamp>().unwrap().hour_path(), "2026/11/21/04");
        for bad in ["", "yesterday", "2026-13-01", "2026-11-21 04:30", "2026-11-21T04:30:00"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back_and_texts_sort_as_times(a in RANGE_MS, b in RANGE_MS) {
            let (a, b) = (Timestamp::from_unix_ms(a).unwrap(), Timestamp::from_unix_ms(b).unwrap());
            prop_assert_eq!(a.to_string().parse::<Timestamp>().unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
