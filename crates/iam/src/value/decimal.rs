//! Decimal numbers, compared exactly: `10`, `10.0` and `1e1` are the same, `10abc` is none.

use std::cmp::Ordering;

/// More digits than this are no quantity that a condition compares.
const MAX_DIGITS: u32 = 36;
const MAX_EXPONENT: i32 = 9_999;

/// A decimal number without trailing zeros: mantissa times ten to the exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    /// Reads a number; `None` if the text is none, or has more than 36 significant digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (digits, written) = match rest.find(['e', 'E']) {
            None => (rest, 0),
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
        };
        let (mut mantissa, mut exponent, mut any, mut point) = (0_i128, written, false, false);
        let (mut count, mut zeros) = (0_u32, 0_u32);
        for byte in digits.bytes() {
            match byte {
                b'.' if !point => point = true,
                b'0' => {
                    any = true;
                    exponent -= i32::from(point);
                    zeros += u32::from(mantissa != 0);
                    if mantissa == 0 && !point {
                        continue;
                    }
                }
                b'1'..=b'9' => {
                    any = true;
                    exponent -= i32::from(point);
                    count += 1 + zeros;
                    if count > MAX_DIGITS {
                        return None;
                    }
                    mantissa = mantissa * 10_i128.pow(zeros + 1) + i128::from(byte - b'0');
                    zeros = 0;
                }
                _ => return None,
            }
        }
        if !any {
            return None;
        }
        if mantissa == 0 {
            return Some(Self { mantissa: 0, exponent: 0 });
        }
        exponent += i32::try_from(zeros).ok()?;
        (exponent.abs() <= 2 * MAX_EXPONENT)
            .then_some(Self { mantissa: if negative { -mantissa } else { mantissa }, exponent })
    }

    /// The number as people write it.
    pub(crate) fn written(self) -> String {
        let digits = self.mantissa.unsigned_abs().to_string();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let places = usize::try_from(-i64::from(self.exponent)).unwrap_or(0);
        match usize::try_from(self.exponent) {
            Ok(zeros) if zeros <= 40 => format!("{sign}{digits}{}", "0".repeat(zeros)),
            Err(_) if places <= 60 => {
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                format!("{sign}{whole}.{fraction}")
            }
            _ => format!("{}e{}", self.mantissa, self.exponent),
        }
    }

    /// Numbers around this one: some that people would think of, and one just below and one just above, nearer than any
    /// other number with so few digits can be.
    pub(crate) fn neighbours(self) -> Vec<Self> {
        let mut all = Vec::new();
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        let whole = u32::try_from(self.exponent).unwrap_or(0);
        for places in [0, 1, MAX_DIGITS.saturating_sub(digits + whole).min(20)] {
            let shift = whole + places;
            if digits + shift > MAX_DIGITS || (places == 0 && self.exponent < 0) {
                continue;
            }
            let scaled = self.mantissa * 10_i128.pow(shift);
            let exponent = self.exponent.min(0) - i32::try_from(places).unwrap_or(0);
            let half = if places == 1 { 5 } else { 1 };
            all.extend([-half, half].map(|step| Self { mantissa: scaled + step, exponent }));
        }
        all
    }

    /// How many digits stand before the point, if it were written out.
    fn magnitude(self) -> i32 {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        i32::try_from(digits).unwrap_or(0) + self.exponent
    }

    /// The mantissa with 37 digits, so that numbers of equal magnitude compare.
    fn aligned(self) -> u128 {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        self.mantissa.unsigned_abs() * 10_u128.pow(MAX_DIGITS - digits)
    }
}

fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign != Ordering::Equal || self.mantissa == 0 {
            return sign;
        }
        let size = self.magnitude().cmp(&other.magnitude()).then(self.aligned().cmp(&other.aligned()));
        if self.mantissa < 0 { size.reverse() } else { size }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_quantities_are_equal() {
        for (a, b) in
            [("10", "10.0"), ("1e1", "10"), ("-0", "0.000"), ("0.10", ".1"), ("007", "7"), ("+5", "5.")]
        {
            assert_eq!(d(a), d(b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "abc", "10abc", "1.2.3", ".", "-", "1e", "e5", "0x10", " 1", "1_0", "١", "1e99999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_integers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000, places in 0_usize..4) {
            let write = |n: i64| {
                let digits = format!("{:05}", n.abs());
                let at = digits.len() - places;
                format!("{}{}.{}0", if n < 0 { "-" } else { "" }, &digits[..at], &digits[at..])
            };
            prop_assert_eq!(d(&write(a)).cmp(&d(&write(b))), a.cmp(&b));
        }

        #[test]
        fn no_text_breaks_it(text in "[-+0-9.eE]{0,50}") {
            let _ = Decimal::parse(&text);
        }
    }
}
