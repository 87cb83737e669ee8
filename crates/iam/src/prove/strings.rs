//! Which texts fit some patterns and not others: a search through the product of their automata, shortest text first.
//!
//! A pattern is run as the set of its positions that the text so far can have reached. Texts are grown character by
//! character; at each step only the characters that some pattern waits for differ, and one that stands for all others.
//!
//! Variables. What a variable stands for is unknown, so texts may also grow by a *symbol* that stands for its value. One
//! positive requirement leads: its variables take exactly their symbols. In the other positive ones a variable or a
//! symbol may be any text (they may say yes too often), in negative ones only the same symbol and a star take a symbol
//! (they may say yes too seldom). So if nothing is found there is nothing, for every value of the variables: replacing
//! symbols by values keeps every yes of a negative pattern. If something is found, values still have to be found for it.

use crate::value::{ArnTemplate, Atom, Template};
use std::collections::{HashMap, HashSet, VecDeque};

/// A variable: its key and its default.
pub(super) type Symbol = (Box<str>, Option<Box<str>>);

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// One character; not a colon if `bounded`.
    One { bounded: bool },
    /// Any characters; no colon if `bounded`.
    Star { bounded: bool },
    /// The value of a variable.
    Variable { symbol: Symbol, bounded: bool },
}

/// A pattern over whole texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) tokens: Vec<Token>,
    /// Letters are compared without regard to case.
    pub(super) fold: bool,
}

/// The values of variables: key to value, `None` for a key that is absent. `Unknown` keeps them symbolic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    Unknown,
    Known(HashMap<Box<str>, Option<String>>),
}

impl Values {
    /// What a variable stands for: `None` if it stays symbolic, `Some(None)` if it has no value.
    fn resolve<'s>(&'s self, symbol: &'s Symbol) -> Option<Option<&'s str>> {
        match self {
            Self::Unknown => None,
            Self::Known(values) => {
                let value = values.get(&symbol.0).and_then(Option::as_deref);
                Some(value.or(symbol.1.as_deref()))
            }
        }
    }
}

impl Pattern {
    /// The pattern of a template; `None` if one of its variables has no value.
    pub(super) fn of(template: &Template, values: &Values) -> Option<Self> {
        let mut tokens = Vec::new();
        append(&mut tokens, template, false, values)?;
        Some(Self { tokens, fold: template.fold })
    }

    /// The pattern of an ARN with wildcards, over whole texts.
    pub(super) fn of_arn(arn: &ArnTemplate, values: &Values) -> Option<Self> {
        let first = arn.fields.first()?;
        let mut tokens: Vec<Token> = "arn".chars().map(Token::Char).collect();
        if !first.matches("arn", &crate::request::Context::default()).unwrap_or(false) {
            return None;
        }
        for (at, field) in arn.fields.iter().enumerate().skip(1) {
            tokens.push(Token::Char(':'));
            let from = tokens.len();
            append(&mut tokens, field, at < 5, values)?;
            if at < 5 && tokens.get(from..)?.contains(&Token::Char(':')) {
                return None;
            }
        }
        Some(Self { tokens, fold: false })
    }

    /// The pattern with these tokens in the place of a variable.
    pub(super) fn with(&self, key: &str, tokens: &[Token]) -> Self {
        let replaced = self.tokens.iter().flat_map(|token| match token {
            Token::Variable { symbol, .. } if *symbol.0 == *key => tokens.to_vec(),
            other => vec![other.clone()],
        });
        Self { tokens: replaced.collect(), fold: self.fold }
    }

    /// The pattern with any text in the place of every variable, so that it fits whatever it fits with some values.
    pub(super) fn loosened(&self) -> Self {
        let loose = |token: &Token| match token {
            Token::Variable { bounded, .. } => Token::Star { bounded: *bounded },
            other => other.clone(),
        };
        Self { tokens: self.tokens.iter().map(loose).collect(), fold: self.fold }
    }

    /// The one text that fits, if it is only one.
    pub(super) fn literal(&self) -> Option<String> {
        if self.fold && self.tokens.iter().any(|t| matches!(t, Token::Char(c) if c.is_alphabetic())) {
            return None;
        }
        let char = |token: &Token| match token {
            Token::Char(c) => Some(*c),
            _ => None,
        };
        self.tokens.iter().map(char).collect()
    }

