//! Questions of `wardmote iam` to a live account, word by word, over HTTP against the emulator.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use support::account::key;
use support::proxy::{Fate, Proxy, json_error, xml_error};
use support::{Emulator, variables};

const OBJECT: &str = "arn:aws:s3:::live-data/train/1";
const ROLE: &str = "arn:aws:iam::123456789012:role/trainer";

/// What the program says to somebody whose endpoint is at `address` and who has no files of his own.
fn said(address: SocketAddr, words: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wardmote"))
        .env_clear()
        .envs(variables(address))
        .env("HOME", home.path())
        .arg("iam")
        .args(words)
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let command = format!("$ wardmote iam {}", words.join(" "));
    let text = format!("{command}\n{err}{out}exit {}\n\n", output.status.code().unwrap());
    text.replace(key(), "KEY")
}

fn all_said<const N: usize>(address: SocketAddr, questions: [&[&str]; N]) -> String {
    questions.into_iter().map(|words| said(address, words)).collect()
}

/// A proxy before the account.
fn proxy() -> Proxy {
    key();
    Proxy::before(Some(Emulator::get().address))
}

/// A proxy that refuses to tell the policy of the bucket.
fn without_bucket_policy() -> Proxy {
    let proxy = proxy();
    proxy.always("live-data?policy=", xml_error(403, "AccessDenied"));
    proxy
}

#[test]
fn who_can_what_can_and_the_matrix() {
    let key = key();
    insta::assert_snapshot!(all_said(
        Emulator::get().address,
        [
            &["who-can", "s3:GetObject", OBJECT, "--live"],
            &["who-can", "s3:DeleteObject", OBJECT, "--live", "--all"],
            &["who-can", "s3:GetObject", "arn:aws:s3:::live-data/*", "--live", "--json"],
            &["who-can", "kms:Decrypt", key, "--live"],
            &["who-can", "kms:Decrypt", key, "--live", "--context", "kms:EncryptionContext:job=restore"],
            &["who-can", "sts:AssumeRole", ROLE, "--live"],
            &["what-can", "arn:aws:iam::123456789012:user/anna", "--live"],
            &["what-can", ROLE, "--live"],
            &[
                "matrix",
                "--action",
                "s3:GetObject",
                "--action",
                "s3:DeleteObject",
                "--action",
                "kms:Decrypt",
                "--live"
            ],
        ]
    ));
}

#[test]
fn what_is_not_there() {
    key();
    insta::assert_snapshot!(all_said(
        Emulator::get().address,
        [
            &["who-can", "s3:GetObject", "arn:aws:s3:::live-none/x", "--live"],
            &["what-can", "arn:aws:iam::123456789012:user/nobody", "--live"],
        ]
    ));
}

#[test]
fn what_depends_on_a_refused_policy_is_unknown() {
    let proxy = without_bucket_policy();
    insta::assert_snapshot!(all_said(
        proxy.address,
        [
            &["who-can", "s3:GetObject", OBJECT, "--live"],
            &["who-can", "s3:GetObject", OBJECT, "--live", "--all", "--json"],
            &["who-can", "s3:GetObject", "arn:aws:s3:::live-data-2/x", "--live"],
            &["what-can", "arn:aws:iam::123456789012:user/anna", "--live"],
            &["matrix", "--action", "s3:GetObject", "--live"],
            &["matrix", "--action", "kms:Decrypt", "--live"],
            &["inventory"],
        ]
    ));
}

#[test]
fn organisation_policies() {
    let words: [&[&str]; 1] = [&["who-can", "sts:AssumeRole", ROLE, "--live"]];
    let none = proxy();
    let answer = all_said(none.address, words);
    assert!(none.seen().iter().any(|request| request.contains("DescribeOrganization")), "it is asked for");
    let refused = proxy();
    refused.always("DescribeOrganization", json_error(400, "AccessDeniedException"));
    insta::assert_snapshot!(format!(
        "of no organisation:\n{answer}not told:\n{}",
        all_said(refused.address, words)
    ));
}

#[test]
fn principals_must_be_read_to_the_last_page() {
    let [users, roles] = pages();
    let questions: [&[&str]; 2] =
        [&["who-can", "s3:GetObject", OBJECT, "--live", "--all"], &["what-can", ROLE, "--live"]];
    let whole = proxy();
    whole.always("Marker=page2", Fate::Answer(200, String::new(), roles));
    whole.always("Action=GetAccountAuthorizationDetails", Fate::Answer(200, String::new(), users.clone()));
    assert_eq!(all_said(whole.address, questions), all_said(Emulator::get().address, questions));
    let asked = whole.seen().iter().filter(|request| request.contains("Marker=page2")).count();
    assert_eq!(asked, questions.len());
    let torn = proxy();
    torn.always("Marker=page2", xml_error(403, "AccessDenied"));
    torn.always("Action=GetAccountAuthorizationDetails", Fate::Answer(200, String::new(), users));
    insta::assert_snapshot!(all_said(torn.address, questions));
}

/// The emulator's description of the account as two pages: users and groups, then roles and policies.
fn pages() -> [String; 2] {
    key();
    let all = details();
    let without = |text: &str, list: &str| {
        let (start, rest) = text.split_once(&format!("<{list}>")).unwrap();
        let (_, end) = rest.rsplit_once(&format!("</{list}>")).unwrap();
        format!("{start}{end}")
    };
    let users = without(&without(&all, "RoleDetailList"), "Policies");
    let roles = without(&without(&all, "UserDetailList"), "GroupDetailList");
    let more = users.replace("<IsTruncated>false", "<Marker>page2</Marker><IsTruncated>true");
    assert!(more != users && more.contains("user/anna") && !more.contains(ROLE) && roles.contains(ROLE));
    [more, roles]
}

fn details() -> String {
    let address = Emulator::get().address;
    let form = "Action=GetAccountAuthorizationDetails&Version=2010-05-08";
    let authorization = "AWS4-HMAC-SHA256 Credential=AKID/20250101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{form}",
        form.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && !head.to_ascii_lowercase().contains("chunked"), "{answer}");
    body.to_owned()
}
