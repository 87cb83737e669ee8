//! Resources in the shape of CloudFormation, wherever they come from, and how they refer to each other.

use crate::node::{Edge, Node, Piece, Place, Value};
use facts::Timestamp;
use facts::inventory::ALL;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

mod lookups;

use lookups::Lookups;
pub(crate) use lookups::{Lookup, News};

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its logical id in a template, its address in a plan. No other resource of the estate has it.
    pub id: String,
    /// What its account calls it, if a resource of another type has that for its id here.
    pub own_id: Option<String>,
    /// Its type, as CloudFormation calls it.
    pub kind: String,
    /// The account that it is in, if that is known.
    pub account: Option<String>,
    /// The region that it is in, if that is known.
    pub region: Option<String>,
    /// Where it stands.
    pub at: Place,
    /// Its properties: an object, or something not known.
    pub properties: Node,
    /// What else of a plan it was put together from, by address.
    pub parts: Vec<String>,
    /// The condition that decides whether it exists, if that cannot be worked out.
    pub condition: Option<String>,
    /// Properties that the source was asked for, by path; nothing if it tells all that there is, as a template does.
    pub asked: Option<Arc<BTreeSet<String>>>,
}

/// What is known of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum State<'a> {
    /// Its value; parts of it may be unknown.
    Known(&'a Node),
    /// Not known, and why.
    Unknown(String),
    /// Certainly not there.
    Absent,
}

impl Resource {
    /// What findings call it: no other resource of its type is called so, and it does not depend on what else was read.
    #[must_use]
    pub fn known_as(&self) -> &str {
        self.own_id.as_deref().unwrap_or(&self.id)
    }

    /// Whether the source would tell a property, at a path of names with points: it was asked for, or something in it, or
    /// what it is in.
    #[must_use]
    pub fn tells(&self, path: &str) -> bool {
        self.asked
            .as_ref()
            .is_none_or(|asked| asked.iter().any(|one| is_within(one, path) || is_within(path, one)))
    }

    /// Whether the source would tell all of a property.
    #[must_use]
    pub fn tells_all(&self, path: &str) -> bool {
        self.asked.as_ref().is_none_or(|asked| asked.iter().any(|one| is_within(path, one)))
    }

    /// What is known of the property at the end of a path of names.
    #[must_use]
    pub fn property(&self, path: &[&str]) -> State<'_> {
        look(&self.properties, path)
    }

    /// What the resource is called, if it says so itself: the property that names resources of its type.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let last = self.kind.rsplit("::").next().unwrap_or_default();
        let members = self.properties.members();
        let own = members.iter().find(|member| member.key.strip_suffix("Name") == Some(last));
        own.or_else(|| members.iter().find(|member| member.key == "Name"))?.node.text()
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, wanted: &str) -> Option<&str> {
        let tags = self.properties.get("Tags")?;
        let pair = |tag: &&Node| tag.get("Key").and_then(Node::text) == Some(wanted);
        match &tags.value {
            Value::Map(_) => tags.get(wanted).and_then(Node::text),
            _ => tags.items().iter().find(pair)?.get("Value")?.text(),
        }
    }

    /// Where a property stands, or as far as its path leads; else the resource.
    #[must_use]
    pub fn place_of(&self, path: &[&str]) -> Place {
        let mut node = &self.properties;
        let mut at = self.at;
        for step in path {
            let Some(member) = node.members().iter().find(|member| member.key == *step) else { break };
            at = member.at;
            node = &member.node;
        }
        if at == Place::default() { self.at } else { at }
    }
}

/// Whether a path is another, or leads further.
fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What is known of the value at the end of a path of names below a node.
#[must_use]
pub fn look<'a>(from: &'a Node, path: &[&str]) -> State<'a> {
    let mut node = from;
    for step in path {
        match &node.value {
            Value::Map(_) => match node.get(step) {
                Some(next) => node = next,
                None => return not_there(node),
            },
            Value::Null => return State::Absent,
            Value::Open(_) => return State::Unknown(cause(node)),
            _ => {
                return State::Unknown(format!("expected an object with `{step}`, found `{}`", node.shown()));
            }
        }
    }
    match &node.value {
        Value::Null => State::Absent,
        Value::Open(pieces) if matches!(pieces.as_slice(), [Piece::Hole(_)]) => State::Unknown(cause(node)),
        _ => State::Known(node),
    }
}

/// The member of properties that says why the rest of them is not here.
pub(crate) const ELSEWHERE: &str = "Fn::Elsewhere";

/// What is not in an object is absent, unless a macro may add it.
pub(crate) fn not_there(object: &Node) -> State<'static> {
    match object.members().iter().find(|member| member.key.starts_with("Fn::")) {
        Some(member) if member.key == ELSEWHERE => State::Unknown(cause(&member.node)),
        Some(member) => State::Unknown(format!("what `{}` adds", member.key)),
        None => State::Absent,
    }
}

