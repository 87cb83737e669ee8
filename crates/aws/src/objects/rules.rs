//! The lifecycle of a bucket as a document: rules of others are kept to the letter, ours are put beside them, and two
//! documents that say the same are told to be the same.
//!
//! Source: Amazon S3 API Reference, `GetBucketLifecycleConfiguration`, `PutBucketLifecycleConfiguration` (a bucket's rules
//! are put as a whole, and no condition can be given) and `GetObjectLockConfiguration`; User Guide, "Lifecycle
//! configuration elements".

use super::lifecycle::{GET_LIFECYCLE, LifecycleRule};
use super::{CHECKSUM, S3Objects, checksum, on};
use crate::error::AwsError;
use crate::operation::{On, Operation, Retry, S3};
use crate::posture::xml;
use crate::wire::{from_xml, unreadable};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde::Deserialize;
use serde_json::Value;
use world::PortError;

/// The same document once more is the same document.
pub(super) const PUT_LIFECYCLE: Operation = Operation {
    service: &S3,
    name: "PutBucketLifecycleConfiguration",
    retry: Retry::Safe,
    needs: &[on("s3:PutLifecycleConfiguration", On::Bucket)],
    pages: None,
};
pub(super) const GET_LOCK: Operation = Operation {
    service: &S3,
    name: "GetObjectLockConfiguration",
    retry: Retry::Safe,
    needs: &[on("s3:GetBucketObjectLockConfiguration", On::Bucket)],
    pages: None,
};

/// From how many bytes on rules move objects. It is a header beside the rules, and without it S3 takes its own default.
const SMALLEST_MOVED: &str = "x-amz-transition-default-minimum-object-size";
const DEFAULT_SMALLEST: &str = "all_storage_classes_128K";

/// The rules of a bucket, as S3 keeps them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    rules: Vec<LifecycleRule>,
    /// Each rule as it was read, from `<Rule>` to `</Rule>`.
    texts: Vec<String>,
    smallest_moved: Option<String>,
}

/// A rule that a house puts. Days are whole days since an object was made, became an older version, or an upload began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRule {
    /// The id, of at most 255 letters.
    pub id: String,
    /// What the names of its objects begin with.
    pub prefix: String,
    /// After how many days objects end.
    pub objects_days: Option<u32>,
    /// After how many days an older version ends.
    pub older_versions_days: Option<u32>,
    /// After how many days an upload that broke off ends.
    pub uploads_days: Option<u32>,
}

impl OwnRule {
    fn xml(&self) -> String {
        let days = |days: Option<u32>, before: &str, after: &str| {
            days.map(|days| format!("{before}{days}{after}")).unwrap_or_default()
        };
        format!(
            "<Rule>{}<ID>{}</ID><Filter><Prefix>{}</Prefix></Filter><Status>Enabled</Status>{}{}</Rule>",
            days(self.objects_days, "<Expiration><Days>", "</Days></Expiration>"),
            escape(&self.id),
            escape(&self.prefix),
            days(
                self.older_versions_days,
                "<NoncurrentVersionExpiration><NoncurrentDays>",
                "</NoncurrentDays></NoncurrentVersionExpiration>"
            ),
            days(
                self.uploads_days,
                "<AbortIncompleteMultipartUpload><DaysAfterInitiation>",
                "</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
            ),
        )
    }
}

impl Lifecycle {
    /// All rules.
    pub fn rules(&self) -> &[LifecycleRule] {
        &self.rules
    }

    /// The same with our rules in place of those that are ours; the rules of others are as they were, to the letter.
    ///
    /// # Errors
    /// If a rule of ours cannot be written so that it is read as the same.
    pub fn with(&self, own: &[OwnRule], is_own: impl Fn(&LifecycleRule) -> bool) -> Result<Self, AwsError> {
        let others = self.rules.iter().zip(&self.texts).filter(|(rule, _)| !is_own(rule));
        let texts = others.map(|(_, text)| text.clone()).chain(own.iter().map(OwnRule::xml));
        let smallest_moved = self.smallest_moved.clone();
        Self::read(&document(texts), smallest_moved).ok_or_else(|| {
            AwsError::new(crate::error::Trouble::Refused, "the rules of the lifecycle cannot be written")
        })
    }

