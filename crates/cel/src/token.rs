//! The words of an expression, with their places.

use crate::fault::Wrong;
use crate::literal;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// A name; the flag says whether it stood between backticks.
    Name(String, bool),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// A word and the offset at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spotted {
    pub(crate) token: Token,
    pub(crate) at: usize,
}

/// Longer signs first.
const SIGNS: [&str; 29] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}", "=", ";", "&", "|", "@",
];

/// All words of an expression.
pub(crate) fn tokens(text: &str) -> Result<Vec<Spotted>, Wrong> {
    let mut lexer = Lexer { text, at: 0 };
    let mut all = Vec::new();
    loop {
        lexer.skip();
        let at = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        all.push(Spotted { token, at });
        if is_end {
            return Ok(all);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, at: usize, message: impl Into<String>, help: &str) -> Wrong {
        Wrong::new(self.text, at, message, help)
    }

    /// Blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
            self.at += blanks;
            if !self.rest().starts_with("//") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn token(&mut self) -> Result<Token, Wrong> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if let Some(prefix) = quote_after(rest) {
            return self.quoted(prefix);
        }
        let second = rest.as_bytes().get(1);
        if first.is_ascii_digit() || first == '.' && second.is_some_and(u8::is_ascii_digit) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.at += end;
            return Ok(Token::Name(rest[..end].to_owned(), false));
        }
        if first == '`' {
            return self.backticks();
        }
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let message = format!("`{}` is not a sign of CEL", first.escape_debug());
        Err(self.wrong(self.at, message, "text stands between quotes, names are of letters, digits and `_`"))
    }

    fn backticks(&mut self) -> Result<Token, Wrong> {
        let from = self.at;
        let inner = &self.rest()[1..];
        let end = inner.find('`').filter(|end| *end > 0);
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' ');
        match end.map(|end| &inner[..end]).filter(|name| name.chars().all(legal)) {
            Some(name) => {
                self.at += name.len() + 2;
                Ok(Token::Name(name.to_owned(), true))
            }
            None => Err(self.wrong(
                from,
                "this name between backticks does not end, or has signs that it cannot have",
                "use `[\"...\"]` for any key",
            )),
        }
    }

    fn number(&mut self) -> Result<Token, Wrong> {
        let (from, rest) = (self.at, self.rest());
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
            self.at += 2 + end;
            return self.whole(from, &hex[..end], 16);
        }
        let whole = digits(0);
        let mut end = whole;
        let mut is_double = false;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            is_double = true;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.len() > end + 1 + sign && digits(end + 1 + sign) > 0 {
                end += 1 + sign + digits(end + 1 + sign);
                is_double = true;
            }
        }
        self.at += end;
        if !is_double {
            return self.whole(from, &rest[..end], 10);
        }
        let number = rest[..end].parse::<f64>().ok().filter(|number| number.is_finite());
        self.ended(from)?;
        number.map(Token::Double).ok_or_else(|| self.too_large(from))
    }

    fn whole(&mut self, from: usize, digits: &str, radix: u32) -> Result<Token, Wrong> {
        let number = u64::from_str_radix(digits, radix).map_err(|_| self.too_large(from))?;
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
            self.ended(from)?;
            return Ok(Token::Uint(number));
        }
        self.ended(from)?;
        Ok(Token::Int(number))
    }

    fn too_large(&self, from: usize) -> Wrong {
        let shown: String = self.text[from..self.at].chars().take(24).collect();
        self.wrong(from, format!("`{shown}` is no number of 64 bits"), "use a smaller one, or `1e20`")
    }

    /// A number must not go over into a name.
    fn ended(&self, from: usize) -> Result<(), Wrong> {
        if self.rest().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return Err(self.wrong(
                from,
                "this number goes over into a name",
                "put a blank or a sign between",
            ));
        }
        Ok(())
    }

    /// A text whose quote stands after `prefix` letters.
    fn quoted(&mut self, prefix: usize) -> Result<Token, Wrong> {
        let from = self.at;
        let letters = &self.rest()[..prefix];
        let (is_bytes, is_raw) = (letters.contains(['b', 'B']), letters.contains(['r', 'R']));
        let body = &self.rest()[prefix..];
        let quote = &body[..1];
        let triple = body.starts_with(&quote.repeat(3));
        let width = if triple { 3 } else { 1 };
        let end = literal::end(&body[width..], quote, triple, is_raw).ok_or_else(|| {
            self.wrong(from, "this text does not end", "close it with the quote that it begins with")
        })?;
        let inner = &body[width..width + end];
        self.at += prefix + width + end + width;
        let start = from + prefix + width;
        let escape = |(offset, message): (usize, String)| {
            let help = "escapes are `\\n`, `\\t`, `\\\"`, `\\\\`, `\\xHH`, `\\uHHHH`, `\\UHHHHHHHH` and `\\OOO`; `r\"...\"` has none";
            self.wrong(start + offset, message, help)
        };
        if is_bytes {
            return literal::bytes(inner, is_raw).map(Token::Bytes).map_err(escape);
        }
        literal::text(inner, is_raw).map(Token::Text).map_err(escape)
    }
}

/// How many letters stand before a quote, if a text begins here.
fn quote_after(rest: &str) -> Option<usize> {
    let prefix = rest.bytes().take(3).take_while(u8::is_ascii_alphabetic).count();
    let is_quote = matches!(rest.as_bytes().get(prefix), Some(b'"' | b'\''));
    let letters = rest.get(..prefix)?.to_ascii_lowercase();
    (is_quote && matches!(letters.as_str(), "" | "r" | "b" | "br" | "rb")).then_some(prefix)
}
