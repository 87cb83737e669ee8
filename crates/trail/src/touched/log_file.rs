//! Log files that messages name, and what their records touched. Here nothing is proved of a file: who takes one for true has
//! it from its bucket, and what it says only decides what is read again.

use super::{Event, Message, record};
use crate::gzip;
use serde_json::Value;

/// Log files of one message that are read; with more, everything is read again.
const MOST_FILES: usize = 32;
/// A longer key is none of S3.
const LONGEST_KEY: usize = 1_024;
/// A larger log file is not read. CloudTrail delivers after some minutes, and a new file when one has some megabytes.
pub const MAX_LOG_FILE_BYTES: usize = 16 << 20;
/// A log file may hold so much.
const MAX_PLAIN_BYTES: usize = 64 << 20;

/// A log file in its bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFile {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
}

impl Message {
    /// An object was written. Objects come and go without a control; a log file tells of calls.
    pub(super) fn file(&mut self, bucket: &str, key: &str) {
        if !key.contains("/CloudTrail/") || !key.ends_with(".json.gz") {
            return;
        }
        if bucket.is_empty() || key.len() > LONGEST_KEY || self.files.len() >= MOST_FILES {
            self.everything = true;
            return;
        }
        self.files.push(LogFile { bucket: bucket.to_owned(), key: key.to_owned() });
    }
}

/// The changes of which a log file tells.
///
/// # Errors
/// A sentence that says why it is no log file, or too large for one.
pub fn read_log_file(bytes: &[u8]) -> Result<Vec<Event>, String> {
    if bytes.len() > MAX_LOG_FILE_BYTES {
        return Err(format!("it has more than {MAX_LOG_FILE_BYTES} bytes"));
    }
    let plain = gzip::expand(bytes, MAX_PLAIN_BYTES)?;
    let value: Value = serde_json::from_slice(&plain).map_err(|error| format!("it is no JSON: {error}"))?;
    let records = value.get("Records").and_then(Value::as_array).ok_or("it has no `Records`")?;
    let mut message = Message::default();
    for one in records {
        if one.get("eventName").and_then(Value::as_str).is_none() {
            return Err("one of its records is no event of CloudTrail".to_owned());
        }
        record(one, &mut message);
    }
    Ok(message.events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzip::tests::stored;
    use crate::read_message;
    use facts::inventory::Touched;
    use serde_json::json;

    const KEY: &str = "logs/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/21/a_b.json.gz";

    fn call(name: &str, bucket: &str) -> Value {
        json!({"eventSource": "s3.amazonaws.com", "eventName": name, "eventID": name, "recipientAccountId": "123456789012",
            "requestParameters": {"bucketName": bucket}})
    }

    #[test]
    fn what_a_log_file_tells_is_what_its_records_tell() {
        let records = [
            call("PutBucketPolicy", "data"),
            call("GetBucketPolicy", "other"),
            call("DeleteBucketEncryption", "raw"),
        ];
        let events = read_log_file(&stored(json!({"Records": records}).to_string().as_bytes())).unwrap();
        let one = |at: usize| read_message(&records[at].to_string()).unwrap().events;
        assert_eq!(events, [one(0), one(2)].concat());
        assert!(events[1].touched.contains(&Touched::one("AWS::S3::Bucket", "raw")), "{events:?}");
    }

    #[test]
    fn names_of_log_files_are_taken_from_each_form() {
        let by_trail = json!({"s3Bucket": "logs", "s3ObjectKey": [KEY]});
        let by_s3 = json!({"Records": [{"s3": {"bucket": {"name": "logs"}, "object": {"key": KEY.replace('/', "%2F")}}},
            {"s3": {"bucket": {"name": "logs"}, "object": {"key": "data/rows.csv"}}}]});
        let by_topic = json!({"Type": "Notification", "Message": by_trail.to_string()});
        for form in [by_trail, by_s3, by_topic] {
            let message = read_message(&form.to_string()).unwrap();
            assert_eq!(message.files, [LogFile { bucket: "logs".to_owned(), key: KEY.to_owned() }], "{form}");
            assert!(!message.everything && message.events.is_empty());
        }
    }

    #[test]
    fn too_many_files_or_none_that_can_be_named_are_everything() {
        let many: Vec<&str> = std::iter::repeat_n(KEY, MOST_FILES + 1).collect();
        let message = read_message(&json!({"s3Bucket": "logs", "s3ObjectKey": many}).to_string()).unwrap();
        assert!(message.everything && message.files.len() == MOST_FILES);
        for (bucket, key) in [
            ("", KEY.to_owned()),
            ("logs", KEY.replace("logs/", &"l/".repeat(600))),
            ("logs", format!("%zz{KEY}")),
        ] {
            let form = json!({"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]});
            let message = read_message(&form.to_string()).unwrap();
            assert!(message.everything && message.files.is_empty(), "{form}");
        }
    }

    #[test]
    fn what_is_no_log_file_is_said() {
        let said = |plain: &[u8]| read_log_file(&stored(plain)).unwrap_err();
        assert_eq!(said(b"{}"), "it has no `Records`");
        assert_eq!(said(b"{\"Records\": [{}]}"), "one of its records is no event of CloudTrail");
        assert!(said(b"no").starts_with("it is no JSON"));
        assert_eq!(read_log_file(b"no").unwrap_err(), "it is not whole gzip");
        assert!(read_log_file(&vec![0; MAX_LOG_FILE_BYTES + 1]).unwrap_err().contains("more than"));
    }
}
