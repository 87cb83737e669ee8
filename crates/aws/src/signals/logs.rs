//! Lines for a group of CloudWatch Logs: in batches within the bounds of the service, into a group that is encrypted with a key and
//! keeps them for as long as it should.
//!
//! Source: Amazon CloudWatch Logs API Reference, "PutLogEvents", "CreateLogGroup", "PutRetentionPolicy", "AssociateKmsKey";
//! Amazon CloudWatch User Guide, "Using the PutLogEvents API to create embedded metric format logs".

use super::Signals;
use crate::error::{AwsError, Trouble};
use crate::operation::{On, Operation, Permission, Retry};
use crate::posture::LOGS;
use crate::wire::{Wire, from_json};
use facts::serving::LogGroup;
use facts::{Arn, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

macro_rules! operation {
    ($name:literal, $action:literal, $on:ident) => {
        Operation {
            service: &LOGS,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: $action, on: On::$on }],
            pages: None,
        }
    };
}

const GROUPS: Operation = operation!("DescribeLogGroups", "logs:DescribeLogGroups", Account);
const CREATE: Operation = operation!("CreateLogGroup", "logs:CreateLogGroup", LogGroup);
const STREAM: Operation = operation!("CreateLogStream", "logs:CreateLogStream", LogGroup);
const KEEP: Operation = operation!("PutRetentionPolicy", "logs:PutRetentionPolicy", LogGroup);
const ENCRYPT: Operation = operation!("AssociateKmsKey", "logs:AssociateKmsKey", LogGroup);
const PUT: Operation = operation!("PutLogEvents", "logs:PutLogEvents", LogGroup);

/// What is called to deliver lines.
pub(super) const OF_LOGS: [&Operation; 6] = [&GROUPS, &CREATE, &STREAM, &KEEP, &ENCRYPT, &PUT];

/// The bounds of a batch: bytes, of which each line has so many beside its text, lines, and time from the first to the last.
const MOST_BYTES: usize = 1_048_576;
const BYTES_BESIDE: usize = 26;
const MOST_LINES: usize = 10_000;
const LONGEST_SPAN_MS: i64 = 24 * 3600 * 1000;
/// What is older is not taken.
const OLDEST_SECONDS: i64 = 14 * 86_400;

/// A group of CloudWatch Logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Its name: `/wardmote/bank`.
    pub group: LogGroup,
    /// The key of KMS that encrypts it; its policy must let CloudWatch Logs use it.
    pub key: Option<Arn>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// By which whoever delivers it knows it.
    pub id: String,
    /// When it was written.
    pub time: Timestamp,
    /// Its text.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// CloudWatch Logs has it.
    Taken,
    /// It never will: it is too old, or too long.
    Refused,
}

/// `rejectedLogEventsInfo` of `PutLogEvents`; an end is exclusive, a start inclusive.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rejected {
    too_new_log_event_start_index: Option<usize>,
    too_old_log_event_end_index: Option<usize>,
    expired_log_event_end_index: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    rejected_log_events_info: Option<Rejected>,
}

