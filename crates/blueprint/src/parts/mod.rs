//! A template that is larger than CloudFormation takes, as a root with nested stacks.
//!
//! Resources go into parts in an order in which each refers only to earlier ones, so that values go one way: out of a part as
//! outputs, through the root, into later parts as parameters. What is judged and proved is the whole; [`joined`] makes it
//! again of what is deployed.
//!
//! Source: AWS CloudFormation User Guide, "Split a template into reusable pieces using nested stacks", "CloudFormation quotas".

mod joined;
mod references;

pub use joined::joined;

use crate::template::{Area, MOST_BYTES, MOST_RESOURCES, Output, Parameter, Resource, Template, Unbuildable};
use references::{Reference, references, rewritten};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The type of a nested stack.
pub(crate) const STACK: &str = "AWS::CloudFormation::Stack";
/// The name of the whole stack; that of a nested one is another.
const STACK_NAME: &str = "AWS::StackName";

/// What CloudFormation takes at most in one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Resources.
    pub resources: usize,
    /// Bytes, as JSON.
    pub bytes: usize,
    /// Parameters, and outputs.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { resources: MOST_RESOURCES, bytes: MOST_BYTES, values: 200 }
    }
}

/// A template in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// What is deployed; it says where the parts are.
    pub root: Template,
    /// The parts, by the names of their nested stacks.
    pub parts: Vec<(String, Template)>,
}

impl Parts {
    /// The root with the addresses of its parts in place of `NAME.yaml`.
    ///
    /// # Errors
    /// Whatever `address` says.
    pub fn addressed<E>(
        &self,
        mut address: impl FnMut(&str, &Template) -> Result<String, E>,
    ) -> Result<Template, E> {
        let mut root = self.root.clone();
        for resource in root.areas.iter_mut().flat_map(|area| &mut area.resources) {
            if let Some((name, part)) = self.parts.iter().find(|(name, _)| *name == resource.id) {
                resource.properties["TemplateURL"] = json!(address(name, part)?);
            }
        }
        Ok(root)
    }
}

impl Template {
    /// The template in parts, or nothing if CloudFormation takes it as a whole.
    ///
    /// # Errors
    /// If no parts of it are small enough.
    pub fn in_parts(&self, limits: Limits) -> Result<Option<Parts>, Unbuildable> {
        if limits.take(self) {
            return Ok(None);
        }
        let too_large = || {
            let (number, bytes) = (self.len(), self.bytes());
            let message = format!(
                "the template would have {number} resources and {bytes} bytes, and cannot be put into parts as \
                 CloudFormation takes them: of {} resources, {} bytes and {} values that go from one to another",
                limits.resources, limits.bytes, limits.values
            );
            let help = "give each group of models a charter, and so a stack, of its own";
            Unbuildable { message, help }
        };
        let sorted = Sorted::new(self).ok_or_else(too_large)?;
        let (mut begin, mut parts) = (0, Vec::new());
        while begin < sorted.resources.len() {
            let name = format!("Part{}", parts.len() + 1);
            let most = sorted.resources.len().min(begin + limits.resources);
            let fits = (begin + 1..=most).rev().find_map(|end| {
                let part = sorted.part(&name, begin..end);
                limits.take(&part).then_some((end, part))
            });
            let (end, part) = fits.ok_or_else(too_large)?;
            parts.push((begin..end, name, part));
            begin = end;
        }
        let root = sorted.root(&parts);
        let parts = parts.into_iter().map(|(_, name, part)| (name, part)).collect();
        if limits.take(&root) { Ok(Some(Parts { root, parts })) } else { Err(too_large()) }
    }
}

impl Limits {
    fn take(&self, template: &Template) -> bool {
        template.len() <= self.resources
            && template.parameters.len() <= self.values
            && template.outputs.len() <= self.values
            && template.bytes() <= self.bytes
    }
}