    /// Whether it can mean a boolean.
    pub(super) fn is_boolean(&self) -> bool {
        let text: Option<String> =
            self.tokens.iter().map(|t| if let Token::Char(c) = t { Some(*c) } else { None }).collect();
        text.is_none_or(|text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"))
    }

    pub(super) fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Variable { symbol, .. } => Some(symbol),
            _ => None,
        })
    }

    /// Whether a text fits; symbolic variables fit nothing.
    fn fits(&self, text: &str) -> bool {
        let mut at = self.start();
        for c in text.chars() {
            at = self.step(&at, Letter::Char(c), Mode::Negative);
        }
        at.contains(&(self.tokens.len() as u16))
    }

    fn start(&self) -> Vec<u16> {
        let mut at = vec![0];
        self.close(&mut at, false);
        at
    }

    /// Adds what can be reached without reading: over stars, and over variables where they may be any text.
    fn close(&self, at: &mut Vec<u16>, over_variables: bool) {
        let mut next = 0;
        while let Some(position) = at.get(next).copied() {
            let skip = match self.tokens.get(usize::from(position)) {
                Some(Token::Star { .. }) => true,
                Some(Token::Variable { .. }) => over_variables,
                _ => false,
            };
            if skip && !at.contains(&(position + 1)) {
                at.push(position + 1);
            }
            next += 1;
        }
        at.sort_unstable();
        at.dedup();
    }

    /// The positions after one more letter.
    fn step(&self, at: &[u16], letter: Letter<'_>, mode: Mode) -> Vec<u16> {
        let mut next = Vec::with_capacity(at.len() + 1);
        for position in at {
            let Some(token) = self.tokens.get(usize::from(*position)) else { continue };
            match (letter, token) {
                (Letter::Char(c), Token::Char(wanted)) if same(c, *wanted, self.fold) => {
                    next.push(position + 1);
                }
                (Letter::Char(c), Token::One { bounded }) if !(*bounded && c == ':') => {
                    next.push(position + 1);
                }
                (Letter::Char(c), Token::Star { bounded }) if !(*bounded && c == ':') => next.push(*position),
                (Letter::Char(_), Token::Variable { .. }) if mode == Mode::Loose => next.push(*position),
                (Letter::Symbol(..), _) if mode == Mode::Loose => {
                    next.extend(*position..=u16::try_from(self.tokens.len()).unwrap_or(u16::MAX));
                }
                (Letter::Symbol(symbol, narrow), Token::Variable { symbol: own, bounded })
                    if symbol == own && (mode == Mode::Leading || narrow || !bounded) =>
                {
                    next.push(position + 1);
                }
                (Letter::Symbol(_, narrow), Token::Star { bounded })
                    if mode == Mode::Leading || narrow || !bounded =>
                {
                    next.push(*position);
                }
                _ => {}
            }
        }
        self.close(&mut next, mode == Mode::Loose);
        next
    }
}

fn append(tokens: &mut Vec<Token>, template: &Template, bounded: bool, values: &Values) -> Option<()> {
    for atom in &template.atoms {
        match atom {
            Atom::Literal(text) => tokens.extend(text.chars().map(Token::Char)),
            Atom::Star => tokens.push(Token::Star { bounded }),
            Atom::One => tokens.push(Token::One { bounded }),
            Atom::Variable { key, default } => {
                let symbol = (key.clone(), default.clone());
                match values.resolve(&symbol) {
                    None => tokens.push(Token::Variable { symbol, bounded }),
                    Some(None) => return None,
                    Some(Some(value)) => tokens.extend(value.chars().map(Token::Char)),
                }
            }
        }
    }
    Some(())
}

pub(super) fn same(a: char, b: char, fold: bool) -> bool {
    a == b || fold && a.to_lowercase().eq(b.to_lowercase())
}

#[derive(Debug, Clone, Copy)]
enum Letter<'l> {
    Char(char),
    /// The value of a variable, and whether it is known to hold no colon.
    Symbol(&'l Symbol, bool),
}

/// How a pattern treats symbols; see the head of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mode {
    Leading,
    Loose,
    Negative,
}

/// What a text must be: one of these patterns, or none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) patterns: Vec<Pattern>,
    pub(super) positive: bool,
}

