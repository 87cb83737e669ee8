//! What a check answers, and by what: verdicts with evidence, and how they are joined.

use crate::node::{Node, Place, Value};
use crate::resource::{Resource, State, cause, look};
use facts::Verdict;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// One thing that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The resource, by its id.
    pub resource: Arc<str>,
    path: Path,
    /// From 1; 0 if it stands nowhere.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What is so, in one sentence.
    pub said: String,
}

/// Where the path of a property is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Path {
    Own(String),
    /// It is what is said first, between backticks, and so long: most evidence is told so, and there may be much of it.
    Said(usize),
}

impl Evidence {
    /// The property, by its path; empty for the resource itself.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.path {
            Path::Own(path) => path,
            Path::Said(length) => self.said.get(1..=*length).unwrap_or_default(),
        }
    }

    pub(crate) fn new(resource: Arc<str>, path: String, at: Place, said: String) -> Self {
        Self { resource, path: Path::Own(path), line: at.line, column: at.column, said }
    }

    /// The path in backticks, and what is so of it.
    pub(crate) fn of_path(resource: Arc<str>, path: &str, at: Place, is: &[&str]) -> Self {
        let mut said =
            String::with_capacity(path.len() + 2 + is.iter().map(|part| part.len()).sum::<usize>());
        said.push('`');
        said.push_str(path);
        said.push('`');
        is.iter().for_each(|part| said.push_str(part));
        Self { resource, path: Path::Said(path.len()), line: at.line, column: at.column, said }
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Evidence", 5)?;
        fields.serialize_field("resource", &*self.resource)?;
        fields.serialize_field("path", self.path())?;
        fields.serialize_field("line", &self.line)?;
        fields.serialize_field("column", &self.column)?;
        fields.serialize_field("said", &self.said)?;
        fields.end()
    }
}

/// A verdict and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) evidence: Vec<Evidence>,
}

/// A place that an answer is about.
#[derive(Debug, Clone)]
pub(crate) struct Spot<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) path: String,
    pub(crate) at: Place,
}

impl<'a> Spot<'a> {
    /// The resource itself.
    pub(crate) fn of(resource: &'a Resource) -> Self {
        Self { resource, path: String::new(), at: resource.at }
    }

    fn evidence(self, said: &str) -> Evidence {
        Evidence::new(self.resource.id.as_str().into(), self.path, self.at, said.to_owned())
    }

    pub(crate) fn holds(self, said: impl Into<String>) -> Answer {
        Answer { verdict: Verdict::Holds, evidence: vec![self.evidence(&said.into())] }
    }

    pub(crate) fn broken(self, said: impl Into<String>) -> Answer {
        let reason = said.into();
        let evidence = vec![self.evidence(&reason)];
        Answer { verdict: Verdict::Broken { reason }, evidence }
    }

    pub(crate) fn unknown(self, missing: impl Into<String>) -> Answer {
        let missing = missing.into();
        let evidence = vec![self.evidence(&missing)];
        Answer { verdict: Verdict::Unknown { missing }, evidence }
    }
}

/// The control does not concern the resource.
pub(crate) fn not_applicable(reason: impl Into<String>) -> Answer {
    Answer { verdict: Verdict::NotApplicable { reason: reason.into() }, evidence: Vec::new() }
}

impl Answer {
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Broken { .. })
    }

    pub(crate) fn is_holds(&self) -> bool {
        matches!(self.verdict, Verdict::Holds)
    }

    fn same_sort(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.verdict) == std::mem::discriminant(&other.verdict)
    }

    /// The answer with the evidence of another before it: how one comes from here to there.
    pub(crate) fn by_way_of(mut self, spot: Spot<'_>, said: &str) -> Self {
        self.evidence.insert(0, spot.evidence(said));
        self
    }

    /// A resource that perhaps does not exist proves nothing good.
    pub(crate) fn if_exists(self, related: &Resource, subject: &Resource) -> Self {
        match &related.condition {
            Some(condition) if self.is_holds() && related.condition != subject.condition => Spot::of(related)
                .unknown(format!(
                    "`{}` exists only if condition `{condition}` holds, which cannot be worked out",
                    related.id
                )),
            _ => self,
        }
    }
}

/// All must hold: the worst decides, and its evidence is told.
pub(crate) fn all(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut worst = not_applicable("there is nothing here that it concerns");
    for answer in answers {
        if answer.same_sort(&worst) {
            worst.evidence.extend(answer.evidence);
        } else if worst.verdict.clone().and(answer.verdict.clone()) == answer.verdict {
            worst = answer;
        }
    }
    worst
}

/// One must hold; if none does, what could hold is unknown, and else what is broken is told.
pub(crate) fn any(answers: impl IntoIterator<Item = Answer>) -> Option<Answer> {
    let mut best: Option<Answer> = None;
    for answer in answers {
        if answer.is_holds() {
            return Some(answer);
        }
        best = Some(match best {
            None => answer,
            Some(mut before) if before.same_sort(&answer) => {
                before.evidence.extend(answer.evidence);
                before
            }
            Some(before) if before.is_broken() => answer,
            Some(before) => before,
        });
    }
    best
}

/// A property and what is known of it.
pub(crate) struct Found<'a> {
    pub(crate) spot: Spot<'a>,
    pub(crate) state: State<'a>,
}

/// The property of a resource at a path with dots.
pub(crate) fn find<'a>(resource: &'a Resource, path: &str) -> Found<'a> {
    let steps: Vec<&str> = path.split('.').collect();
    let spot = Spot { resource, path: path.to_owned(), at: resource.place_of(&steps) };
    Found { spot, state: resource.property(&steps) }
}

