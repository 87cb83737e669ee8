//! What checks look up in an estate besides the resource that they are asked about. Whatever an answer rests on came by one
//! of these, so an answer of which all lookups find the same, unchanged resources is the same.

use super::{Estate, Gaps, Resource, whole_edge};
use crate::node::{Node, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// One question to an estate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Lookup {
    /// The resource of this id.
    Named(String),
    /// All of a type.
    OfKind(String),
    /// All of a type that refer to the resource of an id.
    Referring {
        /// The id.
        to: String,
        /// The type.
        kind: String,
    },
    /// All that refer to the resource of this id.
    Referrers(String),
    /// When the account was read.
    Now,
    /// The resource of a type that a text names.
    Target {
        /// The text: a name, an ARN or an address.
        text: String,
        /// The type.
        kind: String,
    },
    /// All of a type whose property refers to the resource of an id: the type, the property, the type of that resource.
    Pointing([String; 3], String),
}

impl Lookup {
    /// What is looked for where a value refers to something.
    pub(super) fn of_target(node: &Node, kind: &str) -> Self {
        match &node.value {
            Value::Open(_) => Self::Named(whole_edge(node).map(|edge| edge.to.clone()).unwrap_or_default()),
            _ => Self::Target { text: node.text().unwrap_or_default().to_owned(), kind: kind.to_owned() },
        }
    }

    /// The type of what is looked for: if it is not known what there is of it, that shows in the answer.
    fn kind(&self) -> Option<&str> {
        match self {
            Self::Named(_) | Self::Referrers(_) | Self::Now => None,
            Self::OfKind(kind) | Self::Referring { kind, .. } | Self::Target { kind, .. } => Some(kind),
            Self::Pointing([kind, ..], _) => Some(kind),
        }
    }
}

/// Lookups since the last question, if they are noted at all: a scan that is not repeated does not need them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookups(RefCell<Option<Vec<Lookup>>>);

impl Lookups {
    pub(super) fn note(&self, lookup: impl FnOnce() -> Lookup) {
        if let Some(list) = self.0.borrow_mut().as_mut() {
            list.push(lookup());
        }
    }
}

impl Estate {
    /// Notes lookups from now on.
    pub(crate) fn note_lookups(&self) {
        self.lookups.0.replace(Some(Vec::new()));
    }

    /// The lookups since the last time that this was asked.
    pub(crate) fn noted(&self) -> Vec<Lookup> {
        self.lookups.0.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What a lookup finds, by its place among the resources.
    pub(crate) fn found(&self, lookup: &Lookup) -> Vec<usize> {
        let listed = |all: Option<&Vec<usize>>| all.cloned().unwrap_or_default();
        match lookup {
            Lookup::Named(id) => self.by_id.get(id).copied().into_iter().collect(),
            Lookup::OfKind(kind) => listed(self.by_kind.get(kind)),
            Lookup::Referrers(to) => listed(self.referrers.get(to)),
            Lookup::Referring { to, kind } => {
                let mut all = listed(self.referrers.get(to));
                all.retain(|at| self.resources[*at].kind == *kind);
                all
            }
            Lookup::Target { text, kind } => self.by_text(text, kind).into_iter().collect(),
            Lookup::Now => Vec::new(),
            Lookup::Pointing(key, to) => {
                self.pointing_at(key.clone(), to).into_iter().map(|(at, _)| at).collect()
            }
        }
    }

    /// Its resources, to be used again.
    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    /// Its gaps.
    pub(crate) fn gaps(&self) -> &Gaps {
        &self.gaps
    }
}

/// Of which types it is known better or worse than before what there is.
pub(crate) struct News {
    /// Another sort of source: nothing can be compared.
    all: bool,
    /// It was read at another time.
    later: bool,
    kinds: BTreeSet<String>,
}

impl News {
    /// How what is known of types differs.
    pub(crate) fn between(before: &Gaps, after: &Gaps, later: bool) -> Self {
        let all = before.read.is_some() != after.read.is_some();
        let named = |gaps: &Gaps| -> BTreeSet<String> {
            gaps.read.iter().flatten().chain(gaps.causes.keys()).cloned().collect()
        };
        let mut kinds = named(before);
        kinds.extend(named(after));
        let differs = |kind: &String| {
            before.cause(kind) != after.cause(kind) || before.is_listed(kind) != after.is_listed(kind)
        };
        kinds.retain(differs);
        Self { all, later, kinds }
    }

    /// Whether they are about what is looked for.
    pub(crate) fn concern(&self, lookup: &Lookup) -> bool {
        let later = self.later && *lookup == Lookup::Now;
        self.all || later || lookup.kind().is_some_and(|kind| self.kinds.contains(kind))
    }
}

impl Gaps {
    /// Why nothing is known of what stands for all of a type, by its id.
    pub(crate) fn unlisted(&self, id: &str) -> Option<&str> {
        self.unlisted.get(id).map(String::as_str)
    }
}
