//! How a use case can end other than well. Each kind has one exit code and one HTTP status; the wording is final.

use crate::record::Refused;
use facts::EvidenceId;
use std::fmt;
use world::{Kind, PortError};

/// A use case that did not do what was asked.
#[derive(Debug)]
pub enum Error {
    /// Policy, a gate or a limit says no. Recorded; the evidence names the entry.
    Refused {
        /// What is missing, who can supply it, and the next command.
        why: Refused,
        /// The ledger entry that records the refusal.
        evidence: EvidenceId,
    },
    /// What was given makes no sense: a wrong column, an unknown name.
    Input {
        /// The sentence.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
    /// There is no such thing.
    NotFound {
        /// The sentence.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
    /// The state does not allow it: it exists already, somebody else was faster.
    Conflict {
        /// The sentence.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
    /// A call of MLflow's clients that makes no sense, in their words for it.
    Call(mlflow::Error),
    /// The charter has errors, all of them.
    Charter(charter::Diagnostics),
    /// The outside failed.
    Port(PortError),
}

impl Error {
    /// Bad input.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input { message: message.into(), help: None }
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound { message: message.into(), help: None }
    }

    /// A state that does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), help: None }
    }

    /// Damage found while reading what we wrote ourselves.
    pub fn damaged(message: impl Into<String>) -> Self {
        Self::Port(
            PortError::new(Kind::Damaged, message).with_help("run `wardmote verify` to see what is damaged"),
        )
    }

    /// The same error with what to do next.
    #[must_use]
    pub fn with_help(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Input { help, .. } | Self::NotFound { help, .. } | Self::Conflict { help, .. } => {
                *help = Some(text.into());
            }
            Self::Port(error) => {
                let kind = error.kind();
                self = Self::Port(PortError::new(kind, error.to_string()).with_help(text));
            }
            Self::Refused { .. } | Self::Call(_) | Self::Charter(_) => {}
        }
        self
    }

    /// What to do next, if there is something.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Refused { why, .. } => why.help.as_deref(),
            Self::Input { help, .. } | Self::NotFound { help, .. } | Self::Conflict { help, .. } => {
                help.as_deref()
            }
            Self::Call(_) | Self::Charter(_) => None,
            Self::Port(error) => error.help(),
        }
    }

    /// One word for programs: `refused`, `input`, `not_found`, `conflict`, `charter`, `outside`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Input { .. } => "input",
            Self::NotFound { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::Call(error) => match error.code {
                mlflow::Code::ResourceDoesNotExist | mlflow::Code::EndpointNotFound => "not_found",
                mlflow::Code::ResourceAlreadyExists | mlflow::Code::ResourceConflict => "conflict",
                mlflow::Code::PermissionDenied | mlflow::Code::Unauthenticated => "refused",
                mlflow::Code::InternalError => "outside",
                _ => "input",
            },
            Self::Charter(_) => "charter",
            Self::Port(error) => match error.kind() {
                Kind::Absent => "not_found",
                Kind::Conflict => "conflict",
                Kind::Invalid => "input",
                Kind::Disabled => "refused",
                Kind::Damaged => "damaged",
                Kind::Denied | Kind::Full | Kind::Busy | Kind::Failed => "outside",
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { why, .. } => f.write_str(&why.reason),
            Self::Input { message, .. } | Self::NotFound { message, .. } | Self::Conflict { message, .. } => {
                f.write_str(message)
            }
            Self::Call(error) => write!(f, "{error}"),
            Self::Charter(diagnostics) => write!(f, "{diagnostics}"),
            Self::Port(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<mlflow::Error> for Error {
    fn from(error: mlflow::Error) -> Self {
        Self::Call(error)
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<charter::Diagnostics> for Error {
    fn from(diagnostics: charter::Diagnostics) -> Self {
        Self::Charter(diagnostics)
    }
}
