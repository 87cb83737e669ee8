//! The package as one file that is read where it lies: sorted tables of fixed-width little-endian records over a pool
//! of strings. The reader is `crates/iam/src/catalog/blob.rs`; both change together, with `FORMAT`.
//!
//! It does not share code with that crate, because the crate embeds the file and could not be built without it.

use super::source::{Action, Package, ResourceUse, Service, template};
use std::collections::{BTreeMap, BTreeSet};

const MAGIC: &[u8; 8] = b"WMIAMCAT";
const FORMAT: u32 = 1;
/// A string is its offset in the pool in the lower bits and its length in the upper ones.
const OFFSET_BITS: u32 = 21;
const REQUIRED: u16 = 1 << 15;
const SERVICE_BITS: u16 = 12;

/// Compiles the package.
pub(super) fn encode(package: &Package) -> Result<Vec<u8>, String> {
    let index = Index::of(package)?;
    let mut tables = Tables::default();
    for (at, (prefix, service)) in package.services.iter().enumerate() {
        tables.service(&index, (narrow(at)?, prefix), service)?;
    }
    for (name, kind) in index.keys.keys() {
        let spelled = index.spelling.get(name).map_or("", String::as_str);
        let is_template = template(spelled)?.is_some();
        if is_template {
            let id = index.key(name, *kind)?;
            tables.templates.push(id);
        }
        tables.keys.extend(index.text(spelled)?.to_le_bytes());
        tables.keys.extend([*kind, u8::from(is_template)]);
    }
    for (key, name) in &package.categories {
        tables.categories.extend(index.text(key)?.to_le_bytes());
        tables.categories.extend(index.text(name)?.to_le_bytes());
    }
    for (prefix, services) in &package.prefixes {
        for service in services {
            let at = package.services.keys().position(|key| key == service);
            let at = at.ok_or_else(|| format!("`{service}` with keys `{prefix}:` is no service"))?;
            tables.prefixes.extend(index.text(prefix)?.to_le_bytes());
            tables.prefixes.extend(narrow(at)?.to_le_bytes());
        }
    }
    tables.bytes(&index, package)
}

/// Where everything is that records point to.
struct Index {
    pool: String,
    texts: BTreeMap<String, u32>,
    /// Lower-case name and type of a condition key to its number.
    keys: BTreeMap<(String, u8), u16>,
    /// Lower-case name of a condition key as it is written.
    spelling: BTreeMap<String, String>,
    actions: BTreeMap<(String, String), u16>,
    resource_types: BTreeMap<(String, String), u16>,
    key_sets: Sets<u16>,
    use_sets: Sets<(u16, u16)>,
    action_sets: Sets<u16>,
    categories: Vec<String>,
}

impl Index {
    fn of(package: &Package) -> Result<Self, String> {
        let (pool, texts) = pool(package)?;
        let mut index = Self {
            pool,
            texts,
            keys: BTreeMap::new(),
            spelling: BTreeMap::new(),
            actions: BTreeMap::new(),
            resource_types: BTreeMap::new(),
            key_sets: Sets::default(),
            use_sets: Sets::default(),
            action_sets: Sets::default(),
            categories: package.categories.keys().cloned().collect(),
        };
        for (prefix, service) in &package.services {
            for name in service.actions.keys() {
                let next = narrow(index.actions.len())?;
                index.actions.insert((prefix.clone(), name.clone()), next);
            }
            for name in service.resource_types.keys() {
                let next = narrow(index.resource_types.len())?;
                index.resource_types.insert((prefix.clone(), name.clone()), next);
            }
            for (name, key) in &service.condition_keys {
                index.keys.insert((name.clone(), key.kind as u8), 0);
                let before = index.spelling.insert(name.clone(), key.key.clone());
                if before.is_some_and(|before| before != key.key) {
                    return Err(format!("`{}` is spelled in two ways", key.key));
                }
            }
        }
        for (next, number) in index.keys.values_mut().enumerate() {
            *number = narrow(next)?;
        }
        index.collect_sets(package)?;
        Ok(index)
    }

    fn collect_sets(&mut self, package: &Package) -> Result<(), String> {
        let mut sets = BTreeSet::new();
        for service in package.services.values() {
            sets.insert(self.all_keys(service)?);
            for kind in service.resource_types.values() {
                sets.insert(self.key_set(service, &kind.condition_keys)?);
            }
            for action in service.actions.values() {
                sets.insert(self.key_set(service, &action.condition_keys)?);
                for used in &action.resource_types {
                    sets.insert(self.key_set(service, &used.condition_keys)?);
                }
            }
        }
        self.key_sets = Sets::of(sets)?;
        let (mut uses, mut dependents) = (BTreeSet::new(), BTreeSet::new());
        for (prefix, service) in &package.services {
            for action in service.actions.values() {
                uses.insert(self.uses(prefix, service, action)?);
                dependents.insert(self.dependents(action)?);
            }
        }
        self.use_sets = Sets::of(uses)?;
        self.action_sets = Sets::of(dependents)?;
        Ok(())
    }

