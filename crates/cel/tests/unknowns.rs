//! What is not known, what fails, and what does not matter any more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use cel::{Budget, Fault, Program};
use serde_json::json;
use world::{Answer, World, environment};

fn outcome(text: &str) -> String {
    let world = json!({
        "x": {"u": "unknown:the parameter `P` has no default", "v": "unknown:`s3:Get` was denied", "a": 1, "t": true, "s": "acme",
            "l": [1, "unknown:item"], "o": "open:a reference", "p": ["open:one", "two"], "m": {"k": "unknown:deep", "j": 1}, "n": null,
            "yes": "written:true", "no": "written:false", "two": "written:2", "half": "written:0.5", "word": "written:twofold"},
        "y": "unknown:all of it",
    });
    let program = Program::compile(text, &environment()).unwrap();
    match program.evaluate(&mut World(&world), &mut Budget::default()) {
        Ok(Answer::Bool(truth)) => truth.to_string(),
        Ok(other) => format!("{:?}", other.kind()),
        Err(Fault::Unknown(causes)) => format!("unknown: {}", causes.join("; ")),
        Err(Fault::Failed(failed)) => format!("fails: {}", failed.message),
        Err(Fault::Stopped(why)) => why,
    }
}

#[test]
fn what_is_not_known_is_never_true_or_false() {
    let parameter = "unknown: the parameter `P` has no default";
    let both = "unknown: the parameter `P` has no default; `s3:Get` was denied";
    let cases = [
        ("x.u == 1", parameter),
        ("x.u != 1", parameter),
        ("has(x.u)", parameter),
        ("x.u.a.b", parameter),
        ("!x.u", parameter),
        ("x.u == x.v", both),
        ("x.u && x.v && x.u", both),
        ("x.u && false", "false"),
        ("false && x.u", "false"),
        ("x.u || true", "true"),
        ("x.u || x.v || x.t", "true"),
        ("x.u && true", parameter),
        ("x.u && x.q", parameter),
        ("x.q && x.u", parameter),
        ("x.q || x.u", parameter),
        ("x.q == x.u", parameter),
        ("x.q && true", "fails: there is no `q`"),
        ("x.u ? 1 : 2", parameter),
        ("x.t ? 1 : x.u", "Int"),
        ("[x.u]", parameter),
        ("{'a': x.u}", parameter),
        ("x.s.startsWith(x.u)", parameter),
        ("x.l == [1, 2]", "unknown: item"),
        ("x.l == [2, 2]", "false"),
        ("x.l == [1]", "false"),
        ("1 in x.l", "true"),
        ("2 in x.l", "unknown: item"),
        ("x.l.exists(i, i == 1)", "true"),
        ("x.l.exists(i, i == 2)", "unknown: item"),
        ("x.l.all(i, i == 2)", "false"),
        ("x.l.all(i, i == 1)", "unknown: item"),
        ("x.l.exists_one(i, i == 1)", "unknown: item"),
        ("x.l.map(i, 1).size() == 2", "unknown: item"),
        ("x.l.size() == 2", "true"),
        ("x.m == {'k': 1, 'j': 2}", "false"),
        ("x.m == {'k': 1, 'j': 1}", "unknown: deep"),
        ("'k' in x.m", "unknown: deep"),
        ("x.m.all(k, v, v == 1)", "unknown: deep"),
        ("x.m.exists(k, v, v == 1)", "true"),
        ("y.a.b.c == 1", "unknown: all of it"),
        ("related('T', x.u)", parameter),
        ("x.?u.orValue(1) == 1", parameter),
        ("int(x.u) == 1", parameter),
    ];
    for (text, expected) in cases {
        assert_eq!(outcome(text), expected, "{text}");
    }
}

#[test]
fn what_is_open_is_handed_on_and_else_not_known() {
    let open = "unknown: a reference";
    let cases = [
        ("x.o == 1", open),
        ("has(x.o)", "true"),
        ("'o' in x", "true"),
        ("x.o.a", open),
        ("x.?o.a", open),
        ("x.?o.orValue(1)", open),
        ("type(x.o) == string", open),
        ("related(x.o).exists(r, r == 1)", open),
        ("related(x.t ? x.o : 1, 1).exists(r, r == 1)", "true"),
        ("related(x.o, 1).size() == 2", open),
        ("related(x.o) == []", open),
        ("related(x.o).map(r, 1).size() == 1", open),
        ("related(x.o).filter(r, true).size() == 1", open),
        ("related(x.o).exists_one(r, r == 1)", open),
        ("related(x.o, 1).all(r, r == 2)", "false"),
        ("(related(x.o) + [1]).exists(r, r == 1)", "true"),
        ("related(x.o)[0] == 1", open),
        ("related(x.o).join() == ''", open),
        ("[x.o].size() == 1", open),
        ("x.p.size() == 2", "true"),
        ("x.p.exists(i, i == 'two')", "true"),
        ("x.p.map(i, 1).size() == 2", "true"),
        ("x.p.all(i, related(i, 1).exists(r, r == 1))", "true"),
        ("x.p == ['one', 'two']", "unknown: one"),
        ("x.p == ['one', 'three']", "false"),
        ("-x.o", open),
        ("x.o", open),
    ];
    for (text, expected) in cases {
        assert_eq!(outcome(text), expected, "{text}");
    }
}

#[test]
fn what_may_be_absent_has_a_way() {
    let cases = [
        ("x.?q.orValue(7) == 7", "true"),
        ("x.?a.orValue(7) == 1", "true"),
        ("x.?q.deeper.still.orValue('') == ''", "true"),
        ("x.?q.hasValue()", "false"),
        ("x.?a.hasValue() && x.?a.value() == 1", "true"),
        ("x.?q.value()", "fails: the value is absent"),
        ("x[?'q'].orValue(1) == 1", "true"),
        ("[1][?4].orValue(2) == 2", "true"),
        ("x.?m.?j.hasValue()", "true"),
        ("x.?a.b", "fails: a `int` has no `b`"),
    ];
    for (text, expected) in cases {
        assert_eq!(outcome(text), expected, "{text}");
    }
}

#[test]
fn texts_of_documents_are_what_they_read_as() {
    let holds = [
        "x.yes == true",
        "x.no == false",
        "x.yes && !x.no",
        "x.two == 2",
        "x.two >= 2 && x.two < 3",
        "x.half == 0.5",
        "x.two == '2'",
        "string(x.two) == '2'",
        "x.word != 2",
        "x.yes != false",
        "x.word != true",
        "2 in [x.two]",
        "x.yes.startsWith('t')",
        "int(x.two) + 1 == 3",
        "!(string(x.yes) == true)",
        "type(x.yes) == string",
        "'true' != true",
    ];
    for text in holds {
        assert_eq!(outcome(text), "true", "{text}");
    }
    assert_eq!(outcome("x.word && true"), "fails: expected a truth value, found a `string`");
    assert_eq!(outcome("'true' && true"), "fails: expected a truth value, found a `string`");
    assert_eq!(outcome("x.word < 2"), "fails: `<` is not for `string` and `int`");
}
