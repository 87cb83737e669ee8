//! What happens when the network or the service fails: what can be done again is, nothing is lost, nothing is told wrong,
//! no secret is shown.

use crate::support::proxy::{Fate, Proxy, json_error, xml_error};
use crate::support::{Emulator, SECRET, TOKEN, client, proxied, python, settings, variables};
use crate::{keys, objects};
use aws::Client;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use world::{KeyService, Kind, ObjectStore, PortError};

fn said(error: &PortError) -> String {
    let text = format!("{:?}: {error}; {}", error.kind(), error.help().unwrap_or("no help"));
    for secret in [SECRET, TOKEN] {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "a secret is shown");
    }
    text
}

#[test]
fn objects_keep_the_contract_when_every_call_fails_once() {
    // One that says so, one that is not answered by S3, and one of which nobody hears that it was done; each alone and in every
    // way is in `stories.rs`.
    let elsewhere = Fate::Answer(502, String::new(), "<html>bad gateway</html>".into());
    for (n, trouble) in [xml_error(503, "SlowDown"), elsewhere, Fate::Lost].into_iter().enumerate() {
        let (proxy, client) = proxied();
        let bucket = format!("trouble-{n}");
        Emulator::get().bucket(&bucket);
        // Two attempts for each call: the first one fails.
        proxy.next((0..200).flat_map(|_| [trouble.clone(), Fate::Pass]));
        // A lost answer to a put leads to a read, so the pattern shifts; with three attempts it still passes.
        world::contract::objects::check(&|| Box::new(objects(client.clone(), &bucket)));
    }
}

#[test]
fn a_put_whose_answer_is_lost_is_done_once() {
    let (proxy, client) = proxied();
    Emulator::get().bucket("lost");
    let store = objects(client, "lost");
    proxy.next([Fate::Lost, Fate::Half]);
    store.put("evidence", b"what happened").unwrap();
    assert_eq!(store.get("evidence").unwrap(), b"what happened");
    proxy.next([Fate::Lost]);
    assert_eq!(store.put("evidence", b"something else").unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn a_put_beside_another_waits_for_it() {
    let (proxy, client) = proxied();
    Emulator::get().bucket("beside");
    let store = objects(client, "beside");
    proxy.next([xml_error(409, "ConditionalRequestConflict"), xml_error(412, "PreconditionFailed")]);
    store.put("one", b"1").unwrap();
    assert_eq!(store.get("one").unwrap(), b"1");
    proxy.next(vec![xml_error(409, "ConditionalRequestConflict"); 4]);
    insta::assert_snapshot!(said(&store.put("two", b"2").unwrap_err()), @"Busy: the object `two` is being changed by somebody else; run the command again");
}

#[test]
fn a_disabled_key_of_the_bucket_is_told() {
    let (proxy, client) = proxied();
    proxy.next([xml_error(400, "KMS.DisabledException")]);
    let error = objects(client, "disabled").get("one").unwrap_err();
    insta::assert_snapshot!(said(&error), @"Disabled: `s3:GetObject` failed: AWS says `KMS.DisabledException`: `because` (request `4442587FB7D0A2F9`); an administrator of the bucket's key can enable it");
}

#[test]
fn keys_keep_the_contract_when_every_call_is_throttled_once() {
    for (n, code) in ["ThrottlingException", "RequestLimitExceeded"].into_iter().enumerate() {
        let (proxy, client) = proxied();
        proxy.next((0..400).flat_map(|_| [json_error(400, code), Fate::Pass]));
        world::contract::keys::check(&|| Box::new(keys(client.clone(), &format!("throttled-{n}/"))));
    }
}

#[test]
fn keys_keep_the_contract_when_every_call_that_may_be_repeated_fails_once() {
    let troubles = [json_error(500, "KMSInternalException"), Fate::Reset, Fate::Lost, Fate::Half];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let (proxy, client) = proxied();
        proxy.fail_each_once(trouble, &[".CreateKey\r", ".RotateKeyOnDemand\r"]);
        world::contract::keys::check(&|| Box::new(keys(client.clone(), &format!("trouble-{n}/"))));
        let seen = proxy.seen();
        let count = |name: &str| seen.iter().filter(|request| request.contains(name)).count();
        assert!(count(".Decrypt\r") >= 2 && count(".CreateAlias\r") >= 8, "they did fail");
        assert_eq!(count(".ScheduleKeyDeletion\r"), 0, "no key was taken for another's");
    }
}

#[test]
fn grants_keep_the_contract_when_every_call_fails_once() {
    let troubles =
        [json_error(500, "KMSInternalException"), json_error(400, "ThrottlingException"), Fate::Reset];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let (proxy, client) = proxied();
        proxy.fail_each_once(trouble, &[".CreateKey\r", ".RotateKeyOnDemand\r", "AssumeRole"]);
        let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap();
        let open = || {
            let settings = aws::KeySettings {
                prefix: format!("grant-trouble-{n}/"),
                administrators: vec![role("security")],
                users: vec![role("training")],
            };
            aws::KmsKeys::new(client.clone(), settings).unwrap()
        };
        world::contract::grants::check(&|| Box::new(open()), "arn:aws:iam::123456789012:role/serving");
        let seen = proxy.seen();
        assert!(
            seen.iter().filter(|request| request.contains(".CreateGrant\r")).count() >= 6,
            "they did fail"
        );
    }
}

