//! What is wrong with a text that a person wrote, and where: charters, policies.

use serde::Serialize;
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The charter cannot come in force.
    Error,
    /// It can, and somebody should think again.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line of the file; of a very long line, the part around the column.
    pub excerpt: String,
    /// How many characters of the line are cut away before the excerpt.
    #[serde(skip)]
    pub cut: usize,
    /// How many characters of it are meant.
    pub length: usize,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{word}: {}", self.message)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        let under = " ".repeat(self.column.saturating_sub(1 + self.cut));
        writeln!(f, "{margin} | {under}{}", "^".repeat(self.length.max(1)))?;
        if let Some(help) = &self.help {
            writeln!(f, "{margin} = help: {help}")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// A diagnostic about `text[start..end]` (bytes) of the file of this name. Offsets beyond the text mean its end.
    pub fn at(
        file: &str,
        text: &str,
        span: (usize, usize),
        (message, help): (String, Option<String>),
    ) -> Self {
        let start = floor(text, span.0);
        let end = floor(text, span.1).max(start);
        let before = &text[..start];
        let from = before.rfind('\n').map_or(0, |at| at + 1);
        let until = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[from..until].trim_end_matches('\r');
        let column = text[from..start].chars().count();
        let cut =
            if line.chars().count() > EXCERPT_CHARS { column.saturating_sub(EXCERPT_CHARS / 4) } else { 0 };
        Self {
            severity: Severity::Error,
            message,
            help,
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            excerpt: line.chars().skip(cut).take(EXCERPT_CHARS).map(printable).collect(),
            cut,
            length: text[start..end.min(until).max(start)].chars().count().clamp(1, EXCERPT_CHARS / 2),
        }
    }
}

/// A longer line says nothing more to a reader.
const EXCERPT_CHARS: usize = 160;

/// The offset, moved down to the beginning of a character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Control characters would move the cursor of a terminal.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
