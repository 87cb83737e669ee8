//! One error for everything that parses: what was given, what was expected, and where it went wrong.

use std::fmt;

/// A text that is not a valid value of the type asked for.
///
/// Displays as one lower-case sentence with the user's words in backticks; [`ParseError::expected`] is the
/// part that belongs into a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    what: &'static str,
    given: String,
    expected: String,
}

impl ParseError {
    /// A complaint about `given`, which should have been a `what`; `expected` says how a right one looks.
    pub fn new(what: &'static str, given: impl Into<String>, expected: impl Into<String>) -> Self {
        // A message is for reading: nobody is helped by a megabyte of what they pasted.
        let mut given: String = given.into();
        if given.chars().count() > 80 {
            given = given.chars().take(77).collect::<String>() + "...";
        }
        Self { what, given, expected: expected.into() }
    }

    /// How a right value looks.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a valid {}: expected {}", self.given.escape_debug(), self.what, self.expected)
    }
}

impl std::error::Error for ParseError {}