    fn text(&self, text: &str) -> Result<u32, String> {
        self.texts.get(text).copied().ok_or_else(|| format!("`{text}` is not in the pool"))
    }

    fn key(&self, name: &str, kind: u8) -> Result<u16, String> {
        let found = self.keys.get(&(name.to_ascii_lowercase(), kind)).copied();
        found.ok_or_else(|| format!("the condition key `{name}` is not described"))
    }

    fn key_set(&self, service: &Service, names: &[String]) -> Result<Vec<u16>, String> {
        let ids = names.iter().map(|name| {
            let key = service.condition_keys.get(&name.to_ascii_lowercase());
            let key =
                key.ok_or_else(|| format!("`{}` uses `{name}`, which it does not describe", service.name))?;
            self.key(name, key.kind as u8)
        });
        Ok(ids.collect::<Result<BTreeSet<u16>, String>>()?.into_iter().collect())
    }

    fn all_keys(&self, service: &Service) -> Result<Vec<u16>, String> {
        let ids = service.condition_keys.values().map(|key| self.key(&key.key, key.kind as u8));
        Ok(ids.collect::<Result<BTreeSet<u16>, String>>()?.into_iter().collect())
    }

    fn uses(&self, prefix: &str, service: &Service, action: &Action) -> Result<Vec<(u16, u16)>, String> {
        let uses = action.resource_types.iter().map(|used: &ResourceUse| {
            let name = (prefix.to_owned(), used.name.to_ascii_lowercase());
            let id = self.resource_types.get(&name).copied();
            let id = id.ok_or_else(|| {
                format!(
                    "`{prefix}:{}` uses the resource type `{}`, which is not described",
                    action.name, used.name
                )
            })?;
            let flag = if used.required { REQUIRED } else { 0 };
            Ok((id | flag, self.key_sets.number(&self.key_set(service, &used.condition_keys)?)?))
        });
        let mut uses = uses.collect::<Result<Vec<_>, String>>()?;
        uses.sort_by_key(|(id, keys)| (id & !REQUIRED, *id, *keys));
        uses.dedup();
        Ok(uses)
    }

    /// Dependent actions, those of single resource types among them.
    fn dependents(&self, action: &Action) -> Result<Vec<u16>, String> {
        let of_types = action.resource_types.iter().flat_map(|used| &used.dependent_actions);
        let ids = action.dependent_actions.iter().chain(of_types).map(|name| {
            let lower = name.to_ascii_lowercase();
            let found = lower.split_once(':').and_then(|(service, action)| {
                self.actions.get(&(service.to_owned(), action.to_owned())).copied()
            });
            found.ok_or_else(|| format!("`{}` depends on `{name}`, which is no action", action.name))
        });
        Ok(ids.collect::<Result<BTreeSet<u16>, String>>()?.into_iter().collect())
    }
}

/// All strings in one, each only once; what is part of another takes no room of its own.
fn pool(package: &Package) -> Result<(String, BTreeMap<String, u32>), String> {
    let mut all: BTreeSet<&str> = BTreeSet::from([package.version.as_str(), package.updated.as_str()]);
    for (prefix, service) in &package.services {
        all.extend([prefix.as_str(), service.name.as_str()]);
        all.extend(service.actions.values().map(|action| action.name.as_str()));
        all.extend(service.resource_types.values().flat_map(|kind| [kind.key.as_str(), kind.arn.as_str()]));
        all.extend(service.condition_keys.values().map(|key| key.key.as_str()));
    }
    all.extend(package.categories.iter().flat_map(|(key, name)| [key.as_str(), name.as_str()]));
    all.extend(package.prefixes.keys().map(String::as_str));
    let mut ordered: Vec<&str> = all.into_iter().collect();
    ordered.sort_by_key(|text| (std::cmp::Reverse(text.len()), *text));
    let (mut pool, mut texts) = (String::new(), BTreeMap::new());
    for text in ordered {
        let offset = pool.find(text).unwrap_or_else(|| {
            pool.push_str(text);
            pool.len() - text.len()
        });
        let packed = u64::try_from(text.len()).ok().zip(u64::try_from(offset).ok());
        let packed = packed.filter(|(_, offset)| *offset < 1 << OFFSET_BITS);
        let packed = packed.and_then(|(length, offset)| u32::try_from(length << OFFSET_BITS | offset).ok());
        texts.insert(text.to_owned(), packed.ok_or_else(|| format!("`{text}` does not fit into the pool"))?);
    }
    Ok((pool, texts))
}

/// Lists that many records share, numbered in their order.
struct Sets<T> {
    numbers: BTreeMap<Vec<T>, u16>,
}

impl<T> Default for Sets<T> {
    fn default() -> Self {
        Self { numbers: BTreeMap::new() }
    }
}

