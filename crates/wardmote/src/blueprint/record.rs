//! The record of `apply --aws`: what will be done to a stack is in the ledger before it is done, and how it ended after.

use crate::answer::Answers;
use crate::failure::Failure;
use crate::house::House;
use engine::{Engine, ShownStackChange, StackAction, StackChange, StackChangeView, StackEvent, StackHistory};
use facts::{Actor, EvidenceId, PersonId};

/// Where changes of one stack are recorded, and by whom; nowhere, where there is no house.
pub(super) struct Record<'a> {
    house: Option<(Engine, Actor)>,
    stack: &'a str,
    evidence: Vec<EvidenceId>,
}

impl<'a> Record<'a> {
    /// Signs in, and asks whether the stack may be changed. Keys of a house on AWS are made by the stack, so that it may be
    /// there before the house is.
    pub(super) fn open(
        house: &House,
        act_as: Option<&PersonId>,
        stack: &'a str,
        answers: &Answers,
    ) -> Result<Self, Failure> {
        if !house.has_ledger() {
            answers.remark(
                "note: there is no house here, so that what is done is on no record; name one with `--dir`",
            );
            return Ok(Self { house: None, stack, evidence: Vec::new() });
        }
        let mut engine = house.open()?;
        let actor = house.sign_in(&engine, act_as)?;
        engine.may_change_stack(&actor, stack)?;
        Ok(Self { house: Some((engine, actor)), stack, evidence: Vec::new() })
    }

    /// The change of which it is not on record what became, and whether that was looked for before.
    pub(super) fn open_change(&self) -> Option<(StackChange, bool)> {
        let (engine, _) = self.house.as_ref()?;
        let open = engine.open_stack_change(self.stack)?;
        Some((open.change.what.clone(), open.ended.is_some()))
    }

    /// Whether a charter is the one in force; true where there is no record of it.
    pub(super) fn is_in_force(&self, charter: &charter::Checked) -> bool {
        let Some((engine, _)) = &self.house else { return true };
        engine.charter().is_ok_and(|known| known.digest() == charter.digest())
    }

    pub(super) fn begin(&mut self, shown: ShownStackChange<'_>) -> Result<(), Failure> {
        if let Some((engine, actor)) = &mut self.house {
            self.evidence.extend(engine.begin_stack_change(actor, self.stack, shown)?);
        }
        Ok(())
    }

    pub(super) fn end(&mut self, event: StackEvent) -> Result<(), Failure> {
        if let Some((engine, actor)) = &mut self.house {
            engine.refresh()?;
            self.evidence.extend(engine.end_stack_change(actor, self.stack, event)?);
        }
        Ok(())
    }

    /// The entries that were made.
    pub(super) fn evidence(&self) -> &[EvidenceId] {
        &self.evidence
    }
}

/// What was done to a stack, for people.
pub(crate) fn history(answer: &StackHistory) -> String {
    let mut text = format!("{}, until {}\n", answer.stack, answer.as_of);
    if answer.changes.is_empty() {
        text.push_str("  nothing was done to it by then\n");
    }
    answer.changes.iter().for_each(|one| text.push_str(&change(one)));
    text
}

fn change(one: &StackChangeView) -> String {
    let what = match one.change.action {
        StackAction::Create => "made",
        StackAction::Update => "changed",
        StackAction::Delete => "deleted",
    };
    let engine::ResourceCounts { added, modified, replaced, removed, kept } = one.change.resources;
    let numbers = [
        (added, "added"),
        (modified, "changed"),
        (replaced, "replaced"),
        (removed, "removed"),
        (kept, "kept"),
    ];
    let counts: Vec<String> = numbers
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let mut text =
        format!("  {} {what} by {}: {} ({})\n", one.begun, one.by, counts.join(", "), one.evidence);
    text.push_str(&format!("    charter {}, plan {}", one.change.charter.short(), one.change.plan.short()));
    if let Some(template) = &one.change.template {
        text.push_str(&format!(", template {}", template.short()));
    }
    text.push('\n');
    for sentence in &one.change.differences {
        text.push_str(&format!("    {sentence}\n"));
    }
    let ended = match one.ended.as_ref().map(|ended| (&ended.event, ended)) {
        None => "NOT seen to end".to_owned(),
        Some((StackEvent::Settled { status }, ended)) => {
            format!("{status} at {} ({})", ended.time, ended.evidence)
        }
        Some((StackEvent::Failed { reason, status }, ended)) => {
            let status = status.as_deref().unwrap_or("nothing done");
            format!("FAILED at {}, {status}: {reason} ({})", ended.time, ended.evidence)
        }
        Some((StackEvent::Unknown { missing }, ended)) => {
            format!("what became of it is NOT known at {}: {missing} ({})", ended.time, ended.evidence)
        }
        Some((StackEvent::Begun(_), _)) => String::new(),
    };
    text + &format!("    {ended}\n")
}
