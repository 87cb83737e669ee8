//! Comparing short texts. A decision does it some fifty times, mostly on fewer than 32 bytes, where the call of a
//! general comparison costs more than the comparison.

/// Whether two texts are the same.
#[inline]
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && same_bytes(a.as_bytes(), b.as_bytes())
}

/// Whether a text begins with a piece.
#[inline]
pub(crate) fn begins(text: &str, piece: &str) -> bool {
    text.as_bytes().get(..piece.len()).is_some_and(|start| same_bytes(start, piece.as_bytes()))
}

/// What follows a piece that a text begins with.
#[inline]
pub(crate) fn after<'t>(text: &'t str, piece: &str) -> Option<&'t str> {
    let rest = text.get(piece.len()..)?;
    begins(text, piece).then_some(rest)
}

/// Whether two texts of the same length are the same: by their beginning and their end, which may overlap.
#[inline]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    macro_rules! ends {
        ($width:literal) => {
            a.last_chunk::<$width>() == b.last_chunk::<$width>()
                && a.first_chunk::<$width>() == b.first_chunk::<$width>()
        };
    }
    // The usual lengths are asked for first.
    match a.len() {
        8..=15 => ends!(8),
        16..=32 => ends!(16),
        4..=7 => ends!(4),
        1..=3 => ends!(1) && a.get(1) == b.get(1),
        0 => true,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::{after, begins, same};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_standard_library_says(a in "[ab]{0,40}", b in "[ab]{0,40}", at in 0_usize..40) {
            prop_assert_eq!(same(&a, &b), a == b);
            prop_assert_eq!(begins(&a, &b), a.starts_with(&b));
            prop_assert_eq!(after(&a, &b), a.strip_prefix(&*b));
            let longer = a.clone() + &b;
            prop_assert!(same(&a, &a.clone()) && begins(&longer, &a));
            let mut other = a.clone();
            if at < a.len() {
                other.replace_range(at..=at, "c");
                prop_assert!(!same(&a, &other) && !begins(&other, &a));
            }
        }
    }
}