    /// What each rule says, in the order of [`Self::rules`]: the same for all that say the same.
    pub fn said(&self) -> impl Iterator<Item = String> {
        self.texts.iter().map(|text| canonical(text).unwrap_or_else(|| text.clone()))
    }

    /// The same for every document that says the same, whatever the order and the spaces: one line for each rule.
    pub fn canonical(&self) -> String {
        let mut lines: Vec<String> = self.said().collect();
        lines.sort();
        // A bucket that had no rules does not say it, and has it as soon as it has one.
        if let Some(smallest) = self.smallest_moved.as_ref().filter(|smallest| *smallest != DEFAULT_SMALLEST)
        {
            lines.push(format!("{SMALLEST_MOVED}: {smallest}"));
        }
        lines.join("\n")
    }

    pub(super) fn read(text: &str, smallest_moved: Option<String>) -> Option<Self> {
        let texts = rules_of(text)?;
        let rules = texts.iter().map(|text| quick_xml::de::from_str(text));
        let rules: Vec<LifecycleRule> = rules.collect::<Result<_, _>>().ok()?;
        Some(Self { rules, texts, smallest_moved })
    }
}

fn document(rules: impl Iterator<Item = String>) -> String {
    let rules: String = rules.collect();
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

/// The rules of a document, each as it stands there.
fn rules_of(text: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut begun, mut rules) = (0_u32, 0, Vec::new());
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        match reader.read_event().ok()? {
            Event::Start(element) => {
                depth += 1;
                match (depth, element.local_name().as_ref()) {
                    (1, "LifecycleConfiguration") => {}
                    (2, "Rule") => begun = before,
                    // What is beside the rules would be lost.
                    (1 | 2, _) => return None,
                    _ => {}
                }
            }
            Event::Empty(_) if depth < 2 => return (depth == 0).then_some(rules),
            Event::End(_) => {
                if depth == 2 {
                    let after = usize::try_from(reader.buffer_position()).ok()?;
                    rules.push(text.get(begun..after)?.to_owned());
                }
                depth = depth.checked_sub(1)?;
            }
            Event::Eof => return (depth == 0).then_some(rules),
            _ => {}
        }
    }
}

/// A rule without spaces, its parts in one order; empty beginnings of names say nothing.
fn canonical(text: &str) -> Option<String> {
    let mut rule = xml::parse(text)?;
    sort(&mut rule);
    Some(rule.to_string())
}

