//! After any change, a kept scan says byte for byte what a scan from scratch says. The inventories are made of the templates of
//! all controls, so that every check is among them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use controls::{
    Control, Finding, Moved, Node, Piece, Posture, Report, Selection, Value as Content, controls, json, live,
    scan, template,
};
use facts::Timestamp;
use facts::inventory::{Inventory, Item, Provenance, Status};
use proptest::prelude::*;
use serde_json::json as value;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Chance that a test repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Every resource of every template, with references as names.
fn pool() -> &'static Vec<Vec<Item>> {
    static POOL: OnceLock<Vec<Vec<Item>>> = OnceLock::new();
    POOL.get_or_init(|| {
        let texts = |control: &'static Control| [control.holds, control.broken, control.unknown];
        let all = controls().filter(|control| control.part_of.is_none()).flat_map(texts);
        let sets = all.filter(|text| !text.is_empty()).map(items).filter(|items| !items.is_empty());
        sets.chain([facts()]).collect()
    })
}

/// What a template does not have: facts that are good for some time.
fn facts() -> Vec<Item> {
    let item = |kind: &str, id: &str, properties: Value, derived: Value| -> Item {
        let whole =
            value!({"type": kind, "id": id, "properties": properties, "derived": derived, "provenance": {}});
        serde_json::from_value(whole).unwrap()
    };
    let tags = value!([{"Key": "data-class", "Value": "confidential"}]);
    let input = value!([{"EndpointInput": {"EndpointName": "served"}}]);
    let run =
        value!({"MonitoringExecutionStatus": "Completed", "CreationTime": 5_000.0, "ScheduledTime": 5_000.0});
    vec![
        item("AWS::S3::Bucket", "searched", value!({"BucketName": "searched", "Tags": tags}), value!({})),
        item(
            "AWS::Macie::Bucket",
            "searched",
            value!({}),
            value!({"Name": "searched", "JobDetails": {"LastJobRunTime": "1970-01-01T01:00:00Z"}}),
        ),
        item("AWS::SageMaker::Endpoint", "served", value!({"EndpointName": "served"}), value!({})),
        item(
            "AWS::SageMaker::MonitoringSchedule",
            "watcher",
            value!({"EndpointName": "served", "MonitoringScheduleConfig": {"MonitoringJobDefinition": {"MonitoringInputs": input}}}),
            value!({"LastMonitoringExecutionSummary": run}),
        ),
    ]
}

fn items(text: &str) -> Vec<Item> {
    let estate = template("t", text).unwrap();
    let item = |resource: &controls::Resource| {
        let properties = match plain(&resource.properties) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Item {
            kind: resource.kind.clone(),
            id: resource.id.clone(),
            arn: None,
            region: None,
            names: resource.name().map(str::to_owned).into_iter().collect(),
            properties,
            derived: Map::new(),
            provenance: BTreeMap::new(),
        }
    };
    estate.resources().iter().map(item).collect()
}

fn plain(node: &Node) -> Value {
    match &node.value {
        Content::Null => Value::Null,
        Content::Bool(truth) => (*truth).into(),
        Content::Number(text) => serde_json::from_str(text).unwrap(),
        Content::Text(text) => text.clone().into(),
        Content::List(list) => list.iter().map(plain).collect(),
        Content::Map(members) => members.iter().map(|one| (one.key.clone(), plain(&one.node))).collect(),
        Content::Open(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Pseudo(text) => text.as_str(),
                Piece::Edge(edge) => &edge.to,
                Piece::Hole(_) => "unknown",
            })
            .collect::<String>()
            .into(),
    }
}

const KINDS: [&str; 12] = [
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::KMS::Key",
    "AWS::IAM::Role",
    "AWS::CloudTrail::Trail",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::MonitoringSchedule",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::FlowLog",
    "AWS::EC2::Route",
    "AWS::S3::AccountPublicAccessBlock",
];

fn start(chance: &mut Chance) -> Inventory {
    let mut inventory = Inventory::new("123456789012", "eu-central-1", Timestamp::EPOCH);
    for _ in 0..1 + chance.below(12) {
        inventory.resources.extend(chance.of(pool()).iter().cloned());
    }
    for set in pool() {
        inventory.read.extend(set.iter().map(|item| item.kind.clone()));
    }
    inventory.sort();
    inventory
}

