//! Records a second through the profile: 12 number and 8 word features, fed as text as they are captured.
//!
//! `cargo bench -p monitor`. Throughput is in records; multiply by 20 for cells.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use facts::{ColumnName, Timestamp};
use monitor::baseline::{Baseline, Column, Limits};
use monitor::drift::{self, DriftSettings};
use monitor::ks;
use monitor::profile::{Profile, Request};
use std::hint::black_box;
use std::sync::Arc;

const NUMBERS: usize = 12;
const WORDS: usize = 8;
const ROWS: usize = 20_000;

/// A small generator, so that the data is the same everywhere.
fn random(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

/// `digits` decimals decide how many different numbers there are.
fn rows(digits: usize) -> Vec<Vec<String>> {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let cell = |at: usize, state: &mut u64| match at {
        0..NUMBERS => format!("{:.digits$}", random(state) * 100.0),
        _ => format!("level_{:.0}", random(state) * 20.0),
    };
    (0..ROWS).map(|_| (0..NUMBERS + WORDS).map(|at| cell(at, &mut state)).collect()).collect()
}

fn baseline(rows: &[Vec<String>]) -> Arc<Baseline> {
    let column = |at: usize| -> (ColumnName, Column) {
        let cells = rows.iter().map(|row| row[at].clone());
        let column = if at < NUMBERS {
            Column::Numeric(cells.map(|cell| cell.parse().ok()).collect())
        } else {
            Column::Category(cells.map(Some).collect())
        };
        (format!("f{at}").parse().unwrap(), column)
    };
    Arc::new(Baseline::new((0..NUMBERS + WORDS).map(column), Limits::default()))
}

fn filled(rows: &[Vec<String>], baseline: &Arc<Baseline>) -> Profile {
    let mut profile = Profile::new(Arc::clone(baseline), &[]);
    for cells in rows {
        profile.push(&Request { cells, time: Timestamp::EPOCH, positive: true }).unwrap();
    }
    profile
}

fn profile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("profile");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    // 1,001 different numbers are held exactly; of 10 million the cells are counted after the first 16,384.
    for (name, digits) in [("push, exact", 1), ("push, beyond the limit", 5)] {
        let rows = rows(digits);
        let baseline = baseline(&rows);
        group.bench_function(name, |bench| bench.iter(|| black_box(filled(&rows, &baseline))));
    }
    let rows = rows(1);
    let (left, right) = rows.split_at(ROWS / 2);
    let baseline = baseline(&rows);
    let (left, right) = (filled(left, &baseline), filled(right, &baseline));
    group.bench_function("merge two halves", |bench| {
        bench.iter(|| {
            let mut both = left.clone();
            both.merge(&right).unwrap();
            black_box(both)
        });
    });
    group.finish();
    let settings = DriftSettings { psi: 0.2, significance: 0.01, min_samples: 100 };
    criterion.bench_function("drift report of 20 features", |bench| {
        bench.iter(|| black_box(drift::report(&left, &settings)));
    });
}

/// The dearest exact p-value in common use: different sizes just under the bound, at the 1 % level.
fn exact_p_value(criterion: &mut Criterion) {
    criterion.bench_function("ks p-value, 10,000 against 9,999", |bench| {
        bench.iter(|| ks::of_gap(black_box(10_000), 9_999, 2_300_000));
    });
}

criterion_group!(benches, profile, exact_p_value);
criterion_main!(benches);
