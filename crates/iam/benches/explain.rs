//! What an explanation costs beside the decision alone: 200 statements about one service, each answer once.
//!
//! `cargo bench -p iam --bench explain`
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use criterion::{Criterion, criterion_group, criterion_main};
use iam::{Context, Layers, Policy, PolicyKind, Principal, Program, Request, Values, decide, explain};
use serde_json::{Value, json};
use std::hint::black_box;

fn program(statements: &[Value], kind: PolicyKind) -> Program {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    Program::new(Policy::parse("bench", &policy.to_string()).unwrap(), kind)
}

/// Statements as they are found in practice: few about the action, some with conditions.
fn layers() -> Layers {
    let actions = ["s3:GetObject", "s3:PutObject", "s3:List*", "s3:*", "kms:Decrypt", "s3:GetBucket*"];
    let statement = |at: usize| {
        json!({"Sid": format!("S{at}"), "Effect": "Allow", "Action": [actions[at % 6], actions[(at + 2) % 6]],
               "Resource": [format!("arn:aws:s3:::bucket-{at}"), format!("arn:aws:s3:::bucket-{at}/*")],
               "Condition": {"StringEquals": {"aws:PrincipalTag/team": format!("team-{}", at % 7)}}})
    };
    let statements: Vec<Value> = (0..200).map(statement).collect();
    let parts = statements.chunks(20).map(|part| program(part, PolicyKind::Identity));
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                      "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    Layers {
        identity: parts.collect(),
        resource: Some(program(&[deny], PolicyKind::Resource)),
        ..Layers::default()
    }
}

fn request(bucket: usize, keys: &[(&str, &str)]) -> Request {
    let caller = Principal::parse("arn:aws:sts::111122223333:assumed-role/app/session");
    let context =
        Context::new(keys.iter().map(|(key, value)| ((*key).to_owned(), Values::One((*value).into()))));
    let resource = format!("arn:aws:s3:::bucket-{bucket}/data/x.csv");
    Request::new(caller, "s3:GetObject", &resource, Some("111122223333"), context).unwrap()
}

fn explaining(criterion: &mut Criterion) {
    let layers = layers();
    let cases = [
        ("allowed", request(120, &[("aws:PrincipalTag/team", "team-1"), ("aws:SecureTransport", "true")])),
        ("denied", request(120, &[("aws:PrincipalTag/team", "team-1"), ("aws:SecureTransport", "false")])),
        ("lacking", request(999, &[("aws:PrincipalTag/team", "team-1"), ("aws:SecureTransport", "true")])),
    ];
    let mut group = criterion.benchmark_group("explain");
    group.sample_size(20);
    for (name, request) in &cases {
        group.bench_function(format!("{name}/decide"), |bencher| {
            bencher.iter(|| decide(black_box(&layers), black_box(request)));
        });
        group.bench_function(format!("{name}/explain"), |bencher| {
            bencher.iter(|| explain(black_box(&layers), black_box(request)));
        });
        group.bench_function(format!("{name}/text"), |bencher| {
            bencher.iter(|| explain(black_box(&layers), black_box(request)).to_string());
        });
    }
    group.finish();
}

criterion_group!(benches, explaining);
criterion_main!(benches);
