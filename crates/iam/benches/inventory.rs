//! Questions to a large inventory: 1,000 principals with 200 statements each, half of them in shared policies, and 500
//! resources, each second one with a policy of its own.
//!
//! `cargo bench -p iam --bench inventory`. Wanted: who-can within 50 ms, the matrix of 20 actions within 30 s on 2 cores.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use criterion::{Criterion, criterion_group, criterion_main};
use iam::inventory::{Inventory, Question};
use serde_json::{Value, json};
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

const ACTIONS: [&str; 20] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:ScheduleKeyDeletion",
    "sagemaker:InvokeEndpoint",
    "sagemaker:CreateEndpoint",
    "sagemaker:UpdateEndpoint",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DescribeEndpoint",
    "iam:PassRole",
    "iam:GetRole",
    "sts:AssumeRole",
];

fn policy(number: usize, statements: usize) -> Value {
    let statement = |at: usize| {
        let (n, service) = (number * 31 + at, at % 4);
        let resource = match service {
            0 => json!([
                format!("arn:aws:s3:::bucket-{}", n % 300),
                format!("arn:aws:s3:::bucket-{}/*", n % 300)
            ]),
            1 => json!(format!("arn:aws:kms:eu-central-1:111122223333:key/{}", n % 120)),
            2 => json!(format!("arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e{}-*", n % 9)),
            _ => json!(format!("arn:aws:iam::111122223333:role/r{}", n % 100)),
        };
        let action = match service {
            0 => ["s3:Get*", "s3:PutObject", "s3:List*"][n % 3],
            1 => ["kms:Decrypt", "kms:*", "kms:Describe*"][n % 3],
            2 => ["sagemaker:InvokeEndpoint", "sagemaker:*Endpoint"][n % 2],
            _ => ["iam:PassRole", "iam:Get*"][n % 2],
        };
        let condition = match n % 5 {
            0 => json!({"StringEquals": {"aws:PrincipalTag/team": format!("team-{}", n % 7)}}),
            1 => json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            _ => json!({}),
        };
        json!({"Sid": format!("S{at}"), "Effect": if n.is_multiple_of(17) { "Deny" } else { "Allow" }, "Action": action,
               "Resource": resource, "Condition": condition})
    };
    let statements: Vec<Value> = (0..statements).map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn resource(at: usize) -> Value {
    let arn = match at % 5 {
        0..=2 => format!("arn:aws:s3:::bucket-{at}"),
        3 => format!("arn:aws:kms:eu-central-1:111122223333:key/{at}"),
        _ if at.is_multiple_of(2) => {
            format!("arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e{}-{at}", at % 9)
        }
        _ => format!("arn:aws:iam::111122223333:role/r{at}"),
    };
    let mut it = json!({"arn": arn, "account": "111122223333"});
    if at % 5 == 3 {
        it["policy"] = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*"}});
    } else if at.is_multiple_of(2) && at % 5 < 3 {
        it["policy"] = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::111122223333:role/p{at}")},
             "Action": "s3:GetObject", "Resource": format!("{arn}/*")}]});
    }
    it
}

fn text() -> String {
    let shared = (0..40).map(|n| (format!("shared-{n}"), policy(n, 50)));
    let principal = |n: usize| {
        json!({"arn": format!("arn:aws:iam::111122223333:role/p{n}"), "tags": {"team": format!("team-{}", n % 7)},
               "attached": [format!("shared-{}", n % 40), format!("shared-{}", (n + 7) % 40)],
               "inline": [policy(n, 100)]})
    };
    let full =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let region = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:RequestedRegion": "eu-central-1"}}}});
    let mut policies: serde_json::Map<String, Value> = shared.collect();
    policies.insert("Full".to_owned(), full);
    policies.insert("Region".to_owned(), region);
    json!({
        "organization": "o-bench",
        "policies": policies,
        "levels": {"r-root": {"scp": ["Full", "Region"]}, "ou-a": {"scp": ["Full"]}},
        "accounts": [{"id": "111122223333", "path": ["r-root", "ou-a"]}],
        "principals": (0..1_000).map(principal).collect::<Vec<_>>(),
        "resources": (0..500).map(resource).collect::<Vec<_>>(),
    })
    .to_string()
}

fn asking(criterion: &mut Criterion) {
    let text = text();
    let inventory = Inventory::parse("bench", &text).map_err(|wrong| wrong.to_string()).unwrap();
    let question = Question::default();
    let mut group = criterion.benchmark_group("inventory");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("read", |bencher| {
        bencher.iter(|| Inventory::parse("bench", black_box(&text)).is_ok());
    });
    group.bench_function("who_can", |bencher| {
        bencher.iter(|| {
            let who = inventory.who_can("s3:GetObject", "arn:aws:s3:::bucket-12/data.csv", &question);
            who.unwrap().len()
        });
    });
    group.bench_function("what_can", |bencher| {
        bencher.iter(|| {
            let what = inventory.what_can("arn:aws:iam::111122223333:role/p77", &question);
            what.unwrap().len()
        });
    });
    let actions = ACTIONS.map(str::to_owned);
    for threads in [1, 2] {
        group.bench_function(format!("matrix/{threads}"), |bencher| {
            bencher.iter(|| {
                let threads = NonZeroUsize::new(threads).unwrap();
                inventory.matrix(&actions, &question, threads).unwrap().rows.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, asking);
criterion_main!(benches);
