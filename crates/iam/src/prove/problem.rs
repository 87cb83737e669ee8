//! Statements as formulas: what a request must be like for a statement to match, piece by piece, each piece about one
//! attribute of the request.

use super::strings::{Pattern, Requirement, Values as Bindings};
use crate::catalog::{catalog, global_key};
use crate::eval::{ActionTest, Clause, Compiled, Level, Program, ResourcePattern, ResourceTest};
use crate::policy::Effect;
use crate::request::Principal;
use std::collections::BTreeSet;

/// What a piece is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Attribute {
    /// The action.
    Action,
    /// The resource.
    Resource,
    /// A context key, in lower case.
    Key(Box<str>),
}

/// A piece: something about one attribute that is true or false.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Action(ActionTest),
    Resource(ResourceTest),
    Condition(Clause),
}

impl Piece {
    pub(super) fn attribute(&self) -> Attribute {
        match self {
            Self::Action(_) => Attribute::Action,
            Self::Resource(_) => Attribute::Resource,
            Self::Condition(clause) => Attribute::Key(clause.key.clone()),
        }
    }

    /// What a piece about action or resource requires of the text. `None` if it is met by every text, or by none; the
    /// boolean says which.
    pub(super) fn requirement(&self, holds: bool, bindings: &Bindings) -> Result<Requirement, bool> {
        let (patterns, negated, any) = match self {
            Self::Action(test) => {
                let patterns = test.patterns.iter().filter_map(|p| Pattern::of(p, bindings)).collect();
                (patterns, test.negated, false)
            }
            Self::Resource(test) => {
                let pattern = |p: &ResourcePattern| match p {
                    ResourcePattern::Arn(arn) => Pattern::of_arn(arn, bindings),
                    ResourcePattern::Any | ResourcePattern::Nothing => None,
                };
                let patterns: Vec<Pattern> = test.patterns.iter().filter_map(pattern).collect();
                (patterns, test.negated, test.patterns.contains(&ResourcePattern::Any))
            }
            Self::Condition(_) => return Err(true),
        };
        let positive = holds != negated;
        if any {
            return Err(positive);
        }
        Ok(Requirement { patterns, positive })
    }
}

/// A piece by number, and whether it holds.
pub(super) type Literal = (usize, bool);

/// A formula in which only pieces are negated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Formula {
    Piece(Literal),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

impl Formula {
    pub(super) fn always() -> Self {
        Self::All(Vec::new())
    }

    pub(super) fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// The opposite.
    pub(super) fn not(self) -> Self {
        match self {
            Self::Piece((piece, holds)) => Self::Piece((piece, !holds)),
            Self::All(list) => Self::Any(list.into_iter().map(Self::not).collect()),
            Self::Any(list) => Self::All(list.into_iter().map(Self::not).collect()),
        }
    }
}

/// All pieces, each once.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) list: Vec<Piece>,
    /// Keys that can have several values.
    several: BTreeSet<Box<str>>,
}

/// Whether AWS says that a key has a list of values.
pub(super) fn is_multivalued(key: &str) -> bool {
    catalog().condition_key(key).is_some_and(|known| known.kind().is_multivalued())
        || global_key(key).is_some_and(|known| known.kind().is_multivalued())
}

impl Pieces {
    pub(super) fn number(&mut self, piece: Piece) -> usize {
        match self.list.iter().position(|other| *other == piece) {
            Some(at) => at,
            None => {
                if let Piece::Condition(clause) = &piece
                    && (clause.test.quantifier.is_some() || is_multivalued(&clause.key))
                {
                    self.several.insert(clause.key.clone());
                }
                self.list.push(piece);
                self.list.len() - 1
            }
        }
    }

    /// Whether a key can have several values: AWS says so, or somebody asks about some or all of them. Any other key has
    /// one value in every request that AWS makes.
    pub(super) fn can_be_several(&self, key: &str) -> bool {
        self.several.contains(key)
    }

    /// The formula of one piece.
    pub(super) fn piece(&mut self, piece: Piece) -> Formula {
        Formula::Piece((self.number(piece), true))
    }

    /// When all but the principal of a statement matches.
    fn statement(&mut self, compiled: &Compiled) -> Formula {
        if compiled.dead {
            return Formula::never();
        }
        let mut all = Vec::new();
        for clause in &compiled.conditions {
            all.push(self.piece(Piece::Condition(clause.clone())));
        }
        all.push(self.piece(Piece::Action(compiled.action.clone())));
        if let Some(resource) = &compiled.resource {
            all.push(self.piece(Piece::Resource(resource.clone())));
        }
        Formula::All(all)
    }

    /// When some statement of this effect matches that means the caller at least (and at most) so closely.
    pub(super) fn some(&mut self, programs: &[Program], effect: Effect, caller: &Caller<'_>) -> Formula {
        let mut any = Vec::new();
        for compiled in programs.iter().flat_map(|program| &program.statements) {
            let level = compiled.level(caller.principal, caller.bounded);
            if compiled.effect == effect && caller.least <= level && level <= caller.most {
                any.push(self.statement(compiled));
            }
        }
        Formula::Any(any)
    }
}

/// For whom statements are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'c> {
    pub(super) principal: &'c Principal,
    /// Whether he has a permissions boundary.
    pub(super) bounded: bool,
    pub(super) least: Level,
    pub(super) most: Level,
}

impl<'c> Caller<'c> {
    /// This principal, meant at any level.
    pub(super) fn any(principal: &'c Principal) -> Self {
        Self { principal, bounded: false, least: Level::Account, most: Level::Direct }
    }
}
