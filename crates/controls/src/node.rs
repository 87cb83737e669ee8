//! Values with their places in a file, and with what is not known of them. An expression of a template that cannot be
//! worked out stays as text with holes; each hole says why it is one.

use serde_json::{Map, Value as Json};

/// Where something stands: lines and columns from 1; line 0 means nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object, in the order of the file.
    Map(Vec<Member>),
    /// Text of which parts are not known.
    Open(Vec<Piece>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub key: String,
    /// Where the name stands.
    pub at: Place,
    /// What it is.
    pub node: Node,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Known.
    Text(String),
    /// A property of another resource of the same template or plan.
    Edge(Edge),
    /// A value that every deployment has and no template knows, such as `AWS::AccountId`.
    Pseudo(String),
    /// Not known.
    Hole(Hole),
}

/// A reference to another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Its logical id or address.
    pub to: String,
    /// Which attribute of it; none for its identifier.
    pub attribute: Option<String>,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Why, such as "parameter `KeyArn` has no default".
    pub cause: String,
    /// Whether it is certainly there and not empty.
    pub present: bool,
}

impl Node {
    /// A value that is nowhere in a file.
    #[must_use]
    pub fn new(at: Place, value: Value) -> Self {
        Self { at, value }
    }

    /// A value that is not known at all.
    #[must_use]
    pub fn unknown(at: Place, cause: impl Into<String>) -> Self {
        Self::new(at, Value::Open(vec![Piece::Hole(Hole { cause: cause.into(), present: false })]))
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// The members of an object; of anything else, none.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; a value that is no list is a list of itself.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The text, if it is text and known.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The truth value; `"true"` is one too, as CloudFormation has it.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self.text()? {
            "true" | "True" | "TRUE" | "1" => Some(true),
            "false" | "False" | "FALSE" | "0" => Some(false),
            _ => None,
        }
    }

    /// The first thing that is not known in this value itself, not in what it holds.
    #[must_use]
    pub fn hole(&self) -> Option<&Hole> {
        let Value::Open(pieces) = &self.value else { return None };
        pieces.iter().find_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            _ => None,
        })
    }

    /// The first thing that is not known, here or in what it holds.
    #[must_use]
    pub fn any_hole(&self) -> Option<&Hole> {
        match &self.value {
            Value::Open(_) => self.hole(),
            Value::List(items) => items.iter().find_map(Self::any_hole),
            Value::Map(members) => members.iter().find_map(|member| member.node.any_hole()),
            _ => None,
        }
    }

    /// All resources that the value refers to, also from within texts.
    #[must_use]
    pub fn edges(&self) -> Vec<&Edge> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect<'a>(&'a self, all: &mut Vec<&'a Edge>) {
        match &self.value {
            Value::Open(pieces) => all.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Edge(edge) => Some(edge),
                _ => None,
            })),
            Value::List(items) => items.iter().for_each(|item| item.collect(all)),
            Value::Map(members) => members.iter().for_each(|member| member.node.collect(all)),
            _ => {}
        }
    }

    /// The one resource that the value is a reference to.
    #[must_use]
    pub fn edge(&self) -> Option<&Edge> {
        match &self.value {
            Value::Open(pieces) => match pieces.as_slice() {
                [Piece::Edge(edge)] => Some(edge),
                _ => None,
            },
            _ => None,
        }
    }

    /// As JSON; parts of texts that are not known get stand-ins from `stand_in`.
    pub(crate) fn to_json(&self, stand_in: &dyn Fn(&Piece) -> String) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(|item| item.to_json(stand_in)).collect(),
            Value::Map(members) => Json::Object(
                members.iter().map(|m| (m.key.clone(), m.node.to_json(stand_in))).collect::<Map<_, _>>(),
            ),
            Value::Open(pieces) => Json::String(pieces.iter().map(stand_in).collect()),
        }
    }

    /// For people: the value in one line, with `${...}` for what is not known, cut off if it is long.
    #[must_use]
    pub fn shown(&self) -> String {
        let text = self.written();
        // A text of few bytes has few characters.
        if text.len() > 80 && text.chars().count() > 80 {
            text.chars().take(79).chain(['…']).collect()
        } else {
            text
        }
    }

    /// The same, all of it.
    #[must_use]
    pub fn written(&self) -> String {
        let json = self.to_json(&|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Edge(edge) => match &edge.attribute {
                Some(attribute) => format!("${{{}.{attribute}}}", edge.to),
                None => format!("${{{}}}", edge.to),
            },
            Piece::Pseudo(name) => format!("${{{name}}}"),
            Piece::Hole(_) => "${?}".to_owned(),
        });
        match json {
            Json::String(text) => text,
            other => other.to_string(),
        }
    }
}
