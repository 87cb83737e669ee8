//! What an expression sees of an estate: `resource`, `related(...)` and `referring(...)`. Properties are read only where the
//! expression goes; what is not known there carries its cause.

use super::trail::{Part, Trail, Whose};
use crate::node::{Member, Node, Piece, Place, Value as Written};
use crate::resource::{Estate, Resource, State, cause, look, not_there};
use cel::{Budget, Environment, Fault, Function, Host, List, Map, Outcome, Text, Value};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// What expressions can name.
pub(crate) const ENVIRONMENT: Environment<'static> = Environment {
    variables: &["resource"],
    functions: &[
        Function { name: "related", fewest: 1, most: 2 },
        Function { name: "referring", fewest: 1, most: 2 },
    ],
};

/// Something of an estate.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handle<'a> {
    Resource(&'a Resource),
    Properties(&'a Resource),
    Tags(&'a Resource),
    /// A value below the properties.
    Node(&'a Node, Whose<'a>),
    /// A resource of which it is not known whether it exists.
    Perhaps(&'a Resource),
    /// A resource of which it is not known whether it refers to this one; the number of the cause.
    Unclear(usize),
}

type Known<'a> = Value<'a, Handle<'a>>;

/// Tags by their keys; why one of them is not known, if one is not.
type Tags<'a> = (Vec<(&'a str, &'a Node)>, Option<String>);

/// Resources of a type, each with why it is not known what it refers to, by the type.
pub(crate) type Holes<'a> = RefCell<HashMap<String, Vec<(&'a Resource, String)>>>;

/// An estate, looked at from one resource.
pub(crate) struct View<'v, 'a> {
    pub(crate) estate: &'a Estate,
    pub(crate) subject: &'a Resource,
    pub(crate) trail: &'v mut Trail<'a>,
    pub(crate) holes: &'v Holes<'a>,
    pub(crate) causes: Vec<String>,
}

const MEMBERS: [&str; 7] = ["type", "id", "name", "account", "region", "tags", "properties"];

impl<'a> View<'_, 'a> {
    /// A value below a resource.
    fn value(&mut self, node: &'a Node, whose: Whose<'a>) -> Known<'a> {
        match &node.value {
            Written::List(_) => return Value::List(List::Host(Handle::Node(node, whose))),
            Written::Map(_) => return Value::Map(Map::Host(Handle::Node(node, whose))),
            Written::Open(_) => return Value::Open(Handle::Node(node, whose)),
            _ => self.trail.read(whose.step, node),
        }
        match &node.value {
            Written::Bool(truth) => Value::Bool(*truth),
            Written::Text(text) => Value::Text(Text::Written(text)),
            Written::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => Value::Int(number),
                (_, Ok(number)) if number.is_finite() => Value::Double(number),
                _ => Value::Text(Text::Written(text)),
            },
            _ => Value::Null,
        }
    }

    /// The member of an object of a document.
    fn below(&mut self, object: &'a Node, whose: Whose<'a>, key: &str) -> Result<Option<Known<'a>>, Fault> {
        let member = object.members().iter().find(|member| member.key == key);
        let state = match (member, &object.value) {
            (Some(Member { node: Node { value: Written::Null, .. }, .. }), _) => State::Absent,
            (Some(member), _) => {
                let at = if member.at == Place::default() { member.node.at } else { member.at };
                let step = self.trail.step(whose, Part::Key(&member.key), at);
                return Ok(Some(self.value(&member.node, Whose { step, ..whose })));
            }
            (None, Written::Map(_)) => not_there(object),
            (None, _) => look(object, &[key]),
        };
        match state {
            State::Unknown(cause) => Err(self.unknown(whose, key, cause)),
            _ if whose.resource.asked.is_some() && !whose.resource.tells(&self.trail.path(whose, key)) => {
                Err(self.unknown(whose, key, format!("`{key}` is not read by this version")))
            }
            _ => {
                self.trail.absent(whose, &[key]);
                Ok(None)
            }
        }
    }

    fn unknown(&mut self, whose: Whose<'a>, key: &str, cause: String) -> Fault {
        self.trail.unknown(whose, key, &cause);
        Fault::unknown(cause)
    }

    /// What a resource says of itself.
    fn own(&mut self, resource: &'a Resource, key: &str) -> Result<Option<Known<'a>>, Fault> {
        let whose = Whose { resource, step: None };
        let told = |text: &'a str| Ok(Some(Value::given(text)));
        match key {
            "type" => told(&resource.kind),
            "id" => told(&resource.id),
            "properties" => Ok(Some(Value::Map(Map::Host(Handle::Properties(resource))))),
            "tags" => Ok(Some(Value::Map(Map::Host(Handle::Tags(resource))))),
            "name" => match resource.name() {
                Some(name) => told(name),
                None => self.unnamed(resource, whose),
            },
            "account" => match &resource.account {
                Some(account) => told(account),
                None => Err(self.unknown(
                    whose,
                    "",
                    "the file does not say which account it will be in".to_owned(),
                )),
            },
            "region" => match &resource.region {
                Some(region) => told(region),
                None => Err(self.unknown(
                    whose,
                    "",
                    "the file does not say which region it will be in".to_owned(),
                )),
            },
            _ => Err(Fault::failed(format!("a resource has no `{key}`; it has `{}`", MEMBERS.join("`, `")))),
        }
    }

    /// A resource has no name, or one that is not known.
    fn unnamed(&mut self, resource: &'a Resource, whose: Whose<'a>) -> Result<Option<Known<'a>>, Fault> {
        let last = resource.kind.rsplit("::").next().unwrap_or_default();
        for key in [format!("{last}Name"), "Name".to_owned()] {
            if let State::Known(Node { value: Written::Open(_), .. }) | State::Unknown(_) =
                resource.property(&[&key])
            {
                let node = resource.properties.get(&key).unwrap_or(&resource.properties);
                return Err(self.unknown(whose, &key, cause(node)));
            }
        }
        Ok(None)
    }

    /// The tags of a resource by their keys; why one of them is not known, if one is not.
    fn tags(&mut self, resource: &'a Resource) -> Result<Tags<'a>, Fault> {
        let whose = Whose { resource, step: None };
        let node = match resource.property(&["Tags"]) {
            State::Known(node) => node,
            State::Unknown(cause) => return Err(self.unknown(whose, "Tags", cause)),
            State::Absent if !resource.tells("Tags") => {
                return Err(self.unknown(whose, "Tags", "`Tags` is not read by this version".to_owned()));
            }
            State::Absent => return Ok((Vec::new(), None)),
        };
        let mut unclear = None;
        let mut all = Vec::new();
        match &node.value {
            Written::Map(members) => {
                for member in members {
                    match member.key.starts_with("Fn::") {
                        true => unclear = Some(format!("what `{}` adds", member.key)),
                        false => all.push((member.key.as_str(), &member.node)),
                    }
                }
            }
            Written::List(items) => {
                for item in items {
                    match (item.get("Key").and_then(Node::text), item.get("Value")) {
                        (Some(key), Some(value)) => all.push((key, value)),
                        _ => {
                            let hole = item.any_hole().map(|hole| hole.cause.clone());
                            unclear = Some(hole.unwrap_or_else(|| "a tag without a key".to_owned()));
                        }
                    }
                }
            }
            _ => unclear = Some(cause(node)),
        }
        Ok((all, unclear))
    }

    fn tag(&mut self, resource: &'a Resource, key: &str) -> Result<Option<Known<'a>>, Fault> {
        let whose = Whose { resource, step: None };
        let (all, unclear) = self.tags(resource)?;
        match (all.iter().find(|(own, _)| *own == key), unclear) {
            (Some((own, node)), _) => {
                let tags = self.trail.step(whose, Part::Key("Tags"), node.at);
                let step = self.trail.step(Whose { step: tags, ..whose }, Part::Key(own), node.at);
                Ok(Some(self.value(node, Whose { step, ..whose })))
            }
            (None, Some(cause)) => Err(self.unknown(whose, "Tags", cause)),
            (None, None) => {
                self.trail.absent(whose, &["Tags.", key]);
                Ok(None)
            }
        }
    }

    /// A list of resources, in which those that may not be there are open.
    fn listed(
        &self,
        resources: impl Iterator<Item = &'a Resource>,
        budget: &mut Budget,
    ) -> Outcome<'a, Handle<'a>> {
        let mut all = Vec::new();
        for resource in resources {
            budget.make(size_of::<Known<'a>>())?;
            let certain = resource.condition.is_none() || resource.condition == self.subject.condition;
            all.push(match certain {
                true => Value::Map(Map::Host(Handle::Resource(resource))),
                false => Value::Open(Handle::Perhaps(resource)),
            });
        }
        Ok(Value::list(all))
    }

    /// What the estate could not tell when it was asked the last time.
    fn silence(&self) -> Result<(), Fault> {
        self.estate.silence().map_or(Ok(()), |cause| Err(Fault::unknown(cause)))
    }

    fn related(
        &mut self,
        kind: &str,
        to: Option<&Known<'a>>,
        budget: &mut Budget,
    ) -> Outcome<'a, Handle<'a>> {
        let Some(to) = to else {
            let all: Vec<&'a Resource> = self.estate.of_kind(kind).collect();
            self.silence()?;
            return self.listed(all.into_iter(), budget);
        };
        let mut found = Vec::new();
        self.targets(kind, to, &mut found, budget)?;
        self.listed(found.into_iter(), budget)
    }

    /// The resources that a value refers to.
    fn targets(
        &mut self,
        kind: &str,
        to: &Known<'a>,
        found: &mut Vec<&'a Resource>,
        budget: &mut Budget,
    ) -> Result<(), Fault> {
        budget.spend(4)?;
        let target = match to {
            Value::Null | Value::Optional(None) => return Ok(()),
            Value::Optional(Some(held)) => return self.targets(kind, held, found, budget),
            Value::List(List::Made(items)) => {
                return items.iter().try_for_each(|item| self.targets(kind, item, found, budget));
            }
            Value::List(List::Host(handle)) => {
                for at in 0..self.size(*handle)? {
                    let item = self.item(*handle, at)?;
                    self.targets(kind, &item, found, budget)?;
                }
                return Ok(());
            }
            Value::Text(text) if text.as_str().is_empty() => return Ok(()),
            Value::Text(text) => {
                let node = Node::new(Place::default(), Written::Text(text.as_str().to_owned()));
                let target = self.estate.target(&node, kind);
                self.silence()?;
                target.ok_or_else(|| {
                    Fault::unknown(format!(
                        "which `{kind}` `{}` is: it is not in {}",
                        node.shown(),
                        self.estate.file
                    ))
                })?
            }
            Value::Open(Handle::Node(node, _)) => {
                let target = self.estate.target(node, kind);
                self.silence()?;
                match (target, node.edge()) {
                    (Some(target), _) => target,
                    // It refers to something of another type.
                    (None, Some(edge)) if self.estate.named(&edge.to).is_some() => return Ok(()),
                    (None, _) => return Err(Fault::unknown(cause(node))),
                }
            }
            Value::Open(handle) => return Err(self.cause(*handle)),
            other => {
                let message =
                    format!("`related` takes a text, a reference or a list, not a `{}`", other.kind().name());
                return Err(Fault::failed(message));
            }
        };
        if !found.iter().any(|one| std::ptr::eq(*one, target)) {
            found.push(target);
        }
        Ok(())
    }

    fn referring(
        &mut self,
        kind: &str,
        property: Option<&str>,
        budget: &mut Budget,
    ) -> Outcome<'a, Handle<'a>> {
        let (certain, unclear): (Vec<&'a Resource>, Vec<(&'a Resource, String)>) = match property {
            Some(property) => {
                let mut unclear = Vec::new();
                let mut certain = Vec::new();
                for pointing in self.estate.pointing(kind, property, self.subject) {
                    match pointing.unclear {
                        Some(cause) => unclear.push((pointing.from, cause)),
                        None => certain.push(pointing.from),
                    }
                }
                (certain, unclear)
            }
            None => {
                let ids: Vec<String> =
                    self.estate.referring(self.subject, kind).map(|one| one.id.clone()).collect();
                let certain: Vec<&'a Resource> = ids.iter().filter_map(|id| self.estate.named(id)).collect();
                let known: HashSet<&str> = ids.iter().map(String::as_str).collect();
                let unclear = self.with_holes(kind);
                budget.spend(2 * (ids.len() + unclear.len()) as u64)?;
                let unclear =
                    unclear.into_iter().filter(|(one, _)| !known.contains(one.id.as_str())).collect();
                (certain, unclear)
            }
        };
        self.silence()?;
        let Value::List(List::Made(items)) = self.listed(certain.into_iter(), budget)? else {
            return Err(Fault::failed("not a list"));
        };
        let mut all = items.to_vec();
        for (resource, cause) in unclear {
            budget.make(size_of::<Known<'a>>())?;
            all.push(Value::Open(Handle::Unclear(self.causes.len())));
            self.causes.push(format!("whether `{}` refers to it: {cause}", resource.id));
        }
        Ok(Value::list(all))
    }

    /// Resources of a type with something unknown in them, tags aside, which could be a reference.
    fn with_holes(&self, kind: &str) -> Vec<(&'a Resource, String)> {
        if let Some(known) = self.holes.borrow().get(kind) {
            return known.clone();
        }
        let mut all = Vec::new();
        for resource in self.estate.of_kind(kind) {
            let members = resource.properties.members().iter().filter(|member| member.key != "Tags");
            let hole = match &resource.properties.value {
                Written::Open(_) => resource.properties.hole(),
                _ => members.map(|member| &member.node).find_map(Node::any_hole),
            };
            all.extend(hole.map(|hole| (resource, hole.cause.clone())));
        }
        self.holes.borrow_mut().insert(kind.to_owned(), all.clone());
        all
    }
}

impl<'a> Host<'a> for View<'_, 'a> {
    type Handle = Handle<'a>;

    fn variable(&mut self, _: usize) -> Outcome<'a, Handle<'a>> {
        Ok(Value::Map(Map::Host(Handle::Resource(self.subject))))
    }

    fn member(&mut self, of: Handle<'a>, key: &str) -> Result<Option<Known<'a>>, Fault> {
        match of {
            Handle::Resource(resource) => self.own(resource, key),
            Handle::Properties(resource) => {
                self.below(&resource.properties, Whose { resource, step: None }, key)
            }
            Handle::Tags(resource) => self.tag(resource, key),
            Handle::Node(node, whose) => self.below(node, whose, key),
            Handle::Perhaps(_) | Handle::Unclear(_) => Err(self.cause(of)),
        }
    }

    fn has(&mut self, of: Handle<'a>, key: &str) -> Result<bool, Fault> {
        let Some(value) = self.member(of, key)? else { return Ok(false) };
        let Value::Open(Handle::Node(node, whose)) = value else { return Ok(true) };
        // A reference is there, whatever it will be; a parameter may be empty.
        let pieces = match &node.value {
            Written::Open(pieces) => pieces.as_slice(),
            _ => &[],
        };
        let is_there = pieces.iter().any(|piece| match piece {
            Piece::Text(_) | Piece::Edge(_) | Piece::Pseudo(_) => true,
            Piece::Hole(hole) => hole.present,
        });
        if is_there {
            self.trail.present(whose.step);
            return Ok(true);
        }
        Err(self.unknown(whose, "", cause(node)))
    }

    fn cause(&mut self, of: Handle<'a>) -> Fault {
        match of {
            Handle::Node(node, whose) => self.unknown(whose, "", cause(node)),
            Handle::Perhaps(resource) => {
                let condition = resource.condition.as_deref().unwrap_or_default();
                let cause = format!(
                    "`{}` exists only if condition `{condition}` holds, which cannot be worked out",
                    resource.id
                );
                self.unknown(Whose { resource, step: None }, "", cause)
            }
            Handle::Unclear(at) => Fault::unknown(self.causes.get(at).cloned().unwrap_or_default()),
            Handle::Resource(_) | Handle::Properties(_) | Handle::Tags(_) => Fault::failed("it is known"),
        }
    }

    fn size(&mut self, of: Handle<'a>) -> Result<usize, Fault> {
        match of {
            Handle::Tags(resource) => {
                let (all, unclear) = self.tags(resource)?;
                match unclear {
                    Some(cause) => Err(self.unknown(Whose { resource, step: None }, "Tags", cause)),
                    None => Ok(all.len()),
                }
            }
            Handle::Properties(resource) => {
                self.members(&resource.properties, Whose { resource, step: None })
            }
            Handle::Node(node, whose) => match &node.value {
                Written::List(items) => Ok(items.len()),
                _ => self.members(node, whose),
            },
            Handle::Resource(_) => Err(Fault::failed("go through `resource.properties` or `resource.tags`")),
            Handle::Perhaps(_) | Handle::Unclear(_) => Err(self.cause(of)),
        }
    }

    fn item(&mut self, of: Handle<'a>, at: usize) -> Outcome<'a, Handle<'a>> {
        let Handle::Node(node, whose) = of else { return Err(Fault::failed("not a list")) };
        let Some(item) = node.items().get(at) else { return Err(Fault::failed("no such item")) };
        let step = self.trail.step(whose, Part::Item(at), item.at);
        Ok(self.value(item, Whose { step, ..whose }))
    }

    fn key(&mut self, of: Handle<'a>, at: usize) -> Result<&'a str, Fault> {
        let key = match of {
            Handle::Tags(resource) => self.tags(resource)?.0.get(at).map(|(key, _)| *key),
            Handle::Properties(resource) => nth_key(&resource.properties, at),
            Handle::Node(node, _) => nth_key(node, at),
            _ => None,
        };
        key.ok_or_else(|| Fault::failed("no such member"))
    }

    fn call(
        &mut self,
        function: usize,
        arguments: &[Known<'a>],
        budget: &mut Budget,
    ) -> Outcome<'a, Handle<'a>> {
        let name = if function == 0 { "related" } else { "referring" };
        let [kind, rest @ ..] = arguments else { return Err(Fault::failed("no arguments")) };
        let kind = match kind {
            Value::Text(text) => text.as_str().to_owned(),
            Value::Open(handle) => return Err(self.cause(*handle)),
            _ => return Err(Fault::failed(format!("`{name}` takes a type, such as `'AWS::KMS::Key'`"))),
        };
        budget.spend(16)?;
        if function == 0 {
            return self.related(&kind, rest.first(), budget);
        }
        match rest.first() {
            None => self.referring(&kind, None, budget),
            Some(Value::Text(property)) => {
                let property = property.as_str().to_owned();
                self.referring(&kind, Some(&property), budget)
            }
            Some(_) => Err(Fault::failed("`referring` takes the name of a property, such as `'Bucket'`")),
        }
    }
}

impl<'a> View<'_, 'a> {
    /// How many members an object has, if a macro adds none.
    fn members(&mut self, object: &'a Node, whose: Whose<'a>) -> Result<usize, Fault> {
        if let State::Unknown(cause) = look(object, &["Fn::"]) {
            return Err(self.unknown(whose, "", cause));
        }
        // Only what is told can be counted.
        if !whose.resource.tells_all(self.trail.path(whose, "").trim_end_matches('.')) {
            let cause = "which other properties it has: not all are read".to_owned();
            return Err(self.unknown(whose, "", cause));
        }
        Ok(object.members().iter().filter(|member| !matches!(member.node.value, Written::Null)).count())
    }
}

fn nth_key(object: &Node, at: usize) -> Option<&str> {
    let mut members = object.members().iter().filter(|member| !matches!(member.node.value, Written::Null));
    members.nth(at).map(|member| member.key.as_str())
}
