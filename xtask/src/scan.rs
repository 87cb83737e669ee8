//! Rust source as far as sizes need it: which lines are code, where functions begin and end. Strings, characters,
//! lifetimes and comments are told apart; macros are taken as they stand.

/// A source file, blanked: comments and the insides of strings are spaces, lines are as before.
pub(crate) fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => quoted(rest, 0),
            ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] if !is_word(&chars, at) => match raw(rest) {
                Some(length) => length,
                None => {
                    out.push(rest[0]);
                    at += 1;
                    continue;
                }
            },
            ['\'', '\\', ..] => {
                rest.iter().skip(3).position(|c| *c == '\'').map_or(rest.len(), |end| end + 4)
            }
            ['\'', _, '\'', ..] => 3,
            [c, ..] => {
                out.push(*c);
                at += 1;
                continue;
            }
            [] => break,
        };
        out.extend(rest[..length].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at += length;
    }
    out
}

/// Whether the letter at `at` continues a word, so that it begins no raw string.
fn is_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn quoted(rest: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw(rest: &[char]) -> Option<usize> {
    let start = if rest[0] == 'b' { 2 } else { 1 };
    let hashes = rest[start..].iter().take_while(|c| **c == '#').count();
    (rest.get(start + hashes) == Some(&'"')).then_some(())?;
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let from = start + hashes + 1;
    let found = rest[from..].windows(end.len()).position(|window| window == end.as_slice());
    Some(found.map_or(rest.len(), |found| from + found + end.len()))
}

/// A function: its name, its first line from 1, its lines, its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// The functions of a blanked source.
pub(crate) fn functions(blanked: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let bytes = blanked.as_bytes();
    for (at, _) in blanked.match_indices("fn ") {
        let starts_word = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let name: String =
            blanked[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !starts_word || name.is_empty() {
            continue;
        }
        let Some(open) = blanked[at..].find(['{', ';']).map(|open| at + open) else { continue };
        if bytes[open] == b';' {
            continue;
        }
        let mut depth = 0;
        let end = blanked[open..].char_indices().find(|(_, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = open + end.map_or(0, |(end, _)| end);
        let line = blanked[..at].matches('\n').count() + 1;
        let lines = blanked[at..end].matches('\n').count() + 1;
        found.push(Function { name, line, lines });
    }
    found
}

/// How many lines hold code, the test module at the end left out.
pub(crate) fn code_lines(blanked: &str) -> usize {
    let body = blanked.split("#[cfg(test)]\nmod ").next().unwrap_or(blanked);
    body.lines().filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_hide_braces() {
        let source = "fn a<'x>(c: &'x str) {\n  let s = \"}\\\" fn no() {\"; // }\n  let r = r#\"}\"#; /* { /* } */ */\n  let c = '{'; let q = '\\''; }\nfn b() {}\n";
        let names: Vec<(String, usize, usize)> =
            functions(&blank(source)).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(names, [("a".into(), 1, 4), ("b".into(), 5, 1)]);
    }

    #[test]
    fn comments_and_tests_are_no_code() {
        let source = "//! head\n\nfn a() {\n}\n// more\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n";
        assert_eq!(code_lines(&blank(source)), 2);
    }

    #[test]
    fn declarations_have_no_body() {
        assert_eq!(functions("trait T { fn a(&self); fn b() { } }").len(), 1);
    }
}
