//! Carrying out a plan and undoing it: each change is looked at before it is written, written, looked at again, and the
//! control is asked again. What may have happened is looked at and not done twice.

use crate::remediation::{account, object};
use crate::remediation_record::{RemediationEvent, StepState};
use crate::{Done, Engine, Error};
use facts::inventory::Inventory;
use facts::remediation::{Call, Change, Plan, Step, Target, covers};
use facts::{Actor, Digest, EvidenceId, Verdict};
use guard::Action;
use serde::Serialize;
use serde_json::Value;
use world::Account;

/// How often it is looked at whether a call that failed did something all the same.
const LOOKS_AFTER_FAILURE: u32 = 3;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It was written, and the control holds.
    Verified,
    /// It was done before.
    AlreadyDone,
    /// What is there is not what was planned for; nothing was written.
    Drifted,
    /// It did not succeed, and everything is as before.
    RolledBack,
    /// Nobody knows; a person has to look.
    Unclear,
    /// It was undone.
    Undone,
}

/// What became of a step.
#[derive(Debug, Clone, Serialize)]
pub struct StepOutcome {
    /// Its number.
    pub step: u32,
    /// The fix.
    pub fix: String,
    /// The control.
    pub control: String,
    /// The resource.
    pub resource: Target,
    /// How it ended.
    pub ended: Ended,
    /// Why, if it did not end well.
    pub because: Option<String>,
}

/// What became of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanOutcome {
    /// The plan.
    pub plan: Digest,
    /// The steps that were tried, in this order.
    pub steps: Vec<StepOutcome>,
    /// The steps that were not tried, because too much had gone wrong.
    pub left: Vec<u32>,
}

impl Engine {
    /// Carries out an approved plan, until `max_errors` steps did not end well.
    pub fn apply_plan(
        &mut self,
        actor: &Actor,
        plan: &Plan,
        (there, max_errors): (&dyn Account, u32),
    ) -> Result<Done<PlanOutcome>, Error> {
        let digest = plan.digest();
        self.remediation(&digest)?;
        self.authorise(actor, Action::RemediationApply, &account(plan))?;
        self.check_approved(actor, plan)?;
        let inventory = there.inventory()?;
        of_account(plan, &inventory)?;
        let mut run = Run { engine: self, actor, digest, there, inventory, evidence: Vec::new() };
        let (mut steps, mut left, mut errors) = (Vec::new(), Vec::new(), 0);
        for step in &plan.steps {
            if errors >= max_errors.max(1) {
                left.push(step.number);
                continue;
            }
            let outcome = run.apply(step)?;
            errors += u32::from(!matches!(outcome.ended, Ended::Verified | Ended::AlreadyDone));
            steps.push(outcome);
        }
        Ok(Done { answer: PlanOutcome { plan: digest, steps, left }, evidence: run.evidence })
    }

    /// Undoes the steps of a plan that were carried out, the last one first, or one of them; until one does not end well.
    pub fn undo_plan(
        &mut self,
        actor: &Actor,
        (plan, only): (&Plan, Option<u32>),
        there: &dyn Account,
    ) -> Result<Done<PlanOutcome>, Error> {
        let digest = plan.digest();
        self.authorise(actor, Action::RemediationApply, &account(plan))?;
        let done = &self.remediation(&digest)?.steps;
        let named: Vec<&Step> =
            plan.steps.iter().rev().filter(|step| only.is_none_or(|only| only == step.number)).collect();
        let has_states = |step: &&Step| done.get(&step.number).is_some_and(|state| state.states().is_some());
        let steps: Vec<&Step> = named.into_iter().filter(has_states).collect();
        if steps.is_empty() {
            let what = only.map_or("nothing of the plan is".to_owned(), |only| format!("step {only} is not"));
            return Err(Error::conflict(format!("{what} in force, so there is nothing to undo"))
                .with_help("`wardmote log` shows what was done under the plan"));
        }
        let inventory = there.inventory()?;
        of_account(plan, &inventory)?;
        let mut run = Run { engine: self, actor, digest, there, inventory, evidence: Vec::new() };
        let (mut ended, mut left) = (Vec::new(), Vec::new());
        for step in steps {
            if ended.last().is_some_and(|last: &StepOutcome| last.ended != Ended::Undone) {
                left.push(step.number);
                continue;
            }
            ended.push(run.undo(step)?);
        }
        Ok(Done { answer: PlanOutcome { plan: digest, steps: ended, left }, evidence: run.evidence })
    }
}

