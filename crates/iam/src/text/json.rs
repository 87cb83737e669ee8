//! JSON (RFC 8259) with the position of every value. Strict: a policy that another reader could understand differently
//! (a key twice, a comma too many, bytes after the end) is an error. Bounded: size, depth.

use super::{Span, Spanned};

/// A policy larger than this is no policy: the largest AWS quota is 32 KiB, inventories are read part by part.
pub(crate) const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 32;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json {
    pub(crate) kind: JsonKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonKind {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: Spanned,
    pub(crate) value: Json,
}

impl Json {
    /// What it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self.kind {
            JsonKind::Null => "null",
            JsonKind::Bool(_) => "a boolean",
            JsonKind::Number(_) => "a number",
            JsonKind::String(_) => "a string",
            JsonKind::Array(_) => "a list",
            JsonKind::Object(_) => "an object",
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Wrong {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Reads one JSON text.
pub(crate) fn read(text: &str) -> Result<Json, Wrong> {
    read_up_to(text, MAX_BYTES)
}

/// Reads one JSON text of at most so many bytes.
pub(crate) fn read_up_to(text: &str, max_bytes: usize) -> Result<Json, Wrong> {
    if text.len() > max_bytes {
        let message = format!("the text has {} bytes; at most {max_bytes} are read", text.len());
        return Err(Wrong::new(Span::default(), message));
    }
    let mut reader = Reader { text, at: text.len() - text.trim_start_matches('\u{feff}').len() };
    let value = reader.value(0)?;
    reader.blank();
    if reader.at < text.len() {
        return Err(reader
            .wrong("there is more text after the end of the policy")
            .help("one file holds one policy; put several statements into the list `Statement`"));
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error at the present character.
    fn wrong(&self, message: impl Into<String>) -> Wrong {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        Wrong::new(Span { start: self.at, end: self.at + width }, message)
    }

    fn unexpected(&self, expected: &str) -> Wrong {
        match self.text[self.at..].chars().next() {
            Some(c) => self.wrong(format!("found `{}`, expected {expected}", c.escape_debug())),
            None => self.wrong(format!("the text ends here, expected {expected}")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.blank();
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => JsonKind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => JsonKind::Number(self.number()?),
            Some(b't') => self.word("true", JsonKind::Bool(true))?,
            Some(b'f') => self.word("false", JsonKind::Bool(false))?,
            Some(b'n') => self.word("null", JsonKind::Null)?,
            _ => return Err(self.unexpected("a JSON value")),
        };
        Ok(Json { kind, span: Span { start, end: self.at } })
    }

    fn word(&mut self, word: &str, kind: JsonKind) -> Result<JsonKind, Wrong> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected("a JSON value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn object(&mut self, depth: usize) -> Result<JsonKind, Wrong> {
        let mut members: Vec<Member> = Vec::new();
        self.at += 1;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(JsonKind::Object(members));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in quotes"));
            }
            let key = Spanned { text: self.string()?, span: Span { start, end: self.at } };
            if members.iter().any(|m| m.key.text == key.text) {
                return Err(Wrong::new(
                    key.span,
                    format!("the key `{}` stands here a second time", key.text),
                )
                .help("join the two into one; readers of JSON disagree on which of them counts"));
            }
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            members.push(Member { key, value });
            if !self.more(b'}', "`,` or `}`")? {
                return Ok(JsonKind::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<JsonKind, Wrong> {
        let mut items = Vec::new();
        self.at += 1;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(JsonKind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.more(b']', "`,` or `]`")? {
                return Ok(JsonKind::Array(items));
            }
        }
    }

    /// After an item: is there another one?
    fn more(&mut self, close: u8, expected: &str) -> Result<bool, Wrong> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(c) if c == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn number(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.text.as_bytes()[self.at - whole] == b'0') {
            return Err(self.unexpected("a number without leading zeros"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return Err(self.wrong("a control character inside a string").help(
                        "write it as an escape, for instance `\\n`, or close the string on this line",
                    ));
                }
                None => {
                    return Err(Wrong::new(
                        Span { start: open, end: open + 1 },
                        "this string is never closed",
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.unexpected("an escape such as `\\n`")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char, Wrong> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff => {
                let second = if self.peek() == Some(b'\\') {
                    self.at += 1;
                    if self.peek() == Some(b'u') { self.hex()? } else { 0 }
                } else {
                    0
                };
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.wrong("half of a surrogate pair"));
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| self.wrong("half of a surrogate pair"))
    }

    /// The four digits after `u`, on which the reader stands.
    fn hex(&mut self) -> Result<u32, Wrong> {
        let digits =
            self.text.get(self.at + 1..self.at + 5).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            return Err(self.unexpected("`\\u` and four hexadecimal digits"));
        };
        self.at += 5;
        Ok(code)
    }
}
