//! Numbers and names of AWS that change with time: quotas, Regions. A dated file, `lints/facts.json`.

use super::unit::kind_named;
use crate::policy::PolicyKind;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Facts {
    as_of: String,
    quotas: Vec<Quota>,
    regions: Vec<String>,
    partitions: Vec<String>,
}

/// How long a policy of some kind may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quota {
    kind: String,
    pub(super) characters: usize,
    /// Whether white space counts.
    pub(super) spaces_count: bool,
}

// A test holds that the file can be read. Without it nothing would be too long, and no Region wrong.
static FACTS: LazyLock<Facts> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../lints/facts.json")).unwrap_or_default());

pub(super) fn facts() -> &'static Facts {
    &FACTS
}

impl Facts {
    pub(super) fn quota(&self, kind: PolicyKind) -> Option<&Quota> {
        self.quotas.iter().find(|quota| kind_named(&quota.kind) == Some(kind))
    }

    /// Whether there is such a Region, as far as known.
    pub(super) fn is_region(&self, name: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|region| region == name)
    }

    pub(super) fn is_partition(&self, name: &str) -> bool {
        self.partitions.is_empty() || self.partitions.iter().any(|partition| partition == name)
    }

    /// The day of the data.
    pub(super) fn as_of(&self) -> &str {
        &self.as_of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read() {
        let facts: Facts = serde_json::from_str(include_str!("../../lints/facts.json")).unwrap();
        assert_eq!(facts.as_of().len(), 10);
        assert!(facts.is_region("eu-central-1") && facts.is_partition("aws-cn"));
        assert!(facts.quotas.iter().all(|quota| kind_named(&quota.kind).is_some()));
    }
}
