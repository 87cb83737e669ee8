//! `wardmote apply --aws` on the emulator: shown first, then made, changed and deleted without what holds evidence.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use common::{example, stable};
use on_aws::{json, on_aws, run, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use support::proxy::{Fate, Proxy, xml_error};
use support::{Emulator, script};

const ORG: &str = "first-example-bank";

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_stack_is_shown_made_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    fs::create_dir(&dir).unwrap();
    fs::copy(example().join("charter.yaml"), dir.join("charter.yaml")).unwrap();
    let at = Emulator::get().address;
    script("stack.py", "prepare", at, ORG);
    Emulator::get().bucket("templates");
    let apply = ["apply", "--aws", "--templates", "s3://templates/stacks/"];

    // Too large for a call, and nowhere to put it; a parameter that there is not; nobody who says yes.
    let mut all = said(&dir, at, &["apply", "--aws"]);
    let wrong = [&apply[..], &["--parameter", "Image=x"]].concat();
    all.push_str(&said(&dir, at, &wrong));
    let unasked = said(&dir, at, &apply);
    all.push_str(&unasked);
    assert!(!run(&dir, at, &["apply", "--aws", "--destroy", "--yes"]).status.success(), "nothing is there");

    let yes = [&apply[..], &["--yes"]].concat();
    let made = json(&dir, at, &yes);
    assert_eq!(made["status"], "CREATE_COMPLETE");
    let template = folder.path().join("template.json");
    let printed = run(&dir, at, &["plan", "--aws", "--format", "json"]);
    fs::write(&template, &printed.stdout).unwrap();
    made_what_the_emulator_makes(&template, at);

    let charter = fs::read_to_string(dir.join("charter.yaml")).unwrap();
    // Data stewards may sign too.
    let changed = charter.replace("users: [automation]", "users: [automation, data-steward]");
    assert_ne!(charter, changed);
    fs::write(dir.join("charter.yaml"), changed).unwrap();
    all.push_str(&said(&dir, at, &apply));
    // The emulator executes no update of a template with conditions: it makes what they leave out.
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy", "--yes"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--destroy", "--yes"]));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--permissions"]));
    insta::assert_snapshot!(stable(&dir, &all));
}

const SMALL: &str = "charter: 1
organisation: {id: small, name: Small}
people:
  - {id: selma, name: Selma, roles: [security-engineer]}
  - {id: carla, name: Carla, roles: [compliance-officer]}
tag_standard: {}
";

#[test]
fn a_stack_in_parts_is_shown_made_grows_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("charter.yaml"), SMALL).unwrap();
    let at = Emulator::get().address;
    script("stack.py", "prepare", at, "small");
    Emulator::get().bucket("parts-templates");
    json(&dir, at, &["apply", "--as", "carla"]);
    let apply = [
        "apply",
        "--aws",
        "--resources-per-stack",
        "40",
        "--stack",
        "parted",
        "--templates",
        "s3://parts-templates/",
    ];
    let as_selma = [&apply[..], &["--as", "selma"]].concat();
    let yes = [&as_selma[..], &["--yes"]].concat();
    let mut all = said(&dir, at, &["apply", "--aws", "--resources-per-stack", "40", "--as", "selma"]);
    all.push_str(&said(&dir, at, &as_selma));
    let made = json(&dir, at, &yes);
    assert_eq!(made["status"], "CREATE_COMPLETE", "{made}");
    all.push_str(&script("stack.py", "there", at, "parted"));
    // What is there is what was sent, part by part.
    all.push_str(&said(&dir, at, &as_selma));
    let more = "keys: [{id: more, description: more, administrators: [security-engineer], users: [compliance-officer]}]";
    // A role that keys of an early part name, and that needs what is in a later one.
    fs::write(dir.join("charter.yaml"), format!("{SMALL}{more}\n")).unwrap();
    all.push_str(&said(&dir, at, &as_selma));
    let more = "keys: [{id: more, description: more, administrators: [], users: []}]";
    fs::write(dir.join("charter.yaml"), format!("{SMALL}{more}\n")).unwrap();
    let wider: Vec<&str> = as_selma.iter().map(|word| if *word == "40" { "60" } else { word }).collect();
    let shown = said(&dir, at, &wider);
    assert!(shown.contains("\nAdd     MoreKey AWS::KMS::Key\n"), "{shown}");
    all.push_str(&shown);
    let proxy = Proxy::before(Some(at));
    proxy.always_of("DescribeStackResource", xml_error(400, "ValidationError"));
    let gone = said(&dir, proxy.address, &wider);
    assert!(gone.contains("DescribeStackResource"), "what cannot be read is no part that is gone: {gone}");
    let absent = "<ErrorResponse><Error><Code>ValidationError</Code><Message>Part1 does not exist</Message></Error></ErrorResponse>";
    proxy.always_of("DescribeStackResource", Fate::Answer(400, String::new(), absent.to_owned()));
    all.push_str(&said(&dir, proxy.address, &wider));
    all.push_str(&said(&dir, at, &["apply", "--aws", "--stack", "parted", "--destroy", "--as", "selma"]));
    let destroyed =
        json(&dir, at, &["apply", "--aws", "--stack", "parted", "--destroy", "--yes", "--as", "selma"]);
    assert_eq!(destroyed["status"], "DELETE_COMPLETE", "{destroyed}");
    // How large the template is changes with every word of it.
    let number = |word: &&str| word.len() == 5 && word.bytes().all(|b| b.is_ascii_digit());
    let all =
        all.split(' ').map(|word| if number(&word) { "BYTES" } else { word }).collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!(without_digests(&stable(&dir, &outline(&all))));
}

