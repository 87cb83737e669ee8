//! The embedded adapters keep the contracts of their ports.

use local::{FolderObjects, LocalKeys, LocalPrograms};
use std::os::unix::fs::PermissionsExt;
use world::KeyService;

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
