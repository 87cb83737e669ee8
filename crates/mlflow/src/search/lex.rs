//! Words of a search.

use crate::Error;

/// A word of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A name, with dots between its parts; quoted parts may hold anything.
    Name(Vec<String>),
    /// Text in single quotes.
    Text(String),
    /// Text in double quotes alone: a value, or a name that needs quotes.
    Quoted(String),
    /// A number.
    Number(f64),
    /// `=`, `!=`, `>`, `>=`, `<`, `<=`.
    Sign(&'static str),
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
}

/// The longest search that is read.
const MAX_CHARS: usize = 20_000;

/// Cuts a search into words.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Error> {
    if text.len() > MAX_CHARS {
        return Err(Error::invalid(format!("the search is longer than {MAX_CHARS} characters")));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut words = Vec::new();
    while let Some(c) = chars.get(at) {
        match c {
            c if c.is_whitespace() => at += 1,
            '(' | ')' | ',' => {
                words.push(match c {
                    '(' => Word::Open,
                    ')' => Word::Close,
                    _ => Word::Comma,
                });
                at += 1;
            }
            '=' | '!' | '>' | '<' => words.push(sign(&chars, &mut at)?),
            '\'' => words.push(Word::Text(quoted(&chars, &mut at)?)),
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => words.push(number(&chars, &mut at)?),
            _ => words.push(name(&chars, &mut at)?),
        }
    }
    Ok(words)
}

fn sign(chars: &[char], at: &mut usize) -> Result<Word, Error> {
    let two: String = chars.iter().skip(*at).take(2).collect();
    let found = ["!=", ">=", "<=", "<>", "==", "=", ">", "<"].into_iter().find(|sign| two.starts_with(sign));
    let sign = found.ok_or_else(|| Error::invalid(format!("`{two}` is not a comparison")))?;
    *at += sign.len();
    Ok(Word::Sign(match sign {
        "<>" => "!=",
        "==" => "=",
        sign => sign,
    }))
}

/// Quoted text; a quote is doubled inside.
fn quoted(chars: &[char], at: &mut usize) -> Result<String, Error> {
    let quote = chars.get(*at).copied().unwrap_or('\'');
    let mut text = String::new();
    *at += 1;
    while let Some(c) = chars.get(*at).copied() {
        *at += 1;
        if c != quote {
            text.push(c);
        } else if chars.get(*at) == Some(&quote) {
            text.push(quote);
            *at += 1;
        } else {
            return Ok(text);
        }
    }
    Err(Error::invalid(format!("the text that begins with {quote}{text} has no closing {quote}")))
}

fn number(chars: &[char], at: &mut usize) -> Result<Word, Error> {
    let text: String = chars
        .iter()
        .skip(*at)
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        .collect();
    *at += text.chars().count();
    text.parse().map(Word::Number).map_err(|_| {
        Error::invalid(format!("`{text}` is not a number; put texts in single quotes: '{text}'"))
    })
}

/// `metrics.auc`, `tags."a b"`, `` params.`a.b` ``; a part without quotes may itself hold dots.
fn name(chars: &[char], at: &mut usize) -> Result<Word, Error> {
    let mut parts = Vec::new();
    let double = chars.get(*at) == Some(&'"');
    loop {
        let part = match chars.get(*at) {
            Some('`' | '"') => quoted(chars, at)?,
            _ => {
                let plain = |c: &&char| {
                    c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '@' | '#' | '$' | '%' | ':')
                };
                let text: String = chars.iter().skip(*at).take_while(plain).collect();
                *at += text.chars().count();
                text
            }
        };
        if part.is_empty() {
            let c = chars.get(*at).copied().unwrap_or(' ');
            return Err(Error::invalid(format!("`{c}` does not belong in a search")));
        }
        parts.push(part);
        if chars.get(*at) != Some(&'.') {
            return Ok(match parts.pop() {
                Some(text) if double && parts.is_empty() => Word::Quoted(text),
                last => Word::Name(parts.into_iter().chain(last).collect()),
            });
        }
        *at += 1;
    }
}
