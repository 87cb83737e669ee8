//! `wardmote audit --live`, word by word, against an account in the emulator.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::wardmote;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Once;
use support::proxy::{Proxy, xml_error};
use support::{Emulator, bare, folder, python, variables};

fn account() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let url = format!("http://{}", Emulator::get().address);
        let output = Command::new(python()).arg(folder().join("posture.py")).arg(url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// The program with credentials and without endpoints.
fn command(dir: &Path) -> Command {
    let mut command = wardmote(dir);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    let own = variables(Emulator::get().address).into_iter().filter(|(name, _)| name != "AWS_ENDPOINT_URL");
    command.envs(own).env("HOME", dir);
    command
}

fn run(dir: &Path, words: &[&str]) -> Output {
    command(dir).args(words).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// Ids differ from run to run.
fn stable(text: &str) -> String {
    let id = |word: &&str| word.len() == 36 && word.bytes().filter(|b| *b == b'-').count() == 4;
    let mut out = text.to_owned();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(id) {
        out = out.replace(word, "KEY");
    }
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let number = word.len() == 17 && word.bytes().all(|b| b.is_ascii_hexdigit());
        if word.starts_with("AKIA") {
            out = out.replace(word, "AKIA");
        } else if number {
            out = out.replace(word, "NUMBER");
        }
    }
    out
}

/// The lines in an order that does not depend on identifiers, with the types of resources in the place of identifiers that
/// the emulator makes anew each time.
fn listed(text: &str, inventory: &Path) -> String {
    let inventory: Value = serde_json::from_slice(&std::fs::read(inventory).unwrap()).unwrap();
    let mut made = Vec::new();
    for resource in inventory["resources"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap().rsplit("::").next().unwrap();
        let parts = resource["id"].as_str().unwrap().split('|').filter(|part| part.len() >= 6);
        let own = |part: &&str| {
            let kept = part.starts_with("arn:") || *part == "123456789012" || part.starts_with("POSTURE");
            !kept && *part != "posture" && (part.bytes().any(|b| b.is_ascii_digit()) || !part.contains('-'))
        };
        made.extend(parts.filter(own).map(|part| (part.to_owned(), kind)));
    }
    made.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
    let mut out = stable(text);
    for (part, kind) in made {
        out = out.replace(&part, kind);
    }
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn an_account_is_audited_and_its_inventory_is_audited_again() {
    account();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", Emulator::get().address);
    let live = ["audit", "--live", "--endpoint-url", &url, "--region", "eu-central-1"];
    let kept = dir.path().join("inventory.json").display().to_string();
    let words: Vec<&str> = live.into_iter().chain(["--save", &kept]).collect();
    let output = run(dir.path(), &words);
    assert!(output.status.success(), "{}", text(&output));
    let shown = text(&output).replace(&kept, "FILE");
    insta::assert_snapshot!(listed(&shown, Path::new(&kept)));
    let mode = std::os::unix::fs::MetadataExt::mode(&dir.path().join("inventory.json").metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let again = run(dir.path(), &["audit", &kept]);
    assert_eq!(String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&output.stdout));
    let strict = run(dir.path(), &["audit", &kept, "--control", "S3-03", "--fail-on", "low"]);
    assert_eq!(strict.status.code(), Some(0), "{}", text(&strict));
    let strict = run(dir.path(), &["audit", &kept, "--control", "SM-15", "--fail-on", "low"]);
    assert_eq!(strict.status.code(), Some(3), "a type that could not be listed is no pass");
}

#[test]
fn what_cannot_be_asked_is_said() {
    account();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", Emulator::get().address);
    let at = |name: &str| format!("{}/{name}", dir.path().display());
    let mut all = String::new();
    let mut say = |name: &str, output: &Output| {
        let said = text(output).replace(&url, "URL").replace(&at(""), "DIR/");
        all.push_str(&format!("{name}\n{said}exit {}\n\n", output.status.code().unwrap()));
    };
    let nobody = wardmote(dir.path())
        .env_clear()
        .envs(bare(Emulator::get().address))
        .env("HOME", dir.path())
        .args(["audit", "--live", "--endpoint-url", &url])
        .output()
        .unwrap();
    say("without credentials", &nobody);
    let proxy = Proxy::before(Some(Emulator::get().address));
    proxy.always("GetCallerIdentity", xml_error(403, "InvalidClientTokenId"));
    let wrong = format!("http://{}", proxy.address);
    say("with unknown credentials", &run(dir.path(), &["audit", "--live", "--endpoint-url", &wrong]));
    say("in no region", &run(dir.path(), &["audit", "--live", "--region", "Frankfurt!"]));
    say("without --live", &run(dir.path(), &["audit", "--save", "y.json", "x.yaml"]));
    std::fs::write(dir.path().join("torn.json"), "{\"form\": \"wardmote-inventory/1\"}").unwrap();
    say("a torn inventory", &run(dir.path(), &["audit", &at("torn.json")]));
    std::fs::write(dir.path().join("other.json"), OTHER).unwrap();
    say("of another form", &run(dir.path(), &["audit", &at("other.json")]));
    say(
        "nowhere to save",
        &run(dir.path(), &["audit", "--live", "--endpoint-url", &url, "--save", &at("no/where.json")]),
    );
    insta::assert_snapshot!(all);
}

const OTHER: &str = r#"{"form": "wardmote-inventory/9", "account": "1", "region": "r", "read_at": "2026-11-21T10:00:00.000Z", "resources": []}"#;

#[test]
fn a_bucket_that_may_not_be_read_is_unknown() {
    account();
    let dir = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(Some(Emulator::get().address));
    proxy.always("posture-good?encryption=", xml_error(403, "AccessDenied"));
    let url = format!("http://{}", proxy.address);
    let output = run(
        dir.path(),
        &["audit", "--live", "--endpoint-url", &url, "--control", "S3EncryptionEnabled", "--json"],
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["findings"].as_array().unwrap();
    let good = found.iter().find(|finding| finding["resource"]["id"] == "posture-good").unwrap();
    assert_eq!(good["verdict"], "unknown");
    assert!(good["missing"].to_string().contains("s3:GetEncryptionConfiguration"), "{good}");
}

/// Verdicts of whole controls, by control and resource.
fn verdicts(output: &Output) -> std::collections::BTreeMap<(String, String), String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |finding: &Value| {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        ((word(&finding["control"]), word(&finding["resource"]["logicalId"])), word(&finding["verdict"]))
    };
    report["findings"].as_array().unwrap().iter().map(of).collect()
}

/// The emulator's Config is written by others from what AWS answers: what it records must be judged as the same thing read
/// from the services.
#[test]
fn what_aws_config_recorded_is_judged_as_what_is_there() {
    account();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", Emulator::get().address);
    let recorded = Command::new(python()).arg(folder().join("recorded.py")).arg(&url).output().unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let file = dir.path().join("recorded.json");
    std::fs::write(&file, &recorded.stdout).unwrap();
    let from_config = verdicts(&run(dir.path(), &["--json", "audit", &file.display().to_string()]));
    let live = ["--json", "audit", "--live", "--endpoint-url", &url, "--region", "eu-central-1"];
    let there = verdicts(&run(dir.path(), &live));
    // The emulator leaves encryption and Object Lock out of what it records; AWS does not.
    let left_out = ["S3-05", "S3-06", "S3-08", "S3-13"];
    let mut compared = 0;
    for ((control, resource), word) in &from_config {
        let decided = matches!(word.as_str(), "holds" | "broken");
        let whole = control.split('.').next().unwrap();
        let Some(other) = there.get(&(control.clone(), resource.clone())) else { continue };
        if decided && !left_out.contains(&whole) && matches!(other.as_str(), "holds" | "broken") {
            compared += 1;
            assert_eq!(word, other, "{control} {resource}");
        }
    }
    assert!(compared >= 20, "{compared}");
}

/// What the forms must be is said by those who read them.
#[test]
fn reports_are_what_others_take() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = concat!(env!("CARGO_MANIFEST_DIR"), "/../controls/tests/snapshot/config.json");
    let forms = ["sarif", "ocsf", "asff"].map(|form| {
        let words =
            ["audit", snapshot, "--format", form, "--account", "123456789012", "--region", "eu-central-1"];
        let output = run(dir.path(), &words);
        assert!(output.status.success(), "{form}: {}", text(&output));
        let file = dir.path().join(form);
        std::fs::write(&file, &output.stdout).unwrap();
        file
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports.py");
    let output = Command::new(python()).arg(script).args(forms).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts: Vec<usize> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().unwrap()).collect();
    assert!(counts.len() == 3 && counts.iter().all(|count| *count > 20), "{counts:?}");
}
