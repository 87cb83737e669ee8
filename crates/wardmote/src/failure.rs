//! Errors as people and programs see them: one sentence, one hint, one exit code.

use std::fmt;
use std::process::ExitCode;

/// A command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    exit: Exit,
    message: String,
    help: Option<String>,
    evidence: Option<String>,
}

/// The exit codes, as `wardmote --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed that is none of the others.
    Failed = 1,
    /// Wrong use of the command line.
    Usage = 2,
    /// Refused by policy or a gate.
    Refused = 3,
    /// Bad input.
    Input = 4,
    /// There is no such thing.
    NotFound = 5,
    /// Conflict with the present state.
    Conflict = 6,
    /// Verification found damage.
    Damaged = 7,
    /// The outside failed.
    Outside = 8,
}

impl Failure {
    /// A failure of the command line itself.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let code = match exit {
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::Refused => "refused",
            Exit::Input => "input",
            Exit::NotFound => "not_found",
            Exit::Conflict => "conflict",
            Exit::Damaged => "damaged",
            Exit::Outside => "outside",
        };
        Self { code, exit, message: message.into(), help: None, evidence: None }
    }

    /// The same failure with what to do next.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A failed operating-system call.
    pub(crate) fn io(attempt: impl fmt::Display, error: std::io::Error) -> Self {
        world::PortError::io(attempt, error).into()
    }

    /// With what the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The sentence alone.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// For the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }

    /// For people.
    pub(crate) fn to_text(&self) -> String {
        let mut text =
            if self.code == "charter" { self.message.clone() } else { format!("error: {}\n", self.message) };
        if let Some(help) = &self.help {
            text.push_str(&format!("  help: {help}\n"));
        }
        if let Some(evidence) = &self.evidence {
            text.push_str(&format!("  recorded as {evidence}\n"));
        }
        text
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": { "code": self.code, "message": self.message, "help": self.help, "evidence": self.evidence }
        })
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        let code = error.code();
        let exit = match code {
            "refused" => Exit::Refused,
            "input" | "charter" => Exit::Input,
            "not_found" => Exit::NotFound,
            "conflict" => Exit::Conflict,
            "damaged" => Exit::Damaged,
            _ => Exit::Outside,
        };
        let evidence = match &error {
            engine::Error::Refused { evidence, .. } => Some(evidence.to_string()),
            _ => None,
        };
        Self { code, exit, message: error.to_string(), help: error.help().map(Into::into), evidence }
    }
}

impl From<world::PortError> for Failure {
    fn from(error: world::PortError) -> Self {
        engine::Error::Port(error).into()
    }
}
