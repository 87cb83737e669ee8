//! `wardmote watch` and `wardmote incident`: an account under control while it lives. The loop is here, with its clock, its
//! signals and what it says; what a round does is the engine's.

mod args;
mod post;
mod render;

pub(crate) use args::{IncidentCommand, WatchArgs};

use crate::answer::{self, Answers};
use crate::failure::{Exit, Failure};
use crate::house::House;
use args::Push;
use aws::remedy::LiveAccount;
use aws::watch::{ConfigRules, SecurityHub, SqsQueue};
use engine::{Engine, IncidentNews, Round, Watch, WatchSettings};
use facts::{Actor, PersonId};
use post::{Post, Stop};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::Queue;

/// The longest pause after a trouble; the first is a second.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long one question for messages lasts.
const POLL_SECONDS: u32 = 20;

/// Somebody who watches.
struct Watcher<'a> {
    house: &'a House,
    act_as: Option<&'a PersonId>,
    answers: &'a Answers,
    there: LiveAccount,
    queue: Option<Arc<dyn Queue>>,
    hub: Option<SecurityHub>,
    rules: Option<ConfigRules>,
    engine: Engine,
    watch: Watch,
    troubles: u32,
}

pub(crate) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    args: &WatchArgs,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let selection = crate::audit::selection(&args.scope, &crate::audit::rules(&args.rules)?)?;
    let engine = house.open()?;
    house.sign_in(&engine, act_as)?;
    let client = crate::audit::client(args.endpoint_url.as_deref(), args.region.as_deref())?;
    let queue = args.queue.as_deref().map(|url| SqsQueue::new(client.clone(), url));
    let queue =
        queue.transpose().map_err(crate::aws::failure)?.map(|queue| Arc::new(queue) as Arc<dyn Queue>);
    let pushes = |to| args.push.contains(&to);
    let settings = WatchSettings { selection, incident_at: args.incident_at.into() };
    let mut watcher = Watcher {
        house,
        act_as,
        answers,
        there: LiveAccount::new(client.clone(), 1).map_err(crate::aws::failure)?,
        queue,
        hub: pushes(Push::SecurityHub).then(|| SecurityHub::new(client.clone())),
        rules: pushes(Push::Config).then(|| ConfigRules::new(client.clone())),
        engine,
        watch: Watch::new(settings),
        troubles: 0,
    };
    if args.once { watcher.once() } else { watcher.go_on(args.every) }
}

