//! One HTML page that needs nothing else: no script, no font, no request.

use crate::report::{Finding, Report, Summary};
use facts::Verdict;
use std::fmt::Write as _;

/// All reports as a page.
#[must_use]
pub fn html(reports: &[Report]) -> String {
    let mut sum = Summary::default();
    reports.iter().for_each(|report| sum.add(report.summary_of_wholes()));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>wardmote audit</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Audit of AI resources</h1>\n"
    );
    let figures = [
        ("resources", sum.resources),
        ("broken", sum.broken),
        ("unknown", sum.unknown),
        ("hold", sum.holds),
        ("not applicable", sum.not_applicable),
    ];
    out.push_str("<ul class=\"figures\">\n");
    for (name, number) in figures {
        let _ =
            writeln!(out, "<li class=\"{}\"><strong>{number}</strong> {name}</li>", name.replace(' ', "-"));
    }
    out.push_str("</ul>\n</header>\n");
    for report in reports {
        section(&mut out, report);
    }
    let _ = writeln!(
        out,
        "<footer>wardmote {}. Unknown is never a pass.</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    );
    out
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#5a6472;--line:#d9dee5;--paper:#fff;--bad:#b3261e;--ask:#8a5a00;--good:#1a6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--dim:#9aa5b3;--line:#333b45;--paper:#14181d;--bad:#ff8a80;--ask:#ffc46b;--good:#7ddb9c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{margin:0 0 .75rem;font-size:1.6rem}h2{margin:2rem 0 .5rem;font-size:1.15rem;overflow-wrap:anywhere}
.figures{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;margin:0;padding:0}
.figures li{border:1px solid var(--line);border-radius:.5rem;padding:.5rem 1rem;color:var(--dim)}
.figures strong{display:block;font-size:1.5rem;color:var(--ink)}
.figures .broken strong{color:var(--bad)}.figures .unknown strong{color:var(--ask)}.figures .hold strong{color:var(--good)}
table{width:100%;border-collapse:collapse;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{white-space:nowrap;color:var(--dim);font-weight:600;font-size:.85rem}
td:nth-child(-n+3){white-space:nowrap}td:nth-child(4){min-width:9rem}
td.broken{color:var(--bad);font-weight:600}td.unknown{color:var(--ask);font-weight:600}
code,.place{font:.9em ui-monospace,monospace}.place,.reason,.waiver{color:var(--dim);display:block}
details{margin:.25rem 0}summary{cursor:pointer;color:var(--dim)}
footer{margin-top:2rem;color:var(--dim);font-size:.85rem}
";

fn section(out: &mut String, report: &Report) {
    let _ = writeln!(out, "<section>\n<h2>{}</h2>", escaped(report.file()));
    let mut open: Vec<&Finding> = report.wholes().filter(|finding| !finding.verdict.passes()).collect();
    open.sort_by_key(|f| (std::cmp::Reverse(f.about.severity()), f.subject.at, f.control()));
    if open.is_empty() {
        out.push_str("<p>Nothing is broken or unknown.</p>\n");
    } else {
        out.push_str("<table>\n<thead><tr><th>Severity</th><th>Verdict</th><th>Control</th><th>Resource</th><th>What is wanted, and what is so</th></tr></thead>\n<tbody>\n");
        open.iter().for_each(|finding| row(out, finding));
        out.push_str("</tbody>\n</table>\n");
    }
    for unread in report.unread() {
        let _ = writeln!(out, "<p>Not checked: {}</p>", prose(unread));
    }
    let holds: Vec<&Finding> = report.wholes().filter(|finding| finding.verdict == Verdict::Holds).collect();
    if !holds.is_empty() {
        let _ = writeln!(out, "<details><summary>{} that hold</summary>\n<ul>", holds.len());
        for finding in holds {
            let _ = writeln!(
                out,
                "<li><code>{}</code> {}: <code>{}</code></li>",
                finding.control(),
                prose(finding.about.title()),
                escaped(&finding.subject.id)
            );
        }
        out.push_str("</ul>\n</details>\n");
    }
    out.push_str("</section>\n");
}

fn row(out: &mut String, finding: &Finding) {
    let place = finding.decisive();
    let waiver = finding.waiver.as_ref().map_or_else(String::new, |waiver| {
        let text = format!(
            "waived until {} by {}, approved by {}: {}",
            waiver.expires, waiver.owner, waiver.approver, waiver.reason
        );
        format!("<span class=\"waiver\">{}</span>", prose(&text))
    });
    let line = match place.line {
        0 => String::new(),
        line => format!("<span class=\"place\">line {line}</span>"),
    };
    let word = finding.word();
    let _ = writeln!(
        out,
        "<tr><td>{}</td><td class=\"{word}\">{word}</td><td><code>{}</code></td><td><code>{}</code>{line}</td><td>{}<span class=\"reason\">{}</span>{waiver}</td></tr>",
        finding.about.severity(),
        finding.control(),
        escaped(&finding.subject.id),
        prose(finding.about.title()),
        prose(finding.reason()),
    );
}

/// Text in which what stands between backticks is code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if at % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(&part);
        }
    }
    out
}

/// Text as HTML may hold it, in elements and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
