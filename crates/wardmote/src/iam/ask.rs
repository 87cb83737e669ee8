//! `wardmote iam who-can`, `what-can` and `matrix`: questions to an inventory.

use super::args::{AskArgs, MatrixArgs, WhatCanArgs, WhoCanArgs};
use super::live::{self, Live};
use super::{files, no};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use aws::inventory::Scope;
use iam::inventory::{Access, Inventory, Possible, Question, Verdict};
use iam::{Context, Values};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// An inventory holds the policies of whole organisations.
const MAX_BYTES: u64 = 256 << 20;

/// What is asked, and of what: an inventory, and with `--live` perhaps a second one between which and the first the
/// truth lies.
struct Asked {
    inventory: Inventory,
    most: Option<Inventory>,
    question: Question,
}

fn open(args: &AskArgs, scope: Scope<'_>, answers: &Answers) -> Result<Asked, Failure> {
    let question = Question { context: context(&args.context)?, endpoint: args.endpoint.clone() };
    match args.inventory.as_deref().filter(|_| !args.live) {
        Some(path) => Ok(Asked { inventory: inventory(path)?, most: None, question }),
        None => {
            let Live { least, most } = live::open(scope, answers)?;
            Ok(Asked { inventory: least, most, question })
        }
    }
}

/// The exit code of an answer that depends on what could not be read.
fn unknown() -> ExitCode {
    ExitCode::from(Exit::Failed as u8)
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
    let asked = open(&args.ask, Scope::One(&args.resource), answers)?;
    let ask =
        |inventory: &Inventory| inventory.who_can(&args.action, &args.resource, &asked.question).map_err(bad);
    let mut found = ask(&asked.inventory)?;
    let mut open = Vec::new();
    if let Some(most) = &asked.most {
        (found, open) = live::join(found, &ask(most)?);
    }
    if !args.all {
        found.retain(|access| access.verdict != Verdict::Denied);
    }
    let all: Vec<Answer<'_>> = found
        .iter()
        .map(Answer::Known)
        .chain(open.iter().map(|principal| Answer::Open { principal, verdict: "unknown" }))
        .collect();
    answers.give(&all, |all| {
        if all.is_empty() {
            return format!("nobody in the inventory can use {} on {}", args.action, args.resource);
        }
        all.iter().map(Answer::text).collect()
    })?;
    Ok(match (open.is_empty(), found.is_empty()) {
        (false, _) => unknown(),
        (true, true) => no(),
        (true, false) => ExitCode::SUCCESS,
    })
}

/// Whether somebody can.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Known(&'a Access),
    /// It depends on what could not be read.
    Open {
        principal: &'a str,
        verdict: &'static str,
    },
}

impl Answer<'_> {
    fn text(&self) -> String {
        match self {
            Self::Known(access) => access.to_string(),
            Self::Open { principal, verdict } => format!("{principal}: {verdict}\n"),
        }
    }
}

pub(super) fn what_can(args: &WhatCanArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let asked = open(&args.ask, Scope::All, answers)?;
    let ask = |inventory: &Inventory| inventory.what_can(&args.principal, &asked.question).map_err(bad);
    let mut found = ask(&asked.inventory)?;
    let mut open = 0;
    if let Some(most) = &asked.most {
        let most = ask(most)?;
        let all = found.len();
        found.retain(|possible| most.contains(possible));
        open = most.len().max(all) - found.len();
    }
    answers.give(&found, |found| {
        if found.is_empty() {
            return match open {
                0 => format!("{} can do nothing with the resources of the inventory", args.principal),
                _ => format!(
                    "nothing is certain that {} can do with the resources of the account",
                    args.principal
                ),
            };
        }
        let line = |possible: &Possible| {
            let condition =
                if possible.access.verdict == Verdict::Conditional { "  (under conditions)" } else { "" };
            format!("{}  {}{condition}\n", possible.action, possible.resource)
        };
        found.iter().map(line).collect()
    })?;
    if open > 0 {
        answers.remark(&format!("unknown: {open} more answers depend on what could not be read"));
        return Ok(unknown());
    }
    Ok(if found.is_empty() { no() } else { ExitCode::SUCCESS })
}

pub(super) fn matrix(args: &MatrixArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let asked = open(&args.ask, Scope::All, answers)?;
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let ask = |inventory: &Inventory| inventory.matrix(&args.actions, &asked.question, threads).map_err(bad);
    let matrix = ask(&asked.inventory)?;
    if let Some(most) = &asked.most
        && ask(most)? != matrix
    {
        return Err(Failure::new(Exit::Failed, "the matrix depends on what could not be read").with_help(
            "give the caller the actions that were denied, or ask about one resource with `who-can --live`",
        ));
    }
    answers.give(&matrix, iam::inventory::Matrix::to_csv)?;
    Ok(ExitCode::SUCCESS)
}
