//! What an expression looked at, so that a finding says by what it is so.

use crate::answer::Evidence;
use crate::node::{Node, Place};
use crate::resource::Resource;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

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

/// How a step was looked at. Keys are places in the texts of the trail.
#[derive(Debug, Clone)]
enum Look<'a> {
    Read(Option<u32>, &'a Node),
    Present(Option<u32>),
    Absent(Whose<'a>, Range<usize>),
    Unknown(Whose<'a>, Range<usize>, String),
}

/// An object below a resource: the step that led there, or its properties themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) step: Option<u32>,
}

/// All steps and looks of one evaluation. It is cleared and used again, so that most evaluations need no memory for it.
#[derive(Debug, Default)]
pub(crate) struct Trail<'a> {
    /// The resource that is asked about, with its id as evidence has it.
    subject: Option<(&'a Resource, Arc<str>)>,
    steps: Vec<Step<'a>>,
    looks: Vec<Look<'a>>,
    texts: String,
}

impl<'a> Trail<'a> {
    /// The next evaluations are about this resource.
    pub(crate) fn of(&mut self, resource: &'a Resource) {
        self.subject = Some((resource, resource.id.as_str().into()));
    }

    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.looks.clear();
        self.texts.clear();
    }

    /// Goes one step further. Each costs the evaluation at least a step, so there are not too many.
    pub(crate) fn step(&mut self, whose: Whose<'a>, part: Part<'a>, at: Place) -> Option<u32> {
        let number = u32::try_from(self.steps.len()).ok()?;
        self.steps.push(Step { resource: whose.resource, parent: whose.step, part, at });
        Some(number)
    }

    pub(crate) fn read(&mut self, step: Option<u32>, node: &'a Node) {
        self.look(|_| Look::Read(step, node));
    }

    pub(crate) fn present(&mut self, step: Option<u32>) {
        self.look(|_| Look::Present(step));
    }

    /// There is no such member; the key may stand in several pieces.
    pub(crate) fn absent(&mut self, whose: Whose<'a>, key: &[&str]) {
        self.look(|texts| Look::Absent(whose, added(texts, key)));
    }

    pub(crate) fn unknown(&mut self, whose: Whose<'a>, key: &str, cause: &str) {
        self.look(|texts| Look::Unknown(whose, added(texts, &[key]), cause.to_owned()));
    }

    fn look(&mut self, look: impl FnOnce(&mut String) -> Look<'a>) {
        if self.looks.len() < MAX_LOOKS {
            self.looks.push(look(&mut self.texts));
        }
    }

    /// What was looked at, none twice; if `unknown`, what of it was not known.
    pub(crate) fn evidence(&self, unknown: bool) -> Vec<Evidence> {
        let mut told: Vec<Evidence> = Vec::with_capacity(self.looks.len().min(MAX_TOLD));
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
        let place = |at, resource: &Resource| if at == Place::default() { resource.at } else { at };
        match look {
            Look::Read(step, node) => {
                let (resource, path, at) = self.way((*step)?)?;
                let at = place(at, resource);
                Some(Evidence::of_path(self.id(resource), &path, at, &[" is `", &node.shown(), "`"]))
            }
            Look::Present(step) => {
                let (resource, path, at) = self.way((*step)?)?;
                Some(Evidence::of_path(self.id(resource), &path, place(at, resource), &[" is given"]))
            }
            Look::Absent(whose, key) => {
                let (path, at) = self.below(*whose, self.texts.get(key.clone())?)?;
                let at = place(at, whose.resource);
                Some(Evidence::of_path(self.id(whose.resource), &path, at, &[" is absent"]))
            }
            Look::Unknown(whose, key, cause) => {
                let (path, at) = if key.is_empty() {
                    whose.step.map_or(Some((Cow::Borrowed(""), whose.resource.at)), |step| {
                        self.way(step).map(|(_, path, at)| (path, at))
                    })?
                } else {
                    self.below(*whose, self.texts.get(key.clone())?)?
                };
                let at = place(at, whose.resource);
                Some(Evidence::new(self.id(whose.resource), path.into_owned(), at, cause.clone()))
            }
        }
    }

    fn id(&self, resource: &Resource) -> Arc<str> {
        match &self.subject {
            Some((subject, id)) if std::ptr::eq(*subject, resource) => Arc::clone(id),
            _ => resource.id.as_str().into(),
        }
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
    fn below<'k>(&self, whose: Whose<'a>, key: &'k str) -> Option<(Cow<'k, str>, Place)> {
        let Some(step) = whose.step else { return Some((Cow::Borrowed(key), whose.resource.at)) };
        let (_, path, at) = self.way(step)?;
        Some((Cow::Owned(format!("{path}.{key}")), at))
    }

    /// The resource, the path from its properties on, and the place of a step.
    fn way(&self, step: u32) -> Option<(&'a Resource, Cow<'a, str>, Place)> {
        let last = self.steps.get(step as usize)?;
        if let (Part::Key(key), None) = (last.part, last.parent) {
            return Some((last.resource, Cow::Borrowed(key), last.at));
        }
        let mut above = Vec::new();
        let mut at = last.parent;
        while let Some(step) = at {
            let step = self.steps.get(step as usize)?;
            above.push(step.part);
            at = step.parent;
        }
        let mut path = String::new();
        for part in above.iter().rev().chain([&last.part]) {
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
        Some((last.resource, Cow::Owned(path), last.at))
    }
}

/// Keeps a text among others; where it is.
fn added(texts: &mut String, text: &[&str]) -> Range<usize> {
    let from = texts.len();
    texts.extend(text.iter().copied());
    from..texts.len()
}
