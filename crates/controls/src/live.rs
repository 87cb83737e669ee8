//! The inventory of a live account as resources: what could not be read is not known, and says which call is missing.

use crate::checks::units;
use crate::node::{Member, Node, Place, Value};
use crate::resource::{Estate, Gaps, Resource, Source};
use facts::inventory::{ALL, EMBEDDED, Inventory, Item, Provenance};
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The resources of an inventory, with the types of which it is not known what there is.
#[must_use]
pub fn live(inventory: &Inventory) -> Estate {
    live_again(inventory, &mut |_, _| None)
}

/// The same; `kept` may give the resource that was made before of the item at a place, if it has this id.
pub(crate) fn live_again(
    inventory: &Inventory,
    kept: &mut dyn FnMut(usize, &str) -> Option<Resource>,
) -> Estate {
    let name = format!("account {} in {}", inventory.account, inventory.region);
    let mut taken = HashSet::new();
    let (mut resources, mut names) = (Vec::new(), Vec::new());
    for (at, item) in inventory.resources.iter().enumerate() {
        let id = match taken.insert(item.id.clone()) {
            true => item.id.clone(),
            false => {
                // A bucket and its policy have the same identifier.
                let last = item.kind.rsplit("::").next().unwrap_or(&item.kind);
                format!("{} ({last})", item.id)
            }
        };
        for name in [item.id.as_str()]
            .into_iter()
            .chain(item.names.iter().map(String::as_str))
            .chain(item.arn.as_deref())
        {
            names.push((name.to_owned(), id.clone()));
            let tail = name.rsplit([':', '/']).next().unwrap_or(name);
            // The number of a version is that of other versions too.
            if tail != name && !tail.bytes().all(|b| b.is_ascii_digit()) {
                names.push((tail.to_owned(), id.clone()));
            }
        }
        resources.push(kept(at, &id).unwrap_or_else(|| resource(inventory, item, id)));
    }
    let mut unread: Vec<String> = Vec::new();
    for (kind, why) in &inventory.unread {
        unread.push(format!("{kind}: {why}"));
        resources.push(unlisted(inventory, kind, why));
    }
    for kind in units().flat_map(|unit| unit.control.kinds).collect::<BTreeSet<_>>() {
        let is_read = inventory.read.contains(*kind) || inventory.read.contains(ALL);
        if !is_read && !inventory.unread.contains_key(*kind) {
            unread.push(format!("{kind}: none was read"));
        }
    }
    let source = if inventory.region == EMBEDDED { Source::House } else { Source::Account };
    Estate::with_names(&name, resources, unread, &names, gaps(inventory)).asked_at(inventory.read_at, source)
}

/// Types of which it is not known what there is, or not all about what there is.
fn gaps(inventory: &Inventory) -> Gaps {
    let mut causes = inventory.unread.clone();
    for item in &inventory.resources {
        let property = |(name, told): (&String, &Provenance)| match item.derived.contains_key(name) {
            true => None,
            false => told.missing(),
        };
        if let Some(why) = item.provenance.iter().find_map(property) {
            causes.entry(item.kind.clone()).or_insert_with(|| format!("of `{}`, {why}", item.id));
        }
    }
    let unlisted = inventory.unread.iter().map(|(kind, why)| (every(kind), why.clone())).collect();
    Gaps::new(inventory.read.clone(), causes, unlisted)
}

/// The id of what stands for all resources of a type.
pub(crate) fn every(kind: &str) -> String {
    format!("every {kind}")
}

/// What stands for all resources of a type that could not be listed, so that no control is silent about them.
fn unlisted(inventory: &Inventory, kind: &str, why: &str) -> Resource {
    Resource {
        id: every(kind),
        own_id: None,
        kind: kind.to_owned(),
        account: Some(inventory.account.clone()),
        region: Some(inventory.region.clone()),
        at: Place::default(),
        properties: Node::unknown(Place::default(), why),
        parts: Vec::new(),
        condition: None,
        asked: None,
    }
}

fn resource(inventory: &Inventory, item: &Item, id: String) -> Resource {
    let known = item.properties.iter().chain(&item.derived).map(|(name, value)| (name, node(value)));
    let mut members: Vec<Member> =
        known.map(|(name, node)| Member { key: name.clone(), at: Place::default(), node }).collect();
    for (name, provenance) in &item.provenance {
        if let Some(why) = Provenance::missing(provenance) {
            let node = Node::unknown(Place::default(), why);
            members.retain(|member| member.key != *name);
            members.push(Member { key: name.clone(), at: Place::default(), node });
        }
    }
    let names = item.properties.keys().chain(item.derived.keys()).chain(item.provenance.keys());
    Resource {
        own_id: (id != item.id).then(|| item.id.clone()),
        id,
        kind: item.kind.clone(),
        account: Some(inventory.account.clone()),
        region: Some(item.region.clone().unwrap_or_else(|| inventory.region.clone())),
        at: Place::default(),
        properties: Node::new(Place::default(), Value::Map(members)),
        parts: Vec::new(),
        condition: None,
        asked: Some(Arc::new(names.cloned().collect())),
    }
}

