//! Rules of customers: files of them, and the examples that stand beside them.

use super::files;
use super::not_found;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use ::controls::{GuardFor, Rules, Selection, export_guard, run_examples};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// The rules of all these files.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Rules, Failure> {
    paths.iter().try_fold(Rules::default(), |before, path| {
        let text = files::text(path)?;
        ::controls::rules(&path.display().to_string(), &text, before).map_err(|wrong| files::refused(&wrong))
    })
}

/// Writes controls and rules as Guard. What was asked for by name and cannot be written is refused; standard output holds
/// the rules alone.
pub(super) fn export(
    names: &[String],
    paths: &[PathBuf],
    to: GuardFor,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let selection = Selection::default().with_rules(read(paths)?);
    let exported = export_guard(&selection, names, to).map_err(|wrong| not_found(&wrong))?;
    let pair = |(id, told): &(String, String), name: &str| json!({"control": id, name: told});
    let written: Vec<Value> = exported.written.iter().map(|one| pair(one, "rule")).collect();
    let refused: Vec<Value> = exported.refused.iter().map(|one| pair(one, "because")).collect();
    answers.give(&json!({"guard": exported.text, "written": written, "notWritten": refused}), |_| {
        exported.text.clone()
    })?;
    for (id, why) in &exported.refused {
        answers.remark(&format!("{id} is not written: {why}"));
    }
    let missing = !names.is_empty() && !exported.refused.is_empty();
    Ok(if missing { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS })
}

/// Runs the examples of all rules; what does not come as expected is refused.
pub(super) fn test(paths: &[PathBuf], answers: &Answers) -> Result<ExitCode, Failure> {
    let rules = read(paths)?;
    let (mut run, mut failed) = (0, 0);
    let mut text = String::new();
    let mut all: Vec<Value> = Vec::new();
    for rule in rules.iter() {
        if rule.examples() == 0 {
            answers.remark(&format!("`{}` ({}:{}) has no tests", rule.id, rule.file, rule.at.line));
        }
        for outcome in run_examples(rule) {
            run += 1;
            let place = format!("{}:{}:{}", rule.file, outcome.at.line, outcome.at.column);
            if !outcome.passes() {
                failed += 1;
                let because =
                    if outcome.reason.is_empty() { String::new() } else { format!(": {}", outcome.reason) };
                let _ = writeln!(
                    text,
                    "{} {}: expected {}, found {}{because}\n  {place}",
                    rule.id, outcome.name, outcome.expected, outcome.found
                );
            }
            all.push(json!({"rule": rule.id, "test": outcome.name, "file": rule.file, "line": outcome.at.line,
                "expected": outcome.expected, "found": outcome.found, "reason": outcome.reason, "passes": outcome.passes()}));
        }
    }
    let _ = write!(text, "rules {}, tests {run}, failed {failed}", rules.iter().count());
    answers.give(&json!({"tests": all, "failed": failed}), |_| format!("{text}\n"))?;
    Ok(if failed > 0 { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS })
}
