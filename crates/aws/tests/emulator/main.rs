//! The adapters over HTTP against an emulator: the contracts of their ports, and what they promise beyond.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod credentials;
mod faults;
mod fleet;
mod fleet_faults;
mod inventory;
mod parts;
mod posture;
mod signals;
mod stacks;
mod stories;
mod story;
mod support;
mod tape;
mod watch;

use aws::{Client, KeySettings, KmsKeys, ObjectSettings, S3Objects};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine;
use privacy::envelope::{self, Edk, Header};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use support::{Emulator, REGION, client, folder, proxied, python, settings, variables};
use world::{EncryptionContext, KeyService, Kind, ObjectStore, WrappedKey};

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";

fn objects(client: Client, bucket: &str) -> S3Objects {
    S3Objects::new(client, object_settings(bucket)).unwrap()
}

fn object_settings(bucket: &str) -> ObjectSettings {
    ObjectSettings {
        bucket: bucket.into(),
        prefix: "house/".into(),
        kms_key: Some(KEY.into()),
        owner: Some("123456789012".into()),
        path_style: false,
    }
}

fn keys(client: Client, prefix: &str) -> KmsKeys {
    KmsKeys::new(client, KeySettings { prefix: prefix.into(), administrators: vec![], users: vec![] })
        .unwrap()
}

/// A client, and the names of what it called.
fn watched() -> (Client, Arc<Mutex<BTreeSet<&'static str>>>) {
    let called = Arc::new(Mutex::new(BTreeSet::new()));
    let given = Arc::clone(&called);
    let settings = settings(variables(Emulator::get().address)).watched(move |attempt| {
        given.lock().unwrap().insert(attempt.operation.name);
    });
    (Client::new(settings).unwrap(), called)
}

#[test]
fn objects_keep_the_contract() {
    Emulator::get().bucket("contract");
    let (client, called) = watched();
    world::contract::objects::check(&|| Box::new(objects(client.clone(), "contract")));
    let called: Vec<_> = called.lock().unwrap().iter().copied().collect();
    assert_eq!(called, ["DeleteObject", "GetObject", "ListObjectsV2", "PutObject"]);
}

#[test]
fn keys_keep_the_contract() {
    let (client, called) = watched();
    world::contract::keys::check(&|| Box::new(keys(client.clone(), "contract/")));
    let keys = keys(client, "contract/");
    let (administration, usage) = (
        keys.permissions_to_administer(&aws::KeyUse::ALL).unwrap(),
        keys.permissions_to_use(&aws::KeyUse::ALL).unwrap(),
    );
    let allowed: BTreeSet<_> = administration.actions().into_iter().chain(usage.actions()).collect();
    for name in called.lock().unwrap().iter() {
        assert!(allowed.contains(format!("kms:{name}").as_str()), "`{name}` is called and not allowed");
    }
}

#[test]
fn grants_keep_the_contract() {
    let (client, called) = watched();
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap();
    let (administrators, users) = (vec![role("security")], vec![role("training")]);
    let settings = || KeySettings {
        prefix: "grants/".into(),
        administrators: administrators.clone(),
        users: users.clone(),
    };
    let open = || KmsKeys::new(client.clone(), settings()).unwrap();
    world::contract::grants::check(&|| Box::new(open()), "arn:aws:iam::123456789012:role/serving");
    let called = called.lock().unwrap();
    assert!(["CreateGrant", "ListGrants", "RevokeGrant"].iter().all(|name| called.contains(name)));
    let key = "granted".parse().unwrap();
    let terms = |grantee: &str| world::NewGrant {
        name: "one".into(),
        grantee: grantee.into(),
        operations: [world::GrantOperation::Decrypt].into(),
        constraint: world::GrantConstraint::EncryptionContextSubset([("a".into(), "b".into())].into()),
    };
    let said = |grantee: &str| open().create_grant(&key, &terms(grantee)).unwrap_err().to_string();
    insta::assert_snapshot!(said("serving"), @"`serving` is nobody to whom KMS grants a use of a key");
    insta::assert_snapshot!(said(administrators[0].as_str()), @"`arn:aws:iam::123456789012:role/security` administers key `granted`, and would use it");
}

