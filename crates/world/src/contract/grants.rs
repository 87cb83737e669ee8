//! The contract of grants: for whom, for what and for which context they are given, and not a use more; until they are taken
//! back.

use crate::{
    DataKey, EncryptionContext, Grant, GrantConstraint, GrantOperation, KeyService, KeyState, Kind, NewGrant,
    PortError, WrappedKey,
};
use facts::KeyId;

/// Checks a key service without keys; `open` opens the same service again, and `grantee` is somebody whom no policy of a key
/// names.
///
/// # Panics
/// When the service does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn KeyService>, grantee: &str) {
    let keys = open();
    let key = id("granted");
    assert!(keys.create(&key).is_ok());
    let whole = context(&[("kind", "snapshots"), ("subject", "a/1")]);
    let other = context(&[("kind", "traffic"), ("subject", "a/1")]);
    let (here, there) = (wrapped(keys.as_ref(), &key, &whole), wrapped(keys.as_ref(), &key, &other));
    let uses = Uses { open, grantee, key: &key };
    assert_eq!(uses.unwrap(&here, &whole), Err(Kind::Denied), "nothing without a grant");

    let decrypt = NewGrant {
        name: "read/snapshots".to_owned(),
        grantee: grantee.to_owned(),
        operations: [GrantOperation::Decrypt].into(),
        constraint: GrantConstraint::EncryptionContextSubset(context(&[("kind", "snapshots")])),
    };
    let Ok(given) = keys.create_grant(&key, &decrypt) else { unreachable!("a grant can be given") };
    assert_eq!(given.terms, decrypt);
    assert_eq!(keys.create_grant(&key, &decrypt).ok().as_ref(), Some(&given), "the same grant is one grant");
    assert_eq!(open().list_grants(&key).ok(), Some(vec![given.clone()]), "a grant lasts");
    assert_eq!(uses.unwrap(&here, &whole), Ok(here.0.0), "a context that has the pairs");
    assert_eq!(uses.unwrap(&there, &other), Err(Kind::Denied), "one that has others");
    assert_eq!(uses.generate(&whole), Err(Kind::Denied), "not what was not granted");
    assert_eq!(
        uses.unwrap(&there, &whole),
        Err(Kind::Damaged),
        "a context that is only claimed opens nothing"
    );

    let make = NewGrant {
        name: "make".to_owned(),
        operations: [GrantOperation::GenerateDataKey].into(),
        constraint: GrantConstraint::EncryptionContextEquals(other.clone()),
        ..decrypt.clone()
    };
    let Ok(second) = keys.create_grant(&key, &make) else { unreachable!("a second grant can be given") };
    assert_ne!(given.id, second.id);
    assert_eq!(uses.generate(&other), Ok(()), "exactly the context");
    let more = context(&[("kind", "traffic"), ("subject", "a/1"), ("more", "x")]);
    assert_eq!(uses.generate(&more), Err(Kind::Denied), "and none with more in it");
    refused(keys.as_ref(), &key, &decrypt);
    administered(&uses, &decrypt);

    assert!(keys.set_state(&key, KeyState::Disabled).is_ok());
    assert_eq!(uses.unwrap(&here, &whole), Err(Kind::Disabled), "a grant does not open a disabled key");
    assert!(keys.set_state(&key, KeyState::Enabled).is_ok());
    assert!(keys.revoke_grant(&key, &given.id).is_ok());
    assert_eq!(uses.unwrap(&here, &whole), Err(Kind::Denied), "what was taken back is over");
    assert_eq!(kind(keys.revoke_grant(&key, &given.id)), Some(Kind::Absent), "and is there no more");
    assert_eq!(keys.list_grants(&key).ok(), Some(vec![second.clone()]), "the other one stays");
    let stranger = format!("{grantee}-2");
    let retired = |grantee: &str| kind(open().retire_grant(&key, &second.id, grantee));
    assert_eq!(retired(&stranger), Some(Kind::Denied), "who does not hold a grant cannot give it back");
    assert_eq!(uses.generate(&other), Ok(()), "and it is still there");
    assert_eq!(retired(grantee), None, "whoever holds it gives it back");
    assert_eq!(uses.generate(&other), Err(Kind::Denied), "what was given back is over");
    assert_eq!(retired(grantee), Some(Kind::Absent), "and is there no more");
    assert_eq!(keys.list_grants(&key).ok(), Some(Vec::new()));
    assert_eq!(kind(keys.list_grants(&id("none"))), Some(Kind::Absent), "no key, no grants");
}

