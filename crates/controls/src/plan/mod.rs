//! Terraform plans (`terraform show -json`): resources in CloudFormation's shape. What is known only after apply
//! becomes a reference to another resource of the plan if the configuration says so, and is unknown else.

mod shape;
mod state;
mod table;
mod table_around;
mod table_services;

use crate::node::Member;
use crate::node::{Edge, Node, Piece, Value};
use crate::read::{Unreadable, either};
use crate::resource::{ELSEWHERE, Estate, Resource, cause};
use shape::carry;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use table::{Role, Type};

/// Modules within modules, deeper than this, are not followed.
const MAX_MODULES: usize = 32;

/// Reads a plan.
///
/// # Errors
/// If the text is no JSON, or no plan.
pub fn plan(file: &str, text: &str) -> Result<Estate, Unreadable> {
    let root = either(file, text)?;
    let changes =
        root.get("resource_changes").map(Cow::Borrowed).or_else(|| state::changes(&root).map(Cow::Owned));
    let Some(changes) = changes else {
        let message = "expected a Terraform plan with `resource_changes` or `planned_values`";
        let help = "write it with `terraform plan -out=P` and `terraform show -json P`";
        return Err(Unreadable::new(root.at, message, help).in_file(file));
    };
    let mut configured = HashMap::new();
    if let Some(module) = root.get("configuration").and_then(|node| node.get("root_module")) {
        collect(module, "", 0, &mut configured);
    }
    let addresses: Vec<&str> =
        changes.items().iter().filter_map(|change| change.get("address")?.text()).collect();
    let known = Known { configured, addresses: addresses.into_iter().collect() };
    let (mut resources, mut additions) = (Vec::new(), Vec::new());
    for change in changes.items() {
        let Some((resource, entry)) = read(change, &known) else { continue };
        match entry.role {
            Role::Whole => resources.push(resource),
            Role::Part { .. } => additions.push((resource, entry)),
        }
    }
    let mut unread = Vec::new();
    let mut orphans = Vec::new();
    for (part, entry) in additions {
        orphans.extend(add(&mut resources, part, entry));
    }
    for (part, owner) in orphans {
        unread.push(format!("`{}` belongs to `{owner}`, which is not in the plan", part.id));
        resources.push(part);
    }
    Ok(Estate::new(file, resources, unread))
}

/// What the configuration says, by address without indices; and which resources there are.
struct Known<'a> {
    configured: HashMap<String, (String, &'a Node)>,
    addresses: HashSet<&'a str>,
}

fn collect<'a>(module: &'a Node, prefix: &str, depth: usize, out: &mut HashMap<String, (String, &'a Node)>) {
    if depth > MAX_MODULES {
        return;
    }
    for resource in module.get("resources").map(Node::items).unwrap_or_default() {
        if let (Some(address), Some(expressions)) =
            (resource.get("address").and_then(Node::text), resource.get("expressions"))
        {
            out.insert(format!("{prefix}{address}"), (prefix.to_owned(), expressions));
        }
    }
    for call in module.get("module_calls").map(Node::members).unwrap_or_default() {
        if let Some(inner) = call.node.get("module") {
            collect(inner, &format!("{prefix}module.{}.", call.key), depth + 1, out);
        }
    }
}

