//! What there is in an account, as it was read: resources in the shape of CloudFormation, and for every property by which
//! call it was learnt, when, and what came of that call. A property that could not be read is not absent.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What an inventory may be: larger ones are not read.
pub const MAX_RESOURCES: usize = 1_000_000;

/// In [`Inventory::read`]: of every type, what is not here is not there.
pub const ALL: &str = "*";

/// The region of an inventory that is in no cloud: that of the house itself.
pub const EMBEDDED: &str = "embedded";

/// The form of this document.
const FORM: &str = "wardmote-inventory/1";

/// All that was read of one account in one region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    form: String,
    /// The account's id.
    pub account: String,
    /// The region, as `eu-central-1`.
    pub region: String,
    /// When reading began.
    pub read_at: Timestamp,
    /// What there is, by type and id.
    pub resources: Vec<Item>,
    /// Types of which all is here that there is.
    #[serde(default)]
    pub read: BTreeSet<String>,
    /// Types of which it is not known what there is, with why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its type, as CloudFormation calls it: `AWS::S3::Bucket`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its primary identifier.
    pub id: String,
    /// Its ARN, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The region that it is in, if not that of the inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Other names by which resources refer to it, such as the aliases of a key.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
    /// Its properties, in CloudFormation's shape.
    pub properties: Map<String, Value>,
    /// What CloudFormation has no property for, such as the state of a key. Null if it was asked for and is not known: that
    /// leaves no property, and no reference to another resource, in doubt.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub derived: Map<String, Value>,
    /// How each property was learnt.
    pub provenance: BTreeMap<String, Provenance>,
}

/// How a property was learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The IAM action of the call: `s3:GetEncryptionConfiguration`.
    pub call: String,
    /// When it was answered.
    pub at: Timestamp,
    /// What came of it.
    pub status: Status,
    /// What the service said, if it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was answered.
    Ok,
    /// It was answered: there is none.
    Absent,
    /// The caller may not ask.
    Denied,
    /// It failed.
    Error,
    /// The service does not know the call.
    NotSupported,
    /// The source keeps no such thing, though it may be there.
    NotRecorded,
}

impl Status {
    /// Whether the answer is known.
    #[must_use]
    pub fn is_known(self) -> bool {
        matches!(self, Self::Ok | Self::Absent)
    }
}

impl Provenance {
    /// Why the property is not known; nothing if it is.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let why = match self.status {
            Status::Ok | Status::Absent => return None,
            Status::Denied => return Some(format!("`{}` was denied", self.call)),
            Status::NotRecorded => {
                return Some(self.said.clone().unwrap_or_else(|| "AWS Config does not record it".to_owned()));
            }
            Status::Error => "failed",
            Status::NotSupported => "is not supported by the service",
        };
        let said = self.said.as_deref().map(|said| format!(": {said}")).unwrap_or_default();
        Some(format!("`{}` {why}{said}", self.call))
    }
}

/// What may be other than it was read, and is to be read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Touched {
    /// The type, as CloudFormation calls it; one that ends in `*` stands for all that begin so.
    #[serde(rename = "type")]
    pub kind: String,
    /// The primary identifier; nothing for all of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Touched {
    /// One resource.
    #[must_use]
    pub fn one(kind: &str, id: &str) -> Self {
        Self { kind: kind.to_owned(), id: Some(id.to_owned()) }
    }

    /// All of a type, or of all types that begin so.
    #[must_use]
    pub fn all(kind: &str) -> Self {
        Self { kind: kind.to_owned(), id: None }
    }

    /// Whether a resource is among what is meant.
    #[must_use]
    pub fn covers(&self, kind: &str, id: &str) -> bool {
        self.covers_kind(kind) && self.id.as_ref().is_none_or(|own| own == id)
    }

    /// Whether a type is among what is meant.
    #[must_use]
    pub fn covers_kind(&self, kind: &str) -> bool {
        match self.kind.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => self.kind == kind,
        }
    }
}

/// How two inventories differ.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Difference {
    /// Resources that are new, as `type id`.
    pub added: Vec<String>,
    /// Resources that are gone.
    pub removed: Vec<String>,
    /// Resources with properties, or knowledge of them, that changed: their names.
    pub changed: BTreeMap<String, Vec<String>>,
}

impl Inventory {
    /// An inventory of nothing yet.
    #[must_use]
    pub fn new(account: &str, region: &str, read_at: Timestamp) -> Self {
        Self {
            form: FORM.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            read_at,
            resources: Vec::new(),
            read: BTreeSet::new(),
            unread: BTreeMap::new(),
        }
    }

