//! Numbers, dates, truth values and addresses, read by simple means.

use std::net::IpAddr;

/// A decimal in units of 10^-12.
pub(super) fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !plain(whole) || !plain(part) || part.len() > 12 || whole.len() > 20 {
        return None;
    }
    let scaled: i128 = format!("{whole}{part:0<12}").parse().ok()?;
    Some(sign * scaled)
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    text.to_lowercase().parse().ok()
}

/// An address with the number of its leading bits that count.
pub(super) fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => all,
        Some(bits) if bits.chars().all(|c| c.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
    };
    (bits <= all).then_some((address, bits))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn field(text: &str, from: usize, to: usize) -> Option<i64> {
    let digits = text.get(from..to)?;
    if digits.chars().all(|c| c.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// A moment in nanoseconds since 1970: digits are seconds, all else is the W3C's profile of ISO 8601.
pub(super) fn date(text: &str) -> Option<i128> {
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        return Some(i128::from(text.parse::<i64>().ok()?) * 1_000_000_000);
    }
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let (year, month) = (field(day, 0, 4)?, field(day, 5, 7)?);
    let of_month = match day.len() {
        7 => 1,
        10 => field(day, 8, 10)?,
        _ => return None,
    };
    let dashes = day.char_indices().all(|(at, c)| (c == '-') == (at == 4 || at == 7));
    if !dashes || !(1..=12).contains(&month) || of_month < 1 || of_month > month_days(year, month) {
        return None;
    }
    let mut days: i64 = 0;
    for before in 1970..year {
        days += if is_leap(before) { 366 } else { 365 };
    }
    for after in year..1970 {
        days -= if is_leap(after) { 366 } else { 365 };
    }
    days += (1..month).map(|before| month_days(year, before)).sum::<i64>() + of_month - 1;
    let midnight = i128::from(days) * 86_400_000_000_000;
    match time {
        None => Some(midnight),
        Some(_) if day.len() == 7 => None,
        Some(time) => Some(midnight + of_day(time)?),
    }
}

/// Nanoseconds since midnight UTC.
fn of_day(time: &str) -> Option<i128> {
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let offset = match zone.as_bytes() {
        [] | [b'Z'] => 0,
        [sign, _, _, b':', _, _] => {
            let (hours, minutes) = (field(zone, 1, 3)?, field(zone, 4, 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * 60 * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let (hours, minutes) = (field(clock, 0, 2)?, field(clock, 3, 5)?);
    let (seconds, rest) = if clock.len() > 5 { (field(clock, 6, 8)?, &clock[8..]) } else { (0, "") };
    let colons = clock.get(2..3) == Some(":") && (clock.len() == 5 || clock.get(5..6) == Some(":"));
    if !colons || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let nanos = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        Some(part) if !part.is_empty() && part.len() <= 9 => {
            format!("{part:0<9}").parse::<u32>().ok().map(i128::from)?
        }
        _ => return None,
    };
    Some(i128::from(hours * 3600 + minutes * 60 + seconds - offset) * 1_000_000_000 + nanos)
}