/// An address without the indices of `count` and `for_each`.
fn without_indices(address: &str) -> String {
    let (mut out, mut inside, mut quoted) = (String::new(), false, false);
    for c in address.chars() {
        match c {
            '"' if inside => quoted = !quoted,
            '[' if !inside => inside = true,
            ']' if inside && !quoted => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

fn read(change: &Node, known: &Known<'_>) -> Option<(Resource, &'static Type)> {
    let address = change.get("address")?.text()?;
    let terraform = change.get("type")?.text()?;
    let entry = table::named(terraform)?;
    let after = change.get("change")?.get("after")?;
    if change.get("mode").and_then(Node::text) != Some("managed") || after.value == Value::Null {
        return None;
    }
    let unknown = change.get("change")?.get("after_unknown");
    let configuration = known.configured.get(&without_indices(address));
    let values = Values { known, configuration: configuration.map(|(prefix, _)| prefix.as_str()) };
    let whole = values.join(Some(after), unknown, configuration.map(|(_, node)| *node), true);
    let mut properties = Node::new(after.at, Value::Map(Vec::new()));
    for (from, to, form) in entry.fields {
        let (from, to): (Vec<&str>, Vec<&str>) = (from.split('.').collect(), to.split('.').collect());
        carry(&whole, &from, &mut properties, (&to, *form));
    }
    if let Role::Part { by, .. } = entry.role {
        let of =
            whole.get(by).cloned().unwrap_or_else(|| Node::unknown(after.at, format!("`{by}` is not known")));
        shape::set(&mut properties, &["."], of);
    }
    let resource = Resource {
        id: address.to_owned(),
        own_id: None,
        kind: entry.kind.to_owned(),
        account: None,
        region: None,
        at: change.at,
        properties,
        parts: Vec::new(),
        condition: None,
        asked: table::asked(entry.kind),
    };
    Some((resource, entry))
}

const LATER: &str = "it is known only after apply";

impl Node {
    /// Whether there is a `true` in it, which in `after_unknown` means not known.
    fn any_true(&self) -> bool {
        match &self.value {
            Value::Bool(value) => *value,
            Value::List(items) => items.iter().any(Self::any_true),
            Value::Map(members) => members.iter().any(|member| member.node.any_true()),
            _ => false,
        }
    }
}

struct Values<'a> {
    known: &'a Known<'a>,
    configuration: Option<&'a str>,
}

impl Values<'_> {
    /// What is planned, joined with what is not known yet and with what the configuration says of it.
    fn join(&self, after: Option<&Node>, unknown: Option<&Node>, written: Option<&Node>, top: bool) -> Node {
        let at = after.or(unknown).map(|node| node.at).unwrap_or_default();
        match (unknown.map(|node| &node.value), after.map(|node| &node.value)) {
            (Some(Value::Bool(true)), _) => self.later(at, written, top),
            // Some of it is not known, and nothing of it is.
            (Some(Value::List(later)), None) if later.iter().any(Node::any_true) => {
                self.later(at, written, top)
            }
            (Some(Value::Map(later)), None) if later.iter().any(|member| member.node.any_true()) => {
                Node::unknown(at, LATER)
            }
            (Some(Value::Map(later)), Some(Value::Map(now))) => {
                let mut members = Vec::new();
                for member in now.iter().chain(later.iter().filter(|m| !now.iter().any(|n| n.key == m.key))) {
                    let pick = |node: Option<&Node>| node.and_then(|node| node.get(&member.key)).cloned();
                    let (now, later, written) = (pick(after), pick(unknown), pick(written));
                    let is_later = later.as_ref().is_some_and(|node| node.value == Value::Bool(true));
                    if is_later && top && written.is_none() && self.configuration.is_some() {
                        continue; // Computed, and nobody asked for it.
                    }
                    let now = now.filter(|_| !is_later);
                    let node = self.join(now.as_ref(), later.as_ref(), written.as_ref(), false);
                    members.push(Member { node, ..member.clone() });
                }
                Node::new(at, Value::Map(members))
            }
            (Some(Value::List(later)), Some(Value::List(now))) => {
                let items = now.iter().enumerate().map(|(index, item)| {
                    let block = written.and_then(|node| node.items().get(index));
                    let same = written.filter(|node| node.get("references").is_some());
                    self.join(Some(item), later.get(index), block.or(same), false)
                });
                Node::new(at, Value::List(items.collect()))
            }
            // A list of values alone leaves out what is known after apply only; the configuration has it.
            (None, Some(Value::Map(now))) if top => {
                let missing = written.map(Node::members).unwrap_or_default().iter().filter(|member| {
                    let given = now.iter().any(|n| n.key == member.key && n.node.value != Value::Null);
                    !given && member.node.get("references").is_some()
                });
                let later = missing.map(|member| Member {
                    node: self.later(at, Some(&member.node), false),
                    at,
                    key: member.key.clone(),
                });
                let kept = now.iter().filter(|member| member.node.value != Value::Null);
                Node::new(at, Value::Map(kept.cloned().chain(later).collect()))
            }
            _ => after.cloned().unwrap_or_else(|| Node::new(at, Value::Null)),
        }
    }

    /// What is known after apply only: a reference, if the configuration has exactly one resource for it.
    fn later(&self, at: crate::node::Place, written: Option<&Node>, top: bool) -> Node {
        let references = written.and_then(|node| node.get("references")).map(Node::items).unwrap_or_default();
        let prefix = self.configuration.unwrap_or_default();
        let mut edges: Vec<Edge> = Vec::new();
        for reference in references.iter().filter_map(Node::text).filter(|_| !top) {
            let parts: Vec<&str> = reference.split('.').collect();
            let [kind, name, rest @ ..] = parts.as_slice() else { continue };
            let exact = format!("{prefix}{kind}.{name}");
            let first = format!("{exact}[0]");
            let to = [exact, first].into_iter().find(|to| self.known.addresses.contains(to.as_str()));
            let Some(to) = to else { continue };
            if !edges.iter().any(|edge| edge.to == to) {
                let attribute = rest.first().map(|name| (*name).to_owned()).filter(|name| name != "id");
                edges.push(Edge { to, attribute });
            }
        }
        match edges.as_slice() {
            [only] => Node::new(at, Value::Open(vec![Piece::Edge(only.clone())])),
            _ => Node::unknown(at, LATER),
        }
    }
}

/// Adds a resource that is a property of another to that other; gives it back, with whose it is, if that is not there.
fn add(resources: &mut [Resource], mut part: Resource, entry: &Type) -> Option<(Resource, String)> {
    let Role::Part { of, .. } = entry.role else { return None };
    let Value::Map(members) = &mut part.properties.value else { return None };
    let at = members.iter().position(|member| member.key == ".")?;
    let owner = members.remove(at).node;
    let is_owner = |resource: &Resource| {
        let named = resource.name().is_some() && resource.name() == owner.text().map(last);
        resource.kind == of && (named || owner.edge().is_some_and(|edge| edge.to == resource.id))
    };
    if let Some(resource) = resources.iter_mut().find(|resource| is_owner(resource)) {
        shape::merge(&mut resource.properties, part.properties);
        resource.parts.push(part.id);
        return None;
    }
    if owner.text().is_some() || !resources.iter().any(|resource| resource.kind == of) {
        let whose = owner.shown();
        let cause = format!("the resource that `{}` belongs to is not in the plan", part.id);
        members.push(Member { key: ELSEWHERE.to_owned(), at: part.at, node: Node::unknown(part.at, cause) });
        return Some((part, whose));
    }
    // Whose it is is not known: what nobody else says of any of them is not known either.
    let cause = format!("whether `{}` is for it: {}", part.id, cause(&owner));
    for resource in resources.iter_mut().filter(|resource| resource.kind == of) {
        for member in part.properties.members() {
            if resource.properties.get(&member.key).is_none() {
                shape::set(&mut resource.properties, &[&member.key], Node::unknown(part.at, cause.clone()));
            }
        }
    }
    None
}

fn last(text: &str) -> &str {
    text.rsplit([':', '/']).next().unwrap_or(text)
}
