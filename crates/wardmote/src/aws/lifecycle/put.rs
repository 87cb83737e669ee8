//! `wardmote aws lifecycle --put`: our rules are put beside those of others. S3 takes a bucket's rules as a whole and on no
//! condition, so they are read right before and read back after; what was not read back is not said to be there.

use super::{Wish, give, shown};
use crate::answer::{Answers, evidence};
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::{AwsError, Lifecycle, S3Objects, Trouble};
use engine::{Engine, LifecycleEvent};
use facts::{Actor, Digest, EvidenceId, PersonId, Verdict};
use serde_json::json;
use std::process::ExitCode;

/// So often the rules are read back, with growing pauses: S3 shows the configuration of a bucket after a while.
const LOOKS: u32 = 4;

struct Put<'a> {
    objects: &'a S3Objects,
    engine: Engine,
    actor: Actor,
    answers: &'a Answers,
    evidence: Vec<EvidenceId>,
}

pub(super) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    (objects, yes): (&S3Objects, bool),
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let mut engine = house.open()?;
    let actor = house.sign_in(&engine, act_as)?;
    let (bucket, prefix) = objects.place();
    engine.may_put_lifecycle(&actor, bucket)?;
    let mut put = Put { objects, engine, actor, answers, evidence: Vec::new() };
    let there = objects.lifecycle()?;
    put.look_for_open(&there)?;
    let checked = put.engine.charter()?.clone();
    let wish = Wish { prefix, charter: checked.charter() };
    let next = wish.next(&there)?;
    all_holds(&wish, &next)?;
    let changes = wish.changes(&there, &next);
    if changes.is_empty() {
        return give(&put.engine, objects, &there, answers);
    }
    if !answers.json() {
        answers.line(shown(&changes).trim_end())?;
    }
    if !answers.agreed(yes)? {
        let text = format!("nothing was changed in `{bucket}`: nobody said yes");
        return Err(Failure::new(Exit::Refused, text)
            .with_help("look at what would change; `--yes` carries it out without a question"));
    }
    put.carry_out((&there, &next), &changes)?;
    let answer =
        json!({"place": objects.address(""), "changes": changes, "put": true, "evidence": put.evidence});
    let evidence = evidence(&put.evidence);
    answers.give(&answer, |_| format!("{} has these rules now\n{evidence}", objects.address("")))?;
    Ok(ExitCode::SUCCESS)
}

/// With rules of others beside ours something may not hold that ours cannot mend; then ours would only look as if it did.
fn all_holds(wish: &Wish<'_>, next: &Lifecycle) -> Result<(), Failure> {
    let broken = |one: super::Judged| match one.verdict {
        Verdict::Holds | Verdict::NotApplicable { .. } => None,
        verdict => Some(format!("{}: {verdict}", one.what)),
    };
    let wrong: Vec<String> = wish.judged(next.rules()).into_iter().filter_map(broken).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let text = format!("nothing was put: with our rules too, not all would hold: {}", wrong.join("; "));
    Err(Failure::new(Exit::Conflict, text)
        .with_help("whoever made that rule changes it or takes it away; then run the command again"))
}

fn digest(lifecycle: &Lifecycle) -> Digest {
    Digest::of(lifecycle.canonical().as_bytes())
}

impl Put<'_> {
    fn bucket(&self) -> &str {
        self.objects.place().0
    }

    /// What nobody saw end is looked at first.
    fn look_for_open(&mut self, there: &Lifecycle) -> Result<(), Failure> {
        let Some(open) = self.engine.open_lifecycle_change(self.bucket()) else { return Ok(()) };
        let change = &open.change.what;
        let event = if digest(there) == change.after {
            LifecycleEvent::Settled
        } else if digest(there) == change.before {
            LifecycleEvent::Failed { reason: "the bucket has the rules that it had before".to_owned() }
        } else {
            LifecycleEvent::Failed {
                reason: "the bucket has neither these rules nor those before".to_owned(),
            }
        };
        let said = match &event {
            LifecycleEvent::Failed { reason } => reason.as_str(),
            _ => "they are there",
        };
        self.answers.remark(&format!("note: rules were to be put and nobody saw it end; {said}"));
        self.end(event)
    }

    fn end(&mut self, event: LifecycleEvent) -> Result<(), Failure> {
        self.engine.refresh()?;
        let bucket = self.objects.place().0;
        self.evidence.extend(self.engine.end_lifecycle_change(&self.actor, bucket, event)?);
        Ok(())
    }

    fn fail(&mut self, reason: &str, failure: Failure) -> Failure {
        let ended = self.end(LifecycleEvent::Failed { reason: reason.to_owned() });
        ended.err().unwrap_or(failure)
    }

    fn carry_out(
        &mut self,
        (there, next): (&Lifecycle, &Lifecycle),
        changes: &[String],
    ) -> Result<(), Failure> {
        let texts = (there.canonical(), next.canonical());
        let place = self.objects.place();
        let begun =
            self.engine.begin_lifecycle_change(&self.actor, place, (&texts.0, &texts.1), changes.to_vec());
        self.evidence.extend(begun?);
        let fresh = match self.objects.lifecycle() {
            Ok(fresh) => fresh,
            Err(error) => return Err(self.fail(&error.to_string(), error.into())),
        };
        if fresh.canonical() != texts.0 {
            let text = "somebody changed the rules of the bucket at this moment; nothing was put";
            let failure = Failure::new(Exit::Conflict, text).with_help("run the command again");
            return Err(self.fail(text, failure));
        }
        let done = self.objects.put_lifecycle(next);
        self.read_back(&texts, done)
    }

    /// What was put counts when it is read, whatever the call said.
    fn read_back(
        &mut self,
        (before, after): &(String, String),
        done: Result<(), AwsError>,
    ) -> Result<(), Failure> {
        let surely_not = done.as_ref().err().filter(|error| !is_doubtful(error));
        let mut seen = Err(String::new());
        for looks in 0..LOOKS {
            if looks > 0 {
                self.objects.pause(looks - 1);
            }
            seen = self.objects.lifecycle().map(|there| there.canonical()).map_err(|error| error.to_string());
            if surely_not.is_some() || seen.as_ref().is_ok_and(|seen| seen != before) {
                break;
            }
        }
        match (seen, done) {
            (Ok(seen), _) if seen == *after => self.end(LifecycleEvent::Settled),
            (_, Err(error)) if !is_doubtful(&error) => {
                Err(self.fail(&error.to_string(), super::super::failure(error)))
            }
            (Ok(seen), _) if seen != *before => {
                let text = "the bucket has other rules than those that were put: somebody else put theirs";
                let help = "look at them with `wardmote aws lifecycle`, and put ours again";
                Err(self.fail(text, Failure::new(Exit::Conflict, text).with_help(help)))
            }
            (seen, done) => {
                let said = match (seen, done) {
                    (Err(error), _) => error,
                    (_, Err(error)) => error.to_string(),
                    (Ok(_), Ok(())) => "S3 took the rules and still shows those before".to_owned(),
                };
                self.end(LifecycleEvent::Unknown { missing: said.clone() })?;
                let text = format!("it is not known whether the rules were put: {said}");
                Err(Failure::new(Exit::Outside, text)
                    .with_help("run the command again: it looks what became of them, and goes on"))
            }
        }
    }
}

/// Whether a call that failed may have been carried out all the same.
fn is_doubtful(error: &AwsError) -> bool {
    matches!(error.trouble(), Trouble::Unavailable | Trouble::Unreached | Trouble::Unreadable)
}
