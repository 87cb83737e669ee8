//! How long proofs take: pairs of policies of which one is a small change of the other, and public access of a bucket.
//! Prints the median and the 99th percentile of single questions, then measures with criterion.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a bench")]

#[path = "../tests/random/dice.rs"]
mod dice;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dice::Dice;
use iam::Policy;
use iam::prove::{Proof, difference, no_public_access};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Instant;

const ACTIONS: [&str; 10] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:*",
    "s3:Get*",
    "s3:List*",
    "ec2:Describe*",
    "ec2:RunInstances",
    "iam:PassRole",
    "kms:Decrypt",
    "*",
];
const RESOURCES: [&str; 8] = [
    "*",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::bucket/home/${aws:username}/*",
    "arn:aws:s3:::*",
    "arn:aws:ec2:*:123456789012:instance/*",
    "arn:aws:ec2:us-east-1:*:volume/*",
    "arn:aws:iam::123456789012:user/${aws:username}",
    "arn:aws:iam::*:role/dev-*",
];

fn conditions() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("StringEquals", "aws:PrincipalTag/team", json!(["a", "b"])),
        ("StringLike", "s3:prefix", json!(["", "home/", "home/${aws:username}/*"])),
        ("IpAddress", "aws:SourceIp", json!(["203.0.113.0/24", "2001:DB8::/32"])),
        ("NotIpAddress", "aws:SourceIp", json!(["192.0.2.0/24"])),
        ("Bool", "aws:SecureTransport", json!("true")),
        ("NumericLessThanEquals", "s3:max-keys", json!("100")),
        ("DateLessThan", "aws:CurrentTime", json!("2026-01-01T00:00:00Z")),
        ("ForAllValues:StringEquals", "aws:TagKeys", json!(["env", "team"])),
        ("ArnLike", "aws:PrincipalArn", json!(["arn:aws:iam::*:role/dev-*"])),
        ("StringNotEquals", "aws:RequestedRegion", json!(["eu-central-1"])),
    ]
}

fn statement(dice: &mut Dice, resource_policy: bool) -> Value {
    let effect = if dice.below(4) == 0 { "Deny" } else { "Allow" };
    let action = if dice.below(10) == 0 { "NotAction" } else { "Action" };
    let resource = if dice.below(10) == 0 { "NotResource" } else { "Resource" };
    let mut statement = json!({
        "Effect": effect,
        action: [dice.pick(&ACTIONS), dice.pick(&ACTIONS)],
        resource: dice.pick(&RESOURCES),
    });
    let mut all = serde_json::Map::new();
    for _ in 0..dice.below(4) {
        let (operator, key, values) = dice.pick(&conditions());
        all.entry(operator)
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .unwrap()
            .insert(key.to_owned(), values);
    }
    let object = statement.as_object_mut().unwrap();
    object.insert("Condition".to_owned(), Value::Object(all));
    if resource_policy {
        let principals =
            [json!("*"), json!({"AWS": "123456789012"}), json!({"AWS": "arn:aws:iam::123456789012:user/a"})];
        object.insert("Principal".to_owned(), dice.pick(&principals));
    }
    statement
}

fn pairs(count: usize) -> Vec<(Policy, Policy)> {
    let mut dice = Dice(3);
    let read = |value: &Value| Policy::parse("bench", &value.to_string()).unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        let resource_policy = dice.below(3) == 0;
        let statements: Vec<Value> =
            (0..=dice.below(8)).map(|_| statement(&mut dice, resource_policy)).collect();
        let mut changed = statements.clone();
        let at = dice.below(changed.len());
        changed[at] = statement(&mut dice, resource_policy);
        let policy = |statements: &[Value]| read(&json!({"Version": "2012-10-17", "Statement": statements}));
        all.push((policy(&statements), policy(&changed)));
    }
    all
}

fn bucket() -> Policy {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/trainer"}, "Action": "s3:*",
         "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
         "Resource": "arn:aws:s3:::data/log/*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]});
    Policy::parse("bucket", &policy.to_string()).unwrap()
}

fn percentiles(pairs: &[(Policy, Policy)]) {
    let (mut times, mut unknown) = (Vec::new(), 0);
    for (a, b) in pairs {
        let start = Instant::now();
        let proof = difference(a, b);
        times.push(start.elapsed().as_micros());
        unknown += usize::from(matches!(proof, Proof::Unknown(_)));
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "{} pairs: p50 {} us, p99 {} us, longest {} us, {unknown} unknown",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
}

fn benches(criterion: &mut Criterion) {
    let pairs = pairs(1_000);
    percentiles(&pairs);
    let mut group = criterion.benchmark_group("prove");
    group.sample_size(10);
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("difference", |b| {
        b.iter(|| pairs.iter().map(|(a, b)| difference(a, b)).filter(|p| *p == Proof::Proved).count());
    });
    let bucket = bucket();
    group.throughput(Throughput::Elements(1));
    group.bench_function("no public access of a bucket", |b| b.iter(|| no_public_access(black_box(&bucket))));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
