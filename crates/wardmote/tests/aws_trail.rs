//! `wardmote aws trail verify` over folders on disk; what it finds is held in the room `trail`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{json, run};
use on_aws::actions;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use support::Emulator;
use support::proxy::{Fate, Proxy, xml_error};

const REFERENCE: &str = include_str!("../../trail/tests/reference/reference.json");

/// The reference trail and its keys as files.
fn trail(dir: &Path) {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    std::fs::write(dir.join("keys.json"), reference["keys"].to_string()).unwrap();
    for (name, bytes) in reference["files"].as_object().unwrap() {
        let path = dir.join("bucket").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, decoded(bytes.as_str().unwrap())).unwrap();
    }
}

/// Base64 by hand: the test needs it once.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        bits = bits << 6 | LETTERS.iter().position(|other| *other == letter).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn said(dir: &Path, words: &[&str]) -> String {
    let (keys, bucket) = (dir.join("keys.json"), dir.join("bucket"));
    let mut all =
        vec!["aws", "trail", "verify", bucket.to_str().unwrap(), "--public-keys", keys.to_str().unwrap()];
    all.extend(words);
    let output = run(dir, &all);
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let text = text.replace(dir.to_str().unwrap(), "DIR");
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.last().is_some_and(|line| line.starts_with("public keys: ")) {
        lines.pop();
        lines.push("public keys: 1 in DIGEST");
    }
    let (shown, exit) = (words.join(" "), output.status.code().unwrap());
    format!(
        "$ wardmote aws trail verify bucket --public-keys keys.json {shown}\n{}\nexit {exit}\n\n",
        lines.join("\n")
    )
}

#[test]
fn a_trail_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    trail(dir);
    let mut all = said(dir, &[]);
    all.push_str(&said(dir, &["--from", "2025-08-17T14:00:00Z", "--to", "2025-08-18"]));
    all.push_str(&said(dir, &["--from", "2025-08-18", "--to", "2025-08-17"]));
    let logs = dir.join("bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2025/08/17");
    let mut names: Vec<_> = std::fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    std::fs::remove_file(&names[1]).unwrap();
    // A link may lead anywhere, so it is no file of the copy.
    std::os::unix::fs::symlink(&names[0], &names[1]).unwrap();
    all.push_str(&said(dir, &[]));
    std::fs::write(dir.join("keys.json"), "{\"keys\": []}").unwrap();
    all.push_str(&said(dir, &[]));
    std::fs::remove_dir_all(dir.join("bucket")).unwrap();
    std::fs::remove_file(dir.join("keys.json")).unwrap();
    all.push_str(&said(dir, &[]));
    insta::assert_snapshot!(all);
}

#[test]
fn programs_get_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    trail(dir);
    let (keys, bucket) = (dir.join("keys.json"), dir.join("bucket"));
    let words = ["aws", "trail", "verify", bucket.to_str().unwrap(), "--public-keys", keys.to_str().unwrap()];
    let mut answer = json(dir, &words);
    assert!(answer["public_keys"]["digest"].as_str().unwrap().starts_with("sha256:"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer["report"].take()).unwrap());
}

#[test]
fn a_trail_is_fetched_and_then_verified() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../trail/tests/reference/reference.json");
    let url = format!("http://{}", Emulator::get().address);
    let script = support::folder().join("trail.py");
    let made = Command::new(support::python()).arg(script).args([&url, "trail", reference]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let proxy = Proxy::before(Some(Emulator::get().address));
    // The emulator has no keys of CloudTrail.
    let keys: Value = serde_json::from_str(REFERENCE).unwrap();
    let page = serde_json::json!({ "PublicKeyList": keys["keys"]["PublicKeyList"] });
    proxy.always("CloudTrail_20131101.ListPublicKeys", Fate::Answer(200, String::new(), page.to_string()));
    proxy.fail_each_once(Fate::Half, &[]);
    let (bucket, file) = (dir.join("bucket"), dir.join("keys.json"));
    let fetch = [
        "aws",
        "trail",
        "fetch",
        "s3://trail/AWSLogs/",
        bucket.to_str().unwrap(),
        "--public-keys",
        file.to_str().unwrap(),
    ];
    let house = dir.join("house");
    let mut all = String::new();
    let mut say = |words: &[&str]| {
        let text = on_aws::said(&house, proxy.address, words).replace("PARENT", "DIR");
        all.push_str(&text.replace(dir.to_str().unwrap(), "DIR"));
    };
    say(&fetch);
    say(&fetch);
    say(&[
        "aws",
        "trail",
        "verify",
        bucket.to_str().unwrap(),
        "--public-keys",
        file.to_str().unwrap(),
        "--to",
        "2025-08-17T19:01:31Z",
    ]);
    let called: BTreeSet<&str> = proxy
        .seen()
        .iter()
        .map(|request| match request {
            request if request.contains("ListPublicKeys") => "cloudtrail:ListPublicKeys",
            request if request.contains("list-type=2") => "s3:ListBucket",
            request if request.starts_with("GET /trail/AWSLogs/") => "s3:GetObject",
            other => panic!("{other}"),
        })
        .collect();
    let mut permissions = fetch.to_vec();
    permissions.push("--permissions");
    let mut allowed = actions(&on_aws::json(&house, proxy.address, &permissions));
    assert!(allowed.remove("kms:Decrypt"), "S3 asks KMS by itself");
    assert_eq!(called, allowed.iter().map(String::as_str).collect());
    say(&permissions);
    say(&[&fetch as &[&str], &["--from", "2025-08-18"]].concat());
    say(&["aws", "trail", "fetch", "s3://Trail/", "x", "--public-keys", "y"]);
    proxy.always("list-type=2", xml_error(403, "AccessDenied"));
    say(&fetch);
    let all = all
        .lines()
        .map(|line| if line.starts_with("public keys: 1 in") { "public keys: 1 in DIGEST" } else { line });
    insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
}
