//! The lifecycle of a bucket: which of its rules end objects, move them out of reach, or tidy uploads that broke off.
//!
//! Source: Amazon S3 API Reference, `GetBucketLifecycleConfiguration`; User Guide, "Lifecycle configuration elements".

use super::on;
use crate::operation::{On, Operation, Retry, S3};
use facts::Verdict;
use serde::Deserialize;
use std::fmt;

pub(super) const GET_LIFECYCLE: Operation = Operation {
    service: &S3,
    name: "GetBucketLifecycleConfiguration",
    retry: Retry::Safe,
    needs: &[on("s3:GetLifecycleConfiguration", On::Bucket)],
    pages: None,
};

/// Where objects cannot be read before somebody has restored them.
const OUT_OF_REACH: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// A rule of a bucket's lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleRule {
    #[serde(rename = "ID", default)]
    id: String,
    status: String,
    /// Where older rules have it.
    prefix: Option<String>,
    filter: Option<Filter>,
    expiration: Option<End>,
    #[serde(default)]
    transition: Vec<Move>,
    noncurrent_version_expiration: Option<Noncurrent>,
    abort_incomplete_multipart_upload: Option<Abort>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    prefix: Option<String>,
    tag: Vec<Tag>,
    object_size_greater_than: Option<u64>,
    object_size_less_than: Option<u64>,
    and: Option<Box<Filter>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    #[serde(rename = "Key")]
    _key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct End {
    days: Option<u32>,
    date: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Move {
    storage_class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Noncurrent {
    noncurrent_days: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Abort {
    days_after_initiation: u32,
}

/// Objects whose names in the bucket begin alike, and for how long they are wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// What their names begin with.
    pub prefix: &'a str,
    /// Beginnings of names among them that are judged apart.
    pub but: &'a [String],
    /// After how many days they end; none if never.
    pub days: Option<u32>,
}

/// What it ends, and when.
impl fmt::Display for LifecycleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older = self.noncurrent_version_expiration.as_ref().and_then(|older| older.noncurrent_days);
        let uploads = self.abort_incomplete_multipart_upload.as_ref();
        let ends = [
            ("objects", self.expiration.as_ref().and_then(|end| end.days)),
            ("older versions", older),
            ("uploads that broke off", uploads.map(|abort| abort.days_after_initiation)),
        ];
        let ends = ends.iter().filter_map(|(what, days)| Some(format!("{what} end after {} days", (*days)?)));
        write!(f, "under `{}` {}", self.prefix(), ends.collect::<Vec<_>>().join(", "))
    }
}

impl LifecycleRule {
    /// Its id; empty if it has none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the names of its objects begin with.
    pub fn prefix(&self) -> String {
        self.prefix.clone().or_else(|| self.filter().prefix).unwrap_or_default()
    }

    fn is_on(&self) -> bool {
        self.status == "Enabled"
    }

    fn filter(&self) -> Filter {
        let filter = self.filter.clone().unwrap_or_default();
        filter.and.clone().map_or(filter, |and| *and)
    }

    /// Whether it is about some of the objects only, for another reason than their names.
    fn narrows(&self) -> bool {
        let filter = self.filter();
        let sized = filter.object_size_greater_than.or(filter.object_size_less_than).is_some();
        sized || !filter.tag.is_empty()
    }

    /// Whether it is about everything whose name begins so.
    fn covers(&self, prefix: &str) -> bool {
        self.is_on() && !self.narrows() && prefix.starts_with(&self.prefix())
    }

    /// Whether it is about anything of these.
    fn touches(&self, wanted: &Wanted<'_>) -> bool {
        let own = self.prefix();
        let apart = wanted.but.iter().any(|apart| own.starts_with(apart.as_str()));
        self.is_on() && !apart && (own.starts_with(wanted.prefix) || wanted.prefix.starts_with(&own))
    }

    /// What it takes away that is still wanted.
    fn takes(&self, wanted: &Wanted<'_>) -> Option<String> {
        if let Some(away) =
            self.transition.iter().find(|to| OUT_OF_REACH.contains(&to.storage_class.as_str()))
        {
            return Some(format!(
                "moves them to `{}`, where they cannot be read at once",
                away.storage_class
            ));
        }
        let end = self.expiration.as_ref()?;
        if let Some(date) = &end.date {
            return Some(format!("ends them on {date}, however old they are"));
        }
        let days = end.days?;
        match wanted.days {
            None => Some(format!("ends them after {days} days, and they are wanted for ever")),
            Some(kept) if days < kept => {
                Some(format!("ends them after {days} days, and they are wanted for {kept}"))
            }
            Some(_) => None,
        }
    }
}

