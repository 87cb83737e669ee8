//! What an expression looked at, so that a finding says by what it is so.

use crate::answer::Evidence;
use crate::node::{Node, Place};
use crate::resource::Resource;
use std::fmt::Write as _;

/// Looks that are kept of one evaluation.
const MAX_LOOKS: usize = 4_096;
/// What of it is told.
const MAX_TOLD: usize = 8;

/// A property on its way from a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) resource: &'a Resource,
    /// The step before; of a first one none.
    parent: Option<u32>,
    part: Part<'a>,
    at: Place,
}

/// A member or an item.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    Key(&'a str),
    Item(usize),
}

/// How a step was looked at.
#[derive(Debug, Clone)]
enum Look<'a> {
    Read(Option<u32>, &'a Node),
    Present(Option<u32>),
    Absent(Whose<'a>, String),
    Unknown(Whose<'a>, String, String),
}

/// An object below a resource: the step that led there, or its properties themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) step: Option<u32>,
}

/// All steps and looks of one evaluation.
#[derive(Debug, Default)]
pub(crate) struct Trail<'a> {
    steps: Vec<Step<'a>>,
    looks: Vec<Look<'a>>,
}

impl<'a> Trail<'a> {
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.looks.clear();
    }

    /// Goes one step further. Each costs the evaluation at least a step, so there are not too many.
    pub(crate) fn step(&mut self, whose: Whose<'a>, part: Part<'a>, at: Place) -> Option<u32> {
        let number = u32::try_from(self.steps.len()).ok()?;
        self.steps.push(Step { resource: whose.resource, parent: whose.step, part, at });
        Some(number)
    }

    pub(crate) fn read(&mut self, step: Option<u32>, node: &'a Node) {
        self.look(|| Look::Read(step, node));
    }

    pub(crate) fn present(&mut self, step: Option<u32>) {
        self.look(|| Look::Present(step));
    }

    pub(crate) fn absent(&mut self, whose: Whose<'a>, key: &str) {
        self.look(|| Look::Absent(whose, key.to_owned()));
    }

    pub(crate) fn unknown(&mut self, whose: Whose<'a>, key: &str, cause: &str) {
        self.look(|| Look::Unknown(whose, key.to_owned(), cause.to_owned()));
    }

    fn look(&mut self, look: impl FnOnce() -> Look<'a>) {
        if self.looks.len() < MAX_LOOKS {
            self.looks.push(look());
        }
    }

    /// What was looked at, none twice; if `unknown`, what of it was not known.
    pub(crate) fn evidence(&self, unknown: bool) -> Vec<Evidence> {
        let mut told: Vec<Evidence> = Vec::new();
        for look in &self.looks {
            if unknown && !matches!(look, Look::Unknown(..)) {
                continue;
            }
            let Some(evidence) = self.told(look) else { continue };
            if !told.contains(&evidence) {
                told.push(evidence);
            }
            if told.len() == MAX_TOLD {
                break;
            }
        }
        told
    }

    fn told(&self, look: &Look<'a>) -> Option<Evidence> {
        let (resource, path, at, said) = match look {
            Look::Read(step, node) => {
                let (resource, path, at) = self.way((*step)?)?;
                let said = format!("`{path}` is `{}`", node.shown());
                (resource, path, at, said)
            }
            Look::Present(step) => {
                let (resource, path, at) = self.way((*step)?)?;
                let said = format!("`{path}` is given");
                (resource, path, at, said)
            }
            Look::Absent(whose, key) => {
                let (path, at) = self.below(*whose, key)?;
                let said = format!("`{path}` is absent");
                (whose.resource, path, at, said)
            }
            Look::Unknown(whose, key, cause) => {
                let (path, at) = if key.is_empty() {
                    whose.step.map_or(Some((String::new(), whose.resource.at)), |step| {
                        self.way(step).map(|(_, path, at)| (path, at))
                    })?
                } else {
                    self.below(*whose, key)?
                };
                (whose.resource, path, at, cause.clone())
            }
        };
        let at = if at == Place::default() { resource.at } else { at };
        Some(Evidence { resource: resource.id.clone(), path, line: at.line, column: at.column, said })
    }

    /// The names on the way to a member, with points; items of lists have none.
    pub(crate) fn path(&self, whose: Whose<'a>, key: &str) -> String {
        let mut parts = vec![key];
        let mut at = whose.step;
        while let Some(step) = at.and_then(|step| self.steps.get(step as usize)) {
            if let Part::Key(key) = step.part {
                parts.push(key);
            }
            at = step.parent;
        }
        parts.reverse();
        parts.join(".")
    }

    /// Where a member would be that an object does not have.
    fn below(&self, whose: Whose<'a>, key: &str) -> Option<(String, Place)> {
        let Some(step) = whose.step else { return Some((key.to_owned(), whose.resource.at)) };
        let (_, path, at) = self.way(step)?;
        Some((format!("{path}.{key}"), at))
    }

    /// The resource, the path from its properties on, and the place of a step.
    fn way(&self, step: u32) -> Option<(&'a Resource, String, Place)> {
        let last = self.steps.get(step as usize)?;
        let mut parts = vec![last.part];
        let mut at = last.parent;
        while let Some(step) = at {
            let step = self.steps.get(step as usize)?;
            parts.push(step.part);
            at = step.parent;
        }
        let mut path = String::new();
        for part in parts.iter().rev() {
            match part {
                Part::Item(at) => {
                    let _ = write!(path, "[{at}]");
                }
                Part::Key(key) if path.is_empty() => path.push_str(key),
                Part::Key(key) => {
                    let _ = write!(path, ".{key}");
                }
            }
        }
        Some((last.resource, path, last.at))
    }
}
