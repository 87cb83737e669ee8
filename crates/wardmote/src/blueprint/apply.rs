//! `wardmote apply --aws`: shows what a change set and the proofs say, asks, and carries it out.

use super::args::ApplyArgs;
use super::known::{Known, differences};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use ::blueprint::{Blueprint, MOST_BYTES_INLINE};
use aws::stacks::{Change, ChangeSet, Proposal, Stack, Stacks, TemplateSource};
use facts::Digest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;
use world::ObjectStore;

/// Between two looks at what CloudFormation does.
const PAUSE: Duration = Duration::from_secs(3);
/// CloudFormation may be at work for hours; longer than a day it is not waited for.
const LOOKS: u32 = 28_800;

/// One stack and the way to it.
struct Site<'a> {
    stacks: Stacks,
    name: String,
    answers: &'a Answers,
}

pub(crate) fn apply(house: &House, args: &ApplyArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let charter = super::charter(house, args.charter.as_deref(), answers)?;
    let name = args.stack.clone().unwrap_or_else(|| charter.charter().organisation.id.to_string());
    let stacks = Stacks::new(house.settings()?.client()?);
    if args.permissions {
        let document = stacks.permissions(&name).map_err(crate::aws::failure)?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let site = Site { stacks, name, answers };
    let there = site.find()?;
    if let Some(busy) = there.as_ref().filter(|stack| stack.is_busy()) {
        let text = format!("the stack `{}` is being changed: {}", site.name, busy.stack_status);
        return Err(Failure::new(Exit::Conflict, text).with_help("run the command again when that is done"));
    }
    if args.destroy {
        return site.destroy(there, args);
    }
    let blueprint = super::draw(&charter, &args.drawing)?;
    let there = there.filter(|stack| !stack.is_review());
    site.deploy(house, args, &blueprint, there.as_ref())
}

impl Site<'_> {
    fn find(&self) -> Result<Option<Stack>, Failure> {
        self.stacks.find(&self.name).map_err(crate::aws::failure)
    }

    fn deploy(
        &self,
        house: &House,
        args: &ApplyArgs,
        blueprint: &Blueprint,
        there: Option<&Stack>,
    ) -> Result<ExitCode, Failure> {
        let text = blueprint.template.to_json().to_string();
        let set = self.propose(house, args, &text, there)?;
        let shown = self.look(&set, |status| !matches!(status, "CREATE_PENDING" | "CREATE_IN_PROGRESS"))?;
        if shown.is_empty() {
            self.discard(&set, there.is_none())?;
            let answer = json!({"stack": self.name, "changes": [], "done": "nothing"});
            self.answers.give(&answer, |_| format!("the stack `{}` is so already", self.name))?;
            return Ok(ExitCode::SUCCESS);
        }
        if shown.status != "CREATE_COMPLETE" {
            self.discard(&set, there.is_none())?;
            let text = format!("CloudFormation made no change set: {}: {}", shown.status, shown.reason);
            return Err(Failure::new(Exit::Outside, text).with_help(
                "give parameters with `--parameter NAME=VALUE`; docs/reference-architecture.md lists them",
            ));
        }
        let plan = self.plan(blueprint, &text, &shown.changes, there)?;
        if !self.may(args, &plan)? {
            self.discard(&set, there.is_none())?;
            return Err(unasked(&plan));
        }
        let told = self.told()?;
        self.stacks.execute(&self.name, &set).map_err(crate::aws::failure)?;
        let stack = self.wait(&self.name, told)?;
        let Some(stack) = stack.filter(Stack::is_well) else { return Err(self.failed("changed")) };
        let answer = json!({"stack": self.name, "status": stack.stack_status, "plan": plan, "outputs": stack.outputs()});
        self.answers.give(&answer, |_| {
            let outputs: Vec<String> =
                stack.outputs().iter().map(|(key, value)| format!("  {key}: {value}")).collect();
            format!("{}: {}\n{}", self.name, stack.stack_status, outputs.join("\n"))
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The id of a change set for the template.
    fn propose(
        &self,
        house: &House,
        args: &ApplyArgs,
        text: &str,
        there: Option<&Stack>,
    ) -> Result<String, Failure> {
        let template: Value = serde_json::from_str(text).unwrap_or_default();
        let known = |key: &String| template["Parameters"].get(key).is_some();
        if let Some((other, _)) = args.parameters.iter().find(|(key, _)| !known(key)) {
            let names: Vec<String> = template["Parameters"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, _)| format!("`{key}`"))
                .collect();
            let text = format!("the template has no parameter `{}`", other.escape_debug());
            return Err(
                Failure::new(Exit::Usage, text).with_help(format!("name one of {}", names.join(", ")))
            );
        }
        let parameters: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
        let before = there.map(Stack::parameters).unwrap_or_default();
        let previous: BTreeSet<String> = before
            .into_iter()
            .map(str::to_owned)
            .filter(|key| known(key) && !parameters.contains_key(key))
            .collect();
        let digest = Digest::of(text.as_bytes()).to_string();
        let short: String = digest.rsplit(':').next().unwrap_or_default().chars().take(16).collect();
        let url = self.stored(house, args, text, &short)?;
        let template = url.as_deref().map_or(TemplateSource::Body(text), TemplateSource::Url);
        // Another change set of the same template may be there, from somebody who did not decide.
        let name = format!("wardmote-{short}-{}", std::process::id());
        let create = there.is_none();
        let (stack, parameters, previous) = (self.name.as_str(), &parameters, &previous);
        let proposal = Proposal { stack, name: &name, template, parameters, previous, create };
        self.stacks.propose(&proposal).map_err(crate::aws::failure)
    }

    /// Puts a template where CloudFormation reads it, if it is too large for a call.
    fn stored(
        &self,
        house: &House,
        args: &ApplyArgs,
        text: &str,
        digest: &str,
    ) -> Result<Option<String>, Failure> {
        let Some(place) = &args.templates else {
            if text.len() <= MOST_BYTES_INLINE {
                return Ok(None);
            }
            let said = format!(
                "the template has {} bytes; CloudFormation takes {MOST_BYTES_INLINE} in a call",
                text.len()
            );
            return Err(Failure::new(Exit::Usage, said)
                .with_help("name a bucket that it may be put into with `--templates s3://BUCKET/PREFIX/`"));
        };
        let name = format!("{digest}.json");
        house.settings()?.bucket(place, None, None)?.put(&name, text.as_bytes())?;
        let shown = place.to_string();
        let (bucket, prefix) = shown.trim_start_matches("s3://").split_once('/').unwrap_or((&shown, ""));
        let url = self.stacks.url(bucket, &format!("{prefix}{name}")).map_err(crate::aws::failure)?;
        Ok(Some(url))
    }

    /// A change set once it is there.
    fn look(&self, set: &str, done: impl Fn(&str) -> bool) -> Result<ChangeSet, Failure> {
        for _ in 0..LOOKS {
            let shown = self.stacks.change_set(&self.name, set).map_err(crate::aws::failure)?;
            if done(&shown.status) {
                return Ok(shown);
            }
            std::thread::sleep(PAUSE);
        }
        Err(Failure::new(Exit::Outside, "CloudFormation does not come to an end with the change set"))
    }

    /// Takes a change set back; of a stack that was never made, nothing stays.
    fn discard(&self, set: &str, fresh: bool) -> Result<(), Failure> {
        self.stacks.discard(&self.name, set).map_err(crate::aws::failure)?;
        match fresh {
            true => self.stacks.delete(&self.name).map_err(crate::aws::failure),
            false => Ok(()),
        }
    }

    /// What would change, of resources and of what is known of them.
    fn plan(
        &self,
        blueprint: &Blueprint,
        text: &str,
        changes: &[Change],
        there: Option<&Stack>,
    ) -> Result<Value, Failure> {
        let before = match there {
            Some(_) => {
                let old = self.stacks.template(&self.name).map_err(crate::aws::failure)?;
                Some(Known::of(blueprint, &old)?)
            }
            None => None,
        };
        let after = Known::of(blueprint, text)?;
        let differences = differences(before.as_ref(), &after);
        Ok(json!({"stack": self.name, "changes": changes, "differences": differences}))
    }

    /// Shows the plan, and asks whoever sits there.
    fn may(&self, args: &ApplyArgs, plan: &Value) -> Result<bool, Failure> {
        if !self.answers.json() {
            self.answers.line(&shown(plan))?;
        }
        if args.yes {
            return Ok(true);
        }
        if self.answers.json() || !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        self.answers.remark("carry this out? Only `yes` does.");
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| Failure::io("read from the terminal", error))?;
        Ok(line.trim() == "yes")
    }

    /// The events that are there already.
    fn told(&self) -> Result<BTreeSet<String>, Failure> {
        let events = self.stacks.events(&self.name).map_err(crate::aws::failure)?;
        Ok(events.into_iter().map(|event| event.event_id).collect())
    }

    /// Waits for CloudFormation, and tells what it does beyond what was `told`. None if the stack is gone.
    fn wait(&self, stack: &str, mut told: BTreeSet<String>) -> Result<Option<Stack>, Failure> {
        for _ in 0..LOOKS {
            let now = self.stacks.find(stack).map_err(crate::aws::failure)?;
            let Some(now) = now else { return Ok(None) };
            let events = self.stacks.events(stack).map_err(crate::aws::failure)?;
            for event in events.iter().rev() {
                if told.insert(event.event_id.clone()) {
                    let why = event.resource_status_reason.as_deref().unwrap_or_default();
                    let what = format!("{} {}", event.resource_status, event.logical_resource_id);
                    self.answers.remark(format!("{what} {} {why}", event.resource_type).trim_end());
                }
            }
            if !now.is_busy() {
                return Ok(Some(now));
            }
            std::thread::sleep(PAUSE);
        }
        Err(Failure::new(Exit::Outside, format!("`{stack}` is still being changed")))
    }

    fn failed(&self, what: &str) -> Failure {
        let text = format!("the stack `{}` could not be {what}; CloudFormation said why above", self.name);
        Failure::new(Exit::Outside, text).with_help("put right what it said, and run the command again")
    }

    fn destroy(&self, there: Option<Stack>, args: &ApplyArgs) -> Result<ExitCode, Failure> {
        let Some(stack) = there else {
            return Err(Failure::new(Exit::NotFound, format!("there is no stack `{}`", self.name))
                .with_help("name it with `--stack`"));
        };
        let template = self.stacks.template(&self.name).map_err(crate::aws::failure)?;
        let template: Value = serde_json::from_str(&template).map_err(|_| {
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
        let told = self.told()?;
        self.stacks.delete(&self.name).map_err(crate::aws::failure)?;
        let left = self.wait(&stack.stack_id, told)?;
        if left.is_some_and(|stack| !stack.is_well()) {
            return Err(self.failed("deleted"));
        }
        let answer = json!({"stack": self.name, "status": "DELETE_COMPLETE", "plan": plan});
        self.answers.give(&answer, |_| {
            format!("{} is deleted; {} resources with evidence stay", self.name, stays.len())
        })?;
        Ok(ExitCode::SUCCESS)
    }
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