/// Whether the rules take away nothing too soon, and end what is to end in time.
#[must_use]
pub fn judge(rules: &[LifecycleRule], wanted: &Wanted<'_>) -> Verdict {
    let mut verdict = Verdict::Holds;
    for rule in rules.iter().filter(|rule| rule.touches(wanted)) {
        let Some(what) = rule.takes(wanted) else { continue };
        // Nothing is tagged by whoever puts it; others can.
        verdict = verdict.and(if rule.filter().tag.is_empty() {
            Verdict::Broken { reason: format!("the rule `{}` {what}", rule.id) }
        } else {
            Verdict::Unknown {
                missing: format!("whether objects have the tags for which the rule `{}` {what}", rule.id),
            }
        });
    }
    let Some(kept) = wanted.days else { return verdict };
    let ends = rules.iter().filter(|rule| rule.covers(wanted.prefix));
    let ends = ends.filter_map(|rule| rule.expiration.as_ref()?.days).min();
    verdict.and(match ends {
        None => {
            Verdict::Broken { reason: format!("no rule ends them, and they are to end after {kept} days") }
        }
        Some(days) if days > kept => {
            Verdict::Broken { reason: format!("they end after {days} days, and are to end after {kept}") }
        }
        Some(_) => Verdict::Holds,
    })
}

/// Whether uploads under a prefix that broke off are ended, so that no part stays.
#[must_use]
pub fn judge_uploads(rules: &[LifecycleRule], prefix: &str) -> Verdict {
    let ends = rules.iter().filter(|rule| rule.covers(prefix));
    match ends
        .filter_map(|rule| rule.abort_incomplete_multipart_upload.as_ref())
        .map(|abort| abort.days_after_initiation)
        .min()
    {
        Some(_) => Verdict::Holds,
        None => Verdict::Broken {
            reason: "no rule ends uploads that broke off, so their parts stay and cost".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<LifecycleRule> {
        let text = format!("<LifecycleConfiguration>{text}</LifecycleConfiguration>");
        super::super::rules::Lifecycle::read(&text, None).unwrap().rules().to_vec()
    }

    fn rule(inside: &str) -> String {
        format!("<Rule><ID>one</ID><Status>Enabled</Status>{inside}</Rule>")
    }

    #[test]
    fn what_rules_take_and_leave() {
        let but = ["house/traffic/".to_owned()];
        let traffic = Wanted { prefix: "house/traffic/", but: &[], days: Some(365) };
        let rest = Wanted { prefix: "house/", but: &but, days: None };
        let days = |prefix: &str, days: u32| {
            rule(&format!(
                "<Filter><Prefix>{prefix}</Prefix></Filter><Expiration><Days>{days}</Days></Expiration>"
            ))
        };
        let end = |days: u32| format!("<Expiration><Days>{days}</Days></Expiration>");
        let tag = "<Tag><Key>a</Key><Value>b</Value></Tag>";
        let cases = [
            String::new(),
            days("house/traffic/", 365),
            days("house/traffic/", 364),
            days("house/traffic/", 366),
            days("house/traffic/credit/", 1),
            days("house/", 365),
            days("other/", 1),
            days("", 400),
            days("house/traffic/", 1).replace("Enabled", "Disabled"),
            rule(&format!("<Prefix>house/traffic/</Prefix>{}", end(365))),
            rule(&format!("<Filter>{tag}</Filter>{}", end(7))),
            rule(&format!(
                "<Filter><And><Prefix>house/traffic/</Prefix>{tag}{tag}</And></Filter>{}",
                end(365)
            )),
            rule(&format!("<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>{}", end(365))),
            rule("<Filter/><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"),
            rule(
                "<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            ),
            rule("<Filter/><Transition><Days>1</Days><StorageClass>GLACIER_IR</StorageClass></Transition>"),
            rule("<Filter/><Transition><Days>1</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>"),
        ];
        let said = cases.iter().map(|text| {
            let rules = rules(text);
            format!("{text}\n  traffic {}\n  rest {}\n", judge(&rules, &traffic), judge(&rules, &rest))
        });
        insta::assert_snapshot!(said.collect::<String>());
    }

    #[test]
    fn uploads_that_broke_off_are_ended() {
        let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
        assert!(judge_uploads(&rules(&rule(&format!("<Filter/>{abort}"))), "house/").passes());
        for text in [
            rule("<Filter/>"),
            rule(&format!("<Filter><Prefix>house/traffic/</Prefix></Filter>{abort}")),
            rule(&format!("<Filter/>{abort}")).replace("Enabled", "Disabled"),
        ] {
            assert!(!judge_uploads(&rules(&text), "house/").passes(), "{text}");
        }
    }
}
