//! A configuration snapshot of AWS Config as an inventory: the file that `DeliverConfigSnapshot` leaves in a bucket, or
//! what `BatchGetResourceConfig` answers. Types that Config takes from CloudFormation's registry have CloudFormation's
//! properties already; older ones have the shape of their service's describe call and are put into that of CloudFormation
//! here (AWS Config Developer Guide, "Components of a configuration item"; property names: awslabs
//! aws-config-resource-schema). What Config does not record of a resource is unknown, and a type without a single item is
//! not known to be empty: nobody can tell from a snapshot what the recorder was told to leave out.

mod iam;
mod network;
mod s3;
mod shape;

use facts::Timestamp;
use facts::inventory::{Inventory, Item, MAX_RESOURCES, Provenance, Status};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The call that the provenance of every property names.
const CALL: &str = "config:DeliverConfigSnapshot";
/// The lists that hold items, by the document that they are in.
const LISTS: [&str; 2] = ["configurationItems", "baseConfigurationItems"];

/// Whether a text is such a document rather than a template.
#[must_use]
pub fn is_snapshot(text: &str) -> bool {
    let head = text.trim_start();
    head.starts_with('{')
        && LISTS.iter().any(|list| head.contains(&format!("\"{list}\"")))
        && !head.contains("\"AWSTemplateFormatVersion\"")
}

/// The inventory of a snapshot. All items must be of one account; a snapshot of Config is of one region.
///
/// # Errors
/// A sentence that says what of it is not as it should be.
pub fn snapshot(text: &str) -> Result<Inventory, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let items = LISTS
        .iter()
        .find_map(|list| document.get(list).and_then(Value::as_array))
        .ok_or("it has no list `configurationItems`")?;
    if items.len() > MAX_RESOURCES {
        return Err(format!("it has {} items; at most {MAX_RESOURCES} are read", items.len()));
    }
    let read: Vec<Recorded<'_>> =
        items.iter().enumerate().map(|(at, item)| Recorded::read(at, item)).collect::<Result<_, _>>()?;
    let account = only(&read, "account", |item| item.account)?;
    let region = region(&read);
    let read_at = read.iter().map(|item| item.at).max().ok_or("it has no item")?;
    let mut inventory = Inventory::new(account, region, read_at);
    let mut unread = BTreeMap::new();
    for item in read.iter().filter(|item| !item.is_gone()) {
        let kind = shape::kind(item.kind);
        if !item.is_recorded() {
            unread.insert(kind.to_owned(), format!("AWS Config did not record `{}`", item.name));
            continue;
        }
        match shape::resources(item) {
            Some(resources) => {
                inventory.read.extend(shape::comes_with(kind).map(str::to_owned));
                inventory.resources.extend(resources);
            }
            None => {
                unread.insert(kind.to_owned(), "in a form of AWS Config that is not read".to_owned());
            }
        }
    }
    inventory.read.retain(|kind| !unread.contains_key(kind));
    inventory.unread = unread;
    inventory.sort();
    Ok(inventory)
}

/// The value that all items have.
fn only<'a>(
    items: &[Recorded<'a>],
    what: &str,
    of: impl Fn(&Recorded<'a>) -> &'a str,
) -> Result<&'a str, String> {
    let all: BTreeSet<&str> = items.iter().map(of).collect();
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err("it has no item".to_owned()),
        (Some(one), Some(other)) => {
            Err(format!("its items are of more than one {what}, `{one}` and `{other}`; give one at a time"))
        }
    }
}

/// The region of most items: those of whole accounts stand under `global` or in the home region.
fn region<'a>(items: &[Recorded<'a>]) -> &'a str {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    items.iter().for_each(|item| *count.entry(item.region).or_default() += 1);
    count
        .into_iter()
        .filter(|(name, _)| *name != "global")
        .max_by_key(|(_, number)| *number)
        .map_or("", |(name, _)| name)
}

/// One configuration item. Two documents spell some names differently.
struct Recorded<'a> {
    kind: &'a str,
    id: &'a str,
    name: &'a str,
    arn: Option<&'a str>,
    account: &'a str,
    region: &'a str,
    status: &'a str,
    at: Timestamp,
    tags: Option<&'a Map<String, Value>>,
    configuration: Value,
    supplementary: Map<String, Value>,
}

