//! Patterns: wildcards and variables, character by character.

use super::{Ask, Held};

/// One piece of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Char(char),
    Any,
    Star,
}

impl Piece {
    fn of(c: char, wildcards: bool) -> Self {
        match c {
            '*' if wildcards => Self::Star,
            '?' if wildcards => Self::Any,
            c => Self::Char(c),
        }
    }

    /// A pattern without variables.
    pub(super) fn wild(text: &str) -> Vec<Self> {
        text.chars().map(|c| Self::of(c, true)).collect()
    }
}

/// A text with its variables filled in; what is filled in has no wildcards. `None` if a variable has no value.
pub(super) fn expand(text: &str, variables: bool, wildcards: bool, ask: &Ask<'_>) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let inside = rest.strip_prefix("${").filter(|_| variables).and_then(|after| after.split_once('}'));
        if let Some((name, after)) = inside {
            out.extend(value(name, ask)?.chars().map(Piece::Char));
            rest = after;
        } else {
            out.push(Piece::of(c, wildcards));
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}

fn value(name: &str, ask: &Ask<'_>) -> Option<String> {
    if ["*", "?", "$"].contains(&name) {
        return Some(name.to_owned());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\'').to_owned())),
        None => (name, None),
    };
    match ask.held(key) {
        Held::One(text) => Some(text.into_owned()),
        _ => default,
    }
}

/// Whether a pattern is the whole of a text, by trying everything.
pub(super) fn fits(pattern: &[Piece], text: &str) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Piece::Star, rest)) => {
            fits(rest, text) || text.chars().next().is_some_and(|c| fits(pattern, &text[c.len_utf8()..]))
        }
        Some((piece, rest)) => text.chars().next().is_some_and(|c| {
            (*piece == Piece::Any || *piece == Piece::Char(c)) && fits(rest, &text[c.len_utf8()..])
        }),
    }
}
