//! Regular expressions as RE2 has them, matched in linear time. The words of RE2 that mean less than those of the engine
//! beneath are written out: `\d` is a digit of ASCII.

use regex::Regex;

/// How large a compiled pattern may be, in bytes. Time for a text is at most its length times this.
const MAX_COMPILED: usize = 128 << 10;
/// How deep groups of a pattern may stand in one another.
const MAX_NESTED: u32 = 50;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence, if it is none or would be too large.
    pub fn compile(text: &str) -> Result<Self, String> {
        let regex = regex::RegexBuilder::new(&plain(text))
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .nest_limit(MAX_NESTED)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "the pattern is too large when it is compiled".to_owned(),
                other => {
                    // The engine draws the place over several lines; the last says what it is.
                    let said = other.to_string();
                    let last = said.lines().last().unwrap_or_default().trim();
                    format!("not a pattern: {}", last.strip_prefix("error: ").unwrap_or(last))
                }
            })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches anywhere in a text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Steps that a match of a text of so many bytes costs.
pub(crate) fn cost(bytes: usize) -> u64 {
    8 + bytes as u64 * 16
}

/// Steps that compiling costs.
pub(crate) const COMPILING: u64 = 20_000;

/// A pattern of RE2 in the words of the engine beneath.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut class_at: Option<usize> = None;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(next) = chars.next() else {
                    out.push('\\');
                    break;
                };
                match word(next, class_at.is_some()) {
                    Some(word) => out.push_str(word),
                    None => out.extend(['\\', next]),
                }
            }
            '[' if class_at.is_none() => {
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                class_at = Some(out.len());
            }
            // A bracket that comes first stands for itself.
            ']' if class_at == Some(out.len()) => out.push_str("\\]"),
            ']' => {
                class_at = None;
                out.push(']');
            }
            // In a class, RE2 knows neither classes within nor set operations; `[:alpha:]` it knows.
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            '&' | '~' if class_at.is_some() => out.extend(['\\', c]),
            '-' if class_at.is_some() && chars.peek() == Some(&'-') => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    out
}

/// What an escape of RE2 means, where the engine beneath means more by it.
fn word(escape: char, in_class: bool) -> Option<&'static str> {
    Some(match (escape, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('B', false) => "(?-u:\\B)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_re2_means() {
        let cases = [
            (r"^\d+$", "٣", false),
            (r"^\d+$", "3", true),
            (r"^[\w.-]+$", "a_b.c-d", true),
            (r"^[\w.-]+$", "é", false),
            (r"^[]a]+$", "]a", true),
            (r"^[^]]$", "]", false),
            (r"^[a[]$", "[", true),
            (r"^[a&&b]$", "&", true),
            (r"^[[:alpha:]]+$", "abc", true),
            (r"^\S\s\S$", "a b", true),
            (r"^[\D]$", "1", false),
            (r"(?i)^ÄB$", "äb", true),
            (r"^\pL+$", "äbc", true),
            (r"^.$", "é", true),
            (r"\bword\b", "a word.", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::compile(pattern).unwrap().matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_large_is_said() {
        assert_eq!(Pattern::compile("(").unwrap_err(), "not a pattern: unclosed group");
        assert_eq!(
            Pattern::compile("((a{1,100}){1,100}){1,100}").unwrap_err(),
            "the pattern is too large when it is compiled"
        );
        assert!(Pattern::compile(&"(".repeat(4_000)).is_err());
        assert!(Pattern::compile(r"(a)\1").is_err());
    }
}