#[test]
fn a_grant_whose_answer_is_lost_is_given_once() {
    let (proxy, client) = proxied();
    let keys = keys(client, "grant-lost/");
    let key = "data".parse().unwrap();
    keys.create(&key).unwrap();
    let terms = world::NewGrant {
        name: "one".into(),
        grantee: "arn:aws:iam::123456789012:role/serving".into(),
        operations: [world::GrantOperation::Decrypt].into(),
        constraint: world::GrantConstraint::EncryptionContextSubset([("a".into(), "b".into())].into()),
    };
    proxy.next([Fate::Pass, Fate::Lost]);
    let grant = keys.create_grant(&key, &terms).unwrap();
    assert_eq!(keys.list_grants(&key).unwrap(), std::slice::from_ref(&grant), "one, and not two");
    // Taken back, and the answer lost: the second look finds nothing, which is what was wanted.
    proxy.next([Fate::Pass, Fate::Lost]);
    assert_eq!(keys.revoke_grant(&key, &grant.id).unwrap_err().kind(), Kind::Absent);
    assert!(keys.list_grants(&key).unwrap().is_empty());
}

#[test]
fn data_keys_come_through_all_that_passes() {
    let (proxy, client) = proxied();
    let keys = keys(client, "passing/");
    let (key, context) = ("data".parse().unwrap(), [("a".to_owned(), "b".to_owned())].into());
    keys.create(&key).unwrap();
    for trouble in [Fate::Reset, Fate::Lost, Fate::Half, json_error(500, "KMSInternalException")] {
        proxy.next([trouble.clone(), trouble.clone()]);
        let (plain, wrapped) = keys.generate_data_key(&key, &context).unwrap();
        proxy.next([trouble.clone(), trouble]);
        assert_eq!(keys.unwrap_data_key(&key, &wrapped, &context).unwrap().0, plain.0);
    }
}

