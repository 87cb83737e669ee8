//! Expressions of people who mean no good: each is refused or stopped long before a second, and nothing aborts.

#![expect(clippy::disallowed_methods, reason = "the clock is what this is about")]

mod world;

use cel::{Budget, Environment, Fault, MAX_STEPS, Program};
use std::time::{Duration, Instant};
use world::{Answer, World, environment};

/// What comes of it, within a second, also in a debug build.
fn outcome(text: &str) -> String {
    let began = Instant::now();
    let said = match Program::compile(text, &environment()) {
        Err(wrong) => format!("refused: {wrong}"),
        Ok(program) => {
            let world = serde_json::json!({"x": {"l": (0..1_000).collect::<Vec<_>>(), "s": "a".repeat(5_000)}, "y": "unknown"});
            let mut budget = Budget::default();
            let said = match program.evaluate(&mut World(&world), &mut budget) {
                Ok(value) => format!("{:?}", value.kind()),
                Err(Fault::Stopped(why)) => why,
                Err(fault) => format!("fails: {fault}"),
            };
            assert!(budget.taken() <= MAX_STEPS);
            said
        }
    };
    let took = began.elapsed();
    let shown: String = text.chars().take(60).collect();
    assert!(took < Duration::from_secs(1), "{shown} took {took:?}");
    said
}

#[test]
fn what_is_nested_is_refused() {
    let nested = [
        format!("{}1{}", "(".repeat(800), ")".repeat(800)),
        format!("{}1{}", "[".repeat(800), "]".repeat(800)),
        format!("{}1{}", "{1:".repeat(800), "}".repeat(800)),
        format!("{}true", "true?true:".repeat(400)),
        format!("{}1{}", "size(".repeat(500), ")".repeat(500)),
        format!("x{}", ".a".repeat(1_500)),
        format!("x{}", "[0]".repeat(1_000)),
        format!("1{}", "+1".repeat(1_500)),
        format!("1{}", "==1".repeat(1_000)),
        format!("x.l{}", ".map(a,a)".repeat(300)),
        format!("{}true{}", "[1].all(a,".repeat(3), ")".repeat(3)),
        format!("{}x", "!(".repeat(1_000)),
        "-".repeat(4_000),
        "(".repeat(4_000),
    ];
    for text in nested {
        let said = outcome(&text);
        assert!(said.starts_with("refused: "), "{said}");
    }
    let said = outcome(&" ".repeat(5_000));
    assert_eq!(said, "refused: 1:1: the expression has 5000 bytes; at most 4096 are taken");
}

#[test]
fn long_chains_of_one_operator_are_taken() {
    assert_eq!(outcome(&format!("{}true", "!".repeat(4_000))), "Bool");
    assert_eq!(outcome(&format!("{}1", "-".repeat(4_000))), "Int");
    assert_eq!(outcome(&vec!["true"; 500].join("&&")), "Bool");
    assert_eq!(outcome(&vec!["false"; 500].join("||")), "Bool");
    assert_eq!(outcome(&format!("[{}]", "1,".repeat(1_500))), "List");
}

#[test]
fn loops_and_what_they_make_are_stopped() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let doubled = format!("[1]{}", ".map(a,[a,a])".repeat(90));
    let grown = format!("[x.s+x.s]{}", ".map(a,a+a)".repeat(60));
    let hostile = [
        "x.l.map(a, x.l.map(b, a*b)).exists(c, c == 1)".to_owned(),
        format!("{ten}.map(a, x.l + x.l + x.l + x.l)"),
        format!("({ten}+{ten}+{ten}+{ten}).map(a, x.l.map(b, x.l))"),
        "x.l.all(a, x.l.all(b, a + b >= 0 && a * b >= 0))".to_owned(),
        format!("{doubled} == {doubled}"),
        format!("size({grown}[0]) > 0"),
        "x.l.all(a, !x.s.matches('(a|aa)+$' + string(a)))".to_owned(),
        "x.l.all(a, x.s.matches('^(([a-z])+.)+[A-Z]([a-z])+$') || true)".to_owned(),
        "x.s.replace('', x.s).size() > 0".to_owned(),
        "x.s.split('').map(a, x.s.split('')).size() > 0".to_owned(),
        "x.l.map(a, x.s).join(x.s).size() > 0".to_owned(),
    ];
    for text in hostile {
        let said = outcome(&text);
        assert!(said.starts_with("stopped"), "{text}: {said}");
    }
    assert_eq!(
        outcome(r"x.s.matches('((a{1,100}){1,100}){1,100}')"),
        "refused: 1:13: the pattern is too large when it is compiled"
    );
}

#[test]
fn patterns_that_are_slow_elsewhere_are_not() {
    for pattern in ["^(a+)+$", "(a*)*b", "(a|a)*c", "(.*)(.*)(.*)(.*)[^a]$", "^(\\\\w+\\\\s?)*$"] {
        let said = outcome(&format!("x.s.matches('{pattern}')"));
        assert_eq!(said, "Bool", "{pattern}");
    }
}

#[test]
fn deep_documents_are_compared_and_stopped() {
    let mut deep = serde_json::json!(1);
    for _ in 0..120 {
        deep = serde_json::json!([deep]);
    }
    let mut deeper = serde_json::json!(1);
    for _ in 0..400 {
        deeper = serde_json::json!([deeper]);
    }
    let world = serde_json::json!({"x": deep, "y": deeper});
    let program = Program::compile("x == x", &environment()).unwrap();
    assert!(matches!(
        program.evaluate(&mut World(&world), &mut Budget::default()),
        Ok(cel::Value::Bool(true))
    ));
    let program = Program::compile("y == y", &environment()).unwrap();
    assert!(matches!(program.evaluate(&mut World(&world), &mut Budget::default()), Err(Fault::Stopped(_))));
}

#[test]
fn steps_are_counted_and_few() {
    let world = serde_json::json!({"x": {"l": [1, 2, 3]}, "y": "acme-data"});
    let mut steps = Vec::new();
    for text in ["y.startsWith('acme-')", "x.l.all(n, n > 0)", "y.matches('^acme-')"] {
        let program = Program::compile(text, &environment()).unwrap();
        let mut budget = Budget::default();
        assert!(matches!(program.evaluate(&mut World(&world), &mut budget), Ok(Answer::Bool(true))));
        steps.push(budget.taken());
    }
    assert_eq!(steps, [4, 15, 154]);
    let program = Program::compile("x.l.all(n, n > 0)", &environment()).unwrap();
    for most in 0..15 {
        let outcome = program.evaluate(&mut World(&world), &mut Budget::of(most));
        assert_eq!(outcome.err(), Some(Fault::Stopped(format!("stopped after {most} steps"))));
    }
    let none = Program::compile("1 == 1", &Environment::default()).unwrap();
    assert!(none.evaluate(&mut cel::NoHost, &mut Budget::of(4)).is_ok());
}
