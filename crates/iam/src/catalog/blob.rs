//! The embedded file `data/actions.bin`: sorted tables of fixed-width little-endian records over a pool of strings,
//! read where they lie. The writer is `xtask/src/iam_data/blob.rs`; both change together, with `FORMAT`.
//!
//! Nothing here trusts the bytes: an index that leads outside gives an empty string or no record.

use std::cmp::Ordering;

const MAGIC: [u8; 8] = *b"WMIAMCAT";
const FORMAT: u32 = 1;
/// A string is its offset in the pool in the lower bits and its length in the upper ones.
const OFFSET_BITS: u32 = 21;
/// Set in the number of a resource type that an action requires.
const REQUIRED: u16 = 1 << 15;

/// prefix, name, first action, actions, first resource type, resource types, condition keys, category, flags
pub(super) type ServiceRecord = [u8; 20];
/// name, service and access level, resource types, condition keys, dependent actions
pub(super) type ActionRecord = [u8; 12];
/// name, ARN, service, condition keys
pub(super) type ResourceTypeRecord = [u8; 12];
/// name, type, whether it has a variable part
pub(super) type KeyRecord = [u8; 6];

/// Why bytes are not a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogError {
    /// They do not begin as one.
    NotACatalog,
    /// They are of a format that this program does not read.
    Format {
        /// The format that the bytes name.
        found: u32,
    },
    /// The tables that the header announces and the bytes that follow differ in size.
    Size,
}

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotACatalog => write!(f, "these bytes are not a catalogue of actions"),
            Self::Format { found } => {
                write!(f, "the catalogue of actions has format `{found}`; expected `{FORMAT}`")
            }
            Self::Size => write!(f, "the catalogue of actions is cut off or has bytes after its end"),
        }
    }
}

impl CatalogError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "write it anew with `cargo xtask iam-data PACKAGE_DIR`"
    }
}

impl std::error::Error for CatalogError {}

/// The tables, each as long as the header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob<'a> {
    pub(super) version: u32,
    pub(super) date: u32,
    pub(super) services: &'a [ServiceRecord],
    pub(super) actions: &'a [ActionRecord],
    pub(super) resource_types: &'a [ResourceTypeRecord],
    pub(super) keys: &'a [KeyRecord],
    pub(super) templates: &'a [[u8; 2]],
    key_sets: Sets<'a, 2>,
    use_sets: Sets<'a, 4>,
    action_sets: Sets<'a, 2>,
    categories: &'a [[u8; 8]],
    pub(super) prefixes: &'a [[u8; 6]],
    pool: &'a [u8],
}

/// Lists that many records share: where each ends, and all their items.
#[derive(Debug, Clone, Copy)]
struct Sets<'a, const N: usize> {
    ends: &'a [[u8; 4]],
    items: &'a [[u8; N]],
}

impl<'a, const N: usize> Sets<'a, N> {
    fn get(&self, number: u16) -> &'a [[u8; N]] {
        let number = usize::from(number);
        let end = |at: usize| self.ends.get(at).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.items.get(start..end(number)).unwrap_or_default()
    }
}

/// Takes records off the front of the bytes. Usable at compile time, so that a broken file does not compile.
const fn table<const N: usize>(bytes: &[u8], count: u32) -> Option<(&[[u8; N]], &[u8])> {
    let Some(size) = (count as usize).checked_mul(N) else { return None };
    let Some((own, rest)) = bytes.split_at_checked(size) else { return None };
    Some((own.as_chunks::<N>().0, rest))
}

const fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match bytes.split_first_chunk::<4>() {
        Some((number, rest)) => Some((u32::from_le_bytes(*number), rest)),
        None => None,
    }
}

/// The next table, or an error from the function around.
macro_rules! take {
    ($reader:expr) => {
        match $reader {
            Some(found) => found,
            None => return Err(CatalogError::Size),
        }
    };
}

