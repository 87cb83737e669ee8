//! Fuzzing on stable Rust: mutants of the corpus in `fuzz/corpus`, for a few seconds. `IAM_FUZZ_RUNS=5000000` runs longer.
//! What answers as nothing before answered joins the corpus for the rest of the run. `cargo fuzz` does it with coverage.

#[path = "../fuzz/targets/batch.rs"]
mod batch;
#[path = "random/dice.rs"]
mod dice;
#[path = "../fuzz/targets/policy.rs"]
mod policy;

use dice::Dice;
use std::collections::HashSet;
use std::io::Read;

const RUNS: usize = 15_000;
const MAX_POOL: usize = 4_000;

/// Pieces of the language, to be put anywhere.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "\"*\"",
    "*",
    "?",
    "${",
    "${*}",
    "${aws:username}",
    "${a, 'b'}",
    "${",
    "-1",
    "1e999",
    "0x10",
    "\\u0000",
    "\\ud800",
    "é",
    "ß",
    "\u{1f600}",
    "2012-10-17",
    "Allow",
    "Deny",
    "NotPrincipal",
    "NotAction",
    "NotResource",
    "ForAllValues:",
    "IfExists",
    "IpAddress",
    "::/0",
    "9999-12-31T23:59:60Z",
    "99999999999999999999999999999999999999999999",
    "arn:aws:s3:::b",
    "[[[[[[[[[[[[[[[[[[[[[[[[",
];

fn corpus(name: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<_> = paths.collect::<std::io::Result<_>>()?;
    paths.sort();
    let content = |path| {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    paths.into_iter().map(content).collect()
}

fn mutate(dice: &mut Dice, pool: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = pool[dice.below(pool.len())].clone();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let to = (at + 1 + dice.below(12)).min(bytes.len());
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let piece = bytes[at..to].to_vec();
                let there = dice.below(bytes.len() + 1);
                bytes.splice(there..there, piece);
            }
            3 => {
                let other = &pool[dice.below(pool.len())];
                let from = dice.below(other.len() + 1);
                let piece = other[from..(from + dice.below(80)).min(other.len())].to_vec();
                bytes.splice(at..to, piece);
            }
            4 if at < bytes.len() => bytes[at] = u8::try_from(dice.below(256)).unwrap_or(0),
            5 => bytes.truncate(at.max(1)),
            _ => drop(bytes.splice(at..at, dice.pick(&WORDS).bytes())),
        }
    }
    bytes.truncate(20_000);
    bytes
}

/// What an answer is like, without the words of the user.
fn sort_of_answer(data: &[u8]) -> Option<String> {
    let answer = iam::answer_line(std::str::from_utf8(data).ok()?);
    let parts = answer.split('`').step_by(2);
    Some(parts.flat_map(str::chars).filter(|c| !c.is_ascii_digit()).collect())
}

fn drive(name: &str, seed: u64, run: fn(&[u8])) -> std::io::Result<usize> {
    let wanted = std::env::var_os("IAM_FUZZ_RUNS").and_then(|text| text.into_string().ok()?.parse().ok());
    let mut pool = corpus(name)?;
    let mut dice = Dice(seed ^ wanted.unwrap_or(0));
    let mut seen = HashSet::new();
    for data in &pool {
        run(data);
        seen.extend(sort_of_answer(data));
    }
    let wanted = wanted.map_or(RUNS, |runs| usize::try_from(runs).unwrap_or(RUNS));
    for _ in 0..wanted {
        let data = mutate(&mut dice, &pool);
        let before = String::from_utf8_lossy(&data).into_owned();
        let outcome = std::panic::catch_unwind(|| run(&data));
        assert!(outcome.is_ok(), "{name}: {before}");
        if pool.len() < MAX_POOL && sort_of_answer(&data).is_some_and(|sort| seen.insert(sort)) {
            pool.push(data);
        }
    }
    Ok(wanted)
}

#[test]
fn no_policy_makes_a_panic() {
    assert!(drive("policy", 1, policy::run).unwrap() > 0);
}

#[test]
fn no_line_makes_a_panic() {
    assert!(drive("batch", 2, batch::run).unwrap() > 0);
}
