//! Findings as SARIF 2.1.0 (OASIS), the format that code hosts and editors read.

use super::lint_named;
use super::report::{Finding, Report, Severity};
use super::unit::{Lint, kind_name};
use serde_json::{Value, json};

/// One SARIF log with one run over all reports.
#[must_use]
pub fn sarif(reports: &[Report]) -> Value {
    let mut rules: Vec<Lint> = Vec::new();
    let mut results = Vec::new();
    for report in reports {
        for finding in report.findings() {
            let known = rules.iter().position(|rule| rule.code == finding.code());
            let at = known.unwrap_or_else(|| {
                rules.extend(lint_named(finding.code()));
                rules.len().saturating_sub(1)
            });
            results.push(result(report, finding, at));
        }
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "wardmote iam lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::SecurityWarning | Severity::Warning => "warning",
        Severity::Suggestion => "note",
    }
}

fn rule(lint: &Lint) -> Value {
    let plain: Vec<&str> = lint.description.lines().filter(|line| !line.starts_with('#')).collect();
    json!({
        "id": lint.code,
        "shortDescription": {"text": lint.title},
        "fullDescription": {"text": lint.title},
        "help": {"text": plain.join("\n").trim(), "markdown": lint.description},
        "defaultConfiguration": {"level": level(lint.severity)},
        "properties": {"severity": lint.severity.name(), "tags": ["iam"]},
    })
}

fn result(report: &Report, finding: &Finding, rule: usize) -> Value {
    let place = finding.place();
    let text = match finding.help() {
        Some(help) => format!("{}. {help}", finding.message()),
        None => finding.message().to_owned(),
    };
    let mut properties = serde_json::Map::new();
    properties.insert("policyKind".to_owned(), kind_name(report.kind()).into());
    if let Some(statement) = finding.statement() {
        properties.insert("statement".to_owned(), statement.into());
    }
    if let Some(sid) = finding.sid() {
        properties.insert("sid".to_owned(), sid.into());
    }
    json!({
        "ruleId": finding.code(),
        "ruleIndex": rule,
        "level": level(finding.severity()),
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": facts::relative_reference(report.file())},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        }}],
        "properties": properties,
    })
}
