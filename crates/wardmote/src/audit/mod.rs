//! `wardmote audit` and `wardmote controls`: controls on templates, plans and live accounts, and what they are. Needs no
//! house.

mod args;
mod catalog;
mod files;
mod live;
mod rules;
mod since;
mod waivers;

pub(crate) use args::{AuditArgs, ControlsCommand, FailOn, ScopeArgs};
pub(crate) use catalog::run as controls;
pub(crate) use live::client;
pub(crate) use rules::read as rules;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use ::controls::{BadSelection, Origin, Report, Rules, Selection, Severity, scan};
use args::Format;
use facts::{Timestamp, Verdict};
use files::Found;
use std::process::ExitCode;
use world::Clock as _;

pub(crate) fn run(house: &House, args: &AuditArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let rules = rules::read(&args.rules)?;
    let selection = selection(&args.scope, &rules)?;
    if let Some(path) = &args.since {
        return since::run((house, args, answers), path, selection);
    }
    let now = now()?;
    let found = match &args.plan {
        Some(path) => files::plan(path)?,
        None if args.live => Found::of(&live::account(args, answers)?),
        None if args.house => Found::of(&live::house(house, args, answers)?),
        None => files::templates(&args.paths)?,
    };
    let mut reports: Vec<Report> = found.estates.iter().map(|estate| scan(estate, &selection)).collect();
    if let Some(path) = &args.waivers {
        waivers::put((path, &rules), &now.date(), &mut reports, answers)?;
    }
    if args.granted {
        waivers::granted(house, &now.date(), &mut reports, answers)?;
    }
    give(args, answers, &reports, now)?;
    remarks(&found, answers);
    if !found.unreadable.is_empty() {
        return Ok(ExitCode::from(Exit::Input as u8));
    }
    let bites = args.fail_on.is_some_and(|least| fails(&reports, least.into(), args.allow_unknown));
    Ok(if bites { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS })
}

/// The time, or that of SOURCE_DATE_EPOCH, by which builds are repeated.
fn now() -> Result<Timestamp, Failure> {
    let Some(set) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(local::SystemClock.now()) };
    let seconds = set.to_str().and_then(|text| text.parse::<i64>().ok()).and_then(|s| s.checked_mul(1_000));
    seconds.and_then(|ms| Timestamp::from_unix_ms(ms).ok()).ok_or_else(|| {
        let message = format!("SOURCE_DATE_EPOCH is `{}`; expected seconds since 1970", set.display());
        Failure::new(Exit::Usage, message).with_help("unset it to use the clock")
    })
}

/// What was asked for, of the controls and of these rules.
pub(crate) fn selection(args: &ScopeArgs, rules: &Rules) -> Result<Selection, Failure> {
    let mut selection = Selection::default().with_rules(rules.clone());
    for name in &args.controls {
        selection = selection.control(name).map_err(|wrong| not_found(&wrong))?;
    }
    for kind in &args.kinds {
        selection = selection.kind(kind);
    }
    for name in &args.names {
        selection = selection.name(name);
    }
    for tag in &args.tags {
        selection = match tag.split_once('=') {
            Some((key, value)) => selection.tag(key, Some(value)),
            None => selection.tag(tag, None),
        };
    }
    if let Some(account) = &args.account {
        selection = selection.account(account);
    }
    if let Some(name) = &args.framework {
        selection = selection.framework(name).map_err(|wrong| not_found(&wrong))?;
    }
    Ok(selection)
}

fn not_found(wrong: &BadSelection) -> Failure {
    Failure::new(Exit::NotFound, wrong.to_string()).with_help(wrong.help().to_owned())
}

fn give(args: &AuditArgs, answers: &Answers, reports: &[Report], now: Timestamp) -> Result<(), Failure> {
    match args.format(answers.json()) {
        Format::Table => answers.line(reports.iter().map(::controls::table).collect::<String>().trim_end()),
        Format::Json => answers.document(&::controls::json(reports)),
        Format::Sarif => answers.document(&::controls::sarif(reports)),
        Format::Junit => answers.line(::controls::junit(reports).trim_end()),
        Format::Ocsf => answers.document(&::controls::ocsf(reports, now.unix_ms())),
        Format::Html => answers.line(::controls::html(reports).trim_end()),
        Format::Asff => {
            let (Some(account), Some(region)) = (&args.scope.account, &args.region) else {
                let message = "findings for Security Hub need an account and a region";
                return Err(
                    Failure::new(Exit::Usage, message).with_help("add `--account ID --region REGION`")
                );
            };
            answers.document(&::controls::asff(reports, Origin { account, region, time: &now.to_string() }))
        }
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

/// Whether something of this severity does not pass and is not waived. What is unknown does not pass, unless it was let
/// through.
fn fails(reports: &[Report], least: Severity, allow_unknown: bool) -> bool {
    reports.iter().flat_map(Report::wholes).any(|finding| {
        let counts = match finding.verdict {
            _ if finding.waiver.is_some() => false,
            Verdict::Unknown { .. } => !allow_unknown,
            _ => !finding.verdict.passes(),
        };
        counts && finding.about.severity() >= least
    })
}
