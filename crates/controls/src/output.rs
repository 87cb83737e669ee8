//! Reports as a table for people, as JSON for programs, as SARIF 2.1.0 for code hosts, and as JUnit for build servers.

use crate::checks::controls;
use crate::report::{Finding, Report, Summary};
use crate::unit::{Control, Severity};
use facts::Verdict;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What does not pass, worst first, and how many there are of each.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let mut open: Vec<&Finding> = report.wholes().filter(|finding| !finding.verdict.passes()).collect();
    open.sort_by_key(|f| (std::cmp::Reverse(f.about.severity), f.at, f.control));
    let width = |text: &dyn Fn(&Finding) -> usize, least: usize| {
        open.iter().map(|f| text(f)).max().unwrap_or(0).max(least)
    };
    let resource_width = width(&|f| f.resource.chars().count(), 8);
    for finding in &open {
        let place = finding.decisive();
        let _ = writeln!(
            out,
            "{:8}  {:7}  {:7}  {:resource_width$}  {}",
            finding.about.severity.name(),
            finding.word(),
            finding.control,
            finding.resource,
            finding.reason(),
        );
        // What is in no file has no place in one.
        if place.line > 0 {
            let _ = writeln!(out, "          {}:{}:{}", report.file(), place.line, place.column);
        }
    }
    let sum = report.summary_of_wholes();
    let _ = writeln!(
        out,
        "{}: resources {}; controls: hold {}, broken {}, unknown {}, not applicable {}",
        report.file(),
        sum.resources,
        sum.holds,
        sum.broken,
        sum.unknown,
        sum.not_applicable
    );
    for unread in report.unread() {
        let _ = writeln!(out, "{}: not checked: {unread}", report.file());
    }
    out
}

/// Every finding of all reports, how many there are of each, and what was not read.
#[must_use]
pub fn json(reports: &[Report]) -> Value {
    let (mut findings, mut unread, mut sum) = (Vec::new(), Vec::new(), Summary::default());
    for report in reports {
        sum.add(report.summary());
        unread.extend(report.unread().iter().map(|said| json!({"file": report.file(), "said": said})));
        findings.extend(report.findings().iter().map(|finding| {
            let mut value = json!(finding);
            value["file"] = report.file().into();
            value
        }));
    }
    json!({"findings": findings, "summary": sum, "unread": unread})
}

/// One SARIF log with one run over all reports.
#[must_use]
pub fn sarif(reports: &[Report]) -> Value {
    let all: Vec<&Control> = controls().collect();
    let mut results = Vec::new();
    let mut notes = Vec::new();
    for report in reports {
        let open = report.wholes().filter(|finding| !finding.verdict.passes());
        results.extend(open.map(|finding| {
            let index = all.iter().position(|control| control.id == finding.control).unwrap_or(0);
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
                "rules": all.iter().map(|control| rule(control)).collect::<Vec<_>>(),
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

fn rule(control: &Control) -> Value {
    let tags: Vec<&str> = std::iter::once("security").chain(control.aliases.iter().copied()).collect();
    json!({
        "id": control.id,
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": control.title},
        "help": {"text": control.description, "markdown": control.description},
        "defaultConfiguration": {"level": level(control.severity)},
        "properties": {
            "security-severity": score(control.severity),
            "tags": tags,
        },
    })
}

fn result(report: &Report, finding: &Finding, index: usize) -> Value {
    let place = finding.decisive();
    let unknown = matches!(finding.verdict, Verdict::Unknown { .. });
    let said = if unknown { "not known whether " } else { "not so: " };
    json!({
        "ruleId": finding.control,
        "ruleIndex": index,
        // What is not known is for a person to look into.
        "kind": if unknown { "review" } else { "fail" },
        "level": if unknown { "none" } else { level(finding.about.severity) },
        "message": {"text": format!("`{}`: {said}{}: {}", finding.resource, finding.about.title, finding.reason())},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(report.file())},
                "region": {"startLine": place.line.max(1), "startColumn": place.column.max(1)},
            },
            "logicalLocations": [{"name": finding.resource, "kind": "resource"}],
        }],
        "partialFingerprints": {"controlAndResource/v1": format!("{}:{}", finding.control, finding.resource)},
        "properties": {"verdict": finding.word(), "resourceType": finding.kind},
    })
}

/// A path as a relative reference: what an address may not hold is written as percent and two digits.
fn uri(file: &str) -> String {
    let mut out = String::new();
    for byte in file.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// JUnit: each control on each resource is a case; broken is a failure, unknown an error.
#[must_use]
pub fn junit(reports: &[Report]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wardmote audit\">\n");
    for report in reports {
        let sum = report.summary_of_wholes();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(report.file()),
            report.wholes().count(),
            sum.broken,
            sum.unknown,
            sum.not_applicable
        );
        for finding in report.wholes() {
            let place = finding.decisive();
            let _ = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\"",
                xml(finding.control),
                xml(&finding.resource)
            );
            let tag = match finding.verdict {
                Verdict::Holds => {
                    out.push_str("/>\n");
                    continue;
                }
                Verdict::Broken { .. } => "failure",
                Verdict::Unknown { .. } => "error",
                Verdict::NotApplicable { .. } => "skipped",
            };
            let said = format!("{} ({}:{}:{})", finding.reason(), report.file(), place.line, place.column);
            let _ = writeln!(out, ">\n      <{tag} message=\"{}\"/>\n    </testcase>", xml(&said));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text as XML 1.0 may hold it.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
