//! `wardmote aws lifecycle`: whether the lifecycle of the house's bucket is that of the charter. What the record rests on
//! stays; captured traffic and snapshots end when the charter says.

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::lifecycle::{LifecycleRule, Wanted, judge, judge_uploads};
use charter::model::Charter;
use facts::{Days, Verdict};
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
    /// Rules with which everything holds, as `aws s3api put-bucket-lifecycle-configuration` takes them.
    rules: Value,
}

#[derive(Serialize)]
struct Judged {
    what: &'static str,
    prefix: String,
    keep_days: Option<u32>,
    #[serde(flatten)]
    verdict: Verdict,
}

pub(super) fn run(house: &House, answers: &Answers) -> Result<ExitCode, Failure> {
    let Some(objects) = house.settings()?.objects()? else {
        let text = "the house keeps its objects in its folder, which has no lifecycle";
        return Err(Failure::new(Exit::Usage, text).with_help(
            "`wardmote init --objects s3://BUCKET/PREFIX/` makes a house that keeps them in a bucket",
        ));
    };
    let engine = house.open_read_only()?;
    let charter = engine.charter()?.charter();
    let (bucket, prefix) = objects.place();
    let judged = judged(&objects.lifecycle()?, prefix, charter);
    let passes = judged.iter().all(|one| one.verdict.passes());
    let answer = Answer { place: format!("s3://{bucket}/{prefix}"), judged, rules: rules(prefix, charter) };
    answers.give(&answer, text)?;
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(Exit::Conflict as u8) })
}

/// What ends, and when: traffic with the model that keeps it longest, snapshots with the data set.
fn ending(charter: &Charter) -> [(&'static str, &'static str, Option<u32>); 2] {
    let traffic = charter.models.iter().map(|model| model.retention.capture_days.get()).max();
    let snapshots: Option<Vec<u32>> =
        charter.datasets.iter().map(|dataset| dataset.retention_days.map(Days::get)).collect();
    let snapshots = snapshots.and_then(|days| days.into_iter().max());
    [("captured traffic", "traffic/", traffic), ("snapshots", "snapshots/", snapshots)]
}

fn judged(rules: &[LifecycleRule], prefix: &str, charter: &Charter) -> Vec<Judged> {
    let ending = ending(charter).map(|(what, kind, days)| (what, format!("{prefix}{kind}"), days));
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

/// Other rules of the bucket must be put with these, because a bucket's rules are put as a whole.
fn rules(prefix: &str, charter: &Charter) -> Value {
    let ends = ending(charter).into_iter().filter_map(|(_, kind, days)| {
        Some(json!({
            "ID": format!("wardmote-{}", kind.trim_end_matches('/')),
            "Status": "Enabled",
            "Filter": {"Prefix": format!("{prefix}{kind}")},
            "Expiration": {"Days": days?},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLDER_VERSIONS_DAYS},
        }))
    });
    let uploads = json!({
        "ID": "wardmote-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UPLOADS_DAYS},
    });
    json!({"Rules": ends.chain([uploads]).collect::<Vec<_>>()})
}

fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.place);
    for one in &answer.judged {
        let days = one.keep_days.map_or_else(|| "-".to_owned(), |days| format!("{days} days"));
        text.push_str(&format!("  {:<25} {:<28} {days:<10} {}\n", one.what, one.prefix, one.verdict));
    }
    if !answer.judged.iter().all(|one| one.verdict.passes()) {
        text.push_str(
            "`--json` prints rules with which all of it holds; `aws s3api put-bucket-lifecycle-configuration` puts them\n",
        );
    }
    text
}
