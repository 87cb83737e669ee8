//! Refusals: what is missing, who can supply it, and the next command.

use crate::demands::Unmet;
use crate::quarantine::Held;
use crate::state::Status;
use crate::statement::Fault;
use crate::version::{How, VersionNumber};
use facts::{EvidenceId, GateId, ModelName, PersonId, RoleId, Timestamp};
use std::fmt;

/// Why a command was refused. Displays as one sentence; [`Refusal::help`] is what to do next.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub(crate) model: ModelName,
    pub(crate) version: Option<VersionNumber>,
    pub(crate) why: Why,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    NoSuchVersion { latest: Option<VersionNumber> },
    NotNow { status: Status, wanted: &'static str },
    NotValidated,
    NoLineage,
    Unmet(Unmet),
    CommittersUnknown { missing: String },
    GateFailed { failures: Vec<String> },
    ValidationIsOfAnotherCharter,
    GateClosed { gate: GateId, why: String },
    OwnVersion { person: PersonId, how: How },
    NotAPerson { id: PersonId, wanted: &'static str },
    WrongRole { needed: Vec<RoleId> },
    AlreadyApproved { person: PersonId },
    NothingLeftToApprove,
    NotSignedByApprover { person: PersonId, has_key: bool },
    WrongSignature { fault: Fault },
    AnotherStatement,
    StaleStatement { time: Timestamp },
    NothingToRevoke { of: PersonId },
    Beside(Beside),
    Held(Held),
    ApprovalsMissing { role: RoleId, has: u32, needs: u32, void: Option<Void> },
    NotSigned,
    Serving,
    NothingServes,
    NothingToRollBackTo,
    ReasonMissing,
}

/// Why something beside the ordinary way was refused: own work, an emergency, a review.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Beside {
    CoolingOff { person: PersonId, how: How, until: Timestamp },
    Unreviewed { person: PersonId, how: How, of: EvidenceId, due: Timestamp },
    NoBreakGlass,
    NoBreaker { person: PersonId, roles: Vec<RoleId> },
    NotUntilThen { until: Timestamp, latest: Timestamp },
    ReviewOverdue { of: EvidenceId, due: Timestamp, role: RoleId },
    Tampered { cause: String, since: EvidenceId },
    NotTampered,
    NothingToReview,
    OwnDecision { person: PersonId, of: EvidenceId },
    NotTheReviewer { person: PersonId, role: RoleId },
    NoteMissing,
}

/// Why an approval that was given no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Void {
    /// The artefact is not the one approved.
    Artefact,
    /// The charter has changed since.
    Charter,
    /// It has run out.
    Expired(Timestamp),
    /// The version was taken back since.
    TakenBack,
    /// The version was in quarantine since.
    Quarantined,
    /// It rested on an earlier validation.
    Validation,
    /// Somebody who may took it back.
    Revoked,
    /// It had to be signed, and is not.
    Unsigned,
    /// Its signature does not hold.
    Signature(Fault),
    /// The approver had a hand in the version, and nothing stands in for separation of duties.
    OwnWork,
}

impl fmt::Display for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Artefact => f.write_str("an earlier one was for another artefact"),
            Self::Charter => f.write_str("an earlier one is void because the charter has changed"),
            Self::Expired(time) => write!(f, "an earlier one ran out on {}", time.date()),
            Self::TakenBack => f.write_str("earlier ones are void because the version was rolled back"),
            Self::Quarantined => {
                f.write_str("earlier ones are void because the version was put in quarantine")
            }
            Self::Validation => f.write_str("an earlier one is void because the version was validated again"),
            Self::Revoked => f.write_str("an earlier one was taken back"),
            Self::OwnWork => f.write_str("an earlier one is by somebody who had a hand in the version"),
            Self::Unsigned => f.write_str("an earlier one is not signed with the approver's own key"),
            Self::Signature(fault) => write!(f, "an earlier one does not count: {fault}"),
        }
    }
}

