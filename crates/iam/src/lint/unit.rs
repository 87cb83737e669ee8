//! One lint: what it is called, how bad it is, how it is checked, and the three files that describe and hold it.

use super::report::Severity;
use super::subject::{Out, Subject};
use crate::policy::PolicyKind;

/// A lint as the table holds it.
pub(super) struct Unit {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) title: &'static str,
    pub(super) check: fn(&Subject<'_>, &mut Out),
    pub(super) readme: &'static str,
    pub(super) fails: &'static str,
    pub(super) passes: &'static str,
}

/// A unit with the files of its folder; without them it does not compile.
macro_rules! unit {
    ($code:literal, $severity:ident, $title:literal, $check:expr) => {
        $crate::lint::unit::Unit {
            code: $code,
            severity: $crate::lint::report::Severity::$severity,
            title: $title,
            check: $check,
            readme: include_str!(concat!("../../lints/", $code, "/README.md")),
            fails: include_str!(concat!("../../lints/", $code, "/fails.json")),
            passes: include_str!(concat!("../../lints/", $code, "/passes.json")),
        }
    };
}
pub(super) use unit;

/// What is known of a lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Lint {
    /// Its code, stable.
    pub code: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// What it finds, in one sentence.
    pub title: &'static str,
    /// What it finds, why that matters, what to do, and the source; Markdown.
    pub description: &'static str,
    /// A policy that fails it.
    pub fails: &'static str,
    /// A policy that passes it.
    pub passes: &'static str,
}

impl Lint {
    pub(super) fn of(unit: &Unit) -> Self {
        Self {
            code: unit.code,
            severity: unit.severity,
            title: unit.title,
            description: unit.readme,
            fails: unit.fails,
            passes: unit.passes,
        }
    }

    /// The kind of policy that its two examples are, as its description says.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        let said = self.description.lines().find_map(|line| line.strip_prefix("Policies of the examples: "));
        said.and_then(|name| kind_named(name.trim_end_matches('.'))).unwrap_or(PolicyKind::Identity)
    }
}

const KINDS: [(&str, PolicyKind); 9] = [
    ("identity", PolicyKind::Identity),
    ("resource", PolicyKind::Resource),
    ("trust", PolicyKind::Trust),
    ("key", PolicyKind::KmsKey),
    ("boundary", PolicyKind::Boundary),
    ("session", PolicyKind::Session),
    ("scp", PolicyKind::Scp),
    ("rcp", PolicyKind::Rcp),
    ("endpoint", PolicyKind::Endpoint),
];

/// The kind of policy of a short name.
#[must_use]
pub fn kind_named(name: &str) -> Option<PolicyKind> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The short name of a kind of policy.
#[must_use]
pub fn kind_name(kind: PolicyKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("identity", |(name, _)| name)
}
