//! JUnit, for build servers.

use crate::report::{Finding, Report};
use facts::Verdict;
use std::fmt::Write as _;

/// JUnit: each control on each resource is a case; broken is a failure, unknown an error.
#[must_use]
pub fn junit(reports: &[Report]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wardmote audit\">\n");
    for report in reports {
        let tags: Vec<Option<&str>> = report.wholes().map(tag).collect();
        let count = |wanted: &str| tags.iter().filter(|tag| **tag == Some(wanted)).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(report.file()),
            tags.len(),
            count("failure"),
            count("error"),
            count("skipped")
        );
        for finding in report.wholes() {
            let place = finding.decisive();
            let _ = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\"",
                xml(finding.control()),
                xml(&finding.subject.id)
            );
            let Some(tag) = tag(finding) else {
                out.push_str("/>\n");
                continue;
            };
            let said = format!("{} ({})", finding.reason(), super::at(report.file(), place));
            let _ = writeln!(out, ">\n      <{tag} message=\"{}\"/>\n    </testcase>", xml(&said));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// How a case ended that did not pass; what is waived is skipped.
fn tag(finding: &Finding) -> Option<&'static str> {
    match finding.verdict {
        Verdict::Holds => None,
        _ if finding.waiver.is_some() => Some("skipped"),
        Verdict::Broken { .. } => Some("failure"),
        Verdict::Unknown { .. } => Some("error"),
        Verdict::NotApplicable { .. } => Some("skipped"),
    }
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
