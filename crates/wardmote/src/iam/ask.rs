//! `wardmote iam who-can`, `what-can` and `matrix`: questions to an inventory.

use super::args::{AskArgs, MatrixArgs, WhatCanArgs, WhoCanArgs};
use super::{files, no};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use iam::inventory::{Inventory, Question, Verdict};
use iam::{Context, Values};
use std::path::Path;
use std::process::ExitCode;

/// An inventory holds the policies of whole organisations.
const MAX_BYTES: u64 = 256 << 20;

fn open(args: &AskArgs) -> Result<(Inventory, Question), Failure> {
    let Some(path) = args.inventory.as_deref().filter(|_| !args.live) else {
        return Err(Failure::new(Exit::Failed, "asking a live account is not there yet")
            .with_help("write an inventory file and give it with `--inventory`; docs/iam.md describes it"));
    };
    let question = Question { context: context(&args.context)?, endpoint: args.endpoint.clone() };
    Ok((inventory(path)?, question))
}

/// Reads an inventory.
pub(super) fn inventory(path: &Path) -> Result<Inventory, Failure> {
    let text = files::text_up_to(path, MAX_BYTES)?;
    Inventory::parse(&path.display().to_string(), &text).map_err(|wrong| files::malformed(&wrong))
}

/// Context keys of the command line.
pub(super) fn context(pairs: &[String]) -> Result<Context, Failure> {
    let mut context = Context::default();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::new(Exit::Usage, format!("`{pair}` is no context key with its value"))
                .with_help("write KEY=VALUE, for instance `--context aws:SourceVpce=vpce-1`"));
        };
        context.set(key, Values::One(value.into()));
    }
    Ok(context)
}

pub(super) fn bad(question: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Input, question.to_string())
}

pub(super) fn who_can(args: &WhoCanArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let (inventory, question) = open(&args.ask)?;
    let mut found = inventory.who_can(&args.action, &args.resource, &question).map_err(bad)?;
    if !args.all {
        found.retain(|access| access.verdict != Verdict::Denied);
    }
    answers.give(&found, |found| {
        if found.is_empty() {
            return format!("nobody in the inventory can use {} on {}", args.action, args.resource);
        }
        found.iter().map(ToString::to_string).collect()
    })?;
    Ok(if found.is_empty() { no() } else { ExitCode::SUCCESS })
}

pub(super) fn what_can(args: &WhatCanArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let (inventory, question) = open(&args.ask)?;
    let found = inventory.what_can(&args.principal, &question).map_err(bad)?;
    answers.give(&found, |found| {
        if found.is_empty() {
            return format!("{} can do nothing with the resources of the inventory", args.principal);
        }
        let line = |possible: &iam::inventory::Possible| {
            let condition =
                if possible.access.verdict == Verdict::Conditional { "  (under conditions)" } else { "" };
            format!("{}  {}{condition}\n", possible.action, possible.resource)
        };
        found.iter().map(line).collect()
    })?;
    Ok(if found.is_empty() { no() } else { ExitCode::SUCCESS })
}

pub(super) fn matrix(args: &MatrixArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let (inventory, question) = open(&args.ask)?;
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let matrix = inventory.matrix(&args.actions, &question, threads).map_err(bad)?;
    answers.give(&matrix, iam::inventory::Matrix::to_csv)?;
    Ok(ExitCode::SUCCESS)
}
