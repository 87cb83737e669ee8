//! `wardmote iam operation`: the checks behind one call.

use super::args::OperationArgs;
use super::ask::{bad, context, inventory};
use super::no;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use iam::inventory::{Access, Question, Verdict, whole};
use iam::operations::{Check, Operation, expand, operation, operations};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

pub(super) fn run(args: &OperationArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let Some(name) = &args.operation else { return list(answers) };
    let Some(found) = operation(name) else {
        return Err(Failure::new(Exit::NotFound, format!("the operation `{name}` is not in the table"))
            .with_help("`wardmote iam operation` lists those that are; of others IAM checks the action of the same name"));
    };
    let checks = expand(found, &parameters(&args.with))
        .map_err(|wrong| Failure::new(Exit::Input, wrong.to_string()).with_help(takes(found)))?;
    match (&args.principal, &args.inventory) {
        (Some(principal), Some(path)) => {
            let question = Question { context: context(&args.context)?, endpoint: None };
            let inventory = inventory(path)?;
            let decided = inventory.can_operate(principal, &checks, &question).map_err(bad)?;
            decide(found, principal, &decided, answers)
        }
        _ => {
            answers.give(&checks, |checks| {
                let lines: String = checks.iter().map(|check| line(check, "")).collect();
                format!("{lines}source: {}", found.source().0)
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(answers: &Answers) -> Result<ExitCode, Failure> {
    let names: Vec<&str> = operations().iter().map(Operation::name).collect();
    answers.give(&names, |names| names.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn parameters(pairs: &[String]) -> BTreeMap<String, String> {
    let split = |pair: &String| match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (pair.clone(), "true".to_owned()),
    };
    pairs.iter().map(split).collect()
}

/// What an operation can be given.
fn takes(found: &Operation) -> String {
    let word = |(name, option): (&str, Option<&'static str>)| match option {
        Some(meaning) => format!("`--with {name}` ({meaning})"),
        None => format!("`--with {name}=...`"),
    };
    found.parameters().into_iter().map(word).collect::<Vec<_>>().join(", ")
}

fn line(check: &Check, verdict: &str) -> String {
    let mut text = format!("{verdict}{} on {}\n", check.action, check.resource);
    for (key, value) in &check.context {
        let _ = writeln!(text, "    with {key} = {value}");
    }
    if let Some(because) = check.because {
        let _ = writeln!(text, "    because {because}");
    }
    text
}

fn decide(
    found: &Operation,
    principal: &str,
    decided: &[(&Check, Option<Access>)],
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let all = whole(decided);
    let words = |verdict: Option<Verdict>| verdict.map_or("not known", Verdict::words);
    let checks: Vec<_> =
        decided.iter().map(|(check, access)| json!({ "check": check, "access": access })).collect();
    let answer =
        json!({ "operation": found.name(), "principal": principal, "verdict": all, "checks": checks });
    answers.give(&answer, |_| {
        let mut text = format!("{} by {principal}: {}\n", found.name(), words(all));
        for (check, access) in decided {
            text.push_str(&line(
                check,
                &format!("  {}: ", words(access.as_ref().map(|access| access.verdict))),
            ));
        }
        text
    })?;
    Ok(match all {
        Some(Verdict::Allowed) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
        Some(_) => no(),
    })
}
