//! The contract of the object port: whole, unchangeable, listed, private names only.

use crate::{Content, Kind, ObjectStore};
use std::io::{self, Read};

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
    read_as_it_goes(store.as_ref());
}

/// Content that is nowhere as a whole: what it says that it has, what it has, and where it breaks.
struct Made {
    says: u64,
    has: u64,
    breaks: u64,
}

struct Maker<'a>(&'a Made, u64);

impl Read for Maker<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (&Made { has, breaks, .. }, at) = (self.0, &mut self.1);
        if *at >= breaks {
            return Err(io::Error::other("it breaks here"));
        }
        // Less than was asked for, as readers may give.
        let left = usize::try_from(has.min(breaks) - *at).unwrap_or(usize::MAX);
        let most = into.len().min(left).min(70_001);
        let bytes = into.iter_mut().take(most);
        bytes.zip(*at..).for_each(|(byte, place)| *byte = (place % 251) as u8);
        *at += most as u64;
        Ok(most)
    }
}

impl Content for Made {
    fn length(&self) -> u64 {
        self.says
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(Maker(self, 0))
    }
}

/// What is read as it goes is stored whole, or not at all.
fn read_as_it_goes(store: &dyn ObjectStore) {
    let made = |says: u64, has: u64, breaks: u64| Made { says, has, breaks };
    for length in [0, 1, 11_000_001] {
        let name = format!("d/{length}");
        let content = made(length, length, u64::MAX);
        assert!(store.put_from(&name, &content).is_ok(), "{length} bytes are stored");
        let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        assert!(store.get(&name).is_ok_and(|there| there == bytes), "{length} bytes are whole");
        assert!(store.put_from(&name, &content).is_ok(), "the same {length} bytes may be put again");
        assert!(store.put(&name, &bytes).is_ok(), "from memory too");
        let more = made(length + 1, length + 1, u64::MAX);
        let refused = store.put_from(&name, &more).err().map(|error| error.kind());
        assert_eq!(refused, Some(Kind::Conflict), "others are not");
        assert!(store.delete(&name).is_ok());
    }
    for (says, has, breaks) in [
        (10, 9, u64::MAX),
        (10, 11, u64::MAX),
        (10, 10, 5),
        (11_000_001, 11_000_000, u64::MAX),
        (11_000_000, 11_000_001, u64::MAX),
        (11_000_001, 11_000_001, 9_000_000),
    ] {
        let wrong = store.put_from("d/wrong", &made(says, has, breaks)).err().map(|error| error.kind());
        assert_eq!(wrong, Some(Kind::Failed), "{says} bytes, of which there are {has}, until {breaks}");
        assert_eq!(store.list("d/").ok(), Some(Vec::new()), "and nothing is left of it");
    }
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
