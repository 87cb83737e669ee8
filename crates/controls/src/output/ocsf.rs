//! OCSF: one Compliance Finding (class 2003) for each control and resource.

use super::Each;
use crate::report::{Finding, Report};
use crate::resource::Source;
use crate::unit::Severity;
use facts::Verdict;
use serde::Serialize;
use serde_json::{Value, json};

/// The version of the schema that is written.
const SCHEMA: &str = "1.3.0";

/// All findings of all reports, at a time in milliseconds since 1970.
#[must_use]
pub fn ocsf(reports: &[Report], time_ms: i64) -> impl Serialize {
    let of = move |report| Report::wholes(report).map(move |finding| event(report, finding, time_ms));
    Each(move || reports.iter().flat_map(of))
}

fn event(report: &Report, finding: &Finding, time_ms: i64) -> Value {
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
    let cloud = cloud(report.source(), finding);
    let mut event = json!({
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
            "profiles": if cloud.is_some() { vec!["cloud"] } else { Vec::new() },
        },
        "finding_info": {
            "uid": report.uid(finding),
            "title": finding.about.title(),
            "created_time": time_ms,
            "types": [sort(report.source())],
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
            "file": report.file(),
            "line": finding.decisive().line,
            "aliases": finding.about.aliases(),
            "waiver": finding.waiver,
        },
    });
    if let Some(cloud) = cloud {
        event["cloud"] = cloud;
    }
    if let Some(region) = &finding.subject.region {
        event["resources"][0]["region"] = json!(region);
    }
    event
}

/// Of what a finding is.
fn sort(source: Source) -> &'static str {
    match source {
        Source::File => "Infrastructure as code",
        Source::Account => "Cloud account",
        Source::House => "Model registry",
    }
}

/// The cloud that a resource is in or will be in, with the account and the region where they are known.
fn cloud(source: Source, finding: &Finding) -> Option<Value> {
    if source == Source::House {
        return None;
    }
    let mut cloud = json!({"provider": "AWS"});
    if let Some(account) = &finding.subject.account {
        // The account's alias is not read: its number is its name.
        cloud["account"] = json!({"uid": account, "name": account, "type": "AWS Account", "type_id": 10});
    }
    if let Some(region) = &finding.subject.region {
        cloud["region"] = json!(region);
    }
    Some(cloud)
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
