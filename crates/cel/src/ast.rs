//! An expression as it was understood: nodes in one list, referred to by their numbers, so that nothing about a tree of any
//! shape needs a recursion to be dropped or copied.

use crate::pattern::Pattern;
use crate::time::Part;
use crate::value::Type;

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub(crate) u32);

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Id,
}

/// A node and where it begins, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) expression: Expression,
    pub(crate) at: u32,
    /// How deep the tree is below it.
    pub(crate) depth: u32,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum Expression {
    /// A value that stands there.
    Literal(Constant),
    /// A variable of the environment.
    Variable(usize),
    /// A variable of a comprehension, by how many stand around it.
    Local(usize),
    /// `of.field`, or `of.?field`.
    Select {
        /// Whose.
        of: Id,
        /// Which.
        field: String,
        /// Whether it may be absent.
        optional: bool,
    },
    /// `has(of.field)`.
    Has {
        /// Whose.
        of: Id,
        /// Which.
        field: String,
    },
    /// `of[at]`, or `of[?at]`.
    Index {
        /// Whose.
        of: Id,
        /// Which.
        at: Id,
        /// Whether it may be absent.
        optional: bool,
    },
    /// `[a, b]`.
    List(Vec<Id>),
    /// `{a: b}`.
    Map(Vec<(Id, Id)>),
    /// `!a`.
    Not(Id),
    /// `-a`.
    Negate(Id),
    /// `a && b && c`.
    And(Vec<Id>),
    /// `a || b || c`.
    Or(Vec<Id>),
    /// An operator between two.
    Binary(Operator, Id, Id),
    /// `a ? b : c`.
    Choice(Id, Id, Id),
    /// A function of CEL.
    Call(Builtin, Vec<Id>),
    /// `text.matches('...')` with a pattern that stands there.
    Matches(Id, Pattern),
    /// A function of the environment.
    Outside(usize, Vec<Id>),
    /// A comprehension.
    Fold {
        /// Which.
        fold: Fold,
        /// What is gone through.
        range: Id,
        /// The number of the first variable.
        local: usize,
        /// Whether there are two: place or key, and value.
        two: bool,
        /// What is asked of each; of `map` with two arguments nothing.
        test: Option<Id>,
        /// What `map` makes of each.
        result: Option<Id>,
    },
}

impl Expression {
    /// The nodes right below.
    #[must_use]
    pub fn children(&self) -> Vec<Id> {
        match self {
            Self::Literal(_) | Self::Variable(_) | Self::Local(_) => Vec::new(),
            Self::Select { of, .. } | Self::Has { of, .. } => vec![*of],
            Self::Not(of) | Self::Negate(of) | Self::Matches(of, _) => vec![*of],
            Self::Index { of, at, .. } => vec![*of, *at],
            Self::List(all) | Self::And(all) | Self::Or(all) | Self::Call(_, all) | Self::Outside(_, all) => {
                all.clone()
            }
            Self::Map(all) => all.iter().flat_map(|(key, value)| [*key, *value]).collect(),
            Self::Binary(_, a, b) => vec![*a, *b],
            Self::Choice(a, b, c) => vec![*a, *b, *c],
            Self::Fold { range, test, result, .. } => {
                [Some(*range), *test, *result].into_iter().flatten().collect()
            }
        }
    }
}

/// A value that stands in an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `1`.
    Int(i64),
    /// `1u`.
    Uint(u64),
    /// `1.0`.
    Double(f64),
    /// `'a'`.
    Text(String),
    /// `b'a'`.
    Bytes(Vec<u8>),
    /// `int`.
    Type(Type),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `in`.
    In,
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Remainder,
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// A comprehension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// `all`.
    All,
    /// `exists`.
    Exists,
    /// `exists_one`.
    ExistsOne,
    /// `map`.
    Map,
    /// `filter`.
    Filter,
}

impl Fold {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }

    /// The comprehension of a name; `existsOne` is another name of `exists_one`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" | "existsOne" => Self::ExistsOne,
            "map" => Self::Map,
            "filter" => Self::Filter,
            _ => return None,
        })
    }
}

/// A function of CEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `size`.
    Size,
    /// `contains`.
    Contains,
    /// `startsWith`.
    StartsWith,
    /// `endsWith`.
    EndsWith,
    /// `matches`, with a pattern that is worked out.
    Matches,
    /// `lowerAscii`.
    LowerAscii,
    /// `upperAscii`.
    UpperAscii,
    /// `trim`.
    Trim,
    /// `split`.
    Split,
    /// `join`.
    Join,
    /// `replace`.
    Replace,
    /// `substring`.
    Substring,
    /// `indexOf`.
    IndexOf,
    /// A conversion: `int`, `uint`, `double`, `string`, `bool`, `bytes`, `timestamp`, `duration`.
    To(Type),
    /// `type`.
    TypeOf,
    /// `dyn`.
    Dyn,
    /// `getFullYear` and its kin.
    Get(Part),
    /// `orValue`.
    OrValue,
    /// `hasValue`.
    HasValue,
    /// `value`.
    ValueOf,
}

impl Program {
    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost node.
    #[must_use]
    pub fn root(&self) -> Id {
        self.root
    }

    /// What a node of this program is.
    #[must_use]
    pub fn expression(&self, id: Id) -> &Expression {
        &self.node(id).expression
    }

    /// Line and column of a node, from 1.
    #[must_use]
    pub fn place(&self, id: Id) -> (u32, u32) {
        crate::fault::place(&self.text, self.node(id).at as usize)
    }

    /// Line and column of what failed, from 1, if it is known.
    #[must_use]
    pub fn place_of(&self, failed: &crate::fault::Failed) -> Option<(u32, u32)> {
        failed.at.map(|at| crate::fault::place(&self.text, at as usize))
    }

    /// Numbers are given out by the parser of the same program alone.
    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Program {}
