//! `wardmote controls`: what there is, and what each asks for.

use super::args::ControlsCommand;
use super::not_found;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use ::controls::{Control, Framework, Selection, control_named, controls, framework_named};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

pub(crate) fn run(command: &ControlsCommand, answers: &Answers) -> Result<ExitCode, Failure> {
    match command {
        ControlsCommand::List { framework: None } => {
            let all: Vec<Value> = controls().map(brief).collect();
            answers.give(&all, |_| list())?;
        }
        ControlsCommand::List { framework: Some(name) } => match framework_named(name) {
            Some(framework) => answers.give(framework, requirements)?,
            None => return Err(refusal(Selection::default().framework(name))),
        },
        ControlsCommand::ConfigRules { controls, framework } => {
            let mut selection = Selection::default();
            for name in controls {
                selection = selection.control(name).map_err(|wrong| not_found(&wrong))?;
            }
            if let Some(name) = framework {
                selection = selection.framework(name).map_err(|wrong| not_found(&wrong))?;
            }
            let text = ::controls::config_rules(&selection).ok_or_else(|| {
                Failure::new(Exit::NotFound, "AWS Config records nothing that these controls are about")
                    .with_help("name other controls; `wardmote watch` asks these too")
            })?;
            answers.line(text.trim_end())?;
        }
        ControlsCommand::Explain { control: name } => match control_named(name) {
            Some(control) => answers.give(&full(control), |_| explained(control))?,
            None => return Err(refusal(Selection::default().control(name))),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn refusal(selected: Result<Selection, ::controls::BadSelection>) -> Failure {
    match selected {
        Err(wrong) => not_found(&wrong),
        Ok(_) => Failure::new(Exit::Failed, "a name is known to one table and not to another"),
    }
}

fn brief(control: &Control) -> Value {
    json!({"id": control.id, "title": control.title, "severity": control.severity, "reach": control.reach,
        "partOf": control.part_of, "types": control.kinds, "aliases": control.aliases})
}

fn full(control: &Control) -> Value {
    let mut value = brief(control);
    value["description"] = control.description.into();
    value["frameworks"] = control
        .answers()
        .map(|(framework, asked)| json!({"framework": framework.id, "requirement": asked.id, "as_of": framework.as_of}))
        .collect();
    value
}

fn list() -> String {
    let mut out = String::new();
    let mut wholes: Vec<&Control> = controls().filter(|control| control.part_of.is_none()).collect();
    wholes.sort_by_key(|control| control.id);
    for control in wholes {
        let _ = writeln!(out, "{:7}  {:8}  {}", control.id, control.severity.name(), control.title);
    }
    let parts = controls().filter(|control| control.part_of.is_some()).count();
    let _ = writeln!(
        out,
        "\n{parts} parts of these can be asked for alone; `wardmote controls explain ID` names them"
    );
    out
}

fn requirements(framework: &Framework) -> String {
    let mut out = format!("{}\n{}; as of {}\n\n", framework.title, framework.source, framework.as_of);
    let width = framework.requirements.iter().map(|asked| asked.id.chars().count()).max().unwrap_or(0);
    for asked in &framework.requirements {
        let _ = writeln!(out, "{:width$}  {}", asked.id, asked.title);
        let answer = match &asked.no_control {
            Some(reason) => format!("no control: {reason}"),
            None => asked.controls.join(", "),
        };
        let _ = writeln!(out, "{:width$}    {answer}", "");
    }
    out
}

fn explained(control: &Control) -> String {
    let mut out = control.description.trim_end().to_owned();
    if control.part_of.is_some() {
        out = format!("# {}: {}\n\nA part of the following.\n\n{out}", control.id, control.title);
    }
    let _ = write!(
        out,
        "\n\n## Facts\n\n- severity: {}\n- types: {}\n",
        control.severity,
        control.kinds.join(", ")
    );
    if !control.aliases.is_empty() {
        let _ = writeln!(out, "- others call it: {}", control.aliases.join(", "));
    }
    for part in controls().filter(|part| part.part_of == Some(control.id)) {
        let others =
            if part.aliases.is_empty() { String::new() } else { format!(" ({})", part.aliases.join(", ")) };
        let _ = writeln!(out, "- part `{}`: {}{others}", part.id, part.title);
    }
    for (framework, asked) in control.answers() {
        let _ = writeln!(out, "- {}, {}: {}", framework.title, asked.id, asked.title);
    }
    out
}
