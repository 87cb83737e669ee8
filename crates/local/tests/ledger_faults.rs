//! Ledger stores under other processes, kills at bad moments, old copies and flipped bits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{Actor, ActorKind};
use ledger::{Draft, Outcome, TlogProof, Verifier, leaf_hash};
use local::{SqliteLedger, export_tiles, verify_ledger};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use world::{Kind, LedgerStore, PortError};

const PAGE: usize = 4096;

fn draft(n: usize) -> Draft {
    Draft {
        stream: ["model/credit-scoring", "key/credit-data"][n % 2].parse().unwrap(),
        expected_seq: None,
        time: "2026-11-21".parse().unwrap(),
        actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec!["ml-engineer".parse().unwrap()]),
        action: "model.train".into(),
        resource: "model/credit-scoring".into(),
        outcome: Outcome::Done,
        body: serde_json::json!({ "n": n, "text": "x".repeat(400) }),
    }
}

fn append(ledger: &SqliteLedger, from: usize, to: usize) {
    (from..to).for_each(|n| drop(ledger.append(vec![draft(n)]).unwrap()));
}

fn found(dir: &Path, count: usize) {
    append(&SqliteLedger::create(dir, "test.example", [7; 32]).unwrap(), 0, count);
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    (folder, dir)
}

/// Another process that appends `count` entries and then closes the ledger, or is killed before it can.
fn other_process(dir: &Path, count: usize, killed: bool) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("WARDMOTE_TEST_CHILD_DIR", dir)
        .env("WARDMOTE_TEST_CHILD_COUNT", count.to_string())
        .env("WARDMOTE_TEST_CHILD_STAYS", if killed { "yes" } else { "no" })
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if line.unwrap().contains("done") && killed {
            child.kill().unwrap();
        }
    }
    assert_eq!(child.wait().unwrap().success(), !killed);
}

/// Sets its flag when the test ends, well or not.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn child() {
    let Some(dir) = std::env::var_os("WARDMOTE_TEST_CHILD_DIR") else { return };
    let count = std::env::var("WARDMOTE_TEST_CHILD_COUNT").unwrap().parse().unwrap();
    let ledger = SqliteLedger::open(Path::new(&dir)).unwrap();
    append(&ledger, 0, count);
    if std::env::var("WARDMOTE_TEST_CHILD_STAYS").unwrap() == "yes" {
        println!("done");
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
    drop(ledger);
    println!("done");
}

#[test]
fn a_proof_fits_its_checkpoint_while_others_append() {
    let (_folder, dir) = fresh();
    found(&dir, 3);
    let key = Verifier::parse(&std::fs::read_to_string(dir.join("log.vkey")).unwrap()).unwrap();
    let ledger = SqliteLedger::open(&dir).unwrap();
    let leaf = leaf_hash(&ledger.read(0, 1).unwrap()[0].entry.encode().unwrap());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = AtEnd(&stop);
        scope.spawn(|| {
            (0..).take_while(|_| !stop.load(Ordering::Relaxed)).for_each(|n| append(&ledger, n, n + 1));
        });
        let wrong = (0..300)
            .filter(|_| TlogProof::parse(&ledger.proof(0).unwrap()).unwrap().verify(&leaf, &key).is_err())
            .count();
        assert_eq!(wrong, 0, "of 300 proofs");
    });
}

#[test]
fn verifying_an_open_ledger_does_not_let_another_process_take_its_files_away() {
    let (_folder, dir) = fresh();
    found(&dir, 3);
    let ledger = SqliteLedger::open(&dir).unwrap();
    append(&ledger, 3, 5);
    assert!(ledger.verify().unwrap().ok());
    other_process(&dir, 2, false);
    append(&ledger, 7, 9);
    assert!(ledger.verify().unwrap().ok());
    assert_eq!(SqliteLedger::open_read_only(&dir).unwrap().size().unwrap(), 9);
    drop(ledger);
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok() && report.sealed, "{report:?}");
    assert_eq!(report.entries, 9, "every entry that was acknowledged is there");
}

#[test]
fn verifiers_and_readers_see_nothing_wrong_while_others_append_and_write_back() {
    let (_folder, dir) = fresh();
    found(&dir, 3);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = AtEnd(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                other_process(&dir, 5, false);
            }
        });
        for _ in 0..150 {
            let report = verify_ledger(&dir).unwrap();
            assert!(report.ok(), "{report:?}");
            let reader = SqliteLedger::open_read_only(&dir).unwrap();
            let size = reader.size().unwrap();
            assert!(reader.read(0, usize::MAX >> 1).unwrap().len() as u64 >= size);
        }
    });
}

