//! From text to program: what there is besides CEL itself, and what an expression may be.

use crate::ast::Program;
use crate::fault::Wrong;
use crate::parse;
use crate::token;

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 4_096;

/// How many comprehensions may stand in one another.
pub const MAX_COMPREHENSIONS: usize = 2;

/// A function of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function<'e> {
    /// Its name; it is called as `name(arguments)`.
    pub name: &'e str,
    /// The fewest arguments.
    pub fewest: usize,
    /// The most.
    pub most: usize,
}

/// What there is besides CEL itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Environment<'e> {
    /// Names of variables; the host is asked for them by their place.
    pub variables: &'e [&'e str],
    /// Functions; the host is asked for them by their place.
    pub functions: &'e [Function<'e>],
}

impl Program {
    /// Reads and checks an expression.
    ///
    /// # Errors
    /// If it is none, names what there is not, or is larger or deeper than it may be; with the place.
    pub fn compile(text: &str, environment: &Environment<'_>) -> Result<Self, Wrong> {
        if text.len() > MAX_LENGTH {
            let message = format!("the expression has {} bytes; at most {MAX_LENGTH} are taken", text.len());
            return Err(Wrong::new(text, 0, message, "make two rules of it"));
        }
        let tokens = token::tokens(text)?;
        parse::program(text, tokens, environment)
    }
}