struct Uses<'a> {
    open: &'a dyn Fn() -> Box<dyn KeyService>,
    grantee: &'a str,
    key: &'a KeyId,
}

impl Uses<'_> {
    fn service(&self) -> Box<dyn KeyService> {
        let service = (self.open)().for_grantee(self.grantee);
        service.unwrap_or_else(|error| unreachable!("a grantee can call: {error}"))
    }

    fn unwrap(
        &self,
        (_, wrapped): &(DataKey, WrappedKey),
        context: &EncryptionContext,
    ) -> Result<[u8; 32], Kind> {
        let plain = self.service().unwrap_data_key(self.key, wrapped, context);
        plain.map(|plain| plain.0).map_err(|error| error.kind())
    }

    fn generate(&self, context: &EncryptionContext) -> Result<(), Kind> {
        self.service().generate_data_key(self.key, context).map(|_| ()).map_err(|error| error.kind())
    }
}

/// What no service takes.
fn refused(keys: &dyn KeyService, key: &KeyId, good: &NewGrant) {
    let signer = id("granted-signer");
    assert!(keys.create_signing(&signer).is_ok());
    assert_eq!(kind(keys.create_grant(&signer, good)), Some(Kind::Invalid), "signatures have no context");
    let none = GrantConstraint::EncryptionContextEquals(EncryptionContext::new());
    let many = (0..9).map(|n| (n.to_string(), "x".to_owned())).collect();
    let many = GrantConstraint::EncryptionContextSubset(many);
    for wrong in [
        NewGrant { name: "a b".to_owned(), ..good.clone() },
        NewGrant { name: String::new(), ..good.clone() },
        NewGrant { operations: [].into(), ..good.clone() },
        NewGrant { constraint: none, ..good.clone() },
        NewGrant { constraint: many, ..good.clone() },
        NewGrant { grantee: "who?".to_owned(), ..good.clone() },
    ] {
        assert_eq!(kind(keys.create_grant(key, &wrong)), Some(Kind::Invalid), "{wrong:?}");
    }
    assert_eq!(kind(keys.create_grant(&id("none"), good)), Some(Kind::Absent), "no key, no grant");
}

/// Who was granted a use does not administer.
fn administered(uses: &Uses<'_>, good: &NewGrant) {
    let (service, key) = (uses.service(), uses.key);
    assert_eq!(kind(service.create_grant(key, good)), Some(Kind::Denied));
    assert_eq!(kind(service.set_state(key, KeyState::Disabled)), Some(Kind::Denied));
    assert_eq!(kind(service.rotate(key)), Some(Kind::Denied));
    assert_eq!(kind(service.derive_secret(key, "a").map(|_| ())), Some(Kind::Denied));
    let all: Vec<Grant> = (uses.open)().list_grants(key).unwrap_or_default();
    assert_eq!(kind(service.revoke_grant(key, &all[0].id)), Some(Kind::Denied));
}

fn wrapped(keys: &dyn KeyService, key: &KeyId, context: &EncryptionContext) -> (DataKey, WrappedKey) {
    let made = keys.generate_data_key(key, context);
    made.unwrap_or_else(|error| unreachable!("a new key gives data keys: {error}"))
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn id(name: &str) -> KeyId {
    name.parse().unwrap_or_else(|_| unreachable!("`{name}` is a key id"))
}

fn kind<T>(result: Result<T, PortError>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}