/// The resources of a template in an order in which each refers only to earlier ones.
struct Sorted<'a> {
    whole: &'a Template,
    /// Each with its area.
    resources: Vec<(&'a Resource, &'a Area)>,
    /// What each refers to.
    references: Vec<BTreeSet<Reference>>,
    /// Where each is.
    places: BTreeMap<&'a str, usize>,
}

type Range = std::ops::Range<usize>;

impl<'a> Sorted<'a> {
    /// None if resources refer to each other in a circle, which CloudFormation would not take either.
    fn new(whole: &'a Template) -> Option<Self> {
        let all: Vec<(&Resource, &Area)> =
            whole.areas.iter().flat_map(|area| area.resources.iter().map(move |one| (one, area))).collect();
        let known: BTreeSet<&str> = all.iter().map(|(one, _)| one.id.as_str()).collect();
        let mut waiting: Vec<(&Resource, &Area, BTreeSet<Reference>)> =
            all.into_iter().map(|(one, area)| (one, area, references(&one.properties))).collect();
        let mut sorted =
            Self { whole, resources: Vec::new(), references: Vec::new(), places: BTreeMap::new() };
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (one, area, refers) in waiting {
                let needs =
                    refers.iter().map(|to| to.id.as_str()).chain(one.after.iter().map(String::as_str));
                let is_there =
                    |id: &str| !known.contains(id) || sorted.places.contains_key(id) || id == one.id;
                if needs.into_iter().all(is_there) {
                    sorted.places.insert(&one.id, sorted.resources.len());
                    sorted.resources.push((one, area));
                    sorted.references.push(refers);
                } else {
                    later.push((one, area, refers));
                }
            }
            if later.len() == before {
                return None;
            }
            waiting = later;
        }
        Some(sorted)
    }

    /// What resources of a range refer to outside of it.
    fn taken(&self, range: &Range) -> BTreeSet<&Reference> {
        let outside = |to: &&Reference| self.places.get(to.id.as_str()).is_some_and(|at| !range.contains(at));
        self.references[range.clone()].iter().flatten().filter(outside).collect()
    }

    /// What later resources, and the outputs of the whole, refer to in a range.
    fn given(&self, range: &Range) -> BTreeSet<Reference> {
        let inside = |to: &Reference| self.places.get(to.id.as_str()).is_some_and(|at| range.contains(at));
        let later = self.references[range.end..].iter().flatten().cloned();
        let told = self.whole.outputs.iter().flat_map(|output| references(&output.value));
        later.chain(told).filter(inside).collect()
    }

    /// Conditions that resources of a range have or ask.
    fn conditions(&self, range: &Range) -> Vec<(String, Value)> {
        let mut wanted = BTreeSet::new();
        for (one, _) in &self.resources[range.clone()] {
            wanted.extend(one.condition.clone());
            asked(&one.properties, &mut wanted);
        }
        // A condition may ask others.
        loop {
            let before = wanted.len();
            for (name, value) in &self.whole.conditions {
                if wanted.contains(name) {
                    asked(value, &mut wanted);
                }
            }
            if wanted.len() == before {
                break;
            }
        }
        self.whole.conditions.iter().filter(|(name, _)| wanted.contains(name)).cloned().collect()
    }

    fn part(&self, name: &str, range: Range) -> Template {
        let mut part = Template::new(format!("{name} of {}", self.whole.description));
        part.conditions = self.conditions(&range);
        let told = part.conditions.iter().flat_map(|(_, value)| references(value));
        let own: BTreeSet<Reference> =
            self.references[range.clone()].iter().flatten().cloned().chain(told).collect();
        let given = self.whole.parameters.iter().filter(|one| own.contains(&Reference::to(&one.name)));
        part.parameters = given.map(|one| text(&one.name, one.description.clone())).collect();
        if own.contains(&Reference::to(STACK_NAME)) {
            part.parameters
                .push(text("WholeStackName", "The name of the stack that this is a part of.".to_owned()));
        }
        let taken = self.taken(&range);
        part.parameters
            .extend(taken.iter().map(|to| text(&passed(to), format!("From an earlier part: {}", said(to)))));
        part.outputs = self.given(&range).iter().map(|to| self.output(to)).collect();
        let mut other = |to: &Reference| match to.id.as_str() {
            STACK_NAME => Some(Reference::to("WholeStackName")),
            _ => taken.contains(to).then(|| Reference::to(passed(to))),
        };
        for (one, area) in &self.resources[range.clone()] {
            let properties = rewritten(&one.properties, &mut other);
            let mut one = Resource { properties, ..(*one).clone() };
            // Parts follow each other anyway.
            one.after.retain(|id| self.places.get(id.as_str()).is_some_and(|at| range.contains(at)));
            match part.areas.iter_mut().find(|known| known.title == area.title) {
                Some(known) => known.resources.push(one),
                None => part.areas.push(Area { title: area.title, why: area.why, resources: vec![one] }),
            }
        }
        part
    }

    fn output(&self, to: &Reference) -> Output {
        let condition = self.condition_of(to).map(str::to_owned);
        Output { name: passed(to), description: "for later parts", value: to.value(), condition }
    }

    fn condition_of(&self, to: &Reference) -> Option<&'a str> {
        self.places.get(to.id.as_str()).and_then(|at| self.resources[*at].0.condition.as_deref())
    }

    fn root(&self, parts: &[(Range, String, Template)]) -> Template {
        let mut root = self.whole.clone();
        let holder = |to: &Reference| {
            let at = self.places.get(to.id.as_str())?;
            let (_, name, _) = parts.iter().find(|(range, _, _)| range.contains(at))?;
            Some(Reference::get(name, format!("Outputs.{}", passed(to))))
        };
        for output in &mut root.outputs {
            output.value = rewritten(&output.value, &mut |to| holder(to));
        }
        let mut stacks: Vec<Resource> = Vec::new();
        for (range, name, part) in parts {
            let mut values = serde_json::Map::new();
            for parameter in &part.parameters {
                values.insert(parameter.name.clone(), json!({"Ref": parameter.name}));
            }
            if values.contains_key("WholeStackName") {
                values.insert("WholeStackName".to_owned(), json!({"Ref": STACK_NAME}));
            }
            for to in self.taken(range) {
                let value = holder(to).map_or(Value::Null, |from| from.value());
                // Where the condition does not hold, the output is not there, and nobody asks for it.
                let value = match self.condition_of(to) {
                    Some(condition) => json!({"Fn::If": [condition, value, ""]}),
                    None => value,
                };
                values.insert(passed(to), value);
            }
            let properties = json!({"TemplateURL": format!("{name}.yaml"), "Parameters": values});
            let mut stack = Resource::new(name, STACK, properties)
                .why(format!("{} resources; whoever deploys says where its template is", part.len()));
            stack.after = stacks.last().map(|last| last.id.clone()).into_iter().collect();
            stacks.push(stack);
        }
        let why = "CloudFormation takes so many resources in one stack and no more.";
        root.areas = vec![Area { title: "Parts", why, resources: stacks }];
        root
    }
}

/// Names of conditions in `Fn::If` and, within conditions, in `Condition`.
fn asked(value: &Value, wanted: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| asked(item, wanted)),
        Value::Object(map) => {
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("Fn::If", Value::Array(words)) => {
                        wanted.extend(words.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    // In policies it is a map.
                    ("Condition", Value::String(name)) => drop(wanted.insert(name.clone())),
                    _ => {}
                }
                asked(inner, wanted);
            }
        }
        _ => {}
    }
}

/// The name of a value that goes from one part to another.
fn passed(to: &Reference) -> String {
    match &to.attribute {
        None => format!("Of{}", to.id),
        Some(attribute) => format!("{}Of{}", attribute.replace('.', ""), to.id),
    }
}

fn said(to: &Reference) -> String {
    match &to.attribute {
        None => format!("what {} is called", to.id),
        Some(attribute) => format!("{attribute} of {}", to.id),
    }
}

fn text(name: &str, description: String) -> Parameter {
    Parameter { name: name.to_owned(), kind: "String", description, default: None, pattern: None }
}
