//! What the ledger says of postures: what is known of an account, incidents, and waivers.

use super::known::Known;
use crate::Recorded;
use facts::{Digest, EvidenceId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that became known of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PostureEvent {
    /// All of it was read and every control asked.
    Swept {
        /// How many of each.
        counts: Counts,
        /// If everything known was written down anew: the object `postures/<digest>`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        table: Option<Digest>,
    },
    /// Verdicts that are other than before.
    Changed {
        /// Which.
        verdicts: Vec<VerdictChange>,
    },
    /// A message of the queue that nobody could read was kept, and taken from the queue.
    SetAside {
        /// The object `set-aside/<digest>`.
        message: Digest,
        /// Why it could not be read.
        because: String,
    },
}

/// How many findings there are of each sort; parts of controls are not counted beside the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Resources looked at.
    pub resources: u32,
    /// Findings that hold.
    pub holds: u32,
    /// Findings that are broken.
    pub broken: u32,
    /// Findings that could not be decided.
    pub unknown: u32,
    /// Findings that do not concern their resource.
    pub not_applicable: u32,
}

/// One control on one resource, as it is known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictChange {
    /// The control's id.
    pub control: String,
    /// The type of the resource.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource.
    pub resource: String,
    /// What is known; nothing if the resource is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// What happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum IncidentEvent {
    /// A control is broken that was not known to be.
    Opened(Box<Opening>),
    /// Somebody takes it in hand.
    Acknowledged {
        /// What they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Everybody who is to be told was told that it is open, or that it is closed.
    Told,
    /// It is over.
    Closed {
        /// Why.
        because: Closing,
    },
}

/// Why an incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Closing {
    /// The control holds.
    Holds,
    /// The control does not concern the resource any more.
    NotApplicable,
    /// The resource is gone.
    Gone,
    /// A waiver lets it stay.
    Waived {
        /// Its id.
        waiver: String,
    },
}

