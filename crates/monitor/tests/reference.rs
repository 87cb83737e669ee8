//! The numbers against SciPy, scikit-learn and Fairlearn; and that the verdicts keep their level.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its reference is on disk"
)]

use facts::{ColumnName, Timestamp};
use monitor::baseline::{Baseline, Column, Limits};
use monitor::drift::{self, DriftReport, DriftSettings};
use monitor::profile::{Profile, Request};
use monitor::quality::{self, Outcome};
use monitor::special::chi_square_tail;
use monitor::{fairness, kolmogorov, ks};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

fn reference() -> Value {
    serde_json::from_slice(
        &std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/reference/reference.json")).unwrap(),
    )
    .unwrap()
}

/// Within 1e-9 of each other, relatively; near zero absolutely within 1e-12.
fn close(name: &str, actual: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let bound =
        (1e-9 * expected.abs()).max(if expected.abs() > 1e-9 { 1e-12 } else { 1e-9 * expected.abs() });
    assert!((actual - expected).abs() <= bound, "{name}: {actual} is not {expected}");
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

type Columns = BTreeMap<ColumnName, Column>;

fn one(column: Column) -> Columns {
    BTreeMap::from([("x".parse().unwrap(), column)])
}

/// Both sides, the second one record at a time.
fn report(reference: &Columns, current: &Columns, settings: &DriftSettings) -> DriftReport {
    let mut profile = Profile::new(Arc::new(Baseline::new(reference.clone(), Limits::default())), &[]);
    let texts: Vec<Vec<String>> = current
        .values()
        .map(|column| match column {
            Column::Numeric(cells) => {
                cells.iter().map(|cell| cell.map_or_else(String::new, |cell| cell.to_string())).collect()
            }
            Column::Category(cells) => cells.iter().map(|cell| cell.clone().unwrap_or_default()).collect(),
        })
        .collect();
    for row in 0..texts[0].len() {
        let cells: Vec<String> = texts.iter().map(|column| column[row].clone()).collect();
        profile.push(&Request { cells: &cells, time: Timestamp::EPOCH, positive: false }).unwrap();
    }
    drift::report(&profile, settings)
}

const SETTINGS: DriftSettings = DriftSettings { psi: 0.2, significance: 0.01, min_samples: 10 };

#[test]
fn drift_agrees_with_scipy() {
    let reference = reference();
    let numbers = |value: &Value| Column::Numeric(list(value).iter().map(Value::as_f64).collect());
    for case in list(&reference["numeric"]) {
        let report = report(&one(numbers(&case["a"])), &one(numbers(&case["b"])), &SETTINGS);
        close("ks", report.features[0].statistic, &case["statistic"]);
        close("ks p", report.features[0].p_value, &case["p"]);
    }
    let words = |value: &Value| {
        Column::Category(list(value).iter().map(|cell| cell.as_str().map(str::to_owned)).collect())
    };
    for case in list(&reference["category"]) {
        let report = report(&one(words(&case["a"])), &one(words(&case["b"])), &SETTINGS);
        close("chi2", report.features[0].statistic, &case["statistic"]);
        close("chi2 p", report.features[0].p_value, &case["p"]);
        close("psi", report.features[0].psi, &case["psi"]);
    }
    for case in list(&reference["chi2"]) {
        close(
            "chi2 tail",
            chi_square_tail(case["x"].as_f64().unwrap(), case["k"].as_f64().unwrap()),
            &case["p"],
        );
    }
    for case in list(&reference["wilson"]) {
        let (low, high) =
            quality::wilson(case["part"].as_u64().unwrap(), case["whole"].as_u64().unwrap()).unwrap();
        close("wilson low", low, &case["low"]);
        close("wilson high", high, &case["high"]);
    }
}

/// `(i * step) % modulus + shift`, counted.
fn made(parameters: &Value) -> Vec<(f64, u64)> {
    let [n, step, modulus, shift] = [0, 1, 2, 3].map(|at| parameters[at].as_i64().unwrap());
    let mut counts = BTreeMap::new();
    (0..n).for_each(|i| *counts.entry((i * step) % modulus + shift).or_insert(0) += 1);
    counts.into_iter().map(|(value, count)| (value as f64, count)).collect()
}

#[test]
fn kolmogorov_smirnov_agrees_with_scipy_at_every_size() {
    let reference = reference();
    for case in list(&reference["ks"]) {
        let name = format!("{} {}", case["a"], case["b"]);
        let test = ks::two_sample(&made(&case["a"]), &made(&case["b"])).unwrap();
        close(&name, test.statistic, &case["statistic"]);
        close(&name, test.p_value, &case["p"]);
        let exact = case["a"][0].as_u64().max(case["b"][0].as_u64()) <= Some(10_000);
        let given_up = name == "[7,2,14,0] [7,2,14,1]";
        assert_eq!(test.method == ks::Method::Exact, exact && !given_up, "{name}");
    }
    for case in list(&reference["kstwo"]) {
        let p = kolmogorov::tail(case["n"].as_u64().unwrap(), case["x"].as_f64().unwrap());
        close(&format!("{} {}", case["n"], case["x"]), p, &case["p"]);
    }
}

#[test]
fn quality_and_fairness_agree_with_scikit_learn_and_fairlearn() {
    for case in list(&reference()["quality"]) {
        let outcomes: Vec<Outcome> = list(&case["actual"])
            .iter()
            .zip(list(&case["predicted"]))
            .zip(list(&case["probability"]))
            .map(|((a, p), probability)| Outcome {
                actual: *a == 1,
                predicted: *p == 1,
                probability: probability.as_f64().unwrap(),
            })
            .collect();
        let q = quality::binary(&outcomes);
        for (name, value) in [
            ("accuracy", q.accuracy),
            ("auc", q.auc),
            ("precision", q.precision),
            ("recall", q.recall),
            ("f1", q.f1),
            ("log_loss", q.log_loss),
            ("brier", q.brier),
        ] {
            close(name, value.unwrap(), &case[name]);
        }
        let groups: Vec<Option<String>> =
            list(&case["group"]).iter().map(|cell| cell.as_str().map(str::to_owned)).collect();
        let f = fairness::compare(&outcomes, &groups, 1);
        for (name, value) in [
            ("demographic_parity_difference", f.demographic_parity_difference),
            ("demographic_parity_ratio", f.demographic_parity_ratio),
            ("equal_opportunity_difference", f.equal_opportunity_difference),
            ("equalized_odds_difference", f.equalized_odds_difference),
        ] {
            close(name, value.unwrap(), &case[name]);
        }
        let suppressed = fairness::compare(&outcomes, &groups, 10_000);
        assert_eq!((suppressed.groups.len(), suppressed.demographic_parity_difference), (0, None));
    }
}

/// A small generator, so that the simulation is the same everywhere.
fn random(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn sample(state: &mut u64, n: usize, shift: f64) -> Columns {
    (0..8)
        .map(|column| {
            let shift = if column == 0 { shift } else { 0.0 };
            // The sum of twelve uniform numbers is nearly normal.
            let normal = |state: &mut u64| (0..12).map(|_| random(state)).sum::<f64>() - 6.0 + shift;
            let values = (0..n).map(|_| normal(state));
            let name = format!("f{column}").parse().unwrap();
            if column % 2 == 0 {
                (name, Column::Numeric(values.map(Some).collect()))
            } else {
                (
                    name,
                    Column::Category(
                        values.map(|value| Some(format!("{:.0}", value.clamp(-2.0, 2.0)))).collect(),
                    ),
                )
            }
        })
        .collect()
}

#[test]
fn verdicts_keep_their_level_and_find_what_is_there() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let small = DriftSettings { psi: 0.05, significance: 0.01, min_samples: 100 };
    let (mut alarms, mut found) = (0, 0);
    for _ in 0..120 {
        let reference = sample(&mut state, 300, 0.0);
        alarms += usize::from(report(&reference, &sample(&mut state, 300, 0.0), &small).drifted() > 0);
        let report = report(&reference, &sample(&mut state, 300, 0.6), &small);
        found += usize::from(
            report.features.iter().any(|feature| feature.drifted() && feature.feature.as_str() == "f0"),
        );
    }
    assert!(alarms <= 6, "{alarms} of 120 windows without drift raised an alarm");
    assert!(found >= 118, "{found} of 120 shifts were found");
    let few = report(&sample(&mut state, 300, 0.0), &sample(&mut state, 50, 3.0), &small);
    assert!(few.features.iter().all(|feature| matches!(feature.verdict, facts::Verdict::Unknown { .. })));
    assert_eq!((few.drifted(), few.max_psi()), (0, None));
}
