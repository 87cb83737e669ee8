//! What is sealed under an embedded key opens in AWS's own Encryption SDK, by a raw AES keyring, and the other way round; what
//! was changed on the way opens in neither. The same under keys of KMS is held by the tests of the crate `aws`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../aws/tests/emulator/support/venv.rs"]
mod venv;

use local::LocalKeys;
use privacy::envelope::{self, Edk, Header};
use std::fs;
use std::path::Path;
use std::process::Command;
use world::{EncryptionContext, KeyService, WrappedKey};

/// Around the length of our frames, and of theirs.
const LENGTHS: [usize; 8] = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 200_000];

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// With letters that take more than one byte; nothing, for a message without a context.
fn contexts() -> [EncryptionContext; 2] {
    let pairs =
        [("kind", "snapshots"), ("subject", "credit-raw/2025-10-01"), ("\u{e4}", "a \"b\" \u{1f511}")];
    [pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into(), EncryptionContext::new()]
}

/// The Encryption SDK at work on all files of a folder, with one version of a key.
fn sdk(what: &str, folder: &Path, house: &Path, version: usize) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encryption_sdk");
    let python = venv::of("encryption-sdk", &own.join("requirements.txt")).join("bin/python");
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(house.join("data.json")).unwrap()).unwrap();
    let material = file["versions"][version - 1]["material"].as_str().unwrap();
    let output = Command::new(python)
        .arg(own.join("message.py"))
        .args([what, folder.to_str().unwrap(), material, &format!("data/{version}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn sealed(keys: &LocalKeys, context: &EncryptionContext, plain: &[u8]) -> Vec<u8> {
    let (data_key, wrapped) = keys.generate_data_key(&"data".parse().unwrap(), context).unwrap();
    let edk = Edk { provider: wrapped.provider, info: wrapped.info, ciphertext: wrapped.ciphertext };
    envelope::seal(plain, &data_key.0, [7; 32], &[edk], context).unwrap()
}

/// As a house opens what it has: the header names the key and the context.
fn opened(keys: &LocalKeys, message: &[u8]) -> Result<(Vec<u8>, EncryptionContext), String> {
    let header = Header::parse(message).map_err(|error| error.to_string())?;
    let edk = header.edks().first().ok_or("no key")?.clone();
    let wrapped = WrappedKey { provider: edk.provider, info: edk.info, ciphertext: edk.ciphertext };
    // Theirs have none of ours beside, but the public key of a signature; suite 0x0478 has no signature.
    let data_key = keys
        .unwrap_data_key(&"data".parse().unwrap(), &wrapped, header.context())
        .map_err(|error| error.to_string())?;
    let plain = envelope::open(message, &data_key.0).map_err(|error| error.to_string())?;
    Ok((plain, header.context().clone()))
}

#[test]
fn messages_open_in_the_encryption_sdk_and_back() {
    let (house, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keys = LocalKeys::open(house.path(), None).unwrap();
    keys.create(&"data".parse().unwrap()).unwrap();
    // Under the first version of the key, and under the second.
    for version in [1, 2] {
        let place = folder.path().join(version.to_string());
        let (ours, theirs) = (place.join("ours"), place.join("theirs"));
        [&ours, &theirs].iter().for_each(|place| fs::create_dir_all(place).unwrap());
        let cases = || {
            contexts().into_iter().enumerate().flat_map(|(n, context)| {
                LENGTHS.map(|length| (format!("{n}-{length}"), length, context.clone()))
            })
        };
        for (name, length, context) in cases() {
            fs::write(ours.join(format!("{name}.message")), sealed(&keys, &context, &plain(length))).unwrap();
            fs::write(theirs.join(format!("{name}.plain")), plain(length)).unwrap();
            fs::write(theirs.join(format!("{name}.context")), serde_json::to_vec(&context).unwrap()).unwrap();
        }
        let whole = sealed(&keys, &contexts()[0], &plain(5_000));
        for at in (0..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened(&keys, &changed).is_err(), "byte {at} was changed");
            fs::write(ours.join(format!("changed-{at}.message")), changed).unwrap();
        }
        sdk("open", &ours, house.path(), version);
        sdk("seal", &theirs, house.path(), version);
        for (name, length, context) in cases() {
            assert_eq!(fs::read(ours.join(format!("{name}.plain"))).unwrap(), plain(length), "{name}");
            let told: EncryptionContext =
                serde_json::from_slice(&fs::read(ours.join(format!("{name}.context"))).unwrap()).unwrap();
            assert_eq!(told, context, "{name}");
            let message = fs::read(theirs.join(format!("{name}.message"))).unwrap();
            assert_eq!(opened(&keys, &message), Ok((plain(length), context)), "{name}");
            let mut changed = message;
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            assert!(opened(&keys, &changed).is_err(), "{name} was changed");
        }
        for at in (0..whole.len()).step_by(97) {
            assert!(ours.join(format!("changed-{at}.refused")).is_file(), "byte {at} was changed");
        }
        if version == 1 {
            keys.rotate(&"data".parse().unwrap()).unwrap();
        }
    }
    // What was sealed before the key was rotated still opens, on both sides.
    let early = fs::read(folder.path().join("1/theirs/0-4097.message")).unwrap();
    assert_eq!(opened(&keys, &early), Ok((plain(4097), contexts()[0].clone())));
    sdk("open", &folder.path().join("1/theirs"), house.path(), 1);
    // Under another version of the key it does not.
    let late = folder.path().join("late");
    fs::create_dir_all(&late).unwrap();
    fs::copy(folder.path().join("1/ours/0-1.message"), late.join("one.message")).unwrap();
    sdk("open", &late, house.path(), 2);
    assert!(late.join("one.refused").is_file());
}
