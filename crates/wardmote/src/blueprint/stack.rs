//! One stack: looked at, waited for, and what became of a change that nobody saw end.

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use aws::stacks::{ChangeSet, Execution, Stack, Stacks};
use aws::{AwsError, Trouble};
use engine::{StackAction, StackChange, StackEvent};
use facts::Digest;
use std::collections::BTreeSet;

/// CloudFormation may be at work for hours; longer than a day, with pauses of 16 seconds, it is not waited for.
const LOOKS: u32 = 5_400;
/// So many looks in a row may fail while it is at work.
const MOST_SILENCE: u32 = 5;

/// One stack and the way to it.
pub(super) struct Site<'a> {
    pub(super) stacks: Stacks,
    pub(super) name: String,
    pub(super) answers: &'a Answers,
}

/// How CloudFormation came to an end.
pub(super) struct Ended {
    /// The stack; none if it is gone.
    pub(super) stack: Option<Stack>,
    /// The first reason that it gave for a failure.
    pub(super) why: Option<String>,
}

impl Ended {
    /// For the record; `wanted` says whether a status is the wanted one.
    pub(super) fn event(&self, wanted: impl Fn(Option<&str>) -> bool) -> StackEvent {
        let status = self.stack.as_ref().map(|stack| stack.stack_status.clone());
        if wanted(status.as_deref()) {
            return StackEvent::Settled { status: status.unwrap_or_else(|| "DELETE_COMPLETE".to_owned()) };
        }
        let said = self.stack.as_ref().and_then(|stack| stack.stack_status_reason.clone());
        let reason =
            self.why.clone().or(said).unwrap_or_else(|| "CloudFormation does not say why".to_owned());
        StackEvent::Failed { reason, status }
    }
}

/// What is recorded of a call that failed: that nothing was done, or that this is not known.
pub(super) fn of_failed_call(error: &AwsError) -> StackEvent {
    match error.trouble() {
        Trouble::Unavailable | Trouble::Unreached | Trouble::Unreadable => {
            StackEvent::Unknown { missing: error.to_string() }
        }
        _ => StackEvent::Failed { reason: error.to_string(), status: None },
    }
}

/// Whether a stack is as a change wants it.
pub(super) fn is_wanted(action: StackAction) -> impl Fn(Option<&str>) -> bool {
    move |status| match action {
        StackAction::Create => status == Some("CREATE_COMPLETE"),
        StackAction::Update => status == Some("UPDATE_COMPLETE"),
        StackAction::Delete => matches!(status, None | Some("DELETE_COMPLETE")),
    }
}

