//! `wardmote remediate`: plans that put an account right, who approves them, and what becomes of them. A plan is approved,
//! carried out and undone in a house, whose ledger tells all of it.

mod args;
mod render;

pub(crate) use args::RemediateCommand;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use ::controls::{Options, Rules, fixes, plan_fixes};
use args::{ApplyArgs, LiveArgs, PlanArgs, UndoArgs};
use aws::remedy::LiveAccount;
use engine::{Done, Ended, PlanOutcome};
use facts::PersonId;
use facts::remediation::{MAX_PLAN_BYTES, Plan};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use world::{Account, Clock as _};

/// The most calls that write in a second that anybody can ask for.
const MOST_WRITES: u32 = 100;

/// Where a command runs, and for whom.
pub(crate) struct At<'a> {
    pub(crate) house: &'a House,
    pub(crate) act_as: Option<&'a PersonId>,
    pub(crate) answers: &'a Answers,
}

pub(crate) fn run(at: &At<'_>, command: &RemediateCommand) -> Result<ExitCode, Failure> {
    match command {
        RemediateCommand::Plan(args) => at.plan(args),
        RemediateCommand::Approve { plan } => at.approve(plan),
        RemediateCommand::Apply(args) => at.apply(args),
        RemediateCommand::Undo(args) => at.undo(args),
        RemediateCommand::List => {
            let all: Vec<Value> = fixes()
                .map(|fix| json!({"fix": fix.name, "control": fix.control, "type": fix.kind, "class": fix.class, "does": fix.does}))
                .collect();
            at.answers.give(&all, |_| render::fixes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl At<'_> {
    fn plan(&self, args: &PlanArgs) -> Result<ExitCode, Failure> {
        if !args.live {
            return Err(Failure::new(
                Exit::Usage,
                "a plan is made from what is there now, and from nothing else",
            )
            .with_help("add `--live`"));
        }
        let selection = crate::audit::selection(&args.scope, &Rules::default())?;
        let there = account(&args.place, None, 1)?;
        let inventory = there.inventory()?;
        let options = Options {
            kms_key: args.kms_key.clone(),
            log_bucket: args.log_bucket.clone(),
            capture_bucket: args.capture_bucket.clone(),
        };
        let mut look = |look: &facts::remediation::Look| there.look(look).map_err(|error| error.to_string());
        let now = local::SystemClock.now();
        let mut plan = plan_fixes(&inventory, &selection, (&options, now), &mut look);
        needs(&mut plan, &there)?;
        let evidence = if self.house.has_ledger() {
            let mut engine = self.house.open()?;
            let actor = self.house.sign_in(&engine, self.act_as)?;
            engine.record_plan(&actor, &plan)?.evidence
        } else {
            self.answers.remark(
                "note: there is no house here, so the plan is not on record and cannot be approved; name one with `--dir`",
            );
            Vec::new()
        };
        write_private(&args.out, plan.to_file().as_bytes())?;
        let answer = json!({"digest": plan.digest(), "plan": plan, "out": args.out, "evidence": evidence});
        self.answers.give(&answer, |_| render::plan(&plan, &args.out, &evidence))?;
        Ok(ExitCode::SUCCESS)
    }

    fn approve(&self, path: &Path) -> Result<ExitCode, Failure> {
        let plan = read(path)?;
        let mut engine = self.house.open()?;
        let actor = self.house.sign_in(&engine, self.act_as)?;
        let done = engine.approve_plan(&actor, &plan)?;
        self.answers.give(&done, |done| render::approved(&done.answer, &done.evidence))?;
        Ok(ExitCode::SUCCESS)
    }

    fn apply(&self, args: &ApplyArgs) -> Result<ExitCode, Failure> {
        let plan = read(&args.plan)?;
        let mut engine = self.house.open()?;
        let actor = self.house.sign_in(&engine, self.act_as)?;
        let there = account(&args.place, Some(&plan), args.writes_per_second)?;
        let done = engine.apply_plan(&actor, &plan, (&there, args.max_errors))?;
        self.ended(&done)
    }

    fn undo(&self, args: &UndoArgs) -> Result<ExitCode, Failure> {
        let mut engine = self.house.open()?;
        let actor = self.house.sign_in(&engine, self.act_as)?;
        let plan = match Path::new(&args.plan) {
            path if path.is_file() => read(path)?,
            _ => engine.plan_named(&args.plan)?,
        };
        let there = account(&args.place, Some(&plan), args.writes_per_second)?;
        let done = engine.undo_plan(&actor, (&plan, args.step), &there)?;
        self.ended(&done)
    }

    /// The answer is whole, and a pipeline that asks must hear "no" all the same.
    fn ended(&self, done: &Done<PlanOutcome>) -> Result<ExitCode, Failure> {
        self.answers.give(done, |done| render::outcome(&done.answer, &done.evidence))?;
        let has = |ended: &[Ended]| done.answer.steps.iter().any(|step| ended.contains(&step.ended));
        Ok(match () {
            () if has(&[Ended::RolledBack, Ended::Unclear]) => ExitCode::from(Exit::Failed as u8),
            () if has(&[Ended::Drifted]) => ExitCode::from(Exit::Conflict as u8),
            () => ExitCode::SUCCESS,
        })
    }
}

fn account(args: &LiveArgs, plan: Option<&Plan>, writes_per_second: u32) -> Result<LiveAccount, Failure> {
    let region = args.region.as_deref().or(plan.map(|plan| plan.region.as_str()));
    let client = crate::audit::client(args.endpoint_url.as_deref(), region)?;
    let failed = |error| Failure::from(world::PortError::from(error));
    LiveAccount::new(client, writes_per_second.min(MOST_WRITES)).map_err(failed)
}

/// Writes into each step which permissions it needs; also a proof that every call of it can be made.
fn needs(plan: &mut Plan, there: &dyn Account) -> Result<(), Failure> {
    for step in &mut plan.steps {
        for change in &step.changes {
            for call in [&change.look.call].into_iter().chain(&change.calls).chain(&change.inverse) {
                step.needs.extend(there.needs(call)?);
            }
        }
        step.needs.sort();
        step.needs.dedup();
    }
    Ok(())
}

fn read(path: &Path) -> Result<Plan, Failure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Exit::NotFound, format!("there is no file `{}`", path.display()))
                .with_help("`wardmote remediate plan --live --out FILE` makes one")
        }
        _ => Failure::io(format!("read `{}`", path.display()), error),
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    let wrong = |why: String| {
        Failure::new(Exit::Input, format!("`{}` is no plan: {why}", path.display()))
            .with_help("make one with `wardmote remediate plan --live --out FILE`; plans are not edited")
    };
    if size > MAX_PLAN_BYTES as u64 {
        return Err(wrong(format!("it has {size} bytes; at most {MAX_PLAN_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Plan::from_file(&text).map_err(wrong)
}
