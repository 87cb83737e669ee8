//! A mirror beside the record: what is only older, and what somebody else did there.

use super::label::{self, ARTEFACT, Wanted};
use aws::packages::{ApprovalStatus, Package};
use engine::{Cause, Mirrored, Outside};
use facts::Timestamp;
use registry::Version;
use serde::Serialize;

/// The types of what is looked at.
const PACKAGE: &str = "AWS::SageMaker::ModelPackage";
const OBJECT: &str = "AWS::S3::Object";

/// One thing in which the mirror is not what the record says.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Difference {
    pub(super) model: String,
    /// Which part: `approval`, `properties`, `life-cycle`, `card`, `metrics`, or the package itself.
    pub(super) part: &'static str,
    /// What is different, in a sentence.
    pub(super) what: String,
    /// Whether somebody else did it, past the record.
    pub(super) outside: bool,
    /// Whether it was put right.
    pub(super) mended: bool,
    /// By whom, and when, as SageMaker says of the last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
    /// What goes on record, if somebody else did it.
    #[serde(skip)]
    pub(super) incident: Option<Outside>,
}

/// What is there of one version.
pub(super) struct Beside<'a> {
    pub(super) model: &'a str,
    pub(super) version: &'a Version,
    pub(super) wanted: &'a Wanted,
    /// What is on record of what was written.
    pub(super) known: Option<&'a Mirrored>,
    /// The object with the figures, if it is there.
    pub(super) statistics: Option<Vec<u8>>,
    /// Whether what is different is put right.
    pub(super) mends: bool,
}

impl Beside<'_> {
    /// The package that is to be written, and what is different. No package: it is to be made.
    pub(super) fn compare<'p>(
        &self,
        there: &[&'p Package],
        found: &mut Vec<Difference>,
    ) -> Option<Option<&'p Package>> {
        let number = self.version.version;
        match there {
            [] => {
                let place = self.known.and_then(|known| known.place.as_deref());
                found.push(match place {
                    Some(place) => {
                        let what =
                            format!("`{place}`, which was made for version {number}, is not there any more");
                        self.outside(("deleted", place), what, ("sagemaker:DeleteModelPackage", None))
                    }
                    None => self.behind("package", format!("version {number} is not there")),
                });
                Some(None)
            }
            [package] if !self.is_its(package) => {
                let what = format!("`{}` says that version {number} is another artefact", package.arn);
                found.push(left(self.outside(("artefact", &package.arn), what, changed(package))));
                None
            }
            [package] => self.parts(package, found).then_some(Some(*package)),
            _ => {
                let what = format!("version {number} is there {} times", there.len());
                let last = there.last().copied()?;
                found.push(left(self.outside(("copies", &last.arn), what, changed(last))));
                None
            }
        }
    }

    /// Whether a package is the one that was made for the version, or says that it is.
    fn is_its(&self, package: &Package) -> bool {
        let made = self.known.and_then(|known| known.place.as_deref());
        made == Some(&package.arn)
            || package.properties.get(ARTEFACT) == self.wanted.label.properties.get(ARTEFACT)
    }

    /// Whether a part is other than it should be and can be put right.
    fn parts(&self, package: &Package, found: &mut Vec<Difference>) -> bool {
        let wanted = self.wanted.parts();
        let there = label::there(package, self.statistics.as_deref());
        let mut writes = false;
        for (part, digest) in &wanted {
            let now = there.get(part);
            if now == Some(digest) {
                continue;
            }
            let (part, what) = self.sentence(package, part);
            let is_ours = match (now, self.known) {
                (Some(now), Some(known)) => known.can_be(part, now),
                // What was never written is only missing.
                (None, known) => known.is_none_or(|known| !known.knows(part)),
                (Some(_), None) => false,
            };
            // No record of ours can make one approved that is not.
            let never = part == label::APPROVAL
                && package.status == ApprovalStatus::Approved
                && self.version.signature.is_none();
            let place = match part {
                label::METRICS => self.wanted.birth.statistics.as_deref().unwrap_or(&package.arn),
                _ => &package.arn,
            };
            let cause = if part == label::METRICS { ("s3:PutObject", None) } else { changed(package) };
            let one = match is_ours && !never {
                true => self.behind(part, what),
                false => self.outside((part, place), what, cause),
            };
            let frozen = part == label::CARD && is_archived(package);
            writes |= !frozen;
            let end = "; it is archived, so that nobody can change it";
            found.push(if frozen { left(Difference { what: one.what.clone() + end, ..one }) } else { one });
        }
        writes
    }

    fn sentence(&self, package: &Package, part: &str) -> (&'static str, String) {
        let (number, label) = (self.version.version, &self.wanted.label);
        let names = || {
            let (now, then) = (&package.properties, &label.properties);
            let mut names: Vec<&String> = now.keys().chain(then.keys()).collect();
            names.retain(|name| now.get(*name) != then.get(*name));
            names.sort();
            names.dedup();
            let shown: Vec<String> =
                names.iter().take(5).map(|name| format!("`{}`", name.escape_debug())).collect();
            let more = names.len().saturating_sub(5);
            shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        };
        match part {
            label::APPROVAL if package.status != label.status => {
                let what = format!(
                    "version {number} is {:?} there, and {} in the record",
                    package.status,
                    label::status(self.version)
                );
                (label::APPROVAL, what)
            }
            label::APPROVAL => (
                label::APPROVAL,
                format!("version {number} is {:?} there for another reason", package.status),
            ),
            label::LIFE_CYCLE => {
                let of = |cycle: &aws::packages::LifeCycle| format!("{} {}", cycle.stage, cycle.stage_status);
                let now = package
                    .life_cycle
                    .as_ref()
                    .map_or_else(|| "of no stage".to_owned(), |one| format!("`{}`", of(one).escape_debug()));
                let what =
                    format!("version {number} is {now} there, and should be `{}`", of(&label.life_cycle));
                (label::LIFE_CYCLE, what)
            }
            label::CARD if package.card.is_none() => {
                (label::CARD, format!("version {number} has no card there"))
            }
            label::CARD => (label::CARD, format!("the card of version {number} is another one there")),
            label::METRICS if self.statistics.is_none() => {
                (label::METRICS, format!("the object with the figures of version {number} is not there"))
            }
            label::METRICS => {
                (label::METRICS, format!("the object with the figures of version {number} holds others"))
            }
            _ => (label::PROPERTIES, format!("properties of version {number} are others there: {}", names())),
        }
    }

    fn behind(&self, part: &'static str, what: String) -> Difference {
        behind(self.model, part, what, self.mends)
    }

    fn outside(
        &self,
        place: (&'static str, &str),
        what: String,
        cause: (&str, Option<&Package>),
    ) -> Difference {
        let grave = match place.0 {
            label::APPROVAL => !self.version.is_approved(),
            part => matches!(part, "artefact" | "deleted" | "copies"),
        };
        let what = Difference { mended: self.mends, ..somebody(self.model, place, (what, grave), cause) };
        let record =
            format!("the record says: version {} is {}", self.version.version, label::status(self.version));
        let incident = what.incident.map(|mut one| {
            one.evidence.push(record);
            one
        });
        Difference { incident, ..what }
    }
}

