//! What can go wrong with a call, told apart by what can be done about it.

use crate::operation::Operation;
use std::fmt;
use world::{Kind, PortError};

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such thing.
    Absent,
    /// The caller is known and may not, or is not known.
    Denied,
    /// Too many calls; the budget of retries is used up.
    Throttled,
    /// The service says that the request cannot be carried out; trying again changes nothing.
    Refused,
    /// The service failed.
    Unavailable,
    /// No answer came, or only a part of one.
    Unreached,
    /// The answer is not one that the service gives.
    Unreadable,
    /// The call could not be made: no region, no credentials, no such profile.
    Unconfigured,
}

/// A call that did not succeed. Holds no secret: not the request, not credentials, not the body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    trouble: Trouble,
    operation: Option<&'static Operation>,
    code: String,
    message: String,
    request_id: Option<String>,
    help: Option<String>,
    /// Whether it may have been carried out all the same.
    uncertain: bool,
}

impl AwsError {
    /// A failure without a word from the service.
    pub(crate) fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self {
            trouble,
            operation: None,
            code: String::new(),
            message: message.into(),
            request_id: None,
            help: None,
            uncertain: false,
        }
    }

    /// What the service said.
    pub(crate) fn said(trouble: Trouble, code: &str, message: &str, request_id: Option<String>) -> Self {
        Self { code: code.to_owned(), request_id, ..Self::new(trouble, message) }
    }

    /// The same, with the operation that failed.
    pub(crate) fn of(mut self, operation: &'static Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// The same, with what to do next.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same; it may have been carried out.
    pub(crate) fn uncertain(mut self) -> Self {
        self.uncertain = true;
        self
    }

    /// The same, with each of `secrets` gone from what the service said.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
            for text in [&mut self.message, &mut self.code] {
                if text.contains(secret) {
                    *text = text.replace(secret, "[removed]");
                }
            }
        }
        self
    }

    /// What kind of trouble it is.
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// The service's code: `AccessDenied`; empty if the service said nothing.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The service and the name of the call that failed.
    pub(crate) fn operation(&self) -> Option<(&'static str, &'static str)> {
        self.operation.map(|operation| (operation.service.name, operation.name))
    }

    /// The id by which AWS Support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// What to do next.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Whether the call may have been carried out although it failed: ask before doing it again.
    pub fn may_have_happened(&self) -> bool {
        self.uncertain
    }

    /// As the port sees it.
    pub(crate) fn port(&self, kind: Kind) -> PortError {
        let error = PortError::new(kind, self.to_string());
        match &self.help {
            Some(help) => error.with_help(help.clone()),
            None => error,
        }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.operation {
            write!(f, "`{}:{}` failed: ", operation.service.name, operation.name)?;
        }
        match (self.code.as_str(), self.message.as_str()) {
            ("", message) => f.write_str(message)?,
            (code, "") => write!(f, "AWS says `{code}`")?,
            (code, message) => write!(f, "AWS says `{code}`: `{message}`")?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request `{id}`)")?;
        }
        if self.uncertain {
            f.write_str("; it may have happened all the same")?;
        }
        Ok(())
    }
}

impl std::error::Error for AwsError {}

impl From<AwsError> for PortError {
    fn from(error: AwsError) -> Self {
        error.port(match error.trouble {
            Trouble::Absent => Kind::Absent,
            Trouble::Denied => Kind::Denied,
            Trouble::Throttled => Kind::Busy,
            Trouble::Refused | Trouble::Unconfigured => Kind::Invalid,
            Trouble::Unavailable | Trouble::Unreached | Trouble::Unreadable => Kind::Failed,
        })
    }
}
