//! Filters: comparisons joined by AND.

use super::lex::{Word, words};
use super::{Kind, Searched};
use crate::Error;

/// What a key is a key of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// The thing itself.
    Attribute,
    /// A metric.
    Metric,
    /// A parameter.
    Param,
    /// A tag.
    Tag,
    /// A data set: `name`, `digest`, `context`.
    Dataset,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Different.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// `%` and `_` stand for any text and any letter.
    Like,
    /// The same, capitals or not.
    Ilike,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// Not there.
    IsNull,
    /// There.
    IsNotNull,
}

/// What is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// Texts.
    List(Vec<String>),
    /// Nothing.
    None,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What the key is a key of.
    pub entity: Entity,
    /// The key.
    pub key: String,
    /// How.
    pub op: Op,
    /// With what.
    pub value: Literal,
}

/// A filter: all comparisons hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    comparisons: Vec<Comparison>,
    prompts: Prompts,
}

/// Clients say of every search for models whether they mean prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Prompts {
    #[default]
    Any,
    Without,
}

/// The tag that makes a registered model a prompt.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// The most comparisons.
const MAX_COMPARISONS: usize = 100;

impl Filter {
    /// Reads a filter; empty text lets everything through.
    ///
    /// # Errors
    /// Says what of it is not understood.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Error> {
        let words = words(text)?;
        let mut rest = words.as_slice();
        let mut filter = Self::default();
        while !rest.is_empty() {
            let comparison = comparison(kind, &mut rest)?;
            let prompt = comparison.entity == Entity::Tag && comparison.key == IS_PROMPT;
            if prompt && comparison.op == Op::Ne {
                filter.prompts = Prompts::Without;
            } else {
                filter.comparisons.push(comparison);
            }
            if filter.comparisons.len() > MAX_COMPARISONS {
                return Err(Error::invalid(format!("a search has at most {MAX_COMPARISONS} comparisons")));
            }
            match rest.first() {
                None => break,
                Some(word) if is_word(word, "AND") && rest.len() > 1 => rest = rest.get(1..).unwrap_or(&[]),
                Some(word) => {
                    return Err(Error::invalid(format!(
                        "{} was not expected after a comparison: join comparisons with AND",
                        say(word)
                    )));
                }
            }
        }
        Ok(filter)
    }

    /// Whether `subject` passes.
    pub fn matches(&self, subject: &dyn Searched) -> bool {
        let prompt = || subject.text(Entity::Tag, IS_PROMPT).is_some_and(|text| text == "true");
        (self.prompts == Prompts::Any || !prompt()) && self.comparisons.iter().all(|one| one.holds(subject))
    }

    /// The comparisons.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }
}

impl Comparison {
    fn holds(&self, subject: &dyn Searched) -> bool {
        if let Literal::Number(wanted) = self.value {
            let found = subject.number(self.entity, &self.key);
            return found.is_some_and(|found| compare(self.op, found.partial_cmp(&wanted)));
        }
        let texts = subject.texts(self.entity, &self.key);
        match self.op {
            Op::IsNull => texts.is_empty(),
            Op::IsNotNull => !texts.is_empty(),
            _ => texts.iter().any(|text| self.fits(text)),
        }
    }

    fn fits(&self, text: &str) -> bool {
        match (&self.value, self.op) {
            (Literal::List(list), Op::In) => list.iter().any(|one| one == text),
            (Literal::List(list), Op::NotIn) => list.iter().all(|one| one != text),
            (Literal::Text(pattern), Op::Like) => like(pattern, text),
            (Literal::Text(pattern), Op::Ilike) => like(&pattern.to_lowercase(), &text.to_lowercase()),
            (Literal::Text(wanted), op) => compare(op, Some(text.cmp(wanted))),
            _ => false,
        }
    }
}

fn compare(op: Op, order: Option<std::cmp::Ordering>) -> bool {
    let Some(order) = order else { return op == Op::Ne };
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        _ => false,
    }
}

/// SQL's LIKE, in time that is at most the product of both lengths.
fn like(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for p in pattern.chars() {
        if p == '%' {
            let mut any = false;
            for here in &mut reached {
                any |= *here;
                *here = any;
            }
            continue;
        }
        for n in (0..text.len()).rev() {
            reached[n + 1] = reached[n] && (p == '_' || p == text[n]);
        }
        reached[0] = false;
    }
    reached.last().copied().unwrap_or(false)
}

fn comparison(kind: Kind, rest: &mut &[Word]) -> Result<Comparison, Error> {
    let (entity, key) = identifier(kind, next(rest, "a key such as `name` or `tags.team`")?)?;
    let op = operator(rest)?;
    let value = match op {
        Op::IsNull | Op::IsNotNull => Literal::None,
        Op::In | Op::NotIn => Literal::List(list(rest)?),
        _ => match next(rest, "a value")? {
            Word::Text(text) | Word::Quoted(text) => Literal::Text(text),
            Word::Number(number) => Literal::Number(number),
            word => {
                return Err(Error::invalid(format!(
                    "{} is not a value: put texts in single quotes",
                    say(&word)
                )));
            }
        },
    };
    check(kind, Comparison { entity, key, op, value })
}

