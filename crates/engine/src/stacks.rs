//! Stacks that follow from the charter: who may change them, what is recorded before and after, and what was done to one.

use crate::core::NewEntry;
use crate::record::Fact;
use crate::stack_record::{StackChange, StackChanged, StackEvent};
use crate::{Engine, Error};
use facts::{Actor, Digest, EvidenceId, PersonId, Timestamp};
use guard::{Action, Resource};
use ledger::Outcome;
use serde::Serialize;

/// So many sentences stand in the entry itself; all of them are in the plan.
const MOST_DIFFERENCES: usize = 30;
/// Letters of a sentence that stand in an entry.
const LONGEST: usize = 300;

/// What was shown before somebody said yes: the change, all of the plan, and the template, if one is given.
pub struct ShownStackChange<'a> {
    /// The change; its digests are made of what is here.
    pub change: StackChange,
    /// Every resource and every difference, in JSON.
    pub plan: &'a [u8],
    /// The template.
    pub template: Option<&'a [u8]>,
}

/// A change of a stack as people look at it.
#[derive(Debug, Clone, Serialize)]
pub struct StackChangeView {
    /// When it was begun.
    pub begun: Timestamp,
    /// Who began it.
    pub by: PersonId,
    /// What was to change.
    #[serde(flatten)]
    pub change: StackChange,
    /// The entry that says so.
    pub evidence: EvidenceId,
    /// What became of it; none if nobody has seen it end.
    pub ended: Option<StackEndView>,
}

/// The end of a change.
#[derive(Debug, Clone, Serialize)]
pub struct StackEndView {
    /// When it was seen.
    pub time: Timestamp,
    /// What was seen.
    #[serde(flatten)]
    pub event: StackEvent,
    /// The entry that says so.
    pub evidence: EvidenceId,
}

/// What was done to a stack.
#[derive(Debug, Clone, Serialize)]
pub struct StackHistory {
    /// Its name.
    pub stack: String,
    /// Up to when.
    pub as_of: Timestamp,
    /// The changes until then, oldest first.
    pub changes: Vec<StackChangeView>,
}

impl StackHistory {
    /// The entries that the answer rests on.
    pub fn evidence(&self) -> Vec<EvidenceId> {
        let ends = |one: &StackChangeView| one.ended.as_ref().map(|ended| ended.evidence.clone());
        self.changes.iter().flat_map(|one| [Some(one.evidence.clone()), ends(one)]).flatten().collect()
    }
}

fn resource(stack: &str) -> String {
    Resource::Stack { name: stack.to_owned() }.name()
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

impl Engine {
    /// Whether somebody may change a stack; asked before anything is proposed.
    ///
    /// # Errors
    /// The refusal, which is recorded.
    pub fn may_change_stack(&mut self, actor: &Actor, stack: &str) -> Result<(), Error> {
        self.authorise(actor, Action::StackChange, &Resource::Stack { name: stack.to_owned() }).map(|_| ())
    }

    /// The last change of a stack, if it is not on record what became of it.
    pub fn open_stack_change(&self, stack: &str) -> Option<&StackChanged> {
        self.state().stacks().open(stack)
    }

    /// Records that a stack will be changed, with the plan that was shown. Of two that begin at the same moment one is refused.
    ///
    /// # Errors
    /// If it may not be changed, another change of it is open, or it cannot be recorded.
    pub fn begin_stack_change(
        &mut self,
        actor: &Actor,
        stack: &str,
        shown: ShownStackChange<'_>,
    ) -> Result<Vec<EvidenceId>, Error> {
        self.may_change_stack(actor, stack)?;
        if self.open_stack_change(stack).is_some_and(|open| open.ended.is_none()) {
            let text = format!("another change of the stack `{stack}` was begun and not seen to end");
            return Err(Error::conflict(text)
                .with_help("run the command again: it looks what became of the other one first"));
        }
        let mut change = shown.change;
        let keep = |bytes: &[u8]| {
            let digest = Digest::of(bytes);
            self.ports.objects.put(&format!("stacks/{}", digest.to_hex()), bytes).map(|()| digest)
        };
        change.plan = keep(shown.plan)?;
        change.template = shown.template.map(keep).transpose()?;
        change.differences.truncate(MOST_DIFFERENCES);
        change.differences.iter_mut().for_each(|text| *text = cut(text));
        self.stack_event(actor, stack, StackEvent::Begun(Box::new(change)))
    }

    /// Records what became of the open change of a stack.
    ///
    /// # Errors
    /// If no change of it is open, or it cannot be recorded.
    pub fn end_stack_change(
        &mut self,
        actor: &Actor,
        stack: &str,
        ended: StackEvent,
    ) -> Result<Vec<EvidenceId>, Error> {
        if self.open_stack_change(stack).is_none() {
            return Err(Error::conflict(format!("no change of the stack `{stack}` is open")));
        }
        let ended = match ended {
            StackEvent::Failed { reason, status } => StackEvent::Failed { reason: cut(&reason), status },
            StackEvent::Unknown { missing } => StackEvent::Unknown { missing: cut(&missing) },
            other => other,
        };
        self.stack_event(actor, stack, ended)
    }

    fn stack_event(
        &mut self,
        actor: &Actor,
        stack: &str,
        event: StackEvent,
    ) -> Result<Vec<EvidenceId>, Error> {
        let outcome = match event {
            StackEvent::Begun(_) | StackEvent::Settled { .. } => Outcome::Done,
            StackEvent::Failed { .. } | StackEvent::Unknown { .. } => Outcome::Failed,
        };
        let (resource, action) = (resource(stack), Action::StackChange.as_str());
        let fact = Fact::Stack { stack: stack.to_owned(), event };
        self.record(vec![NewEntry { actor, action, resource: &resource, outcome, fact }])
    }

    /// What was done to a stack until `time`.
    ///
    /// # Errors
    /// If nothing was ever done to it.
    pub fn stack_history(&self, stack: &str, time: Option<Timestamp>) -> Result<StackHistory, Error> {
        let all = self.state().stacks().of(stack);
        if all.is_empty() {
            return Err(Error::not_found(format!("the record knows no stack `{}`", stack.escape_debug()))
                .with_help("`wardmote apply --aws` makes one; `wardmote log` shows what was done"));
        }
        let as_of = time.unwrap_or_else(|| self.now());
        let view = |one: &StackChanged| StackChangeView {
            begun: one.change.time,
            by: one.change.by.clone(),
            change: one.change.what.clone(),
            evidence: one.change.evidence.clone(),
            ended: one.ended.as_ref().filter(|ended| ended.time <= as_of).map(|ended| StackEndView {
                time: ended.time,
                event: ended.what.clone(),
                evidence: ended.evidence.clone(),
            }),
        };
        let changes = all.iter().filter(|one| one.change.time <= as_of).map(view).collect();
        Ok(StackHistory { stack: stack.to_owned(), as_of, changes })
    }
}
