//! The engine against the second evaluator: a million random requests, and every operator by itself.

mod cases;
mod oracle;
mod random;
mod shrink;

use cases::{read_layers, read_request};
use iam::Request;
use random::conditions::{sort, written};
use random::requests::{context, request};
use random::{Dice, THEMES, Theme};
use serde_json::{Value, json};

const SETS: usize = 16_000;
const REQUESTS_OF_A_SET: usize = 64;
const POOL: usize = 3_000;

/// Whether a case of kind `authorize` can be read and is answered differently.
fn disagree(case: &Value) -> bool {
    let answer: Value = serde_json::from_str(&iam::answer_line(&case.to_string())).unwrap_or_default();
    answer
        .get("decision")
        .is_some_and(|decision| decision != oracle::authorize(&case["policies"], &case["request"]))
}

fn report(policies: &Value, request: &Value) -> String {
    let case = json!({"id": 1, "kind": "authorize", "policies": policies, "request": request});
    let case = shrink::smallest(case, disagree);
    let engine = iam::answer_line(&case.to_string());
    let oracle = oracle::authorize(&case["policies"], &case["request"]);
    format!("the oracle says {oracle}, the engine {engine}, to the line\n{case}\n")
}

/// How often each answer was given, and the first disagreements.
#[derive(Default)]
struct Tally {
    answers: [usize; 3],
    wrong: Vec<String>,
}

fn compare(theme: &Theme, seed: u64, sets: usize) -> Tally {
    let mut dice = Dice(seed);
    let mut tally = Tally::default();
    let pool: Vec<(Value, Request)> = (0..POOL)
        .filter_map(|_| {
            let value = request(&mut dice, theme);
            read_request(&value).map(|read| (value, read))
        })
        .collect();
    for _ in 0..sets {
        let policies = random::layers(&mut dice, theme);
        let Some(layers) = read_layers(&policies, theme.actions[0]) else {
            tally.wrong.push(format!("not read: {policies}"));
            continue;
        };
        for _ in 0..REQUESTS_OF_A_SET {
            let (value, request) = &pool[dice.below(pool.len())];
            let engine = match iam::decide(&layers, request).outcome {
                iam::Outcome::Allowed => "Allowed",
                iam::Outcome::ExplicitlyDenied => "ExplicitlyDenied",
                iam::Outcome::ImplicitlyDenied => "ImplicitlyDenied",
            };
            let oracle = oracle::authorize(&policies, value);
            tally.answers[["Allowed", "ExplicitlyDenied"].iter().position(|a| *a == oracle).unwrap_or(2)] +=
                1;
            if engine != oracle && tally.wrong.len() < 5 {
                tally.wrong.push(report(&policies, value));
            }
        }
    }
    tally
}

#[test]
fn a_million_decisions() {
    let sets = SETS / THEMES.len();
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let start = |(at, theme): (u64, &'static Theme)| scope.spawn(move || compare(theme, 77 + at, sets));
        let running: Vec<_> = (0..).zip(&THEMES).map(start).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let wrong: Vec<&str> = tallies.iter().flat_map(|tally| &tally.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let sum = |at: usize| tallies.iter().map(|tally| tally.answers[at]).sum::<usize>();
    let [allowed, denied, nothing] = [sum(0), sum(1), sum(2)];
    assert!(allowed + denied + nothing >= 1_000_000);
    // A generator whose cases all end alike would prove little.
    assert!(allowed.min(denied).min(nothing) > 100_000, "{allowed} {denied} {nothing}");
}

#[test]
fn every_operator_alone() {
    let mut dice = Dice(5);
    let mut seen = [0_usize; 2];
    for _ in 0..30_000 {
        let sort = sort(&mut dice);
        let base = dice.pick(sort.operators);
        let operator = written(&mut dice, base);
        let listed = dice.some(sort.listed);
        let mut case = json!({"kind": "operator", "operator": operator, "policyValues": listed});
        let mut keys = context(&mut dice);
        if !dice.one_in(6) {
            case["requestValue"] = dice.some(sort.held);
            keys.insert("the value".to_owned(), case["requestValue"].clone());
        }
        case["context"] = keys.clone().into();
        let line = case.to_string();
        let answer: Value = serde_json::from_str(&iam::answer_line(&line)).unwrap_or_default();
        let ask = oracle::Ask::of_context(Some(&keys));
        let expected = oracle::holds((&operator, "the value", &case["policyValues"]), true, &ask);
        seen[usize::from(expected)] += 1;
        assert_eq!(answer["result"], json!(expected), "{line}\n{answer}");
    }
    assert!(seen[0].min(seen[1]) > 5_000, "{seen:?}");
}

#[test]
fn what_s3_calls_public() {
    let mut dice = Dice(9);
    for _ in 0..20_000 {
        let policy = random::policy(&mut dice, &THEMES[0], random::Names::Mostly, 8);
        let line = json!({"kind": "s3_public", "policy": policy}).to_string();
        let answer: Value = serde_json::from_str(&iam::answer_line(&line)).unwrap_or_default();
        let expected = if oracle::is_public(&policy) { "public" } else { "nonPublic" };
        assert_eq!(answer["result"], expected, "{line}");
    }
}
