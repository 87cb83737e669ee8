//! Which controls and rules can be written as Guard, and the file of them. Of our own controls, those that ask one property
//! of one resource stand in `data/simple.json` with an expression that says the same; tests hold that it does.

use super::guard;
use super::guard_path::{GuardFor, Shape};
use super::host::ENVIRONMENT;
use crate::about::About;
use crate::checks::{controls, controls_named};
use crate::selection::{BadSelection, Selection};
use cel::Program;
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

/// A file of Guard rules, and what could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// The text of Guard.
    pub text: String,
    /// The ids of what is in it, each with the name of its Guard rule.
    pub written: Vec<(String, String)>,
    /// The ids of what is not in it, each with why.
    pub refused: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Simple {
    control: String,
    #[serde(rename = "type")]
    kind: String,
    expression: String,
}

/// That the file can be read is held by a test.
static SIMPLE: LazyLock<Vec<Simple>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/simple.json")).unwrap_or_default());

/// The type and the expression that say what a control of ours says, if it is that simple.
#[must_use]
pub fn simple_expression(control: &str) -> Option<(&'static str, &'static str)> {
    SIMPLE
        .iter()
        .find(|simple| simple.control == control)
        .map(|one| (one.kind.as_str(), one.expression.as_str()))
}

/// Writes controls and rules as Guard: those of these names, else all that are simple and all rules.
///
/// # Errors
/// If there is no such control or rule.
pub fn export_guard(selection: &Selection, names: &[String], to: GuardFor) -> Result<Exported, BadSelection> {
    let mut abouts: Vec<About> = Vec::new();
    for name in names {
        let before = abouts.len();
        abouts.extend(controls_named(name).map(About::from));
        abouts.extend(selection.all_rules().named(name).map(|rule| About::Rule(Arc::clone(rule))));
        if abouts.len() == before {
            // Says which names there are.
            Selection::default().control(name)?;
        }
    }
    if names.is_empty() {
        let simple = controls().filter(|control| simple_expression(control.id).is_some());
        abouts.extend(simple.map(About::from));
        abouts.extend(selection.all_rules().iter().map(|rule| About::Rule(Arc::clone(rule))));
    }
    let mut exported = Exported { text: header(to), ..Exported::default() };
    let mut taken: Vec<String> = Vec::new();
    for about in abouts {
        if taken.iter().any(|id| id == about.id()) {
            continue;
        }
        taken.push(about.id().to_owned());
        match one(&about, to) {
            Ok((name, text)) => {
                exported.text += &text;
                exported.written.push((about.id().to_owned(), name));
            }
            Err(why) => exported.refused.push((about.id().to_owned(), why)),
        }
    }
    Ok(exported)
}

fn header(to: GuardFor) -> String {
    let what = match to {
        GuardFor::Templates => "CloudFormation templates",
        GuardFor::Config => "custom-policy rules of AWS Config",
    };
    format!(
        "# Guard 3 rules for {what}, written by wardmote.\n# What is not known fails: Guard has no word for it.\n"
    )
}

/// The name and the text of one Guard rule.
fn one(about: &About, to: GuardFor) -> Result<(String, String), String> {
    let (kinds, lines) = match about {
        About::Control(control) => {
            let (kind, expression) = simple_expression(control.id).ok_or_else(|| {
                "it asks more than one property of one resource, or needs to know what else there is"
                    .to_owned()
            })?;
            let program = Program::compile(expression, &ENVIRONMENT).map_err(|wrong| wrong.to_string())?;
            (vec![kind], guard::lines(None, &program, Shape { to, kinds: &[kind] })?)
        }
        About::Rule(rule) => {
            let kinds: Vec<&str> = rule.kinds.iter().map(String::as_str).collect();
            let lines = guard::lines(rule.when.as_ref(), &rule.expression, Shape { to, kinds: &kinds })?;
            (kinds, lines)
        }
    };
    let name: String = about.id().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let title: String =
        about.title().replace(['<', '>'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
    let mut text = format!("\n# {}: {title} ({})\n", about.id(), about.severity());
    let list = kinds.join(", ");
    match to {
        GuardFor::Templates => {
            let _ = writeln!(text, "let of_{name} = Resources.*[ Type IN [{list}] ]");
            let _ = writeln!(text, "rule {name} when %of_{name} !empty {{\n    %of_{name} {{");
        }
        GuardFor::Config => {
            let _ = writeln!(text, "rule {name} when resourceType IN [{list}] {{");
        }
    }
    let indent = if to == GuardFor::Templates { "        " } else { "    " };
    for line in lines {
        for part in line.lines() {
            // A block opens or closes; a clause tells what it is about.
            let is_block = part.ends_with('{') || part.trim_end().ends_with('}');
            let message = if is_block || line.contains('\n') {
                String::new()
            } else {
                format!(" <<{}: {title}>>", about.id())
            };
            let _ = writeln!(text, "{indent}{part}{message}");
        }
    }
    text += if to == GuardFor::Templates { "    }\n}\n" } else { "}\n" };
    Ok((name, text))
}