/// Lists of resources by their first and how many follow.
fn outline(text: &str) -> String {
    let mut all = String::new();
    let mut more = 0;
    let is_listed = |line: &str| line.contains(" AWS::") && !line.starts_with("error");
    for (at, line) in text.lines().enumerate() {
        let follows = at > 0 && text.lines().nth(at - 1).is_some_and(is_listed);
        if is_listed(line) && follows {
            more += 1;
            continue;
        }
        if more > 0 {
            all.push_str(&format!("        and {more} more\n"));
        }
        more = 0;
        all.push_str(&format!("{line}\n"));
    }
    all
}

/// What differs from run to run, and from one template to the next.
fn without_digests(text: &str) -> String {
    let hex = |word: &str| word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mask = |word: &str| {
        let core = word.trim_end_matches([',', ':', ')', '`']);
        let bare = core.rsplit([':', '-', '/']).next().unwrap_or(core);
        if let Some((date, _)) = core.split_once("DATE") {
            return word.replace(core, &format!("{date}DATE"));
        }
        if hex(bare) { word.replace(bare, "HEX") } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(mask).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn what_is_applied_is_on_record_and_what_nobody_saw_end_is_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("charter.yaml"), SMALL).unwrap();
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    script("stack.py", "prepare", Emulator::get().address, "small");
    Emulator::get().bucket("small-templates");
    json(&dir, at, &["apply", "--as", "carla"]);
    let apply = ["apply", "--aws", "--templates", "s3://small-templates/"];
    let as_selma = [&apply[..], &["--as", "selma"]].concat();
    let yes = [&as_selma[..], &["--yes"]].concat();

    let mut all = said(&dir, at, &[&apply[..], &["--yes"]].concat());
    all.push_str(&said(&dir, at, &[&apply[..], &["--yes", "--as", "carla"]].concat()));
    assert!(!run(&dir, at, &as_selma).status.success(), "nobody said yes");
    all.push_str(&said(&dir, at, &["history", "--stack", "small"]));

    // Not allowed: surely nothing was done, and what was proposed is taken back.
    proxy.seen();
    proxy.always_of("ExecuteChangeSet", xml_error(403, "AccessDenied"));
    assert_eq!(run(&dir, at, &yes).status.code(), Some(8));
    proxy.calm();
    assert!(proxy.seen().iter().any(|request| request.contains("Action=DeleteChangeSet")));

    // The call is lost on the way: whether it arrived, nobody knows yet.
    proxy.always_of("ExecuteChangeSet", Fate::Reset);
    assert_eq!(run(&dir, at, &yes).status.code(), Some(8));
    proxy.calm();
    // It did not, and is taken back; the next one is killed while CloudFormation is at work.
    proxy.seen();
    let mut killed = on_aws(&dir, at).args(&yes).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Once it has heard that CloudFormation begins, it looks at the stack.
    let mut seen = Vec::new();
    let waits = |seen: &[String]| {
        let mut after = seen.iter().skip_while(|request| !request.contains("Action=ExecuteChangeSet"));
        after.any(|request| request.contains("Action=DescribeStacks"))
    };
    while !waits(&seen) {
        seen.extend(proxy.seen());
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    all.push_str(&said(&dir, at, &["history", "--stack", "small"]));
    all.push_str(&said(&dir, at, &as_selma));
    let destroyed = json(&dir, at, &["apply", "--aws", "--destroy", "--yes", "--as", "selma"]);
    assert_eq!(destroyed["evidence"].as_array().unwrap().len(), 2);
    all.push_str(&said(&dir, at, &["history", "--stack", "small"]));
    let history = json(&dir, at, &["history", "--stack", "small"]);
    let kept = |of: &str| dir.join("objects/stacks").join(of.trim_start_matches("sha256:"));
    for change in history["changes"].as_array().unwrap() {
        assert!(kept(change["plan"].as_str().unwrap()).is_file());
        assert!(change["template"].as_str().is_none_or(|of| kept(of).is_file()));
    }
    all.push_str(&said(&dir, at, &["history"]));
    insta::assert_snapshot!(without_digests(&stable(&dir, &all)));
    assert!(run(&dir, at, &["verify"]).status.success());
}

#[test]
fn what_became_of_a_change_whose_change_set_is_gone_is_told_by_the_template_or_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("house");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("charter.yaml"), SMALL.replace("id: small", "id: vanishing")).unwrap();
    let proxy = Proxy::before(Some(Emulator::get().address));
    let at = proxy.address;
    script("stack.py", "prepare", Emulator::get().address, "vanishing");
    Emulator::get().bucket("vanishing-templates");
    json(&dir, at, &["apply", "--as", "carla"]);
    let place = "s3://vanishing-templates/";
    let apply = ["apply", "--aws", "--templates", place, "--as", "selma"];
    let yes = [&apply[..], &["--yes"]].concat();
    let gone = || xml_error(404, "ChangeSetNotFound");
    let mut all = String::new();
    // What it found out of the change before.
    let notes = |all: &mut String| {
        let said = said(&dir, at, &apply);
        let notes = said.lines().filter(|line| line.starts_with("note: "));
        notes.for_each(|note| all.push_str(&format!("{note}\n")));
        all.push('\n');
    };

    // Gone when it is to be shown: nothing is on record.
    proxy.always_of("DescribeChangeSet", gone());
    all.push_str(&said(&dir, at, &yes));
    proxy.calm();
    assert_eq!(run(&dir, at, &["history", "--stack", "vanishing"]).status.code(), Some(5));
    // Nobody knows whether it was carried out, and then neither it nor a stack is there.
    let lost = || {
        proxy.always_of("ExecuteChangeSet", Fate::Reset);
        assert_eq!(run(&dir, at, &yes).status.code(), Some(8));
        proxy.calm();
    };
    lost();
    proxy.always_of("DescribeChangeSet", gone());
    proxy.always_of("DescribeStacks", no_stack());
    notes(&mut all);
    proxy.calm();
    // What is looked for again is there: it is the one that was never carried out.
    notes(&mut all);
    // The stack is there, with another template than the one of the change.
    lost();
    proxy.always_of("DescribeChangeSet", gone());
    proxy.always_of("GetTemplate", template("{}"));
    notes(&mut all);
    proxy.calm();
    notes(&mut all);
    // It goes on while nobody may look any more, and the change set is gone: the template is the one of the change.
    proxy.nth_of("Action=DescribeStackEvents", 2, xml_error(403, "AccessDenied"));
    assert_eq!(run(&dir, at, &yes).status.code(), Some(8));
    proxy.always_of("DescribeChangeSet", gone());
    notes(&mut all);
    proxy.calm();
    all.push_str(&said(&dir, at, &["history", "--stack", "vanishing"]));
    assert!(run(&dir, at, &["verify"]).status.success());
    insta::assert_snapshot!(without_digests(&stable(&dir, &all)));
}