/// Lines in the order of their times, cut into batches that the service takes.
fn batches(lines: &[LogLine]) -> Vec<&[LogLine]> {
    let (mut all, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, line) in lines.iter().enumerate() {
        let more = line.text.len() + BYTES_BESIDE;
        let span = line.time.unix_ms() - lines[from].time.unix_ms();
        if at > from && (bytes + more > MOST_BYTES || at - from >= MOST_LINES || span > LONGEST_SPAN_MS) {
            all.push(&lines[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += more;
    }
    if from < lines.len() {
        all.push(&lines[from..]);
    }
    all
}

impl Signals {
    /// Whether lines are delivered.
    pub fn logs(&self) -> bool {
        self.settings.logs.is_some()
    }

    /// Delivers lines into a stream of the group, which keeps them for `days` at least. `told` hears what became of each, batch by
    /// batch; a line of which it hears nothing was perhaps not taken, and may be delivered again.
    ///
    /// # Errors
    /// The call that failed; what was told before stays true.
    pub fn deliver(
        &self,
        stream: &str,
        (mut lines, days): (Vec<LogLine>, u32),
        now: Timestamp,
        told: &mut dyn FnMut(&LogLine, Delivery),
    ) -> Result<(), AwsError> {
        let Some(logs) = &self.settings.logs else { return Ok(()) };
        let oldest = now.plus_seconds(-OLDEST_SECONDS);
        lines.retain(|line| {
            let fits = line.time >= oldest && line.text.len() + BYTES_BESIDE <= MOST_BYTES;
            if !fits {
                told(line, Delivery::Refused);
            }
            fits
        });
        lines.sort_by_key(|line| line.time);
        if lines.is_empty() {
            return Ok(());
        }
        self.see_to_group(logs, days)?;
        for batch in batches(&lines) {
            let rejected = self.put_lines(logs, stream, batch)?;
            let gone = rejected.too_old_log_event_end_index.max(rejected.expired_log_event_end_index);
            let new = rejected.too_new_log_event_start_index.unwrap_or(batch.len());
            for (at, line) in batch.iter().enumerate().take(new) {
                told(line, if at < gone.unwrap_or(0) { Delivery::Refused } else { Delivery::Taken });
            }
            if new < batch.len() {
                let text =
                    "the clock of this machine is more than two hours ahead of that of CloudWatch Logs";
                return Err(AwsError::new(Trouble::Refused, text).of(&PUT).with_help("set the clock"));
            }
        }
        Ok(())
    }

    /// One batch; the stream is made if it is not there.
    fn put_lines(&self, logs: &LogSettings, stream: &str, batch: &[LogLine]) -> Result<Rejected, AwsError> {
        let events: Vec<Value> = batch
            .iter()
            .map(|line| json!({ "timestamp": line.time.unix_ms(), "message": line.text }))
            .collect();
        let input = json!({ "logGroupName": logs.group, "logStreamName": stream, "logEvents": events });
        let put = || {
            let wire = Wire::json(&PUT, &input)?.header("x-amzn-logs-format", "json/emf");
            from_json::<Answer>(&PUT, &self.client.call(&PUT, &wire)?)
        };
        let answer = match put() {
            Err(error) if error.trouble() == Trouble::Absent => {
                let input = json!({ "logGroupName": logs.group, "logStreamName": stream });
                unless_there(self.tell(&STREAM, &input))?;
                put()?
            }
            other => other?,
        };
        Ok(answer.rejected_log_events_info.unwrap_or_default())
    }

    /// Makes the group, or gives it its key and a longer time; what is kept for longer stays so.
    fn see_to_group(&self, logs: &LogSettings, days: u32) -> Result<(), AwsError> {
        // The group itself is the first of those whose names begin with its name.
        let input = json!({ "logGroupNamePrefix": logs.group, "limit": 1 });
        let page: Value = self.client.json(&GROUPS, &input)?;
        let there = &page["logGroups"][0];
        let known = there["logGroupName"] == logs.group.as_str();
        if !known {
            let mut input = json!({ "logGroupName": logs.group });
            if let Some(key) = &logs.key {
                input["kmsKeyId"] = json!(key);
            }
            unless_there(self.tell(&CREATE, &input))?;
        } else if let Some(key) = logs.key.as_ref().filter(|key| there["kmsKeyId"] != key.to_string()) {
            self.tell(&ENCRYPT, &json!({ "logGroupName": logs.group, "kmsKeyId": key }))?;
        }
        // A group without a time keeps everything.
        let kept = if known { there["retentionInDays"].as_u64().unwrap_or(u64::MAX) } else { 0 };
        if kept < u64::from(days) {
            self.tell(&KEEP, &json!({ "logGroupName": logs.group, "retentionInDays": days }))?;
        }
        Ok(())
    }

    fn tell(&self, operation: &'static Operation, input: &Value) -> Result<(), AwsError> {
        self.client.call(operation, &Wire::json(operation, input)?).map(|_| ())
    }
}

/// Somebody else, or an attempt whose answer was lost, was first.
fn unless_there(made: Result<(), AwsError>) -> Result<(), AwsError> {
    match made {
        Err(error) if error.code() == "ResourceAlreadyExistsException" => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(second: i64, bytes: usize) -> LogLine {
        let time = Timestamp::from_unix_ms(second * 1000).unwrap();
        LogLine { id: String::new(), time, text: "x".repeat(bytes) }
    }

    #[test]
    fn each_bound_begins_a_batch() {
        let sizes = |lines: &[LogLine]| batches(lines).iter().map(|one| one.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        let whole = MOST_BYTES - BYTES_BESIDE;
        assert_eq!(sizes(&[line(0, whole), line(0, 0), line(0, whole - BYTES_BESIDE)]), [1, 2]);
        assert_eq!(sizes(&[line(0, 1), line(86_400, 1), line(86_401, 1)]), [2, 1]);
        assert_eq!(sizes(&vec![line(0, 1); 10_001]), [10_000, 1]);
    }

    proptest! {
        #[test]
        fn batches_hold_every_line_once_and_in_bounds(
            steps in proptest::collection::vec((0i64..50_000, 0usize..400_000), 0..40),
        ) {
            let mut second = 0;
            let lines: Vec<LogLine> = steps
                .into_iter()
                .map(|(step, bytes)| {
                    second += step;
                    line(second, bytes)
                })
                .collect();
            let all = batches(&lines);
            prop_assert_eq!(&all.concat(), &lines);
            for batch in all {
                let bytes: usize = batch.iter().map(|line| line.text.len() + BYTES_BESIDE).sum();
                let span = batch[batch.len() - 1].time.unix_ms() - batch[0].time.unix_ms();
                prop_assert!(bytes <= MOST_BYTES && batch.len() <= MOST_LINES && span <= LONGEST_SPAN_MS);
            }
        }
    }
}
