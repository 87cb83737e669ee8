//! Fuzzing on stable Rust: pieces of expressions and of the language, put together at random. `cargo fuzz` does it with
//! coverage.

#[path = "../fuzz/targets/expression.rs"]
mod expression;

use proptest::prelude::*;

const WORDS: &str = "( ) [ ] { } , : . ? && || == != < <= > >= ! + - * / % in true false null 0 1 2 -1 7u 1.5 1e300 9223372036854775807 \
    'a' 'abc' '' b'x' r'\\d+' \"\"\" \\u0041 int string type size( has( dyn( .all( .exists( .map( .filter( .exists_one( a, a a b, b .matches( \
    .startsWith( .contains( .split( .join( .replace( .substring( .indexOf( [1,2] [1,2,3] {'a':1} {1:2} .a .?a [? .orValue( ) ) ) ] ] \
    timestamp( duration( '1h' '2020-01-01T00:00:00Z' .getHours() // é ` @ google.protobuf.Timestamp 0x 18446744073709551615u";

fn facts() -> Vec<&'static str> {
    include_str!("reference/facts.txt").lines().filter(|line| !line.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order_do_no_harm(words in prop::collection::vec(prop::sample::select(WORDS.split(' ').collect::<Vec<_>>()), 0..30)) {
        expression::run(words.concat().as_bytes());
        expression::run(words.join(" ").as_bytes());
    }

    #[test]
    fn facts_that_are_cut_and_joined_do_no_harm(
        one in prop::sample::select(facts()),
        other in prop::sample::select(facts()),
        (from, to, at) in (0_usize..200, 0_usize..200, 0_usize..200),
        sign in prop::sample::select(vec!["&&", "==", "+", "?", ".", "[", "in", ""]),
    ) {
        let cut = |text: &str, at: usize| text.chars().take(at).collect::<String>();
        let rest = |text: &str, at: usize| text.chars().skip(at).collect::<String>();
        expression::run(format!("({one}) {sign} ({other})").as_bytes());
        expression::run(format!("{}{}{}", cut(one, from), rest(other, to), cut(one, at)).as_bytes());
    }

    #[test]
    fn any_text_does_no_harm(text in "\\PC{0,60}") {
        expression::run(text.as_bytes());
    }
}

#[test]
fn facts_are_expressions() {
    let taken = facts().into_iter().filter(|fact| expression::run(fact.as_bytes())).count();
    assert!(taken > 250, "{taken}");
}
