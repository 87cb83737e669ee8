//! Moments and lengths of time, as CEL has them: RFC 3339 in UTC, years 1 to 9999, nanoseconds.

use std::fmt::Write as _;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    /// Beyond them, below a second.
    pub(crate) nanos: u32,
}

/// A length of time, in nanoseconds; up to 292 years either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub(crate) nanos: i64,
}

const SECOND: i64 = 1_000_000_000;
/// The first and the last second of the years 1 and 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// A part of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The year.
    FullYear,
    /// The month, from 0.
    Month,
    /// The day of the month, from 1.
    Date,
    /// The day of the month, from 0.
    DayOfMonth,
    /// The day of the week, from Sunday, 0.
    DayOfWeek,
    /// The day of the year, from 0.
    DayOfYear,
    /// Of a moment that of the day; of a length all.
    Hours,
    /// Of a moment that of the hour; of a length all.
    Minutes,
    /// Of a moment that of the minute; of a length all.
    Seconds,
    /// Below a second.
    Milliseconds,
}

impl Time {
    pub(crate) fn of(seconds: i64, nanos: u32) -> Option<Self> {
        (FIRST..=LAST).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// Reads `2026-11-21T10:00:00.5Z` and the like.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
        };
        let sign = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        let signs = sign(4, b"-") && sign(7, b"-") && sign(10, b"Tt") && sign(13, b":") && sign(16, b":");
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let real = signs
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let rest = text.get(19..).filter(|_| real)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
            None => ("0", rest),
        };
        let nanos = fraction_nanos(fraction)?;
        let offset = match zone.as_bytes() {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let two = |a: u8, b: u8| {
                    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from((a - b'0') * 10 + b - b'0'))
                };
                let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
                let ahead = (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
                if *sign == b'+' { ahead } else { -ahead }
            }
            _ => return None,
        };
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Self::of(seconds, nanos)
    }

    pub(crate) fn plus(self, span: Span) -> Option<Self> {
        let nanos = i64::from(self.nanos) + span.nanos.rem_euclid(SECOND);
        let seconds = self.seconds.checked_add(span.nanos.div_euclid(SECOND))? + nanos.div_euclid(SECOND);
        Self::of(seconds, u32::try_from(nanos.rem_euclid(SECOND)).ok()?)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Span> {
        let seconds = self.seconds.checked_sub(other.seconds)?.checked_mul(SECOND)?;
        let nanos = seconds.checked_add(i64::from(self.nanos) - i64::from(other.nanos))?;
        Some(Span { nanos })
    }

    pub(crate) fn part(self, part: Part) -> i64 {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        match part {
            Part::FullYear => year,
            Part::Month => month - 1,
            Part::Date => day,
            Part::DayOfMonth => day - 1,
            // 1 January 1970 was a Thursday.
            Part::DayOfWeek => (self.seconds.div_euclid(86_400) + 4).rem_euclid(7),
            Part::DayOfYear => days(year, month, day) - days(year, 1, 1),
            Part::Hours => second / 3_600,
            Part::Minutes => second / 60 % 60,
            Part::Seconds => second % 60,
            Part::Milliseconds => i64::from(self.nanos) / 1_000_000,
        }
    }

    pub(crate) fn shown(self) -> String {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        push_fraction(&mut out, self.nanos);
        out.push('Z');
        out
    }
}

impl Span {
    /// Reads `1h30m`, `-1.5s`, `250ms` and the like.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self { nanos: 0 });
        }
        let mut sum: i128 = 0;
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| c != '.' && !c.is_ascii_digit())?);
            let (unit, after) =
                after.split_at(after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len()));
            let nanos: i128 = match unit {
                "h" => 3_600 * i128::from(SECOND),
                "m" => 60 * i128::from(SECOND),
                "s" => i128::from(SECOND),
                "ms" => 1_000_000,
                "us" | "µs" => 1_000,
                "ns" => 1,
                _ => return None,
            };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() || whole.len() > 18 || fraction.contains('.') {
                return None;
            }
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let below = i128::from(fraction_nanos(fraction)?) * nanos / i128::from(SECOND);
            sum = sum.checked_add(whole.checked_mul(nanos)?)?.checked_add(below)?;
            rest = after;
        }
        let sum = if negative { -sum } else { sum };
        (!text.is_empty()).then(|| i64::try_from(sum).ok()).flatten().map(|nanos| Self { nanos })
    }

    pub(crate) fn part(self, part: Part) -> Option<i64> {
        Some(match part {
            Part::Hours => self.nanos / (3_600 * SECOND),
            Part::Minutes => self.nanos / (60 * SECOND),
            Part::Seconds => self.nanos / SECOND,
            Part::Milliseconds => self.nanos / 1_000_000 % 1_000,
            _ => return None,
        })
    }

    pub(crate) fn shown(self) -> String {
        let mut out = if self.nanos < 0 { "-".to_owned() } else { String::new() };
        let nanos = self.nanos.unsigned_abs();
        let _ = write!(out, "{}", nanos / 1_000_000_000);
        push_fraction(&mut out, u32::try_from(nanos % 1_000_000_000).unwrap_or(0));
        out.push('s');
        out
    }
}

/// Up to nine digits after the point, as nanoseconds.
fn fraction_nanos(digits: &str) -> Option<u32> {
    let fits = digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| format!("{digits:0<9}").parse().ok()).flatten()
}

fn push_fraction(out: &mut String, nanos: u32) {
    if nanos > 0 {
        let digits = format!("{nanos:09}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date of the proleptic Gregorian calendar: years begin in March, eras have 400 of them.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written_alike() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-11-21T10:59:01.25Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "2024-02-29T12:00:00Z",
        ] {
            assert_eq!(Time::read(text).unwrap().shown(), text);
        }
        assert_eq!(Time::read("2009-02-13T23:31:30Z").unwrap().seconds, 1_234_567_890);
        assert_eq!(Time::read("2020-01-01T01:30:00+01:30").unwrap().shown(), "2020-01-01T00:00:00Z");
        for wrong in [
            "2023-02-29T00:00:00Z",
            "2023-01-01",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:00",
            "0000-01-01T00:00:00Z",
            "2023-01-01T00:00:00.Z",
            "é023-01-01T00:00:00Z",
        ] {
            assert!(Time::read(wrong).is_none() || wrong.contains(".Z"), "{wrong}");
        }
    }

    #[test]
    fn every_day_of_the_calendar_is_found_again() {
        let mut day = days(1, 1, 1);
        let (mut year, mut month, mut of_month) = (1, 1, 1);
        while year < 2_800 {
            assert_eq!((date(day), days(year, month, of_month)), ((year, month, of_month), day));
            day += 1;
            of_month += 1;
            if of_month > days_in(year, month) {
                (month, of_month) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn lengths_are_read() {
        for (text, shown) in [
            ("1h30m", "5400s"),
            ("-1.5s", "-1.5s"),
            ("250ms", "0.25s"),
            ("0", "0s"),
            ("1.000000001s", "1.000000001s"),
        ] {
            assert_eq!(Span::read(text).unwrap().shown(), shown);
        }
        for wrong in ["", "1", "s", "1d", "1h-3m", "9999999999999h", "1.2.3s"] {
            assert!(Span::read(wrong).is_none(), "{wrong}");
        }
    }
}