#[test]
fn a_kill_between_writing_back_and_sealing_is_not_damage_and_flips_are_still_noticed() {
    let (_folder, dir) = fresh();
    found(&dir, 40);
    let before = std::fs::read(dir.join("seal")).unwrap();
    append(&SqliteLedger::open(&dir).unwrap(), 40, 60);
    // What such a kill leaves: the file is new, the seal is old, and what was announced was not put in its place yet.
    std::fs::rename(dir.join("seal"), dir.join("seal.next")).unwrap();
    std::fs::write(dir.join("seal"), before).unwrap();
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok(), "{report:?}");
    every_flip_is_noticed(&dir, 150, |_| false);
    append(&SqliteLedger::open(&dir).unwrap(), 60, 61);
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok() && report.sealed, "{report:?}");
}

#[test]
fn a_kill_in_the_middle_of_writing_back_is_not_damage_and_flips_are_still_noticed() {
    let (_folder, dir) = fresh();
    found(&dir, 200);
    other_process(&dir, 3, true);
    let wal = std::fs::read(dir.join("ledger.db-wal")).unwrap();
    let pages: Vec<usize> = wal[32..]
        .chunks(24 + PAGE)
        .map(|frame| u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize)
        .collect();
    let newer = |page: usize| pages.contains(&page);
    assert!(verify_ledger(&dir).unwrap().ok());
    every_flip_is_noticed(&dir, 60, newer);
    // Half of the pages are written back already.
    let mut half = std::fs::read(dir.join("ledger.db")).unwrap();
    for frame in wal[32..].chunks(24 + PAGE).take(pages.len() / 2) {
        let page = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
        half.resize(half.len().max(page * PAGE), 0);
        half[(page - 1) * PAGE..page * PAGE].copy_from_slice(&frame[24..]);
    }
    std::fs::write(dir.join("ledger.db"), half).unwrap();
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok(), "{report:?}");
    every_flip_is_noticed(&dir, 30, newer);
    append(&SqliteLedger::open(&dir).unwrap(), 203, 204);
    let report = verify_ledger(&dir).unwrap();
    assert!(report.ok() && report.sealed && report.entries == 204, "{report:?}");
}

/// Flips bits of the main file, one at a time. Pages that the WAL is about to replace do not count.
fn every_flip_is_noticed(dir: &Path, times: usize, replaced: impl Fn(usize) -> bool) {
    let whole = std::fs::read(dir.join("ledger.db")).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut counted = 0;
    while counted < times {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (at, bit) = (random as usize / 8 % whole.len(), random % 8);
        if replaced(at / PAGE + 1) {
            continue;
        }
        counted += 1;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(dir.join("ledger.db"), &bytes).unwrap();
        assert!(!verify_ledger(dir).unwrap().ok(), "byte {at} bit {bit} went unnoticed");
    }
    std::fs::write(dir.join("ledger.db"), &whole).unwrap();
}

#[test]
fn damage_is_not_sealed_in_by_appending() {
    let (_folder, dir) = fresh();
    found(&dir, 200);
    let whole = std::fs::read(dir.join("ledger.db")).unwrap();
    let seal = std::fs::read(dir.join("seal")).unwrap();
    // A byte that nobody uses: the gap in the middle of a page of entries, found by its zeros.
    let at =
        (20 * PAGE..whole.len()).find(|at| whole[*at..at + 32].iter().all(|byte| *byte == 0)).unwrap() + 16;
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    std::fs::write(dir.join("ledger.db"), &bytes).unwrap();
    std::fs::remove_file(dir.join("seal")).unwrap();
    assert!(verify_ledger(&dir).unwrap().ok(), "only the seal knows of byte {at}");
    std::fs::write(dir.join("seal"), seal).unwrap();
    append(&SqliteLedger::open(&dir).unwrap(), 200, 201);
    let report = verify_ledger(&dir).unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(report.findings[0].what.starts_with(&format!("page {} ", at / PAGE + 1)), "{report:?}");
}

/// The sentence and its help.
fn said(dir: &Path, error: &PortError) -> String {
    let text = format!("{error}\n  help: {}", error.help().unwrap_or_default());
    text.replace(dir.to_str().unwrap(), "DIR")
}

