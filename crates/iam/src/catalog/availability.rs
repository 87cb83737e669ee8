//! When a request carries a condition key. What is not known is `Unknown`, which is never a pass: a prover must try
//! both a request with the key and one without it.
//!
//! Keys that belong to no single service are a dated table, `data/global-keys.json`. Keys of services follow the
//! catalogue, which tells where a key can occur and never that it must.

use super::blob::{begins, compare};
use super::entries::{Action, KeyType, fits};
use super::{Catalog, catalog};
use serde::Deserialize;
use std::sync::LazyLock;

/// Whether requests for an action carry a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Every request does.
    Always,
    /// Some do.
    Sometimes,
    /// None does: the key belongs to another service.
    Never,
    /// The action or the key is not known, or the catalogue does not connect the two.
    Unknown,
}

/// When requests carry a key that is not of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Presence {
    /// In every request.
    Always,
    /// In every signed request, not in anonymous ones.
    Signed,
    /// Under the conditions that [`GlobalKey::when`] tells.
    Sometimes,
    /// Only at actions for which the catalogue lists the key, and there sometimes.
    Listed,
}

/// A condition key that is not of one service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalKey {
    name: String,
    #[serde(rename = "type")]
    kind: KeyType,
    also: Option<KeyType>,
    presence: Presence,
    when: String,
    source: Source,
}

/// A page of AWS, or where else a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Global,
    Federation,
    Package,
}

impl GlobalKey {
    /// Its name as AWS writes it, with its variable part: `aws:PrincipalTag/${TagKey}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values; an array if the key is multivalued.
    pub fn kind(&self) -> KeyType {
        self.kind
    }

    /// Another type that its values can have, such as a number for `aws:EpochTime`.
    pub fn other_kind(&self) -> Option<KeyType> {
        self.also
    }

    /// When requests carry it.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The same in words, to follow "present".
    pub fn when(&self) -> &str {
        &self.when
    }

    /// Title and address of the page that says so.
    pub fn source(&self) -> (&'static str, &'static str) {
        let sources = &global_keys().sources;
        let page = match self.source {
            Source::Global => &sources.global,
            Source::Federation => &sources.federation,
            Source::Package => &sources.package,
        };
        (&page.title, &page.url)
    }

    /// Whether a name is this key, or fits its variable part.
    pub fn is(&self, name: &str) -> bool {
        compare(&self.name, name).is_eq() || fits(&self.name, name)
    }
}

/// The table of keys that are not of one service.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalKeys {
    as_of: String,
    sources: Sources,
    keys: Vec<GlobalKey>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    global: Page,
    federation: Page,
    package: Page,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    title: String,
    url: String,
}

impl GlobalKeys {
    /// The day on which the table was compiled, as `2026-11-21`.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The keys, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, GlobalKey> {
        self.keys.iter()
    }
}

impl<'a> IntoIterator for &'a GlobalKeys {
    type Item = &'a GlobalKey;
    type IntoIter = std::slice::Iter<'a, GlobalKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

// A test holds that the table can be read. Without it every global key would be `Unknown`, which is never a pass.
static TABLE: LazyLock<GlobalKeys> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/global-keys.json")).unwrap_or_default());

/// The table of keys that are not of one service.
pub fn global_keys() -> &'static GlobalKeys {
    &TABLE
}

/// The key of this name that is not of one service. `aws:PrincipalTag/team` finds `aws:PrincipalTag/${TagKey}`.
pub fn global_key(name: &str) -> Option<&'static GlobalKey> {
    let keys = &global_keys().keys;
    let at = keys.partition_point(|key| compare(&key.name, name).is_lt());
    keys.get(at).filter(|key| key.is(name)).or_else(|| keys.iter().find(|key| key.is(name)))
}

/// Whether requests for the action with this full name carry the key. An action that is not in the catalogue, or a
/// pattern of actions, gives `Unknown`; ask [`global_key`] about the key alone.
pub fn availability(action: &str, key: &str) -> Availability {
    match catalog().action(action) {
        Some(action) => availability_for(&action, key),
        None => Availability::Unknown,
    }
}

/// Whether requests for the action carry the key.
///
/// `Signed` keys are `Sometimes` here; whoever knows that a request is signed asks [`GlobalKey::presence`].
pub fn availability_for(action: &Action<'_>, key: &str) -> Availability {
    match global_key(key).map(GlobalKey::presence) {
        Some(Presence::Always) => return Availability::Always,
        Some(Presence::Signed | Presence::Sometimes) => return Availability::Sometimes,
        Some(Presence::Listed) | None => {}
    }
    if action.lists_key(key) {
        return Availability::Sometimes;
    }
    let service = action.service();
    let own = key.split_once(':').is_some_and(|(prefix, _)| compare(prefix, service.prefix()).is_eq());
    // The catalogue may have forgotten to list a key of the service's own; of a key of another service it knows enough.
    if own || service.condition_key(key).is_some() || is_foreign(catalog(), key) {
        return Availability::Unknown;
    }
    let known = catalog().condition_key(key).is_some_and(|key| !begins(key.name(), "aws:"));
    if known { Availability::Never } else { Availability::Unknown }
}

/// Whether a key belongs to an identity provider or the like: these can come with any session.
fn is_foreign(catalog: &'static Catalog<'static>, key: &str) -> bool {
    let Some((prefix, _)) = key.rsplit_once(':') else { return false };
    catalog.foreign_prefixes().any(|(foreign, _)| compare(foreign, prefix).is_eq() || fits(foreign, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_is_sorted() {
        let table: GlobalKeys = serde_json::from_str(include_str!("../../data/global-keys.json")).unwrap();
        assert_eq!(table.as_of().len(), 10);
        for pair in table.keys.windows(2) {
            assert!(compare(&pair[0].name, &pair[1].name).is_lt(), "{} {}", pair[0].name, pair[1].name);
        }
        for key in &table {
            assert!(key.source().1.starts_with("https://") && !key.source().0.is_empty(), "{}", key.name());
            assert!(!key.when().is_empty() && !key.when().ends_with('.'), "{}", key.name());
            assert_eq!(global_key(&key.name().to_uppercase()).map(GlobalKey::name), Some(key.name()));
        }
    }

    #[test]
    fn types_agree_with_the_catalogue() {
        // The package calls this one single-valued; trust policies of Cognito ask for it with `ForAnyValue`.
        let corrected = "cognito-identity.amazonaws.com:amr";
        for key in global_keys().iter().filter(|key| key.name() != corrected) {
            if let Some(known) = catalog().condition_key(key.name()) {
                assert_eq!(key.kind(), known.kind(), "{}", key.name());
            }
        }
    }
}