/// Which texts there are at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Universe {
    /// Any.
    Any,
    /// Lower-case names of actions, `service:name`.
    Actions,
}

impl Universe {
    fn has(self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::Actions => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '-'),
        }
    }
}

/// The requirements without what they say of variables: whatever meets them with some values meets these.
pub(super) fn loosened(requirements: &[Requirement]) -> Vec<Requirement> {
    let loose = |r: &Requirement| {
        let kept = r.patterns.iter().filter(|p| r.positive || p.symbols().next().is_none());
        Requirement { patterns: kept.map(Pattern::loosened).collect(), positive: r.positive }
    };
    requirements.iter().map(loose).collect()
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No text fits.
    Nothing,
    /// This one does; with symbols in it, written as the name of the variable, it only may.
    Text { text: String, symbolic: bool },
    /// The search grew too large.
    TooLarge,
}

/// More states than this are not looked at.
const MAX_STATES: usize = 60_000;

struct Runner<'p> {
    pattern: &'p Pattern,
    mode: Mode,
    requirement: usize,
}

/// Finds the shortest text that meets all requirements.
pub(super) fn find(requirements: &[Requirement], universe: Universe) -> Found {
    let negative: HashSet<&Pattern> =
        requirements.iter().filter(|r| !r.positive).flat_map(|r| r.patterns.iter()).collect();
    // What is excluded by name cannot be what a positive requirement is met by.
    let kept = |r: &Requirement| -> Requirement {
        let patterns = r.patterns.iter().filter(|p| !r.positive || !negative.contains(p)).cloned().collect();
        Requirement { patterns, positive: r.positive }
    };
    let requirements: Vec<Requirement> = requirements.iter().map(kept).collect();
    if requirements.iter().any(|r| r.positive && r.patterns.is_empty()) {
        return Found::Nothing;
    }
    if let Some(found) = by_literals(&requirements, universe) {
        return found;
    }
    search(&requirements, universe)
}

/// If some requirement leaves only finitely many texts, these are tried one by one.
fn by_literals(requirements: &[Requirement], universe: Universe) -> Option<Found> {
    if requirements.iter().flat_map(|r| &r.patterns).any(|p| p.symbols().next().is_some()) {
        return None;
    }
    let literals = requirements
        .iter()
        .filter(|r| r.positive)
        .find_map(|r| r.patterns.iter().map(Pattern::literal).collect::<Option<Vec<String>>>())?;
    let meets = |text: &&String| {
        text.chars().all(|c| universe.has(c))
            && requirements.iter().all(|r| r.patterns.iter().any(|p| p.fits(text)) == r.positive)
    };
    let text = literals.iter().filter(meets).min_by_key(|text| text.len());
    Some(text.map_or(Found::Nothing, |text| Found::Text { text: text.clone(), symbolic: false }))
}

fn search(requirements: &[Requirement], universe: Universe) -> Found {
    let leader = requirements
        .iter()
        .position(|r| r.positive && r.patterns.iter().any(|p| p.symbols().next().is_some()));
    let mut runners = Vec::new();
    for (requirement, r) in requirements.iter().enumerate() {
        let mode = match r.positive {
            true if leader == Some(requirement) => Mode::Leading,
            true => Mode::Loose,
            false => Mode::Negative,
        };
        runners.extend(r.patterns.iter().map(|pattern| Runner { pattern, mode, requirement }));
    }
    let start: State = runners
        .iter()
        .map(|runner| {
            let mut at = vec![0];
            runner.pattern.close(&mut at, runner.mode == Mode::Loose);
            at
        })
        .collect();
    let mut seen: HashMap<State, usize> = HashMap::from([(start.clone(), 0)]);
    let mut trail: Vec<(usize, Grown)> = vec![(0, Grown::Start)];
    let mut queue = VecDeque::from([(start, 0_usize)]);
    while let Some((state, at)) = queue.pop_front() {
        if accepts(requirements, &runners, &state) {
            return written(&trail, at);
        }
        for letter in letters(&runners, &state, universe) {
            let next: State =
                runners.iter().zip(&state).map(|(r, at)| r.pattern.step(at, letter, r.mode)).collect();
            if hopeless(requirements, &runners, &next) || seen.contains_key(&next) {
                continue;
            }
            if seen.len() >= MAX_STATES {
                return Found::TooLarge;
            }
            seen.insert(next.clone(), trail.len());
            let grown = match letter {
                Letter::Char(c) => Grown::Char(c),
                Letter::Symbol(symbol, _) => Grown::Symbol(symbol.0.clone()),
            };
            queue.push_back((next, trail.len()));
            trail.push((at, grown));
        }
    }
    Found::Nothing
}