#[test]
fn nothing_is_appended_to_an_older_copy() {
    let (_folder, dir) = fresh();
    found(&dir, 10);
    let keep = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let (old, seal) = (keep("ledger.db"), keep("seal"));
    append(&SqliteLedger::open(&dir).unwrap(), 10, 12);
    let given_out = keep("checkpoint");
    std::fs::write(dir.join("ledger.db"), old).unwrap();
    std::fs::write(dir.join("seal"), seal).unwrap();
    let error = SqliteLedger::open(&dir).unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    insta::assert_snapshot!(said(&dir, &error));
    assert_eq!(keep("checkpoint"), given_out, "the evidence is still there");
}

#[test]
fn nothing_is_appended_beside_a_checkpoint_that_cannot_be_trusted() {
    let (_folder, dir) = fresh();
    found(&dir, 4);
    let path = dir.join("checkpoint");
    let note = std::fs::read_to_string(&path).unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = other.path().join("ledger");
    append(&SqliteLedger::create(&stranger, "test.example", [8; 32]).unwrap(), 0, 2);
    let foreign = std::fs::read_to_string(stranger.join("checkpoint")).unwrap();
    let branch = other.path().join("branch");
    append(&SqliteLedger::create(&branch, "test.example", [7; 32]).unwrap(), 3, 6);
    let mut all = String::new();
    let forked = std::fs::read_to_string(branch.join("checkpoint")).unwrap();
    for (text, why) in
        [(note.replacen('4', "5", 1), "changed"), (foreign, "by another key"), (forked, "of a fork")]
    {
        std::fs::write(&path, &text).unwrap();
        let error = SqliteLedger::open(&dir).unwrap_err();
        assert_eq!(error.kind(), Kind::Damaged, "{why}");
        all.push_str(&format!("{why}: {}\n", said(&dir, &error)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{why}: left as it was");
    }
    std::fs::remove_file(&path).unwrap();
    let error = SqliteLedger::open(&dir).unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    all.push_str(&format!("missing: {}\n", said(&dir, &error)));
    insta::assert_snapshot!(all);
    std::fs::write(&path, &note).unwrap();
    let ledger = SqliteLedger::open(&dir).unwrap();
    append(&ledger, 4, 5);
    std::fs::write(&path, "not a checkpoint\n").unwrap();
    let error = ledger.append(vec![draft(5)]).unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged, "changed behind our back: {error}");
    std::fs::write(&path, &note).unwrap();
    append(&ledger, 5, 6);
}

/// SQLite's lock on the main file, as the kernel has it for this process.
#[cfg(target_os = "linux")]
fn is_locked(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{}", std::fs::metadata(path).unwrap().ino());
    let owner = std::process::id().to_string();
    std::fs::read_to_string("/proc/locks").unwrap().lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.contains(&"POSIX")
            && words.contains(&owner.as_str())
            && words.iter().any(|word| word.ends_with(&inode))
    })
}

#[cfg(target_os = "linux")]
#[test]
fn raw_reads_do_not_take_the_locks_of_sqlite_away() {
    let (_folder, dir) = fresh();
    found(&dir, 3);
    let ledger = SqliteLedger::open(&dir).unwrap();
    append(&ledger, 3, 5);
    assert!(is_locked(&dir.join("ledger.db")));
    assert!(ledger.verify().unwrap().ok());
    assert!(is_locked(&dir.join("ledger.db")), "verifying closed a descriptor of the file");
    // So much that the WAL is written back, and sealed, while the ledger stays open.
    let text = "x".repeat(60_000);
    let long = |n| Draft { body: serde_json::json!({ "text": text }), ..draft(n) };
    let size = || std::fs::metadata(dir.join("ledger.db")).unwrap().len();
    let before = size();
    for round in 0.. {
        assert!(round < 40, "the WAL was never written back");
        drop(ledger.append((0..20).map(long).collect()).unwrap());
        if size() > before {
            break;
        }
    }
    append(&ledger, 0, 1);
    assert!(is_locked(&dir.join("ledger.db")), "sealing closed a descriptor of the file");
    drop(ledger);
    assert!(!is_locked(&dir.join("ledger.db")), "and nothing is left open");
    assert!(verify_ledger(&dir).unwrap().ok());
}