/// Why a value is not known.
pub(crate) fn cause(node: &Node) -> String {
    match (node.hole(), node.edge()) {
        (Some(hole), _) => hole.cause.clone(),
        (None, Some(edge)) => format!("it is a property of `{}`, known when that exists", edge.to),
        (None, None) => format!("`{}` is known when it is deployed", node.shown()),
    }
}

/// Where resources come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// A file that says what shall be.
    #[default]
    File,
    /// An account of a cloud.
    Account,
    /// The house itself, which is in no cloud.
    House,
}

/// All resources that are looked at together.
#[derive(Debug, Clone, Default)]
pub struct Estate {
    pub(crate) file: String,
    resources: Vec<Resource>,
    by_id: HashMap<String, usize>,
    by_kind: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    /// Which resources refer to a resource, by its id.
    referrers: HashMap<String, Vec<usize>>,
    /// What of the source was not read, and so is not checked.
    pub(crate) unread: Vec<String>,
    /// Types of which it is not known what there is, with why.
    gaps: Gaps,
    /// When the account was read; nothing for files.
    read_at: Option<Timestamp>,
    source: Source,
    /// By the type that refers, its property and the type that it refers to.
    pointers: RefCell<HashMap<[String; 3], Pointers>>,
    /// What checks look up, if somebody wants to know.
    lookups: Lookups,
}

/// Which resources of a type refer to which of another.
#[derive(Debug, Clone, Default)]
struct Pointers {
    to: HashMap<usize, Vec<usize>>,
    unclear: Vec<(usize, String)>,
}

/// A resource that refers to another, or may.
pub(crate) struct Pointing<'a> {
    pub(crate) from: &'a Resource,
    /// Why it is not known whether it does.
    pub(crate) unclear: Option<String>,
}

/// Where a source is silent about whole types: a live account that may not be listed, or a type that nobody reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps {
    /// The types that were read; nothing if silence means that there is none, as in a template.
    read: Option<BTreeSet<String>>,
    /// Why a type was not read, or not all of it.
    causes: BTreeMap<String, String>,
    /// Why nothing is known of what stands for all of a type, by its id.
    unlisted: BTreeMap<String, String>,
    /// What a check wanted to know and could not.
    missed: RefCell<Option<String>>,
}

impl Gaps {
    /// Of a source that says what of it was read.
    pub(crate) fn new(
        read: BTreeSet<String>,
        causes: BTreeMap<String, String>,
        unlisted: BTreeMap<String, String>,
    ) -> Self {
        Self { read: Some(read), causes, unlisted, missed: RefCell::default() }
    }

    /// Nothing that was read refers to what a check is about.
    fn nothing_refers(&self) {
        if self.read.as_ref().is_some_and(|read| !read.contains(ALL)) {
            let said = "what refers to it: not every type is read";
            self.missed.borrow_mut().get_or_insert_with(|| said.to_owned());
        }
    }

    /// Why it is not known what there is of a type, if it is not.
    fn cause(&self, kind: &str) -> Option<&str> {
        let read = self.read.as_ref()?;
        let cause = self.causes.get(kind).map(String::as_str);
        cause.or_else(|| (!read.contains(kind) && !read.contains(ALL)).then_some("none was read"))
    }

    /// A check looks for resources of this type by a property, and is told where that is not known.
    fn listed(&self, kind: &str) {
        if !self.is_listed(kind) {
            self.asked(kind);
        }
    }

    /// Whether all of a type is known that there is, if not all about it.
    fn is_listed(&self, kind: &str) -> bool {
        self.read.as_ref().is_none_or(|read| read.contains(kind) || read.contains(ALL))
    }

    /// A check looks for resources of this type.
    fn asked(&self, kind: &str) {
        if let Some(cause) = self.cause(kind) {
            self.missed.borrow_mut().get_or_insert_with(|| format!("which `{kind}` there are: {cause}"));
        }
    }
}

impl Estate {
    /// The resources of one file, with what of it could not be read.
    #[must_use]
    pub fn new(file: &str, resources: Vec<Resource>, unread: Vec<String>) -> Self {
        Self::with_names(file, resources, unread, &[], Gaps::default())
    }

