//! The search: pieces are made true or false until the formula holds, and no further than each attribute by itself
//! stays possible. Every question about an attribute is asked once and remembered.

use super::keys::{KeyAnswer, Wanted, solve};
use super::problem::{Attribute, Formula, Literal, Piece, Pieces};
use super::strings::{Found, Requirement, Universe, Values as Bindings, find};
use std::collections::{BTreeMap, HashMap};

/// More steps than this are not taken.
const MAX_STEPS: usize = 200_000;

/// Whether an attribute can be what some pieces want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Possible {
    No,
    Yes,
    /// Not decided; it is taken to be possible, and the answer can no longer be `no`.
    Unknown(&'static str),
}

/// What came out.
#[derive(Debug)]
pub(super) enum Searched<T> {
    /// A request.
    Yes(T),
    /// There is none.
    No,
    /// Not decided, and why.
    Unknown(&'static str),
}

/// The pieces that are decided, in order.
pub(super) type Literals = Vec<Literal>;

/// Makes a request of decided pieces; `Ok(None)` if there is none.
pub(super) type Finish<'f, T> = dyn FnMut(&Pieces, &Literals) -> Result<Option<T>, &'static str> + 'f;

pub(super) struct Search<'p, 'f, T> {
    pieces: &'p Pieces,
    known: HashMap<Literals, Possible>,
    steps: usize,
    doubt: Option<&'static str>,
    finish: &'f mut Finish<'f, T>,
}

impl<'p, 'f, T> Search<'p, 'f, T> {
    pub(super) fn new(pieces: &'p Pieces, finish: &'f mut Finish<'f, T>) -> Self {
        Self { pieces, known: HashMap::new(), steps: 0, doubt: None, finish }
    }

    /// Looks for a request for which the formula holds.
    pub(super) fn run(mut self, formula: &Formula) -> Searched<T> {
        match self.branch(vec![formula], &Vec::new()) {
            Some(found) => Searched::Yes(found),
            None => self.doubt.map_or(Searched::No, Searched::Unknown),
        }
    }

    fn branch(&mut self, mut pending: Vec<&Formula>, decided: &Literals) -> Option<T> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.doubt = Some("the search grew too large");
            return None;
        }
        let mut decided = decided.clone();
        let mut open: Vec<&Vec<Formula>> = Vec::new();
        loop {
            while let Some(formula) = pending.pop() {
                match formula {
                    Formula::All(list) => pending.extend(list),
                    Formula::Piece(literal) => {
                        if !self.decide(&mut decided, *literal) {
                            return None;
                        }
                    }
                    Formula::Any(list) => open.push(list),
                }
            }
            // Alternatives of which one is left are no alternatives.
            let mut rest = Vec::new();
            for list in open {
                match self.left(list, &decided) {
                    None => {}
                    Some(left) => match left.as_slice() {
                        [] => return None,
                        [only] => pending.push(only),
                        _ => rest.push((list, left)),
                    },
                }
            }
            if pending.is_empty() {
                let least = rest.iter().enumerate().min_by_key(|(_, (_, left))| left.len()).map(|(at, _)| at);
                let Some(least) = least else { return self.end(&decided) };
                let (_, choices) = rest.swap_remove(least);
                let others: Vec<&Vec<Formula>> = rest.into_iter().map(|(list, _)| list).collect();
                return self.choose(&choices, &others, &decided);
            }
            open = rest.into_iter().map(|(list, _)| list).collect();
        }
    }

    fn choose(&mut self, choices: &[&Formula], others: &[&Vec<Formula>], decided: &Literals) -> Option<T> {
        let mut refused: Vec<Literal> = Vec::new();
        for choice in choices {
            let mut decided = decided.clone();
            // What was tried before without success need not be tried again.
            if !refused.iter().all(|literal| self.decide(&mut decided, *literal)) {
                return None;
            }
            if let Some(found) = self.with(choice, others, &decided) {
                return Some(found);
            }
            if let Formula::Piece((piece, holds)) = choice {
                refused.push((*piece, !holds));
            }
        }
        None
    }

    fn with(&mut self, choice: &Formula, others: &[&Vec<Formula>], decided: &Literals) -> Option<T> {
        let lists: Vec<Formula> = others.iter().map(|list| Formula::Any((*list).clone())).collect();
        let pending = std::iter::once(choice).chain(&lists).collect();
        self.branch(pending, decided)
    }

    /// The alternatives that are still possible; `None` if one of them holds already.
    fn left<'l>(&mut self, list: &'l [Formula], decided: &Literals) -> Option<Vec<&'l Formula>> {
        let mut left = Vec::new();
        for formula in list {
            match formula {
                Formula::Piece((piece, holds)) => {
                    if decided.contains(&(*piece, *holds)) || !self.can(decided, (*piece, !holds)) {
                        return None;
                    }
                    if self.can(decided, (*piece, *holds)) {
                        left.push(formula);
                    }
                }
                Formula::All(inner) => {
                    let pieces: Vec<Literal> = inner
                        .iter()
                        .filter_map(|f| if let Formula::Piece(l) = f { Some(*l) } else { None })
                        .collect();
                    if pieces.len() == inner.len() && pieces.iter().all(|l| decided.contains(l)) {
                        return None;
                    }
                    if pieces.iter().all(|literal| self.can(decided, *literal)) {
                        left.push(formula);
                    }
                }
                Formula::Any(inner) => {
                    if !inner.is_empty() {
                        left.push(formula);
                    }
                }
            }
        }
        Some(left)
    }

    fn can(&mut self, decided: &Literals, literal: Literal) -> bool {
        let mut with = decided.clone();
        self.decide(&mut with, literal)
    }

    /// Adds a literal; false if its attribute cannot be like that.
    fn decide(&mut self, decided: &mut Literals, literal: Literal) -> bool {
        if decided.contains(&literal) {
            return true;
        }
        if decided.contains(&(literal.0, !literal.1)) {
            return false;
        }
        let Some(piece) = self.pieces.list.get(literal.0) else { return false };
        let attribute = piece.attribute();
        let at = decided.partition_point(|other| *other < literal);
        decided.insert(at, literal);
        let about: Literals = decided
            .iter()
            .filter(|(piece, _)| self.pieces.list.get(*piece).is_some_and(|p| p.attribute() == attribute))
            .copied()
            .collect();
        let possible = match self.known.get(&about) {
            Some(known) => *known,
            None => {
                let possible = possible(self.pieces, &about, &attribute);
                self.known.insert(about, possible);
                possible
            }
        };
        if let Possible::Unknown(cause) = possible {
            self.doubt = Some(cause);
        }
        possible != Possible::No
    }

    fn end(&mut self, decided: &Literals) -> Option<T> {
        match (self.finish)(self.pieces, decided) {
            Ok(found) => found,
            Err(cause) => {
                self.doubt = Some(cause);
                None
            }
        }
    }
}

