//! What a decision costs: the usual case beside the crate `iam-rs`, and one action asked of a thousand principals.
//! `peers/iam-simulate.mjs` does the usual case with iam-simulate of npm.

#[path = "../tests/cases/mod.rs"]
mod cases;

use cases::{read_layers, read_request};
use criterion::{Criterion, criterion_group, criterion_main};
use iam::{Layers, Outcome};
use iam_rs::{Arn, ContextValue, IAMPolicy, IAMRequest, PolicyEvaluator, PrincipalId};
use serde_json::{Value, json};
use std::hint::black_box;

const CASE: &str = include_str!("case.json");

/// The same policies in one list, which is all that `iam-rs` knows of layers.
fn peer(case: &Value) -> Option<(PolicyEvaluator, IAMRequest)> {
    let policies = &case["policies"];
    let mut all = policies["identity"].as_array()?.clone();
    all.push(policies["resource"].clone());
    all.extend(policies["scp"][0]["policies"].as_array()?.iter().cloned());
    let all: Vec<IAMPolicy> = all.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().ok()?;
    let request = &case["request"];
    let mut context = iam_rs::Context::new();
    for (key, value) in request["context"].as_object()? {
        context.insert(key.clone(), ContextValue::String(value.as_str()?.to_owned()));
    }
    let principal = iam_rs::Principal::Aws(PrincipalId::String(request["principal"].as_str()?.to_owned()));
    let resource = Arn::parse(request["resource"].as_str()?).ok()?;
    let action = request["action"].as_str()?;
    Some((
        PolicyEvaluator::with_policies(all),
        IAMRequest::new_with_context(principal, action, resource, context),
    ))
}

fn one_decision(criterion: &mut Criterion) {
    let case: Value = serde_json::from_str(CASE).unwrap_or_default();
    let layers = read_layers(&case["policies"], "s3:GetObject");
    let request = read_request(&case["request"]);
    let (Some(layers), Some(request)) = (layers, request) else { return };
    assert_eq!(iam::decide(&layers, &request).outcome, Outcome::Allowed);
    let mut group = criterion.benchmark_group("decide");
    group.bench_function("wardmote", |bencher| {
        bencher.iter(|| iam::decide(black_box(&layers), black_box(&request)));
    });
    let Some((evaluator, peers)) = peer(&case) else { return };
    group.bench_function("iam-rs", |bencher| {
        bencher.iter(|| black_box(&evaluator).evaluate(black_box(&peers)));
    });
    group.finish();
    by_turns(
        &mut || {
            black_box(iam::decide(black_box(&layers), black_box(&request)));
        },
        &mut || drop(black_box(black_box(&evaluator).evaluate(black_box(&peers)))),
    );
}

const ROUNDS: usize = 2_001;

/// Both by turns, a millisecond each, so that what else the machine does meets both: the median of each and of their
/// ratio.
#[expect(clippy::print_stdout, reason = "the figure is the result")]
fn by_turns(ours: &mut dyn FnMut(), peers: &mut dyn FnMut()) {
    let mut rounds: Vec<[f64; 3]> = (0..ROUNDS)
        .map(|_| {
            let (ours, peers) = (nanoseconds(ours, 5_000), nanoseconds(peers, 50));
            [ours, peers, peers / ours]
        })
        .collect();
    let [ours, peers, ratio] = [0, 1, 2].map(|column| {
        rounds.sort_by(|a, b| a[column].total_cmp(&b[column]));
        rounds[ROUNDS / 2][column]
    });
    println!("by turns, medians: wardmote {ours:.0} ns, iam-rs {peers:.0} ns, ratio {ratio:.0}");
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn nanoseconds(work: &mut dyn FnMut(), times: u32) -> f64 {
    let start = std::time::Instant::now();
    (0..times).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}

const PRINCIPALS: usize = 1_000;
const SERVICES: [&str; 10] =
    ["s3", "sagemaker", "sqs", "sns", "dynamodb", "kms", "logs", "ecr", "ec2", "secretsmanager"];

/// Ten policies of twenty statements, a tenth of them about S3.
fn policies_of(principal: usize) -> Value {
    let statement = |number: usize| {
        let service = SERVICES[number % SERVICES.len()];
        let resource = match service {
            "s3" => format!("arn:aws:s3:::bucket-{}/{}/*", number % 50, principal % 7),
            other => format!("arn:aws:{other}:eu-west-1:111111111111:team-{}-*", principal % 7),
        };
        let mut statement = json!({
            "Effect": if number % 23 == 7 { "Deny" } else { "Allow" },
            "Action": [format!("{service}:Get*"), format!("{service}:List*")],
            "Resource": resource,
        });
        if number.is_multiple_of(5) {
            statement["Condition"] =
                json!({"StringEquals": {"aws:PrincipalTag/team": format!("t{}", number % 3)}});
        }
        statement
    };
    let policy = |first: usize| {
        let statements: Vec<Value> = (first..first + 20).map(statement).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    };
    json!({"identity": (0..10).map(|at| policy(at * 20)).collect::<Vec<_>>()})
}

fn who_can(criterion: &mut Criterion) {
    let all: Vec<Layers> = (0..PRINCIPALS)
        .filter_map(|principal| read_layers(&policies_of(principal), "s3:GetObject"))
        .collect();
    let requests: Vec<iam::Request> = (0..PRINCIPALS)
        .filter_map(|principal| {
            read_request(&json!({
                "principal": format!("arn:aws:iam::111111111111:user/u{principal}"),
                "action": "s3:GetObject",
                "resource": "arn:aws:s3:::bucket-20/3/model.tar.gz",
                "resourceAccount": "111111111111",
                "context": {"aws:PrincipalTag/team": "t2", "aws:username": format!("u{principal}")},
            }))
        })
        .collect();
    let count = || {
        let pairs = all.iter().zip(&requests);
        pairs.filter(|(layers, request)| iam::decide(layers, request).outcome == Outcome::Allowed).count()
    };
    let allowed = count();
    assert!(all.len() == PRINCIPALS && allowed > 0 && allowed < PRINCIPALS, "{allowed}");
    criterion.bench_function("one action, 1,000 principals of 200 statements", |bencher| bencher.iter(count));
}

criterion_group!(benches, one_decision, who_can);
criterion_main!(benches);
