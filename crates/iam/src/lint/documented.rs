//! The checks that AWS documents for IAM Access Analyzer, and where each of them is made here, or why not. A dated
//! file, `lints/access-analyzer.json`.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What becomes of a documented check.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// The lints of these codes make it.
    Lint(Vec<String>),
    /// The reader reports it with code `malformed`: the words of its message.
    Reader(String),
    /// It cannot be made from the policy alone, for this reason.
    Undecidable(String),
    /// AWS has lifted the rule since, in this way.
    Lifted(String),
}

/// One documented check.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Documented {
    name: String,
    severity: String,
    /// Whether the reference of May 2023 has it.
    in_2023: bool,
    handling: Handling,
}

impl Documented {
    /// Its name in the reference.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `error`, `warning`, `security-warning` or `suggestion`.
    #[must_use]
    pub fn severity(&self) -> &str {
        &self.severity
    }

    /// Whether it is one of the 138 checks of the reference of May 2023; the others came later.
    #[must_use]
    pub fn is_in_2023(&self) -> bool {
        self.in_2023
    }

    /// What becomes of it here.
    #[must_use]
    pub fn handling(&self) -> &Handling {
        &self.handling
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    source: String,
    checks: Vec<Documented>,
}

// A test holds that the file can be read.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../lints/access-analyzer.json")).unwrap_or_default()
});

/// The documented checks, in the order of the reference.
#[must_use]
pub fn documented() -> &'static [Documented] {
    &TABLE.checks
}

/// The day on which the table was compared with the reference, and the reference's address.
#[must_use]
pub fn documented_as_of() -> (&'static str, &'static str) {
    (&TABLE.as_of, &TABLE.source)
}
