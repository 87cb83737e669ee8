//! YAML with places, as CloudFormation takes it: short tags become functions; truth values are `true` and `false`
//! only. Anchors and aliases are refused: CloudFormation's own service does not take them.

use super::{Unreadable, too_deep, too_large, twice};
use crate::node::{Member, Node, Place, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// Reads one document.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    if let Some(wrong) = too_large(text.len()) {
        return Err(wrong);
    }
    let mut reader = Reader { events: Parser::new_from_str(text), nodes: 0 };
    let mut root = None;
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Unreadable::new(
                    at,
                    "a second document begins here",
                    "a template is one document",
                ));
            }
            Event::DocumentStart(_) => {
                let (event, at) = reader.next()?;
                root = Some(reader.node(event, at, 0)?);
            }
            _ => {
                return Err(Unreadable::new(
                    at,
                    "this is not where a value can stand",
                    "check the indentation",
                ));
            }
        }
    }
    root.ok_or_else(|| {
        Unreadable::new(Place { line: 1, column: 1 }, "the file is empty", "expected a template or a plan")
    })
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    nodes: usize,
}

fn place(span: &Span) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(span.start.line().max(1)), column: number(span.start.col().saturating_add(1)) }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Place), Unreadable> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, place(&span))),
            Some(Err(error)) => {
                let at = place(&Span::empty(*error.marker()));
                let help = "check the indentation, the quotes, and that every `key:` is followed by a space";
                Err(Unreadable::new(at, format!("this is not YAML: {}", error.info()), help))
            }
            None => Ok((Event::StreamEnd, Place { line: 1, column: 1 })),
        }
    }

    fn node(&mut self, event: Event<'a>, at: Place, depth: usize) -> Result<Node, Unreadable> {
        self.nodes += 1;
        if let Some(wrong) = too_deep(at, depth, self.nodes) {
            return Err(wrong);
        }
        let (node, tag) = match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(aliases(at));
            }
            Event::Alias(_) => return Err(aliases(at)),
            Event::Scalar(text, style, _, tag) => (Node { at, value: scalar(&text, style) }, tag),
            Event::SequenceStart(_, tag) => (self.list(at, depth)?, tag),
            Event::MappingStart(_, tag) => (self.map(at, depth)?, tag),
            _ => return Err(Unreadable::new(at, "a value is missing here", "check the indentation")),
        };
        Ok(match tag {
            Some(tag) if tag.handle == "!" => function(&tag.suffix, node),
            _ => node,
        })
    }

    fn list(&mut self, at: Place, depth: usize) -> Result<Node, Unreadable> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node { at, value: Value::List(items) }),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, at: Place, depth: usize) -> Result<Node, Unreadable> {
        let mut members: Vec<Member> = Vec::new();
        loop {
            let (event, key_at) = self.next()?;
            let key = match event {
                Event::MappingEnd => {
                    return twice(&members).map_or(Ok(Node { at, value: Value::Map(members) }), Err);
                }
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                Event::Alias(_) => return Err(aliases(key_at)),
                _ => {
                    return Err(Unreadable::new(
                        key_at,
                        "a key must be plain text",
                        "quote it if it is unusual",
                    ));
                }
            };
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            members.push(Member { key, at: key_at, node });
        }
    }
}

fn aliases(at: Place) -> Unreadable {
    Unreadable::new(at, "anchors and aliases are not read", "write the value out where it is needed")
}

/// `!Ref x` and its kin as the objects that JSON has for them.
fn function(tag: &str, node: Node) -> Node {
    let at = node.at;
    let (key, node) = match (tag, &node.value) {
        ("Ref" | "Condition", _) => (tag.to_owned(), node),
        ("GetAtt", Value::Text(text)) => {
            let (name, attribute) = text.split_once('.').unwrap_or((text, ""));
            let parts = [name, attribute].map(|part| Node { at, value: Value::Text(part.to_owned()) });
            ("Fn::GetAtt".to_owned(), Node { at, value: Value::List(parts.into()) })
        }
        _ => (format!("Fn::{tag}"), node),
    };
    Node { at, value: Value::Map(vec![Member { key, at, node }]) }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if serde_json::from_str::<serde_json::Number>(text).is_ok() {
        return Value::Number(text.to_owned());
    }
    Value::Text(text.to_owned())
}
