//! Plans and states without a list of changes: what is planned, as if each resource were a change.

use crate::node::{Member, Node, Value};

/// Modules within modules, deeper than this, are not followed.
const MAX_DEPTH: usize = 32;

/// The resources of `planned_values` or `values`, in the form of changes.
pub(super) fn changes(root: &Node) -> Option<Node> {
    let values = root.get("planned_values").or_else(|| root.get("values"))?;
    let mut all = Vec::new();
    collect(values.get("root_module")?, 0, &mut all);
    Some(Node::new(values.at, Value::List(all)))
}

fn collect(module: &Node, depth: usize, out: &mut Vec<Node>) {
    for resource in module.get("resources").map(Node::items).unwrap_or_default() {
        let Some(after) = resource.get("values") else { continue };
        let change = object(after, [("after", after.clone())]);
        let named = ["address", "mode", "type"].map(|key| (key, resource.get(key).cloned()));
        let members = named.into_iter().filter_map(|(key, node)| Some((key, node?)));
        out.push(object(resource, members.chain([("change", change)])));
    }
    for child in module.get("child_modules").map(Node::items).unwrap_or_default() {
        if depth < MAX_DEPTH {
            collect(child, depth + 1, out);
        }
    }
}

fn object(at: &Node, members: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    let member = |(key, node): (&str, Node)| Member { key: key.to_owned(), at: at.at, node };
    Node::new(at.at, Value::Map(members.into_iter().map(member).collect()))
}
