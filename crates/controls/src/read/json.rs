//! JSON with places. Strict, as RFC 8259 has it; a key twice is refused.

use super::{Unreadable, too_deep, too_large, twice};
use crate::node::{Member, Node, Place, Value};

/// Reads one JSON text.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    if let Some(wrong) = too_large(text.len()) {
        return Err(wrong);
    }
    let mut reader = Reader { text, at: 0, line: 1, counted: (0, 1), nodes: 0 };
    reader.space();
    let node = reader.value(0)?;
    reader.space();
    if reader.at < text.len() { Err(reader.wrong("expected the end of the file")) } else { Ok(node) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// Up to which byte columns are counted, and the column there.
    counted: (usize, u32),
    nodes: usize,
}

impl Reader<'_> {
    fn place(&mut self) -> Place {
        let more = self.text[self.counted.0..self.at].chars().count();
        let column = self.counted.1.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.counted = (self.at, column);
        Place { line: self.line, column }
    }

    fn wrong(&mut self, expected: &str) -> Unreadable {
        let found = self.text[self.at..].chars().next();
        let found = found.map_or("the end of the file".to_owned(), |c| format!("`{}`", c.escape_default()));
        Unreadable::new(
            self.place(),
            format!("this is not JSON: {expected}, found {found}"),
            "check commas, quotes and brackets here",
        )
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.counted = (self.at + 1, 1);
                }
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8, expected: &str) -> Result<(), Unreadable> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        Err(self.wrong(expected))
    }

    fn value(&mut self, depth: usize) -> Result<Node, Unreadable> {
        let at = self.place();
        self.nodes += 1;
        if let Some(wrong) = too_deep(at, depth, self.nodes) {
            return Err(wrong);
        }
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { at, value })
    }

    fn word(&mut self) -> Result<Value, Unreadable> {
        let words = [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        for (word, value) in words {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("expected a value"))
    }

    fn number(&mut self) -> Result<Value, Unreadable> {
        let rest = &self.text[self.at..];
        let part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        if serde_json::from_str::<serde_json::Number>(&rest[..length]).is_err() {
            return Err(self.wrong("expected a number"));
        }
        self.at += length;
        Ok(Value::Number(rest[..length].to_owned()))
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        let rest = &self.text.as_bytes()[self.at..];
        let mut end = 1;
        loop {
            match rest.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(0..=0x1f) | None => {
                    return Err(self.wrong("a text begins here that does not end on its line"));
                }
                Some(_) => end += 1,
            }
        }
        let quoted = &self.text[self.at..=self.at + end];
        let text = if quoted.contains('\\') {
            let Ok(text) = serde_json::from_str(quoted) else {
                return Err(self.wrong("expected a text with JSON's escapes"));
            };
            text
        } else {
            quoted[1..end].to_owned()
        };
        self.at += end + 1;
        Ok(text)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Unreadable> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b']', "expected `,` or `]`")?;
            return Ok(Value::List(items));
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Unreadable> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            self.space();
            let at = self.place();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in quotes"));
            }
            let key = self.string()?;
            self.space();
            self.take(b':', "expected `:`")?;
            self.space();
            let node = self.value(depth + 1)?;
            members.push(Member { key, at, node });
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b'}', "expected `,` or `}`")?;
            return twice(&members).map_or(Ok(Value::Map(members)), Err);
        }
    }
}
