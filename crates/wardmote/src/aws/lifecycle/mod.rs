//! `wardmote aws lifecycle`: whether the lifecycle of the house's bucket is that of the charter, and putting it. What the
//! record rests on stays; captured traffic and snapshots end when the charter says.

mod put;

use super::args::LifecycleArgs;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::lifecycle::{LifecycleRule, Wanted, judge, judge_uploads};
use aws::{Lifecycle, OwnRule, S3Objects};
use charter::model::Charter;
use engine::{Engine, LifecycleChanged, LifecycleEvent};
use facts::{Days, PersonId, Verdict};
use serde::Serialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// How long a bucket that is versioned keeps what has ended, and uploads that broke off.
const OLDER_VERSIONS_DAYS: u32 = 30;
const UPLOADS_DAYS: u32 = 7;

#[derive(Serialize)]
struct Answer {
    /// Where the house's objects are.
    place: String,
    judged: Vec<Judged>,
    /// What `--put` would change, in sentences.
    changes: Vec<String>,
    /// Rules with which everything holds, as `aws s3api put-bucket-lifecycle-configuration` takes them.
    rules: Value,
    /// What the record says of the last time that they were put.
    last: Option<String>,
}

#[derive(Serialize)]
struct Judged {
    what: &'static str,
    prefix: String,
    keep_days: Option<u32>,
    #[serde(flatten)]
    verdict: Verdict,
}

/// What a charter wants of the bucket of its house.
struct Wish<'a> {
    prefix: &'a str,
    charter: &'a Charter,
}

pub(super) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    args: &LifecycleArgs,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let Some(objects) = house.settings()?.objects()? else {
        let text = "the house keeps its objects in its folder, which has no lifecycle";
        return Err(Failure::new(Exit::Usage, text).with_help(
            "`wardmote init --objects s3://BUCKET/PREFIX/` makes a house that keeps them in a bucket",
        ));
    };
    if args.put {
        return put::run(house, act_as, (&objects, args.yes), answers);
    }
    let engine = house.open_read_only()?;
    give(&engine, &objects, &objects.lifecycle()?, answers)
}

/// What is there beside what is wanted.
fn give(
    engine: &Engine,
    objects: &S3Objects,
    there: &Lifecycle,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let (bucket, prefix) = objects.place();
    let wish = Wish { prefix, charter: engine.charter()?.charter() };
    let mut judged = wish.judged(there.rules());
    let locked = objects.locked_days();
    judged.iter_mut().for_each(|one| one.verdict = after_lock(one, &locked));
    let passes = judged.iter().all(|one| one.verdict.passes());
    let changes = match wish.next(there) {
        Ok(next) => wish.changes(there, &next),
        Err(failure) => {
            answers.remark(&format!("note: {}", failure.message()));
            Vec::new()
        }
    };
    let answer = Answer {
        place: objects.address(""),
        judged,
        changes,
        rules: wish.rules(),
        last: engine.state().lifecycles().last(bucket).map(last),
    };
    answers.give(&answer, text)?;
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(Exit::Conflict as u8) })
}

