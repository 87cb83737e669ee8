//! Text with positions: JSON as people wrote it, and where each piece of it stands.

mod json;

pub(crate) use json::{Json, JsonKind, Member, Wrong, read, read_up_to};
use serde::Serialize;

/// A piece of a text: from this byte, up to but not with that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// A string of a policy and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned {
    /// The string, its escapes resolved.
    pub text: String,
    /// Where it stands, with its quotes.
    pub span: Span,
}