impl Refusal {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let model = &self.model;
        let version = self.version.map_or_else(|| "VERSION".to_owned(), |version| version.to_string());
        Some(match &self.why {
            Why::NoSuchVersion { .. } => "`wardmote model list` shows the versions".to_owned(),
            Why::GateClosed { gate, .. } => closed(gate, model, &version),
            Why::NotValidated | Why::ValidationIsOfAnotherCharter => {
                format!("run `wardmote model validate {model} {version}`")
            }
            Why::NoLineage => format!(
                "log the snapshot as an input of the run under its name, read it first under the same identity, and \
                 register again; or train with `wardmote model train {model}`"
            ),
            Why::CommittersUnknown { .. } => format!(
                "commit the code, list every address of `git log --format='%ae %ce'` in the charter, under `emails` of \
                 its person or under `outside_committers`, and register again: `wardmote model train {model}`"
            ),
            Why::GateFailed { .. } => format!("train a better candidate: `wardmote model train {model}`"),
            Why::OwnVersion { .. }
            | Why::NotAPerson { wanted: "approve", .. }
            | Why::AlreadyApproved { .. } => {
                format!(
                    "somebody else who may approve runs `wardmote model approve {model} {version} --as ID`"
                )
            }
            Why::WrongRole { needed } => {
                format!(
                    "a person with the role {} runs `wardmote model approve {model} {version} --as ID`",
                    roles(needed)
                )
            }
            Why::ApprovalsMissing { role, .. } => {
                format!(
                    "a person with the role `{role}` runs `wardmote model approve {model} {version} --as ID`"
                )
            }
            Why::NotSignedByApprover { person, has_key: true } => format!(
                "sign with it: `wardmote model approve {model} {version} --key FILE --as {person}`"
            ),
            Why::NotSignedByApprover { person, .. } => format!("make one with `wardmote key new --as {person}`"),
            Why::WrongSignature { fault: Fault::Unconfirmed } => {
                "a compliance officer compares the key with its owner and runs `wardmote key confirm ID KEY --as ID`, or the charter names it as `public_key`".to_owned()
            }
            Why::WrongSignature { .. } => "`wardmote key approvers` shows whose keys are known".to_owned(),
            Why::AnotherStatement | Why::StaleStatement { .. } => format!(
                "look at it again and sign anew: `wardmote model approve {model} {version} --key FILE --as ID`"
            ),
            Why::Unmet(why) => why.help(model, &version),
            Why::Beside(why) => why.help(model, &version),
            Why::Held(why) => why.help(model, &version),
            Why::NothingToRevoke { .. } => format!("`wardmote model show {model} {version}` shows the approvals"),
            Why::NotSigned => format!(
                "run `wardmote model approve {model} {version} --as ID` again: signing follows the last approval"
            ),
            Why::Serving => format!("deploy another version first, or run `wardmote model rollback {model}`"),
            Why::NothingServes => format!("deploy one with `wardmote model deploy {model} VERSION`"),
            Why::NothingToRollBackTo => "deploy another approved version instead".to_owned(),
            Why::ReasonMissing => "give one with `--reason`".to_owned(),
            Why::NotAPerson { .. } => "somebody signs in with `--as ID`".to_owned(),
            Why::NotNow { .. } | Why::NothingLeftToApprove => return None,
        })
    }

    fn subject(&self) -> String {
        match self.version {
            Some(version) => format!("version {version} of `{}`", self.model),
            None => format!("`{}`", self.model),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject();
        match &self.why {
            Why::NoSuchVersion { latest: None } => {
                write!(f, "there is no {subject}: nothing is registered yet")
            }
            Why::NoSuchVersion { latest: Some(latest) } => {
                write!(f, "there is no {subject}; the latest is {latest}")
            }
            Why::NotNow { status, wanted } => write!(f, "{subject} cannot be {wanted}: it is {status}"),
            Why::NotValidated => write!(f, "{subject} has not been validated"),
            Why::NoLineage => write!(f, "what {subject} was trained on is not on record"),
            Why::CommittersUnknown { missing } => {
                write!(f, "it is not known who committed the code of {subject}: {missing}")
            }
            Why::GateClosed { gate, why } => write!(f, "{subject} does not pass the gate `{gate}`: {why}"),
            Why::GateFailed { failures } => {
                write!(f, "{subject} does not meet its acceptance criteria: {}", failures.join("; "))
            }
            Why::ValidationIsOfAnotherCharter => {
                write!(f, "{subject} was validated under an earlier charter")
            }
            Why::OwnVersion { person, how } => {
                write!(f, "`{person}` cannot approve {subject}, having {how}")
            }
            Why::NotAPerson { id, wanted } => write!(f, "`{id}` cannot {wanted} {subject}: only people can"),
            Why::WrongRole { needed } => write!(f, "{subject} needs the approval of {} next", roles(needed)),
            Why::AlreadyApproved { person } => write!(f, "`{person}` has approved {subject} already"),
            Why::NothingLeftToApprove => write!(f, "{subject} has all its approvals"),
            Why::ApprovalsMissing { role, has, needs, void } => {
                write!(f, "{subject} has {has} of {needs} approvals by `{role}`")?;
                void.as_ref().map_or(Ok(()), |void| write!(f, "; {void}"))
            }
            Why::NotSignedByApprover { person, has_key: true } => {
                write!(
                    f,
                    "`{person}` has a key, so an approval of {subject} without a signature is not theirs"
                )
            }
            Why::NotSignedByApprover { person, has_key: false } => {
                write!(
                    f,
                    "an approval of {subject} must be signed with the approver's own key, and `{person}` has none"
                )
            }
            Why::WrongSignature { fault } => write!(f, "the approval of {subject} is not accepted: {fault}"),
            Why::AnotherStatement => {
                write!(f, "the signed statement does not speak of {subject} as it stands in the record now")
            }
            Why::StaleStatement { time } => {
                write!(f, "the statement about {subject} was signed on {}, not just now", time)
            }
            Why::NothingToRevoke { of } => {
                write!(f, "`{of}` has given no approval of {subject} that could be taken back")
            }
            Why::Unmet(why) => why.say(f, &subject),
            Why::Beside(why) => why.say(f, &subject),
            Why::Held(why) => why.say(f, &subject),
            Why::NotSigned => write!(f, "{subject} is not signed"),
            Why::Serving => write!(f, "{subject} is serving"),
            Why::NothingServes => write!(f, "no version of {subject} is serving"),
            Why::NothingToRollBackTo => write!(f, "{subject} has no earlier version that may serve again"),
            Why::ReasonMissing => write!(f, "a reason is needed for {subject}"),
        }
    }
}

