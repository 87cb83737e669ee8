//! What can go wrong outside.

use std::{fmt, io};

/// How the engine should understand a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing.
    Absent,
    /// It exists, and this caller may not have it.
    Denied,
    /// The key is disabled, so what it protects cannot be read.
    Disabled,
    /// Somebody else was faster; read again and try again.
    Conflict,
    /// What was stored is not what was read: damage or tampering.
    Damaged,
    /// The request itself makes no sense.
    Invalid,
    /// There is no room left.
    Full,
    /// The place is taken: a port, a lock.
    Busy,
    /// The outside failed.
    Failed,
}

/// A failure at a port: what was attempted, on what, and why it failed.
#[derive(Debug)]
pub struct PortError {
    kind: Kind,
    message: String,
    help: Option<String>,
    source: Option<io::Error>,
}

impl PortError {
    /// A failure with a lower-case sentence, the user's words in backticks.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, source: None }
    }

    /// A failed operating-system call: `attempt` reads as in "cannot `attempt`", for example "write `x/y`".
    pub fn io(attempt: impl fmt::Display, error: io::Error) -> Self {
        let (kind, help) = match error.kind() {
            io::ErrorKind::NotFound => (Kind::Absent, None),
            io::ErrorKind::PermissionDenied => (Kind::Denied, Some("give this user access to it")),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                (Kind::Full, Some("free some space and run the command again; nothing was lost"))
            }
            io::ErrorKind::AddrInUse => (Kind::Busy, Some("choose another port, or 0 for any free one")),
            _ => (Kind::Failed, None),
        };
        let message = format!("cannot {attempt}: {}", reason(&error));
        Self { kind, message, help: help.map(Into::into), source: Some(error) }
    }

    /// The same failure with what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// How to understand it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// The operating system's words without "(os error N)", which helps nobody.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PortError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
