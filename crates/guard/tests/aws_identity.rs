//! Signed calls to STS: which ones this server would send, and as whom who signed comes in.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::Timestamp;
use guard::door::aws::{PREFIX, Settings, Sts, token};
use proptest::prelude::*;
use serde_json::json;

const STS: &str = "https://sts.eu-central-1.amazonaws.com";
/// 2026-09-21T14:13:20Z.
const NOW: i64 = 1_790_000_000;

fn settings() -> Settings {
    let settings: Settings = serde_json::from_value(json!({
        "server": "registry.bank.example",
        "people": {
            "arn:aws:iam::111122223333:role/jobs/credit-training": "training-job",
            "arn:aws:iam::111122223333:role/AWSReservedSSO_ml_0123456789abcdef": "bruno",
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ml_0123456789abcdef/ada@bank.example": "ada",
            "arn:aws:iam::111122223333:user/people/carla": "carla",
        }
    }))
    .unwrap();
    settings.check().unwrap();
    settings
}

fn sts() -> Sts {
    Sts { url: STS.to_owned(), region: "eu-central-1".to_owned() }
}

const PARTS: [(&str, &str); 9] = [
    ("Action", "GetCallerIdentity"),
    ("Version", "2011-06-15"),
    ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
    ("X-Amz-Credential", "AKIDEXAMPLE%2F20260921%2Feu-central-1%2Fsts%2Faws4_request"),
    ("X-Amz-Date", "20260921T141000Z"),
    ("X-Amz-Expires", "900"),
    ("X-Amz-SignedHeaders", "host%3Bx-wardmote-server-id"),
    ("X-Amz-Security-Token", "IQoJ%2B%2F%3D"),
    ("X-Amz-Signature", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
];

/// The call with one part in another way, without it if that is empty.
fn call(name: &str, value: &str) -> String {
    let parts: Vec<String> = PARTS
        .iter()
        .map(|(part, usual)| if *part == name { (*part, value) } else { (*part, *usual) })
        .filter(|(_, value)| !value.is_empty())
        .map(|(part, value)| format!("{part}={value}"))
        .collect();
    format!("{STS}/?{}", parts.join("&"))
}

fn said(url: &str) -> String {
    said_at(url, NOW)
}

fn said_at(url: &str, now: i64) -> String {
    let now = Timestamp::from_unix_ms(now * 1000).unwrap();
    match settings().read(&token(url), &sts(), now) {
        Ok(call) => format!("asks, until {}", call.ends() - NOW),
        Err(why) => why.to_string(),
    }
}

#[test]
fn which_calls_are_sent() {
    let whole = call("", "");
    let lines = [
        said(&whole),
        said(&whole.replace("/?", "?")),
        said(&call("X-Amz-Security-Token", "")),
        said(&call("Action", "GetSessionToken")),
        said(&call("Action", "")),
        said(&call("Version", "2012-01-01")),
        said(&call("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256")),
        said(&call("X-Amz-SignedHeaders", "host")),
        said(&call("X-Amz-SignedHeaders", "host%3Bx-k8s-aws-id")),
        said(&call("X-Amz-SignedHeaders", "host%3Bx-other%3Bx-wardmote-server-id")),
        said(&call("X-Amz-Credential", "AKIDEXAMPLE%2F20260921%2Fus-east-1%2Fsts%2Faws4_request")),
        said(&call("X-Amz-Credential", "AKIDEXAMPLE%2F20260921%2Feu-central-1%2Fs3%2Faws4_request")),
        said(&call("X-Amz-Credential", "AKIDEXAMPLE%2F20260920%2Feu-central-1%2Fsts%2Faws4_request")),
        said(&call("X-Amz-Credential", "AKIDEXAMPLE")),
        said(&call("X-Amz-Expires", "901")),
        said(&call("X-Amz-Expires", "0")),
        said(&call("X-Amz-Expires", "-5")),
        said(&call("X-Amz-Date", "20260921T141000")),
        said(&call("X-Amz-Date", "2026-09-21T14:10Z")),
        said(&call("X-Amz-Signature", "0123")),
        said(&format!("{whole}&Action=GetCallerIdentity")),
        said(&format!("{whole}&DurationSeconds=1")),
        said(&format!("{whole}#x")),
        said(&whole.replace("https://", "http://")),
        said(&whole.replace("amazonaws.com", "amazonaws.com.evil.example")),
        said(&whole.replace("amazonaws.com", "amazonaws.com@evil.example")),
        said(&whole.replace("https://sts", "https://evil.example/?https://sts")),
        said(&whole.replace("/?", "/x?")),
        said(&whole.replace("eu-central-1.amazonaws", "us-east-1.amazonaws")),
        said(&whole.replace("GetCallerIdentity", "Get%0aCallerIdentity")),
        said(&whole.replace("GetCallerIdentity", "GetCallerIdentity+")),
        said_at(&whole, NOW + 699),
        said_at(&whole, NOW + 700),
        said_at(&whole, NOW - 260),
        said_at(&whole, NOW - 261),
    ];
    insta::assert_snapshot!(lines.join("\n"));
    let now = Timestamp::from_unix_ms(NOW * 1000).unwrap();
    for text in
        ["", PREFIX, "wardmote-aws-v1.!", "k8s-aws-v1.aHR0cHM6Ly8", &format!("{PREFIX}{}", "a".repeat(9000))]
    {
        assert!(settings().read(text, &sts(), now).is_err(), "{text}");
    }
}

#[test]
fn what_is_sent_is_what_was_signed_and_goes_where_we_ask() {
    let now = Timestamp::from_unix_ms(NOW * 1000).unwrap();
    let sent = settings().read(&token(&call("", "")), &sts(), now).unwrap();
    assert_eq!(sent.header(), ("x-wardmote-server-id", "registry.bank.example"));
    let mut wanted: Vec<String> = PARTS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    wanted.sort();
    assert_eq!(sent.url(), format!("{STS}/?{}", wanted.join("&")));
}

#[test]
fn as_whom_callers_come_in() {
    let now = Timestamp::from_unix_ms(NOW * 1000).unwrap();
    let settings = settings();
    let call = settings.read(&token(&call("", "")), &sts(), now).unwrap();
    let lines: Vec<String> = [
        "arn:aws:sts::111122223333:assumed-role/credit-training/i-0123456789",
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ml_0123456789abcdef/ada@bank.example",
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ml_0123456789abcdef/eve@bank.example",
        "arn:aws:iam::111122223333:user/people/carla",
        "arn:aws:iam::111122223333:user/carla",
        "arn:aws:sts::444455556666:assumed-role/credit-training/i-0123456789",
        "arn:aws-cn:sts::111122223333:assumed-role/credit-training/i-0123456789",
        "arn:aws:sts::111122223333:assumed-role/credit-training",
        "arn:aws:sts::111122223333:assumed-role/credit-training/",
        "arn:aws:sts::111122223333:federated-user/carla",
        "arn:aws:iam::111122223333:root",
        "carla",
    ]
    .map(|arn| match settings.recognise(&call, arn) {
        Ok(known) => format!("{arn}: {}", known.id()),
        Err(_) => format!("{arn}: nobody"),
    })
    .into();
    insta::assert_snapshot!(lines.join("\n"), @r"
    arn:aws:sts::111122223333:assumed-role/credit-training/i-0123456789: training-job
    arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ml_0123456789abcdef/ada@bank.example: ada
    arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ml_0123456789abcdef/eve@bank.example: bruno
    arn:aws:iam::111122223333:user/people/carla: carla
    arn:aws:iam::111122223333:user/carla: nobody
    arn:aws:sts::444455556666:assumed-role/credit-training/i-0123456789: nobody
    arn:aws-cn:sts::111122223333:assumed-role/credit-training/i-0123456789: nobody
    arn:aws:sts::111122223333:assumed-role/credit-training: nobody
    arn:aws:sts::111122223333:assumed-role/credit-training/: nobody
    arn:aws:sts::111122223333:federated-user/carla: nobody
    arn:aws:iam::111122223333:root: nobody
    carla: nobody
    ");
}

#[test]
fn settings_that_are_none() {
    let check = |server: &str, arn: &str| {
        let settings: Settings =
            serde_json::from_value(json!({ "server": server, "people": { arn: "ada" } })).unwrap();
        settings.check().unwrap_err()
    };
    let lines = [
        check("", "arn:aws:iam::111122223333:role/a"),
        check("a b", "arn:aws:iam::111122223333:role/a"),
        check("a", "arn:aws:iam::111122223333:root"),
        check("a", "arn:aws:iam::111122223333:role/"),
        check("a", "arn:aws:s3:::bucket/a"),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    `` is not the name of a server: expected 1 to 128 of the letters A-Z, a-z, 0-9, `.`, `-`, `_` and `:`, for example `registry.bank.example`
    `a b` is not the name of a server: expected 1 to 128 of the letters A-Z, a-z, 0-9, `.`, `-`, `_` and `:`, for example `registry.bank.example`
    `arn:aws:iam::111122223333:root` names nobody who can come in: expected the ARN of a role, of a user, or of one session of a role
    `arn:aws:iam::111122223333:role/` names nobody who can come in: expected the ARN of a role, of a user, or of one session of a role
    `arn:aws:s3:::bucket/a` names nobody who can come in: expected the ARN of a role, of a user, or of one session of a role
    ");
}

proptest! {
    /// Whatever is in a token, what is sent goes to STS and nowhere else.
    #[test]
    fn nothing_else_is_ever_asked(url in "(https://sts\\.eu-central-1\\.amazonaws\\.com/?\\??)?[\\PC]{0,80}", at in 0usize..9, value in "[\\PC]{0,40}") {
        let now = Timestamp::from_unix_ms(NOW * 1000).unwrap();
        for url in [url, call(PARTS[at].0, &value)] {
            if let Ok(call) = settings().read(&token(&url), &sts(), now) {
                let sent = call.url().to_owned();
                let start = format!("{STS}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-");
                prop_assert!(sent.starts_with(&start));
                prop_assert!(sent.is_ascii() && !sent.contains(['#', ' ', '\r', '\n']));
            }
        }
    }
}