    /// Reads one that was written down.
    ///
    /// # Errors
    /// A sentence that says where it is not as it should be.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.form != FORM {
            return Err(format!("its form is `{}`; expected `{FORM}`", read.form.escape_debug()));
        }
        if read.resources.len() > MAX_RESOURCES {
            return Err(format!("it has more than {MAX_RESOURCES} resources"));
        }
        Ok(read)
    }

    /// Puts the resources into their order, by type and id: what is the same is written the same.
    pub fn sort(&mut self) {
        self.resources.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    }

    /// What is different in a later one.
    #[must_use]
    pub fn difference(&self, later: &Self) -> Difference {
        let by_key = |all: &'_ Self| -> BTreeMap<String, usize> {
            all.resources.iter().enumerate().map(|(at, item)| (item.key(), at)).collect()
        };
        let (before, after) = (by_key(self), by_key(later));
        let mut difference = Difference::default();
        for (key, at) in &after {
            match before.get(key).and_then(|at| self.resources.get(*at)).zip(later.resources.get(*at)) {
                None => difference.added.push(key.clone()),
                Some((old, new)) => {
                    let changed = old.changed(new);
                    if !changed.is_empty() {
                        difference.changed.insert(key.clone(), changed);
                    }
                }
            }
        }
        difference.removed = before.into_keys().filter(|key| !after.contains_key(key)).collect();
        difference
    }
}

impl Item {
    /// A resource of which nothing is known yet.
    #[must_use]
    pub fn new(kind: &str, id: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            arn: None,
            region: None,
            names: BTreeSet::new(),
            properties: Map::new(),
            derived: Map::new(),
            provenance: BTreeMap::new(),
        }
    }

    fn key(&self) -> String {
        format!("{} {}", self.kind, self.id)
    }

    /// The properties that are different in a later reading, or about which another thing is known.
    fn changed(&self, later: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = [self, later]
            .into_iter()
            .flat_map(|item| item.properties.keys().chain(item.derived.keys()).chain(item.provenance.keys()))
            .collect();
        let known = |item: &Self, name: &str| item.provenance.get(name).map(|p| p.status.is_known());
        let differs = |name: &&String| {
            self.properties.get(*name) != later.properties.get(*name)
                || self.derived.get(*name) != later.derived.get(*name)
                || known(self, name) != known(later, name)
        };
        names.into_iter().filter(differs).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inventory(resources: &Value) -> Inventory {
        let text = json!({"form": FORM, "account": "123456789012", "region": "eu-central-1",
            "read_at": "2026-11-21T10:00:00.000Z", "resources": resources});
        Inventory::from_json(&text.to_string()).unwrap()
    }

    fn bucket(id: &str, properties: &Value, status: &str) -> Value {
        json!({"type": "AWS::S3::Bucket", "id": id, "properties": properties,
            "provenance": {"BucketEncryption": {"call": "s3:GetEncryptionConfiguration", "at": "2026-11-21T10:00:00.000Z", "status": status}}})
    }

    #[test]
    fn what_is_written_is_read_again() {
        let one = inventory(&json!([bucket("a", &json!({"BucketName": "a"}), "denied")]));
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(Inventory::from_json(&text).unwrap(), one);
        let missing = one.resources[0].provenance["BucketEncryption"].missing();
        assert_eq!(missing.as_deref(), Some("`s3:GetEncryptionConfiguration` was denied"));
    }

    #[test]
    fn differences_are_of_properties_and_of_what_is_known() {
        let before = inventory(&json!([bucket("a", &json!({"X": 1}), "ok"), bucket("b", &json!({}), "ok")]));
        let after =
            inventory(&json!([bucket("c", &json!({}), "ok"), bucket("a", &json!({"X": 2}), "denied")]));
        let difference = before.difference(&after);
        assert_eq!(difference.added, ["AWS::S3::Bucket c"]);
        assert_eq!(difference.removed, ["AWS::S3::Bucket b"]);
        assert_eq!(difference.changed["AWS::S3::Bucket a"], ["BucketEncryption", "X"]);
        assert_eq!(before.difference(&before), Difference::default());
    }

    #[test]
    fn what_is_no_inventory_is_refused() {
        let text = json!({"form": "other/1", "account": "1", "region": "r", "read_at": "2026-11-21T10:00:00.000Z", "resources": []});
        let refusal = Inventory::from_json(&text.to_string()).unwrap_err();
        assert_eq!(refusal, "its form is `other/1`; expected `wardmote-inventory/1`");
        assert!(Inventory::from_json("{}").unwrap_err().contains("missing field"));
    }
}
