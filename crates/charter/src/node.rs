//! YAML as a tree with positions. What could surprise a reader of a charter is refused: anchors, tags, several
//! documents, a key twice.

use crate::SourceFile;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which file.
    pub(crate) file: usize,
    /// From 1.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) column: usize,
    /// Characters.
    pub(crate) length: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) kind: Kind,
}

/// What it is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Place, Node)>),
}

/// A text that is not the YAML we take.
pub(crate) struct Wrong {
    pub(crate) at: Place,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

const MAX_DEPTH: usize = 64;
const MAX_BYTES: usize = 1 << 20;
const MAX_NODES: usize = 200_000;

/// Reads one file.
pub(crate) fn parse(file: usize, source: &SourceFile) -> Result<Node, Wrong> {
    let start = Place { file, line: 1, column: 1, length: 1 };
    if source.text.len() > MAX_BYTES {
        let message =
            format!("the file has {} bytes; a charter file has at most {MAX_BYTES}", source.text.len());
        return Err(Wrong { at: start, message, help: "split it into several files in a folder `charter`" });
    }
    let mut reader = Reader { file, events: Parser::new_from_str(&source.text), nodes: 0 };
    let mut root = None;
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Wrong {
                    at,
                    message: "a second document begins here".into(),
                    help: "a charter file holds one document",
                });
            }
            Event::DocumentStart(_) => {
                let (event, at) = reader.next()?;
                root = Some(reader.node(event, at, 0)?);
            }
            _ => {
                return Err(Wrong {
                    at,
                    message: "this is not where a value can stand".into(),
                    help: "check the indentation",
                });
            }
        }
    }
    root.ok_or(Wrong {
        at: start,
        message: "the file is empty".into(),
        help: "`wardmote init` writes a charter to start from",
    })
}

struct Reader<'a> {
    file: usize,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Place), Wrong> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, self.place(&span))),
            Some(Err(error)) => {
                let marker = error.marker();
                let at = Place {
                    file: self.file,
                    line: marker.line().max(1),
                    column: marker.col() + 1,
                    length: 1,
                };
                let help = "check the indentation, the quotes, and that every `key:` is followed by a space";
                Err(Wrong { at, message: format!("this is not YAML: {}", error.info()), help })
            }
            None => Ok((Event::StreamEnd, Place { file: self.file, line: 1, column: 1, length: 1 })),
        }
    }

    fn place(&self, span: &Span) -> Place {
        let same_line = span.end.line() == span.start.line();
        let length = if same_line { span.end.col().saturating_sub(span.start.col()).max(1) } else { 1 };
        Place { file: self.file, line: span.start.line().max(1), column: span.start.col() + 1, length }
    }

    fn node(&mut self, event: Event<'a>, at: Place, depth: usize) -> Result<Node, Wrong> {
        let wrong = |message: &str, help| Err(Wrong { at, message: message.to_owned(), help });
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return wrong("the charter is nested too deeply, or too large", "a charter is a few levels deep");
        }
        match event {
            Event::Alias(_) => {
                wrong("aliases are not allowed in a charter", "write the value out where it is needed")
            }
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                wrong("anchors are not allowed in a charter", "write the value out where it is needed")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => wrong(
                "tags such as `!!str` are not allowed in a charter",
                "quote the value if it should be text",
            ),
            Event::Scalar(text, style, ..) => Ok(Node { at, kind: scalar(&text, style) }),
            Event::SequenceStart(..) => self.list(at, depth),
            Event::MappingStart(..) => self.map(at, depth),
            _ => wrong("a value is missing here", "check the indentation"),
        }
    }

    fn list(&mut self, at: Place, depth: usize) -> Result<Node, Wrong> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node { at, kind: Kind::List(items) }),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, at: Place, depth: usize) -> Result<Node, Wrong> {
        let mut items: Vec<(String, Place, Node)> = Vec::new();
        loop {
            let (event, key_at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Node { at, kind: Kind::Map(items) }),
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                _ => {
                    return Err(Wrong {
                        at: key_at,
                        message: "a key must be plain text".into(),
                        help: "quote it if it is unusual",
                    });
                }
            };
            if let Some((_, first, _)) = items.iter().find(|(other, ..)| *other == key) {
                let message = format!(
                    "the key `{key}` stands here a second time (the first is on line {})",
                    first.line
                );
                return Err(Wrong { at: key_at, message, help: "keep one of the two" });
            }
            let (event, value_at) = self.next()?;
            let value = self.node(event, value_at, depth + 1)?;
            items.push((key, key_at, value));
        }
    }
}

/// The core schema of YAML 1.2: `no` and `on` are words, not truth values.
fn scalar(text: &str, style: ScalarStyle) -> Kind {
    if style != ScalarStyle::Plain {
        return Kind::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    let looks_like_number =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if looks_like_number {
        if let Ok(number) = text.parse::<i64>() {
            return Kind::Number(number.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Kind::Number(number);
        }
    }
    Kind::Text(text.to_owned())
}

impl Node {
    /// The value without positions.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(items) => Value::Object(
                items.iter().map(|(key, _, node)| (key.clone(), node.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(items) => items.iter().find(|(other, ..)| other == key).map(|(_, _, node)| node),
            _ => None,
        }
    }

    /// The item at a place of a list.
    pub(crate) fn item(&self, at: usize) -> Option<&Self> {
        match &self.kind {
            Kind::List(items) => items.get(at),
            _ => None,
        }
    }

    /// Where a path leads, or as far as it leads.
    pub(crate) fn place_of(&self, path: &[Step<'_>]) -> Place {
        let mut node = self;
        for step in path {
            let next = match step {
                Step::Key(key) => node.get(key),
                Step::Item(at) => node.item(*at),
                Step::KeyItself(key) => {
                    if let Kind::Map(items) = &node.kind
                        && let Some((_, at, _)) = items.iter().find(|(other, ..)| other == key)
                    {
                        return *at;
                    }
                    None
                }
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.at
    }
}

/// A step of a path into the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// The value under a key.
    Key(&'a str),
    /// An item of a list.
    Item(usize),
    /// The key, not its value.
    KeyItself(&'a str),
}
