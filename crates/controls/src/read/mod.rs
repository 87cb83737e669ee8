//! Readers of texts: JSON and YAML into values with places, bounded in size and depth.

mod json;
mod yaml;

pub(crate) use json::read as json;
pub(crate) use yaml::read as yaml;

use crate::node::{Member, Node, Place};
use std::fmt;

/// What a template or a plan may have.
pub const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 128;
const MAX_NODES: usize = 4_000_000;

/// A text that cannot be read, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    file: String,
    at: Place,
    message: String,
    help: String,
}

impl Unreadable {
    pub(crate) fn new(at: Place, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { file: String::new(), at, message: message.into(), help: help.into() }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> Place {
        self.at
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.at.line, self.at.column, self.message)
    }
}

impl std::error::Error for Unreadable {}

fn too_large(bytes: usize) -> Option<Unreadable> {
    (bytes > MAX_BYTES).then(|| {
        let message = format!("the file has {bytes} bytes; at most {MAX_BYTES} are read");
        Unreadable::new(Place { line: 1, column: 1 }, message, "split it, or check one part at a time")
    })
}

fn too_deep(at: Place, depth: usize, nodes: usize) -> Option<Unreadable> {
    (depth > MAX_DEPTH || nodes > MAX_NODES).then(|| {
        let message = format!("nested more than {MAX_DEPTH} deep, or more than {MAX_NODES} values");
        Unreadable::new(at, message, "templates are a few levels deep; check what made this file")
    })
}

/// Objects of a few members are searched, larger ones hashed.
const FEW: usize = 16;

/// A key that stands twice in one object.
fn twice(members: &[Member]) -> Option<Unreadable> {
    let wrong = |again: &Member, first: &Member| {
        let message = format!(
            "the key `{}` stands here a second time (the first is on line {})",
            again.key, first.at.line
        );
        Unreadable::new(again.at, message, "keep one of the two")
    };
    if members.len() <= FEW {
        let mut pairs = members.iter().enumerate();
        return pairs.find_map(|(at, member)| {
            members[..at].iter().find(|other| other.key == member.key).map(|first| wrong(member, first))
        });
    }
    let mut seen = std::collections::HashMap::new();
    members
        .iter()
        .find_map(|member| seen.insert(member.key.as_str(), member).map(|first| wrong(member, first)))
}

/// Reads JSON or YAML, whichever it is.
pub(crate) fn either(file: &str, text: &str) -> Result<Node, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = if text.trim_start().starts_with('{') {
        json(text).or_else(|wrong| yaml(text).map_err(|_| wrong))
    } else {
        yaml(text)
    };
    read.map_err(|wrong| wrong.in_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_know_their_places() {
        for text in ["{\n  \"a\": {\"b\": [true, 1.5]}}", "\na:  {b: [true, 1.5]}"] {
            let root = either("t", text).unwrap();
            let b = root.get("a").unwrap().get("b").unwrap();
            assert_eq!((b.at.line, b.items().len()), (2, 2));
            assert_eq!(b.items()[0].truth(), Some(true));
            assert_eq!(b.items()[1].text(), Some("1.5"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_place() {
        let bad = [
            ("{\"a\": 1,\n \"a\": 2}", "2:2"),
            ("a: 1\na: 2", "2:1"),
            ("{\"a\": 1]", "1:8"),
            ("a: [1, 2", ""),
            ("", "1:1"),
            ("a: *x", ""),
        ];
        for (text, place) in bad {
            let wrong = either("t.yaml", text).unwrap_err().to_string();
            assert!(wrong.starts_with(&format!("t.yaml:{place}")), "{text}: {wrong}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("{{\"x\": {}1{}}}", open.repeat(50_000), close.repeat(50_000));
            assert!(json(&text).unwrap_err().message().contains("nested"));
        }
        let text = format!("a: {}", "[".repeat(50_000));
        assert!(yaml(&text).is_err());
    }

    #[test]
    fn short_tags_become_functions() {
        let root = either("t", "a: !Ref B\nb: !GetAtt C.Arn\nc: !Sub\n  - x${y}\n  - {y: 1}\n").unwrap();
        assert_eq!(root.get("a").unwrap().shown(), r#"{"Ref":"B"}"#);
        assert_eq!(root.get("b").unwrap().shown(), r#"{"Fn::GetAtt":["C","Arn"]}"#);
        assert_eq!(root.get("c").unwrap().shown(), r#"{"Fn::Sub":["x${y}",{"y":1}]}"#);
    }
}