/// Whether an attribute can be like this, whatever variables stand for.
fn possible(pieces: &Pieces, literals: &Literals, attribute: &Attribute) -> Possible {
    match attribute {
        Attribute::Key(key) => {
            match solve(&conditions(pieces, literals), &Bindings::Unknown, pieces.can_be_several(key)) {
                KeyAnswer::Nothing => Possible::No,
                KeyAnswer::Be { .. } => Possible::Yes,
                KeyAnswer::Unknown(cause) => Possible::Unknown(cause),
            }
        }
        Attribute::Action | Attribute::Resource => {
            let Some(requirements) = requirements(pieces, literals, &Bindings::Unknown) else {
                return Possible::No;
            };
            let universe = if *attribute == Attribute::Action { Universe::Actions } else { Universe::Any };
            match find(&requirements, universe) {
                Found::Nothing => Possible::No,
                Found::Text { .. } => Possible::Yes,
                Found::TooLarge => Possible::Unknown("a search through texts grew too large"),
            }
        }
    }
}

/// The conditions among the literals, all of one key.
pub(super) fn conditions<'p>(pieces: &'p Pieces, literals: &Literals) -> Vec<Wanted<'p>> {
    let condition = |(piece, holds): &Literal| match pieces.list.get(*piece) {
        Some(Piece::Condition(clause)) => Some((clause, *holds)),
        _ => None,
    };
    literals.iter().filter_map(condition).collect()
}

/// What the literals require of the text of an action or resource; `None` if that cannot be met.
pub(super) fn requirements(
    pieces: &Pieces,
    literals: &Literals,
    bindings: &Bindings,
) -> Option<Vec<Requirement>> {
    let mut all = Vec::new();
    for (piece, holds) in literals {
        match pieces.list.get(*piece)?.requirement(*holds, bindings) {
            Ok(requirement) => all.push(requirement),
            Err(true) => {}
            Err(false) => return None,
        }
    }
    Some(all)
}

/// The literals by attribute.
pub(super) fn by_attribute(pieces: &Pieces, literals: &Literals) -> BTreeMap<Attribute, Literals> {
    let mut map: BTreeMap<Attribute, Literals> = BTreeMap::new();
    for literal in literals {
        if let Some(piece) = pieces.list.get(literal.0) {
            map.entry(piece.attribute()).or_default().push(*literal);
        }
    }
    map
}
