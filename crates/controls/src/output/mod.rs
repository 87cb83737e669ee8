//! Reports as a table for people, as JSON for programs, and in the forms of code hosts, build servers, security lakes and
//! browsers.

mod asff;
mod html;
mod junit;
mod ocsf;
mod sarif;

pub use asff::{Origin, asff, asff_findings};
pub use html::html;
pub use junit::junit;
pub use ocsf::ocsf;
pub use sarif::sarif;

use crate::report::{Finding, Report, Summary};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What does not pass, worst first, and how many there are of each.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let mut open: Vec<&Finding> = report.wholes().filter(|finding| !finding.verdict.passes()).collect();
    open.sort_by_key(|f| (std::cmp::Reverse(f.about.severity()), f.subject.at, f.control()));
    let width = |text: &dyn Fn(&Finding) -> usize, least: usize| {
        open.iter().map(|f| text(f)).max().unwrap_or(0).max(least)
    };
    let resource_width = width(&|f| f.subject.id.chars().count(), 8);
    for finding in &open {
        let place = finding.decisive();
        let _ = writeln!(
            out,
            "{:8}  {:7}  {:7}  {:resource_width$}  {}",
            finding.about.severity().name(),
            finding.word(),
            finding.control(),
            finding.subject.id,
            finding.reason(),
        );
        // What is in no file has no place in one.
        if place.line > 0 {
            let _ = writeln!(out, "          {}", at(report.file(), place));
        }
        if let Some(waiver) = &finding.waiver {
            let (owner, approver) = (&waiver.owner, &waiver.approver);
            let _ = writeln!(
                out,
                "          waived until {} by {owner}, approved by {approver}: {}",
                waiver.expires, waiver.reason
            );
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

/// Every finding of all reports, how many there are of each, and what was not read. Findings are made while they are
/// written: those of a large account are many times larger as a document than as what they rest on.
#[must_use]
pub fn json(reports: &[Report]) -> impl Serialize {
    #[derive(Serialize)]
    struct Whole<F> {
        findings: F,
        summary: Summary,
        unread: Vec<Value>,
    }
    #[derive(Serialize)]
    struct Placed<'a> {
        #[serde(flatten)]
        finding: &'a Finding,
        file: &'a str,
    }
    let mut summary = Summary::default();
    let mut unread = Vec::new();
    for report in reports {
        summary.add(report.summary());
        unread.extend(report.unread().iter().map(|said| json!({"file": report.file(), "said": said})));
    }
    let placed =
        |report| Report::findings(report).iter().map(|finding| Placed { finding, file: report.file() });
    Whole { findings: Each(move || reports.iter().flat_map(placed)), summary, unread }
}

/// A list whose parts are made while it is written, one after the other.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Where something stands, as editors open it; what is in no file has no line.
fn at(file: &str, place: crate::node::Place) -> String {
    match place.line {
        0 => file.to_owned(),
        line => format!("{file}:{line}:{}", place.column),
    }
}
