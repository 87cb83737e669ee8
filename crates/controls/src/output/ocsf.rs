//! OCSF: one Compliance Finding (class 2003) for each control and resource.

use crate::report::{Finding, Report};
use crate::unit::Severity;
use facts::Verdict;
use serde_json::{Value, json};

/// The version of the schema that is written.
const SCHEMA: &str = "1.3.0";

/// All findings of all reports, at a time in milliseconds since 1970.
#[must_use]
pub fn ocsf(reports: &[Report], time_ms: i64) -> Value {
    let of = |report: &Report| {
        let file = report.file().to_owned();
        report.wholes().map(|finding| event(&file, finding, time_ms)).collect::<Vec<_>>()
    };
    reports.iter().flat_map(of).collect()
}

fn event(file: &str, finding: &Finding, time_ms: i64) -> Value {
    let (status_id, status) = match finding.verdict {
        Verdict::Holds => (1, "Pass"),
        Verdict::Broken { .. } => (3, "Fail"),
        Verdict::Unknown { .. } => (0, "Unknown"),
        Verdict::NotApplicable { .. } => (99, "Not applicable"),
    };
    let answers = finding.about.answers();
    let requirements: Vec<String> =
        answers.iter().map(|(framework, asked)| format!("{} {}", framework.id, asked.id)).collect();
    let mut standards: Vec<&str> = answers.iter().map(|(framework, _)| framework.title.as_str()).collect();
    standards.dedup();
    json!({
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_301,
        "type_name": "Compliance Finding: Create",
        "time": time_ms,
        "severity_id": severity_id(finding.about.severity()),
        "severity": severity_name(finding.about.severity()),
        "status_id": 1,
        "status": "New",
        "message": finding.reason(),
        "metadata": {
            "version": SCHEMA,
            "product": {"name": "wardmote", "vendor_name": "Wardmote", "version": env!("CARGO_PKG_VERSION")},
        },
        "finding_info": {
            "uid": format!("{}/{file}/{}", finding.control(), finding.subject.id),
            "title": finding.about.title(),
            "created_time": time_ms,
            "types": ["Infrastructure as code"],
        },
        "compliance": {
            "control": finding.control(),
            "standards": standards,
            "requirements": requirements,
            "status_id": status_id,
            "status": status,
        },
        "resources": [{
            "uid": finding.subject.id,
            "name": finding.subject.name.as_ref().unwrap_or(&finding.subject.id),
            "type": finding.subject.kind,
        }],
        "unmapped": {
            "file": file,
            "line": finding.decisive().line,
            "aliases": finding.about.aliases(),
            "waiver": finding.waiver,
        },
    })
}

fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}