impl Site<'_> {
    pub(super) fn find(&self) -> Result<Option<Stack>, Failure> {
        self.stacks.find(&self.name).map_err(crate::aws::failure)
    }

    /// A change set once it is there.
    pub(super) fn look(&self, set: &str) -> Result<ChangeSet, Failure> {
        for looks in 0..LOOKS {
            let shown = self.stacks.change_set(&self.name, set).map_err(crate::aws::failure)?;
            let shown = shown.ok_or_else(|| {
                Failure::new(
                    Exit::Conflict,
                    format!("the change set of `{}` is gone: somebody took it back", self.name),
                )
                .with_help("run the command again")
            })?;
            if !matches!(shown.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS") {
                return Ok(shown);
            }
            self.stacks.pause(looks);
        }
        Err(Failure::new(Exit::Outside, "CloudFormation does not come to an end with the change set"))
    }

    /// Takes a change set back; of a stack that was never made, nothing stays. What could not be taken back is said.
    pub(super) fn discard(&self, stack: &str, set: &str) {
        let done = self.stacks.discard(stack, set).and_then(|()| self.stacks.forget(stack));
        if let Err(error) = done {
            self.answers.remark(&format!("note: the change set `{set}` could not be taken back: {error}"));
        }
    }

    /// The events that are there already.
    pub(super) fn told(&self, stack: &str) -> Result<BTreeSet<String>, Failure> {
        let events = self.stacks.events(stack).map_err(crate::aws::failure)?;
        Ok(events.into_iter().map(|event| event.event_id).collect())
    }

    /// Waits for CloudFormation, and tells what it does beyond what was `told`. Some looks may fail meanwhile.
    pub(super) fn wait(&self, stack: &str, mut told: BTreeSet<String>) -> Result<Ended, Failure> {
        let (mut silent, mut why) = (0, None);
        for looks in 0..LOOKS {
            match self.see(stack, &mut told, &mut why) {
                Ok(Some(seen)) if seen.is_busy() => silent = 0,
                Ok(stack) => return Ok(Ended { stack, why }),
                Err(error) if error.trouble() == Trouble::Denied || silent + 1 >= MOST_SILENCE => {
                    return Err(crate::aws::failure(error));
                }
                Err(_) => silent += 1,
            }
            self.stacks.pause(looks);
        }
        Err(Failure::new(Exit::Outside, format!("`{stack}` is still being changed")))
    }

    fn see(
        &self,
        stack: &str,
        told: &mut BTreeSet<String>,
        why: &mut Option<String>,
    ) -> Result<Option<Stack>, AwsError> {
        let Some(now) = self.stacks.find(stack)? else { return Ok(None) };
        for event in self.stacks.events(stack)?.iter().rev() {
            if !told.insert(event.event_id.clone()) {
                continue;
            }
            let reason = event.resource_status_reason.as_deref().unwrap_or_default();
            let what = format!("{} {}", event.resource_status, event.logical_resource_id);
            self.answers.remark(format!("{what} {} {reason}", event.resource_type).trim_end());
            if event.resource_status.ends_with("_FAILED") && !reason.is_empty() {
                why.get_or_insert_with(|| format!("{}: {reason}", event.logical_resource_id));
            }
        }
        Ok(Some(now))
    }

    /// What became of a change that nobody saw end. Nothing is guessed: where nothing says it, it is not known.
    pub(super) fn became_of(&self, change: &StackChange) -> Result<StackEvent, Failure> {
        let stack = change.stack_id.as_str();
        let now = self.stacks.find(stack).map_err(crate::aws::failure)?;
        let failed = |reason: &str| StackEvent::Failed {
            reason: reason.to_owned(),
            status: now.as_ref().map(|stack| stack.stack_status.clone()),
        };
        let Some(set) = change.change_set.as_deref() else {
            let status = now.as_ref().map(|stack| stack.stack_status.as_str());
            return match status {
                None | Some("DELETE_COMPLETE" | "DELETE_IN_PROGRESS" | "DELETE_FAILED") => {
                    self.end_of(change)
                }
                Some(_) => Ok(failed("it was never begun")),
            };
        };
        let shown = self.stacks.change_set(stack, set).map_err(crate::aws::failure)?;
        match shown.map(|set| set.execution) {
            Some(Execution::InProgress) => self.end_of(change),
            Some(Execution::Complete) => {
                let status = now.map_or_else(|| "DELETE_COMPLETE".to_owned(), |stack| stack.stack_status);
                Ok(StackEvent::Settled { status })
            }
            Some(Execution::Failed) => self.wait(stack, BTreeSet::new()).map(|ended| ended.event(|_| false)),
            Some(Execution::Never) => Ok(failed("it was never carried out, and cannot be any more")),
            // So that nobody carries it out later. One that has begun meanwhile cannot be taken back, or shows in its stack.
            Some(Execution::Available) => {
                self.stacks.discard(stack, set).map_err(crate::aws::failure)?;
                if self.stacks.find(stack).map_err(crate::aws::failure)?.is_some_and(|stack| stack.is_busy())
                {
                    return self.end_of(change);
                }
                self.stacks.forget(stack).map_err(crate::aws::failure)?;
                Ok(failed("it was never carried out, and is taken back"))
            }
            None => self.without_change_set(change, now.as_ref()),
        }
    }

    fn end_of(&self, change: &StackChange) -> Result<StackEvent, Failure> {
        let stack = change.stack_id.as_str();
        let told = self.told(stack).unwrap_or_default();
        Ok(self.wait(stack, told)?.event(is_wanted(change.action)))
    }

    /// The change set is gone; the template may still tell.
    fn without_change_set(&self, change: &StackChange, now: Option<&Stack>) -> Result<StackEvent, Failure> {
        let ended = match now {
            Some(busy) if busy.is_busy() => self.wait(&change.stack_id, BTreeSet::new())?.stack,
            other => other.cloned(),
        };
        let Some(now) = ended else {
            let missing = "neither the change set nor the stack is there any more".to_owned();
            return Ok(StackEvent::Unknown { missing });
        };
        let text = self.deployed(&change.stack_id)?.text();
        let same = change.template == Some(Digest::of(text.as_bytes()));
        if now.is_well() && same {
            return Ok(StackEvent::Settled { status: now.stack_status });
        }
        let template = if same { "this template" } else { "another template" };
        let missing =
            format!("the change set is gone, and the stack is {} with {template}", now.stack_status);
        Ok(StackEvent::Unknown { missing })
    }
}
