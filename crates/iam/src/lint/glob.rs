//! Patterns with `*` and `?`, compared with one another: whether one covers the other, and whether anything fits both.

/// Longer patterns are not compared; the longest ARN has 2,048 characters.
const MAX_CHARS: usize = 2_048;

/// Whether everything that fits `other` fits `pattern`. A text without wildcards is a pattern that only itself fits.
/// May say no where the truth is yes (`*?` and `?*`), never the reverse.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    let (p, o): (Vec<char>, Vec<char>) = (chars(pattern), chars(other));
    let (mut at, mut seen) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while seen < o.len() {
        match (p.get(at), o[seen]) {
            (Some('*'), _) => {
                back = Some((at + 1, seen));
                at += 1;
            }
            (Some('?'), c) if c != '*' => {
                at += 1;
                seen += 1;
            }
            (Some(wanted), c) if *wanted == c && c != '*' && c != '?' => {
                at += 1;
                seen += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    at = after;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    p[at..].iter().all(|c| *c == '*')
}

/// As [`covers`], without regard to case.
pub(super) fn covers_folded(pattern: &str, other: &str) -> bool {
    covers(&pattern.to_ascii_lowercase(), &other.to_ascii_lowercase())
}

/// Whether some text fits both patterns.
pub(super) fn overlaps(a: &str, b: &str) -> bool {
    let (a, b) = (chars(a), chars(b));
    // `row[j]`: whether the rests `a[i..]` and `b[j..]` have a text in common, from the end backwards.
    let mut row = vec![false; b.len() + 1];
    row[b.len()] = true;
    for j in (0..b.len()).rev() {
        row[j] = b[j] == '*' && row[j + 1];
    }
    for i in (0..a.len()).rev() {
        let mut next = vec![false; b.len() + 1];
        next[b.len()] = a[i] == '*' && row[b.len()];
        for j in (0..b.len()).rev() {
            next[j] = match (a[i], b[j]) {
                ('*', _) => row[j] || next[j + 1],
                (_, '*') => next[j + 1] || row[j],
                ('?', _) | (_, '?') => row[j + 1],
                (x, y) => x == y && row[j + 1],
            };
        }
        row = next;
    }
    row[0]
}

fn chars(text: &str) -> Vec<char> {
    text.chars().take(MAX_CHARS).collect()
}

/// Whether a text has a wildcard.
pub(super) fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::{covers, overlaps};
    use proptest::prelude::*;

    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((b'*', rest)), None) => fits(rest, text),
            (Some((b'*', rest)), Some((_, after))) => fits(rest, text) || fits(pattern, after),
            (Some(_), None) => false,
            (Some((byte, rest)), Some((other, after))) => {
                (*byte == b'?' || byte == other) && fits(rest, after)
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_covered_fits(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            if covers(&a, &b) && fits(b.as_bytes(), text.as_bytes()) {
                prop_assert!(fits(a.as_bytes(), text.as_bytes()), "{a} {b} {text}");
            }
        }

        #[test]
        fn a_text_is_covered_if_it_fits(a in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            prop_assert_eq!(covers(&a, &text), fits(a.as_bytes(), text.as_bytes()));
            prop_assert_eq!(overlaps(&a, &text), fits(a.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn a_common_text_shows_overlap(a in "[ab*?]{0,5}", b in "[ab*?]{0,5}", text in "[ab]{0,6}") {
            if fits(a.as_bytes(), text.as_bytes()) && fits(b.as_bytes(), text.as_bytes()) {
                prop_assert!(overlaps(&a, &b), "{a} {b} {text}");
            }
            prop_assert_eq!(overlaps(&a, &b), overlaps(&b, &a));
        }
    }
}
