//! `wardmote iam lint`.

use super::args::{Kind, LintArgs};
use super::{files, no};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use iam::lint::{Report, Severity, lint, lint_named, lints, sarif};
use iam::{Policy, PolicyKind};
use std::process::ExitCode;

pub(super) fn run(args: &LintArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    if args.list {
        return list(answers);
    }
    if let Some(code) = &args.describe {
        return describe(code, answers);
    }
    let mut reports = Vec::new();
    for path in &args.policies {
        let text = files::text(path)?;
        let kind = args.kind.map_or_else(|| guess(&text), kind);
        reports.push(lint(&path.display().to_string(), &text, kind));
    }
    if args.sarif {
        answers.line(&format!("{:#}", sarif(&reports)))?;
    } else {
        answers.give(&reports, |reports| text(reports))?;
    }
    let grave = |report: &Report| matches!(report.worst(), Some(Severity::Error | Severity::SecurityWarning));
    Ok(if reports.iter().any(grave) { no() } else { ExitCode::SUCCESS })
}

fn text(reports: &[Report]) -> String {
    let found: usize = reports.iter().map(|report| report.findings().len() + report.left_out()).sum();
    if found == 0 {
        let plural = if reports.len() == 1 { "policy" } else { "policies" };
        return format!("{} {plural}: nothing to complain about", reports.len());
    }
    reports.iter().filter(|report| !report.findings().is_empty()).map(ToString::to_string).collect()
}

fn kind(kind: Kind) -> PolicyKind {
    match kind {
        Kind::Identity => PolicyKind::Identity,
        Kind::Resource => PolicyKind::Resource,
        Kind::Trust => PolicyKind::Trust,
        Kind::Key => PolicyKind::KmsKey,
        Kind::Boundary => PolicyKind::Boundary,
        Kind::Session => PolicyKind::Session,
        Kind::Scp => PolicyKind::Scp,
        Kind::Rcp => PolicyKind::Rcp,
        Kind::Endpoint => PolicyKind::Endpoint,
    }
}

/// What a policy is attached to, by what it says: one that names principals belongs to a resource, to a key if it is
/// about KMS alone, to a role if it is about STS alone.
fn guess(text: &str) -> PolicyKind {
    let Ok(policy) = Policy::parse("", text) else { return PolicyKind::Identity };
    if !policy.statements.iter().any(|statement| statement.principal.is_some()) {
        return PolicyKind::Identity;
    }
    let mut actions = policy.statements.iter().flat_map(|statement| &statement.action.items);
    let all =
        |prefix: &str| actions.clone().all(|action| action.text.to_ascii_lowercase().starts_with(prefix));
    let guessed = match (all("kms:"), all("sts:")) {
        (true, _) => PolicyKind::KmsKey,
        (_, true) => PolicyKind::Trust,
        _ => PolicyKind::Resource,
    };
    if actions.next().is_some() { guessed } else { PolicyKind::Resource }
}

fn list(answers: &Answers) -> Result<ExitCode, Failure> {
    let all: Vec<_> = lints().collect();
    answers.give(&all, |all| {
        let width = all.iter().map(|lint| lint.code.len()).max().unwrap_or(0);
        all.iter()
            .map(|lint| format!("{:width$}  {:16}  {}\n", lint.code, lint.severity.name(), lint.title))
            .collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn describe(code: &str, answers: &Answers) -> Result<ExitCode, Failure> {
    let Some(found) = lint_named(code) else {
        return Err(Failure::new(Exit::NotFound, format!("there is no lint `{code}`"))
            .with_help("`wardmote iam lint --list` names them all"));
    };
    answers.give(&found, |lint| {
        format!(
            "{}\n\nA policy that fails:\n\n{}\n\nA policy that passes:\n\n{}",
            lint.description.trim_end(),
            lint.fails.trim_end(),
            lint.passes.trim_end()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