fn sort(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| name != "Prefix" || *value != "");
            members.values_mut().for_each(sort);
            members.sort_keys();
        }
        Value::Array(all) => {
            all.iter_mut().for_each(sort);
            all.sort_by_key(Value::to_string);
        }
        _ => {}
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LockConfiguration {
    rule: Option<LockRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LockRule {
    default_retention: Option<Retention>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retention {
    days: Option<u32>,
    years: Option<u32>,
}

impl S3Objects {
    /// The lifecycle of the bucket; without rules if it has none.
    ///
    /// # Errors
    /// If it cannot be read, or something in it is not known to be a rule.
    pub fn lifecycle(&self) -> Result<Lifecycle, PortError> {
        let wire = self.wire("GET", "")?.parameter("lifecycle", "");
        match self.client.call(&GET_LIFECYCLE, &wire) {
            Ok(answer) => {
                let smallest_moved = answer.header(SMALLEST_MOVED).map(str::to_owned);
                let text = std::str::from_utf8(&answer.body).ok();
                let read = text.and_then(|text| Lifecycle::read(text, smallest_moved));
                read.ok_or_else(|| unreadable(&GET_LIFECYCLE, &answer).into())
            }
            Err(error) if error.code() == "NoSuchLifecycleConfiguration" => Ok(Lifecycle::default()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Puts a lifecycle in place of whatever the bucket has at this moment: S3 takes no condition.
    ///
    /// # Errors
    /// What the call said; it may have been carried out all the same.
    pub fn put_lifecycle(&self, lifecycle: &Lifecycle) -> Result<(), AwsError> {
        let body = document(lifecycle.texts.iter().cloned());
        let mut wire = self
            .wire("PUT", "")?
            .parameter("lifecycle", "")
            .header("content-type", "application/xml")
            .header("x-amz-sdk-checksum-algorithm", "SHA256")
            .header(CHECKSUM, checksum(body.as_bytes()));
        if let Some(smallest) = &lifecycle.smallest_moved {
            wire = wire.header(SMALLEST_MOVED, smallest.as_str());
        }
        self.client.call(&PUT_LIFECYCLE, &wire.body(body)).map(|_| ())
    }

    /// For how many days the bucket locks what is put into it, whatever its lifecycle says; none if it locks nothing by
    /// itself.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn locked_days(&self) -> Result<Option<u32>, PortError> {
        let wire = self.wire("GET", "")?.parameter("object-lock", "");
        match self.client.call(&GET_LOCK, &wire) {
            Ok(answer) => {
                let lock: LockConfiguration = from_xml(&GET_LOCK, &answer)?;
                let kept = lock.rule.and_then(|rule| rule.default_retention);
                Ok(kept
                    .and_then(|kept| kept.days.or_else(|| kept.years.map(|years| years.saturating_mul(365)))))
            }
            Err(error) if error.code() == "ObjectLockConfigurationNotFoundError" => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Waits between looks at what was put: S3 keeps the configuration of buckets eventually consistent.
    pub fn pause(&self, looks: u32) {
        std::thread::sleep(self.client.pause_between(looks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(id: &str, prefix: &str, days: u32) -> OwnRule {
        let (id, prefix) = (id.to_owned(), prefix.to_owned());
        OwnRule { id, prefix, objects_days: Some(days), older_versions_days: Some(30), uploads_days: None }
    }

    const OTHERS: &str = "<Rule>\n  <ID>a &amp; b</ID><Filter><And><Prefix>x/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>\
        <Status>Disabled</Status><NewThing><Of>2031</Of></NewThing></Rule>";

    #[test]
    fn rules_of_others_stay_to_the_letter() {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<LifecycleConfiguration xmlns=\"x\">\n {OTHERS}\n {}</LifecycleConfiguration>",
            own("mine", "old/", 1).xml()
        );
        let there = Lifecycle::read(&text, Some("varies_by_storage_class".to_owned())).unwrap();
        let put = there.with(&[own("mine", "new/<", 2)], |rule| rule.id() == "mine").unwrap();
        assert_eq!(put.texts[0], OTHERS);
        assert_eq!((put.rules.len(), put.rules[1].prefix()), (2, "new/<".to_owned()));
        assert_eq!(put.smallest_moved, there.smallest_moved);
        insta::assert_snapshot!(put.canonical());
    }

    #[test]
    fn what_says_the_same_is_the_same_and_nothing_else() {
        let read = |text: &str| {
            let text = format!("<LifecycleConfiguration>{text}</LifecycleConfiguration>");
            Lifecycle::read(&text, None).unwrap().canonical()
        };
        let one = "<Rule><ID>1</ID><Status>Enabled</Status><Filter><Prefix>a</Prefix></Filter></Rule>";
        let moved = "<Rule> <Filter><Prefix>a</Prefix></Filter>\n<Status>Enabled</Status><ID>1</ID></Rule>";
        let two = "<Rule><ID>2</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter></Rule>";
        let empty = "<Rule><ID>2</ID><Status>Enabled</Status><Filter><Prefix/></Filter></Rule>";
        assert_eq!(read(&format!("{one}{two}")), read(&format!("{empty}{moved}")));
        for other in
            [one.replace("Enabled", "Disabled"), one.replace(">a<", ">b<"), two.to_owned(), String::new()]
        {
            assert_ne!(read(one), read(&other));
        }
    }

    #[test]
    fn what_is_no_list_of_rules_is_not_taken_for_one() {
        for text in [
            "<LifecycleConfiguration><Rule>",
            "<LifecycleConfiguration><Other><ID>1</ID></Other></LifecycleConfiguration>",
            "<html><Rule><ID>1</ID></Rule></html>",
            "<LifecycleConfiguration><Rule><ID>1</ID></Rule></LifecycleConfiguration>",
        ] {
            assert!(Lifecycle::read(text, None).is_none(), "{text}");
        }
        assert!(Lifecycle::read("<LifecycleConfiguration/>", None).unwrap().rules.is_empty());
    }
}
