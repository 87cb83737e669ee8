//! The prover against brute force: random pairs of policies over a small world, in which every request is tried.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests; the number of pairs comes from outside"
)]

#[path = "random/dice.rs"]
mod dice;

use dice::Dice;
use iam::prove::{Proof, difference};
use iam::{Context, Layers, Outcome, Policy, PolicyKind, Principal, Program, Request, Values, decide};
use serde_json::{Value, json};

const ACTIONS: [&str; 7] =
    ["s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "*", "s3:?etObject", "kms:Decrypt"];
const RESOURCES: [&str; 9] = [
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/a*",
    "arn:aws:s3:::b/?",
    "arn:aws:s3:::b/ab",
    "arn:aws:s3:::*/a",
    "arn:aws:s3:::b/${aws:username}",
    "arn:aws:s3:::b/${aws:username}*",
    "arn:aws:s3:::${aws:username}/a",
];

fn condition(dice: &mut Dice) -> (String, String, Value) {
    let all = [
        ("StringEquals", "aws:username", json!(["a", "b"])),
        ("StringNotEquals", "aws:username", json!(["a"])),
        ("StringLike", "aws:username", json!("a*")),
        ("StringNotLike", "aws:username", json!(["*b"])),
        ("StringEqualsIgnoreCase", "aws:username", json!("A")),
        ("StringEqualsIfExists", "aws:username", json!("b")),
        ("Null", "aws:username", json!("true")),
        ("Null", "aws:username", json!("false")),
        ("StringEquals", "aws:PrincipalTag/t", json!("${aws:username}")),
        ("StringNotEquals", "aws:PrincipalTag/t", json!("${aws:username}")),
        ("StringLike", "aws:PrincipalTag/t", json!(["a*", "${aws:username, 'b'}"])),
        ("StringNotLike", "aws:PrincipalTag/t", json!("?")),
        ("Bool", "aws:SecureTransport", json!("true")),
        ("BoolIfExists", "aws:SecureTransport", json!("false")),
        ("NumericLessThan", "s3:max-keys", json!("10")),
        ("NumericGreaterThanEquals", "s3:max-keys", json!(["10"])),
        ("NumericNotEquals", "s3:max-keys", json!(["10", "5"])),
        ("IpAddress", "aws:SourceIp", json!(["10.0.0.0/8"])),
        ("NotIpAddress", "aws:SourceIp", json!(["10.0.0.0/9", "192.0.2.1"])),
        ("DateLessThan", "aws:CurrentTime", json!("2025-01-01T00:00:00Z")),
        ("DateNotEquals", "aws:CurrentTime", json!("1735689600")),
        ("ForAnyValue:StringEquals", "aws:TagKeys", json!(["a", "b"])),
        ("ForAllValues:StringLike", "aws:TagKeys", json!(["a*"])),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", json!(["a"])),
        ("ForAllValues:StringNotLike", "aws:TagKeys", json!(["b*"])),
        ("ArnLike", "aws:SourceArn", json!(["arn:aws:s3:::b*"])),
        ("ArnNotLike", "aws:SourceArn", json!(["arn:aws:s3:::*", "arn:*:sns:*:*:a"])),
    ];
    let (operator, key, values) = dice.pick(&all);
    (operator.to_owned(), key.to_owned(), values)
}

fn policy(dice: &mut Dice) -> Value {
    let mut statements = Vec::new();
    for _ in 0..=dice.below(3) {
        let effect = if dice.below(3) == 0 { "Deny" } else { "Allow" };
        let action = if dice.below(8) == 0 { "NotAction" } else { "Action" };
        let resource = if dice.below(8) == 0 { "NotResource" } else { "Resource" };
        let mut statement =
            json!({"Effect": effect, action: dice.pick(&ACTIONS), resource: dice.pick(&RESOURCES)});
        let mut conditions = serde_json::Map::new();
        for _ in 0..dice.pick(&[0, 0, 1, 1, 2]) {
            let (operator, key, values) = condition(dice);
            let keys = conditions.entry(operator).or_insert_with(|| json!({}));
            keys.as_object_mut().unwrap().insert(key, values);
        }
        statement.as_object_mut().unwrap().insert("Condition".to_owned(), Value::Object(conditions));
        statements.push(statement);
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Every key with every way it can be in the small world; only keys that the policies name are varied.
fn world() -> Vec<(&'static str, Vec<Option<Values>>)> {
    let one = |text: &str| Some(Values::One(text.into()));
    let many = |texts: &[&str]| Some(Values::Many(texts.iter().map(|t| Box::from(*t)).collect()));
    vec![
        ("aws:username", vec![None, one("a"), one("b"), one("A"), one("ab"), one("bb"), one("*")]),
        ("aws:PrincipalTag/t", vec![None, one("a"), one("b"), one("ab"), one("bb"), one("A")]),
        ("aws:SecureTransport", vec![None, one("true"), one("false"), one("perhaps")]),
        ("s3:max-keys", vec![None, one("4"), one("5.0"), one("9.9"), one("10"), one("11"), one("many")]),
        (
            "aws:SourceIp",
            vec![None, one("10.0.0.1"), one("10.200.0.1"), one("192.0.2.1"), one("::1"), one("here")],
        ),
        (
            "aws:CurrentTime",
            vec![None, one("2024-05-01"), one("2025-01-01T00:00:00Z"), one("2026-01-01"), one("now")],
        ),
        (
            "aws:TagKeys",
            vec![
                None,
                many(&["a"]),
                many(&["b"]),
                many(&["a", "b"]),
                many(&["ab", "a"]),
                many(&["c"]),
                many(&["a", "c"]),
                one("b"),
            ],
        ),
        (
            "aws:SourceArn",
            vec![
                None,
                one("arn:aws:s3:::b1"),
                one("arn:aws:s3:::c"),
                one("arn:aws:sns:::a"),
                one("arn:aws:sns:x:1:b"),
                one("none"),
            ],
        ),
    ]
}

fn requests(text: &str) -> Vec<Request> {
    let principal = Principal::parse("arn:aws:iam::111122223333:user/somebody");
    let mut contexts = vec![Context::default()];
    for (key, ways) in world() {
        if !text.contains(key) {
            continue;
        }
        contexts = contexts
            .iter()
            .flat_map(|context| {
                ways.iter().map(move |way| {
                    let mut context = context.clone();
                    if let Some(values) = way {
                        context.set(key, values.clone());
                    }
                    context
                })
            })
            .collect();
    }
    let mut all = Vec::new();
    for action in ["s3:GetObject", "s3:PutObject", "s3:GetAcl", "s3:xetObject", "kms:Decrypt", "iam:PassRole"]
    {
        for resource in [
            "*",
            "arn:aws:s3:::b/a",
            "arn:aws:s3:::b/b",
            "arn:aws:s3:::b/ab",
            "arn:aws:s3:::b/abc",
            "arn:aws:s3:::a/a",
            "arn:aws:s3:::c/d",
            "arn:aws:kms:::k",
        ] {
            for context in &contexts {
                all.push(Request::new(principal.clone(), action, resource, None, context.clone()).unwrap());
            }
        }
    }
    all
}

fn allows(policy: &Policy) -> impl Fn(&Request) -> bool + use<> {
    let layers =
        Layers { identity: vec![Program::new(policy.clone(), PolicyKind::Identity)], ..Layers::default() };
    move |request| decide(&layers, request).outcome == Outcome::Allowed
}

#[test]
fn what_is_proved_holds_for_every_request_of_a_small_world() {
    let pairs: usize = std::env::var("PROVE_PAIRS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut dice = Dice(7);
    let (mut proved, mut shown, mut unknown) = (0, 0, Vec::new());
    for _ in 0..pairs {
        let a = policy(&mut dice);
        // Half of the pairs differ in one place only, which is where provers go wrong.
        let mut b = policy(&mut dice);
        if dice.below(2) == 0 {
            let other = b["Statement"][0].clone();
            b = a.clone();
            let at = dice.below(b["Statement"].as_array().unwrap().len());
            let field = dice.pick(&["Action", "Resource", "Condition"]);
            if let Some(value) = other.get(field)
                && b["Statement"][at].get(field).is_some()
            {
                b["Statement"][at][field] = value.clone();
            }
        }
        let text = format!("{a}{b}");
        let (a, b) =
            (Policy::parse("a", &a.to_string()).unwrap(), Policy::parse("b", &b.to_string()).unwrap());
        match difference(&a, &b) {
            Proof::Proved => {
                proved += 1;
                let (yes, no) = (allows(&a), allows(&b));
                if let Some(request) =
                    requests(&text).into_iter().find(|request| yes(request) && !no(request))
                {
                    panic!("proved, but {} is a difference of\n{text}", iam::request_json(&request));
                }
            }
            Proof::Witness(request) => {
                shown += 1;
                assert!(
                    allows(&a)(&request) && !allows(&b)(&request),
                    "{} is none of\n{text}",
                    iam::request_json(&request)
                );
            }
            Proof::Unknown(cause) => unknown.push(format!("{cause}: {text}")),
        }
    }
    assert!(proved > pairs / 10 && shown > pairs / 10, "{proved} proved, {shown} shown");
    assert!(unknown.len() * 100 <= pairs, "{} of {pairs} unknown\n{}", unknown.len(), unknown.join("\n"));
}
