//! What a fix is about: a resource of the inventory, and how it is looked at and called.

use super::{Looks, Options};
use facts::inventory::{Inventory, Item, Provenance};
use facts::remediation::{Call, Change, Look};
use serde_json::{Map, Value};

/// Tags that say how far a resource is from production.
const STAGES: [&str; 4] = ["modelStage", "environment", "env", "stage"];
/// Their values that mean that it is not there.
const EARLIER: [&str; 7] = ["development", "dev", "test", "testing", "staging", "sandbox", "experiment"];

/// A resource that is to be put right.
pub(crate) struct Subject<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) item: &'a Item,
    pub(crate) options: &'a Options,
}

impl Subject<'_> {
    pub(crate) fn id(&self) -> &str {
        &self.item.id
    }

    /// The ARN, or the id of what has none.
    pub(crate) fn arn(&self) -> &str {
        self.item.arn.as_deref().unwrap_or(&self.item.id)
    }

    /// A call about the resource, where it is.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: Value) -> Call {
        let parameters = match parameters {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let elsewhere = self.item.region.clone().filter(|region| *region != self.inventory.region);
        Call { service: service.to_owned(), operation: operation.to_owned(), region: elsewhere, parameters }
    }

    /// A look at the members of what a call tells.
    pub(crate) fn look(&self, call: Call, at: &str, only: &[&str]) -> Look {
        let only = only.iter().map(|name| (*name).to_owned()).collect();
        Look { call, at: at.to_owned(), whose: None, only, document: false }
    }

    /// A property of the inventory, by its path (RFC 6901).
    ///
    /// # Errors
    /// If it could not be read: what is not known is no ground to act on.
    pub(crate) fn property(&self, path: &str) -> Result<Option<&Value>, String> {
        let path = path.trim_start_matches('/');
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        if let Some(missing) = self.item.provenance.get(name).and_then(Provenance::missing) {
            return Err(format!("`{name}` is not known: {missing}"));
        }
        let value = self.item.properties.get(name).or_else(|| self.item.derived.get(name));
        Ok(match rest {
            None => value,
            Some(rest) => value.and_then(|value| value.pointer(&format!("/{rest}"))),
        })
    }

    /// The value of a tag.
    pub(crate) fn tag(&self, wanted: &str) -> Option<&str> {
        let tags = self.item.properties.get("Tags")?.as_array()?;
        let own = |tag: &&Value| tag["Key"].as_str().is_some_and(|key| key.eq_ignore_ascii_case(wanted));
        tags.iter().find(own)?["Value"].as_str()
    }

    /// What nobody says is earlier is in production.
    pub(crate) fn is_production(&self) -> bool {
        let mut stages = STAGES.iter().filter_map(|name| self.tag(name)).map(str::to_lowercase).peekable();
        stages.peek().is_none() || stages.any(|stage| !EARLIER.contains(&stage.as_str()))
    }

    /// The key that people named.
    pub(crate) fn key(&self) -> Result<&str, String> {
        let named = self.options.kms_key.as_deref();
        named.ok_or_else(|| "it needs a customer key and none is named: add `--kms-key ARN`".to_owned())
    }

    /// The bucket that people named for logs.
    pub(crate) fn log_bucket(&self) -> Result<&Item, String> {
        let named = self.options.log_bucket.as_deref();
        let name = named.ok_or_else(|| {
            "it needs a bucket for logs and none is named: add `--log-bucket NAME`".to_owned()
        })?;
        let mut all = self.inventory.resources.iter();
        all.find(|item| item.kind == "AWS::S3::Bucket" && item.id == name)
            .ok_or_else(|| format!("the bucket for logs, `{name}`, is not among what was read"))
    }

    /// The bucket that people named for captured traffic.
    pub(crate) fn capture_bucket(&self) -> Result<&str, String> {
        let named = self.options.capture_bucket.as_deref();
        named.ok_or_else(|| {
            "it needs a bucket for captured traffic and none is named: add `--capture-bucket NAME`".to_owned()
        })
    }

    /// One change of a part, unless it is already so. `write` is what brings the part from one state to another, so that
    /// the inverse is the same the other way round.
    pub(crate) fn change(
        &self,
        look: Look,
        looks: Looks<'_>,
        after: impl FnOnce(&Value) -> Result<Value, String>,
        write: impl Fn(&Value, &Value) -> Vec<Call>,
    ) -> Result<Vec<Change>, String> {
        let before = looks(&look)?;
        let after = after(&before)?;
        if after == before {
            return Ok(Vec::new());
        }
        let (calls, inverse) = (write(&before, &after), write(&after, &before));
        Ok(vec![Change { look, before, after, calls, inverse, undone: None }])
    }
}

/// The same object with a member set.
pub(crate) fn with(value: &Value, name: &str, to: Value) -> Value {
    let mut members = value.as_object().cloned().unwrap_or_default();
    members.insert(name.to_owned(), to);
    Value::Object(members)
}

/// The items of a list that may be alone or missing, as policies write them.
pub(crate) fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}