/// Numbers are compared with numbers, texts with texts.
fn check(kind: Kind, comparison: Comparison) -> Result<Comparison, Error> {
    let Comparison { entity, key, op, value } = &comparison;
    let numeric = *entity == Entity::Metric || (*entity == Entity::Attribute && kind.is_number(key));
    let wrong = |expected: &str| Err(Error::invalid(format!("`{key}` is compared with {expected}")));
    match (numeric, value) {
        (true, Literal::Number(_)) if !matches!(op, Op::Like | Op::Ilike) => Ok(comparison),
        (true, _) => wrong("a number, with =, !=, >, >=, < or <="),
        (false, Literal::Number(_)) => wrong("text in single quotes"),
        (false, Literal::None) if !matches!(entity, Entity::Tag | Entity::Param) => {
            wrong("a value: only tags and parameters may be absent")
        }
        (false, _) if matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le) => {
            wrong("text, with =, !=, LIKE, ILIKE or IN")
        }
        (false, _) => Ok(comparison),
    }
}

fn identifier(kind: Kind, word: Word) -> Result<(Entity, String), Error> {
    let parts = match word {
        Word::Name(parts) => parts,
        Word::Quoted(name) => vec![name],
        word => return Err(Error::invalid(format!("{} is not a key", say(&word)))),
    };
    let (first, rest) = match parts.split_first() {
        Some((first, rest)) if !rest.is_empty() => (first.as_str(), rest.join(".")),
        _ => ("attribute", parts.join(".")),
    };
    let entity = match first {
        "attribute" | "attributes" | "attr" | "run" => Entity::Attribute,
        "metric" | "metrics" => Entity::Metric,
        "param" | "params" | "parameter" | "parameters" => Entity::Param,
        "tag" | "tags" => Entity::Tag,
        "dataset" | "datasets" => Entity::Dataset,
        other => {
            return Err(Error::invalid(format!(
                "`{other}` is not searched: expected `attributes`, `metrics`, `params`, `tags` or `datasets`"
            )));
        }
    };
    let has_figures = matches!(kind, Kind::Runs | Kind::LoggedModels);
    match entity {
        Entity::Attribute => match kind.attribute(&rest) {
            Some(known) => Ok((entity, known.to_owned())),
            None => {
                let (texts, numbers) = kind.attributes();
                let known: Vec<_> = texts.iter().chain(numbers).map(|name| format!("`{name}`")).collect();
                Err(Error::invalid(format!("`{rest}` is not an attribute: expected {}", known.join(", "))))
            }
        },
        Entity::Metric | Entity::Param | Entity::Dataset if !has_figures => {
            Err(Error::invalid(format!("`{first}` is not searched here: expected attributes or `tags`")))
        }
        Entity::Dataset if !["name", "digest", "context"].contains(&rest.as_str()) => Err(Error::invalid(
            format!("`{rest}` is not of a data set: expected `name`, `digest` or `context`"),
        )),
        entity => Ok((entity, rest)),
    }
}

fn operator(rest: &mut &[Word]) -> Result<Op, Error> {
    let word = next(rest, "a comparison")?;
    if let Word::Sign(sign) = word {
        return Ok(match sign {
            "=" => Op::Eq,
            "!=" => Op::Ne,
            ">" => Op::Gt,
            ">=" => Op::Ge,
            "<" => Op::Lt,
            _ => Op::Le,
        });
    }
    let mut follows = |wanted: &str| {
        let found = rest.first().is_some_and(|word| is_word(word, wanted));
        if found {
            *rest = rest.get(1..).unwrap_or(&[]);
        }
        found
    };
    if is_word(&word, "LIKE") {
        return Ok(Op::Like);
    } else if is_word(&word, "ILIKE") {
        return Ok(Op::Ilike);
    } else if is_word(&word, "IN") {
        return Ok(Op::In);
    } else if is_word(&word, "NOT") && follows("IN") {
        return Ok(Op::NotIn);
    } else if is_word(&word, "IS") {
        let not = follows("NOT");
        if follows("NULL") {
            return Ok(if not { Op::IsNotNull } else { Op::IsNull });
        }
    }
    Err(Error::invalid(format!(
        "{} is not a comparison: expected =, !=, >, >=, <, <=, LIKE, ILIKE, IN or IS NULL",
        say(&word)
    )))
}

fn list(rest: &mut &[Word]) -> Result<Vec<String>, Error> {
    let expected = || Error::invalid("IN is followed by texts in brackets: ('a', 'b')");
    let mut texts = Vec::new();
    if next(rest, "`(`")? != Word::Open {
        return Err(expected());
    }
    loop {
        match next(rest, "a text")? {
            Word::Text(text) | Word::Quoted(text) => texts.push(text),
            _ => return Err(expected()),
        }
        match next(rest, "`)`")? {
            Word::Comma => {}
            Word::Close => return Ok(texts),
            _ => return Err(expected()),
        }
    }
}

fn next(rest: &mut &[Word], expected: &str) -> Result<Word, Error> {
    let (first, later) = rest
        .split_first()
        .ok_or_else(|| Error::invalid(format!("the search ends where {expected} was expected")))?;
    *rest = later;
    Ok(first.clone())
}

fn is_word(word: &Word, wanted: &str) -> bool {
    matches!(word, Word::Name(parts) if parts.len() == 1 && parts.iter().all(|part| part.eq_ignore_ascii_case(wanted)))
}

fn say(word: &Word) -> String {
    match word {
        Word::Name(parts) => format!("`{}`", parts.join(".")),
        Word::Text(text) => format!("'{text}'"),
        Word::Quoted(text) => format!("\"{text}\""),
        Word::Number(number) => number.to_string(),
        Word::Sign(sign) => format!("`{sign}`"),
        Word::Open => "`(`".to_owned(),
        Word::Close => "`)`".to_owned(),
        Word::Comma => "`,`".to_owned(),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
