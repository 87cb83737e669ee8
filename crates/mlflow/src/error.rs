//! Errors as MLflow's clients read them: `{"error_code", "message"}` with a status of its own for each code.

use std::fmt;

/// Why a call did not do what was asked. The names are MLflow's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// There is no such thing.
    ResourceDoesNotExist,
    /// It is there already.
    ResourceAlreadyExists,
    /// What was given makes no sense.
    InvalidParameterValue,
    /// It is in a state that does not allow it.
    InvalidState,
    /// Policy, a gate or a missing approval says no.
    PermissionDenied,
    /// Nobody, or nobody known, is calling.
    Unauthenticated,
    /// Somebody else was faster.
    ResourceConflict,
    /// There is no such call.
    EndpointNotFound,
    /// The call exists and is not offered.
    NotImplemented,
    /// The house failed.
    InternalError,
}

impl Code {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::InvalidState => "INVALID_STATE",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::ResourceConflict => "RESOURCE_CONFLICT",
            Self::EndpointNotFound => "ENDPOINT_NOT_FOUND",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    /// The HTTP status. Clients repeat 408, 429 and 5xx for minutes, so a decision is none of these.
    pub fn status(self) -> u16 {
        match self {
            Self::ResourceAlreadyExists | Self::InvalidParameterValue => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::ResourceDoesNotExist | Self::EndpointNotFound => 404,
            Self::ResourceConflict => 409,
            Self::InvalidState | Self::InternalError => 500,
            Self::NotImplemented => 501,
        }
    }
}

/// A call that did not do what was asked, and the sentence for whoever reads the traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// The sentence.
    pub message: String,
}

impl Error {
    /// An error of any kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What was given makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameterValue, message)
    }

    /// There is no such thing.
    pub fn absent(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceDoesNotExist, message)
    }

    /// It is there already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceAlreadyExists, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