impl<'a> Blob<'a> {
    /// A catalogue of nothing.
    pub(super) const EMPTY: Blob<'static> = Blob {
        version: 0,
        date: 0,
        services: &[],
        actions: &[],
        resource_types: &[],
        keys: &[],
        templates: &[],
        key_sets: Sets { ends: &[], items: &[] },
        use_sets: Sets { ends: &[], items: &[] },
        action_sets: Sets { ends: &[], items: &[] },
        categories: &[],
        prefixes: &[],
        pool: &[],
    };

    /// Checks the header and cuts the bytes into tables.
    pub(super) const fn read(bytes: &'a [u8]) -> Result<Self, CatalogError> {
        let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(CatalogError::NotACatalog);
        };
        if u64::from_le_bytes(*magic) != u64::from_le_bytes(MAGIC) {
            return Err(CatalogError::NotACatalog);
        }
        let (found, rest) = take!(number(rest));
        if found != FORMAT {
            return Err(CatalogError::Format { found });
        }
        let (version, rest) = take!(number(rest));
        let (date, rest) = take!(number(rest));
        let (counts, rest) = take!(table::<4>(rest, 14));
        let [
            services,
            actions,
            types,
            keys,
            templates,
            key_ends,
            key_items,
            use_ends,
            use_items,
            action_ends,
            action_items,
            categories,
            prefixes,
            pool,
        ] = *counts
        else {
            return Err(CatalogError::Size);
        };
        let (services, rest) = take!(table(rest, u32::from_le_bytes(services)));
        let (actions, rest) = take!(table(rest, u32::from_le_bytes(actions)));
        let (resource_types, rest) = take!(table(rest, u32::from_le_bytes(types)));
        let (keys, rest) = take!(table(rest, u32::from_le_bytes(keys)));
        let (templates, rest) = take!(table(rest, u32::from_le_bytes(templates)));
        let (ends, rest) = take!(table(rest, u32::from_le_bytes(key_ends)));
        let (items, rest) = take!(table(rest, u32::from_le_bytes(key_items)));
        let key_sets = Sets { ends, items };
        let (ends, rest) = take!(table(rest, u32::from_le_bytes(use_ends)));
        let (items, rest) = take!(table(rest, u32::from_le_bytes(use_items)));
        let use_sets = Sets { ends, items };
        let (ends, rest) = take!(table(rest, u32::from_le_bytes(action_ends)));
        let (items, rest) = take!(table(rest, u32::from_le_bytes(action_items)));
        let action_sets = Sets { ends, items };
        let (categories, rest) = take!(table(rest, u32::from_le_bytes(categories)));
        let (prefixes, pool_bytes) = take!(table(rest, u32::from_le_bytes(prefixes)));
        if pool_bytes.len() != u32::from_le_bytes(pool) as usize {
            return Err(CatalogError::Size);
        }
        Ok(Self {
            version,
            date,
            services,
            actions,
            resource_types,
            keys,
            templates,
            key_sets,
            use_sets,
            action_sets,
            categories,
            prefixes,
            pool: pool_bytes,
        })
    }

    pub(super) fn text(&self, packed: u32) -> &'a str {
        let start = (packed & ((1 << OFFSET_BITS) - 1)) as usize;
        let bytes = self.pool.get(start..start + (packed >> OFFSET_BITS) as usize);
        bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The numbers of the condition keys of a list.
    pub(super) fn key_set(&self, number: u16) -> impl ExactSizeIterator<Item = u16> + use<'a> {
        self.key_sets.get(number).iter().map(|id| u16::from_le_bytes(*id))
    }

    /// The resource types of a list: the number of each, whether it is required, the number of its list of keys.
    pub(super) fn use_set(&self, number: u16) -> impl ExactSizeIterator<Item = (u16, bool, u16)> + use<'a> {
        self.use_sets.get(number).iter().map(|[i0, i1, k0, k1]| {
            let id = u16::from_le_bytes([*i0, *i1]);
            (id & !REQUIRED, id & REQUIRED != 0, u16::from_le_bytes([*k0, *k1]))
        })
    }

    /// The numbers of the actions of a list.
    pub(super) fn action_set(&self, number: u16) -> impl ExactSizeIterator<Item = u16> + use<'a> {
        self.action_sets.get(number).iter().map(|id| u16::from_le_bytes(*id))
    }

    /// Key and name of a category.
    pub(super) fn category(&self, number: u8) -> (&'a str, &'a str) {
        let Some([k0, k1, k2, k3, n0, n1, n2, n3]) = self.categories.get(usize::from(number)) else {
            return ("", "");
        };
        let key = self.text(u32::from_le_bytes([*k0, *k1, *k2, *k3]));
        (key, self.text(u32::from_le_bytes([*n0, *n1, *n2, *n3])))
    }
}

/// How a name as written compares with one that is looked for: letters of either case are equal.
pub(super) fn compare(name: &str, wanted: &str) -> Ordering {
    let name = name.bytes().map(|byte| byte.to_ascii_lowercase());
    name.cmp(wanted.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Whether a text begins with another, whatever the case of their letters.
pub(super) fn begins(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}
