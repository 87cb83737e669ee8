//! The functions of templates. What cannot be worked out becomes a hole with its cause.

use crate::node::{Edge, Hole, Member, Node, Piece, Place, Value};
use std::cell::RefCell;
use std::collections::HashMap;

/// Conditions that refer to conditions, deeper than this, are not followed.
const MAX_CONDITIONS: usize = 100;

/// What a template knows.
pub(crate) struct Scope<'a> {
    parameters: Option<&'a Node>,
    mappings: Option<&'a Node>,
    conditions: Option<&'a Node>,
    resources: &'a Node,
    /// Conditions already worked out, so that each is looked at once.
    known: RefCell<HashMap<String, Option<bool>>>,
}

fn text(at: Place, text: impl Into<String>) -> Node {
    Node::new(at, Value::Text(text.into()))
}

fn piece(at: Place, piece: Piece) -> Node {
    Node::new(at, Value::Open(vec![piece]))
}

fn hole(at: Place, cause: String, present: bool) -> Node {
    piece(at, Piece::Hole(Hole { cause, present }))
}

fn is_no_value(node: &Node) -> bool {
    matches!(node.members(), [only] if only.key == "Ref" && only.node.text() == Some("AWS::NoValue"))
}

impl<'a> Scope<'a> {
    pub(crate) fn new(root: &'a Node, resources: &'a Node) -> Self {
        Self {
            parameters: root.get("Parameters"),
            mappings: root.get("Mappings"),
            conditions: root.get("Conditions"),
            resources,
            known: RefCell::default(),
        }
    }

    /// Whether a condition holds, if the template says so.
    pub(crate) fn condition(&self, name: &str) -> Option<bool> {
        if let Some(known) = self.known.borrow().get(name) {
            return *known;
        }
        if self.known.borrow().values().filter(|value| value.is_none()).count() > MAX_CONDITIONS {
            return None;
        }
        // While it is being worked out it is not known, which ends circles.
        self.known.borrow_mut().insert(name.to_owned(), None);
        let value = self.conditions.and_then(|all| all.get(name)).and_then(|node| self.truth(node));
        self.known.borrow_mut().insert(name.to_owned(), value);
        value
    }

    fn truth(&self, node: &Node) -> Option<bool> {
        let [only] = node.members() else { return node.truth() };
        let items = only.node.items();
        match only.key.as_str() {
            "Condition" => self.condition(only.node.text()?),
            "Fn::Not" => Some(!self.truth(items.first()?)?),
            "Fn::And" => join(items.iter().map(|item| self.truth(item)), false),
            "Fn::Or" => join(items.iter().map(|item| self.truth(item)), true),
            "Fn::Equals" => {
                let [left, right] = items else { return None };
                let (left, right) = (self.resolve(left), self.resolve(right));
                if left.any_hole().is_some() || right.any_hole().is_some() {
                    return None;
                }
                Some(left.text()? == right.text()?)
            }
            _ => None,
        }
    }

    /// The value with everything worked out.
    pub(crate) fn resolve(&self, node: &Node) -> Node {
        match &node.value {
            Value::List(items) => {
                let kept = items.iter().filter(|item| !is_no_value(item)).map(|item| self.resolve(item));
                // A choice of nothing in a list leaves no item.
                let kept = kept.filter(|item| item.value != Value::Null);
                Node::new(node.at, Value::List(kept.collect()))
            }
            Value::Map(members) => {
                if let [only] = members.as_slice()
                    && (only.key == "Ref" || only.key.starts_with("Fn::"))
                {
                    return self.call(node.at, &only.key, &only.node);
                }
                let kept = members.iter().filter(|member| !is_no_value(&member.node));
                let resolved = kept.map(|member| Member {
                    key: member.key.clone(),
                    at: member.at,
                    node: self.resolve(&member.node),
                });
                Node::new(node.at, Value::Map(resolved.collect()))
            }
            _ => node.clone(),
        }
    }

