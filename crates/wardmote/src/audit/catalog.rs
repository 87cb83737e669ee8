//! `wardmote controls`: what there is, and what each asks for.

use super::args::ControlsCommand;
use super::{not_found, rules};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use ::controls::{About, Framework, Rules, Selection, control_named, controls, framework_named};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn run(command: &ControlsCommand, answers: &Answers) -> Result<ExitCode, Failure> {
    match command {
        ControlsCommand::List { framework: None, rules: files } => {
            let rules = rules::read(files)?;
            let all: Vec<Value> =
                controls().map(About::from).chain(abouts(&rules)).map(|one| brief(&one)).collect();
            answers.give(&all, |_| list(&rules))?;
        }
        ControlsCommand::List { framework: Some(name), rules: files } => {
            let rules = rules::read(files)?;
            match framework_named(name) {
                Some(framework) => answers.give(&answered(framework, &rules), requirements)?,
                None => return Err(refusal(Selection::default().framework(name))),
            }
        }
        ControlsCommand::Explain { control: name, rules: files } => {
            let rules = rules::read(files)?;
            let ours = control_named(name).map(About::from);
            let first = || rules.named(name).next().map(|rule| About::Rule(Arc::clone(rule)));
            match ours.or_else(first) {
                Some(about) => answers.give(&full(&about), |_| explained(&about))?,
                None => return Err(refusal(Selection::default().control(name))),
            }
        }
        ControlsCommand::ExportGuard { controls, rules: files, to } => {
            return rules::export(controls, files, (*to).into(), answers);
        }
        ControlsCommand::TestRules { files } => return rules::test(files, answers),
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
    }
    Ok(ExitCode::SUCCESS)
}

fn refusal(selected: Result<Selection, ::controls::BadSelection>) -> Failure {
    match selected {
        Err(wrong) => not_found(&wrong),
        Ok(_) => Failure::new(Exit::Failed, "a name is known to one table and not to another"),
    }
}

fn abouts(rules: &Rules) -> impl Iterator<Item = About> {
    rules.iter().map(|rule| About::Rule(Arc::clone(rule)))
}

fn brief(about: &About) -> Value {
    json!({"id": about.id(), "title": about.title(), "severity": about.severity(), "reach": about.reach(),
        "partOf": about.part_of(), "types": about.kinds(), "aliases": about.aliases()})
}

fn full(about: &About) -> Value {
    let mut value = brief(about);
    value["description"] = about.description().into();
    value["frameworks"] = about
        .answers()
        .into_iter()
        .map(|(framework, asked)| json!({"framework": framework.id, "requirement": asked.id, "as_of": framework.as_of}))
        .collect();
    value
}

fn list(rules: &Rules) -> String {
    let mut out = String::new();
    let mut wholes: Vec<About> =
        controls().filter(|control| control.part_of.is_none()).map(About::from).collect();
    wholes.sort_by(|a, b| a.id().cmp(b.id()));
    let mut line = |about: &About| {
        let _ = writeln!(out, "{:7}  {:8}  {}", about.id(), about.severity().name(), about.title());
    };
    wholes.iter().for_each(&mut line);
    abouts(rules).for_each(|about| line(&about));
    let parts = controls().filter(|control| control.part_of.is_some()).count();
    let _ = writeln!(
        out,
        "\n{parts} parts of these can be asked for alone; `wardmote controls explain ID` names them"
    );
    out
}

/// The framework with what rules answer of it.
fn answered(framework: &Framework, rules: &Rules) -> Framework {
    let mut framework = framework.clone();
    for asked in &mut framework.requirements {
        let answers = rules.iter().filter(|rule| {
            rule.answers.iter().any(|(one, requirement)| one.id == framework.id && requirement.id == asked.id)
        });
        asked.controls.extend(answers.map(|rule| rule.id.clone()));
        if !asked.controls.is_empty() {
            asked.no_control = None;
        }
    }
    framework
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

fn explained(about: &About) -> String {
    let mut out = about.description().trim_end().to_owned();
    if about.part_of().is_some() {
        out = format!("# {}: {}\n\nA part of the following.\n\n{out}", about.id(), about.title());
    }
    let _ = write!(
        out,
        "\n\n## Facts\n\n- severity: {}\n- types: {}\n",
        about.severity(),
        about.kinds().join(", ")
    );
    if !about.aliases().is_empty() {
        let _ = writeln!(out, "- others call it: {}", about.aliases().join(", "));
    }
    for part in controls().filter(|part| part.part_of == Some(about.id())) {
        let others =
            if part.aliases.is_empty() { String::new() } else { format!(" ({})", part.aliases.join(", ")) };
        let _ = writeln!(out, "- part `{}`: {}{others}", part.id, part.title);
    }
    for (framework, asked) in about.answers() {
        let _ = writeln!(out, "- {}, {}: {}", framework.title, asked.id, asked.title);
    }
    out
}
