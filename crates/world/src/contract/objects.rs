//! The contract of the object port: whole, unchangeable, listed, private names only.

use crate::{Kind, ObjectStore};

/// Checks an empty store; `open` opens the same store again.
///
/// # Panics
/// When the store does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn ObjectStore>) {
    let store = open();
    let kind = |result: Result<(), crate::PortError>| result.err().map(|error| error.kind());
    assert!(
        store.put("a/one", b"1").is_ok()
            && store.put("a/two", &[0; 100_000]).is_ok()
            && store.put("b/three", b"").is_ok()
    );
    assert_eq!(
        open().get("a/one").ok().as_deref(),
        Some(b"1".as_slice()),
        "what was put is there for others"
    );
    assert_eq!(store.get("a/two").map(|bytes| bytes.len()).ok(), Some(100_000), "objects are whole");
    assert!(store.put("a/one", b"1").is_ok(), "the same object may be put again");
    assert_eq!(kind(store.put("a/one", b"2")), Some(Kind::Conflict), "an object never changes");
    assert_eq!(
        store.get("a/one").ok().as_deref(),
        Some(b"1".as_slice()),
        "a refused put leaves what was there"
    );
    assert_eq!(
        store.list("a/").ok(),
        Some(vec!["a/one".to_owned(), "a/two".to_owned()]),
        "names are listed in order"
    );
    assert_eq!(
        store.get("a/none").err().map(|error| error.kind()),
        Some(Kind::Absent),
        "what is not there is absent"
    );
    for name in ["", "/", "a/", "/a", "../a", "a/../b", "A", "a b", "a\\b", "a\0b", "a/./b", &"x".repeat(300)]
    {
        assert_eq!(kind(store.put(name, b"x")), Some(Kind::Invalid), "`{}` is no name", name.escape_debug());
    }
    assert!(store.delete("a/one").is_ok() && store.delete("a/one").is_ok(), "deleting twice is fine");
    assert_eq!(
        store.get("a/one").err().map(|error| error.kind()),
        Some(Kind::Absent),
        "what was deleted is gone"
    );
    large(open, store.as_ref());
}

/// More than some stores put in one request.
fn large(open: &dyn Fn() -> Box<dyn ObjectStore>, store: &dyn ObjectStore) {
    let bytes: Vec<u8> = (0..11_000_001_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let mut other = bytes.clone();
    if let Some(last) = other.last_mut() {
        *last ^= 1;
    }
    assert!(store.put("c/large", &bytes).is_ok(), "large objects are stored");
    assert!(open().get("c/large").is_ok_and(|there| there == bytes), "a large object is whole");
    assert!(store.put("c/large", &bytes).is_ok(), "the same large object may be put again");
    for other in [other.as_slice(), &bytes[..bytes.len() - 1], b"small"] {
        let refused = store.put("c/large", other).err().map(|error| error.kind());
        assert_eq!(refused, Some(Kind::Conflict), "a large object never changes");
    }
    assert_eq!(store.list("c/").ok(), Some(vec!["c/large".to_owned()]), "it is one object");
    assert!(store.delete("c/large").is_ok());
}
