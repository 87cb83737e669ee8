//! The contract of the ledger port: durable, ordered, provable, safe under many hands.

use crate::{Kind, LedgerStore};
use facts::{Actor, ActorKind, Timestamp};
use ledger::{Draft, Outcome};
use std::sync::Arc;

/// Checks an empty store; `open` opens the same store again.
///
/// # Panics
/// When the store does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn LedgerStore>) {
    places_entries_in_order(open);
    refuses_to_be_overtaken(open);
    proves_what_it_holds(open);
    orders_many_writers(open);
}

fn draft(stream: &str, n: u64) -> Draft {
    let name = |text: &str| text.parse().unwrap_or_else(|_| unreachable!("`{text}` is a name"));
    Draft {
        stream: stream.parse().unwrap_or_else(|_| unreachable!("`{stream}` is a stream")),
        expected_seq: None,
        time: Timestamp::EPOCH,
        actor: Actor::new(name("tester"), ActorKind::Service, Vec::new()),
        action: "test".to_owned(),
        resource: stream.to_owned(),
        outcome: Outcome::Done,
        body: serde_json::json!({ "n": n }),
    }
}

fn places_entries_in_order(open: &dyn Fn() -> Box<dyn LedgerStore>) {
    let store = open();
    assert_eq!(store.size().ok(), Some(0), "a fresh store is empty");
    let first = store.append(vec![draft("a", 0), draft("b", 1), draft("a", 2)]).unwrap_or_default();
    let places: Vec<_> = first.iter().map(|r| (r.evidence.index(), r.entry.stream_seq)).collect();
    assert_eq!(places, [(0, 0), (1, 0), (2, 1)], "entries get the next places of log and stream");
    assert!(
        first[2].entry.stream_prev.is_some() && first[0].entry.stream_prev.is_none(),
        "an entry names its predecessor"
    );
    drop(store);
    let again = open();
    assert_eq!(
        again.read(0, 10).unwrap_or_default(),
        first,
        "what was acknowledged is there after reopening"
    );
    assert_eq!(again.read(1, 1).unwrap_or_default(), first[1..2], "reading is by range");
    assert_eq!(again.next_seq(&first[0].entry.stream).ok(), Some(2), "streams continue");
}

fn refuses_to_be_overtaken(open: &dyn Fn() -> Box<dyn LedgerStore>) {
    let store = open();
    let before = store.size().unwrap_or_default();
    let late = Draft { expected_seq: Some(0), ..draft("a", 9) };
    let refusal = store.append(vec![draft("c", 8), late]).err().map(|error| error.kind());
    assert_eq!(refusal, Some(Kind::Conflict), "a draft for a place that is taken is a conflict");
    assert_eq!(store.size().ok(), Some(before), "a batch is appended whole or not at all");
    let mut long = draft("a", 0);
    long.body = serde_json::json!({ "text": "x".repeat(70_000) });
    assert_eq!(
        store.append(vec![long]).err().map(|error| error.kind()),
        Some(Kind::Invalid),
        "a leaf has at most 65,535 bytes"
    );
}

fn proves_what_it_holds(open: &dyn Fn() -> Box<dyn LedgerStore>) {
    let store = open();
    let note = store.checkpoint().unwrap_or_default();
    assert!(note.lines().nth(1) == Some("3"), "the checkpoint is over all entries: {note}");
    let proof = store.proof(1).ok().and_then(|text| ledger::TlogProof::parse(&text));
    assert_eq!(
        proof.map(|proof| (proof.index, proof.checkpoint)),
        Some((1, note.clone())),
        "a proof carries the checkpoint"
    );
    assert!(store.verifier().is_ok_and(|key| key.open(&note).is_ok()), "the log's key signed the checkpoint");
    assert_eq!(
        store.proof(99).err().map(|error| error.kind()),
        Some(Kind::Absent),
        "there is no proof of what is not there"
    );
}

fn orders_many_writers(open: &dyn Fn() -> Box<dyn LedgerStore>) {
    let store: Arc<dyn LedgerStore> = Arc::from(open());
    let before = store.size().unwrap_or_default();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                for n in 0..20 {
                    let stream = format!("thread-{}", thread % 4);
                    assert!(store.append(vec![draft(&stream, n)]).is_ok(), "concurrent appends succeed");
                }
            });
        }
    });
    let all = store.read(before, 1000).unwrap_or_default();
    assert_eq!(all.len(), 320, "nothing is lost among writers");
    let in_order = all.iter().enumerate().all(|(n, receipt)| receipt.evidence.index() == before + n as u64);
    assert!(in_order, "there are no gaps");
}
