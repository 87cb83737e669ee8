//! Moments: the W3C profile of ISO 8601, or seconds since 1970. W3C note "Date and Time Formats".

/// Nanoseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i128);

const SECOND: i128 = 1_000_000_000;

impl Moment {
    /// The moment as text.
    pub(crate) fn written(self) -> String {
        let (second, fraction) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (days, within) = (second.div_euclid(86_400), second.rem_euclid(86_400));
        // The inverse of `day`: years from March on, in eras of 400.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let of_era_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + of_era_year + turn;
        if !(0..=9_999).contains(&year) {
            return second.to_string();
        }
        let (hour, minute, second) = (within / 3_600, within / 60 % 60, within % 60);
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:09}") };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }

    /// Reads a moment; digits alone are seconds since 1970, a date alone is its first moment in UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self(text.parse::<i128>().ok()? * SECOND));
        }
        let (date, time) = match text.find(['T', 't']) {
            None => (text, None),
            Some(at) => (&text[..at], Some(&text[at + 1..])),
        };
        let day = day(date)?;
        let within = time.map_or(Some(0), nanoseconds)?;
        Some(Self(i128::from(day) * 86_400 * SECOND + within))
    }
}

fn number(text: &str, width: usize) -> Option<i64> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of `YYYY`, `YYYY-MM` (never digits alone, those are seconds) or `YYYY-MM-DD`.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |p| number(p, 2))?;
    let day = parts.next().map_or(Some(1), |p| number(p, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > length(year, month) {
        return None;
    }
    // Days from the civil calendar, with the year beginning in March so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * m + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Nanoseconds of `hh:mm[:ss[.f]]` with a zone; without one it is UTC.
fn nanoseconds(text: &str) -> Option<i128> {
    let at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(at);
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(part) => match part.split_once('.') {
            None => (number(part, 2)?, 0),
            Some((whole, digits)) => (number(whole, 2)?, fraction(digits)?),
        },
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3_600 + minute * 60 + second - offset(zone)?;
    Some(i128::from(seconds) * SECOND + i128::from(fraction))
}

fn fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine = digits.get(..9).unwrap_or(digits);
    let scale = 9 - u32::try_from(nine.len()).ok()?;
    Some(nine.parse::<i64>().ok()? * 10_i64.pow(scale))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some(0),
        Some(b'+') => 1,
        Some(_) => -1,
    };
    let rest = &zone[1..];
    let (hour, minute) = match rest.split_once(':') {
        Some((hour, minute)) => (number(hour, 2)?, number(minute, 2)?),
        None if rest.len() == 4 => (number(&rest[..2], 2)?, number(&rest[2..], 2)?),
        None => (number(rest, 2)?, 0),
    };
    (hour <= 23 && minute <= 59).then_some(sign * (hour * 3_600 + minute * 60))
}

#[cfg(test)]
mod tests {
    use super::{Moment, SECOND};

    fn seconds(text: &str) -> Option<i128> {
        Moment::parse(text).map(|m| m.0 / SECOND)
    }

    #[test]
    fn both_writings_name_the_same_moment() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2020-01-15T00:00:00Z"), Some(1_579_046_400));
        assert_eq!(seconds("1579046400"), Some(1_579_046_400));
        assert_eq!(seconds("2020-01-15T02:00:00+02:00"), Some(1_579_046_400));
        assert_eq!(seconds("2020-01-14T19:00-05:00"), Some(1_579_046_400));
        assert_eq!(seconds("2020-01"), seconds("2020-01-01T00:00:00Z"));
        assert_eq!(seconds("2024-02-29"), Some(1_709_164_800));
        assert_eq!(Moment::parse("1970-01-01T00:00:00.25Z"), Some(Moment(SECOND / 4)));
    }

    #[test]
    fn a_moment_is_written_as_it_is_read() {
        for at in (-62_000_000_000_i128..250_000_000_000).step_by(86_399 * 1_000) {
            let moment = Moment(at * SECOND + at.rem_euclid(7));
            assert_eq!(Moment::parse(&moment.written()), Some(moment), "{}", moment.written());
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "yesterday",
            "2020-13-01",
            "2023-02-29",
            "2020-01-15T25:00Z",
            "2020-01-15T00:00:00Q",
            "2020-1-5",
            "-",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
