//! An account of 2,000 buckets with their policies: scanned whole, and again after one bucket changed.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use controls::{Posture, Selection, live, scan};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use facts::inventory::Inventory;
use serde_json::{Value, json};
use std::hint::black_box;

const BUCKETS: usize = 2_000;

fn inventory() -> Inventory {
    let at = "2026-11-21T10:00:00.000Z";
    let told = |call: &str| json!({"call": call, "at": at, "status": "ok"});
    let mut resources: Vec<Value> = vec![
        json!({"type": "AWS::KMS::Key", "id": "key-1", "arn": "arn:aws:kms:eu-central-1:123456789012:key/key-1",
        "properties": {"EnableKeyRotation": true}, "provenance": {}}),
    ];
    for number in 0..BUCKETS {
        let name = format!("bucket-{number}");
        resources.push(json!({"type": "AWS::S3::Bucket", "id": name, "arn": format!("arn:aws:s3:::{name}"),
            "properties": {"BucketName": name, "VersioningConfiguration": {"Status": "Enabled"},
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-central-1:123456789012:key/key-1"}}]},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
                "LoggingConfiguration": {"DestinationBucketName": "bucket-0", "LogFilePrefix": ""},
                "Tags": [{"Key": "owner", "Value": "ml"}, {"Key": "data-class", "Value": "internal"}]},
            "provenance": {"VersioningConfiguration": told("s3:GetBucketVersioning"), "BucketEncryption": told("s3:GetEncryptionConfiguration")}}));
        resources.push(json!({"type": "AWS::S3::BucketPolicy", "id": name, "provenance": {"PolicyDocument": told("s3:GetBucketPolicy")},
            "properties": {"Bucket": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/reader"}, "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*")}]}}}));
    }
    let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1", "read_at": at,
        "resources": resources, "read": ["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::CloudTrail::Trail",
            "AWS::S3::AccountPublicAccessBlock", "AWS::IAM::Role"]});
    let mut inventory = Inventory::from_json(&text.to_string()).unwrap();
    inventory.sort();
    inventory
}

fn changed(inventory: &Inventory) -> Inventory {
    let mut later = inventory.clone();
    let bucket =
        later.resources.iter_mut().find(|item| item.id == "bucket-1000" && item.kind == "AWS::S3::Bucket");
    bucket.unwrap().properties.insert("VersioningConfiguration".to_owned(), json!({"Status": "Suspended"}));
    later
}

fn rescanning(c: &mut Criterion) {
    let before = inventory();
    let after = changed(&before);
    c.bench_function("2,000 buckets and policies from scratch", |b| {
        b.iter(|| scan(&live(black_box(&before)), &Selection::default()));
    });
    let mut posture = Posture::new(before.clone(), Selection::default());
    let (mut turn, next) = (false, [after, before]);
    c.bench_function("2,000 buckets and policies after one change", |b| {
        b.iter_batched(
            || {
                turn = !turn;
                next[usize::from(!turn)].clone()
            },
            |later| {
                let moved = posture.update(later);
                assert!(!moved.is_empty() && posture.asked() < 100, "{}", posture.asked());
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, rescanning);
criterion_main!(benches);