fn change(inventory: &mut Inventory, chance: &mut Chance) {
    let count = inventory.resources.len();
    let at = chance.below(count);
    match chance.below(9) {
        0 if count > 0 => drop(inventory.resources.remove(at)),
        1 => inventory.resources.extend(chance.of(pool()).iter().cloned()),
        // The same resource as another template has it.
        2 | 3 if count > 0 => {
            let item = &mut inventory.resources[at];
            let like = |other: &&Item| other.kind == item.kind;
            let all: Vec<&Item> = pool().iter().flatten().filter(like).collect();
            item.properties = chance.of(&all).properties.clone();
        }
        4 if count > 0 => {
            let item = &mut inventory.resources[at];
            let names: Vec<String> = item.properties.keys().cloned().collect();
            if let Some(name) = names.get(chance.below(names.len())) {
                item.properties.remove(name);
            }
        }
        5 if count > 0 => denied(&mut inventory.resources[at], chance),
        6 if count > 0 => {
            let name = format!("other-{}", chance.below(3));
            inventory.resources[at].id = name;
        }
        7 => {
            let kind = *chance.of(&KINDS);
            if inventory.unread.remove(kind).is_none() {
                inventory.unread.insert(kind.to_owned(), "`x:ListThem` was denied".to_owned());
            }
        }
        _ => {
            let kind = *chance.of(&KINDS);
            if !inventory.read.remove(kind) {
                inventory.read.insert(kind.to_owned());
            }
        }
    }
    // From a moment to a year later, beyond every limit of age.
    let later = chance.below(1_000) * [1, 1_000, 31_536_000][chance.below(3)];
    inventory.read_at = Timestamp::from_unix_ms(i64::try_from(later).unwrap()).unwrap();
    inventory.sort();
}

fn denied(item: &mut Item, chance: &mut Chance) {
    let names: Vec<String> = item.properties.keys().cloned().collect();
    let Some(name) = names.get(chance.below(names.len())) else { return };
    let at = Timestamp::from_unix_ms(i64::try_from(chance.below(1_000_000)).unwrap()).unwrap();
    let status = *chance.of(&[Status::Ok, Status::Denied, Status::Error, Status::Absent]);
    let provenance = Provenance { call: "x:GetIt".to_owned(), at, status, said: None };
    item.provenance.insert(name.clone(), provenance);
}

fn key(finding: &Finding) -> (String, String, String) {
    (finding.subject.kind.clone(), finding.subject.id.clone(), finding.control().to_string())
}

/// What is different between two scans, found by comparing all of them.
fn by_hand(before: &[Finding], after: &[Finding]) -> BTreeSet<String> {
    let by_key = |all: &[Finding]| -> BTreeMap<_, Vec<String>> {
        let mut map: BTreeMap<_, Vec<String>> = BTreeMap::new();
        all.iter().for_each(|finding| map.entry(key(finding)).or_default().push(format!("{finding:?}")));
        map
    };
    let (before, after) = (by_key(before), by_key(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(|key| format!("{key:?}")).collect()
}

/// What is given out of a report.
fn text(report: &Report) -> String {
    serde_json::to_string(&json(std::slice::from_ref(report))).unwrap()
}

fn told(moved: &[Moved]) -> BTreeSet<String> {
    let both = |one: &Moved| one.after.as_ref().or(one.before.as_ref()).map(key);
    moved.iter().filter_map(both).map(|key| format!("{key:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_kept_scan_is_a_scan_from_scratch(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let mut inventory = start(&mut chance);
        let selection = Selection::default();
        let mut posture = Posture::new(inventory.clone(), selection.clone());
        for _ in 0..12 {
            for _ in 0..1 + chance.below(3) {
                change(&mut inventory, &mut chance);
            }
            let before: Vec<Finding> = posture.findings().cloned().collect();
            let moved = posture.update(inventory.clone());
            let fresh = scan(&live(&inventory), &selection);
            prop_assert_eq!(text(&posture.report()), text(&fresh));
            prop_assert_eq!(&posture.report(), &fresh);
            let unique: BTreeSet<_> = fresh.findings().iter().map(key).collect();
            // Of two resources with one name it cannot be said which of them changed.
            if unique.len() == fresh.findings().len() {
                prop_assert!(by_hand(&before, fresh.findings()).is_subset(&told(&moved)));
            }
        }
    }
}

#[test]
fn nothing_is_asked_when_nothing_changed_and_little_when_little_did() {
    let mut chance = Chance(7);
    let mut inventory = Inventory::new("123456789012", "eu-central-1", Timestamp::EPOCH);
    inventory.read.extend(KINDS.map(str::to_owned));
    let bucket = pool().iter().flatten().find(|item| item.kind == "AWS::S3::Bucket").unwrap();
    for number in 0..50 {
        let mut item = bucket.clone();
        item.id = format!("bucket-{number}");
        item.properties.insert("BucketName".to_owned(), item.id.clone().into());
        item.names.clear();
        inventory.resources.push(item);
    }
    inventory.sort();
    let mut posture = Posture::new(inventory.clone(), Selection::default());
    let all = posture.asked();
    let mut later = inventory.clone();
    later.read_at = Timestamp::from_unix_ms(i64::try_from(chance.below(9) + 1).unwrap()).unwrap();
    assert_eq!(posture.update(later), []);
    assert_eq!(posture.asked(), 0);
    inventory.resources[3].properties.insert("BucketEncryption".to_owned(), Value::Null);
    posture.update(inventory);
    assert!(posture.asked() * 40 < all, "{} of {all}", posture.asked());
}

#[test]
fn another_account_is_another_scan() {
    let mut chance = Chance(1);
    let here = start(&mut chance);
    let mut there = here.clone();
    there.account = "210987654321".to_owned();
    let mut posture = Posture::new(here, Selection::default());
    posture.update(there.clone());
    assert_eq!(posture.report(), scan(&live(&there), &Selection::default()));
}
