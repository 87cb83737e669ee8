//! ASFF, the form of findings that AWS Security Hub imports (`BatchImportFindings`).

use super::Each;
use crate::report::{Finding, Report};
use facts::Verdict;
use serde::Serialize;
use serde_json::{Value, json};

/// Whose findings they are, and from when.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The account, twelve digits.
    pub account: &'a str,
    /// The region of Security Hub.
    pub region: &'a str,
    /// RFC 3339.
    pub time: &'a str,
}

/// What Security Hub takes of a title and of a description.
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 1_024;

/// All findings of all reports; what is not applicable is left out, because the form has no word for it.
#[must_use]
pub fn asff<'a>(reports: &'a [Report], origin: Origin<'a>) -> impl Serialize + 'a {
    Each(move || reports.iter().flat_map(move |report| asff_findings(report, origin)))
}

/// Those of one report, one after the other.
pub fn asff_findings<'a>(report: &'a Report, origin: Origin<'a>) -> impl Iterator<Item = Value> + 'a {
    let all = report.wholes().filter(|finding| !matches!(finding.verdict, Verdict::NotApplicable { .. }));
    all.map(move |finding| one(report, finding, origin))
}

fn one(report: &Report, finding: &Finding, Origin { account, region, time }: Origin<'_>) -> Value {
    let file = report.file();
    let status = match finding.verdict {
        Verdict::Holds => "PASSED",
        Verdict::Broken { .. } => "FAILED",
        _ => "NOT_AVAILABLE",
    };
    let place = finding.decisive();
    let said = if finding.reason().is_empty() { "It is so." } else { finding.reason() };
    let description = format!("{said} ({})", super::at(file, place));
    let related: Vec<String> = finding
        .about
        .answers()
        .into_iter()
        .map(|(framework, asked)| format!("{} {}", framework.id, asked.id))
        .take(32)
        .collect();
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("wardmote/{}", report.uid(finding)),
        "ProductArn": format!("arn:aws:securityhub:{region}:{account}:product/{account}/default"),
        "GeneratorId": format!("wardmote/{}", finding.control()),
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": {"Label": finding.about.severity().name().to_uppercase(), "Original": finding.about.severity().name()},
        "Title": short(&format!("{} {}", finding.control(), finding.about.title()), MAX_TITLE),
        "Description": short(&description, MAX_DESCRIPTION),
        "Resources": [{"Type": "Other", "Id": finding.subject.id, "Region": region, "Details": {"Other": {"type": finding.subject.kind, "file": file}}}],
        "Compliance": {"Status": status, "RelatedRequirements": related},
        "Workflow": {"Status": if finding.waiver.is_some() { "SUPPRESSED" } else { "NEW" }},
        "RecordState": "ACTIVE",
    })
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
