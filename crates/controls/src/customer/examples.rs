//! The examples that stand beside a rule, run as its tests.

use super::{Asking, Rule};
use crate::answer::Answer;
use crate::node::Place;
use crate::report::word;
use crate::template::template_of;
use std::sync::Arc;

/// What the resource of an example is called.
pub(crate) const SUBJECT: &str = "Subject";

/// What came of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it is called, or its number.
    pub name: String,
    /// Where it stands.
    pub at: Place,
    /// The verdict that was expected.
    pub expected: String,
    /// The verdict that came.
    pub found: String,
    /// The reason that came with it.
    pub reason: String,
}

impl Outcome {
    /// Whether it came as expected.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.expected == self.found
    }
}

/// Asks a rule of the resource of each of its examples.
#[must_use]
pub fn run_examples(rule: &Arc<Rule>) -> Vec<Outcome> {
    let all = rule.examples.iter().enumerate();
    let run = |(number, example): (usize, &super::Example)| {
        let (found, reason) = match answer(rule, example) {
            Ok(answer) => {
                (word(&answer.verdict).to_owned(), crate::report::reason(&answer.verdict).to_owned())
            }
            Err(why) => ("unreadable".to_owned(), why),
        };
        let name = example.name.clone().unwrap_or_else(|| format!("number {}", number + 1));
        Outcome { name, at: example.at, expected: example.verdict.clone(), found, reason }
    };
    all.map(run).collect()
}

fn answer(rule: &Arc<Rule>, example: &super::Example) -> Result<Answer, String> {
    let estate = template_of(&rule.file, &example.template).map_err(|wrong| wrong.to_string())?;
    let Some(subject) = estate.named(SUBJECT) else { return Err("there is no `Subject`".to_owned()) };
    let mut found = None;
    Asking::new(&estate, std::iter::once(rule)).of(subject, |_, answer| found = Some(answer));
    found.ok_or_else(|| format!("the rule is not about `{}`", subject.kind))
}