impl Beside {
    fn help(&self, model: &ModelName, version: &str) -> String {
        match self {
            Self::CoolingOff { .. } => {
                "the charter asks for that time in place of separation of duties".to_owned()
            }
            Self::NoBreakGlass => "`break_glass` of the charter says who may, and for how long".to_owned(),
            Self::NoBreaker { .. } | Self::NotUntilThen { .. } => {
                format!("`wardmote model approve {model} {version} --as ID` is the ordinary way")
            }
            Self::ReviewOverdue { .. } | Self::Unreviewed { .. } => {
                format!("`wardmote model review {model} --upheld --note TEXT --as ID` closes it")
            }
            Self::Tampered { .. } => {
                "`wardmote incident list` names the incident; put the bytes back, and `wardmote incident resolve ID` reads all of it again".to_owned()
            }
            Self::NotTampered => format!("`wardmote model show {model} {version}` shows it"),
            Self::NothingToReview => format!("`wardmote model reviews {model}` lists them"),
            Self::OwnDecision { .. } | Self::NotTheReviewer { .. } => {
                format!("`wardmote model reviews {model}` says whose it is")
            }
            Self::NoteMissing => "say it with `--note`".to_owned(),
        }
    }

    fn say(&self, f: &mut fmt::Formatter<'_>, subject: &str) -> fmt::Result {
        match self {
            Self::CoolingOff { person, how, until } => {
                write!(f, "`{person}` cannot approve {subject} before {until}, having {how}")
            }
            Self::Unreviewed { person, how, of, due } => write!(
                f,
                "`{person}` cannot approve {subject}, having {how}, while {of} is not reviewed, which was due on {due}"
            ),
            Self::NoBreakGlass => write!(f, "the charter lets nobody deploy {subject} without its approvals"),
            Self::NoBreaker { person, roles: known } => write!(
                f,
                "`{person}` cannot deploy {subject} without its approvals: the charter lets {} do that",
                roles(known)
            ),
            Self::NotUntilThen { until, latest } => write!(
                f,
                "{subject} cannot serve without its approvals until {until}: between now and {latest} is possible"
            ),
            Self::ReviewOverdue { of, due, role } => write!(
                f,
                "{subject} cannot be deployed without its approvals: the review of {of} by `{role}` was due on {due}"
            ),
            Self::Tampered { cause, since } => {
                write!(f, "{subject} is not what was registered ({since}): {cause}")
            }
            Self::NotTampered => write!(f, "nothing of {subject} was found to be other than registered"),
            Self::NothingToReview => {
                write!(f, "nothing about {subject} waits for a review, or not that entry")
            }
            Self::OwnDecision { person, of } => {
                write!(f, "`{person}` cannot review {of}, having decided it or had a hand in the version")
            }
            Self::NotTheReviewer { person, role } => {
                write!(f, "`{person}` cannot review {subject}: the review is for the role `{role}`")
            }
            Self::NoteMissing => write!(f, "a review of {subject} says what was found"),
        }
    }
}

impl std::error::Error for Refusal {}

fn roles(roles: &[RoleId]) -> String {
    roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(" or ")
}

/// What to do about a gate that is closed.
fn closed(gate: &GateId, model: &ModelName, version: &str) -> String {
    if *gate == GateId::incumbent() {
        return format!(
            "train a better candidate: `wardmote model train {model}`; it is compared anew when something else serves"
        );
    }
    format!(
        "its program is asked again each time; `wardmote model show {model} {version}` shows what it said"
    )
}
