//! What is to be read once it is listed, piece by piece, so that pieces are read side by side and one can be read again.

use super::items::Draft;
use super::reader::Reader;
use super::types::{self, Type};
use crate::operation::Call;

type Work = dyn Fn(&Reader<'_>, &mut Draft) + Send + Sync;

/// One piece: a resource with what comes with it, or all of a type that one call tells.
pub(super) struct Job {
    kinds: Vec<&'static str>,
    id: String,
    work: Box<Work>,
}

impl Job {
    /// Reads the resource with this id and what comes with it, whose ids begin with its id and a `|`; all of the types if
    /// the id is empty.
    pub(super) fn new(
        kinds: &[&'static str],
        id: &str,
        work: impl Fn(&Reader<'_>, &mut Draft) + Send + Sync + 'static,
    ) -> Self {
        Self { kinds: kinds.to_vec(), id: id.to_owned(), work: Box::new(work) }
    }

    pub(super) fn run(&self, reader: &Reader<'_>, draft: &mut Draft) {
        (self.work)(reader, draft);
    }

    /// Whether the resource of this type and id is read by it.
    pub(super) fn covers(&self, kind: &str, id: &str) -> bool {
        let own = || id == self.id || id.strip_prefix(&*self.id).is_some_and(|rest| rest.starts_with('|'));
        self.kinds.contains(&kind) && (self.id.is_empty() || own())
    }
}

/// Lists types in a way of its own.
pub(super) struct Lister {
    /// The types.
    pub(super) kinds: &'static [&'static str],
    /// All that it and its jobs call.
    pub(super) calls: &'static [&'static Call],
    /// Lists them: what is to be read then.
    pub(super) list: fn(&Reader<'_>, &mut Draft) -> Vec<Job>,
}

/// What can be listed.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Type(&'static Type),
    Own(&'static Lister),
}

impl Source {
    pub(super) fn kinds(self) -> Vec<&'static str> {
        match self {
            Self::Type(of) => of.kinds().collect(),
            Self::Own(lister) => lister.kinds.to_vec(),
        }
    }

    pub(super) fn calls(self) -> Vec<&'static Call> {
        match self {
            Self::Type(of) => of.calls().collect(),
            Self::Own(lister) => lister.calls.to_vec(),
        }
    }

    pub(super) fn list(self, reader: &Reader<'_>, draft: &mut Draft) -> Vec<Job> {
        match self {
            Self::Own(lister) => (lister.list)(reader, draft),
            Self::Type(of) => {
                let kinds = self.kinds();
                let job = |id: String| {
                    let name = id.clone();
                    Job::new(&kinds, &name, move |reader, draft| types::read(reader, of, &id, draft))
                };
                types::list(reader, of, draft).into_iter().map(job).collect()
            }
        }
    }
}