impl<T: Ord> Sets<T> {
    fn of(sets: BTreeSet<Vec<T>>) -> Result<Self, String> {
        let numbered = sets.into_iter().enumerate().map(|(number, set)| Ok((set, narrow(number)?)));
        Ok(Self { numbers: numbered.collect::<Result<_, String>>()? })
    }

    fn number(&self, set: &Vec<T>) -> Result<u16, String> {
        self.numbers.get(set).copied().ok_or_else(|| "a list was not collected".to_owned())
    }

    /// Where each list ends, and all items.
    fn bytes(&self, item: impl Fn(&T) -> Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), String> {
        let (mut ends, mut items, mut count) = (Vec::new(), Vec::new(), 0_usize);
        for set in self.numbers.keys() {
            count += set.len();
            ends.extend(wide(count)?.to_le_bytes());
            items.extend(set.iter().flat_map(&item));
        }
        Ok((ends, items))
    }
}

#[derive(Default)]
struct Tables {
    services: Vec<u8>,
    actions: Vec<u8>,
    resource_types: Vec<u8>,
    keys: Vec<u8>,
    templates: Vec<u16>,
    categories: Vec<u8>,
    prefixes: Vec<u8>,
    action_count: usize,
    resource_type_count: usize,
}

impl Tables {
    fn service(&mut self, index: &Index, at: (u16, &str), service: &Service) -> Result<(), String> {
        let (number, prefix) = at;
        if number >> SERVICE_BITS != 0 {
            return Err(format!("`{prefix}` is one service too many for the format"));
        }
        let category = index.categories.iter().position(|key| *key == service.category);
        let category = category.and_then(|at| u8::try_from(at).ok());
        let category = category.ok_or_else(|| format!("`{prefix}` has no category"))?;
        self.services.extend(index.text(prefix)?.to_le_bytes());
        self.services.extend(index.text(&service.name)?.to_le_bytes());
        let keys = index.key_sets.number(&index.all_keys(service)?)?;
        for value in [
            narrow(self.action_count)?,
            narrow(service.actions.len())?,
            narrow(self.resource_type_count)?,
            narrow(service.resource_types.len())?,
            keys,
        ] {
            self.services.extend(value.to_le_bytes());
        }
        self.services.extend([category, u8::from(service.supports_rcp)]);
        self.action_count += service.actions.len();
        self.resource_type_count += service.resource_types.len();
        for action in service.actions.values() {
            self.actions.extend(index.text(&action.name)?.to_le_bytes());
            for value in [
                (action.access_level as u16) << SERVICE_BITS | number,
                index.use_sets.number(&index.uses(prefix, service, action)?)?,
                index.key_sets.number(&index.key_set(service, &action.condition_keys)?)?,
                index.action_sets.number(&index.dependents(action)?)?,
            ] {
                self.actions.extend(value.to_le_bytes());
            }
        }
        for kind in service.resource_types.values() {
            self.resource_types.extend(index.text(&kind.key)?.to_le_bytes());
            self.resource_types.extend(index.text(&kind.arn)?.to_le_bytes());
            self.resource_types.extend(number.to_le_bytes());
            let keys = index.key_sets.number(&index.key_set(service, &kind.condition_keys)?)?;
            self.resource_types.extend(keys.to_le_bytes());
        }
        Ok(())
    }

    /// Magic, format, version and date of the data, the number of records of each table, the tables.
    fn bytes(self, index: &Index, package: &Package) -> Result<Vec<u8>, String> {
        let number = |id: &u16| id.to_le_bytes().to_vec();
        let (key_ends, key_items) = index.key_sets.bytes(number)?;
        let (use_ends, use_items) = index.use_sets.bytes(|(id, keys)| [number(id), number(keys)].concat())?;
        let (action_ends, action_items) = index.action_sets.bytes(number)?;
        let templates: Vec<u8> = self.templates.iter().flat_map(|id| id.to_le_bytes()).collect();
        let tables: [(usize, Vec<u8>); 14] = [
            (20, self.services),
            (12, self.actions),
            (12, self.resource_types),
            (6, self.keys),
            (2, templates),
            (4, key_ends),
            (2, key_items),
            (4, use_ends),
            (4, use_items),
            (4, action_ends),
            (2, action_items),
            (8, self.categories),
            (6, self.prefixes),
            (1, index.pool.clone().into_bytes()),
        ];
        let mut bytes = MAGIC.to_vec();
        for value in [FORMAT, index.text(&package.version)?, index.text(&package.updated)?] {
            bytes.extend(value.to_le_bytes());
        }
        for (width, table) in &tables {
            bytes.extend(wide(table.len() / width)?.to_le_bytes());
        }
        for (_, table) in tables {
            bytes.extend(table);
        }
        Ok(bytes)
    }
}

fn narrow(number: usize) -> Result<u16, String> {
    u16::try_from(number)
        .ok()
        .filter(|number| *number < u16::MAX)
        .ok_or_else(|| format!("{number} is too many for the format"))
}

fn wide(number: usize) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{number} is too many for the format"))
}
