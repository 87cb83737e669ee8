//! Texts and bytes as they stand between quotes.

/// Where a text ends that began before `body`; nothing if it does not.
pub(crate) fn end(body: &str, quote: &str, triple: bool, raw: bool) -> Option<usize> {
    let close = quote.repeat(if triple { 3 } else { 1 });
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        if body[at..].starts_with(&close) {
            return Some(at);
        }
        if c == '\n' && !triple {
            return None;
        }
        at += c.len_utf8();
        if c == '\\' && !raw {
            at += body[at..].chars().next()?.len_utf8();
        }
    }
    None
}

/// What went wrong, and how far into the text.
type Mistake = (usize, String);

/// A text without its escapes.
pub(crate) fn text(body: &str, raw: bool) -> Result<String, Mistake> {
    if raw {
        return Ok(body.to_owned());
    }
    let mut out = String::with_capacity(body.len());
    unescape(body, true, |piece| match piece {
        Piece::Char(c) => out.push(c),
        Piece::Byte(byte) => out.push(char::from(byte)),
    })?;
    Ok(out)
}

/// Bytes without their escapes.
pub(crate) fn bytes(body: &str, raw: bool) -> Result<Vec<u8>, Mistake> {
    if raw {
        return Ok(body.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(body.len());
    unescape(body, false, |piece| match piece {
        Piece::Char(c) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        Piece::Byte(byte) => out.push(byte),
    })?;
    Ok(out)
}

enum Piece {
    Char(char),
    /// Of `\x` and of octal digits: an octet of bytes, a character of a text.
    Byte(u8),
}

fn unescape(body: &str, is_text: bool, mut give: impl FnMut(Piece)) -> Result<(), Mistake> {
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let at = body.len() - rest.len();
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            give(Piece::Char(c));
            continue;
        }
        let Some(kind) = rest.chars().next() else { break };
        let mut digits = |skip: usize, count: usize, radix: u32| -> Option<u32> {
            let digits = rest.get(skip..skip + count)?;
            let number =
                digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix));
            rest = &rest[skip + count..];
            number?.ok()
        };
        let wrong = || (at, format!("`\\{}` is no escape, or lacks digits", kind.escape_debug()));
        let byte = |number: Option<u32>| number.and_then(|n| u8::try_from(n).ok()).map(Piece::Byte);
        let unicode =
            |number: Option<u32>| number.and_then(char::from_u32).filter(|_| is_text).map(Piece::Char);
        let piece = match kind {
            'x' | 'X' => byte(digits(1, 2, 16)),
            'u' => unicode(digits(1, 4, 16)),
            'U' => unicode(digits(1, 8, 16)),
            '0'..='3' => byte(digits(0, 3, 8)),
            _ => {
                rest = &rest[kind.len_utf8()..];
                simple(kind).map(Piece::Char)
            }
        };
        give(piece.ok_or_else(wrong)?);
    }
    Ok(())
}

fn simple(kind: char) -> Option<char> {
    Some(match kind {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => kind,
        _ => return None,
    })
}