impl Wish<'_> {
    /// What ends, and when: traffic with the model that keeps it longest, snapshots with the data set.
    fn ending(&self) -> [(&'static str, &'static str, Option<u32>); 2] {
        let Charter { models, datasets, .. } = self.charter;
        let traffic = models.iter().map(|model| model.retention.capture_days.get()).max();
        let snapshots: Option<Vec<u32>> =
            datasets.iter().map(|dataset| dataset.retention_days.map(Days::get)).collect();
        let snapshots = snapshots.and_then(|days| days.into_iter().max());
        [("captured traffic", "traffic/", traffic), ("snapshots", "snapshots/", snapshots)]
    }

    fn judged(&self, rules: &[LifecycleRule]) -> Vec<Judged> {
        let prefix = self.prefix;
        let ending = self.ending().map(|(what, kind, days)| (what, format!("{prefix}{kind}"), days));
        let but: Vec<String> = ending.iter().map(|(_, prefix, _)| prefix.clone()).collect();
        let one = |what, prefix: String, but: &[String], days| {
            let verdict = judge(rules, &Wanted { prefix: &prefix, but, days });
            Judged { what, prefix, keep_days: days, verdict }
        };
        let mut all: Vec<Judged> =
            ending.into_iter().map(|(what, prefix, days)| one(what, prefix, &[], days)).collect();
        all.push(one("what the record rests on", prefix.to_owned(), &but, None));
        all.push(Judged {
            what: "uploads that broke off",
            prefix: prefix.to_owned(),
            keep_days: None,
            verdict: judge_uploads(rules, prefix),
        });
        all
    }

    /// The rules of the house. Their ids have the prefix in them, so that houses in one bucket do not take each other's.
    fn own(&self) -> Vec<OwnRule> {
        let rule = |name: &str, kind: &str| OwnRule {
            id: format!("wardmote-{}{name}", self.prefix),
            prefix: format!("{}{kind}", self.prefix),
            objects_days: None,
            older_versions_days: None,
            uploads_days: None,
        };
        let ends = self.ending().into_iter().filter_map(|(_, kind, days)| {
            let (objects_days, older_versions_days) = (Some(days?), Some(OLDER_VERSIONS_DAYS));
            let rule = rule(kind.trim_end_matches('/'), kind);
            Some(OwnRule { objects_days, older_versions_days, ..rule })
        });
        let uploads = OwnRule { uploads_days: Some(UPLOADS_DAYS), ..rule("uploads", "") };
        ends.chain([uploads]).collect()
    }

    /// Whether a rule has a name of ours and is about our objects; with a name of ours alone it is somebody else's.
    fn is_own(&self, rule: &LifecycleRule) -> bool {
        [("traffic", "traffic/"), ("snapshots", "snapshots/"), ("uploads", "")].iter().any(|(name, kind)| {
            let named = rule.id() == format!("wardmote-{}{name}", self.prefix);
            // The ids of rules that were put by hand before the house put them.
            let before = rule.id() == format!("wardmote-{name}");
            (named || before) && rule.prefix() == format!("{}{kind}", self.prefix)
        })
    }

    /// All rules of the bucket with ours in them.
    fn next(&self, there: &Lifecycle) -> Result<Lifecycle, Failure> {
        let own = self.own();
        let taken = |rule: &&LifecycleRule| !self.is_own(rule) && own.iter().any(|own| own.id == rule.id());
        if let Some(rule) = there.rules().iter().find(taken) {
            let text = format!("the bucket has a rule `{}` that is not about what ours is about", rule.id());
            return Err(Failure::new(Exit::Conflict, text)
                .with_help("look who made it; give it another id, or take it away"));
        }
        there.with(&own, |rule| self.is_own(rule)).map_err(super::failure)
    }

    /// What is otherwise in `next`, in sentences.
    fn changes(&self, there: &Lifecycle, next: &Lifecycle) -> Vec<String> {
        let lines = |lifecycle: &Lifecycle, of: &LifecycleRule| {
            let all = lifecycle.rules().iter().zip(lifecycle.said());
            all.filter(|(rule, _)| rule.id() == of.id()).map(|(_, said)| said).collect::<Vec<_>>()
        };
        let own = |lifecycle: &Lifecycle| -> Vec<LifecycleRule> {
            lifecycle.rules().iter().filter(|rule| self.is_own(rule)).cloned().collect()
        };
        let mut changes = Vec::new();
        for rule in own(next) {
            let (before, after) = (lines(there, &rule), lines(next, &rule));
            let sentence = match before.is_empty() {
                true => format!("the rule `{}` is added: {rule}", rule.id()),
                false => format!("the rule `{}` is replaced: {rule}", rule.id()),
            };
            changes.extend((before != after).then_some(sentence));
        }
        let gone = own(there).into_iter().filter(|rule| lines(next, rule).is_empty());
        changes.extend(gone.map(|rule| format!("the rule `{}` is taken away: {rule}", rule.id())));
        changes
    }

    /// Our rules as the command line of AWS takes them.
    fn rules(&self) -> Value {
        let rule = |own: OwnRule| {
            let mut rule = json!({"ID": own.id, "Status": "Enabled", "Filter": {"Prefix": own.prefix}});
            if let Some(days) = own.objects_days {
                rule["Expiration"] = json!({"Days": days});
            }
            if let Some(days) = own.older_versions_days {
                rule["NoncurrentVersionExpiration"] = json!({"NoncurrentDays": days});
            }
            if let Some(days) = own.uploads_days {
                rule["AbortIncompleteMultipartUpload"] = json!({"DaysAfterInitiation": days});
            }
            rule
        };
        json!({"Rules": self.own().into_iter().map(rule).collect::<Vec<_>>()})
    }
}

/// A lock wins: what is locked for longer than it is kept stays as an older version until the lock ends.
fn after_lock(one: &Judged, locked: &Result<Option<u32>, world::PortError>) -> Verdict {
    let Some(kept) = one.keep_days else { return one.verdict.clone() };
    one.verdict.clone().and(match locked {
        Ok(Some(days)) if *days > kept => Verdict::Broken {
            reason: format!("the bucket locks them for {days} days, and nothing ends before that"),
        },
        Ok(_) => Verdict::Holds,
        Err(error) => Verdict::Unknown { missing: format!("for how long the bucket locks them: {error}") },
    })
}

/// The last time that the rules were put, in a sentence.
fn last(changed: &LifecycleChanged) -> String {
    let begun = &changed.change;
    let end = match changed.ended.as_ref().map(|ended| &ended.what) {
        None => "NOT seen to end".to_owned(),
        Some(LifecycleEvent::Failed { reason }) => format!("FAILED: {reason}"),
        Some(LifecycleEvent::Unknown { missing }) => format!("what became of it is NOT known: {missing}"),
        Some(LifecycleEvent::Settled | LifecycleEvent::Begun(_)) => "read back as put".to_owned(),
    };
    format!(
        "put by {} at {}, charter {}: {end} ({})",
        begun.by,
        begun.time,
        begun.what.charter.short(),
        begun.evidence
    )
}

fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.place);
    for one in &answer.judged {
        let days = one.keep_days.map_or_else(|| "-".to_owned(), |days| format!("{days} days"));
        text.push_str(&format!("  {:<25} {:<28} {days:<10} {}\n", one.what, one.prefix, one.verdict));
    }
    if let Some(last) = &answer.last {
        text.push_str(&format!("{last}\n"));
    }
    if !answer.changes.is_empty() {
        text.push_str(&format!("{}`--put` carries this out\n", shown(&answer.changes)));
    }
    text
}

/// What would change, for people.
fn shown(changes: &[String]) -> String {
    changes.iter().map(|change| format!("{change}\n")).collect()
}
