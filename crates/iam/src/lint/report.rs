//! Findings with their places, as text and as JSON.

use super::subject::Draft;
use super::unit::{Unit, kind_name};
use crate::policy::PolicyKind;
use crate::text::Span;
use facts::Diagnostic;
use serde::Serialize;
use std::fmt;

/// More findings than these say nothing more to a reader.
const MAX_FINDINGS: usize = 1_000;

/// How bad a finding is, in the words of IAM Access Analyzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It does not do what it says: AWS refuses it, or it matches nothing, or a prohibition does not hold.
    Error,
    /// It lets in more than anybody should.
    SecurityWarning,
    /// It probably means something else.
    Warning,
    /// It could be shorter or clearer.
    Suggestion,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::SecurityWarning => "security-warning",
            Self::Warning => "warning",
            Self::Suggestion => "suggestion",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a finding begins and ends: lines and columns from 1, columns in characters, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// One thing that a lint found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    code: &'static str,
    severity: Severity,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    span: Span,
    place: Place,
    #[serde(skip)]
    diagnostic: Diagnostic,
}

impl Finding {
    /// The code of the lint.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The statement that it is in, from 0.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        self.statement
    }

    /// The `Sid` of that statement.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Where it stands, in bytes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where it stands, with the line of the file.
    #[must_use]
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.diagnostic
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        let shown = self.diagnostic.to_string();
        f.write_str(shown.split_once('\n').map_or("", |(_, rest)| rest))
    }
}

/// All findings in one policy, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    file: String,
    #[serde(serialize_with = "kind_as_name")]
    kind: PolicyKind,
    findings: Vec<Finding>,
    /// How many more there are than a report shows.
    left_out: usize,
}

fn kind_as_name<S: serde::Serializer>(kind: &PolicyKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind_name(*kind))
}

impl Report {
    pub(super) fn new(file: &str, text: &str, kind: PolicyKind, mut all: Vec<(&Unit, Draft)>) -> Self {
        all.sort_by_key(|(unit, draft)| (draft.span.start, draft.span.end, unit.severity, unit.code));
        let left_out = all.len().saturating_sub(MAX_FINDINGS);
        if left_out > 0 {
            all.sort_by_key(|(unit, draft)| (unit.severity, draft.span.start));
            all.truncate(MAX_FINDINGS);
        }
        let findings = all.into_iter().map(|(unit, draft)| finding(file, text, unit, draft)).collect();
        Self { file: file.to_owned(), kind, findings, left_out }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What sort of policy it was taken for.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// What was found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings there are beyond those shown; the worst are shown.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The worst of them.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).min()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        writeln!(
            f,
            "{}: errors {}, security warnings {}, warnings {}, suggestions {}",
            self.file,
            count(Severity::Error),
            count(Severity::SecurityWarning),
            count(Severity::Warning),
            count(Severity::Suggestion),
        )?;
        if self.left_out > 0 {
            writeln!(f, "{}: {} more findings are not shown", self.file, self.left_out)?;
        }
        Ok(())
    }
}

fn finding(file: &str, text: &str, unit: &Unit, draft: Draft) -> Finding {
    let end = floor(text, draft.span.end.max(draft.span.start));
    let span = Span { start: floor(text, draft.span.start), end };
    let said = (draft.message.clone(), draft.help.clone());
    let diagnostic = Diagnostic::at(file, text, (span.start, span.end), said);
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let place = Place {
        line: diagnostic.line,
        column: diagnostic.column,
        end_line: diagnostic.line + text[span.start..end].matches('\n').count(),
        end_column: before[line_start..].chars().count() + 1,
    };
    Finding {
        code: unit.code,
        severity: unit.severity,
        message: draft.message,
        help: draft.help,
        statement: draft.statement,
        sid: draft.sid,
        span,
        place,
        diagnostic,
    }
}

/// The offset, moved down to the beginning of a character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
