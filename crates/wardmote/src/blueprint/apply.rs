//! `wardmote apply --aws`: shows what a change set and the proofs say, asks, and carries it out. What will be done is on record
//! before it is done, and how it ended after; a change that nobody saw end is looked for before anything else.

use super::args::ApplyArgs;
use super::deployed::Deployed;
use super::known::{Known, differences};
use super::propose::known_parameters;
use super::record::Record;
use super::stack::{Site, is_wanted, of_failed_call};
use crate::answer::{Answers, evidence};
use crate::failure::{Exit, Failure};
use crate::house::House;
use ::blueprint::Blueprint;
use aws::AwsError;
use aws::stacks::{Change, ChangeSet, Stack, Stacks};
use engine::{ResourceCounts, ShownStackChange, StackAction, StackChange, StackEvent};
use facts::{Digest, PersonId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Where a command runs, and for whom.
pub(crate) struct At<'a> {
    pub(crate) house: &'a House,
    pub(crate) act_as: Option<&'a PersonId>,
    pub(crate) answers: &'a Answers,
}

/// What is put before whoever decides, and recorded before it is carried out.
struct Shown {
    change: StackChange,
    plan: Value,
    template: Option<String>,
}

/// A change that is on record, and the events of its stack before it.
struct Begun {
    action: StackAction,
    stack_id: String,
    change_set: Option<String>,
    told: BTreeSet<String>,
}

