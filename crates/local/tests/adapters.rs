//! The embedded adapters keep the contracts of their ports.

use local::{FolderObjects, LocalKeys, LocalPrograms, ServingDirectories};
use std::os::unix::fs::PermissionsExt;
use world::{Fleet, KeyService};

#[test]
fn objects() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("objects");
    world::contract::objects::check(&|| Box::new(FolderObjects::open(&dir).unwrap()));
    let mode = std::fs::metadata(dir.join("a/two")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "objects are private");
}

#[test]
fn keys() {
    let folder = tempfile::tempdir().unwrap();
    world::contract::keys::check(&|| Box::new(LocalKeys::open(folder.path(), None).unwrap()));
    let mode = std::fs::metadata(folder.path().join("data.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "key files are private");
}

#[test]
fn grants() {
    let folder = tempfile::tempdir().unwrap();
    let open = || LocalKeys::open(folder.path(), None).unwrap();
    world::contract::grants::check(&|| Box::new(open()), "serving");
    let key = "granted".parse().unwrap();
    let error = open().for_grantee("serving").unwrap().sign(&key, b"message").unwrap_err();
    insta::assert_snapshot!(error, @"no grant of key `granted` lets `serving` do this: sign");
    let error = open().for_grantee("a b").err().unwrap();
    insta::assert_snapshot!(error, @"`a b` is nobody to whom a use of a key is granted");
    let error = open().revoke_grant(&key, "no\nsuch").unwrap_err();
    insta::assert_snapshot!(error, @r"key `granted` has no grant `no\nsuch`");
}

#[test]
fn keys_under_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let open = |passphrase: Option<&str>| LocalKeys::open(folder.path(), passphrase).unwrap();
    let key = "data".parse().unwrap();
    open(Some("right")).create(&key).unwrap();
    let context = world::EncryptionContext::new();
    assert!(open(Some("right")).generate_data_key(&key, &context).is_ok());
    let said =
        |passphrase| open(passphrase).generate_data_key(&key, &context).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(said(Some("wrong")), @"the passphrase does not open the key");
    insta::assert_snapshot!(said(None), @"the key is protected by a passphrase, and none was given");
}

#[test]
fn programs() {
    let folder = tempfile::tempdir().unwrap();
    let runner = LocalPrograms::open(&folder.path().join("scratch")).unwrap();
    world::contract::program::check(&runner, folder.path());
}

#[test]
fn serving_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let on = serde_json::from_value(serde_json::json!({"directory": {"path": "serving"}})).unwrap();
    let (endpoint, tags) = ("credit".parse().unwrap(), std::collections::BTreeMap::new());
    let site = world::Site { endpoint, on, tags, capture_share: 1.0 };
    let open = || ServingDirectories::at(folder.path());
    world::contract::fleet::check(&|| Box::new(open()), &site);
    let shared = world::Site {
        endpoint: "shared".parse().unwrap(),
        on: serde_json::from_value(serde_json::json!({"directory": {"path": "shared"}})).unwrap(),
        ..site.clone()
    };
    world::contract::fleet::check_weights(&|| Box::new(open()), &shared);

    // What a crash leaves, what somebody changes, and where a link should not lead.
    let root = folder.path().join("serving");
    let release = world::Release {
        model: "credit".parse().unwrap(),
        version: 7,
        artefact: facts::Digest::of(b"seven"),
        recorded: None,
    };
    let files = |name: &str| world::Files::from([(name.to_owned(), b"seven".to_vec())]);
    std::fs::create_dir(root.join("releases").join(format!(".{}.1", release.name(&site)))).unwrap();
    assert!(open().prepare(&site, &release, &files("../../model.onnx")).is_err(), "outside of the folder");
    let name = open().prepare(&site, &release, &files("model.onnx")).unwrap();
    open().shift(&site, &name, world::Pace::AtOnce).unwrap();
    assert_eq!(std::fs::read(root.join("current/model.onnx")).unwrap(), b"seven");
    std::fs::write(root.join("current/model.onnx"), b"eight").unwrap();
    assert_eq!(open().examine(&site, &release, &name).unwrap().len(), 1);
    assert_eq!(open().find(&site, &release).unwrap(), None);
    let kind = open().prepare(&site, &release, &files("model.onnx")).unwrap_err().kind();
    assert_eq!(kind, world::Kind::Conflict, "what somebody changed is not overwritten");
    std::fs::remove_dir_all(root.join("releases").join(&name)).unwrap();
    assert_eq!(open().describe(&site).unwrap().condition, world::Condition::Failed);
}
