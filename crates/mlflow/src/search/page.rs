//! Pages: how many, and where the next one begins.

use crate::Error;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask for the next one with; none if this is the last.
    pub next: Option<String>,
}

/// Cuts a page out of a list in order. `limits` are how many if nobody says, and the most.
///
/// # Errors
/// A number that is too large, a token that is not ours.
pub fn page<T>(
    list: impl IntoIterator<Item = T>,
    wanted: Option<i64>,
    token: Option<&str>,
    limits: (usize, usize),
) -> Result<Page<T>, Error> {
    let count = match wanted {
        None => limits.0,
        Some(wanted) => {
            usize::try_from(wanted).ok().filter(|n| (1..=limits.1).contains(n)).ok_or_else(|| {
                Error::invalid(format!("`max_results` is {wanted}: expected a number from 1 to {}", limits.1))
            })?
        }
    };
    let from = token.filter(|token| !token.is_empty()).map_or(Ok(0), offset)?;
    let mut rest = list.into_iter().skip(from);
    let items: Vec<T> = rest.by_ref().take(count).collect();
    let next = rest.next().map(|_| URL_SAFE_NO_PAD.encode(format!("from:{}", from + count)));
    Ok(Page { items, next })
}

fn offset(token: &str) -> Result<usize, Error> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.strip_prefix("from:"))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Error::invalid("the `page_token` is not one that this server gave out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_make_the_whole(length in 0usize..40, size in 1i64..12) {
            let (mut seen, mut token) = (Vec::new(), None);
            loop {
                let page = page(0..length, Some(size), token.as_deref(), (5, 20)).unwrap();
                seen.extend(page.items);
                token = page.next;
                if token.is_none() { break }
            }
            prop_assert_eq!(seen, (0..length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        insta::assert_snapshot!(page(0..3, Some(0), None, (5, 20)).unwrap_err(), @"`max_results` is 0: expected a number from 1 to 20");
        insta::assert_snapshot!(page(0..3, None, Some("x"), (5, 20)).unwrap_err(), @"the `page_token` is not one that this server gave out");
    }
}