    /// The same; `names` are other names by which resources are referred to, each with the resource's id.
    pub(crate) fn with_names(
        file: &str,
        resources: Vec<Resource>,
        unread: Vec<String>,
        names: &[(String, String)],
        gaps: Gaps,
    ) -> Self {
        let mut estate = Self { file: file.to_owned(), unread, gaps, ..Self::default() };
        // A model and its endpoint may have one name: whoever writes it may mean either.
        let mut named: HashMap<String, Vec<String>> = HashMap::new();
        for (at, resource) in resources.iter().enumerate() {
            estate.by_id.insert(resource.id.clone(), at);
            estate.by_kind.entry(resource.kind.clone()).or_default().push(at);
            if let Some(name) = resource.name() {
                named.entry(name.to_owned()).or_default().push(resource.id.clone());
                estate.by_name.entry(name.to_owned()).or_default().push(at);
            }
        }
        for (name, id) in names {
            let same = named.entry(name.clone()).or_default();
            if !same.contains(id) {
                same.push(id.clone());
            }
            let known = estate.by_name.entry(name.clone()).or_default();
            known.extend(estate.by_id.get(id).filter(|at| !known.contains(at)));
        }
        for (at, resource) in resources.iter().enumerate() {
            let mut to: Vec<&str> = resource.properties.edges().iter().map(|edge| edge.to.as_str()).collect();
            by_name(&resource.properties, &named, &mut to);
            to.sort_unstable();
            to.dedup();
            for id in to.into_iter().filter(|id| *id != resource.id) {
                estate.referrers.entry(id.to_owned()).or_default().push(at);
            }
        }
        estate.resources = resources;
        estate
    }

    /// The same, of an account that was read at this time.
    pub(crate) fn asked_at(mut self, time: Timestamp, source: Source) -> Self {
        (self.read_at, self.source) = (Some(time), source);
        self
    }

    /// Where its resources come from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Whether it was read of something that is there, and not of a file that says what shall be.
    pub(crate) fn is_live(&self) -> bool {
        self.read_at.is_some()
    }

    /// When the account was read; nothing for files.
    pub(crate) fn read_at(&self) -> Option<Timestamp> {
        self.lookups.note(|| Lookup::Now);
        self.read_at
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// What of the source was not read.
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// The resource of this id.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<&Resource> {
        self.lookups.note(|| Lookup::Named(id.to_owned()));
        self.by_id.get(id).map(|at| &self.resources[*at])
    }

    /// The resource of a type that findings call so.
    #[must_use]
    pub fn known_as(&self, kind: &str, name: &str) -> Option<&Resource> {
        let all = self.by_kind.get(kind).into_iter().flatten();
        all.map(|at| &self.resources[*at]).find(|resource| resource.known_as() == name)
    }

    /// What the last check, of this resource, wanted to know and could not.
    pub(crate) fn missed(&self, resource: &Resource) -> Option<String> {
        let missed = self.gaps.missed.take();
        self.gaps.unlisted.get(&resource.id).cloned().or(missed)
    }

    /// What was looked up since it was asked the last time, and is not known.
    pub(crate) fn silence(&self) -> Option<String> {
        self.gaps.missed.take()
    }

    /// All of a type.
    pub fn of_kind<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Resource> {
        self.gaps.asked(kind);
        self.lookups.note(|| Lookup::OfKind(kind.to_owned()));
        self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default().iter().map(|at| &self.resources[*at])
    }

