//! Fifty rules of customers on 1,000 resources: each on the type that it concerns, and each on all of them.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use controls::{Estate, Rules, Selection, rules, scan, template};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn text() -> String {
    let block = include_str!("block.yaml");
    let blocks = (0..50).map(|at| block.replace('@', &at.to_string()));
    std::iter::once("Resources:\n".to_owned()).chain(blocks).collect()
}

const EXPRESSIONS: [&str; 5] = [
    "has(resource.properties.Tags) || resource.tags.?owner.hasValue()",
    "resource.properties.?KmsKeyId.orValue('').matches('^arn:aws:kms:')",
    "!resource.properties.?Description.orValue('').startsWith('tmp-')",
    "resource.properties.?Tags.orValue([]).all(tag, tag.Key != 'secret')",
    "resource.properties.?Size.orValue(10) >= 5 && resource.type in ['AWS::S3::Bucket', 'AWS::KMS::Key']",
];

/// Fifty rules; each on so many of the types.
fn fifty(estate: &Estate, on: usize) -> Rules {
    let mut kinds: Vec<&str> = estate.resources().iter().map(|resource| resource.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut text = "rules:\n".to_owned();
    for at in 0..50 {
        let own: Vec<&str> = (0..on.min(kinds.len())).map(|more| kinds[(at + more) % kinds.len()]).collect();
        let expression = EXPRESSIONS[at % EXPRESSIONS.len()];
        text += &format!(
            "  - {{id: R-{at}, title: t, severity: low, type: [{}], expression: \"{expression}\"}}\n",
            own.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ")
        );
    }
    rules("rules.yaml", &text, Rules::default()).unwrap()
}

fn asking(c: &mut Criterion) {
    let estate = template("stack.yaml", &text()).unwrap();
    for (name, on) in [("their types of 1,000 resources", 3), ("each of 1,000 resources", 20)] {
        let selection = Selection::default().with_rules(fifty(&estate, on)).control("R-*").unwrap();
        let report = scan(&estate, &selection);
        let findings = report.findings().len();
        assert!(findings > 2_000 && report.summary().unknown < findings / 2);
        c.bench_function(&format!("50 rules on {name}"), |b| {
            b.iter(|| scan(black_box(&estate), &selection));
        });
    }
}

criterion_group!(benches, asking);
criterion_main!(benches);
