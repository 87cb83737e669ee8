//! `wardmote plan --aws` and `apply --aws`: the reference architecture that follows from a charter, what is known of it,
//! and its stack.

mod apply;
mod args;
mod deployed;
mod known;
mod propose;
mod record;
mod stack;

pub(crate) use apply::{At, apply};
pub(crate) use args::{ApplyArgs, PlanArgs};
pub(crate) use record::history;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use ::blueprint::{Blueprint, Parts, Settings, Template};
use args::{Authoriser, DrawingArgs, Format};
use charter::Checked;
use known::Known;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// Writes the template to standard output, or everything into a folder.
pub(crate) fn plan(house: &House, args: &PlanArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let charter = charter(house, args.charter.as_deref(), answers)?;
    let blueprint = draw(&charter, &args.drawing, answers)?;
    let written = |template: &Template| match args.format {
        Format::Yaml => template.to_yaml(),
        Format::Json => format!("{:#}\n", template.to_json()),
    };
    let text = written(&blueprint.template);
    let Parts { root, parts } = beside(&blueprint, &args.drawing, &BTreeMap::new())?;
    let Some(out) = &args.out else {
        answers.line(text.trim_end())?;
        if !parts.is_empty() {
            let resources = blueprint.template.len();
            answers.remark(&format!("note: {resources} resources are more than one stack takes; `--out DIR` writes them in {} parts", parts.len()));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let known = Known::of(&blueprint, &text)?;
    let report = serde_json::to_string_pretty(&known)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot encode the report: {error}")))?;
    let form = match args.format {
        Format::Yaml => "yaml",
        Format::Json => "json",
    };
    let mut files = vec![
        ("diagram.mmd".to_owned(), blueprint.diagram.to_mermaid()),
        ("diagram.svg".to_owned(), blueprint.diagram.to_svg()),
        ("report.json".to_owned(), report),
    ];
    if !parts.is_empty() {
        files.push((format!("whole.{form}"), text));
        files.extend(parts.iter().map(|(name, part)| (format!("{name}.{form}"), written(part))));
    }
    let parts = Parts { root, parts };
    let root = parts.addressed(|name, _| Ok::<_, Failure>(format!("{name}.{form}")))?;
    files.insert(0, (format!("template.{form}"), written(&root)));
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

/// The template as it is deployed beside what is there: resources by the nested stacks that they are in.
fn beside(
    blueprint: &Blueprint,
    args: &DrawingArgs,
    there: &BTreeMap<String, String>,
) -> Result<Parts, Failure> {
    let parts = blueprint.template.in_parts(args.limits(), there);
    parts.map_err(|wrong| Failure::new(Exit::Input, wrong.to_string()).with_help(wrong.help()))
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
