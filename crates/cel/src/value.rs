//! Values: those of CEL, made by expressions, and views on what the host has, which is read only where it is looked at.

use crate::time::{Span, Time};
use std::rc::Rc;

/// A value. `H` is the host's handle of a list or an object that it has.
#[derive(Debug, Clone)]
pub enum Value<'a, H> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without sign.
    Uint(u64),
    /// A number.
    Double(f64),
    /// Text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A list.
    List(List<'a, H>),
    /// An object.
    Map(Map<'a, H>),
    /// A type.
    Type(Type),
    /// A moment.
    Time(Time),
    /// A length of time.
    Span(Span),
    /// Something that the host knows and cannot tell yet, such as a reference to what will be made. It can be handed to the
    /// host's functions; whatever else looks at it does not know. In a list that was made, it may be that it is not there.
    Open(H),
    /// A value that may be absent, as `.?name` makes it.
    Optional(Option<Rc<Value<'a, H>>>),
}

/// A text and where it comes from.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// It stands in the expression, or is one of the host's own words.
    Given(&'a str),
    /// It stands in a document whose texts may be meant as truth values or numbers, as CloudFormation's are: such a
    /// text equals what it reads as.
    Written(&'a str),
    /// It was made.
    Made(Rc<str>),
}

impl Text<'_> {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Given(text) | Self::Written(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// A list.
#[derive(Debug, Clone)]
pub enum List<'a, H> {
    /// It was made.
    Made(Rc<[Value<'a, H>]>),
    /// The host has it.
    Host(H),
}

/// A key and its value, or two values that are held against each other.
pub(crate) type Pair<'a, H> = (Value<'a, H>, Value<'a, H>);

/// An object.
#[derive(Debug, Clone)]
pub enum Map<'a, H> {
    /// It was made; the keys are truth values, whole numbers or texts, none twice.
    Made(Rc<[(Value<'a, H>, Value<'a, H>)]>),
    /// The host has it; the keys are texts.
    Host(H),
}

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `null_type`.
    Null,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `uint`.
    Uint,
    /// `double`.
    Double,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// `list`.
    List,
    /// `map`.
    Map,
    /// `type`.
    Type,
    /// `google.protobuf.Timestamp`.
    Time,
    /// `google.protobuf.Duration`.
    Span,
    /// `optional_type`.
    Optional,
}

impl Type {
    const ALL: [Self; 13] = [
        Self::Null,
        Self::Bool,
        Self::Int,
        Self::Uint,
        Self::Double,
        Self::Text,
        Self::Bytes,
        Self::List,
        Self::Map,
        Self::Type,
        Self::Time,
        Self::Span,
        Self::Optional,
    ];

    /// What it is called in expressions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Type => "type",
            Self::Time => "google.protobuf.Timestamp",
            Self::Span => "google.protobuf.Duration",
            Self::Optional => "optional_type",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl<'a, H: Copy> Value<'a, H> {
    /// A text of the expression or one of the host's words.
    #[must_use]
    pub fn given(text: &'a str) -> Self {
        Self::Text(Text::Given(text))
    }

    pub(crate) fn made(text: &str) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    /// A list of these.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(items.into()))
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
            Self::List(_) => Type::List,
            Self::Map(_) => Type::Map,
            Self::Type(_) => Type::Type,
            Self::Time(_) => Type::Time,
            Self::Span(_) => Type::Span,
            // Whoever asks for the type of it was told before that it is not known.
            Self::Open(_) | Self::Optional(_) => Type::Optional,
        }
    }

    /// The truth value; a text of a document that reads as one is one too.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Text(Text::Written(text)) => truth_of(text),
            _ => None,
        }
    }

    /// The characters of a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

/// The truth value that a text of a document is meant as.
pub(crate) fn truth_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}