    fn call(&self, at: Place, name: &str, argument: &Node) -> Node {
        let worked_out = match name {
            "Ref" => argument.text().map(|name| self.reference(at, name)),
            "Fn::GetAtt" => self.attribute(at, argument),
            "Fn::Sub" => self.sub(at, argument),
            "Fn::Join" => self.join(at, argument),
            "Fn::If" => self.choice(at, argument),
            "Fn::FindInMap" => self.find(argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(at, argument),
            "Fn::Base64" => Some(self.resolve(argument)),
            "Fn::ImportValue" => {
                return hole(at, "`Fn::ImportValue` is the export of another stack".to_owned(), true);
            }
            "Fn::GetAZs" => return hole(at, "`Fn::GetAZs` is known when it is deployed".to_owned(), true),
            _ => None,
        };
        worked_out.unwrap_or_else(|| Node::unknown(at, format!("`{name}` cannot be worked out here")))
    }

    fn reference(&self, at: Place, name: &str) -> Node {
        if name == "AWS::NoValue" {
            return Node::new(at, Value::Null);
        }
        if name.starts_with("AWS::") {
            return piece(at, Piece::Pseudo(name.to_owned()));
        }
        if let Some(parameter) = self.parameters.and_then(|all| all.get(name)) {
            return self.parameter(at, name, parameter);
        }
        if self.resources.get(name).is_some() {
            return piece(at, Piece::Edge(Edge { to: name.to_owned(), attribute: None }));
        }
        Node::unknown(at, format!("`{name}` is neither a parameter nor a resource of the template"))
    }

    fn parameter(&self, at: Place, name: &str, parameter: &Node) -> Node {
        let kind = parameter.get("Type").and_then(Node::text).unwrap_or("String");
        let list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        if kind.starts_with("AWS::SSM::Parameter") {
            return hole(at, format!("parameter `{name}` is read from the parameter store"), true);
        }
        match parameter.get("Default").and_then(Node::text) {
            Some(default) if list => {
                let items = default.split(',').map(|item| text(at, item.trim())).collect();
                Node::new(at, Value::List(items))
            }
            Some(default) => text(at, default),
            // Parameters of the types of AWS are checked to exist, so they are never empty.
            None => hole(at, format!("parameter `{name}` has no default"), kind.contains("AWS::")),
        }
    }

    fn attribute(&self, at: Place, argument: &Node) -> Option<Node> {
        let (name, attribute) = match &argument.value {
            Value::Text(both) => both.split_once('.')?,
            _ => (argument.items().first()?.text()?, argument.items().get(1)?.text().unwrap_or_default()),
        };
        if self.resources.get(name).is_none() {
            return Some(Node::unknown(at, format!("`{name}` is not a resource of the template")));
        }
        let edge = Edge { to: name.to_owned(), attribute: Some(attribute.to_owned()) };
        Some(piece(at, Piece::Edge(edge)))
    }

    fn sub(&self, at: Place, argument: &Node) -> Option<Node> {
        let (pattern, values) = match &argument.value {
            Value::Text(pattern) => (pattern.as_str(), None),
            _ => (argument.items().first()?.text()?, argument.items().get(1)),
        };
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            parts.push(text(at, &rest[..start]));
            let name = rest[start + 2..start + length].trim();
            parts.push(match (name.strip_prefix('!'), values.and_then(|values| values.get(name))) {
                (Some(literal), _) => text(at, format!("${{{literal}}}")),
                (None, Some(value)) => self.resolve(value),
                (None, None) => match name.split_once('.') {
                    Some(_) => self.attribute(at, &text(at, name))?,
                    None => self.reference(at, name),
                },
            });
            rest = &rest[start + length + 1..];
        }
        parts.push(text(at, rest));
        Some(concat(at, &parts))
    }

    fn join(&self, at: Place, argument: &Node) -> Option<Node> {
        let [delimiter, list] = argument.items() else { return None };
        let delimiter = delimiter.text()?;
        let list = self.resolve(list);
        let Value::List(items) = &list.value else {
            return Some(hole(at, crate::resource::cause(&list), false));
        };
        let mut parts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                parts.push(text(at, delimiter));
            }
            parts.push(item.clone());
        }
        Some(concat(at, &parts))
    }

    fn choice(&self, at: Place, argument: &Node) -> Option<Node> {
        let [condition, yes, no] = argument.items() else { return None };
        let name = condition.text()?;
        Some(match self.condition(name) {
            Some(true) => self.resolve(yes),
            Some(false) => self.resolve(no),
            None => {
                let (yes, no) = (self.resolve(yes), self.resolve(no));
                // Either way the same, or either way something.
                if yes.shown() == no.shown() && yes.any_hole().is_none() {
                    return Some(yes);
                }
                let present = is_present(&yes) && is_present(&no);
                hole(at, format!("condition `{name}` cannot be worked out"), present)
            }
        })
    }

    fn find(&self, argument: &Node) -> Option<Node> {
        let keys: Vec<Node> = argument.items().iter().take(3).map(|item| self.resolve(item)).collect();
        let mut node = self.mappings?;
        for key in &keys {
            let Some(key) = key.text() else {
                return Some(Node::unknown(
                    argument.at,
                    format!("`Fn::FindInMap`: {}", crate::resource::cause(key)),
                ));
            };
            node = node.get(key)?;
        }
        (keys.len() == 3).then(|| node.clone())
    }

    fn select(&self, argument: &Node) -> Option<Node> {
        let [index, list] = argument.items() else { return None };
        let index: usize = self.resolve(index).text()?.parse().ok()?;
        let list = self.resolve(list);
        match &list.value {
            Value::List(items) => items.get(index).cloned(),
            _ => Some(hole(
                argument.at,
                crate::resource::cause(&list),
                list.hole().is_some_and(|hole| hole.present),
            )),
        }
    }

    fn split(&self, at: Place, argument: &Node) -> Option<Node> {
        let [delimiter, source] = argument.items() else { return None };
        let (delimiter, source) = (delimiter.text()?, self.resolve(source));
        let whole = source.text()?;
        let items = whole.split(delimiter).map(|part| text(at, part)).collect();
        Some(Node::new(at, Value::List(items)))
    }
}

fn is_present(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Open(_) => node.hole().is_none_or(|hole| hole.present),
        _ => true,
    }
}

/// Three-valued and (`decisive` false) or or (`decisive` true).
fn join(values: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut open = false;
    for value in values {
        match value {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

/// Texts one after the other; what is known grows together.
fn concat(at: Place, parts: &[Node]) -> Node {
    let mut pieces: Vec<Piece> = Vec::new();
    for part in parts {
        let more = match &part.value {
            Value::Open(pieces) => pieces.clone(),
            _ => match part.text() {
                Some(text) => vec![Piece::Text(text.to_owned())],
                None => vec![Piece::Hole(Hole {
                    cause: format!("`{}` is no text", part.shown()),
                    present: false,
                })],
            },
        };
        for piece in more {
            match (pieces.last_mut(), piece) {
                (_, Piece::Text(text)) if text.is_empty() => {}
                (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                (_, piece) => pieces.push(piece),
            }
        }
    }
    match pieces.as_slice() {
        [] => text(at, ""),
        [Piece::Text(only)] => text(at, only.clone()),
        _ => Node::new(at, Value::Open(pieces)),
    }
}