/// A plan is for one account and no other.
fn of_account(plan: &Plan, inventory: &Inventory) -> Result<(), Error> {
    let there = (&inventory.account, &inventory.region);
    if there == (&plan.account, &plan.region) {
        return Ok(());
    }
    let text = format!(
        "the plan is for account {} in {}, and the credentials are for {} in {}",
        plan.account, plan.region, there.0, there.1
    );
    Err(Error::conflict(text).with_help("use credentials of that account, and `--region`"))
}

/// Somebody carrying out a plan.
struct Run<'r> {
    engine: &'r mut Engine,
    actor: &'r Actor,
    digest: Digest,
    there: &'r dyn Account,
    inventory: Inventory,
    evidence: Vec<EvidenceId>,
}

/// Where a part of a resource is after something was written.
enum Settled {
    /// As wanted.
    There,
    /// As before.
    Back,
    /// Somewhere else, or nobody can say.
    Elsewhere,
}

/// Why a step did not succeed, and what it left.
enum Trouble {
    Drifted(String),
    RolledBack(String),
    Unclear(String),
}

impl Run<'_> {
    fn apply(&mut self, step: &Step) -> Result<StepOutcome, Error> {
        let state = self.engine.remediation(&self.digest)?.steps.get(&step.number).copied();
        let first = match state {
            Some(StepState::Verified { .. }) => return Ok(outcome(step, Ended::AlreadyDone, None)),
            Some(StepState::Undoing { .. } | StepState::Undone) => {
                let because = "it was undone: make a new plan".to_owned();
                return Ok(outcome(step, Ended::Drifted, Some(because)));
            }
            Some(StepState::Applied { states }) => return self.verify(step, states),
            Some(StepState::Started { change }) => Some(change as usize),
            None => None,
        };
        match self.changes(step, first)? {
            Ok(()) => {
                let states = self.found(step)?;
                self.remember(RemediationEvent::Applied { step: step.number, states })?;
                self.verify(step, states)
            }
            Err(trouble) => self.end(step, trouble),
        }
    }

    /// Makes the changes of a step, from the one that may have happened already.
    fn changes(&mut self, step: &Step, resumed: Option<usize>) -> Result<Result<(), Trouble>, Error> {
        for (at, change) in step.changes.iter().enumerate().skip(resumed.unwrap_or(0)) {
            let now = match self.there.look(&change.look) {
                Ok(now) => now,
                Err(error) if resumed == Some(at) => return Ok(Err(Trouble::Unclear(error.to_string()))),
                Err(error) => return self.roll_back(step, at, Trouble::Drifted(error.to_string())),
            };
            if resumed == Some(at) && covers(&now, &change.after) {
                continue;
            }
            if now != change.before {
                let text = format!("{} is not what was planned for", part_of(change));
                if resumed == Some(at) {
                    return Ok(Err(Trouble::Unclear(text)));
                }
                return self.roll_back(step, at, Trouble::Drifted(text));
            }
            self.remember(RemediationEvent::Started { step: step.number, change: number(at) })?;
            let failed = self.write(&change.calls).err();
            let wanted = |now: &Value| covers(now, &change.after);
            let why = failed
                .clone()
                .unwrap_or_else(|| format!("{} did not become what was written", part_of(change)));
            match self.settle(change, (&wanted, &change.before), failed.is_some()) {
                Settled::There => {}
                Settled::Back => return self.roll_back(step, at, Trouble::RolledBack(why)),
                Settled::Elsewhere => return Ok(Err(Trouble::Unclear(why))),
            }
        }
        Ok(Ok(()))
    }

    /// Asks the control again; if it does not hold, everything is put back.
    fn verify(&mut self, step: &Step, states: Digest) -> Result<StepOutcome, Error> {
        let verdict = self.asked_again(step);
        let because = match verdict {
            Verdict::Holds => {
                let control = step.control.clone();
                self.remember(RemediationEvent::Verified { step: step.number, control })?;
                return Ok(outcome(step, Ended::Verified, None));
            }
            Verdict::Broken { reason } => format!("{} is still broken: {reason}", step.control),
            Verdict::Unknown { missing } => {
                format!("whether {} holds now is not known: {missing}", step.control)
            }
            Verdict::NotApplicable { reason } => {
                format!("{} does not concern it any more: {reason}", step.control)
            }
        };
        for (at, (change, state)) in step.changes.iter().zip(self.states(&states)?).enumerate().rev() {
            if let Err(why) = self.back(change, &state) {
                let change = format!("change {} of it could not be undone: {why}", at + 1);
                return self.end(step, Trouble::Unclear(format!("{because}; {change}")));
            }
        }
        self.end(step, Trouble::RolledBack(because))
    }

    fn asked_again(&mut self, step: &Step) -> Verdict {
        for target in [&step.resource, &step.proof] {
            if let Err(error) = self.there.refresh(&mut self.inventory, target) {
                return Verdict::Unknown { missing: error.to_string() };
            }
            if step.resource == step.proof {
                break;
            }
        }
        controls::verdict_on(&self.inventory, &step.control, &step.proof)
    }

    /// Undoes the changes before `at`, so that a step is done whole or not at all.
    fn roll_back(&mut self, step: &Step, at: usize, trouble: Trouble) -> Result<Result<(), Trouble>, Error> {
        let because = match &trouble {
            Trouble::Drifted(because) | Trouble::RolledBack(because) | Trouble::Unclear(because) => {
                because.clone()
            }
        };
        for change in step.changes.iter().take(at).rev() {
            let undone = match self.there.look(&change.look) {
                Ok(now) if covers(&now, &change.after) => self.back(change, &now),
                Ok(now) if now == change.before => Ok(()),
                Ok(_) => Err(format!("{} was changed by somebody else", part_of(change))),
                Err(error) => Err(error.to_string()),
            };
            if let Err(why) = undone {
                return Ok(Err(Trouble::Unclear(format!(
                    "{because}; what was done before could not be undone: {why}"
                ))));
            }
        }
        Ok(Err(if at > 0 { Trouble::RolledBack(because) } else { trouble }))
    }

    fn undo(&mut self, step: &Step) -> Result<StepOutcome, Error> {
        let state = self.engine.remediation(&self.digest)?.steps.get(&step.number).copied();
        let states =
            state.and_then(|state| state.states()).ok_or_else(|| Error::damaged("a step lost its states"))?;
        let found = self.states(&states)?;
        let resumed = match state {
            Some(StepState::Undoing { change, .. }) => Some(change as usize),
            _ => None,
        };
        for (at, (change, state)) in step.changes.iter().zip(&found).enumerate().rev() {
            if resumed.is_some_and(|resumed| at > resumed) {
                continue;
            }
            let now = match self.there.look(&change.look) {
                Ok(now) => now,
                Err(error) => return self.not_undone(step, error.to_string()),
            };
            if resumed == Some(at) && now == *undone(change) {
                continue;
            }
            if now != *state {
                let because = format!("{} was changed after the step: nothing is undone", part_of(change));
                return Ok(outcome(step, Ended::Drifted, Some(because)));
            }
            self.remember(RemediationEvent::UndoStarted { step: step.number, change: number(at) })?;
            if let Err(why) = self.back(change, state) {
                return self.not_undone(step, why);
            }
        }
        self.remember(RemediationEvent::Undone { step: step.number })?;
        Ok(outcome(step, Ended::Undone, None))
    }

    fn not_undone(&mut self, step: &Step, because: String) -> Result<StepOutcome, Error> {
        self.end(step, Trouble::Unclear(because))
    }

    /// Writes the inverse of a change, and sees that it is as before. What was undone already is not undone again.
    fn back(&self, change: &Change, state: &Value) -> Result<(), String> {
        match self.there.look(&change.look) {
            Ok(now) if now == *undone(change) => return Ok(()),
            Ok(now) if now == *state => {}
            Ok(_) => return Err(format!("{} was changed by somebody else", part_of(change))),
            Err(error) => return Err(error.to_string()),
        }
        let calls: Option<Vec<Call>> = change.inverse.iter().map(|call| call.filled(state)).collect();
        let calls = calls.ok_or("what was made cannot be named")?;
        let failed = self.write(&calls).err();
        let wanted = |now: &Value| now == undone(change);
        match self.settle(change, (&wanted, state), failed.is_some()) {
            Settled::There => Ok(()),
            _ => Err(failed.unwrap_or_else(|| format!("{} is not as it was before", part_of(change)))),
        }
    }

    fn write(&self, calls: &[Call]) -> Result<(), String> {
        calls.iter().try_for_each(|call| self.there.write(call).map_err(|error| error.to_string()))
    }

    /// Looks until a part is as wanted, or it was looked at for long enough.
    fn settle(
        &self,
        change: &Change,
        (wanted, before): (&dyn Fn(&Value) -> bool, &Value),
        failed: bool,
    ) -> Settled {
        for looks in 0.. {
            let now = self.there.look(&change.look).ok();
            if now.as_ref().is_some_and(wanted) {
                return Settled::There;
            }
            if (failed && looks + 1 >= LOOKS_AFTER_FAILURE) || !self.there.wait(looks) {
                return if now.as_ref() == Some(before) { Settled::Back } else { Settled::Elsewhere };
            }
        }
        Settled::Elsewhere
    }

    /// Keeps what is there after each change; a part that is changed twice was in between what the second change met.
    fn found(&self, step: &Step) -> Result<Digest, Error> {
        let state = |(at, change): (usize, &Change)| {
            let next = step.changes.iter().skip(at + 1).find(|next| next.look == change.look);
            next.map_or_else(|| self.there.look(&change.look), |next| Ok(next.before.clone()))
        };
        let states = step.changes.iter().enumerate().map(state);
        let mut states = Value::Array(states.collect::<Result<Vec<_>, _>>()?);
        states.sort_all_objects();
        let text = states.to_string();
        let digest = Digest::of(text.as_bytes());
        self.engine.ports.objects.put(&object(&digest), text.as_bytes())?;
        Ok(digest)
    }

    fn states(&self, digest: &Digest) -> Result<Vec<Value>, Error> {
        let name = object(digest);
        let bytes = self.engine.ports.objects.get(&name)?;
        let damaged = || Error::damaged(format!("the object `{name}` is not what was recorded"));
        if Digest::of(&bytes) != *digest {
            return Err(damaged());
        }
        serde_json::from_slice(&bytes).map_err(|_| damaged())
    }

    fn end(&mut self, step: &Step, trouble: Trouble) -> Result<StepOutcome, Error> {
        let number = step.number;
        let (ended, because, event) = match trouble {
            Trouble::Drifted(because) => {
                (Ended::Drifted, because.clone(), RemediationEvent::NotApplied { step: number, because })
            }
            Trouble::RolledBack(because) => {
                (Ended::RolledBack, because.clone(), RemediationEvent::NotApplied { step: number, because })
            }
            Trouble::Unclear(because) => {
                (Ended::Unclear, because.clone(), RemediationEvent::Unclear { step: number, because })
            }
        };
        self.remember(event)?;
        Ok(outcome(step, ended, Some(because)))
    }

    fn remember(&mut self, event: RemediationEvent) -> Result<(), Error> {
        let told = self.engine.remember(self.actor, (Action::RemediationApply, &self.digest), event)?;
        self.evidence.extend(told);
        Ok(())
    }
}

fn outcome(step: &Step, ended: Ended, because: Option<String>) -> StepOutcome {
    StepOutcome {
        step: step.number,
        fix: step.fix.clone(),
        control: step.control.clone(),
        resource: step.resource.clone(),
        ended,
        because,
    }
}

/// What undoing a change leaves.
fn undone(change: &Change) -> &Value {
    change.undone.as_ref().unwrap_or(&change.before)
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What a change is about, in the words of who looks.
fn part_of(change: &Change) -> String {
    let call = &change.look.call;
    format!("what `{}:{}` tells", call.service, call.operation)
}
