//! All controls on a template of 1,000 resources: fifty times the twenty of `block.yaml`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use controls::{Selection, scan, template};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn text() -> String {
    let block = include_str!("block.yaml");
    let blocks = (0..50).map(|at| block.replace('@', &at.to_string()));
    std::iter::once("Resources:\n".to_owned()).chain(blocks).collect()
}

fn scanning(c: &mut Criterion) {
    let text = text();
    let estate = template("stack.yaml", &text).unwrap();
    let report = scan(&estate, &Selection::default());
    assert_eq!(report.summary().resources, 1_000);
    assert!(report.summary().broken > 0 && report.summary().holds > 2_000);
    c.bench_function("read 1,000 resources", |b| {
        b.iter(|| template("stack.yaml", black_box(&text)).unwrap());
    });
    c.bench_function("all controls on 1,000 resources", |b| {
        b.iter(|| scan(black_box(&estate), &Selection::default()));
    });
}

criterion_group!(benches, scanning);
criterion_main!(benches);
