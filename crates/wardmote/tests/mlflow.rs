//! Unmodified MLflow clients against `wardmote serve`: what they get is what the real `mlflow server` gives them.
//!
//! `mlflow/expected-*.jsonl` were recorded from the real server with the same script and clients (`mlflow/record.sh`).
//! `mlflow/differences.json` lists where we mean to differ, and why.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

#[path = "common/certificate.rs"]
mod certificate;
mod common;
#[path = "common/provider.rs"]
mod provider;
#[path = "mlflow/support.rs"]
mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use support::{Client, Login, Server, folder};

/// The steps of a transcript in their order.
fn steps(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// What the real server answered, but for what we mean to answer otherwise.
fn expected(client: Client) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(format!("expected-{}.jsonl", client.name()))).unwrap();
    let differences = fs::read_to_string(folder().join("differences.json")).unwrap();
    let mut differences: BTreeMap<String, Value> = serde_json::from_str(&differences).unwrap();
    let mut steps = steps(&text);
    for step in &mut steps {
        let Some(mut ours) = differences.remove(step["step"].as_str().unwrap()) else { continue };
        let ours = ours.as_object_mut().unwrap();
        assert!(ours.remove("why").is_some_and(|why| why.is_string()), "{ours:?} does not say why");
        let Some(mut answer) = ours.remove(client.name()).or_else(|| ours.remove("ours")) else { continue };
        answer["step"] = step["step"].clone();
        assert_ne!(answer, *step, "this is no difference");
        *step = answer;
    }
    for (name, difference) in differences {
        assert!(difference.get("ours").is_none(), "no step of this client is called `{name}`");
    }
    steps
}

fn agrees(client: Client, login: Login) {
    agrees_at(&Server::start(), client, login);
}

fn agrees_at(server: &Server, client: Client, login: Login) {
    let found = steps(&server.script(client, login, "script.py", &[]));
    let expected = expected(client);
    let names = |steps: &[Value]| steps.iter().map(|step| step["step"].to_string()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "the script and what was recorded of it differ");
    let wrong: Vec<String> = expected
        .iter()
        .zip(&found)
        .filter(|(expected, found)| expected != found)
        .map(|(expected, found)| format!("expected {expected}\n   found {found}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} steps differ\n{}", wrong.len(), found.len(), wrong.join("\n"));
}

#[test]
fn the_client_of_mlflow_3_with_a_token() {
    agrees(Client::Three, Login::Token("ada"));
}

#[test]
fn the_client_of_mlflow_2_with_name_and_password() {
    agrees(Client::Two, Login::Password("ada"));
}

#[test]
fn the_client_of_mlflow_3_over_tls_with_a_token_of_an_identity_provider() {
    let folder = tempfile::tempdir().unwrap();
    common::founded(folder.path());
    let key = provider::issuer::Key::rsa("one");
    let provider = provider::Provider::with(&[&key]);
    let doors = serde_json::json!({ "doors": { "oidc": [provider.settings(&serde_json::json!({}))] } });
    fs::write(folder.path().join("house.json"), doors.to_string()).unwrap();
    let token = key.token(&provider.claims("u-ada", &serde_json::json!({})));
    let (cert, secret) = certificate::certificate(folder.path(), "server");
    let server = Server::of(folder, &["--tls-cert", &cert, "--tls-key", &secret], Some(&cert));
    agrees_at(&server, Client::Three, Login::Bearer(&token));
}

#[test]
fn the_record_is_of_no_machine() {
    for client in [Client::Two, Client::Three] {
        let text = fs::read_to_string(folder().join(format!("expected-{}.jsonl", client.name()))).unwrap();
        assert!(steps(&text).len() >= 250, "{}", client.name());
        for place in ["/tmp", "/root", "/home", "127.0.0.1", "localhost"] {
            assert!(!text.contains(place), "the record of {} names `{place}`", client.name());
        }
    }
}