#[test]
fn a_key_that_may_have_been_made_is_not_made_again() {
    let (proxy, client) = proxied();
    let keys = keys(client, "unclear/");
    let key = "signer".parse().unwrap();
    proxy.next([Fate::Pass, Fate::Lost]);
    let error = keys.create_signing(&key).unwrap_err();
    insta::assert_snapshot!(said(&error), @"Failed: `kms:CreateKey` failed: the connection to `127.0.0.1` broke; it may have happened all the same; look whether it happened before you run the command again");
    let made = |proxy: &Proxy| proxy.seen().iter().filter(|seen| seen.contains(".CreateKey")).count();
    assert_eq!(made(&proxy), 1, "one attempt");
    // The alias decides whether the key exists: it does not, so it can be made.
    proxy.next([]);
    keys.create_signing(&key).unwrap();
    assert_eq!(keys.create_signing(&key).unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn an_alias_whose_answer_is_lost_is_ours() {
    let (proxy, client) = proxied();
    let keys = keys(client, "alias/");
    let key = "signer".parse().unwrap();
    // The key is looked for, made, and named; the answer to the name is lost.
    proxy.next([Fate::Pass, Fate::Pass, Fate::Lost]);
    keys.create_signing(&key).unwrap();
    assert!(keys.sign(&key, b"message").is_ok(), "it was not taken for another's and deleted");
}

#[test]
fn a_key_that_cannot_be_named_is_scheduled_for_deletion() {
    let (proxy, client) = proxied();
    let keys = keys(client, "nameless/");
    let denied = json_error(400, "AccessDeniedException");
    proxy.next([Fate::Pass, Fate::Pass, denied.clone()]);
    let error = keys.create_signing(&"signer".parse().unwrap()).unwrap_err();
    insta::assert_snapshot!(said(&error), @"Denied: `kms:CreateAlias` failed: AWS says `AccessDeniedException`: `because` (request `11111111-2222`); the caller needs `kms:CreateAlias`");
    assert!(proxy.seen().last().unwrap().contains("TrentService.ScheduleKeyDeletion"));
    proxy.next([Fate::Pass, Fate::Pass, denied.clone(), denied]);
    let error = keys.create_signing(&"signer".parse().unwrap()).unwrap_err();
    assert!(error.help().unwrap().contains("arn:aws:kms:"), "it says which key is left");
}

#[test]
fn a_key_half_made_is_finished_by_the_next_attempt() {
    let (proxy, client) = proxied();
    let keys = keys(client, "half/");
    let key = "data".parse().unwrap();
    // Both looked for, the derivation made, named and found; then the wire is cut.
    let cut = [Fate::Pass, Fate::Pass, Fate::Pass, Fate::Pass, Fate::Pass, Fate::Reset];
    proxy.next(cut);
    assert!(keys.create(&key).is_err());
    assert_eq!(keys.state(&key).unwrap_err().kind(), Kind::Absent, "it does not exist");
    keys.create(&key).unwrap();
    assert!(keys.derive_secret(&key, "a").is_ok() && keys.generate_data_key(&key, &[].into()).is_ok());
}

#[test]
fn troubles_that_stay_are_told_apart() {
    let (proxy, client) = proxied();
    Emulator::get().bucket("told");
    let store = objects(client, "told");
    let mut lines = String::new();
    let skewed = xml_error(403, "RequestTimeTooSkewed");
    let moved = Fate::Answer(
        301,
        "x-amz-bucket-region: eu-west-1\r\n".into(),
        "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>".into(),
    );
    for trouble in [
        xml_error(403, "AccessDenied"),
        xml_error(403, "SignatureDoesNotMatch"),
        xml_error(400, "ExpiredToken"),
        xml_error(404, "NoSuchKey"),
        xml_error(404, "NoSuchBucket"),
        xml_error(503, "SlowDown"),
        xml_error(500, "InternalError"),
        skewed,
        moved,
        Fate::Answer(403, String::new(), "<html>the proxy of this house says no</html>".into()),
        Fate::Answer(200, "content-length: 100\r\n".into(), "short".into()),
        Fate::Reset,
    ] {
        proxy.next(vec![trouble; 3]);
        let error = store.get("one").unwrap_err();
        let attempts = proxy.seen().len();
        lines.push_str(&format!("{attempts} x {}\n", said(&error)));
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn a_service_that_says_nothing_is_left_in_time() {
    let (proxy, _) = proxied();
    let settings = settings(variables(proxy.address)).with_timeout(Duration::from_millis(200));
    let store = objects(Client::new(settings).unwrap(), "silent");
    proxy.next(vec![Fate::Silence; 3]);
    let error = store.get("one").unwrap_err();
    insta::assert_snapshot!(said(&error), @"Failed: `s3:GetObject` failed: `127.0.0.1` said nothing for 0.2 seconds; look at the network, AWS_REGION and AWS_ENDPOINT_URL; then run the command again");
    assert_eq!(proxy.seen().len(), 3);
}

#[test]
fn nobody_there_is_said() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let store = objects(client(nobody), "nobody");
    insta::assert_snapshot!(said(&store.get("one").unwrap_err()), @"Failed: `s3:GetObject` failed: `127.0.0.1` cannot be reached; look at the network, AWS_REGION and AWS_ENDPOINT_URL; then run the command again");
}

#[test]
fn secrets_that_come_back_are_not_shown() {
    let (proxy, client) = proxied();
    let store = objects(client.clone(), "echo");
    let echo = format!("<Error><Code>Odd</Code><Message>you sent {SECRET} and {TOKEN}</Message></Error>");
    proxy.next([Fate::Answer(400, String::new(), echo)]);
    insta::assert_snapshot!(said(&store.get("one").unwrap_err()), @"Invalid: `s3:GetObject` failed: AWS says `Odd`: `you sent [removed] and [removed]`; no help");
    proxy.next([Fate::Answer(200, String::new(), format!("{{\"Plaintext\":\"{SECRET}"))]);
    let keys = keys(client, "echo/");
    let error = keys.generate_data_key(&"data".parse().unwrap(), &[].into()).err().unwrap();
    insta::assert_snapshot!(said(&error), @"Failed: `kms:GenerateDataKey` failed: the answer (status 200) is not one that `kms` gives; look whether a proxy or AWS_ENDPOINT_URL answers in place of AWS");
}

#[test]
fn calls_work_from_threads_that_wait_for_others() {
    Emulator::get().bucket("threads");
    let store = objects(client(Emulator::get().address), "threads");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Blocking inside a runtime is what synchronous ports do; it must work, also when the last client is dropped there.
    runtime.block_on(async move {
        store.put("one", b"1").unwrap();
        drop(store);
    });
}

/// A server with TLS, its port and the certificate of its authority.
fn tls_server(folder: &std::path::Path) -> (std::process::Child, u16, String) {
    let mut process = Command::new(python())
        .arg(crate::support::folder().join("tls.py"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (process, line.trim().parse().unwrap(), folder.join("ca.pem").display().to_string())
}

#[test]
fn only_certificates_that_are_trusted_are() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, port, bundle) = tls_server(folder.path());
    let mut variables = variables(([127, 0, 0, 1], port).into());
    variables.insert("AWS_ENDPOINT_URL".into(), format!("https://localhost:{port}"));
    let store = |variables| objects(Client::new(settings(variables)).unwrap(), "with.dots");
    insta::assert_snapshot!(said(&store(variables.clone()).get("one").unwrap_err()), @"Failed: `s3:GetObject` failed: `localhost` does not show a certificate that this machine trusts; set AWS_CA_BUNDLE to the certificates of who signs for it, or install the package `ca-certificates`");
    variables.insert("AWS_CA_BUNDLE".into(), bundle);
    assert_eq!(store(variables.clone()).get("one").unwrap(), b"over TLS");
    // The certificate is for `localhost` and for nobody else.
    variables.insert("AWS_ENDPOINT_URL".into(), format!("https://127.0.0.1:{port}"));
    assert!(store(variables).get("one").is_err());
}
