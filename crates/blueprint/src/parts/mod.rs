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
/// What nested stacks are called, before their number.
const PART: &str = "Part";
/// The name of the whole stack; that of a nested one is another, and so is told.
const STACK_NAME: &str = "AWS::StackName";
const WHOLE_NAME: &str = "WholeStackName";
/// One of so many resources is left out of a part when it is first made, for what is to come.
const ROOM: usize = 5;

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

/// A template as it is deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// What is deployed; it says where the parts are. Without parts it is the whole.
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
    /// How the template is deployed: in parts if CloudFormation does not take it as a whole. `before` says in which nested
    /// stack each resource is already, with an empty name for the stack itself: nothing is moved from one stack to another,
    /// because CloudFormation would remove it there and make it anew here.
    ///
    /// # Errors
    /// If no parts of it are small enough, or something would have to move.
    pub fn in_parts(&self, limits: Limits, before: &BTreeMap<String, String>) -> Result<Parts, Unbuildable> {
        let was_in_parts = before.values().any(|part| !part.is_empty());
        if limits.take(self) && !was_in_parts {
            return Ok(Parts { root: self.clone(), parts: Vec::new() });
        }
        let refused = |why: &str, help| {
            let (number, bytes) = (self.len(), self.bytes());
            let message = format!(
                "the template would have {number} resources and {bytes} bytes, and {why}: CloudFormation takes {} resources, {} \
                 bytes and {} values that go from one part to another",
                limits.resources, limits.bytes, limits.values
            );
            Unbuildable { message, help }
        };
        let help = "give each group of models a charter, and so a stack, of its own";
        if !before.is_empty() && !was_in_parts {
            return Err(refused("what the stack holds already would have to go into parts of it", help));
        }
        let too_large = || refused("cannot be put into parts", help);
        let sorted = Sorted::new(self).ok_or_else(too_large)?;
        let parts = match was_in_parts {
            true => sorted.added(before, limits).ok_or_else(|| {
                refused("what is new has no room in the parts that are there, without moving what is", help)
            })?,
            false => sorted.cut(limits).ok_or_else(too_large)?,
        };
        let (root, parts) = sorted.built(&parts);
        let fit = parts.iter().all(|(_, part)| limits.take(part)) && limits.take(&root);
        if fit { Ok(Parts { root, parts }) } else { Err(too_large()) }
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

    /// The part of each resource, for a first deployment: one after the other, with room for more in each.
    fn cut(&self, limits: Limits) -> Option<Vec<usize>> {
        let room = Limits { resources: limits.resources.div_ceil(ROOM) * (ROOM - 1), ..limits };
        let all = self.resources.len();
        let mut parts = vec![usize::MAX; all];
        let (mut begin, mut part) = (0, 0);
        while begin < all {
            let mut bytes = 0;
            let most = self.resources[begin..].iter().take(room.resources.max(1)).take_while(|(one, _)| {
                bytes += one.section().to_string().len();
                bytes <= limits.bytes
            });
            let most = begin + most.count();
            let end = (begin + 1..=most).rev().find(|end| {
                parts[begin..*end].fill(part);
                parts[*end..].fill(usize::MAX);
                room.take(&self.part(&parts, part))
            })?;
            (begin, part) = (end, part + 1);
        }
        Some(parts)
    }

    /// The part of each resource, where most have one already. What is new goes into the last part, or a new one, or before
    /// what is there and refers to it.
    fn added(&self, before: &BTreeMap<String, String>, limits: Limits) -> Option<Vec<usize>> {
        let number = |id: &str| -> Option<usize> {
            before.get(id)?.strip_prefix(PART)?.parse::<usize>().ok()?.checked_sub(1)
        };
        let known: Vec<Option<usize>> = self.resources.iter().map(|(one, _)| number(&one.id)).collect();
        let needs = |at: usize| {
            let (one, _) = self.resources[at];
            let ids = self.references[at].iter().map(|to| &to.id).chain(&one.after);
            ids.filter_map(|id| self.places.get(id.as_str()).copied()).filter(move |other| *other != at)
        };
        // Backwards: no part later than the earliest of those that refer to it.
        let mut latest = vec![usize::MAX; known.len()];
        for at in (0..known.len()).rev() {
            let own = known[at].unwrap_or(latest[at]);
            needs(at).for_each(|other| latest[other] = latest[other].min(own));
        }
        let mut last = known.iter().flatten().copied().max()?;
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        known.iter().flatten().for_each(|part| *sizes.entry(*part).or_default() += 1);
        let mut parts = vec![0; known.len()];
        for at in 0..known.len() {
            let earliest = needs(at).map(|other| parts[other]).max().unwrap_or(0);
            let has_room = |part: &usize| sizes.get(part).is_none_or(|size| *size < limits.resources);
            let part = match known[at] {
                Some(part) => (earliest..=latest[at]).contains(&part).then_some(part)?,
                None if latest[at] == usize::MAX => (last.max(earliest)..).find(has_room)?,
                None => (earliest..=latest[at]).rev().find(has_room)?,
            };
            if known[at].is_none() {
                *sizes.entry(part).or_default() += 1;
            }
            last = last.max(part);
            parts[at] = part;
        }
        Some(parts)
    }

    /// The root and the parts.
    fn built(&self, parts: &[usize]) -> (Template, Vec<(String, Template)>) {
        let all: BTreeSet<usize> = parts.iter().copied().collect();
        let built: Vec<(String, Template)> =
            all.into_iter().map(|part| (name(part), self.part(parts, part))).collect();
        (self.root(parts, &built), built)
    }

    /// What resources of a part refer to in others.
    fn taken(&self, parts: &[usize], part: usize) -> BTreeSet<&Reference> {
        let inside = parts.iter().zip(&self.references).filter(|(of, _)| **of == part);
        let outside = |to: &&Reference| self.places.get(to.id.as_str()).is_some_and(|at| parts[*at] != part);
        inside.flat_map(|(_, references)| references).filter(outside).collect()
    }

    /// What other parts, and the outputs of the whole, refer to in a part.
    fn given(&self, parts: &[usize], part: usize) -> BTreeSet<Reference> {
        let others = parts.iter().zip(&self.references).filter(|(of, _)| **of != part);
        let told = self.whole.outputs.iter().flat_map(|output| references(&output.value));
        let inside = |to: &Reference| self.places.get(to.id.as_str()).is_some_and(|at| parts[*at] == part);
        others.flat_map(|(_, references)| references).cloned().chain(told).filter(inside).collect()
    }

    /// Conditions that resources of a part have or ask.
    fn conditions(&self, members: &[usize]) -> Vec<(String, Value)> {
        let mut wanted = BTreeSet::new();
        for at in members {
            let (one, _) = self.resources[*at];
            wanted.extend(one.condition.clone());
            asked(&one.properties, &mut wanted);
        }
        self.with_asked(wanted)
    }

    /// Conditions, with those that they ask themselves.
    fn with_asked(&self, mut wanted: BTreeSet<String>) -> Vec<(String, Value)> {
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

    fn part(&self, parts: &[usize], part: usize) -> Template {
        let members: Vec<usize> = (0..parts.len()).filter(|at| parts[*at] == part).collect();
        let mut made = Template::new(format!("{} of {}", name(part), self.whole.description));
        made.conditions = self.conditions(&members);
        let told = made.conditions.iter().flat_map(|(_, value)| references(value));
        let own: BTreeSet<Reference> =
            members.iter().flat_map(|at| &self.references[*at]).cloned().chain(told).collect();
        let given = self.whole.parameters.iter().filter(|one| own.contains(&Reference::to(&one.name)));
        made.parameters = given.map(|one| text(&one.name, one.description.clone())).collect();
        if own.contains(&Reference::to(STACK_NAME)) {
            made.parameters
                .push(text(WHOLE_NAME, "The name of the stack that this is a part of.".to_owned()));
        }
        let taken = self.taken(parts, part);
        made.parameters
            .extend(taken.iter().map(|to| text(&passed(to), format!("From an earlier part: {}", said(to)))));
        made.outputs = self.given(parts, part).iter().map(|to| self.output(to)).collect();
        let mut other = |to: &Reference| match to.id.as_str() {
            STACK_NAME => Some(Reference::to(WHOLE_NAME)),
            _ => taken.contains(to).then(|| Reference::to(passed(to))),
        };
        for at in members {
            let (one, area) = self.resources[at];
            let properties = rewritten(&one.properties, &mut other);
            let mut one = Resource { properties, ..one.clone() };
            // Parts follow each other anyway.
            one.after.retain(|id| self.places.get(id.as_str()).is_some_and(|at| parts[*at] == part));
            match made.areas.iter_mut().find(|known| known.title == area.title) {
                Some(known) => known.resources.push(one),
                None => made.areas.push(Area { title: area.title, why: area.why, resources: vec![one] }),
            }
        }
        made
    }

    fn output(&self, to: &Reference) -> Output {
        let condition = self.condition_of(to).map(str::to_owned);
        Output { name: passed(to), description: "for later parts", value: to.value(), condition }
    }

    fn condition_of(&self, to: &Reference) -> Option<&'a str> {
        self.places.get(to.id.as_str()).and_then(|at| self.resources[*at].0.condition.as_deref())
    }

    fn root(&self, parts: &[usize], built: &[(String, Template)]) -> Template {
        let mut root = self.whole.clone();
        let holder = |to: &Reference| {
            let at = self.places.get(to.id.as_str())?;
            Some(Reference::get(name(parts[*at]), format!("Outputs.{}", passed(to))))
        };
        for output in &mut root.outputs {
            output.value = rewritten(&output.value, &mut |to| holder(to));
        }
        let mut stacks: Vec<Resource> = Vec::new();
        for (name, part) in built {
            let mut values = serde_json::Map::new();
            for Parameter { name, .. } in &part.parameters {
                let whole = if name == WHOLE_NAME { STACK_NAME } else { name };
                values.insert(name.clone(), json!({"Ref": whole}));
            }
            for to in self.references.iter().flatten() {
                let Some(from) = holder(to).filter(|_| values.contains_key(&passed(to))) else { continue };
                // Where the condition does not hold, the output is not there, and nobody asks for it.
                let value = match self.condition_of(to) {
                    Some(condition) => json!({"Fn::If": [condition, from.value(), ""]}),
                    None => from.value(),
                };
                values.insert(passed(to), value);
            }
            let properties = json!({"TemplateURL": format!("{name}.yaml"), "Parameters": values});
            let mut stack = Resource::new(name, STACK, properties)
                .why(format!("{} resources; whoever deploys says where its template is.", part.len()));
            // One that takes values from another waits for it anyway.
            let takes = |last: &&Resource| references(&stack.properties).iter().any(|to| to.id == last.id);
            stack.after =
                stacks.last().filter(|last| !takes(last)).map(|last| last.id.clone()).into_iter().collect();
            stacks.push(stack);
        }
        let why = "CloudFormation takes so many resources in one stack and no more.";
        let mut wanted = BTreeSet::new();
        stacks.iter().for_each(|stack| asked(&stack.properties, &mut wanted));
        root.conditions = self.with_asked(wanted);
        root.areas = vec![Area { title: "Parts", why, resources: stacks }];
        root
    }
}

/// The logical id of a nested stack.
fn name(part: usize) -> String {
    format!("{PART}{}", part + 1)
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
