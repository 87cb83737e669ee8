//! Patterns of the `Action` element, matched against `service:name` without putting the two together.

/// Whether `service:name` fits the pattern. `*` is any text, `?` is any one character, letters of either case are
/// equal. All names are ASCII, so bytes are characters.
pub(super) fn matches(pattern: &str, service: &str, name: &str) -> bool {
    let pattern = pattern.as_bytes();
    let (service, name) = (service.as_bytes(), name.as_bytes());
    let length = service.len() + 1 + name.len();
    let text = |at: usize| match at.checked_sub(service.len()) {
        None => service.get(at).copied(),
        Some(0) => Some(b':'),
        Some(after) => name.get(after - 1).copied(),
    };
    let (mut at, mut wanted) = (0, 0);
    // Where the last star is, and how far the text was when it was met.
    let mut star: Option<(usize, usize)> = None;
    while at < length {
        match pattern.get(wanted) {
            Some(b'*') => {
                star = Some((wanted, at));
                wanted += 1;
            }
            Some(byte) if *byte == b'?' || text(at).is_some_and(|other| other.eq_ignore_ascii_case(byte)) => {
                at += 1;
                wanted += 1;
            }
            _ => match star {
                Some((place, reached)) => {
                    star = Some((place, reached + 1));
                    at = reached + 1;
                    wanted = place + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(wanted..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    /// The definition, as slow as it is plain.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((b'*', rest)), None) => slow(rest, text),
            (Some((b'*', rest)), Some((_, after))) => slow(rest, text) || slow(pattern, after),
            (Some(_), None) => false,
            (Some((byte, rest)), Some((other, after))) => {
                (*byte == b'?' || byte.eq_ignore_ascii_case(other)) && slow(rest, after)
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            pattern in "[ab:A*?]{0,8}",
            service in "[aB]{0,3}",
            name in "[Ab]{0,5}",
        ) {
            let text = format!("{service}:{name}");
            prop_assert_eq!(matches(&pattern, &service, &name), slow(pattern.as_bytes(), text.as_bytes()));
        }
    }

    #[test]
    fn stars_do_not_stop_at_colons() {
        for pattern in ["*", "s3:*", "*object", "s?:GET*", "*:*", "s3:GetObject"] {
            assert!(matches(pattern, "s3", "GetObject"), "{pattern}");
        }
        for pattern in ["", "s3", "s3:GetObject?", "s3:Get", "*:?", "ß*"] {
            assert!(!matches(pattern, "s3", "GetObject"), "{pattern}");
        }
    }
}