/// The files below `dir`, by name from there.
fn files_below(dir: &Path, name: &str, all: &mut std::collections::BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir.join(name)).unwrap() {
        let below = format!("{name}/{}", entry.unwrap().file_name().into_string().unwrap());
        if dir.join(&below).is_dir() {
            files_below(dir, &below, all);
        } else {
            all.insert(below.clone(), std::fs::read(dir.join(&below)).unwrap());
        }
    }
}

fn tiles_in(dir: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut all = std::collections::BTreeMap::new();
    if dir.join("tile").exists() {
        files_below(dir, "tile", &mut all);
    }
    all
}

fn append_at_once(dir: &Path, count: usize) {
    let ledger = SqliteLedger::open(dir).unwrap();
    drop(ledger.append((0..count).map(draft).collect()).unwrap());
}

#[test]
fn full_tiles_appear_beside_the_ledger_and_are_made_good_if_lost() {
    let (_folder, dir) = fresh();
    found(&dir, 1);
    append_at_once(&dir, 254);
    assert!(tiles_in(&dir).is_empty(), "nothing is full");
    append_at_once(&dir, 300);
    let tiles = tiles_in(&dir);
    let names: Vec<&String> = tiles.keys().collect();
    assert_eq!(names, ["tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"]);
    let ledger = SqliteLedger::open(&dir).unwrap();
    for (n, name) in ["tile/entries/000", "tile/entries/001"].into_iter().enumerate() {
        let entries = ledger::tiles::unbundle(&tiles[name]).unwrap();
        let stored = ledger.read(n as u64 * 256, 256).unwrap();
        assert_eq!(entries.len(), 256);
        assert!(entries.iter().zip(stored).all(|(leaf, receipt)| receipt.entry.encode().unwrap() == *leaf));
    }
    drop(ledger);
    // A kill between two files leaves the later ones away.
    std::fs::remove_file(dir.join("tile/entries/001")).unwrap();
    append_at_once(&dir, 1);
    assert_eq!(tiles_in(&dir), tiles);
    assert!(verify_ledger(&dir).unwrap().ok());
}

#[test]
fn an_export_is_the_whole_log_and_can_be_continued() {
    let (folder, dir) = fresh();
    let out = folder.path().join("mirror");
    assert_eq!(export_tiles(&dir, &out).unwrap_err().kind(), Kind::Absent);
    found(&dir, 1);
    append_at_once(&dir, 299);
    let first = export_tiles(&dir, &out).unwrap();
    assert_eq!((first.entries, first.files, first.written), (300, 5, 5));
    append_at_once(&dir, 300);
    let second = export_tiles(&dir, &out).unwrap();
    assert_eq!((second.entries, second.files, second.written), (600, 7, 5));
    assert_eq!(export_tiles(&dir, &out).unwrap().written, 0);
    // A stranger rebuilds the log from the files alone.
    let read = |name: &str| std::fs::read(out.join(name)).unwrap();
    let key = Verifier::parse(&String::from_utf8(read("log.vkey")).unwrap()).unwrap();
    let checkpoint = ledger::Checkpoint::open(&String::from_utf8(read("checkpoint")).unwrap(), &key).unwrap();
    let mut tree = ledger::Tree::default();
    for name in ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"] {
        let bundle = read(name);
        ledger::tiles::unbundle(&bundle).unwrap().iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
    }
    assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));
    for tile in ledger::tiles::all(600).filter(|tile| tile.level().is_some()) {
        assert_eq!(read(&tile.to_string()), tile.hash_bytes(&tree).unwrap(), "{tile}");
    }
}

#[test]
fn an_export_goes_over_nobody_elses_files() {
    let (folder, dir) = fresh();
    let out = folder.path().join("mirror");
    found(&dir, 1);
    append_at_once(&dir, 255);
    export_tiles(&dir, &out).unwrap();
    let mut all = String::new();
    let mut refused = |dir: &Path, out: &Path, what: &str| {
        let error = export_tiles(dir, out).unwrap_err();
        all.push_str(&format!("{what}: {}\n", said(folder.path(), &error)));
    };
    let other = folder.path().join("other");
    append(&SqliteLedger::create(&other, "test.example", [7; 32]).unwrap(), 5, 7);
    refused(&other, &out, "another log");
    refused(&dir, &dir, "itself");
    std::fs::write(out.join("tile/0/000"), "damaged").unwrap();
    refused(&dir, &out, "a damaged tile");
    insta::assert_snapshot!(all);
}
