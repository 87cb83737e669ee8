//! What variables have been, given the text that they helped to make.

use super::strings::{Pattern, Token, same};
use std::collections::HashMap;

/// What the variables of a pattern can have been, if the text fits: some of the ways to cut it.
///
/// The second answer is whether these are all ways.
pub(super) fn captures(pattern: &Pattern, text: &str, most: usize) -> (Vec<HashMap<Box<str>, String>>, bool) {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut stack = vec![(0_usize, 0_usize, HashMap::<Box<str>, String>::new())];
    let mut steps = 0;
    while let Some((token, at, values)) = stack.pop() {
        steps += 1;
        if steps > 20_000 || found.len() >= most {
            return (found, false);
        }
        match pattern.tokens.get(token) {
            None if at == chars.len() => found.push(values),
            None => {}
            Some(Token::Char(c)) => {
                let fits = chars.get(at).is_some_and(|other| same(*c, *other, pattern.fold));
                stack.extend(fits.then_some((token + 1, at + 1, values)));
            }
            Some(Token::One { bounded }) => {
                let fits = chars.get(at).is_some_and(|c| !(*bounded && *c == ':'));
                stack.extend(fits.then_some((token + 1, at + 1, values)));
            }
            Some(Token::Star { .. }) => {
                stack.extend((at..=chars.len()).rev().map(|end| (token + 1, end, values.clone())));
            }
            Some(Token::Variable { symbol, .. }) => {
                for end in (at..=chars.len()).rev() {
                    let value: String = chars.get(at..end).unwrap_or_default().iter().collect();
                    if values.get(&symbol.0).is_some_and(|known| *known != value) {
                        continue;
                    }
                    let mut values = values.clone();
                    values.insert(symbol.0.clone(), value);
                    stack.push((token + 1, end, values));
                }
            }
        }
    }
    (found, true)
}