/// How an incident begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The control's id.
    pub control: String,
    /// The type of the resource.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource.
    pub resource: String,
    /// How bad it is: `high`.
    pub severity: String,
    /// What is wrong, in one sentence.
    pub reason: String,
    /// What the verdict rests on, in sentences.
    pub evidence: Vec<String>,
    /// The properties that changed, as far as that was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The event that told of the change, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// A call that changed something, as CloudTrail tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The call: `s3:DeleteBucketEncryption`.
    pub call: String,
    /// The id of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// When, as the event has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// By whom: an ARN, or the name of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What happened to a waiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WaiverEvent {
    /// Whoever is recorded allows it.
    Granted {
        /// The control's id.
        control: String,
        /// Which resources, by id or name; wildcards are allowed.
        resource: String,
        /// Who answers for it; another than who allows it.
        owner: PersonId,
        /// Why.
        reason: String,
        /// The last day on which it counts, as `2026-12-31`.
        expires: String,
    },
    /// It ends before its time.
    Withdrawn {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// A waiver on the ledger.
#[derive(Debug, Clone)]
pub struct GrantedWaiver {
    /// Its id: `W-1`.
    pub id: String,
    /// What it lets stay; the approver is who is recorded.
    pub granted: Recorded<controls::Waiver>,
    /// The entry that ended it before its time.
    pub withdrawn: Option<Recorded<()>>,
}

/// All waivers, oldest first.
#[derive(Debug, Default)]
pub struct Waivers(Vec<GrantedWaiver>);

impl Waivers {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &GrantedWaiver> {
        self.0.iter()
    }

    /// The one of this id.
    pub fn of(&self, id: &str) -> Option<&GrantedWaiver> {
        self.0.iter().find(|one| one.id == id)
    }

    /// Those that nobody withdrew; whether they are over is for whoever knows the day to say.
    pub fn standing(&self) -> impl Iterator<Item = &GrantedWaiver> {
        self.0.iter().filter(|one| one.withdrawn.is_none())
    }

    /// How many there ever were.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Takes in what happened; nothing if it is of a waiver that nobody granted.
    pub(crate) fn take(&mut self, event: WaiverEvent, entry: Recorded<String>) -> Option<()> {
        let Recorded { what: id, evidence, time, by } = entry;
        match event {
            WaiverEvent::Granted { control, resource, owner, reason, expires } => {
                let approver = by.to_string();
                let owner = owner.to_string();
                let what = controls::Waiver { control, resource, owner, reason, approver, expires, line: 0 };
                let granted = Recorded { what, evidence, time, by };
                self.0.push(GrantedWaiver { id, granted, withdrawn: None });
            }
            WaiverEvent::Withdrawn { .. } => {
                let one = self.0.iter_mut().find(|one| one.id == id)?;
                one.withdrawn = Some(Recorded { what: (), evidence, time, by });
            }
        }
        Some(())
    }
}

/// An incident and what became of it.
#[derive(Debug, Clone)]
pub struct Incident {
    /// Its id: `I-1`.
    pub id: String,
    /// How it began.
    pub opened: Recorded<Opening>,
    /// Who took it in hand, and what they said.
    pub acknowledged: Option<Recorded<Option<String>>>,
    /// Why it is over, if it is.
    pub closed: Option<Recorded<Closing>>,
    /// Whether everybody was told how it stands.
    pub told: bool,
}

impl Incident {
    /// The account and the region that it is in.
    pub(crate) fn is_of(&self, account: &str, region: &str) -> bool {
        self.opened.what.account == account && self.opened.what.region == region
    }
}

/// What is known of all accounts.
#[derive(Debug, Default)]
pub struct Postures {
    accounts: BTreeMap<(String, String), AccountPosture>,
    incidents: Vec<Incident>,
}

/// What is known of an account in a region.
#[derive(Debug, Default)]
pub(crate) struct AccountPosture {
    /// The table.
    pub(crate) table: Option<Digest>,
    /// What changed since it was written down.
    pub(crate) since: Vec<VerdictChange>,
    /// The last sweep.
    pub(crate) swept: Option<(Timestamp, EvidenceId)>,
}

impl Postures {
    /// All incidents, oldest first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The incident of this id.
    pub fn incident(&self, id: &str) -> Option<&Incident> {
        self.incidents.iter().find(|one| one.id == id)
    }

    /// When all of an account was last read, and the entry that says so.
    pub fn last_sweep(&self, account: &str, region: &str) -> Option<&(Timestamp, EvidenceId)> {
        self.of(account, region)?.swept.as_ref()
    }

    pub(crate) fn of(&self, account: &str, region: &str) -> Option<&AccountPosture> {
        self.accounts.get(&(account.to_owned(), region.to_owned()))
    }

    /// Takes in what became known.
    pub(crate) fn take(
        &mut self,
        (account, region): (String, String),
        event: PostureEvent,
        at: (Timestamp, EvidenceId),
    ) {
        let one = self.accounts.entry((account, region)).or_default();
        match event {
            PostureEvent::Swept { table, .. } => {
                one.swept = Some(at);
                if let Some(table) = table {
                    one.table = Some(table);
                    one.since.clear();
                }
            }
            PostureEvent::Changed { verdicts } => one.since.extend(verdicts),
            PostureEvent::SetAside { .. } => {}
        }
    }

    /// Takes in what happened to an incident; nothing if nobody opened it.
    pub(crate) fn follow(&mut self, event: IncidentEvent, entry: Recorded<String>) -> Option<()> {
        let Recorded { what: id, evidence, time, by } = entry;
        if let IncidentEvent::Opened(opening) = event {
            let opened = Recorded { what: *opening, evidence, time, by };
            self.incidents.push(Incident { id, opened, acknowledged: None, closed: None, told: false });
            return Some(());
        }
        let one = self.incidents.iter_mut().find(|one| one.id == id)?;
        match event {
            IncidentEvent::Opened(_) => {}
            IncidentEvent::Acknowledged { note } => {
                one.acknowledged = Some(Recorded { what: note, evidence, time, by });
            }
            IncidentEvent::Told => one.told = true,
            IncidentEvent::Closed { because } => {
                one.closed = Some(Recorded { what: because, evidence, time, by });
                // Who never heard of it need not hear that it is over.
                one.told = !one.told;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fact;

    #[test]
    fn facts_are_written_in_one_way() {
        let opening = Opening {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            control: "S3-12".to_owned(),
            kind: "AWS::S3::Bucket".to_owned(),
            resource: "data".to_owned(),
            severity: "medium".to_owned(),
            reason: "because".to_owned(),
            evidence: Vec::new(),
            changed: vec!["VersioningConfiguration".to_owned()],
            cause: Some(Cause {
                call: "s3:PutBucketVersioning".to_owned(),
                event: None,
                time: None,
                by: None,
            }),
        };
        let change = VerdictChange {
            control: "S3-12".to_owned(),
            kind: "AWS::S3::Bucket".to_owned(),
            resource: "data".to_owned(),
            known: Some(Known::BrokenFromTheStart),
        };
        let of = |event| Fact::Posture { account: "1".to_owned(), region: "r".to_owned(), event };
        let all = [
            Fact::Incident { incident: "I-1".to_owned(), event: IncidentEvent::Opened(Box::new(opening)) },
            Fact::Incident {
                incident: "I-1".to_owned(),
                event: IncidentEvent::Closed { because: Closing::Gone },
            },
            of(PostureEvent::Changed { verdicts: vec![change] }),
            of(PostureEvent::Swept { counts: Counts::default(), table: None }),
            Fact::Waiver { waiver: "W-1".to_owned(), event: WaiverEvent::Withdrawn { reason: None } },
        ];
        let lines: Vec<String> = all.iter().map(|fact| serde_json::to_string(fact).unwrap()).collect();
        assert!(
            lines[0]
                .starts_with("{\"fact\":\"incident\",\"incident\":\"I-1\",\"event\":{\"event\":\"opened\""),
            "{}",
            lines[0]
        );
        for line in lines {
            let again: Fact = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_string(&again).unwrap(), line);
        }
    }
}
