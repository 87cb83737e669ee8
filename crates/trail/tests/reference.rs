//! A folder as CloudTrail fills it, tampered with in every way that comes to mind, beside what the AWS CLI's
//! `cloudtrail validate-logs` says to the same (`reference/make_reference.py`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::{Timestamp, Verdict};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use trail::{Folder, PublicKeys, Report, Window, verify};

type Files = BTreeMap<String, Vec<u8>>;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/reference.json")).unwrap()
}

fn files(of: &Value) -> Files {
    let decoded =
        |(name, value): (&String, &Value)| (name.clone(), STANDARD.decode(value.as_str().unwrap()).unwrap());
    of.as_object().unwrap().iter().map(decoded).collect()
}

fn keys(reference: &Value) -> PublicKeys {
    PublicKeys::parse(reference["keys"].to_string().as_bytes()).unwrap()
}

fn report(files: &Files, keys: &PublicKeys, window: Window) -> Report {
    let names = files.keys().cloned().collect();
    let read = |name: &str| files.get(name).cloned().ok_or_else(|| "it cannot be read".to_owned());
    verify(&Folder { names: &names, read: &read }, keys, &window)
}

fn window(from: &str, to: &str) -> Window {
    let time = |text: &str| (!text.is_empty()).then(|| text.parse::<Timestamp>().unwrap());
    Window { from: time(from), to: time(to) }
}

/// A report in lines, with names short.
fn lines(report: &Report) -> String {
    let mut text = String::new();
    for chain in &report.chains {
        let proved: Vec<String> =
            chain.proved.iter().map(|stretch| format!("{} to {}", stretch.from, stretch.to)).collect();
        let Some(name) = chain.name.split('_').nth(3) else { continue };
        let proved = proved.join(", ");
        writeln!(text, "  {name}: {} digests, {} log files; {proved}", chain.digests, chain.log_files)
            .unwrap();
    }
    for finding in &report.findings {
        let file = finding.file.rsplit('/').next().unwrap();
        let stretch = finding
            .stretch
            .map(|stretch| format!(" [{} to {}]", stretch.from, stretch.to))
            .unwrap_or_default();
        writeln!(text, "  {file}{stretch} {}", finding.verdict).unwrap();
    }
    for (long, short) in [
        ("111122223333_CloudTrail", "CT"),
        ("_eu-central-1", ""),
        (".000Z", "Z"),
        ("AWSLogs/111122223333/CloudTrail-Digest/eu-central-1/", ""),
    ] {
        text = text.replace(long, short);
    }
    text
}

#[test]
fn what_the_aws_cli_finds_is_found() {
    let reference = reference();
    let (whole, keys) = (files(&reference["files"]), keys(&reference));
    let mut all = String::new();
    for case in reference["cases"].as_array().unwrap() {
        let mut changed = whole.clone();
        for (name, change) in case["changes"].as_object().unwrap() {
            match change.as_str() {
                Some(bytes) => changed.insert(name.clone(), STANDARD.decode(bytes).unwrap()),
                None => changed.remove(name),
            };
        }
        let found = report(&changed, &keys, Window::default());
        let name = case["case"].as_str().unwrap();
        // A signature is in the digest after it too, so it is known without the metadata of its own object.
        let known_otherwise = name == "all but the newest signatures are deleted";
        let cli_finds = !case["cli"].as_array().unwrap().is_empty() && !known_otherwise;
        // The AWS CLI does not look at the end of gzip, at log files that no digest names, and trusts the newest digest.
        let stricter =
            ["a log file is cut", "a log file that no digest names is there", "the last digest is deleted"];
        assert_eq!(
            found.verdict != Verdict::Holds,
            cli_finds || stricter.contains(&name),
            "{name}: {found:?}"
        );
        writeln!(all, "{name}\n{}", lines(&found)).unwrap();
    }
    // Fingerprints are made with the keys.
    let fingerprint = |text: &str| {
        text.split('`')
            .map(|part| if part.len() == 32 { "FINGERPRINT" } else { part })
            .collect::<Vec<_>>()
            .join("`")
    };
    insta::assert_snapshot!(fingerprint(&all));
}

#[test]
fn a_trail_that_was_stopped_has_a_gap() {
    let reference = reference();
    let (files, keys) = (files(&reference["stopped"]["files"]), keys(&reference));
    insta::assert_snapshot!(lines(&report(&files, &keys, Window::default())));
    // Before and after the gap everything is proved.
    for (from, to) in
        [("2025-08-17T14:01:31Z", "2025-08-17T16:01:31Z"), ("2025-08-17T18:01:31Z", "2025-08-17T20:01:31Z")]
    {
        assert_eq!(report(&files, &keys, window(from, to)).verdict, Verdict::Holds, "{from} to {to}");
    }
}

