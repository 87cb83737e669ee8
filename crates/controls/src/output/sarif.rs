//! SARIF 2.1.0, for code hosts.

use crate::about::About;
use crate::checks::controls;
use crate::report::{Finding, Report};
use crate::resource::Source;
use crate::unit::Severity;
use facts::Verdict;
use serde_json::{Value, json};

/// One SARIF log with one run over all reports.
#[must_use]
pub fn sarif(reports: &[Report]) -> Value {
    let all = asked(reports);
    let mut results = Vec::new();
    let mut notes = Vec::new();
    for report in reports {
        let open = report.wholes().filter(|finding| !finding.verdict.passes());
        results.extend(open.map(|finding| {
            let index = all.iter().position(|about| about.id() == finding.control()).unwrap_or(0);
            result(report, finding, index)
        }));
        notes.extend(report.unread().iter().map(|unread| {
            json!({"level": "warning", "message": {"text": format!("{}: not checked: {unread}", report.file())}})
        }));
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "wardmote audit",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": all.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notes}],
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The number by which GitHub sorts security alerts.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

/// All controls of ours, and the rules of customers that findings are about.
fn asked(reports: &[Report]) -> Vec<About> {
    let mut all: Vec<About> = controls().map(About::from).collect();
    let findings = reports.iter().flat_map(Report::findings);
    for finding in findings.filter(|finding| matches!(finding.about, About::Rule(_))) {
        if !all.iter().any(|about| about.id() == finding.control()) {
            all.push(finding.about.clone());
        }
    }
    all
}

fn rule(about: &About) -> Value {
    let tags: Vec<&str> = std::iter::once("security").chain(about.aliases()).collect();
    json!({
        "id": about.id(),
        "shortDescription": {"text": about.title()},
        "fullDescription": {"text": about.title()},
        "help": {"text": about.description(), "markdown": about.description()},
        "defaultConfiguration": {"level": level(about.severity())},
        "properties": {
            "security-severity": score(about.severity()),
            "tags": tags,
        },
    })
}

/// What stays the same of a result wherever the file lies; ids of an account are names that several types may have.
fn fingerprint(report: &Report, finding: &Finding) -> String {
    let kind = match report.source() {
        Source::File => String::new(),
        Source::Account | Source::House => format!("{}:", finding.subject.kind),
    };
    format!("{}:{kind}{}", finding.control(), finding.subject.id)
}

fn result(report: &Report, finding: &Finding, index: usize) -> Value {
    let place = finding.decisive();
    let unknown = matches!(finding.verdict, Verdict::Unknown { .. });
    let suppressions: Vec<Value> = finding
        .waiver
        .iter()
        .map(|waiver| json!({"kind": "external", "status": "accepted", "justification": waiver.reason}))
        .collect();
    let said = if unknown { "not known whether " } else { "not so: " };
    json!({
        "ruleId": finding.control(),
        "ruleIndex": index,
        // What is not known is for a person to look into.
        "kind": if unknown { "review" } else { "fail" },
        "level": if unknown { "none" } else { level(finding.about.severity()) },
        "message": {"text": format!("`{}`: {said}{}: {}", finding.subject.id, finding.about.title(), finding.reason())},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": facts::relative_reference(report.file())},
                "region": {"startLine": place.line.max(1), "startColumn": place.column.max(1)},
            },
            "logicalLocations": [{"name": finding.subject.id, "kind": "resource"}],
        }],
        "partialFingerprints": {"controlAndResource/v1": fingerprint(report, finding)},
        "suppressions": suppressions,
        "properties": {"verdict": finding.word(), "resourceType": finding.subject.kind},
    })
}
