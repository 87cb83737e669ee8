//! Texts of policies with wildcards and variables. What a variable stands for is literal text: a `*` that somebody put
//! into a tag never becomes a wildcard.

use super::{after, begins, same};
use crate::request::Context;

/// What a text of a policy may hold besides letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writing {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${key}` is a variable, `${*}` a star.
    pub(crate) variables: bool,
    /// Letters are compared without regard to case.
    pub(crate) fold: bool,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Atom {
    /// These characters.
    Literal(Box<str>),
    /// Any characters, or none.
    Star,
    /// Any one character.
    One,
    /// What the request says for this key (lower case), or the default.
    Variable { key: Box<str>, default: Option<Box<str>> },
}

/// A compiled text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Template {
    pub(crate) atoms: Box<[Atom]>,
    pub(crate) fold: bool,
    form: Form,
}

/// The forms that most texts have, which are compared without a walk through their pieces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    /// `*`.
    Any,
    /// One literal.
    Exact(Box<str>),
    /// One literal, then a star.
    Prefix(Box<str>),
    Other,
}

impl Form {
    fn of(atoms: &[Atom], fold: bool) -> Self {
        match atoms {
            [Atom::Star] => Self::Any,
            [Atom::Literal(text)] if !fold => Self::Exact(text.clone()),
            [Atom::Literal(start), Atom::Star] if !fold => Self::Prefix(start.clone()),
            _ => Self::Other,
        }
    }
}

impl Template {
    /// Compiles a text.
    pub(crate) fn new(text: &str, writing: Writing) -> Self {
        let mut atoms = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (atom, width) = if writing.variables && rest.starts_with("${") {
                match rest.find('}') {
                    Some(end) => (variable(&rest[2..end]), end + 1),
                    None => (None, 0),
                }
            } else {
                (None, 0)
            };
            match atom {
                Some(Atom::Literal(text)) => literal.push_str(&text),
                Some(atom) => push(&mut atoms, &mut literal, atom),
                None if writing.wildcards && c == '*' => push(&mut atoms, &mut literal, Atom::Star),
                None if writing.wildcards && c == '?' => push(&mut atoms, &mut literal, Atom::One),
                None => literal.push(c),
            }
            rest = &rest[width.max(c.len_utf8())..];
        }
        if !literal.is_empty() {
            atoms.push(Atom::Literal(literal.into()));
        }
        Self::of(atoms, writing.fold)
    }

    /// A text of these pieces.
    pub(crate) fn of(atoms: Vec<Atom>, fold: bool) -> Self {
        Self { form: Form::of(&atoms, fold), atoms: atoms.into(), fold }
    }

    /// The same after a literal text.
    fn after(&self, head: &str) -> Self {
        let mut atoms = self.atoms.to_vec();
        match atoms.first_mut() {
            Some(Atom::Literal(text)) => *text = format!("{head}{text}").into(),
            _ => atoms.insert(0, Atom::Literal(head.into())),
        }
        Self::of(atoms, self.fold)
    }

    /// Whether it holds a variable.
    pub(crate) fn has_variable(&self) -> bool {
        self.atoms.iter().any(|atom| matches!(atom, Atom::Variable { .. }))
    }

    /// Whether it is one variable and nothing else.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(&*self.atoms, [Atom::Variable { .. }])
    }

    /// Whether the text fits; `None` if a variable has no value in the request.
    pub(crate) fn matches(&self, text: &str, context: &Context) -> Option<bool> {
        let known = |atom: &Atom| !matches!(atom, Atom::Variable { .. }) || value(atom, context).is_some();
        self.atoms.iter().all(known).then(|| self.fits(text, context))
    }

    /// Whether the text fits; what has a variable without a value fits nothing.
    #[inline(always)]
    pub(crate) fn fits(&self, text: &str, context: &Context) -> bool {
        match &self.form {
            Form::Any => true,
            Form::Exact(literal) => same(literal, text),
            Form::Prefix(start) => begins(text, start),
            // A star can never make good for a variable that has no value, so the walk fails at it.
            Form::Other => self.walk(text, context),
        }
    }

    /// Piece by piece up to the first star: each takes a fixed part of the text.
    #[inline(never)]
    fn walk(&self, text: &str, context: &Context) -> bool {
        let mut rest = text;
        for (number, atom) in self.atoms.iter().enumerate() {
            let after = match atom {
                Atom::Star if number + 1 == self.atoms.len() => return true,
                Atom::Star => return self.search(number + 1, rest, 0, context),
                Atom::Literal(_) | Atom::Variable { .. } if !self.fold => {
                    value(atom, context).and_then(|piece| after(rest, piece))
                }
                _ => self.step(atom, rest, context).and_then(|width| rest.get(width..)),
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }

    /// From a star on: greedy matching with a way back to the last star.
    fn search(&self, mut after: usize, text: &str, mut from: usize, context: &Context) -> bool {
        let (mut atom, mut at) = (after, from);
        loop {
            let step = match self.atoms.get(atom) {
                None if at == text.len() || after == self.atoms.len() => return true,
                None => None,
                Some(Atom::Star) => {
                    (after, from) = (atom + 1, at);
                    Some(0)
                }
                Some(other) => self.step(other, &text[at..], context),
            };
            if let Some(width) = step {
                atom += 1;
                at += width;
            } else {
                let Some(c) = text[from..].chars().next() else { return false };
                from += c.len_utf8();
                (atom, at) = (after, from);
            }
        }
    }

    /// How many bytes of the text a piece takes, if the text begins with it.
    #[inline]
    fn step(&self, atom: &Atom, text: &str, context: &Context) -> Option<usize> {
        match atom {
            Atom::One => text.chars().next().map(char::len_utf8),
            other => {
                let piece = value(other, context)?;
                if self.fold { folded(text, piece) } else { begins(text, piece).then_some(piece.len()) }
            }
        }
    }
}

fn push(atoms: &mut Vec<Atom>, literal: &mut String, atom: Atom) {
    if !literal.is_empty() {
        atoms.push(Atom::Literal(std::mem::take(literal).into()));
    }
    if atom != Atom::Star || atoms.last() != Some(&Atom::Star) {
        atoms.push(atom);
    }
}

/// What stands between `${` and `}`.
fn variable(inside: &str) -> Option<Atom> {
    if matches!(inside, "*" | "?" | "$") {
        return Some(Atom::Literal(inside.into()));
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, rest)) => match rest.trim().strip_prefix('\'').and_then(|r| r.strip_suffix('\'')) {
            Some(default) => (key, Some(default.into())),
            None => (inside, None),
        },
        None => (inside, None),
    };
    Some(Atom::Variable { key: key.trim().to_lowercase().into(), default })
}

