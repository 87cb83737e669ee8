//! Rules that customers write, beside the controls of ours: read from a file, asked of resources, held by examples, and
//! written as Guard rules where that can say the same.

mod ask;
mod examples;
mod export;
mod guard;
mod guard_path;
mod host;
mod read;
mod trail;

pub(crate) use ask::Asking;
pub use examples::{Outcome, run_examples};
pub use export::{Exported, export_guard, simple_expression};
pub use guard_path::GuardFor;
pub use read::rules;

use crate::framework::{Framework, Requirement};
use crate::node::{Node, Place};
use crate::policies::covers;
use crate::unit::{Reach, Severity};
use cel::Program;
use std::sync::Arc;

/// A rule of a customer.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What must be so, in one sentence.
    pub title: String,
    /// How bad it is if it is not so.
    pub severity: Severity,
    /// Whether other resources are looked at.
    pub reach: Reach,
    /// The types of resources that it concerns.
    pub kinds: Vec<String>,
    /// What else it is called.
    pub aliases: Vec<String>,
    /// What, how to fix, where it stands; Markdown.
    pub description: String,
    /// What of which framework it answers.
    pub answers: Vec<(&'static Framework, &'static Requirement)>,
    /// The file that it was read from.
    pub file: String,
    /// Where it stands in it.
    pub at: Place,
    pub(crate) when: Option<Program>,
    pub(crate) expression: Program,
    pub(crate) message: Option<Message>,
    pub(crate) examples: Vec<Example>,
}

/// What is said when a rule is broken.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    Text(String),
    Expression(Program),
}

/// A resource, and what the rule must say of it.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) at: Place,
    pub(crate) name: Option<String>,
    /// A template with the resource `Subject` in it.
    pub(crate) template: Node,
    /// The verdict in the words of the command line.
    pub(crate) verdict: String,
}

/// Two rules are one if they were read from one place.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, self.at, &self.id, &self.expression)
            == (&other.file, other.at, &other.id, &other.expression)
    }
}

impl Eq for Rule {}

impl Rule {
    /// The expression, as it was written.
    #[must_use]
    pub fn expression(&self) -> &str {
        self.expression.text()
    }

    /// How many examples the file has of it.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.examples.len()
    }
}

/// The rules of all files that were named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(pub(crate) Vec<Arc<Rule>>);

impl Rules {
    /// All of them, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of this id, or that are called so too; in any case. Wildcards are allowed.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Arc<Rule>> {
        let name = name.to_ascii_lowercase();
        self.0.iter().filter(move |rule| {
            let mut names = std::iter::once(&rule.id).chain(&rule.aliases);
            names.any(|one| covers(&name, &one.to_ascii_lowercase()))
        })
    }
}
