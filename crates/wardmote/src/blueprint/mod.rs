//! `wardmote plan --aws` and `apply --aws`: the reference architecture that follows from a charter, what is known of it,
//! and its stack.

mod apply;
mod args;
mod known;
mod record;
mod stack;

pub(crate) use apply::{At, apply};
pub(crate) use args::{ApplyArgs, PlanArgs};
pub(crate) use record::history;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use ::blueprint::{Blueprint, Settings};
use args::{Authoriser, DrawingArgs, Format};
use charter::Checked;
use known::Known;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Writes the template to standard output, or everything into a folder.
pub(crate) fn plan(house: &House, args: &PlanArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let charter = charter(house, args.charter.as_deref(), answers)?;
    let blueprint = draw(&charter, &args.drawing, answers)?;
    let text = match args.format {
        Format::Yaml => blueprint.template.to_yaml(),
        Format::Json => format!("{:#}\n", blueprint.template.to_json()),
    };
    let Some(out) = &args.out else {
        answers.line(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let known = Known::of(&blueprint, &text)?;
    let report = serde_json::to_string_pretty(&known)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot encode the report: {error}")))?;
    let template = match args.format {
        Format::Yaml => "template.yaml",
        Format::Json => "template.json",
    };
    let files = [
        (template, text),
        ("diagram.mmd", blueprint.diagram.to_mermaid()),
        ("diagram.svg", blueprint.diagram.to_svg()),
        ("report.json", report),
    ];
    for (name, text) in &files {
        write_private(&out.join(name), text.as_bytes())?;
    }
    let names: Vec<String> = files.iter().map(|(name, _)| out.join(name).display().to_string()).collect();
    let answer = json!({"files": names, "resources": blueprint.template.len(), "report": known});
    answers.give(&answer, |_| {
        format!("wrote\n  {}\n{} resources\n{known}", names.join("\n  "), blueprint.template.len())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn charter(house: &House, path: Option<&Path>, answers: &Answers) -> Result<Checked, Failure> {
    let mut warn = |warning: &charter::Diagnostic| answers.remark(&warning.to_string());
    match path {
        None => house.charter(&mut warn),
        Some(path) if path.is_dir() => House::at(path).charter(&mut warn),
        Some(path) => {
            let text = String::from_utf8(crate::commands::read_file(path)?)
                .map_err(|_| Failure::new(Exit::Input, format!("`{}` is not UTF-8 text", path.display())))?;
            let file = charter::SourceFile { name: path.display().to_string(), text };
            let (checked, warnings) = charter::read(&[file]).map_err(engine::Error::from)?;
            warnings.iter().for_each(&mut warn);
            Ok(checked)
        }
    }
}

fn draw(charter: &Checked, args: &DrawingArgs, answers: &Answers) -> Result<Blueprint, Failure> {
    let authoriser = match args.authoriser {
        Authoriser::Iam => ::blueprint::Authoriser::Iam,
        Authoriser::Cognito => ::blueprint::Authoriser::Cognito,
    };
    let drawn = ::blueprint::draw(charter, Settings { authoriser, private: args.private_api })
        .map_err(|wrong| Failure::new(Exit::Input, wrong.to_string()).with_help(wrong.help()))?;
    drawn.left_out.iter().for_each(|left| answers.remark(&format!("note: {left}")));
    Ok(drawn)
}
