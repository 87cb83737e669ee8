//! Checkpoints that a key of a key service signs beside the ledger: what is given out, and what happens while the key cannot sign.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{Actor, ActorKind, KeyId};
use ledger::{Draft, EcdsaVerifier, Outcome, TlogProof};
use local::{Cosigner, LocalKeys, SqliteLedger, verify_ledger};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use world::{KeyService, KeyState, Kind, LedgerStore, PortError, Receipt};

const ORIGIN: &str = "test.example";

struct House {
    folder: tempfile::TempDir,
    keys: Arc<LocalKeys>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(LocalKeys::open(&folder.path().join("keys"), None).unwrap());
        drop(SqliteLedger::create(&folder.path().join("ledger"), ORIGIN, [7; 32]).unwrap());
        Self { folder, keys }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn signer(&self, id: &str) -> (KeyId, EcdsaVerifier) {
        let key: KeyId = id.parse().unwrap();
        let public = self.keys.create_signing(&key).unwrap();
        (key, EcdsaVerifier::from_pem(ORIGIN, &public.0).unwrap())
    }

    fn open(&self, (key, verifier): &(KeyId, EcdsaVerifier)) -> SqliteLedger {
        let ledger = SqliteLedger::open(&self.dir()).unwrap();
        let keys: Arc<dyn KeyService> = Arc::<LocalKeys>::clone(&self.keys);
        ledger.cosigned_by(Cosigner::new(keys, key.clone(), verifier.clone()));
        ledger
    }

    fn given_out(&self) -> String {
        std::fs::read_to_string(self.dir().join("checkpoint")).unwrap()
    }
}

/// Checkpoints go out a moment after the answer.
fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    unreachable!("{what}")
}

fn append(ledger: &SqliteLedger) -> Result<Vec<Receipt>, PortError> {
    ledger.append(vec![Draft {
        stream: "model/a".parse().unwrap(),
        expected_seq: None,
        time: facts::Timestamp::EPOCH,
        actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec![]),
        action: "model.train".into(),
        resource: "model/a".into(),
        outcome: Outcome::Done,
        body: serde_json::json!({ "text": "x" }),
    }])
}

fn whole(dir: &Path, entries: u64) {
    let report = verify_ledger(dir).unwrap();
    assert!(report.ok() && report.entries == entries, "{report:?}");
}

#[test]
fn what_is_given_out_has_both_signatures() {
    let house = House::new();
    let signer = house.signer("ledger-signing");
    let ledger = house.open(&signer);
    append(&ledger).unwrap();
    until("it is given out", || house.given_out().starts_with("test.example\n1\n"));
    let note = house.given_out();
    assert_eq!(signer.1.open(&note).unwrap(), ledger.verifier().unwrap().open(&note).unwrap());
    assert_eq!(ledger.checkpoint().unwrap(), note, "also to whoever asks");
    let proof = TlogProof::parse(&ledger.proof(0).unwrap()).unwrap();
    assert!(signer.1.open(&proof.checkpoint).is_ok(), "and in proofs");
    let out = house.folder.path().join("tiles");
    local::export_tiles(&house.dir(), &out).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("checkpoint")).unwrap(), note, "and in copies");
    drop(ledger);
    whole(&house.dir(), 1);
}

#[test]
fn while_the_key_cannot_sign_nothing_is_lost_and_nothing_more_appended() {
    let house = House::new();
    let signer = house.signer("ledger-signing");
    append(&house.open(&signer)).unwrap();
    house.keys.set_state(&signer.0, KeyState::Disabled).unwrap();
    let ledger = house.open(&signer);
    let acknowledged = append(&ledger).unwrap();
    until("it is noticed", || append(&ledger).is_err());
    let error = append(&ledger).unwrap_err();
    assert_eq!(error.kind(), Kind::Disabled);
    insta::assert_snapshot!(format!("{error}\n  help: {}", error.help().unwrap()), @r"
    the checkpoint cannot be signed with key `ledger-signing`: key `ledger-signing` is disabled, so what it protects cannot be read; nothing was appended
      help: what was acknowledged is safe; nothing more is appended until the key signs again
    ");
    let there = ledger.size().unwrap();
    drop(ledger);
    // Another process has the same to do first.
    let ledger = house.open(&signer);
    assert!(append(&ledger).is_err() && ledger.size().unwrap() == there);
    whole(&house.dir(), there);
    assert!(house.given_out().starts_with("test.example\n1\n"), "given out is what was signed");
    house.keys.set_state(&signer.0, KeyState::Enabled).unwrap();
    append(&ledger).unwrap();
    assert_eq!(ledger.read(1, 1).unwrap(), acknowledged);
    drop(ledger);
    assert!(signer.1.open(&house.given_out()).is_ok());
    whole(&house.dir(), there + 1);
}

#[test]
fn what_was_given_out_without_it_is_signed_when_the_ledger_is_closed() {
    let house = House::new();
    let ledger = SqliteLedger::open(&house.dir()).unwrap();
    append(&ledger).unwrap();
    drop(ledger);
    let before = house.given_out();
    let signer = house.signer("ledger-signing");
    assert!(signer.1.open(&before).is_err());
    drop(house.open(&signer));
    assert!(house.given_out().starts_with(&before), "one line more");
    assert!(signer.1.open(&house.given_out()).is_ok());
    drop(house.open(&signer));
    assert_eq!(house.given_out().lines().count(), before.lines().count() + 1, "once");
    whole(&house.dir(), 1);
}

#[test]
fn the_next_key_signs_from_its_time_on_and_another_than_the_one_on_record_does_not() {
    let house = House::new();
    let (first, second) = (house.signer("ledger-signing"), house.signer("ledger-signing-2"));
    append(&house.open(&first)).unwrap();
    append(&house.open(&second)).unwrap();
    let note = house.given_out();
    assert!(second.1.open(&note).is_ok() && first.1.open(&note).is_err());
    let mixed = house.open(&(first.0.clone(), second.1.clone()));
    until("it is noticed", || append(&mixed).is_err());
    insta::assert_snapshot!(append(&mixed).unwrap_err(), @"key `ledger-signing` is not the one that the record has for checkpoints; nothing was appended");
    let there = mixed.size().unwrap();
    drop(mixed);
    drop(house.open(&second));
    assert!(second.1.open(&house.given_out()).is_ok());
    whole(&house.dir(), there);
}

#[test]
fn nothing_is_signed_that_somebody_put_there() {
    let house = House::new();
    let signer = house.signer("ledger-signing");
    let ledger = house.open(&signer);
    append(&ledger).unwrap();
    until("it is given out", || house.given_out().starts_with("test.example\n1\n"));
    let forged = house.given_out().replacen("\n1\n", "\n9\n", 1);
    std::fs::write(house.dir().join("checkpoint"), &forged).unwrap();
    assert_eq!(append(&ledger).unwrap_err().kind(), Kind::Damaged);
    drop(ledger);
    assert_eq!(house.given_out(), forged, "it stays as evidence, unsigned");
}
