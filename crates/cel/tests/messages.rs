//! What is said of expressions that are none, word by word.

mod world;

use cel::Program;
use world::environment;

#[test]
fn every_mistake_has_its_words_and_its_place() {
    let wrong = [
        "",
        "1 +",
        "(1",
        "[1",
        "{1",
        "{1: }",
        "1 2",
        "a",
        "x.",
        "x.1",
        "f(1)",
        "'a",
        "\"\\q\"",
        "'\\ud800'",
        "has(x)",
        "has(x.a, x.b)",
        "[1].all(1, true)",
        "[1].all(n)",
        "[1].map(n, 1, 2, 3)",
        "if",
        "x.in",
        "x == y\n  && z.all(n, m)",
        "@",
        "é",
        "1 = 1",
        "Type{a: 1}",
        "9223372036854775808",
        "99999999999999999999",
        "1x",
        "x.startsWith('a', 'b')",
        "startsWith(x, 'a')",
        "all(x)",
        "x.int()",
        "x.matches('(')",
        "x.y.matches(r'\\1')",
        "related()",
        "related(1, 2, 3)",
        "x.all(a, x.all(b, x.all(c, true)))",
        "`",
        "x.`a b`.c(",
        "x.size(1)",
        "timestamp()",
        "x.foo()",
        "1.e",
        "0x",
        "b'\\u0041'",
    ];
    let mut all = String::new();
    for text in wrong {
        let said = match Program::compile(text, &environment()) {
            Ok(_) => "is one\n".to_owned(),
            Err(wrong) => format!("{wrong}\n  help: {}\n", wrong.help()),
        };
        all += &format!("{text:?}\n{said}");
    }
    insta::assert_snapshot!(all);
}
