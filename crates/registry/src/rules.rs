//! What the charter in force demands of a model, as plain values.

use crate::demands::Demands;
use crate::review::{Occasion, ReviewDue};
use crate::state::Version;
use facts::{Days, Digest, GateId, PersonId, RoleId, Timestamp, VerifierKey};

/// What the charter in force demands of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Digest of the charter.
    pub charter: Digest,
    /// Who must approve, in order.
    pub approvals: Vec<Step>,
    /// The keys with which people sign.
    pub keys: Vec<ApproverKey>,
    /// The gates that programs decide, and the house's own if a criterion compares with what serves.
    pub gates: Vec<GateId>,
    /// What must be on record of a version.
    pub demands: Demands,
    /// Whether it must be known who committed the code.
    pub known_committers: bool,
    /// Whether whoever had a hand in a version can be kept from approving it.
    pub separation: Separation,
    /// Who may deploy without approvals in an emergency; nobody if absent.
    pub break_glass: Option<BreakGlassRules>,
    /// Who looks at a rollback afterwards; nobody if absent.
    pub rollback_review: Option<ReviewRules>,
}

/// Whether whoever had a hand in a version can be kept from approving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Separation {
    /// They are.
    Demanded,
    /// There are too few people. Every one of these stands in for it, and the record says so.
    NotAchievable(Vec<Compensation>),
}

/// What stands in for separation of duties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compensation {
    /// The approval is signed with a key for which somebody else or the charter stands.
    SignedApproval,
    /// So much time lies between registration and approval.
    CoolingOff {
        /// Hours.
        hours: u32,
    },
    /// Somebody without a hand in it looks at the deployment afterwards.
    Review(ReviewRules),
}

impl std::fmt::Display for Compensation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignedApproval => f.write_str("a signed approval"),
            Self::CoolingOff { hours } => write!(f, "{hours} hours between registration and approval"),
            Self::Review(review) => {
                write!(f, "a review by `{}` within {} hours of deployment", review.role, review.within_hours)
            }
        }
    }
}

impl Compensation {
    /// From when on it lets somebody approve their own work.
    pub(crate) fn waits_until(&self, version: &Version) -> Option<Timestamp> {
        match self {
            Self::CoolingOff { hours } => Some(version.registered.plus_seconds(i64::from(*hours) * 3600)),
            _ => None,
        }
    }
}

/// Who looks at a decision afterwards, and how soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRules {
    /// The role.
    pub role: RoleId,
    /// How soon.
    pub within_hours: u32,
}

impl ReviewRules {
    pub(crate) fn due(&self, occasion: Occasion, decided_by: &PersonId, now: Timestamp) -> ReviewDue {
        let due = now.plus_seconds(i64::from(self.within_hours) * 3600);
        ReviewDue { occasion, decided_by: decided_by.clone(), role: self.role.clone(), due }
    }
}

/// Who may deploy without approvals in an emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassRules {
    /// The roles.
    pub roles: Vec<RoleId>,
    /// The longest that a version may serve without approvals.
    pub max_hours: u32,
    /// Who looks at it afterwards.
    pub review: ReviewRules,
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
    /// Rules of approval, with duties separated and no exceptions.
    pub fn new(charter: Digest, approvals: Vec<Step>, keys: Vec<ApproverKey>) -> Self {
        let separation = Separation::Demanded;
        Self {
            charter,
            approvals,
            keys,
            gates: Vec::new(),
            demands: Demands::default(),
            known_committers: false,
            separation,
            break_glass: None,
            rollback_review: None,
        }
    }

    /// Whether an approval of one's own work counts only if it is signed.
    pub(crate) fn asks_own_work_to_be_signed(&self) -> bool {
        matches!(&self.separation, Separation::NotAchievable(instead) if instead.contains(&Compensation::SignedApproval))
    }

    /// Who has to look at a deployment that rests on approvals of one's own work.
    pub(crate) fn own_work_review(&self) -> Option<&ReviewRules> {
        let Separation::NotAchievable(instead) = &self.separation else { return None };
        instead
            .iter()
            .find_map(|one| if let Compensation::Review(review) = one { Some(review) } else { None })
    }

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
