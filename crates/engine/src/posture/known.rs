//! What is known of every control on every resource of an account: the last verdict that was decided.

use super::record::{AccountPosture, VerdictChange};
use crate::{Engine, Error};
use controls::{Finding, Posture};
use facts::{Digest, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a control on a resource. A verdict that could not be decided leaves what was known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It holds.
    Holds,
    /// It does not concern the resource.
    NotApplicable,
    /// It is broken, and was not when the account was first seen: this may be an incident.
    Broken,
    /// It is broken since the account was first seen.
    BrokenFromTheStart,
    /// It was never decided.
    NeverDecided,
}

impl Known {
    fn passes(self) -> bool {
        matches!(self, Self::Holds | Self::NotApplicable)
    }
}

/// Which control on which resource: control, type, resource.
pub(crate) type Key = (String, String, String);

/// The table of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    all: BTreeMap<Key, Known>,
    /// Those that may be incidents.
    broken: BTreeSet<Key>,
    /// Which controls were ever asked of which types: what is broken of others is no news.
    asked: BTreeSet<(String, String)>,
}

/// A table as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    form: String,
    asked: BTreeSet<(String, String)>,
    verdicts: Vec<VerdictChange>,
}

const FORM: &str = "wardmote-posture/1";
/// A table with more changes than this is written down anew.
const MOST_CHANGES: usize = 2_000;

impl Verdicts {
    /// What is known of one.
    pub fn of(&self, control: &str, kind: &str, resource: &str) -> Option<Known> {
        self.all.get(&(control.to_owned(), kind.to_owned(), resource.to_owned())).copied()
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Those that may be incidents.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &Key> {
        self.broken.iter()
    }

    /// From here on, what is broken of these is news. Says whether there are any that were not asked before.
    pub(crate) fn ask(&mut self, posture: &Posture) -> bool {
        let before = self.asked.len();
        self.asked.extend(posture.questions().map(|(control, kind)| (control.to_owned(), kind.to_owned())));
        self.asked.len() > before
    }

    /// Takes in a change.
    pub(crate) fn take(&mut self, change: VerdictChange) {
        let key = (change.control, change.kind, change.resource);
        match change.known {
            Some(Known::Broken) => self.broken.insert(key.clone()),
            _ => self.broken.remove(&key),
        };
        match change.known {
            Some(known) => self.all.insert(key, known),
            None => self.all.remove(&key),
        };
    }

    /// What a finding changes.
    pub(crate) fn change(&self, finding: &Finding) -> Option<VerdictChange> {
        let before = self.of(finding.control(), &finding.subject.kind, &finding.subject.id);
        let now = match (&finding.verdict, before) {
            (Verdict::Holds, _) => Known::Holds,
            (Verdict::NotApplicable { .. }, _) => Known::NotApplicable,
            (Verdict::Unknown { .. }, Some(before)) => before,
            (Verdict::Unknown { .. }, None) => Known::NeverDecided,
            (Verdict::Broken { .. }, None) if !self.was_asked(finding) => Known::BrokenFromTheStart,
            (Verdict::Broken { .. }, Some(Known::BrokenFromTheStart)) => Known::BrokenFromTheStart,
            (Verdict::Broken { .. }, _) => Known::Broken,
        };
        (before != Some(now)).then(|| VerdictChange {
            control: finding.control().to_string(),
            kind: finding.subject.kind.clone(),
            resource: finding.subject.id.clone(),
            known: Some(now),
        })
    }

    fn was_asked(&self, finding: &Finding) -> bool {
        self.asked.contains(&(finding.control().to_string(), finding.subject.kind.clone()))
    }

    /// What is known of resources that are certainly not there any more: all of their type was listed, and they were not in
    /// it. What is only out of scope stays.
    pub(crate) fn gone(&self, posture: &Posture) -> Vec<VerdictChange> {
        let there: BTreeSet<(&str, &str)> = posture.resources().map(|(kind, id, _)| (kind, id)).collect();
        let read = &posture.inventory().read;
        let is_gone = |key: &&Key| {
            let listing = key.2 == format!("every {}", key.1);
            (listing || read.contains(&key.1)) && !there.contains(&(key.1.as_str(), key.2.as_str()))
        };
        let change = |(control, kind, resource): &Key| VerdictChange {
            control: control.clone(),
            kind: kind.clone(),
            resource: resource.clone(),
            known: None,
        };
        self.all.keys().filter(is_gone).map(change).collect()
    }

    /// Whether an incident about this is over, and by what.
    pub(crate) fn passes(&self, key: &Key) -> Option<Known> {
        self.all.get(key).copied().filter(|known| known.passes())
    }

    fn canonical(&self) -> Result<String, Error> {
        let one = |((control, kind, resource), known): (&Key, &Known)| VerdictChange {
            control: control.clone(),
            kind: kind.clone(),
            resource: resource.clone(),
            known: Some(*known),
        };
        let verdicts = self.all.iter().map(one).collect();
        let kept = Kept { form: FORM.to_owned(), asked: self.asked.clone(), verdicts };
        serde_json_canonicalizer::to_string(&kept)
            .map_err(|error| Error::damaged(format!("cannot encode a posture: {error}")))
    }
}

fn object(digest: &Digest) -> String {
    format!("postures/{}", digest.to_hex())
}

impl Engine {
    /// What is known of an account, from the ledger.
    pub fn known_verdicts(&self, account: &str, region: &str) -> Result<Verdicts, Error> {
        let empty = AccountPosture::default();
        let of = self.state.postures().of(account, region).unwrap_or(&empty);
        let mut verdicts = match &of.table {
            Some(digest) => self.read_table(digest)?,
            None => Verdicts::default(),
        };
        of.since.iter().for_each(|change| verdicts.take(change.clone()));
        Ok(verdicts)
    }