/// As CloudFormation says that there is no stack.
fn no_stack() -> Fate {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
        <Message>Stack with id vanishing does not exist</Message></Error></ErrorResponse>";
    Fate::Answer(400, String::new(), body.to_owned())
}

fn template(text: &str) -> Fate {
    let body = format!(
        "<GetTemplateResponse><GetTemplateResult><TemplateBody>{text}</TemplateBody></GetTemplateResult></GetTemplateResponse>"
    );
    Fate::Answer(200, String::new(), body)
}

/// Every resource is there but those of types that the emulator does not make, which the documentation lists.
fn made_what_the_emulator_makes(template: &std::path::Path, at: std::net::SocketAddr) {
    let lacks = lines(&script("stack.py", "lacks", at, template.to_str().unwrap()));
    let document = fs::read_to_string(example().join("../../docs/reference-architecture.md")).unwrap();
    let listed = document.lines().filter_map(|line| line.strip_prefix("- `AWS::"));
    let listed = listed.map(|line| format!("AWS::{}", line.trim_end_matches('`'))).collect();
    assert_eq!(lacks, listed, "the list in docs/reference-architecture.md");
    let text: Value = serde_json::from_str(&fs::read_to_string(template).unwrap()).unwrap();
    let mut wanted: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for resource in text["Resources"].as_object().unwrap().values() {
        let kind = resource["Type"].as_str().unwrap();
        // Nothing is served yet, and nobody is told.
        if resource.get("Condition").is_none_or(|one| one == "MakesTheRecorder") && !lacks.contains(kind) {
            *wanted.entry(kind).or_default() += 1;
        }
    }
    let wanted: BTreeSet<String> = wanted.iter().map(|(kind, number)| format!("{kind} {number}")).collect();
    assert_eq!(lines(&script("stack.py", "there", at, ORG)), wanted);
}