impl Watcher<'_> {
    /// One sweep, and what the queue holds.
    fn once(&mut self) -> Result<ExitCode, Failure> {
        if let Some(trouble) = self.sweep()? {
            return Err(Failure::new(Exit::Outside, format!("the account could not be read: {trouble}"))
                .with_help("`wardmote aws permissions watch` prints the policy that is enough"));
        }
        while let Some(queue) = self.queue.clone() {
            let letters = engine::receive(&*queue, 0)?;
            if letters.is_empty() {
                break;
            }
            if let Some(trouble) = self.letters(&letters)? {
                return Err(Failure::new(
                    Exit::Outside,
                    format!("messages could not be followed: {trouble}"),
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Until a signal comes.
    fn go_on(&mut self, every: Duration) -> Result<ExitCode, Failure> {
        let stop = Stop::listen()?;
        let post = self.queue.clone().map(Post::start);
        let mut due = Instant::now();
        while !stop.is_asked() {
            let now = Instant::now();
            if now >= due {
                let trouble = self.sweep()?;
                due = Instant::now() + if trouble.is_some() { self.pause().min(every) } else { every };
                continue;
            }
            let left = due - now;
            let Some(post) = &post else {
                stop.wait(left);
                continue;
            };
            let seconds = u32::try_from(left.as_secs()).unwrap_or(POLL_SECONDS).min(POLL_SECONDS);
            match post.ask(seconds, &stop) {
                None => {}
                Some(Ok(letters)) if letters.is_empty() => {}
                Some(Ok(letters)) => {
                    let trouble = self.letters(&letters)?;
                    if trouble.is_some() {
                        stop.wait(self.pause().min(left));
                    }
                }
                Some(Err(error)) => {
                    self.answers.remark(&format!("the queue cannot be asked: {error}"));
                    self.troubles += 1;
                    stop.wait(self.pause().min(left));
                }
            }
        }
        self.answers.remark("stopped");
        Ok(ExitCode::SUCCESS)
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(1 << self.troubles.saturating_sub(1).min(9)).min(LONGEST_PAUSE)
    }

    fn actor(&mut self) -> Result<Actor, Failure> {
        // An access key that was replaced, or a role that was taken, ends the watch.
        self.engine.refresh()?;
        self.house.sign_in(&self.engine, self.act_as)
    }

    /// Tells what could not be done, if anything.
    fn sweep(&mut self) -> Result<Option<String>, Failure> {
        let actor = self.actor()?;
        let round = self.watch.sweep(&mut self.engine, &actor, &self.there)?;
        self.told(&actor, round)
    }

    fn letters(&mut self, letters: &[world::Letter]) -> Result<Option<String>, Failure> {
        let actor = self.actor()?;
        let Some(queue) = self.queue.clone() else { return Ok(None) };
        let mut round = self.watch.letters(&mut self.engine, &actor, (&self.there, &*queue), letters)?;
        match &self.rules {
            Some(rules) => {
                let evaluated = self.watch.answer_rules(&round, (rules, &*queue));
                if evaluated.answered > 0 {
                    round.remarks.push(format!("AWS Config was told {} verdicts", evaluated.verdicts));
                }
                round.remarks.extend(evaluated.failed);
            }
            None => self.watch.leave_rules(&mut round, &*queue),
        }
        self.told(&actor, round)
    }

    /// Tells everybody what a round brought. Who cannot be told is told with the next.
    fn told(&mut self, actor: &Actor, mut round: Round) -> Result<Option<String>, Failure> {
        if round.trouble.is_none() {
            self.troubles = 0;
            if let Some(hub) = self.hub.as_ref().filter(|_| round.swept || !round.moved.is_empty()) {
                match self.watch.push_findings(&self.engine, hub) {
                    Ok(pushed) => round.remarks.extend(render::pushed(&pushed)),
                    Err(error) => round.remarks.push(format!("Security Hub was not told: {error}")),
                }
            }
        } else {
            self.troubles += 1;
        }
        let untold = self.engine.untold_incidents();
        let (ids, failed) = crate::aws::send_incidents(self.house, &untold, &round.counts);
        self.engine.incidents_told(actor, &ids)?;
        round.remarks.extend(failed);
        self.answers.give(&round, render::round)?;
        for remark in &round.remarks {
            self.answers.remark(&format!("note: {remark}"));
        }
        Ok(round.trouble)
    }
}

/// `wardmote incident`.
pub(crate) fn incidents(
    house: &House,
    act_as: Option<&PersonId>,
    command: &IncidentCommand,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    match command {
        IncidentCommand::List { all } => {
            let engine = house.open_read_only()?;
            let known = engine.state().postures().incidents().iter();
            let shown: Vec<_> = known.filter(|one| *all || one.closed.is_none()).collect();
            let values: Vec<_> = shown
                .iter()
                .map(|one| {
                    let mut value = json!(IncidentNews::of(one));
                    value["acknowledged"] =
                        json!(one.acknowledged.as_ref().map(|entry| {
                            json!({"by": entry.by, "note": entry.what, "time": entry.time})
                        }));
                    value
                })
                .collect();
            answers.give(&values, |_| render::incidents(&shown))?;
        }
        IncidentCommand::Resolve { id, note } => {
            let mut engine = house.open()?;
            let actor = house.sign_in(&engine, act_as)?;
            let done = engine.resolve_incident(&actor, id, note.as_deref())?;
            answers.give(&done, |done| {
                let (id, of) = (&done.answer.incident, &done.answer.opening.resource);
                format!("{id} is over: {of} is what was registered\n{}", answer::evidence(&done.evidence))
            })?;
        }
        IncidentCommand::Acknowledge { id, note } => {
            let mut engine = house.open()?;
            let actor = house.sign_in(&engine, act_as)?;
            let done = engine.acknowledge_incident(&actor, id, note.clone())?;
            answers.give(&done, |done| {
                format!(
                    "{} is in the hands of {}\n{}",
                    done.answer.incident,
                    actor.id,
                    answer::evidence(&done.evidence)
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