pub(crate) fn apply(at: &At<'_>, args: &ApplyArgs) -> Result<ExitCode, Failure> {
    let (house, answers) = (at.house, at.answers);
    let charter = super::charter(house, args.charter.as_deref(), answers)?;
    let name = args.stack.clone().unwrap_or_else(|| charter.charter().organisation.id.to_string());
    let stacks = Stacks::new(house.settings()?.client()?);
    if args.permissions {
        let document = stacks.permissions(&name).map_err(crate::aws::failure)?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut record = Record::open(house, at.act_as, &name, answers)?;
    if !record.is_in_force(&charter) {
        answers.remark("note: this charter is not the one in force; `wardmote apply` puts it in force");
    }
    let site = Site { stacks, name: name.clone(), answers };
    site.settle(&mut record)?;
    let there = site.find()?;
    if let Some(busy) = there.as_ref().filter(|stack| stack.is_busy()) {
        let text = format!("the stack `{}` is being changed: {}", site.name, busy.stack_status);
        return Err(Failure::new(Exit::Conflict, text).with_help("run the command again when that is done"));
    }
    if args.destroy {
        return site.destroy(there, (args, charter.digest()), &mut record);
    }
    let blueprint = super::draw(&charter, &args.drawing, answers)?;
    let there = there.filter(|stack| !stack.is_review());
    let deployed = there.as_ref().map(|stack| site.deployed(&stack.stack_id)).transpose()?;
    let places = deployed.as_ref().map(Deployed::places).transpose()?.unwrap_or_default();
    let parts = super::beside(&blueprint, &args.drawing, &places)?;
    known_parameters(args, &blueprint.template.to_json())?;
    let sent = site.send(house, args, parts)?;
    let set = site.propose(args, &sent, there.as_ref())?;
    match site.decide(&set, (args, charter.digest()), (&blueprint, &sent), deployed.as_ref()) {
        Ok(Some(shown)) => site.carry_out(&set, shown, &mut record),
        Ok(None) => {
            site.discard(&site.name, &set);
            let answer = json!({"stack": site.name, "changes": [], "done": "nothing"});
            answers.give(&answer, |_| format!("the stack `{}` is so already", site.name))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            site.discard(&site.name, &set);
            Err(failure)
        }
    }
}

impl Site<'_> {
    /// Looks what became of a change that nobody saw end, and records it.
    fn settle(&self, record: &mut Record<'_>) -> Result<(), Failure> {
        let Some((change, known)) = record.open_change() else { return Ok(()) };
        self.answers
            .remark(&format!("note: a change of the stack `{}` was begun and not seen to end", self.name));
        let event = self.became_of(&change)?;
        let said = match &event {
            StackEvent::Settled { status } => format!("it came to its end: {status}"),
            StackEvent::Failed { reason, .. } => format!("it failed: {reason}"),
            StackEvent::Unknown { missing } => format!("what became of it is not known: {missing}"),
            StackEvent::Begun(_) => String::new(),
        };
        self.answers.remark(&format!("note: {said}"));
        // That it is not known is said once.
        if known && matches!(event, StackEvent::Unknown { .. }) { Ok(()) } else { record.end(event) }
    }

    /// What a change set would do, once somebody said yes to it; nothing if there is nothing to do.
    fn decide(
        &self,
        set: &str,
        (args, charter): (&ApplyArgs, Digest),
        (blueprint, sent): (&Blueprint, &Deployed),
        there: Option<&Deployed>,
    ) -> Result<Option<Shown>, Failure> {
        let set = self.look(set)?;
        if set.is_empty() {
            return Ok(None);
        }
        if set.status != "CREATE_COMPLETE" {
            let text = format!("CloudFormation made no change set: {}: {}", set.status, set.reason);
            return Err(Failure::new(Exit::Outside, text).with_help(
                "give parameters with `--parameter NAME=VALUE`; docs/reference-architecture.md lists them",
            ));
        }
        let (mut plan, differences) = self.plan(blueprint, &set.changes, there)?;
        if !self.may(args, &plan)? {
            return Err(unasked(&plan));
        }
        let action = if there.is_none() { StackAction::Create } else { StackAction::Update };
        let names: Vec<&str> = args.parameters.iter().map(|(name, _)| name.as_str()).collect();
        plan["parameters"] = json!(names);
        let ChangeSet { id, stack_id, changes, .. } = set;
        let change = StackChange {
            action,
            stack_id,
            change_set: Some(id),
            charter,
            template: None,
            plan: Digest::of(b""),
            resources: counts(&changes),
            differences,
        };
        Ok(Some(Shown { change, plan, template: Some(sent.text()) }))
    }

    fn carry_out(&self, set: &str, shown: Shown, record: &mut Record<'_>) -> Result<ExitCode, Failure> {
        let plan = shown.plan.clone();
        let begun = self.begin(shown, record);
        // What is not on record is not carried out, and nobody is to carry it out later.
        let begun = begun.inspect_err(|_| self.discard(&self.name, set))?;
        let stack = self.finish(begun, record, || self.stacks.execute(&self.name, set))?;
        let stack = stack.ok_or_else(|| self.failed("changed"))?;
        let answer = json!({
            "stack": self.name, "status": stack.stack_status, "plan": plan, "outputs": stack.outputs(),
            "evidence": record.evidence(),
        });
        self.answers.give(&answer, |_| {
            let outputs: Vec<String> =
                stack.outputs().iter().map(|(key, value)| format!("  {key}: {value}")).collect();
            let text = format!("{}: {}\n{}", self.name, stack.stack_status, outputs.join("\n"));
            format!("{text}\n{}", evidence(record.evidence()))
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Records what will be done.
    fn begin(&self, shown: Shown, record: &mut Record<'_>) -> Result<Begun, Failure> {
        let Shown { change, plan, template } = shown;
        let (action, stack_id) = (change.action, change.stack_id.clone());
        let change_set = change.change_set.clone();
        let told = self.told(&stack_id)?;
        let plan = plan.to_string();
        let template = template.as_deref().map(str::as_bytes);
        record.begin(ShownStackChange { change, plan: plan.as_bytes(), template })?;
        Ok(Begun { action, stack_id, change_set, told })
    }

    /// Does it, waits for its end and records that. The stack; none if it is gone.
    fn finish(
        &self,
        Begun { action, stack_id, change_set, told }: Begun,
        record: &mut Record<'_>,
        act: impl FnOnce() -> Result<(), AwsError>,
    ) -> Result<Option<Stack>, Failure> {
        if let Err(error) = act() {
            let event = of_failed_call(&error);
            // Surely not carried out: nobody is to do it later.
            let set = change_set.filter(|_| matches!(event, StackEvent::Failed { .. }));
            set.iter().for_each(|set| self.discard(&stack_id, set));
            record.end(event)?;
            return Err(crate::aws::failure(error));
        }
        let ended = match self.wait(&stack_id, told) {
            Ok(ended) => ended,
            Err(failure) => {
                record.end(StackEvent::Unknown { missing: failure.message().to_owned() })?;
                return Err(failure
                    .with_help("run the command again: it looks what became of the change, and goes on"));
            }
        };
        let event = ended.event(is_wanted(action));
        let well = matches!(event, StackEvent::Settled { .. });
        record.end(event)?;
        let what = if action == StackAction::Delete { "deleted" } else { "changed" };
        if well { Ok(ended.stack) } else { Err(self.failed(what)) }
    }

    /// What would change, of resources and of what is known of them.
    fn plan(
        &self,
        blueprint: &Blueprint,
        changes: &[Change],
        there: Option<&Deployed>,
    ) -> Result<(Value, Vec<String>), Failure> {
        let before = there.map(|there| Known::of(blueprint, &there.whole())).transpose()?;
        let after = Known::of(blueprint, &blueprint.template.to_json().to_string())?;
        let differences = differences(before.as_ref(), &after);
        Ok((json!({"stack": self.name, "changes": changes, "differences": differences}), differences))
    }

    /// Shows the plan, and asks whoever sits there.
    fn may(&self, args: &ApplyArgs, plan: &Value) -> Result<bool, Failure> {
        if !self.answers.json() {
            self.answers.line(&shown(plan))?;
        }
        self.answers.agreed(args.yes)
    }

    fn failed(&self, what: &str) -> Failure {
        let text = format!("the stack `{}` could not be {what}; CloudFormation said why above", self.name);
        Failure::new(Exit::Outside, text).with_help("put right what it said, and run the command again")
    }

    fn destroy(
        &self,
        there: Option<Stack>,
        (args, charter): (&ApplyArgs, Digest),
        record: &mut Record<'_>,
    ) -> Result<ExitCode, Failure> {
        let Some(stack) = there else {
            return Err(Failure::new(Exit::NotFound, format!("there is no stack `{}`", self.name))
                .with_help("name it with `--stack`"));
        };
        let template: Value =
            serde_json::from_str(&self.deployed(&stack.stack_id)?.whole()).map_err(|_| {
                Failure::new(
                    Exit::Conflict,
                    format!("the template of `{}` is not one that this program made", self.name),
                )
                .with_help("what would stay cannot be told, so delete it by other means")
            })?;
        let resources = template["Resources"].as_object().cloned().unwrap_or_default();
        let (stays, goes): (Vec<_>, Vec<_>) =
            resources.into_iter().partition(|(_, one)| one["DeletionPolicy"] == "Retain");
        let names = |all: &[(String, Value)]| -> Vec<String> {
            all.iter().map(|(id, one)| format!("{id} {}", one["Type"].as_str().unwrap_or_default())).collect()
        };
        let plan = json!({"stack": self.name, "goes": names(&goes), "stays": names(&stays)});
        if !self.may(args, &plan)? {
            return Err(unasked(&plan));
        }
        let number = |all: &[(String, Value)]| u32::try_from(all.len()).unwrap_or(u32::MAX);
        let resources =
            ResourceCounts { removed: number(&goes), kept: number(&stays), ..ResourceCounts::default() };
        let change = StackChange {
            action: StackAction::Delete,
            stack_id: stack.stack_id.clone(),
            change_set: None,
            charter,
            template: None,
            plan: Digest::of(b""),
            resources,
            differences: Vec::new(),
        };
        let shown = Shown { change, plan: plan.clone(), template: None };
        let begun = self.begin(shown, record)?;
        self.finish(begun, record, || self.stacks.delete(&stack.stack_id))?;
        let answer = json!({
            "stack": self.name, "status": "DELETE_COMPLETE", "plan": plan, "evidence": record.evidence(),
        });
        self.answers.give(&answer, |_| {
            let text = format!("{} is deleted; {} resources with evidence stay", self.name, stays.len());
            format!("{text}\n{}", evidence(record.evidence()))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn counts(changes: &[Change]) -> ResourceCounts {
    let mut all = ResourceCounts::default();
    for change in changes {
        let replaced = change.replacement.as_deref().is_some_and(|said| said != "False");
        let one = match change.action.as_str() {
            "Add" | "Import" => &mut all.added,
            "Remove" => &mut all.removed,
            _ if replaced => &mut all.replaced,
            _ => &mut all.modified,
        };
        *one += 1;
    }
    all
}

fn unasked(plan: &Value) -> Failure {
    let stack = plan["stack"].as_str().unwrap_or_default();
    Failure::new(Exit::Refused, format!("nothing was changed in `{stack}`: nobody said yes"))
        .with_help("look at the plan; `--yes` carries it out without a question")
}

/// The plan for people.
fn shown(plan: &Value) -> String {
    let list = |name: &str| plan[name].as_array().cloned().unwrap_or_default();
    let mut out = String::new();
    for change in list("changes") {
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        let replaced = match text("replacement").as_str() {
            "True" => "  [replaced]",
            "Conditional" => "  [perhaps replaced]",
            _ => "",
        };
        let what = format!("{:<7} {} {}", text("action"), text("logical_resource_id"), text("resource_type"));
        out.push_str(&format!("{what}{replaced}\n"));
    }
    for (name, title) in [
        ("differences", "what is known would change"),
        ("goes", "is deleted"),
        ("stays", "stays, with its evidence"),
    ] {
        let lines = list(name);
        if !lines.is_empty() {
            out.push_str(&format!("{title}\n"));
        }
        for line in lines {
            out.push_str(&format!("  {}\n", line.as_str().unwrap_or_default()));
        }
    }
    out.trim_end().to_owned()
}
