//! From the shape of Terraform's provider to that of CloudFormation: values are carried from path to path. `[]` after a
//! name means each item of a list; a block that stands once is its only item.

use super::table::Form;
use crate::node::{Member, Node, Value};
use crate::read::json;

/// Carries what is at one path to another.
pub(super) fn carry(value: &Node, from: &[&str], out: &mut Node, (to, form): (&[&str], Form)) {
    let Some((first, rest)) = from.split_first() else {
        put(out, to, formed(value, form));
        return;
    };
    if let Value::Open(_) = value.value {
        put(out, to, value.clone());
        return;
    }
    let each = first.ends_with("[]");
    let Some(child) = value.get(first.trim_end_matches("[]")) else { return };
    if child.value == Value::Null {
        return;
    }
    if !each {
        match &child.value {
            Value::List(items) if !rest.is_empty() => {
                if let Some(block) = items.first() {
                    carry(block, rest, out, (to, form));
                }
            }
            _ => carry(child, rest, out, (to, form)),
        }
        return;
    }
    let Some(at) = to.iter().position(|name| name.ends_with("[]")) else { return };
    if let Value::Open(_) = child.value {
        put(out, to, child.clone());
        return;
    }
    let path: Vec<&str> = to[..=at].iter().map(|name| name.trim_end_matches("[]")).collect();
    let Some(list) = enter(out, &path, child) else { return };
    if !matches!(list.value, Value::List(_)) {
        list.value = Value::List(Vec::new());
    }
    let Value::List(slots) = &mut list.value else { return };
    for (index, item) in child.items().iter().enumerate() {
        if slots.len() <= index {
            slots.push(Node::new(item.at, Value::Map(Vec::new())));
        }
        carry(item, rest, &mut slots[index], (&to[at + 1..], form));
    }
}

/// Puts a value at a path, as far as the first list in it.
fn put(out: &mut Node, to: &[&str], node: Node) {
    let end = to.iter().position(|name| name.ends_with("[]")).map_or(to.len(), |at| at + 1);
    let path: Vec<&str> = to[..end].iter().map(|name| name.trim_end_matches("[]")).collect();
    set(out, &path, node);
}

pub(super) fn set(out: &mut Node, path: &[&str], node: Node) {
    if node.value == Value::Null {
        return;
    }
    if let Some(place) = enter(out, path, &node) {
        *place = node;
    }
}

/// The place of a path, made as it is gone.
fn enter<'a>(mut out: &'a mut Node, path: &[&str], like: &Node) -> Option<&'a mut Node> {
    for name in path {
        if !matches!(out.value, Value::Map(_)) {
            out.value = Value::Map(Vec::new());
        }
        let Value::Map(members) = &mut out.value else { return None };
        let index = members.iter().position(|member| member.key == *name).unwrap_or(members.len());
        if index == members.len() {
            let node = Node::new(like.at, Value::Null);
            members.push(Member { key: (*name).to_owned(), at: like.at, node });
        }
        out = &mut members[index].node;
    }
    Some(out)
}

/// Joins what two resources say of one: lists grow, objects join, and what is said later counts.
pub(super) fn merge(into: &mut Node, from: Node) {
    match (&mut into.value, from.value) {
        (Value::Map(members), Value::Map(more)) => {
            for member in more {
                match members.iter_mut().find(|other| other.key == member.key) {
                    Some(other) => merge(&mut other.node, member.node),
                    None => members.push(member),
                }
            }
        }
        (Value::List(items), Value::List(more)) => items.extend(more),
        (value, from) => *value = from,
    }
}

fn formed(node: &Node, form: Form) -> Node {
    let text = |text: &str| Node::new(node.at, Value::Text(text.to_owned()));
    let open = matches!(node.value, Value::Open(_));
    match form {
        Form::Same => node.clone(),
        Form::List => Node::new(node.at, Value::List(vec![node.clone()])),
        Form::Json if open => Node::unknown(node.at, "the policy is known only after apply"),
        Form::Json => match node.text() {
            Some("") | None => Node::new(node.at, Value::Null),
            Some(policy) => json(policy).map_or_else(
                |wrong| Node::unknown(node.at, format!("the policy is no JSON: {}", wrong.message())),
                |read| moved(read, node),
            ),
        },
        Form::Status if open => node.clone(),
        Form::Status => match node.truth() {
            Some(true) => text("Enabled"),
            Some(false) => text("Suspended"),
            None => node.clone(),
        },
        Form::Acl => match node.text() {
            Some(acl) => text(&acl.split('-').map(capital).collect::<String>()),
            None => node.clone(),
        },
        Form::Switch if open => node.clone(),
        Form::Switch => match node.truth() {
            Some(true) => text("ENABLED"),
            Some(false) => text("DISABLED"),
            None => node.clone(),
        },
        Form::Enabled => match node.text() {
            Some("Enabled") => Node::new(node.at, Value::Bool(true)),
            _ => node.clone(),
        },
        Form::Containers if open => Node::unknown(node.at, "the containers are known only after apply"),
        Form::Containers => json(node.text().unwrap_or("[]")).map_or_else(
            |wrong| Node::unknown(node.at, format!("the containers are no JSON: {}", wrong.message())),
            |read| moved(capitals(read), node),
        ),
        Form::Script => {
            let content = Member { key: "Content".to_owned(), at: node.at, node: node.clone() };
            let script = Node::new(node.at, Value::Map(vec![content]));
            Node::new(node.at, Value::List(vec![script]))
        }
    }
}

/// The names of members as CloudFormation has them: `logConfiguration` is `LogConfiguration`.
fn capitals(mut node: Node) -> Node {
    match &mut node.value {
        Value::List(items) => {
            for item in items {
                *item = capitals(std::mem::replace(item, Node::new(node.at, Value::Null)));
            }
        }
        Value::Map(members) => {
            for member in members {
                member.key = capital(&member.key);
                member.node = capitals(std::mem::replace(&mut member.node, Node::new(node.at, Value::Null)));
            }
        }
        _ => {}
    }
    node
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// A text within the file stands where the text begins.
fn moved(mut read: Node, to: &Node) -> Node {
    read.at = to.at;
    match &mut read.value {
        Value::List(items) => {
            for item in items {
                *item = moved(std::mem::replace(item, Node::new(to.at, Value::Null)), to);
            }
        }
        Value::Map(members) => {
            for member in members {
                member.at = to.at;
                member.node = moved(std::mem::replace(&mut member.node, Node::new(to.at, Value::Null)), to);
            }
        }
        _ => {}
    }
    read
}
