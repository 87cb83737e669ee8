//! The contract of the tracking port: whole batches, revisions, lists in order.

use crate::{Change, Kind, TrackingStore};

fn put(id: &str, parent: &str, expected: u64, body: &str) -> Change {
    Change::Put {
        collection: "runs",
        id: id.to_owned(),
        parent: parent.to_owned(),
        expected,
        body: body.to_owned(),
    }
}

/// Checks an empty store; `open` opens the same store again.
///
/// # Panics
/// When the store does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn TrackingStore>) {
    let store = open();
    let written =
        store.write(&[put("b", "1", 0, "first"), put("a", "1", 0, "second"), put("c", "2", 0, "third")]);
    assert!(written.is_ok(), "{written:?}");
    let bodies = |parent: &str| -> Vec<String> {
        open().children("runs", parent).into_iter().flatten().map(|document| document.body).collect()
    };
    assert_eq!(bodies("1"), ["first", "second"], "lists are in the order of writing, for others too");
    let conflict = store.write(&[put("d", "1", 0, "lost"), put("a", "1", 0, "again")]);
    assert_eq!(
        conflict.err().map(|error| error.kind()),
        Some(Kind::Conflict),
        "what is there is not made again"
    );
    assert_eq!(store.get("runs", "d").ok().flatten(), None, "a batch is written whole or not at all");
    assert!(store.write(&[put("a", "2", 1, "changed")]).is_ok(), "the right revision may write");
    let stale = store.write(&[put("a", "2", 1, "stale")]);
    assert_eq!(stale.err().map(|error| error.kind()), Some(Kind::Conflict), "a stale one may not");
    let found = store.get("runs", "a").ok().flatten();
    assert_eq!(found.map(|document| (document.revision, document.body)), Some((2, "changed".to_owned())));
    assert_eq!(
        (bodies("1"), bodies("2")),
        (vec!["first".to_owned()], vec!["changed".to_owned(), "third".to_owned()])
    );
    assert_eq!(store.get("experiments", "a").ok().flatten(), None, "collections are apart");
    prefixes(store.as_ref());
    series(store.as_ref(), open().as_ref());
}

fn prefixes(store: &dyn TrackingStore) {
    let file = |id: &str| Change::Put {
        collection: "files",
        id: id.to_owned(),
        parent: String::new(),
        expected: 0,
        body: String::new(),
    };
    let names = ["r/a", "r/a_b", "r/a/2", "r/a/1", "r/é", "s/a", "r/a%"];
    assert!(store.write(&names.map(file)).is_ok());
    let under = |prefix: &str| -> Vec<String> {
        store.under("files", prefix).into_iter().flatten().map(|document| document.id).collect()
    };
    assert_eq!(under("r/a/"), ["r/a/1", "r/a/2"]);
    assert_eq!(under("r/a%"), ["r/a%"], "nothing in a prefix stands for something else");
    assert_eq!(under("").len(), names.len());
    let gone = [Change::Remove { collection: "files", id: "r/a/1".to_owned() }];
    assert!(store.write(&gone).is_ok() && store.write(&gone).is_ok(), "removing twice is fine");
    assert_eq!(under("r/a/"), ["r/a/2"]);
}

fn series(store: &dyn TrackingStore, other: &dyn TrackingStore) {
    let points = |list: &[&str]| Change::Append {
        series: "run".to_owned(),
        points: list.iter().map(|text| ("auc".to_owned(), (*text).to_owned())).collect(),
    };
    assert!(store.write(&[points(&["2", "1"]), points(&["2", "3"])]).is_ok());
    let read = |from, limit| other.points("run", "auc", from, limit).ok();
    assert_eq!(read(0, 10), Some(vec!["2".to_owned(), "1".to_owned(), "3".to_owned()]));
    assert_eq!(read(1, 1), Some(vec!["1".to_owned()]));
    assert_eq!(other.points("run", "loss", 0, 10).ok(), Some(Vec::new()));
}