/// Something that is only older than the record.
pub(super) fn behind(model: &str, part: &'static str, what: String, mended: bool) -> Difference {
    let model = model.to_owned();
    Difference { model, part, what, outside: false, mended, by: None, at: None, incident: None }
}

/// A package that is of no version in the record.
pub(super) fn foreign(model: &str, package: &Package) -> Difference {
    let what = format!("`{}` ({:?}) is of no version in the record", package.arn, package.status);
    let grave = package.status == ApprovalStatus::Approved;
    somebody(model, ("foreign", &package.arn), (what, grave), ("sagemaker:CreateModelPackage", Some(package)))
}

fn left(one: Difference) -> Difference {
    Difference { mended: false, ..one }
}

fn is_archived(package: &Package) -> bool {
    package.card.as_ref().is_some_and(|card| card.status == aws::packages::CardStatus::Archived)
}

fn changed(package: &Package) -> (&'static str, Option<&Package>) {
    ("sagemaker:UpdateModelPackage", Some(package))
}

/// Somebody else did it; SageMaker says of a package who changed it last.
fn somebody(
    model: &str,
    (part, place): (&'static str, &str),
    (what, grave): (String, bool),
    (call, package): (&str, Option<&Package>),
) -> Difference {
    let (ms, by) = package.map_or((None, None), Package::last_change);
    let at = ms.and_then(|ms| Timestamp::from_unix_ms(ms).ok());
    let by = by.map(str::to_owned);
    let kind = if part == label::METRICS { OBJECT } else { PACKAGE };
    let said = package.map(|package| {
        let why: String = package.why.chars().take(200).collect();
        format!(
            "SageMaker says: `{}` is {:?}, because of `{}`",
            package.arn,
            package.status,
            why.escape_debug()
        )
    });
    let cause =
        Cause { call: call.to_owned(), event: None, time: at.map(|time| time.to_string()), by: by.clone() };
    let incident = Outside {
        part: part.to_owned(),
        kind: kind.to_owned(),
        resource: place.to_owned(),
        grave,
        reason: format!("{model}: {what}"),
        evidence: said.into_iter().collect(),
        cause,
    };
    Difference {
        model: model.to_owned(),
        part,
        what,
        outside: true,
        mended: false,
        by,
        at,
        incident: Some(incident),
    }
}
