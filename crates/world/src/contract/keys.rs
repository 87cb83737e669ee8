//! The contract of the key port: bound to their context, refused while disabled, readable after rotation.

use crate::{EncryptionContext, KeyService, KeyState, Kind, PortError};
use facts::KeyId;

/// Checks an empty key service; `open` opens the same service again.
///
/// # Panics
/// When the service does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn KeyService>) {
    let keys = open();
    encrypts(open, keys.as_ref());
    signs(keys.as_ref());
}

fn id(name: &str) -> KeyId {
    name.parse().unwrap_or_else(|_| unreachable!("`{name}` is a key id"))
}

fn kind<T>(result: Result<T, PortError>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

fn encrypts(open: &dyn Fn() -> Box<dyn KeyService>, keys: &dyn KeyService) {
    let (key, other) = (id("data"), id("other"));
    let context = EncryptionContext::from([("kind".to_owned(), "test".to_owned())]);
    assert_eq!(kind(keys.state(&key)), Some(Kind::Absent), "there is no key before it is made");
    assert!(keys.create(&key).is_ok() && keys.create(&other).is_ok());
    assert_eq!(kind(keys.create(&key)), Some(Kind::Conflict), "a key is made once");
    let Ok((plain, wrapped)) = keys.generate_data_key(&key, &context) else {
        unreachable!("a new key gives data keys")
    };
    let unwrap = |keys: &dyn KeyService, key: &KeyId, context: &EncryptionContext| {
        keys.unwrap_data_key(key, &wrapped, context)
    };
    assert_eq!(
        unwrap(open().as_ref(), &key, &context).ok().map(|key| key.0),
        Some(plain.0),
        "a data key unwraps, also for others"
    );
    assert_eq!(
        kind(unwrap(keys, &key, &EncryptionContext::new())),
        Some(Kind::Damaged),
        "only for the use it was made for"
    );
    assert_eq!(kind(unwrap(keys, &other, &context)), Some(Kind::Damaged), "only with its own key");
    let secret = keys.derive_secret(&key, "a").map(|secret| secret.0).ok();
    assert!(keys.rotate(&key).is_ok());
    assert_eq!(
        unwrap(keys, &key, &context).ok().map(|key| key.0),
        Some(plain.0),
        "rotation keeps what was wrapped readable"
    );
    assert_eq!(keys.derive_secret(&key, "a").map(|secret| secret.0).ok(), secret, "rotation keeps tokens");
    assert_ne!(keys.derive_secret(&key, "b").map(|secret| secret.0).ok(), secret, "domains are apart");
    assert!(keys.set_state(&key, KeyState::Disabled).is_ok());
    assert_eq!(open().state(&key).ok(), Some(KeyState::Disabled), "a state lasts");
    assert_eq!(kind(unwrap(keys, &key, &context)), Some(Kind::Disabled), "a disabled key unwraps nothing");
    assert_eq!(
        kind(keys.generate_data_key(&key, &context)),
        Some(Kind::Disabled),
        "a disabled key gives nothing"
    );
    assert_eq!(kind(keys.derive_secret(&key, "a")), Some(Kind::Disabled), "a disabled key derives nothing");
    assert_eq!(kind(keys.rotate(&key)), Some(Kind::Disabled), "a disabled key is not rotated");
    assert!(
        keys.set_state(&key, KeyState::Enabled).is_ok() && unwrap(keys, &key, &context).is_ok(),
        "enabling brings it back"
    );
}

fn signs(keys: &dyn KeyService) {
    let key = id("signer");
    let Ok(public) = keys.create_signing(&key) else { unreachable!("a signing key can be made") };
    assert!(
        public.0.starts_with("-----BEGIN PUBLIC KEY-----\n")
            && public.0.ends_with("-----END PUBLIC KEY-----\n")
    );
    assert_eq!(keys.public_key(&key).ok(), Some(public), "the public key stays the same");
    assert!(keys.sign(&key, b"message").is_ok_and(|der| der.first() == Some(&0x30)), "signatures are DER");
    assert_eq!(
        kind(keys.generate_data_key(&key, &EncryptionContext::new())),
        Some(Kind::Invalid),
        "it does not encrypt"
    );
    assert_eq!(
        kind(keys.sign(&id("data"), b"message")),
        Some(Kind::Invalid),
        "a key that encrypts does not sign"
    );
    assert!(keys.set_state(&key, KeyState::Disabled).is_ok());
    assert_eq!(kind(keys.sign(&key, b"message")), Some(Kind::Disabled), "a disabled key signs nothing");
}
