//! `--live`: an inventory of the account itself. What may not be read leaves open only the answers that depend on it.

use super::files;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use aws::inventory::{Collected, Scope, collect};
use aws::{AwsError, Client, Settings, Sources, Trouble};
use iam::inventory::{Access, Inventory};

/// An account, and if something could not be read, the same account as if that let everybody in.
pub(super) struct Live {
    pub(super) least: Inventory,
    pub(super) most: Option<Inventory>,
}

/// Reads the account and says what could not be read.
pub(super) fn open(scope: Scope<'_>, answers: &Answers) -> Result<Live, Failure> {
    let collected = read(scope, answers)?;
    let parse =
        |text: String| Inventory::parse("the live account", &text).map_err(|wrong| files::malformed(&wrong));
    let most = if collected.gaps().is_empty() { None } else { Some(parse(collected.most())?) };
    Ok(Live { least: parse(collected.least())?, most })
}

/// Prints the inventory of the whole account.
pub(super) fn print(answers: &Answers) -> Result<std::process::ExitCode, Failure> {
    let collected = read(Scope::All, answers)?;
    if !collected.gaps().is_empty() {
        return Err(Failure::new(Exit::Failed, "the inventory would not be whole, so it is not written")
            .with_help("give the caller the actions that were denied, or ask about one resource with `who-can --live`"));
    }
    answers.line(&collected.least())?;
    Ok(std::process::ExitCode::SUCCESS)
}

fn read(scope: Scope<'_>, answers: &Answers) -> Result<Collected, Failure> {
    let settings = Settings::load(Sources::of_process(), None).map_err(failure)?;
    let collected = collect(&Client::new(settings).map_err(failure)?, scope).map_err(failure)?;
    for note in collected.notes() {
        answers.remark(&format!("note: {note}"));
    }
    for gap in collected.gaps() {
        answers.remark(&format!("unknown: {}", gap.text));
    }
    Ok(collected)
}

/// What may not be read is not known, so neither is the answer.
fn failure(error: AwsError) -> Failure {
    match error.trouble() {
        Trouble::Denied => {
            helped(Failure::new(Exit::Failed, format!("the account cannot be read: {error}")), &error)
        }
        Trouble::Absent => helped(Failure::new(Exit::NotFound, error.to_string()), &error),
        _ => world::PortError::from(error).into(),
    }
}

fn helped(failure: Failure, error: &AwsError) -> Failure {
    match error.help() {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// Answers for each principal: what is the same whatever the missing parts say, and those for whom it is not.
pub(super) fn join(least: Vec<Access>, most: &[Access]) -> (Vec<Access>, Vec<String>) {
    let mut open = Vec::new();
    let of = |all: &[Access], principal: &str| all.iter().find(|one| one.principal == principal).cloned();
    for access in most {
        if of(&least, &access.principal).as_ref() != Some(access) {
            open.push(access.principal.clone());
        }
    }
    let gone = |access: &&Access| of(most, &access.principal).is_none();
    open.extend(least.iter().filter(gone).map(|access| access.principal.clone()));
    let known = least.into_iter().filter(|access| !open.contains(&access.principal)).collect();
    (known, open)
}