    /// All of a type that refer to a resource anywhere in their properties.
    pub fn referring<'a>(&'a self, to: &Resource, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.gaps.asked(kind);
        self.lookups.note(|| Lookup::Referring { to: to.id.clone(), kind: kind.to_owned() });
        let all = self.referrers.get(&to.id).map(Vec::as_slice).unwrap_or_default();
        all.iter().map(|at| &self.resources[*at]).filter(move |resource| resource.kind == kind)
    }

    /// All that refer to a resource anywhere in their properties.
    pub fn referrers<'a>(&'a self, to: &Resource) -> impl Iterator<Item = &'a Resource> + use<'a> {
        self.lookups.note(|| Lookup::Referrers(to.id.clone()));
        let all = self.referrers.get(&to.id).map(Vec::as_slice).unwrap_or_default();
        if all.is_empty() {
            self.gaps.nothing_refers();
        }
        all.iter().map(|at| &self.resources[*at])
    }

    /// The resource of a type that a value refers to: by reference, or by its name or the ARN that ends with it.
    #[must_use]
    pub fn target(&self, node: &Node, kind: &str) -> Option<&Resource> {
        self.lookups.note(|| Lookup::of_target(node, kind));
        let found = self.find(node, kind);
        if found.is_none() {
            self.gaps.asked(kind);
        }
        found
    }

    fn find(&self, node: &Node, kind: &str) -> Option<&Resource> {
        if let Value::Open(_) = node.value {
            let edge = whole_edge(node)?;
            let named = self.by_id.get(&edge.to).map(|at| &self.resources[*at]);
            return named.filter(|resource| resource.kind == kind);
        }
        self.by_text(node.text()?, kind).map(|at| &self.resources[at])
    }

    /// The resource of a type that a text names, by its place.
    fn by_text(&self, text: &str, kind: &str) -> Option<usize> {
        names_in(text).find_map(|name| {
            let named = self.by_name.get(name)?;
            named.iter().copied().find(|at| self.resources[*at].kind == kind)
        })
    }

    /// All of a type whose property, at a path with dots, refers to a resource, in the order of the file; with the cause if
    /// it is not known whether it does. Who refers to what is worked out once.
    pub(crate) fn pointing(&self, kind: &str, property: &str, to: &Resource) -> Vec<Pointing<'_>> {
        self.gaps.listed(kind);
        self.lookups.note(|| Lookup::Pointing([kind, property, &to.kind].map(str::to_owned), to.id.clone()));
        let all = self.pointing_at([kind, property, &to.kind].map(str::to_owned), &to.id);
        all.into_iter().map(|(at, unclear)| Pointing { from: &self.resources[at], unclear }).collect()
    }

    /// The same by their places; `key` is the type that points, its property and the type that it points to.
    fn pointing_at(&self, key: [String; 3], to: &str) -> Vec<(usize, Option<String>)> {
        let mut known = self.pointers.borrow_mut();
        let pointers =
            known.entry(key).or_insert_with_key(|[kind, property, to]| self.pointers_of(kind, property, to));
        let own = self.by_id.get(to).and_then(|at| pointers.to.get(at)).into_iter().flatten();
        let mut all: Vec<(usize, Option<String>)> = own.map(|at| (*at, None)).collect();
        all.extend(pointers.unclear.iter().map(|(at, cause)| (*at, Some(cause.clone()))));
        all.sort_unstable();
        all
    }

    fn pointers_of(&self, kind: &str, property: &str, to: &str) -> Pointers {
        let mut pointers = Pointers::default();
        let path: Vec<&str> = property.split('.').collect();
        for at in self.by_kind.get(kind).into_iter().flatten() {
            match self.resources[*at].property(&path) {
                State::Known(node) => match self.find(node, to).and_then(|to| self.by_id.get(&to.id)) {
                    Some(to) => pointers.to.entry(*to).or_default().push(*at),
                    None if node.hole().is_some() => pointers.unclear.push((*at, cause(node))),
                    None => {}
                },
                State::Unknown(cause) => pointers.unclear.push((*at, cause)),
                State::Absent => {}
            }
        }
        pointers
    }

    /// Whether a value is a name, the ARN or a reference of this resource, of which all names are known.
    #[must_use]
    pub fn is(&self, node: &Node, resource: &Resource) -> bool {
        self.lookups.note(|| Lookup::of_target(node, &resource.kind));
        self.find(node, &resource.kind).is_some_and(|found| found.id == resource.id)
    }

    /// Whether a value refers to this resource, perhaps by a name that was not read.
    #[must_use]
    pub fn refers(&self, node: &Node, to: &Resource) -> bool {
        self.target(node, &to.kind).is_some_and(|target| target.id == to.id)
    }
}

/// What in a text may name a resource: of an address such as `s3://bucket/prefix` the bucket; else the whole of it, and
/// then its end, which may be of many.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or(rest));
    let end = last_part(text);
    let other = (bucket.is_none() && end.len() < text.len()).then_some(end);
    std::iter::once(bucket.unwrap_or(text)).chain(other)
}

/// What of a name, an ARN or an address names a resource.
fn last_part(text: &str) -> &str {
    text.rsplit([':', '/']).next().unwrap_or(text)
}

/// The first reference in a text that is a whole part of it, as in `s3://${Bucket}/all`; not as in `${Bucket}-logs`.
fn whole_edge(node: &Node) -> Option<&Edge> {
    let Value::Open(pieces) = &node.value else { return None };
    let ends = |piece: Option<&Piece>, side: fn(&str) -> bool| match piece {
        None => true,
        Some(Piece::Text(text)) => side(text),
        Some(_) => false,
    };
    pieces.iter().enumerate().find_map(|(at, piece)| match piece {
        Piece::Edge(edge) => {
            let before = at.checked_sub(1).and_then(|at| pieces.get(at));
            let whole = ends(before, |text| text.ends_with(['/', ':']))
                && ends(pieces.get(at + 1), |text| text.starts_with(['/', ':']));
            whole.then_some(edge)
        }
        _ => None,
    })
}

/// Resources that a text of the properties names or whose ARN it is.
fn by_name<'a>(node: &Node, named: &'a HashMap<String, Vec<String>>, to: &mut Vec<&'a str>) {
    match &node.value {
        Value::Text(text) => {
            let ids = names_in(text).find_map(|name| named.get(name));
            to.extend(ids.into_iter().flatten().map(String::as_str));
        }
        Value::List(items) => items.iter().for_each(|item| by_name(item, named, to)),
        Value::Map(members) => members.iter().for_each(|member| by_name(&member.node, named, to)),
        _ => {}
    }
}