impl<'a> Recorded<'a> {
    fn read(at: usize, item: &'a Value) -> Result<Self, String> {
        let text = |names: &[&str]| names.iter().find_map(|name| item.get(name).and_then(Value::as_str));
        let wanted = |names: &[&str]| {
            text(names)
                .ok_or_else(|| format!("item {} of it has no `{}`", at + 1, names.first().unwrap_or(&"")))
        };
        let (kind, id) = (wanted(&["resourceType"])?, wanted(&["resourceId"])?);
        let time = wanted(&["configurationItemCaptureTime"])?;
        let supplementary = item.get("supplementaryConfiguration").map(plain);
        Ok(Self {
            kind,
            id,
            name: text(&["resourceName"]).unwrap_or(id),
            arn: text(&["ARN", "arn"]),
            account: wanted(&["awsAccountId", "accountId"])?,
            region: wanted(&["awsRegion"])?,
            status: text(&["configurationItemStatus"]).unwrap_or("OK"),
            at: time.parse().map_err(|_| {
                format!("item {} of it has the time `{}`; expected RFC 3339", at + 1, time.escape_debug())
            })?,
            tags: item.get("tags").and_then(Value::as_object),
            configuration: item.get("configuration").map(plain).unwrap_or_default(),
            supplementary: match supplementary {
                Some(Value::Object(members)) => members,
                _ => Map::new(),
            },
        })
    }

    fn is_gone(&self) -> bool {
        self.status.starts_with("ResourceDeleted")
    }

    fn is_recorded(&self) -> bool {
        self.status != "ResourceNotRecorded"
    }

    /// A part of the configuration, or else of what is recorded beside it.
    fn part(&self, path: &str) -> Option<Value> {
        if let Some(name) = path.strip_prefix('+') {
            return self.supplementary.get(name).map(plain).filter(|value| !value.is_null());
        }
        let mut steps = path.split('.');
        let first = self.configuration.get(steps.next()?)?;
        let found = steps.try_fold(first, |value, step| value.get(step))?;
        Some(plain(found)).filter(|value| !value.is_null())
    }

    fn told(&self, status: Status) -> Provenance {
        Provenance { call: CALL.to_owned(), at: self.at, status, said: None }
    }

    /// The resource with its names and tags, without other properties.
    fn item(&self, kind: &str, id: &str) -> Item {
        let mut names = BTreeSet::from([self.id.to_owned(), self.name.to_owned()]);
        names.remove(id);
        let mut item = Item::new(kind, id);
        item.arn = self.arn.map(ToOwned::to_owned);
        item.region = Some(self.region.to_owned());
        item.names = names;
        let pair = |(key, value): (&String, &Value)| json!({ "Key": key, "Value": value });
        let tags =
            self.tags.map(|tags| tags.iter().map(pair).collect::<Vec<_>>()).filter(|tags| !tags.is_empty());
        // Not every document has tags beside the configuration; a bucket's are within it.
        let missing = if self.tags.is_some() { Status::Absent } else { Status::NotRecorded };
        self.put(&mut item, "Tags", tags.map(Value::Array), missing);
        item
    }

    /// Writes a property down; `missing` is what it means that there is none.
    fn put(&self, item: &mut Item, property: &str, value: Option<Value>, missing: Status) {
        let status = if value.is_some() { Status::Ok } else { missing };
        item.provenance.insert(property.to_owned(), self.told(status));
        if let Some(value) = value {
            item.properties.insert(property.to_owned(), value);
        }
    }
}

/// How often JSON may stand within a text of JSON.
const WRAPPED: usize = 3;

/// What a text of JSON says; Config writes many parts as such, some twice.
fn plain(value: &Value) -> Value {
    let mut value = value.clone();
    for _ in 0..WRAPPED {
        let Value::String(text) = &value else { break };
        if !text.starts_with(['{', '[', '"']) {
            break;
        }
        match serde_json::from_str(text) {
            Ok(inner) => value = inner,
            Err(_) => break,
        }
    }
    value
}

/// Names of members as CloudFormation writes them, with a capital; at every depth.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (capital(name), pascal(value)))
            .collect(),
        Value::Array(items) => items.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