type State = Vec<Vec<u16>>;

enum Grown {
    Start,
    Char(char),
    Symbol(Box<str>),
}

fn written(trail: &[(usize, Grown)], mut at: usize) -> Found {
    let (mut pieces, mut symbolic) = (Vec::new(), false);
    while let Some((before, grown)) = trail.get(at) {
        match grown {
            Grown::Start => break,
            Grown::Char(c) => pieces.push(c.to_string()),
            Grown::Symbol(name) => {
                symbolic = true;
                pieces.push(name.to_string());
            }
        }
        at = *before;
    }
    pieces.reverse();
    Found::Text { text: pieces.concat(), symbolic }
}

/// Whether a runner has reached its end.
fn ended(runner: &Runner<'_>, at: &[u16]) -> bool {
    at.iter().any(|position| usize::from(*position) == runner.pattern.tokens.len())
}

fn accepts(requirements: &[Requirement], runners: &[Runner<'_>], state: &State) -> bool {
    let mut met: Vec<bool> = requirements.iter().map(|r| !r.positive).collect();
    for (runner, at) in runners.iter().zip(state) {
        if ended(runner, at)
            && let Some(met) = met.get_mut(runner.requirement)
        {
            *met = runner.mode != Mode::Negative;
        }
        if runner.mode == Mode::Negative && ended(runner, at) {
            return false;
        }
    }
    met.into_iter().all(|met| met)
}

/// Whether some positive requirement can no longer be met.
fn hopeless(requirements: &[Requirement], runners: &[Runner<'_>], state: &State) -> bool {
    let mut alive: Vec<bool> = requirements.iter().map(|r| !r.positive).collect();
    for (runner, at) in runners.iter().zip(state) {
        if let Some(alive) = alive.get_mut(runner.requirement) {
            *alive |= !at.is_empty();
        }
    }
    alive.into_iter().any(|alive| !alive)
}

/// The letters that make a difference in this state: those that some pattern waits for, and one other.
fn letters<'r>(runners: &[Runner<'r>], state: &State, universe: Universe) -> Vec<Letter<'r>> {
    let mut chars: Vec<char> = Vec::new();
    let mut symbols: Vec<(&'r Symbol, bool)> = Vec::new();
    for (runner, at) in runners.iter().zip(state) {
        for token in at.iter().filter_map(|position| runner.pattern.tokens.get(usize::from(*position))) {
            match token {
                Token::Char(c) if runner.pattern.fold => {
                    chars.extend(c.to_lowercase().chain(c.to_uppercase()));
                    // Kelvin and angstrom sign are upper-case letters too.
                    chars.extend(['\u{212a}', '\u{212b}'].into_iter().filter(|sign| same(*c, *sign, true)));
                }
                Token::Char(c) => chars.push(*c),
                Token::One { bounded: true } | Token::Star { bounded: true } => chars.push(':'),
                Token::Variable { symbol, bounded } if runner.mode == Mode::Leading => {
                    symbols.push((symbol, *bounded));
                }
                _ => {}
            }
        }
    }
    // Small letters first: of two texts equally short the first one found is shown.
    chars.sort_unstable_by_key(|c| (c.is_uppercase(), *c));
    chars.dedup();
    chars.retain(|c| universe.has(*c));
    symbols.sort_unstable();
    symbols.dedup();
    let folded = |other: char| chars.iter().any(|c| same(*c, other, true));
    let other = "xyzabcdefghijklmnopqrstuvw0123456789-_./+=@ABCXYZ \u{e9}\u{4e2d}"
        .chars()
        .find(|c| universe.has(*c) && *c != ':' && !folded(*c));
    let symbols = symbols.into_iter().map(|(symbol, narrow)| Letter::Symbol(symbol, narrow));
    other.into_iter().chain(chars).map(Letter::Char).chain(symbols).collect()
}