/// The characters that a literal or a variable stands for.
#[inline]
fn value<'v>(atom: &'v Atom, context: &'v Context) -> Option<&'v str> {
    match atom {
        Atom::Literal(text) => Some(text),
        Atom::Variable { key, default } => context.single(key).or(default.as_deref()),
        Atom::Star | Atom::One => None,
    }
}

/// How many bytes of the text are the piece, without regard to case; `None` if it does not begin with it.
fn folded(text: &str, piece: &str) -> Option<usize> {
    let start = text.as_bytes().get(..piece.len());
    if start.is_some_and(|start| start.eq_ignore_ascii_case(piece.as_bytes())) {
        return Some(piece.len());
    }
    if text.is_ascii() && piece.is_ascii() {
        return None;
    }
    let mut rest = text.char_indices();
    for wanted in piece.chars() {
        let (_, found) = rest.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(rest.next().map_or(text.len(), |(at, _)| at))
}

/// An ARN with wildcards: its six fields one by one, so that no wildcard reaches over a colon before the sixth.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ArnTemplate {
    pub(crate) fields: Box<[Template; 6]>,
    /// All fields as one, if a wildcard stands only in the last: then none can reach over a colon before it.
    whole: Option<Template>,
}

impl ArnTemplate {
    /// Compiles an ARN; `None` if it has fewer than six fields.
    pub(crate) fn new(text: &str, writing: Writing) -> Option<Self> {
        let fields = pattern_fields(text, writing.variables);
        let fields: [&str; 6] = fields.try_into().ok()?;
        Some(Self::of(fields.map(|field| Template::new(field, writing))))
    }

    /// An ARN of these fields.
    pub(crate) fn of(fields: [Template; 6]) -> Self {
        let literal = |field: &Template| match &*field.atoms {
            [] => Some(String::new()),
            [Atom::Literal(text)] if !field.fold => Some(text.to_string()),
            _ => None,
        };
        let head: Option<Vec<String>> = fields.iter().take(5).map(literal).collect();
        let whole = head.filter(|_| !fields[5].fold).map(|head| fields[5].after(&(head.join(":") + ":")));
        Self { whole, fields: Box::new(fields) }
    }

    /// Whether an ARN fits that is given whole and in its fields.
    #[inline]
    pub(crate) fn fits(&self, text: &str, arn: &[Box<str>; 6], context: &Context) -> bool {
        match &self.whole {
            Some(whole) => whole.fits(text, context),
            None => self.matches(arn, context),
        }
    }

    /// Whether the ARN fits; a variable without a value fits nothing. The last field is the most telling, it goes first.
    pub(crate) fn matches<S: AsRef<str>>(&self, arn: &[S; 6], context: &Context) -> bool {
        [5, 2, 4, 3, 1, 0].into_iter().all(|at| self.fields[at].fits(arn[at].as_ref(), context))
    }
}

/// The fields of a pattern: cut at the first five colons that stand outside of variables.
pub(crate) fn pattern_fields(text: &str, variables: bool) -> Vec<&str> {
    let mut fields = Vec::with_capacity(6);
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '$' if variables && text[at..].starts_with("${") && text[at..].contains('}') => inside = true,
            '}' => inside = false,
            ':' if !inside && fields.len() < 5 => {
                fields.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(&text[start..]);
    fields
}

/// The six fields of an ARN of a request; `None` if it is none.
pub(crate) fn split_arn(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let fields = [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    (fields[0] == "arn").then_some(fields)
}