fn node(value: &Json) -> Node {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(number.to_string()),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::List(list.iter().map(node).collect()),
        Json::Object(members) => Value::Map(
            members
                .iter()
                .map(|(key, value)| Member { key: key.clone(), at: Place::default(), node: node(value) })
                .collect(),
        ),
    };
    Node::new(Place::default(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Finding, Selection, scan};
    use serde_json::json;

    fn inventory(resources: &Json) -> Inventory {
        let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1",
            "read_at": "2026-11-21T10:00:00.000Z", "resources": resources, "read": ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"],
            "unread": {"AWS::KMS::Key": "`kms:ListKeys` was denied"}});
        Inventory::from_json(&text.to_string()).unwrap()
    }

    fn told(status: &str) -> Json {
        json!({"call": "s3:GetBucketVersioning", "at": "2026-11-21T10:00:00.000Z", "status": status})
    }

    fn verdict(resources: &Json, control: &str) -> (&'static str, String) {
        let report = scan(&live(&inventory(resources)), &Selection::default());
        let finding = report.findings().iter().find(|finding| finding.control() == control).unwrap();
        (finding.word(), finding.reason().to_owned())
    }

    fn bucket(properties: &Json, status: &str) -> Json {
        json!({"type": "AWS::S3::Bucket", "id": "data", "properties": properties, "provenance": {"VersioningConfiguration": told(status)}})
    }

    #[test]
    fn denied_is_unknown_and_absent_is_broken() {
        let on = json!({"BucketName": "data", "VersioningConfiguration": {"Status": "Enabled"}});
        assert_eq!(verdict(&json!([bucket(&on, "ok")]), "S3-12").0, "holds");
        let off = json!({"BucketName": "data"});
        assert_eq!(verdict(&json!([bucket(&off, "absent")]), "S3-12").0, "broken");
        let (word, reason) = verdict(&json!([bucket(&off, "denied")]), "S3-12");
        assert_eq!((word, reason.as_str()), ("unknown", "`s3:GetBucketVersioning` was denied"));
    }

    #[test]
    fn a_policy_finds_its_bucket_although_they_have_one_name() {
        let tls = json!({"type": "AWS::S3::BucketPolicy", "id": "data", "provenance": {}, "properties": {"Bucket": "data",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}}});
        let both = json!([bucket(&json!({"BucketName": "data"}), "absent"), tls]);
        assert_eq!(verdict(&both, "S3-07").0, "holds");
    }

    /// What a finding is called does not depend on which other types could be read.
    #[test]
    fn ids_are_the_same_whatever_else_was_read() {
        let bucket = bucket(&json!({"BucketName": "scores"}), "absent");
        let repository = json!({"type": "AWS::ECR::Repository", "id": "scores", "provenance": {}, "properties": {"RepositoryName": "scores"}});
        let uids = |resources: &Json| -> BTreeSet<String> {
            let report = scan(&live(&inventory(resources)), &Selection::default());
            let own = |finding: &&Finding| {
                finding.subject.kind == "AWS::ECR::Repository" && finding.subject.id == "scores"
            };
            report.findings().iter().filter(own).map(|finding| report.uid(finding)).collect()
        };
        let alone = uids(&json!([repository.clone()]));
        assert!(alone.len() > 2 && alone == uids(&json!([bucket, repository])), "{alone:?}");
        assert!(alone.contains("CTR-05/account 123456789012 in eu-central-1/AWS::ECR::Repository/scores"));
    }

    #[test]
    fn a_trail_that_nobody_could_see_is_not_missing() {
        let (word, reason) = verdict(&json!([bucket(&json!({"BucketName": "data"}), "absent")]), "S3-14");
        assert_eq!(word, "unknown", "{reason}");
    }

    #[test]
    fn what_could_not_be_listed_is_said() {
        let report = scan(&live(&inventory(&json!([]))), &Selection::default());
        assert_eq!(report.unread()[0], "AWS::KMS::Key: `kms:ListKeys` was denied");
        assert!(report.unread().contains(&"AWS::SageMaker::Model: none was read".to_owned()));
        let about_keys = report.findings().iter().filter(|finding| finding.subject.kind == "AWS::KMS::Key");
        let words: Vec<&str> = about_keys.map(Finding::word).collect();
        assert!(words.len() >= 3 && words.iter().all(|word| *word == "unknown"), "{words:?}");
        assert_eq!(report.file(), "account 123456789012 in eu-central-1");
    }
}