    /// Whether the table is to be written down anew, with so many changes to come.
    pub(crate) fn needs_table(&self, account: &str, region: &str, more: usize) -> bool {
        let known = self.state.postures().of(account, region);
        known.is_none_or(|known| known.table.is_none() || known.since.len() + more > MOST_CHANGES)
    }

    /// Writes a table down, durably.
    pub(crate) fn keep_table(&self, verdicts: &Verdicts) -> Result<Digest, Error> {
        let text = verdicts.canonical()?;
        let digest = Digest::of(text.as_bytes());
        self.ports.objects.put(&object(&digest), text.as_bytes())?;
        Ok(digest)
    }

    fn read_table(&self, digest: &Digest) -> Result<Verdicts, Error> {
        let name = object(digest);
        let bytes = self.ports.objects.get(&name)?;
        let damaged = || Error::damaged(format!("the object `{name}` is not the posture that was recorded"));
        if Digest::of(&bytes) != *digest {
            return Err(damaged());
        }
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if kept.form != FORM {
            return Err(damaged());
        }
        let mut verdicts = Verdicts { asked: kept.asked, ..Verdicts::default() };
        kept.verdicts.into_iter().for_each(|change| verdicts.take(change));
        Ok(verdicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use controls::Selection;
    use facts::inventory::Inventory;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What a sweep sees of a bucket.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Sight {
        Good,
        Bad,
        Denied,
        /// It is not there.
        Gone,
        /// Buckets could not be listed.
        Unlisted,
    }

    fn inventory(sights: &[Sight]) -> Inventory {
        let unlisted = sights.contains(&Sight::Unlisted);
        let at = "2026-11-21T10:00:00.000Z";
        let bucket = |(number, sight): (usize, &Sight)| -> Option<Value> {
            let status = match sight {
                Sight::Good => "Enabled",
                Sight::Bad => "Suspended",
                Sight::Denied => "",
                Sight::Gone | Sight::Unlisted => return None,
            };
            let told = if status.is_empty() { "denied" } else { "ok" };
            Some(json!({"type": "AWS::S3::Bucket", "id": format!("b{number}"),
                "properties": {"BucketName": format!("b{number}"), "VersioningConfiguration": {"Status": status}},
                "provenance": {"VersioningConfiguration": {"call": "s3:GetBucketVersioning", "at": at, "status": told}}}))
        };
        let resources: Vec<Value> =
            if unlisted { Vec::new() } else { sights.iter().enumerate().filter_map(bucket).collect() };
        let (read, missing) = match unlisted {
            true => (json!([]), json!({"AWS::S3::Bucket": "`s3:ListAllMyBuckets` was denied"})),
            false => (json!(["AWS::S3::Bucket"]), json!({})),
        };
        let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1",
            "read_at": at, "resources": resources, "read": read, "unread": missing});
        Inventory::from_json(&text.to_string()).unwrap()
    }

    /// What is known of a bucket, from all that was ever seen of it at once.
    fn expected(history: &[Sight]) -> Option<Known> {
        let gone = history.iter().rposition(|sight| *sight == Sight::Gone).map_or(0, |at| at + 1);
        let since = &history[gone..];
        let decided: Vec<&Sight> =
            since.iter().filter(|sight| matches!(sight, Sight::Good | Sight::Bad)).collect();
        match decided.last() {
            None => since.contains(&Sight::Denied).then_some(Known::NeverDecided),
            Some(Sight::Good) => Some(Known::Holds),
            Some(_) => {
                let always = gone == 0 && history[0] == Sight::Bad && !decided.contains(&&Sight::Good);
                Some(if always { Known::BrokenFromTheStart } else { Known::Broken })
            }
        }
    }

    fn sight() -> impl Strategy<Value = Sight> {
        prop_oneof![Just(Sight::Good), Just(Sight::Bad), Just(Sight::Denied), Just(Sight::Gone)]
    }

    /// Sweeps of three buckets; now and then none can be listed.
    fn sweeps() -> impl Strategy<Value = Vec<Vec<Sight>>> {
        let sweep = prop_oneof![
            5 => proptest::collection::vec(sight(), 3),
            1 => Just(vec![Sight::Unlisted; 3]),
        ];
        proptest::collection::vec(sweep, 1..8)
    }

    proptest! {
        #[test]
        fn what_is_known_is_what_was_decided_last(sweeps in sweeps()) {
            let selection = Selection::default().control("S3-12").unwrap();
            let (mut verdicts, mut posture) = (Verdicts::default(), None::<Posture>);
            for (at, sights) in sweeps.iter().enumerate() {
                match &mut posture {
                    Some(posture) => drop(posture.update(inventory(sights))),
                    None => posture = Some(Posture::new(inventory(sights), selection.clone())),
                }
                let seen = posture.as_ref().unwrap();
                let mut changes: Vec<VerdictChange> = seen.findings().filter_map(|one| verdicts.change(one)).collect();
                changes.extend(verdicts.gone(seen));
                changes.into_iter().for_each(|change| verdicts.take(change));
                verdicts.ask(seen);
                for bucket in 0..3 {
                    let history: Vec<Sight> = sweeps[..=at].iter().map(|sights| sights[bucket]).collect();
                    let known = verdicts.of("S3-12", "AWS::S3::Bucket", &format!("b{bucket}"));
                    prop_assert_eq!(known, expected(&history), "{:?}", history);
                }
                // What is kept comes back as it was.
                let kept: Kept = serde_json::from_str(&verdicts.canonical().unwrap()).unwrap();
                prop_assert_eq!(kept.verdicts.len(), verdicts.count());
            }
        }
    }
}
