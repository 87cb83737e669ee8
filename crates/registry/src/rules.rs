//! What the charter in force demands of a model, as plain values.

use facts::{Days, Digest, PersonId, RoleId, Timestamp, VerifierKey};

/// What the charter in force demands of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Digest of the charter.
    pub charter: Digest,
    /// Who must approve, in order.
    pub approvals: Vec<Step>,
    /// The keys with which people sign.
    pub keys: Vec<ApproverKey>,
}

/// One step of approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The role.
    pub role: RoleId,
    /// How many different people.
    pub count: u32,
    /// How long an approval counts.
    pub valid_days: Days,
    /// Whether only what is signed with the approver's own key counts.
    pub signed: bool,
}

/// How far a key can be taken for its person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was withdrawn: nothing that it signed counts, and its person signs with another or not at all.
    Withdrawn,
    /// Somebody who had the person's access key registered it; nobody else stands for it.
    Claimed,
    /// A compliance officer confirmed it, or the key before it signed for it.
    Confirmed,
    /// The charter names it.
    Pinned,
}

/// A key with which a person signs.
#[derive(Debug, Clone, PartialEq)]
pub struct ApproverKey {
    /// Whose.
    pub person: PersonId,
    /// The public half.
    pub key: VerifierKey,
    /// From when on its signatures count.
    pub since: Timestamp,
    /// When another key took its place; what it signed before still counts.
    pub until: Option<Timestamp>,
    /// How far it can be taken for the person's.
    pub standing: Standing,
}

impl ApproverKey {
    fn holds_at(&self, time: Timestamp) -> bool {
        self.since <= time && self.until.is_none_or(|until| time < until)
    }
}

impl Rules {
    /// The keys of a person that were in force at a time.
    pub(crate) fn keys_of(&self, person: &PersonId, time: Timestamp) -> impl Iterator<Item = &ApproverKey> {
        let counts = move |key: &&ApproverKey| {
            key.person == *person && key.standing > Standing::Withdrawn && key.holds_at(time)
        };
        self.keys.iter().filter(counts)
    }

    /// Whether a person had a key by then. Whoever had one once is never again taken at the server's word.
    pub(crate) fn signs(&self, person: &PersonId, time: Timestamp) -> bool {
        self.keys.iter().any(|key| key.person == *person && key.since <= time)
    }
}
