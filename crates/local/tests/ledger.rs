//! The ledger store: its contract, what tampering it notices, and what a kill leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{Actor, ActorKind};
use ledger::{Draft, Outcome};
use local::{SqliteLedger, verify_ledger};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use world::LedgerStore;

fn draft(n: usize) -> Draft {
    Draft {
        stream: ["model/credit-scoring", "key/credit-data"][n % 2].parse().unwrap(),
        expected_seq: None,
        time: "2026-11-21".parse().unwrap(),
        actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec!["ml-engineer".parse().unwrap()]),
        action: "model.train".into(),
        resource: "model/credit-scoring".into(),
        outcome: Outcome::Done,
        // Every seventh is long enough to spill over pages.
        body: serde_json::json!({ "n": n, "text": "x".repeat(if n.is_multiple_of(7) { 9000 } else { 40 }) }),
    }
}

fn found(dir: &Path, count: usize) {
    let ledger = SqliteLedger::create(dir, "test.example", [7; 32]).unwrap();
    (0..count).for_each(|n| drop(ledger.append(vec![draft(n)]).unwrap()));
}

#[test]
fn passes_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    SqliteLedger::create(&dir, "test.example", [7; 32]).unwrap();
    world::contract::ledger::check(&|| Box::new(SqliteLedger::open(&dir).unwrap()));
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok() && report.sealed, "{report:?}");
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("-wal")), "{left:?}");
}

#[test]
fn any_single_bit_of_any_file_that_changes_is_noticed_and_an_entry_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    found(&dir, 60);
    assert!(verify_ledger(&dir).unwrap().ok());
    let mut random = 0x2545_f491_4f6c_dd1du64;
    for file in ["ledger.db", "checkpoint", "seal", "log.vkey"] {
        let whole = std::fs::read(dir.join(file)).unwrap();
        for _ in 0..if file == "ledger.db" { 400 } else { 60 } {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (at, bit) = (random as usize / 8 % whole.len(), random % 8);
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            std::fs::write(dir.join(file), &bytes).unwrap();
            let report = verify_ledger(&dir).unwrap();
            assert!(!report.ok(), "{file}: byte {at} bit {bit} went unnoticed");
            assert!(report.findings.iter().all(|finding| finding.what.contains("entr")), "{report:?}");
        }
        std::fs::write(dir.join(file), &whole).unwrap();
    }
    assert!(verify_ledger(&dir).unwrap().ok());
}

#[test]
fn rewriting_rows_with_sql_is_noticed() {
    let attacks = [
        "DELETE FROM entry WHERE idx = 59",
        "DELETE FROM entry WHERE idx = 20",
        "UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE idx = 3) WHERE idx = 5",
        "INSERT INTO entry SELECT 60, hash, leaf FROM entry WHERE idx = 59",
        "DELETE FROM head",
        "DELETE FROM checkpoint",
    ];
    for attack in attacks {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ledger");
        found(&dir, 60);
        rusqlite::Connection::open(dir.join("ledger.db")).unwrap().execute_batch(attack).unwrap();
        // Whoever can write the file can write the seal: the content must tell by itself.
        std::fs::remove_file(dir.join("seal")).unwrap();
        let report = verify_ledger(&dir).unwrap();
        assert!(!report.ok(), "`{attack}` went unnoticed");
    }
}

#[test]
fn an_older_copy_of_the_ledger_does_not_satisfy_the_checkpoint_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    found(&dir, 10);
    let (old, seal) =
        (std::fs::read(dir.join("ledger.db")).unwrap(), std::fs::read(dir.join("seal")).unwrap());
    drop(SqliteLedger::open(&dir).unwrap().append(vec![draft(10), draft(11)]).unwrap());
    std::fs::write(dir.join("ledger.db"), old).unwrap();
    std::fs::write(dir.join("seal"), seal).unwrap();
    let report = verify_ledger(&dir).unwrap();
    insta::assert_snapshot!(report.findings[0].what, @"the checkpoint that was given out was signed over 12 entries and only 10 are there: entries 10 to 11 are missing");
}

/// The child of the test below: appends for ever and says what was acknowledged.
#[test]
fn appending_child() {
    let Some(dir) = std::env::var_os("WARDMOTE_TEST_APPEND_DIR") else { return };
    let ledger = SqliteLedger::open(Path::new(&dir)).unwrap();
    for n in 0.. {
        let receipts = ledger.append(vec![draft(n)]).unwrap();
        println!("ack {}", receipts[0].evidence);
    }
}

#[test]
fn nothing_acknowledged_is_lost_to_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    drop(SqliteLedger::create(&dir, "test.example", [7; 32]).unwrap());
    let mut acknowledged = Vec::new();
    for round in 0..10u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "appending_child", "--nocapture"])
            .env("WARDMOTE_TEST_APPEND_DIR", &dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 3 + (round * 7) % 13;
        let mut seen = 0;
        for line in lines {
            if let Some(id) = line.unwrap().split("ack ").nth(1) {
                acknowledged.push(id.trim().parse::<facts::EvidenceId>().unwrap());
                seen += 1;
            }
            if seen == wanted {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let report = verify_ledger(&dir).unwrap();
        assert!(report.ok(), "{report:?}");
        let ledger = SqliteLedger::open_read_only(&dir).unwrap();
        let stored = ledger.read(0, usize::MAX >> 1).unwrap();
        for id in &acknowledged {
            assert_eq!(&stored[id.index() as usize].evidence, id);
        }
    }
    assert!(acknowledged.len() >= 30);
}