/// A property below a part of a resource, such as an item of a list.
pub(crate) fn below<'a>(spot: &Spot<'a>, node: &'a Node, path: &str) -> Found<'a> {
    let steps: Vec<&str> = path.split('.').collect();
    let state = look(node, &steps);
    let at = match &state {
        State::Known(known) => known.at,
        _ => node.at,
    };
    let at = if at == Place::default() { spot.at } else { at };
    let path = if spot.path.is_empty() { path.to_owned() } else { format!("{}.{path}", spot.path) };
    Found { spot: Spot { resource: spot.resource, path, at }, state }
}

impl<'a> Found<'a> {
    /// The items of a list with their spots; nothing if it is absent or not known.
    pub(crate) fn items(&self) -> Vec<(Spot<'a>, &'a Node)> {
        let State::Known(node) = self.state else { return Vec::new() };
        let items = node.items().iter().enumerate();
        let spot = |(at, item): (usize, &'a Node)| {
            let path = format!("{}[{at}]", self.spot.path);
            (Spot { resource: self.spot.resource, path, at: item.at }, item)
        };
        items.map(spot).collect()
    }

    /// Why the property is not known, if it is not.
    pub(crate) fn missing(&self) -> Option<String> {
        match &self.state {
            State::Unknown(cause) => Some(cause.clone()),
            _ => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.state == State::Absent
    }

    /// It must be this truth value; `default` is what AWS takes if it is absent.
    pub(crate) fn flag(self, wanted: bool, default: bool) -> Answer {
        let path = self.spot.path.clone();
        match self.state {
            State::Unknown(cause) => self.spot.unknown(cause),
            State::Absent if default == wanted => self.spot.holds(format!("`{path}` is {wanted} by default")),
            State::Absent => {
                self.spot.broken(format!("`{path}` is absent, which means {default}; {wanted} is wanted"))
            }
            State::Known(node) => match node.truth() {
                Some(value) if value == wanted => self.spot.holds(format!("`{path}` is {value}")),
                Some(value) => self.spot.broken(format!("`{path}` is {value}; {wanted} is wanted")),
                None => self.spot.unknown(why(node, "expected `true` or `false`")),
            },
        }
    }

    /// It must be one of these words; `default` is what AWS takes if it is absent.
    pub(crate) fn word(self, wanted: &[&str], default: Option<&str>) -> Answer {
        let path = self.spot.path.clone();
        let list = wanted.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let text = match &self.state {
            State::Unknown(cause) => return self.spot.unknown(cause.clone()),
            State::Known(node) => match node.text() {
                Some(text) => text,
                None => return self.spot.clone().unknown(why(node, &format!("expected {list}"))),
            },
            State::Absent => match default {
                Some(default) => default,
                None => return self.spot.broken(format!("`{path}` is absent; {list} is wanted")),
            },
        };
        if wanted.contains(&text) {
            return self.spot.holds(format!("`{path}` is `{text}`"));
        }
        let is = match self.state {
            State::Absent => format!("absent, which means `{text}`"),
            _ => format!("`{text}`"),
        };
        let said = format!("`{path}` is {is}; {list} is wanted");
        self.spot.broken(said)
    }

    /// It must be there and not empty.
    pub(crate) fn present(self) -> Answer {
        let path = self.spot.path.clone();
        let node = match self.state {
            State::Absent => return self.spot.broken(format!("`{path}` is absent")),
            State::Unknown(cause) => {
                let steps: Vec<&str> = path.split('.').collect();
                return match raw(self.spot.resource, &steps).and_then(Node::hole) {
                    Some(hole) if hole.present => {
                        self.spot.holds(format!("`{path}` is given, whatever it is"))
                    }
                    _ => self.spot.unknown(cause),
                };
            }
            State::Known(node) => node,
        };
        let empty = match &node.value {
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if empty {
            return self.spot.broken(format!("`{path}` is empty"));
        }
        // A list of nothing but unknown values may be a list of empty ones.
        match &node.value {
            Value::List(items) if items.iter().all(|item| item.hole().is_some_and(|hole| !hole.present)) => {
                self.spot.unknown(items.first().map(cause).unwrap_or_default())
            }
            _ => self.spot.holds(format!("`{path}` is given")),
        }
    }

    /// It must be a key of the customer, not one that AWS manages.
    pub(crate) fn customer_key(self) -> Answer {
        let path = self.spot.path.clone();
        match self.state {
            State::Absent => self.spot.broken(format!("`{path}` is absent, so no key of yours is used")),
            State::Unknown(cause) => self.spot.unknown(cause),
            State::Known(node) => match &node.value {
                Value::Open(_) if node.hole().is_some() && node.edges().is_empty() => {
                    self.spot.unknown(cause(node))
                }
                Value::Open(_) if node.shown().contains("alias/aws/") => {
                    self.spot.broken(format!("`{path}` is `{}`, a key that AWS manages", node.shown()))
                }
                Value::Open(_) => self.spot.holds(format!("`{path}` is `{}`", node.shown())),
                Value::Text(text) if text.is_empty() => self.spot.broken(format!("`{path}` is empty")),
                Value::Text(text) if text.contains("alias/aws/") => {
                    self.spot.broken(format!("`{path}` is `{text}`, a key that AWS manages"))
                }
                Value::Text(text) => self.spot.holds(format!("`{path}` is `{text}`")),
                _ => self.spot.unknown(why(node, "expected a key")),
            },
        }
    }
}

fn why(node: &Node, expected: &str) -> String {
    if matches!(node.value, Value::Open(_)) {
        cause(node)
    } else {
        format!("{expected}, found `{}`", node.shown())
    }
}

/// The value at a path, known or not.
fn raw<'a>(resource: &'a Resource, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(&resource.properties, |node, step| node.get(step))
}
