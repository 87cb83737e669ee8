//! `wardmote audit` and `wardmote controls`: controls on templates, plans and live accounts, and what they are. Needs no
//! house.

mod args;
mod catalog;
mod files;
mod live;

pub(crate) use args::{AuditArgs, ControlsCommand};
pub(crate) use catalog::run as controls;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use ::controls::{BadSelection, Report, Selection, Severity, scan};
use args::Format;
use facts::Verdict;
use files::Found;
use std::process::ExitCode;

pub(crate) fn run(args: &AuditArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let selection = selection(args)?;
    let found = match &args.plan {
        Some(path) => files::plan(path)?,
        None if args.live => Found { estates: vec![live::account(args, answers)?], ..Found::default() },
        None => files::templates(&args.paths)?,
    };
    let reports: Vec<Report> = found.estates.iter().map(|estate| scan(estate, &selection)).collect();
    answers.line(written(args.format(answers.json()), &reports).trim_end())?;
    remarks(&found, answers);
    if !found.unreadable.is_empty() {
        return Ok(ExitCode::from(Exit::Input as u8));
    }
    let bites = args.fail_on.is_some_and(|least| fails(&reports, least.into(), args.allow_unknown));
    Ok(if bites { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS })
}

fn selection(args: &AuditArgs) -> Result<Selection, Failure> {
    let mut selection = Selection::default();
    for name in &args.controls {
        selection = selection.control(name).map_err(|wrong| not_found(&wrong))?;
    }
    if let Some(name) = &args.framework {
        selection = selection.framework(name).map_err(|wrong| not_found(&wrong))?;
    }
    Ok(selection)
}

fn not_found(wrong: &BadSelection) -> Failure {
    Failure::new(Exit::NotFound, wrong.to_string()).with_help(wrong.help().to_owned())
}

fn written(format: Format, reports: &[Report]) -> String {
    match format {
        Format::Table => reports.iter().map(::controls::table).collect(),
        Format::Json => format!("{:#}", ::controls::json(reports)),
        Format::Sarif => format!("{:#}", ::controls::sarif(reports)),
        Format::Junit => ::controls::junit(reports),
    }
}

/// What was not checked, for people; standard output holds the report alone.
fn remarks(found: &Found, answers: &Answers) {
    for wrong in &found.unreadable {
        answers.remark(&format!("error: {wrong}\n  help: {}", wrong.help()));
    }
    match found.skipped.as_slice() {
        [] => {}
        [only] => answers.remark(&format!("skipped `{only}`, which is no template")),
        all => answers.remark(&format!("skipped {} files that are no templates", all.len())),
    }
}

/// Whether something of this severity does not pass. What is unknown does not, unless it was let through.
fn fails(reports: &[Report], least: Severity, allow_unknown: bool) -> bool {
    reports.iter().flat_map(Report::findings).any(|finding| {
        let counts = match finding.verdict {
            Verdict::Unknown { .. } => !allow_unknown,
            _ => !finding.verdict.passes(),
        };
        counts && finding.about.severity >= least
    })
}
