//! The whole story, the proof of it afterwards, and what a kill in the middle of it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

mod common;

use common::{json, run, stable, trainer, wardmote};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn demo(dir: &Path) -> Vec<Value> {
    let output = wardmote(dir).arg("--json").arg("demo").arg("--trainer").arg(trainer()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_whole_story() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let lines = demo(&dir);
    let (end, steps) = lines.split_last().unwrap();
    assert_eq!(end["finished"], true);
    assert_eq!(end["summary"].as_array().unwrap().len(), 10);
    let chapters: BTreeSet<u64> = steps.iter().map(|step| step["chapter"].as_u64().unwrap()).collect();
    assert_eq!(chapters, (1..=9).collect());
    // Every command that decides something leaves evidence, refusals too.
    for step in steps {
        let command = step["command"].as_str().unwrap_or_default();
        let decides = [
            " apply ",
            " data import ",
            " data read ",
            " pseudonymise ",
            " model ",
            " labels ",
            " monitor ",
            " card ",
        ];
        if decides.iter().any(|word| command.contains(word)) {
            let evidence = step["evidence"].as_array().and_then(|list| list.last()).and_then(Value::as_str);
            assert!(evidence.is_some_and(|id| id.parse::<facts::EvidenceId>().is_ok()), "{command}: {step}");
        }
    }
    history_is_right(&dir, steps);
    the_house_is_audited(&dir);
    nothing_sensitive_lies_about(&dir);
    any_flipped_bit_is_named(&dir);
    let again = run(&dir, &["demo"]);
    assert_eq!(again.status.code(), Some(6));
    insta::assert_snapshot!(stable(&dir, &String::from_utf8_lossy(&again.stderr)), @r"
    error: the folder `DIR` holds a demo that ran to its end
      help: look at it with `wardmote --dir DIR log`, or set it aside and start afresh with `--again`
    ");
}

/// The same controls as of an account, of the house itself.
fn the_house_is_audited(dir: &Path) {
    let kept = dir.join("house.json");
    let output = run(dir, &["audit", "--house", "--format", "json", "--save", &kept.display().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let wholes = report["findings"].as_array().unwrap().iter().filter(|finding| finding["partOf"].is_null());
    let line = |finding: &Value| {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let (control, verdict) = (word(&finding["control"]), word(&finding["verdict"]));
        format!("{control} {verdict} {}\n", word(&finding["resource"]["logicalId"]))
    };
    insta::assert_snapshot!(wholes.map(line).collect::<String>());
    let again = run(dir, &["audit", &kept.display().to_string(), "--format", "json"]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["summary"], report["summary"]);
    std::fs::remove_file(kept).unwrap();
}

/// What served before, between and after the deployments.
fn history_is_right(dir: &Path, steps: &[Value]) {
    let serving = |time: &str| {
        let mut words = vec!["history", "--model", "credit-scoring"];
        if !time.is_empty() {
            words.extend(["--as-of", time]);
        }
        json(dir, &words)["serving"].clone()
    };
    let log = json(dir, &["log", "--limit", "100000"]);
    let moments: Vec<(String, u64)> = log
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| {
            let event = &entry["body"]["event"];
            let version = match event["event"].as_str()? {
                "deployed" => event["version"].as_u64()?,
                "rolled_back" => event["to"].as_u64()?,
                _ => return None,
            };
            Some((entry["time"].as_str()?.to_owned(), version))
        })
        .collect();
    assert_eq!(moments.iter().map(|(_, version)| *version).collect::<Vec<_>>(), [2, 3, 2]);
    for (time, version) in &moments {
        let served = serving(time);
        assert_eq!(served["version"], *version, "from {time} on");
        assert!(!served["approved_by"].as_array().unwrap().is_empty());
        let just_before: facts::Timestamp =
            facts::Timestamp::from_unix_ms(time.parse::<facts::Timestamp>().unwrap().unix_ms() - 1).unwrap();
        assert_ne!(serving(&just_before.to_string())["since"], *time, "just before {time}");
    }
    assert!(serving("2020-01-01").is_null());
    assert_eq!(serving("")["version"], 2);
    assert_eq!(serving("")["how"], "rolled_back_to");
    let asked = steps
        .iter()
        .filter(|step| step["command"].as_str().is_some_and(|command| command.contains(" history ")))
        .count();
    assert_eq!(asked, 3);
}

/// No plain personal data, no access key but in the one file for keys, and only the owner can read.
fn nothing_sensitive_lies_about(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mut files = Vec::new();
    collect(dir, &mut files);
    let keys: serde_json::Map<String, Value> =
        serde_json::from_slice(&std::fs::read(dir.join("credentials.json")).unwrap()).unwrap();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds("critical account/ other credits"), "plain data in {}", file.display());
        let secret = keys.values().any(|key| holds(key.as_str().unwrap()));
        assert_eq!(secret, file.ends_with("credentials.json"), "{}", file.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o077;
        let public = ["checkpoint", "seal.lock"].iter().any(|name| file.ends_with(name));
        assert!(mode == 0 || public, "{} can be read by others", file.display());
    }
}

fn collect(dir: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn any_flipped_bit_is_named(dir: &Path) {
    let file = dir.join("ledger/ledger.db");
    let whole = std::fs::read(&file).unwrap();
    for n in 0..25usize {
        let mut bytes = whole.clone();
        let at = (n * 7_919_771 + n * n * 104_729) % bytes.len();
        bytes[at] ^= 1 << (n % 8);
        std::fs::write(&file, &bytes).unwrap();
        let output = run(dir, &["verify"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(7), "byte {at}: {text}");
        assert!(text.contains("entr"), "{text}");
    }
    std::fs::write(&file, &whole).unwrap();
    assert!(run(dir, &["verify"]).status.success());
}

#[test]
fn a_killed_demo_loses_nothing_that_was_acknowledged() {
    let trainer = trainer();
    let mut pauses = [40u64, 150, 400, 800, 1300, 2000, 3000, 4500].into_iter();
    std::thread::scope(|scope| {
        for pause in pauses.by_ref() {
            let trainer = &trainer;
            scope.spawn(move || kill_after(Duration::from_millis(pause), trainer));
        }
    });
}

fn kill_after(pause: Duration, trainer: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut child = wardmote(&dir)
        .arg("--json")
        .arg("demo")
        .arg("--trainer")
        .arg(trainer)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(pause);
    child.kill().unwrap();
    let lines: Vec<String> =
        BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    child.wait().unwrap();
    // Children of the demo may still be at work for a moment.
    std::thread::sleep(Duration::from_millis(500));
    let acknowledged: Vec<String> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .flat_map(|line| line["evidence"].as_array().cloned().unwrap_or_default())
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    if !dir.join("ledger/ledger.db").exists() {
        assert!(acknowledged.is_empty());
        return;
    }
    let output = run(&dir, &["verify"]);
    assert!(output.status.success(), "after {pause:?}: {}", String::from_utf8_lossy(&output.stdout));
    let stored: BTreeSet<String> = json(&dir, &["log", "--limit", "100000"])
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["evidence"].as_str().unwrap().to_owned())
        .collect();
    for id in acknowledged {
        assert!(stored.contains(&id), "{id} was acknowledged and is lost");
    }
    assert_eq!(run(&dir, &["demo"]).status.code(), Some(6));
}
