//! What is wrong, dangerous or superfluous in a policy, with its place. Every lint is one unit: a code, a check, and a
//! folder `lints/CODE` with its description, a policy that fails it and one that passes.
//!
//! ```
//! use iam::{PolicyKind, lint::lint};
//!
//! let policy = r#"{"Version": "2012-10-17", "Statement": [
//!     {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringEqual": {"aws:userid": "x"}}}]}"#;
//! let report = lint("policy.json", policy, PolicyKind::Identity);
//! assert!(report.findings().iter().any(|finding| finding.code() == "deny-unknown-operator"));
//! ```

mod actions;
mod arn;
mod catalogue;
mod conditions;
mod deny;
mod documented;
mod escalation;
mod facts;
mod federation;
mod glob;
mod key_types;
mod keys;
mod kms;
mod network;
mod organization;
mod passing;
mod principals;
mod redundant;
mod report;
mod resources;
mod s3;
mod sagemaker;
mod sarif;
mod sets;
mod structure;
mod subject;
mod tags;
mod unit;
mod values;
mod variables;

pub use documented::{Documented, Handling, documented, documented_as_of};
pub use report::{Finding, Report, Severity};
pub use sarif::sarif;
pub use unit::{Lint, kind_name, kind_named};

use crate::policy::{PolicyKind, read_policy};
use crate::text::read;
use subject::{Out, Subject};
use unit::Unit;

/// The code of what keeps a text from being a policy at all.
const MALFORMED: &str = "malformed";

/// All units, by topic.
const TOPICS: [&[Unit]; 22] = [
    structure::UNITS,
    redundant::UNITS,
    actions::UNITS,
    arn::UNITS,
    resources::UNITS,
    principals::UNITS,
    federation::UNITS,
    conditions::UNITS,
    values::UNITS,
    keys::UNITS,
    key_types::UNITS,
    sets::UNITS,
    variables::UNITS,
    network::UNITS,
    tags::UNITS,
    deny::UNITS,
    passing::UNITS,
    escalation::UNITS,
    kms::UNITS,
    s3::UNITS,
    sagemaker::UNITS,
    organization::UNITS,
];

fn units() -> impl Iterator<Item = &'static Unit> {
    TOPICS.iter().flat_map(|units| units.iter())
}

/// All lints, by topic.
pub fn lints() -> impl Iterator<Item = Lint> {
    units().map(Lint::of)
}

/// The lint of this code.
#[must_use]
pub fn lint_named(code: &str) -> Option<Lint> {
    units().find(|unit| unit.code == code).map(Lint::of)
}

/// Reads a policy and reports everything that is wrong with it. A text that is no policy gives findings of the code
/// `malformed`, and nothing else.
#[must_use]
pub fn lint(file: &str, text: &str, kind: PolicyKind) -> Report {
    lint_for(file, text, kind, |_| true)
}

/// The same by some lints alone: those of whose code `wanted` says so.
#[must_use]
pub fn lint_for(file: &str, text: &str, kind: PolicyKind, wanted: impl Fn(&str) -> bool) -> Report {
    let (policy, json) = match (read_policy(text), read(text)) {
        (Ok(policy), Ok(json)) => (policy, json),
        (Err(wrongs), _) => return malformed(file, text, kind, &wrongs),
        (Ok(_), Err(wrong)) => return malformed(file, text, kind, &[wrong]),
    };
    let subject = Subject::new(text, &json, &policy, kind);
    let mut all = Vec::new();
    for unit in units().filter(|unit| wanted(unit.code)) {
        let mut out = Out::default();
        (unit.check)(&subject, &mut out);
        all.extend(out.drafts.into_iter().map(|draft| (unit, draft)));
    }
    Report::new(file, text, kind, all)
}

fn malformed(file: &str, text: &str, kind: PolicyKind, wrongs: &[crate::text::Wrong]) -> Report {
    let Some(unit) = units().find(|unit| unit.code == MALFORMED) else {
        return Report::new(file, text, kind, Vec::new());
    };
    let draft = |wrong: &crate::text::Wrong| subject::Draft {
        span: wrong.span,
        statement: None,
        sid: None,
        message: wrong.message.clone(),
        help: wrong.help.clone(),
    };
    Report::new(file, text, kind, wrongs.iter().map(|wrong| (unit, draft(wrong))).collect())
}
