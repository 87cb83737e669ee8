//! What there is in an account is read for controls, and what could not be read is never taken for good or for absent.

use crate::support::proxy::{Fate, json_error, xml_error};
use crate::support::{Emulator, client, folder, proxied, python};
use aws::Client;
use controls::{Finding, Selection, live, scan};
use facts::inventory::{Inventory, Item, Status};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Once;

/// The account, made once.
fn account() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let url = format!("http://{}", Emulator::get().address);
        let output = Command::new(python()).arg(folder().join("posture.py")).arg(url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// What was read and is ours; other tests use the same account.
fn collect(client: &Client) -> Inventory {
    let mut inventory = aws::posture::collect(client).unwrap();
    inventory.resources.retain(|item| {
        let own = |text: &String| text.contains("posture");
        own(&item.id)
            || item.kind == "AWS::S3::AccountPublicAccessBlock"
            || item.names.iter().any(own)
            || item.properties.get("Description").is_some_and(|text| text == "posture")
            || item.properties.get("UserName").is_some_and(|name| name == "posture-anna")
    });
    inventory
}

fn item<'i>(inventory: &'i Inventory, kind: &str) -> &'i Item {
    inventory.resources.iter().find(|item| item.kind == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// Verdicts by control and resource.
fn verdicts(inventory: &Inventory) -> BTreeMap<(String, String), &'static str> {
    let report = scan(&live(inventory), &Selection::default());
    let word = |finding: &Finding| {
        let resource = format!("{} {}", finding.kind, finding.resource);
        ((finding.control().to_owned(), resource), finding.word())
    };
    report.findings().iter().map(word).collect()
}

#[test]
fn an_account_is_read_in_the_shape_of_cloudformation() {
    account();
    let inventory = collect(&client(Emulator::get().address));
    let mut seen = String::new();
    for item in &inventory.resources {
        let known = item.provenance.iter().filter(|(_, told)| !told.status.is_known());
        let unknown: Vec<_> = known.map(|(name, told)| format!("{name}: {:?}", told.status)).collect();
        let shown = json!({"type": item.kind, "properties": item.properties, "unknown": unknown});
        seen.push_str(&format!("{shown:#}\n"));
    }
    for kind in ["AWS::KMS::Key", "AWS::IAM::AccessKey"] {
        seen = seen.replace(&item(&inventory, kind).id, kind);
    }
    insta::assert_snapshot!(seen);
    let unread: Vec<&String> = inventory.unread.keys().collect();
    // The emulator does not know these calls.
    assert_eq!(unread, ["AWS::SageMaker::FeatureGroup", "AWS::SageMaker::MonitoringSchedule"]);
}

#[test]
fn controls_see_what_is_there() {
    account();
    let found = verdicts(&collect(&client(Emulator::get().address)));
    let lines: Vec<String> = found
        .iter()
        .filter(|((control, resource), _)| !control.contains('.') && !resource.starts_with("AWS::KMS"))
        .map(|((control, resource), word)| format!("{control} {resource}: {word}"))
        .filter(|line| !line.contains("AccessKey"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// The words by which the calls of an operation are known, and how it says no.
fn operations(seen: &[String]) -> BTreeMap<&'static str, Fate> {
    let mut all = BTreeMap::new();
    for request in seen {
        let target = request.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
        let action = request.split("Action=").nth(1).and_then(|rest| rest.split('&').next());
        let (word, fate) = match (target, action) {
            (Some(target), _) => (target.trim().to_owned(), json_error(400, "AccessDeniedException")),
            (None, Some(action)) => (format!("Action={action}&"), xml_error(403, "AccessDenied")),
            (None, None) => {
                let line = request.lines().next().and_then(|line| line.split(' ').nth(1)).unwrap();
                let word = line.find('?').map_or(line, |at| &line[at..]);
                (word.to_owned(), xml_error(403, "AccessDenied"))
            }
        };
        if !word.contains("GetCallerIdentity") {
            all.insert(&*word.leak(), fate);
        }
    }
    all
}

/// Nothing that holds was not shown to hold, nothing is missing, and nothing is called broken for want of an answer.
fn compare(before: &BTreeMap<(String, String), &str>, inventory: &Inventory, word: &str) -> usize {
    let after = verdicts(inventory);
    let mut undecided = 0;
    for ((control, resource), was) in before {
        let kind = resource.split(' ').next().unwrap();
        let every = format!("{kind} every {kind}");
        let now = after
            .get(&(control.clone(), resource.clone()))
            .or_else(|| after.get(&(control.clone(), every)))
            .unwrap_or_else(|| panic!("{word}: no verdict of {control} on {resource}"));
        assert!(now == was || *now == "unknown", "{word}: {control} on {resource} was {was} and is {now}");
        undecided += usize::from(now != was);
    }
    undecided
}

#[test]
fn what_is_denied_is_unknown_never_good_and_never_forgotten() {
    account();
    let (proxy, through) = proxied();
    let before = verdicts(&collect(&through));
    let operations = operations(&proxy.seen());
    assert!(operations.len() >= 45, "{:?}", operations.keys());
    // Without aliases only names are lost; the others the emulator does not know, so they are missing anyway.
    let spared = ["ListAliases", "ListFeatureGroups", "ListMonitoringSchedules"];
    let mut undecided = BTreeMap::new();
    for (word, fate) in operations {
        let (proxy, through) = proxied();
        proxy.always(word, fate);
        let inventory = collect(&through);
        let denied = inventory.resources.iter().flat_map(|item| item.provenance.values());
        let denied = denied.filter(|told| told.status == Status::Denied).count();
        let spared = spared.iter().any(|spared| word.contains(spared));
        assert!(denied > 0 || inventory.unread.len() > 2 || spared, "{word} was not noticed");
        undecided.insert(word, compare(&before, &inventory, word));
    }
    let bites = undecided.values().filter(|count| **count > 0).count();
    assert!(bites >= 20, "{undecided:?}");
}

#[test]
fn what_fails_once_is_asked_again() {
    account();
    let before = verdicts(&collect(&client(Emulator::get().address)));
    for fate in [xml_error(500, "InternalError"), Fate::Reset] {
        let (proxy, through) = proxied();
        proxy.fail_each_once(fate, &["GetCallerIdentity"]);
        compare(&before, &collect(&through), "once");
    }
}