#[test]
fn the_time_asked_about_is_proved_or_not() {
    let reference = reference();
    let (mut files, keys) = (files(&reference["files"]), keys(&reference));
    let mut all = String::new();
    let mut ask = |files: &Files, what: &str, from: &str, to: &str| {
        writeln!(all, "{what} {from} to {to}\n{}", lines(&report(files, &keys, window(from, to)))).unwrap();
    };
    ask(&files, "all of it", "2025-08-17T14:01:31Z", "2025-08-17T19:01:31Z");
    ask(&files, "two hours", "2025-08-17T15:30:00Z", "2025-08-17T17:00:00Z");
    ask(&files, "too early", "2025-08-17T12:00:00Z", "");
    ask(&files, "too late", "", "2025-08-17T20:00:00Z");
    ask(&files, "long before", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    // A copy that begins later is good for its time.
    files.retain(|name, _| !name.contains("T150131Z") && !name.contains("T1412Z"));
    ask(&files, "a part of it", "2025-08-17T15:01:31Z", "");
    ask(&files, "a part of it", "", "");
    insta::assert_snapshot!(all);
}

#[test]
fn the_folder_may_begin_anywhere_in_the_bucket() {
    let reference = reference();
    let keys = keys(&reference);
    let deeper = |lead: &str| -> Files {
        files(&reference["files"])
            .into_iter()
            .map(|(name, bytes)| (name.strip_prefix(lead).unwrap().to_owned(), bytes))
            .collect()
    };
    for lead in ["AWSLogs/", "AWSLogs/111122223333/"] {
        let found = report(&deeper(lead), &keys, Window::default());
        assert_eq!((found.verdict, found.chains[0].log_files), (Verdict::Holds, 5), "{lead}");
    }
}

#[test]
fn nothing_is_not_proof() {
    let reference = reference();
    let (whole, keys) = (files(&reference["files"]), keys(&reference));
    let unknown = |files: &Files, keys: &PublicKeys| {
        assert!(matches!(report(files, keys, Window::default()).verdict, Verdict::Unknown { .. }));
    };
    unknown(&Files::new(), &keys);
    unknown(&whole, &PublicKeys::default());
    let logs_only: Files = whole
        .iter()
        .filter(|(name, _)| !name.contains("-Digest"))
        .map(|(n, b)| (n.clone(), b.clone()))
        .collect();
    unknown(&logs_only, &keys);
    // A key that was not valid then does not sign.
    let text = reference["keys"].to_string().replace("2026-06-01", "2025-07-01");
    let late = PublicKeys::parse(text.as_bytes()).unwrap();
    assert!(matches!(report(&whole, &late, Window::default()).verdict, Verdict::Broken { .. }));
}

#[test]
fn no_bit_can_be_flipped_unseen() {
    let reference = reference();
    let (whole, keys) = (files(&reference["files"]), keys(&reference));
    assert_eq!(report(&whole, &keys, Window::default()).verdict, Verdict::Holds);
    for (name, bytes) in &whole {
        for at in (0..bytes.len()).step_by(61).chain([bytes.len() - 1]) {
            // The header of gzip (a time, a system) and its checksum say nothing about the content.
            let spared = name.ends_with(".gz")
                && ((4..10).contains(&at) || (bytes.len() - 8..bytes.len() - 4).contains(&at));
            let mut changed = whole.clone();
            changed.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            let found = report(&changed, &keys, Window::default());
            let signature = name.ends_with(".head.json");
            assert!(spared || signature || found.verdict != Verdict::Holds, "byte {at} of {name}");
        }
    }
}

#[test]
fn lists_of_keys_that_are_none_are_refused() {
    let reference = reference();
    let listed = reference["keys"].to_string();
    let seconds = listed.replace("\"2025-06-01T00:00:00+00:00\"", "1748736000.0");
    assert_eq!(PublicKeys::parse(seconds.as_bytes()).unwrap().count(), 1);
    let mut all = String::new();
    for wrong in [
        "{}".to_owned(),
        "[]".to_owned(),
        listed.replace("\"Value\":\"", "\"Value\":\"*"),
        listed.replace("2025-06-01T00:00:00+00:00", "in June"),
        seconds.replace("1748736000.0", "-1e300"),
    ] {
        writeln!(all, "{}", PublicKeys::parse(wrong.as_bytes()).unwrap_err()).unwrap();
    }
    let all: String = all
        .split('`')
        .map(|part| if part.len() == 32 { "FINGERPRINT" } else { part })
        .collect::<Vec<_>>()
        .join("`");
    insta::assert_snapshot!(all);
}