#[test]
fn grants_come_in_pages_and_are_whole_or_an_error() {
    let (proxy, client) = proxied();
    let keys = keys(client, "grant-pages/");
    let key = "data".parse().unwrap();
    keys.create(&key).unwrap();
    let page = |id: &str, more: &str| {
        let grant = format!(r#"{{"GrantId": "{id}", "Operations": ["Decrypt", "CreateGrant"]}}"#);
        support::proxy::Fate::Answer(200, String::new(), format!(r#"{{"Grants": [{grant}]{more}}}"#))
    };
    let pass = || support::proxy::Fate::Pass;
    proxy.next([
        pass(),
        page("b", r#", "Truncated": true, "NextMarker": "m""#),
        page("a", r#", "Truncated": false"#),
    ]);
    let ids: Vec<String> = keys.list_grants(&key).unwrap().into_iter().map(|grant| grant.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(proxy.seen().last().unwrap().contains(r#""Marker":"m""#));
    proxy.next([pass(), page("b", r#", "Truncated": true"#)]);
    assert_eq!(keys.list_grants(&key).unwrap_err().kind(), Kind::Failed, "a list that ends early is no list");
}

#[test]
fn objects_are_encrypted_checked_and_never_overwritten() {
    Emulator::get().bucket("promises");
    let (proxy, client) = proxied();
    let store = objects(client.clone(), "promises");
    store.put("evidence/one", b"content").unwrap();
    let request = proxy.seen().remove(0);
    assert!(request.starts_with("PUT /promises/house/evidence/one HTTP/1.1"), "{request}");
    for header in [
        "if-none-match: *",
        "x-amz-server-side-encryption: aws:kms",
        "x-amz-server-side-encryption-bucket-key-enabled: true",
        &format!("x-amz-server-side-encryption-aws-kms-key-id: {KEY}"),
        "x-amz-checksum-sha256: 7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=",
        "x-amz-expected-bucket-owner: 123456789012",
        "x-amz-content-sha256: ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
    ] {
        assert!(request.contains(header), "no `{header}` in {request}");
    }
    assert_eq!(store.get("evidence/one").unwrap(), b"content");
    // Without a key of one's own it is the account's.
    let settings = ObjectSettings { kms_key: None, ..object_settings("promises") };
    S3Objects::new(client, settings).unwrap().put("evidence/two", b"content").unwrap();
    let request = proxy.seen().pop().unwrap();
    assert!(
        request.contains("x-amz-server-side-encryption: aws:kms\r\n") && !request.contains(KEY),
        "{request}"
    );
    // Something on the way changes a byte: the service's own checksum shows it.
    let body = "changed".to_owned();
    let headers = "x-amz-checksum-sha256: 7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=\r\n".to_owned();
    proxy.next([support::proxy::Fate::Answer(200, headers, body)]);
    assert_eq!(store.get("evidence/one").unwrap_err().kind(), Kind::Damaged);
}

#[test]
fn a_list_is_whole_or_an_error() {
    let (proxy, client) = proxied();
    let store = objects(client, "pages");
    let page = |keys: &[&str], next: &str| {
        let contents: String =
            keys.iter().map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>")).collect();
        let truncated = !next.is_empty();
        let next = if next.starts_with('+') {
            String::new()
        } else {
            format!("<NextContinuationToken>{next}</NextContinuationToken>")
        };
        let body = format!(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <IsTruncated>{truncated}</IsTruncated>{contents}{next}</ListBucketResult>"
        );
        support::proxy::Fate::Answer(200, String::new(), body)
    };
    proxy.next([page(&["house/b", "house/c"], "a/b=&amp;"), page(&["house/a"], "")]);
    assert_eq!(store.list("").unwrap(), ["a", "b", "c"]);
    let asked = proxy.seen();
    assert!(asked[0].starts_with("GET /pages/?list-type=2&prefix=house%2F HTTP"), "{}", asked[0]);
    assert!(asked[1].contains("continuation-token=a%2Fb%3D%26"), "{}", asked[1]);
    proxy.next([page(&["house/b"], "+")]);
    assert_eq!(store.list("").unwrap_err().kind(), Kind::Failed, "a list that ends early is no list");
}

#[test]
fn signatures_verify_with_the_public_key() {
    let keys = keys(client(Emulator::get().address), "signing/");
    let key = "signer".parse().unwrap();
    let public = keys.create_signing(&key).unwrap();
    let body: String = public.0.lines().filter(|line| !line.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    let message = vec![7; 10_000];
    let signature = keys.sign(&key, &message).unwrap();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &der).unwrap();
    public.verify_sig(&message, &signature).unwrap();
    assert!(public.verify_sig(b"another", &signature).is_err());
}

/// Seals or opens with AWS's own Encryption SDK.
fn encryption_sdk(what: &str, key: &str, input: &[u8]) -> Vec<u8> {
    let mut variables = variables(Emulator::get().address);
    variables.insert("AWS_DEFAULT_REGION".into(), REGION.into());
    let mut process = Command::new(python())
        .arg(folder().join("message.py"))
        .args([key, what])
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the Encryption SDK cannot {what} the message");
    output.stdout
}

#[test]
fn messages_open_in_the_encryption_sdk_and_back() {
    let keys = keys(client(Emulator::get().address), "messages/");
    let key = "data".parse().unwrap();
    keys.create(&key).unwrap();
    let context = EncryptionContext::from([("kind".to_owned(), "test".to_owned())]);
    let (data_key, wrapped) = keys.generate_data_key(&key, &context).unwrap();
    let arn = String::from_utf8(wrapped.info.clone()).unwrap();
    let edk = Edk { provider: wrapped.provider, info: wrapped.info, ciphertext: wrapped.ciphertext };
    let plain = vec![42; 200_000];
    let message = envelope::seal(&plain, &data_key.0, [3; 32], &[edk], &context).unwrap();
    assert_eq!(encryption_sdk("open", &arn, &message), plain);

    keys.rotate(&key).unwrap();
    let theirs = encryption_sdk("seal", &arn, &plain);
    let header = Header::parse(&theirs).unwrap();
    let edk = header.edks()[0].clone();
    let wrapped = WrappedKey { provider: edk.provider, info: edk.info, ciphertext: edk.ciphertext };
    let data_key = keys.unwrap_data_key(&key, &wrapped, header.context()).unwrap();
    assert_eq!(envelope::open(&theirs, &data_key.0).unwrap(), plain);

    let elsewhere = WrappedKey { info: KEY.into(), ..wrapped.clone() };
    let local = WrappedKey { provider: "wardmote-local".into(), ..wrapped };
    for wrong in [elsewhere, local] {
        let error = keys.unwrap_data_key(&key, &wrong, header.context()).err().unwrap();
        assert_eq!(error.kind(), Kind::Damaged);
    }
}

#[test]
fn versions_are_counted_and_secrets_are_their_own() {
    let address = Emulator::get().address;
    let (one, two) = (keys(client(address), "one/"), keys(client(address), "two/"));
    let key = "data".parse().unwrap();
    one.create(&key).unwrap();
    two.create(&key).unwrap();
    assert_eq!((one.rotate(&key).unwrap(), one.rotate(&key).unwrap()), (2, 3));
    let secret = |keys: &KmsKeys| keys.derive_secret(&key, "a").unwrap().0;
    assert_ne!(secret(&one), secret(&two), "prefixes are apart");
}

#[test]
fn the_key_policy_keeps_administrators_and_users_apart() {
    let (proxy, client) = proxied();
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap();
    let settings = |administrators, users| KeySettings { prefix: "apart/".into(), administrators, users };
    let both = KmsKeys::new(client.clone(), settings(vec![role("security")], vec![role("security")]));
    insta::assert_snapshot!(both.err().unwrap(), @"`arn:aws:iam::123456789012:role/security` would administer keys and use them");
    assert!(KmsKeys::new(client.clone(), settings(vec![role("security")], vec![])).is_err());
    let keys = KmsKeys::new(client, settings(vec![role("security")], vec![role("training")])).unwrap();
    keys.create(&"data".parse().unwrap()).unwrap();
    let made = proxy.seen().into_iter().find(|request| request.contains("TrentService.CreateKey")).unwrap();
    let body: serde_json::Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
    let policy: serde_json::Value = serde_json::from_str(body["Policy"].as_str().unwrap()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&policy).unwrap());
}

#[test]
fn the_smallest_policies() {
    let client = client(Emulator::get().address);
    let store = objects(client.clone(), "bank-evidence").permissions(&aws::ObjectUse::ALL).unwrap();
    let keys = keys(client, "wardmote/bank/");
    let pretty = |document: &aws::PolicyDocument| serde_json::to_string_pretty(&document.to_json()).unwrap();
    insta::assert_snapshot!("policy_of_objects", pretty(&store));
    insta::assert_snapshot!(
        "policy_of_key_users",
        pretty(&keys.permissions_to_use(&aws::KeyUse::ALL).unwrap())
    );
    insta::assert_snapshot!(
        "policy_of_key_administrators",
        pretty(&keys.permissions_to_administer(&aws::KeyUse::ALL).unwrap())
    );
}

#[test]
fn names_that_aws_would_misread_are_refused_here() {
    let client = client(Emulator::get().address);
    let said = |settings: ObjectSettings| S3Objects::new(client.clone(), settings).err().unwrap().to_string();
    insta::assert_snapshot!(said(ObjectSettings { bucket: "Bank".into(), ..object_settings("x") }), @"`Bank` is not the name of a bucket");
    insta::assert_snapshot!(said(ObjectSettings { prefix: "../x/".into(), ..object_settings("bank") }), @"`../x/` is not a prefix of objects");
    let prefix = KeySettings { prefix: "aws/x".into(), administrators: vec![], users: vec![] };
    insta::assert_snapshot!(KmsKeys::new(client.clone(), prefix).err().unwrap(), @"`aws/x` is not a prefix of aliases");
}

#[test]
fn what_is_sent_is_signed_as_botocore_signs_it() {
    let (proxy, client) = proxied();
    Emulator::get().bucket("signed");
    let store = objects(client.clone(), "signed");
    let keys = keys(client, "signed/");
    let key = "data".parse().unwrap();
    let context = EncryptionContext::from([("\u{e4}".to_owned(), "a \"b\" \u{1f511}".to_owned())]);
    store.put("a-._/0", &[0, 255, 13, 10]).unwrap();
    store.get("a-._/0").unwrap();
    // No name has these, but a prefix may be anything.
    store.list("a b&c=d+e%2F/\u{e4}\u{1f511}?#~*'()").unwrap();
    store.delete("a-._/0").unwrap();
    keys.create(&key).unwrap();
    let (_, wrapped) = keys.generate_data_key(&key, &context).unwrap();
    keys.unwrap_data_key(&key, &wrapped, &context).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = proxy
        .seen_bytes()
        .into_iter()
        .enumerate()
        .map(|(n, request)| {
            let path = folder.path().join(n.to_string());
            std::fs::write(&path, request).unwrap();
            path
        })
        .collect();
    let script = support::folder().join("verify.py");
    let output =
        Command::new(python()).arg(script).args([REGION, support::SECRET]).args(&files).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(files.len() > 10 && lines.contains("s3 same") && lines.contains("kms same"));
    assert!(!lines.contains("differs"), "{lines}");
}

#[test]
fn administrators_and_users_call_apart() {
    let proxies = [(); 2].map(|()| support::proxy::Proxy::before(Some(Emulator::get().address)));
    let [user, administrator] = [&proxies[0], &proxies[1]].map(|proxy| client(proxy.address));
    let keys = keys(user, "callers/").administered_by(administrator);
    let (key, signer) = ("data".parse().unwrap(), "signer".parse().unwrap());
    keys.create(&key).unwrap();
    keys.create_signing(&signer).unwrap();
    keys.rotate(&key).unwrap();
    keys.state(&key).unwrap();
    keys.set_state(&signer, world::KeyState::Disabled).unwrap();
    keys.set_state(&signer, world::KeyState::Enabled).unwrap();
    let (_, wrapped) = keys.generate_data_key(&key, &EncryptionContext::new()).unwrap();
    keys.unwrap_data_key(&key, &wrapped, &EncryptionContext::new()).unwrap();
    keys.derive_secret(&key, "a").unwrap();
    keys.sign(&signer, b"message").unwrap();
    keys.public_key(&signer).unwrap();
    let grant = world::NewGrant {
        name: "one".into(),
        grantee: "arn:aws:iam::123456789012:role/serving".into(),
        operations: [world::GrantOperation::Decrypt].into(),
        constraint: world::GrantConstraint::EncryptionContextSubset([("a".into(), "b".into())].into()),
    };
    let grant = keys.create_grant(&key, &grant).unwrap();
    keys.list_grants(&key).unwrap();
    keys.revoke_grant(&key, &grant.id).unwrap();
    let called = proxies.each_ref().map(|proxy| {
        let names = proxy.seen().into_iter().map(|request| {
            let name = request.split_once("TrentService.").unwrap().1;
            format!("kms:{}", name.split("\r\n").next().unwrap())
        });
        names.collect::<BTreeSet<_>>()
    });
    let allowed = |document: aws::PolicyDocument| {
        document.actions().into_iter().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        called[0],
        allowed(keys.permissions_to_use(&aws::KeyUse::ALL).unwrap()),
        "not one action more or less"
    );
    let mut administration = allowed(keys.permissions_to_administer(&aws::KeyUse::ALL).unwrap());
    // The two that go with others: tags of a new key, and the way out when it cannot be named.
    assert!(administration.remove("kms:TagResource") && administration.remove("kms:ScheduleKeyDeletion"));
    assert_eq!(called[1], administration);
}
