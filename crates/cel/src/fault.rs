//! What can come of an expression beside a value: it is not CEL, it fails, it cannot be known, or it is stopped.

use std::fmt;

/// A text that is no expression, with the place of the mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    message: String,
    help: String,
    line: u32,
    column: u32,
}

impl Wrong {
    pub(crate) fn new(
        text: &str,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (line, column) = place(text, offset);
        Self { message: message.into(), help: help.into(), line, column }
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The line of the expression, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Wrong {}

/// Line and column, from 1, of an offset in bytes.
pub(crate) fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The expression fails: an overflow, a key that is not there, an operator between types that it is not for.
    Failed(Box<Failed>),
    /// It cannot be known: each cause in one sentence, none twice.
    Unknown(Vec<String>),
    /// It took more than it may: steps, or bytes of what it makes.
    Stopped(String),
}

/// A failure and its place in the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What failed, in one sentence.
    pub message: String,
    /// The offset in the expression, in bytes, if it is known.
    pub(crate) at: Option<u32>,
}

/// Causes of one unknown that are kept; more say nothing new to a reader.
const MAX_CAUSES: usize = 8;

impl Fault {
    /// A failure.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(Box::new(Failed { message: message.into(), at: None }))
    }

    /// Something that is not known, with its cause.
    #[must_use]
    pub fn unknown(cause: impl Into<String>) -> Self {
        Self::Unknown(vec![cause.into()])
    }

    /// The failure with its place, unless it has one.
    pub(crate) fn at(mut self, offset: u32) -> Self {
        if let Self::Failed(failed) = &mut self {
            failed.at.get_or_insert(offset);
        }
        self
    }

    /// What is kept of a fault beside those before it, until it is known whether they matter.
    pub(crate) fn beside(self, before: &mut Option<Self>) {
        *before = Some(match before.take() {
            Some(before) => before.and(self),
            None => self,
        });
    }

    /// What comes of two: what was stopped stays so, and what is not known goes before what fails, because with the
    /// missing value it might not have come to the failure.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (stopped @ Self::Stopped(_), _) | (_, stopped @ Self::Stopped(_)) => stopped,
            (Self::Unknown(mut causes), Self::Unknown(more)) => {
                for cause in more {
                    if causes.len() < MAX_CAUSES && !causes.contains(&cause) {
                        causes.push(cause);
                    }
                }
                Self::Unknown(causes)
            }
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
            (first, _) => first,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failed) => f.write_str(&failed.message),
            Self::Unknown(causes) => f.write_str(&causes.join("; ")),
            Self::Stopped(why) => f.write_str(why),
        }
    }
}
