//! Lifecycles of buckets that follow from the charter: who may put them, and what is recorded before and after.

use crate::core::NewEntry;
use crate::lifecycle_record::{LifecycleChange, LifecycleChanged, LifecycleEvent};
use crate::record::Fact;
use crate::{Engine, Error};
use facts::{Actor, Digest, EvidenceId};
use guard::{Action, Resource};
use ledger::Outcome;

/// Letters of a reason that stand in an entry.
const LONGEST: usize = 300;

fn resource(bucket: &str) -> Resource {
    Resource::Bucket { name: bucket.to_owned() }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

impl Engine {
    /// Whether somebody may put the lifecycle of a bucket.
    ///
    /// # Errors
    /// The refusal, which is recorded.
    pub fn may_put_lifecycle(&mut self, actor: &Actor, bucket: &str) -> Result<(), Error> {
        self.authorise(actor, Action::LifecyclePut, &resource(bucket)).map(|_| ())
    }

    /// The last change of a bucket's lifecycle, if it is not on record what became of it.
    pub fn open_lifecycle_change(&self, bucket: &str) -> Option<&LifecycleChanged> {
        self.state().lifecycles().last(bucket).filter(|last| last.is_open())
    }

    /// Records that the lifecycle of a bucket will be put; `before` and `after` are all of its rules. Of two that begin at the
    /// same moment one is refused.
    ///
    /// # Errors
    /// If it may not be put, another change of it is open, or it cannot be recorded.
    pub fn begin_lifecycle_change(
        &mut self,
        actor: &Actor,
        (bucket, prefix): (&str, &str),
        (before, after): (&str, &str),
        differences: Vec<String>,
    ) -> Result<Vec<EvidenceId>, Error> {
        self.may_put_lifecycle(actor, bucket)?;
        if self.open_lifecycle_change(bucket).is_some_and(|open| open.ended.is_none()) {
            let text = format!("another change of the lifecycle of `{bucket}` was begun and not seen to end");
            return Err(Error::conflict(text)
                .with_help("run the command again: it looks what became of the other one first"));
        }
        let keep = |text: &str| {
            let digest = Digest::of(text.as_bytes());
            let name = format!("lifecycles/{}", digest.to_hex());
            self.ports.objects.put(&name, text.as_bytes()).map(|()| digest)
        };
        let change = LifecycleChange {
            prefix: prefix.to_owned(),
            charter: self.charter()?.digest(),
            before: keep(before)?,
            after: keep(after)?,
            differences,
        };
        self.lifecycle_event(actor, bucket, LifecycleEvent::Begun(Box::new(change)))
    }

    /// Records what became of the open change of a bucket's lifecycle.
    ///
    /// # Errors
    /// If no change of it is open, or it cannot be recorded.
    pub fn end_lifecycle_change(
        &mut self,
        actor: &Actor,
        bucket: &str,
        ended: LifecycleEvent,
    ) -> Result<Vec<EvidenceId>, Error> {
        if self.open_lifecycle_change(bucket).is_none() {
            return Err(Error::conflict(format!("no change of the lifecycle of `{bucket}` is open")));
        }
        let ended = match ended {
            LifecycleEvent::Failed { reason } => LifecycleEvent::Failed { reason: cut(&reason) },
            LifecycleEvent::Unknown { missing } => LifecycleEvent::Unknown { missing: cut(&missing) },
            other => other,
        };
        self.lifecycle_event(actor, bucket, ended)
    }

    fn lifecycle_event(
        &mut self,
        actor: &Actor,
        bucket: &str,
        event: LifecycleEvent,
    ) -> Result<Vec<EvidenceId>, Error> {
        let outcome = match event {
            LifecycleEvent::Begun(_) | LifecycleEvent::Settled => Outcome::Done,
            LifecycleEvent::Failed { .. } | LifecycleEvent::Unknown { .. } => Outcome::Failed,
        };
        let (resource, action) = (resource(bucket).name(), Action::LifecyclePut.as_str());
        let fact = Fact::Lifecycle { bucket: bucket.to_owned(), event };
        self.record(vec![NewEntry { actor, action, resource: &resource, outcome, fact }])
    }
}
