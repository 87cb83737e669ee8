//! Who comes in by a token of an identity provider: a real issuer on loopback, a real server, every way not to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/provider.rs"]
mod provider;
#[path = "common/served.rs"]
mod served;

use common::{founded, run, wardmote};
use provider::Provider;
use provider::issuer::{Key, confused, unsigned};
use serde_json::{Value, json};
use served::{Server, key};
use std::fs;
use std::path::Path;

fn house(doors: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    founded(folder.path());
    fs::write(folder.path().join("house.json"), json!({ "doors": doors }).to_string()).unwrap();
    folder
}

fn serve(dir: &Path) -> Server {
    let mut command = wardmote(dir);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    Server::of(command, &[])
}

/// The status, and why not.
fn said(server: &Server, token: &str) -> String {
    let (status, answer) = server.call(token, "POST", "/runs/create", &json!({ "experiment_id": "0" }));
    format!("{status} {}", answer["message"].as_str().unwrap_or_default())
}

#[test]
fn tokens_of_an_issuer() {
    let (rsa, ec, other) = (Key::rsa("one"), Key::ec("two"), Key::rsa("other"));
    let provider = Provider::with(&[&rsa, &ec]);
    let folder = house(&json!({ "oidc": [provider.settings(&json!({}))] }));
    let server = serve(folder.path());
    assert_eq!(server.said["doors"][1], format!("tokens of `{}`", provider.issuer()));
    // Who opens another way in leaves a trace, once.
    drop(serve(folder.path()));
    let trace = run(folder.path(), &["--json", "log", "--stream", "house/doors"]);
    let trace: Value = serde_json::from_slice(&trace.stdout).unwrap();
    assert_eq!(trace.as_array().unwrap().len(), 1, "{trace}");
    assert!(trace.to_string().contains(&provider.issuer()), "{trace}");
    let of = |subject: &str, more: Value| provider.claims(subject, &more);
    let ada = of("u-ada", json!({}));
    let other_id = other.token_with(&json!({ "alg": "RS256", "kid": "one" }), &ada);
    let all = [
        ("RS256", rsa.token(&ada)),
        ("ES256", ec.token(&ada)),
        ("may not write", rsa.token(&of("u-app", json!({})))),
        ("not of the charter", rsa.token(&of("u-gone", json!({})))),
        ("unknown", rsa.token(&of("u-eve", json!({})))),
        ("expired", rsa.token(&of("u-ada", json!({ "exp": 1_700_000_000 })))),
        ("wrong audience", rsa.token(&of("u-ada", json!({ "aud": "payroll" })))),
        ("wrong issuer", rsa.token(&of("u-ada", json!({ "iss": "https://evil.example" })))),
        ("other key", other.token(&ada)),
        ("other key under a known id", other_id),
        ("alg none", unsigned(&ada)),
        ("HS256 with the public key", confused(&rsa.public_der(), "one", &ada)),
        ("rotated key, within the minute", Key::ec("three").token(&ada)),
    ];
    let lines: Vec<String> =
        all.iter().map(|(what, token)| format!("{what}: {}", said(&server, token))).collect();
    insta::assert_snapshot!(lines.join("\n").replace(&provider.issuer(), "ISSUER"));
    // Access keys go on working, and what is recorded is the charter's name.
    assert!(said(&server, &key(folder.path(), "ada")).starts_with("200"));
    let refused = common::json(folder.path(), &["log", "--refused", "--limit", "1"]).to_string();
    assert!(refused.contains("credit-app") && !refused.contains("u-app"), "{refused}");
    // Known keys count while the issuer is away.
    provider.goes_down();
    assert!(said(&server, &rsa.token(&ada)).starts_with("200"));
    // The user name that comes with a token is whom the charter knows, or nobody.
    for (user, status) in [("ada", 200), ("", 200), ("carla", 401), ("u-ada", 401)] {
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{}", rsa.token(&ada)));
        let header = format!("Basic {basic}");
        let path = "/api/2.0/mlflow/experiments/get?experiment_id=0";
        assert_eq!(server.ask(("GET", path), &[("authorization", &header)], b"").0, status, "{user}");
    }
}

#[test]
fn endpoints_take_tokens_too_and_groups_take_roles_away() {
    let key = Key::ec("one");
    let provider = Provider::with(&[&key]);
    let groups = json!({ "claim": "groups", "roles": { "ml": ["ml-engineer"], "apps": ["model-consumer"] } });
    let folder = house(&json!({ "oidc": [provider.settings(&json!({ "groups": groups }))] }));
    let server = serve(folder.path());
    let shown =
        |subject: &str, groups: Value| key.token(&provider.claims(subject, &json!({ "groups": groups })));
    let invoke = |token: &str| {
        let bearer = format!("Bearer {token}");
        let (status, _, body) =
            server.ask(("POST", "/endpoints/credit-scoring/invocations"), &[("authorization", &bearer)], b"");
        let body: Value = serde_json::from_slice(&body).unwrap();
        format!("{status} {}", body["message"].as_str().unwrap())
    };
    let lines = [
        said(&server, &shown("u-ada", json!(["ml"]))),
        said(&server, &shown("u-ada", json!(["apps"]))),
        said(&server, &shown("u-ada", json!([]))),
        said(&server, &shown("u-ada", json!("ml"))),
        // A group gives nothing that the charter does not.
        said(&server, &shown("u-app", json!(["ml"]))),
        invoke(&shown("u-app", json!(["apps"]))),
        invoke(&shown("u-app", json!(["ml"]))),
        invoke(&shown("u-eve", json!(["apps"]))),
        invoke("eyJ.e30.x"),
    ];
    insta::assert_snapshot!(lines.join("\n").replace(&provider.issuer(), "ISSUER"));
}

#[test]
fn without_doors_only_access_keys_come_in() {
    let folder = tempfile::tempdir().unwrap();
    founded(folder.path());
    let server = serve(folder.path());
    assert_eq!(server.said["doors"], json!(["access keys"]));
    let lines =
        [said(&server, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), said(&server, "wardmote-aws-v1.aHR0cHM6Ly8")];
    insta::assert_snapshot!(lines.join("\n"), @r"
    401 this server takes no tokens of identity providers
    401 this server takes no AWS identities
    ");
}

#[test]
fn settings_that_open_nothing_are_said_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    founded(dir);
    let issuer = |more: Value| {
        let mut all = json!({ "issuer": "https://login.bank.example", "audience": ["w"], "claim": "sub" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "oidc": [all] })
    };
    let aws = |server: &str, arn: &str| json!({ "aws": { "server": server, "people": { arn: "ada" } } });
    let mut all = String::new();
    for doors in [
        issuer(json!({ "issuer": "http://login.bank.example" })),
        issuer(json!({ "audience": [] })),
        issuer(json!({ "secret": "x" })),
        issuer(json!({ "people": { "u": "Ada Lovelace" } })),
        aws("a server", "arn:aws:iam::111122223333:role/a"),
        aws("a", "arn:aws:iam::111122223333:root"),
        aws("a", "carla"),
    ] {
        fs::write(dir.join("house.json"), json!({ "doors": doors }).to_string()).unwrap();
        let output = run(dir, &["serve", "--listen", "127.0.0.1:0"]);
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        all.push_str(&format!("exit {}\n", output.status.code().unwrap()));
    }
    insta::assert_snapshot!(common::stable(dir, &all));
}
