//! What is wrong with a charter.

use facts::{Diagnostic, Severity};
use serde::Serialize;
use std::fmt;

/// Everything that is wrong, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.0 {
            writeln!(f, "{diagnostic}")?;
        }
        let errors = self.0.iter().filter(|d| d.severity == Severity::Error).count();
        let plural = if errors == 1 { "" } else { "s" };
        writeln!(f, "the charter has {errors} error{plural}; nothing was changed")
    }
}

impl std::error::Error for Diagnostics {}
