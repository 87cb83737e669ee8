//! What a house on AWS says of the lifecycle of its bucket, grants of its keys, and the key that signs its checkpoints, against
//! the emulator; and the same of embedded keys.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, stable, trainer};
use facts::Timestamp;
use on_aws::{actions, json, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};
use support::proxy::{Fate, Proxy, json_error, xml_error};
use support::{Emulator, script};

/// A house with snapshots. An auditor may read what is pseudonymised, and uses no key.
fn founded(dir: &Path, at: SocketAddr, places: &[&str]) {
    let trainer = trainer();
    json(dir, at, &[&["init", "--trainer", trainer.to_str().unwrap()], places].concat());
    let charter = dir.join("charter.yaml");
    let text = fs::read_to_string(&charter).unwrap();
    let changed =
        text.replace("readers: [ml-training, automation]", "readers: [ml-training, automation, auditor]");
    assert_ne!(text, changed, "the example's charter has these readers");
    fs::write(&charter, changed).unwrap();
    json(dir, at, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv").display().to_string();
    json(dir, at, &["data", "import", "credit-raw", &file, "--label", "first", "--as", "diego"]);
    json(dir, at, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
}

/// The snapshot that is pseudonymised.
fn training(dir: &Path, at: SocketAddr) -> String {
    let list = json(dir, at, &["data", "list"]);
    let found =
        list.as_array().unwrap().iter().find(|one| one["dataset"] == "credit-training").unwrap().clone();
    found["name"].as_str().unwrap().to_owned()
}

/// Without ids of grants and the day.
fn masked(dir: &Path, text: &str, snapshot: &str) -> String {
    let text = stable(dir, &text.replace(snapshot, "credit-training/DAY"));
    let word = |word: &str| {
        let hex = word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        match word {
            _ if hex => "ID".to_owned(),
            _ if word.starts_with("(e") && word.ends_with(')') => "(EVIDENCE)".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_lifecycle_of_the_bucket_is_that_of_the_charter() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let emulator = Emulator::get();
    let proxy = Proxy::before(Some(emulator.address));
    let at = proxy.address;
    emulator.bucket("lifecycle");
    let trainer = trainer();
    let words = ["init", "--trainer", trainer.to_str().unwrap(), "--objects", "s3://lifecycle/house/"];
    json(&dir, at, &words);
    json(&dir, at, &["apply", "--as", "carla"]);
    let mut all = said(&dir, at, &["aws", "lifecycle"]);
    let answer = json_of(&dir, at, &["aws", "lifecycle"]);
    let put = |rules: &Value| {
        let file = dir.join("rules.json");
        fs::write(&file, rules.to_string()).unwrap();
        script("lifecycle.py", "put", emulator.address, &format!("lifecycle|{}", file.display()));
    };
    put(&answer["rules"]);
    all.push_str(&said(&dir, at, &["aws", "lifecycle"]));
    proxy.seen();
    assert!(run(&dir, at, &["aws", "lifecycle"]).status.success(), "the rules that it gives hold");
    let asked = proxy.seen();
    assert!(asked.iter().any(|request| request.starts_with("GET /lifecycle/?lifecycle=")), "{asked:?}");
    let allowed = actions(&json(&dir, at, &["aws", "permissions", "aws", "lifecycle"]));
    assert!(allowed.contains("s3:GetLifecycleConfiguration"), "{allowed:?}");
    // Somebody lets all of it end after a month.
    let mut rules = answer["rules"].clone();
    let month = serde_json::json!({"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}});
    rules["Rules"].as_array_mut().unwrap().push(month);
    put(&rules);
    all.push_str(&said(&dir, at, &["aws", "lifecycle"]));
    proxy.always("?lifecycle=", xml_error(403, "AccessDenied"));
    all.push_str(&said(&dir, at, &["aws", "lifecycle"]));
    let embedded = folder.path().join("embedded");
    json(&embedded, at, &["init", "--trainer", trainer.to_str().unwrap()]);
    all.push_str(&said(&embedded, at, &["aws", "lifecycle"]));
    insta::assert_snapshot!(stable(&dir, &all));
}

/// The answer of a command that may end with something else than 0.
fn json_of(dir: &Path, at: SocketAddr, words: &[&str]) -> Value {
    let output = run(dir, at, &[&["--json"], words].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_role_reads_by_a_grant_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    // Nobody is called: everything is embedded.
    let at = SocketAddr::from(([127, 0, 0, 1], 9));
    founded(&dir, at, &[]);
    let snapshot = training(&dir, at);
    let out = dir.join("out").display().to_string();
    let read = ["data", "read", &snapshot, "--out", &out, "--as", "omar"];
    let address = format!("s3://datasets/{snapshot}/");
    let give = ["key", "grant", "credit-data", "auditor", "--snapshot", &address, "--reason", "yearly audit"];
    let mut all = String::new();
    let mut say = |words: &[&str]| all.push_str(&masked(&dir, &said(&dir, at, words), &snapshot));
    say(&read);
    say(&[&give[..], &["--as", "ada"]].concat());
    say(&[&give[..], &["--as", "selma"]].concat());
    say(&[&give[..], &["--as", "selma"]].concat());
    say(&["key", "grants"]);
    say(&read);
    say(&[
        "key",
        "grant",
        "credit-data",
        "security-engineer",
        "--snapshot",
        &address,
        "--reason",
        "x",
        "--as",
        "selma",
    ]);
    say(&["key", "grant", "credit-data", "nobody", "--snapshot", &address, "--reason", "x", "--as", "selma"]);
    say(&[
        "key",
        "grant",
        "model-signing",
        "auditor",
        "--snapshot",
        &address,
        "--reason",
        "x",
        "--as",
        "selma",
    ]);
    say(&["key", "grant", "credit-data", "auditor", "--context", "kind", "--reason", "x", "--as", "selma"]);
    say(&["key", "revoke-grant", "credit-data", "none", "--reason", "x", "--as", "selma"]);
    // Somebody gives a grant past the record, and takes ours back.
    let file = dir.join("keys/credit-data.json");
    let mut key: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let own = key["grants"][0].clone();
    key["grants"][0]["name"] = "other".into();
    key["grants"][0]["id"] = "0".repeat(64).into();
    key["grants"][0]["constraint"]["EncryptionContextSubset"]["subject"] = "credit-raw/first".into();
    fs::write(&file, key.to_string()).unwrap();
    say(&["key", "grants", "credit-data"]);
    say(&read);
    key["grants"][0] = own.clone();
    fs::write(&file, key.to_string()).unwrap();
    let id = own["id"].as_str().unwrap();
    say(&["key", "revoke-grant", "credit-data", id, "--reason", "the audit is over", "--as", "selma"]);
    say(&["key", "grants"]);
    say(&read);
    let log = json(&dir, at, &["log", "--limit", "100000"]);
    let uses = log.as_array().unwrap().iter().filter(|entry| entry["body"]["grant"] == id);
    assert_eq!(uses.count(), 2, "each use names its grant, also the one that the key service refused");
    assert!(run(&dir, at, &["verify"]).status.success());
    insta::assert_snapshot!(all);
}

#[test]
fn a_role_reads_by_a_grant_of_kms_too() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    let places = [
        "--keys",
        "kms:alias/grants-house/",
        "--key-administrator",
        "arn:aws:iam::123456789012:role/security",
        "--key-user",
        "arn:aws:iam::123456789012:role/house",
    ];
    founded(&dir, at, &places);
    let snapshot = training(&dir, at);
    let out = dir.join("out").display().to_string();
    let read = ["data", "read", &snapshot, "--out", &out, "--as", "omar"];
    assert_eq!(run(&dir, at, &read).status.code(), Some(3));
    let give = [
        "key",
        "grant",
        "credit-data",
        "auditor",
        "--snapshot",
        &snapshot,
        "--reason",
        "audit",
        "--as",
        "selma",
    ];
    let mut all = masked(&dir, &said(&dir, at, &give), &snapshot);
    let called = |words: &[&str]| -> BTreeSet<String> {
        proxy.seen();
        json(&dir, at, words);
        let seen = proxy.seen();
        let names =
            seen.iter().filter_map(|request| request.split_once("TrentService.")?.1.split("\r\n").next());
        names.map(|name| format!("kms:{name}")).collect()
    };
    let allowed = |name: &[&str]| {
        let all = actions(&json(&dir, at, &[&["aws", "permissions"], name].concat()));
        all.into_iter().filter(|action| action.starts_with("kms:")).collect::<BTreeSet<_>>()
    };
    let principal = ["--principal", "arn:aws:iam::123456789012:role/auditors"];
    assert_eq!(called(&[&give[..], &principal].concat()), allowed(&["key", "grant"]));
    assert!(called(&["key", "grants"]).is_subset(&allowed(&["key", "grants"])), "it looks only");
    json(&dir, at, &read);
    assert!(proxy.seen().iter().any(|request| request.contains("Action=AssumeRole")), "as the grantee");
    let grants = json(&dir, at, &["key", "grants", "credit-data"]);
    let id = grants[0]["id"].as_str().unwrap().to_owned();
    let back = ["key", "revoke-grant", "credit-data", &id, "--reason", "over", "--as", "selma"];
    assert_eq!(called(&back), allowed(&["key", "revoke-grant"]));
    all.push_str(&masked(&dir, &said(&dir, at, &read), &snapshot));
    insta::assert_snapshot!(all);
}

/// So many seconds from now.
fn soon(seconds: u64) -> Timestamp {
    let at = SystemTime::now() + Duration::from_secs(seconds);
    let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_unix_ms(i64::try_from(at).unwrap()).unwrap()
}

/// What a role reads by a grant with an end, before and after; `principal` is the role in the key service.
fn ends(dir: &Path, at: SocketAddr, principal: &[&str]) -> String {
    let snapshot = training(dir, at);
    let out = dir.join("out").display().to_string();
    let read = ["data", "read", &snapshot, "--out", &out, "--as", "omar"];
    let give = ["key", "grant", "credit-data", "auditor", "--snapshot", &snapshot, "--reason", "audit"];
    let give = [&give[..], principal, &["--as", "selma"]].concat();
    let mut all = String::new();
    let mut say = |words: &[&str]| {
        let text = masked(dir, &said(dir, at, words), &snapshot);
        // Times and ids are of this run; ids of the emulator are short.
        let word = |word: &str| {
            let bare = word.trim_matches('`');
            let id = matches!(bare.len(), 8 | 64) && bare.bytes().all(|b| b.is_ascii_hexdigit());
            match word {
                _ if id => "ID".to_owned(),
                _ if word.contains("DATET") => "TIME".to_owned(),
                _ => word.to_owned(),
            }
        };
        let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
        let lines = text.lines().filter(|line| !line.starts_with("$ "));
        all.push_str(&lines.map(line).collect::<Vec<_>>().join("\n"));
        all.push('\n');
    };
    say(&[&give[..], &["--until", "2020-01-01"]].concat());
    say(&[&give[..], &["--until", "tomorrow"]].concat());
    let end = soon(12);
    say(&[&give[..], &["--until", &end.to_string()]].concat());
    json(dir, at, &read);
    assert!(soon(0) < end, "this machine is too slow for this test");
    while soon(0) <= end {
        std::thread::sleep(Duration::from_millis(100));
    }
    say(&read);
    say(&["key", "grants"]);
    // Given again with another end, it is the same grant of the key service.
    say(&[&give[..], &["--until", "2999-01-01"]].concat());
    json(dir, at, &read);
    json(dir, at, &[&give[..], &["--until", &soon(3).to_string()]].concat());
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(run(dir, at, &["key", "grants", "--ended", "--as", "omar"]).status.code(), Some(3));
    say(&["key", "grants", "--ended", "--as", "selma"]);
    say(&["key", "grants", "--ended", "--as", "selma"]);
    say(&["key", "grants"]);
    let given = json(dir, at, &give);
    let id = given["grant"]["id"].as_str().unwrap();
    let retire = ["key", "retire-grant", "credit-data", id, "--reason", "not needed"];
    for who in ["ada", "selma", "omar", "omar"] {
        say(&[&retire[..], &["--as", who]].concat());
    }
    say(&read);
    all
}

#[test]
fn a_grant_ends_and_is_given_back_embedded_as_in_kms() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    founded(&dir, SocketAddr::from(([127, 0, 0, 1], 9)), &[]);
    let embedded = ends(&dir, SocketAddr::from(([127, 0, 0, 1], 9)), &[]);
    assert!(run(&dir, SocketAddr::from(([127, 0, 0, 1], 9)), &["verify"]).status.success());

    let dir = folder.path().join("in-kms");
    let proxy = Proxy::before(Some(Emulator::get().address));
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let [security, house, auditors] = ["security", "house", "auditors"].map(role);
    let places = ["--keys", "kms:alias/ending/", "--key-administrator", &security, "--key-user", &house];
    founded(&dir, proxy.address, &places);
    let in_kms = ends(&dir, proxy.address, &["--principal", &auditors]);
    let same = |text: &str| text.replace(&auditors, "auditor");
    assert_eq!(same(&in_kms), embedded, "the same words, wherever keys are");
    let seen = proxy.seen();
    let retired = seen.iter().filter(|request| request.contains("TrentService.RetireGrant"));
    let once = retired.collect::<Vec<_>>();
    assert!(once.len() == 1 && once[0].contains("arn:aws:kms:"), "as the grantee, by the ARN of the key");
    let allowed =
        |words: &[&str]| actions(&json(&dir, proxy.address, &[&["aws", "permissions"], words].concat()));
    assert!(allowed(&["key", "grants"]).contains("kms:RevokeGrant"));
    assert!(!allowed(&["key", "retire-grant"]).contains("kms:RetireGrant"), "no policy allows it");
    insta::assert_snapshot!(embedded);
}

/// The charter of the example with one more key that signs checkpoints.
fn with_signer(dir: &Path, id: &str) {
    let charter = dir.join("charter.yaml");
    let text = fs::read_to_string(&charter).unwrap();
    let key = format!(
        "  - id: {id}\n    description: signs checkpoints\n    administrators: [security-engineer]\n    users: [automation]\n\ndatasets:\n"
    );
    fs::write(&charter, text.replacen("\ndatasets:\n", &key, 1)).unwrap();
}

/// A house with keys in KMS, of which one signs checkpoints.
struct Signed {
    folder: tempfile::TempDir,
    proxy: Proxy,
    straight: SocketAddr,
}

impl Signed {
    fn founded(prefix: &str) -> Self {
        let (folder, straight) = (tempfile::tempdir().unwrap(), Emulator::get().address);
        let house = Self { folder, proxy: Proxy::before(Some(straight)), straight };
        founded(&house.dir(), house.straight, &["--keys", &format!("kms:alias/{prefix}/")]);
        house
    }

    fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("house")
    }

    fn json(&self, words: &[&str]) -> Value {
        json(&self.dir(), self.straight, words)
    }

    /// Verified by others, after the specification, with the key that KMS tells them; its verifier key.
    fn verified(&self, alias: &str) -> String {
        let note = self.dir().join("ledger/checkpoint").display().to_string();
        script("checkpoint.py", "verify", self.straight, &format!("alias/{alias}|{note}"))
    }

    /// A file with the ledger's own key and another.
    fn keys(&self, vkey: &str) -> String {
        let path = self.folder.path().join("keys.txt");
        let own = fs::read_to_string(self.dir().join("ledger/log.vkey")).unwrap();
        fs::write(&path, format!("# of the bank\n{own}{vkey}")).unwrap();
        path.display().to_string()
    }
}

#[test]
fn a_key_of_kms_signs_checkpoints_until_another_does() {
    let house = Signed::founded("checkpoints");
    let (dir, at) = (house.dir(), house.straight);
    let allowed = || actions(&house.json(&["aws", "permissions", "data", "import"]));
    assert!(!allowed().contains("kms:Sign"), "no key signs checkpoints yet");
    with_signer(&dir, "ledger-signing");
    house.json(&["apply", "--as", "carla"]);
    assert!(allowed().contains("kms:Sign"));
    let vkey = house.verified("checkpoints/ledger-signing");
    let report = house.json(&["verify"]);
    assert_eq!(report["checkpoint"][0]["verifier"], vkey.trim(), "{report}");
    assert_eq!(
        (&report["checkpoint"][0]["verdict"], &report["checkpoint"][0]["entries"]),
        (&"holds".into(), &report["entries"])
    );
    let keys = house.keys(&vkey);
    house.json(&["verify", "--log-keys", &keys]);

    with_signer(&dir, "ledger-signing-2");
    house.json(&["apply", "--as", "carla"]);
    let next = house.verified("checkpoints/ledger-signing-2");
    assert_eq!(house.json(&["verify"])["checkpoint"][0]["verifier"], next.trim());
    assert_eq!(
        run(&dir, at, &["verify", "--log-keys", &keys]).status.code(),
        Some(7),
        "not by the earlier one"
    );
    let log = house.json(&["log", "--limit", "100000"]);
    let recorded =
        log.as_array().unwrap().iter().filter(|entry| entry["body"]["fact"] == "checkpoint_signer");
    let recorded: BTreeSet<&str> =
        recorded.map(|entry| entry["body"]["verifier"].as_str().unwrap()).collect();
    assert_eq!(recorded, BTreeSet::from([vkey.trim(), next.trim()]), "both are on record");
    // Somebody with the files of the house, and the seed in them, takes the line off.
    let path = dir.join("ledger/checkpoint");
    let note = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = note.lines().collect();
    fs::write(&path, format!("{}\n", lines[..lines.len() - 1].join("\n"))).unwrap();
    let text = said(&dir, at, &["verify"]).replace(next.trim(), "VKEY");
    let text: String =
        text.lines().filter(|line| !line.starts_with("the ledger")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(masked(&dir, &text, "no snapshot"));
}

#[test]
fn while_kms_does_not_sign_nothing_is_lost() {
    let house = Signed::founded("unsigned");
    let (dir, at) = (house.dir(), house.proxy.address);
    with_signer(&dir, "ledger-signing");
    house.json(&["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv").display().to_string();
    let import = ["data", "import", "credit-raw", &file, "--label", "later", "--as", "diego"];
    let mut all = String::new();
    let there = || json_of(&dir, house.straight, &["verify"]);
    let mut before = None;
    let denied = json_error(400, "AccessDeniedException");
    for trouble in [json_error(400, "KMSInvalidStateException"), denied, Fate::Reset] {
        let proxy = Proxy::before(Some(house.straight));
        proxy.always("TrentService.Sign\r", trouble);
        if before.is_none() {
            // What is acknowledged before it is noticed is owed.
            let earlier = ["data", "import", "credit-raw", &file, "--label", "earlier", "--as", "diego"];
            run(&dir, proxy.address, &earlier);
            before = Some(there()["entries"].clone());
        }
        let text = said(&dir, proxy.address, &import).replace(&file, "FILE");
        all.push_str(&format!("{}\n", masked(&dir, &text, "no snapshot")));
        let report = there();
        assert!(report["findings"].as_array().unwrap().is_empty(), "{report}");
        assert_eq!(before.as_ref(), Some(&report["entries"]), "nothing is lost, and nothing more appended");
        assert!(report["checkpoint"][0]["entries"].as_u64() < report["entries"].as_u64(), "{report}");
    }
    // With KMS there again, the next command goes on.
    json(&dir, at, &["credential", "issue", "ada", "--as", "carla"]);
    let vkey = house.verified("unsigned/ledger-signing");
    house.json(&["verify", "--log-keys", &house.keys(&vkey)]);
    insta::assert_snapshot!(all);
}

#[test]
fn proofs_are_signed_by_all_keys_that_are_brought() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    let at = SocketAddr::from(([127, 0, 0, 1], 9));
    founded(&dir, at, &[]);
    with_signer(&dir, "ledger-signing");
    json(&dir, at, &["apply", "--as", "carla"]);
    json(&dir, at, &["model", "train", "credit-scoring", "--as", "ada"]);
    let proof = folder.path().join("proof").display().to_string();
    json(&dir, at, &["who-approved", "credit-scoring", "1", "--proof", &proof]);
    let vkey = json(&dir, at, &["verify"])["checkpoint"][0]["verifier"].as_str().unwrap().to_owned();
    let own = fs::read_to_string(dir.join("ledger/log.vkey")).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let both = file("both", &format!("{own}{vkey}\n"));
    assert!(run(&dir, at, &["log", "verify-proof", &proof, "--vkey", &both]).status.success());
    let mut all = String::new();
    for wrong in [file("one", &vkey), file("none", "\n"), file("word", "word")] {
        all.push_str(&said(&dir, at, &["log", "verify-proof", &proof, "--vkey", &wrong]));
    }
    let other = folder.path().join("other");
    founded(&other, at, &[]);
    with_signer(&other, "ledger-signing");
    json(&other, at, &["apply", "--as", "carla"]);
    let theirs = json(&other, at, &["verify"])["checkpoint"][0]["verifier"].as_str().unwrap().to_owned();
    let theirs = file("theirs", &format!("{own}{theirs}\n"));
    let output = run(&dir, at, &["log", "verify-proof", &proof, "--vkey", &theirs]);
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stdout));
    insta::assert_snapshot!(all.replace(folder.path().to_str().unwrap(), "PARENT"));
}
