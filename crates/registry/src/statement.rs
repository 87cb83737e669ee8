//! What an approver signs: the whole of what is approved, as one line of canonical JSON in a signed note. The server
//! that records it holds no private key of an approver, so it cannot make one.

use crate::rules::{ApproverKey, Rules, Standing};
use crate::state::{ApprovalGiven, Version};
use crate::version::VersionNumber;
use facts::{Digest, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use ledger::Verifier;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first word of every statement; another kind of text can never pass for an approval.
const KIND: &str = "wardmote-approval/1";
/// A statement that was signed so long ago is not recorded any more.
const MAX_AGE_SECONDS: i64 = 86_400;
/// Clocks differ.
const MAX_AHEAD_SECONDS: i64 = 300;

/// An approval in the approver's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "type")]
    kind: String,
    /// Who approves.
    pub approver: PersonId,
    /// In which role.
    pub role: RoleId,
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// The artefact.
    pub artefact: Digest,
    /// The charter in force.
    pub charter: Digest,
    /// The entry of the validation.
    pub validation: EvidenceId,
    /// Digest of all results that were to be seen: the validation's and the gates'.
    pub results: Digest,
    /// When it was signed.
    pub time: Timestamp,
    /// From when on it no longer counts.
    pub expires: Timestamp,
}

/// A signature that does not make an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The person has no key at that time.
    NoKey,
    /// No key of the person made it, or the text was changed after.
    NotTheirs,
    /// The text is no statement.
    NotAStatement,
    /// The statement speaks of something else than what is recorded.
    Differs(&'static str),
    /// The key is one that nobody stands for.
    Unconfirmed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("the approver had no key at that time"),
            Self::NotTheirs => {
                f.write_str("no key of the approver made the signature, or the text was changed after")
            }
            Self::NotAStatement => f.write_str("what is signed is not a statement of approval"),
            Self::Differs(what) => write!(f, "the signed statement has another {what} than the record"),
            Self::Unconfirmed => {
                f.write_str("neither the charter nor a compliance officer stands for the key")
            }
        }
    }
}

impl Statement {
    /// What `approver` would say at `time`; none if there is no validation to speak of.
    pub(crate) fn new(
        (model, version): (&ModelName, &Version),
        (approver, role): (&PersonId, &RoleId),
        charter: Digest,
        (time, expires): (Timestamp, Timestamp),
    ) -> Option<Self> {
        Some(Self {
            kind: KIND.to_owned(),
            approver: approver.clone(),
            role: role.clone(),
            model: model.clone(),
            version: version.version,
            artefact: version.registration.artefact,
            charter,
            validation: version.validation.as_ref()?.1.clone(),
            results: version.results_digest()?,
            time,
            expires,
        })
    }

    /// The text that is signed: one line of canonical JSON (RFC 8785).
    pub fn text(&self) -> String {
        // Ids, digests and times only: there is nothing in it that cannot be encoded.
        serde_json_canonicalizer::to_string(self).unwrap_or_default() + "\n"
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let statement: Self = serde_json::from_str(text).map_err(|_| Fault::NotAStatement)?;
        // One spelling only, so that a digest of the text names the statement.
        if statement.kind == KIND && statement.text() == text {
            Ok(statement)
        } else {
            Err(Fault::NotAStatement)
        }
    }

    /// Whether it was signed just now, as far as clocks can tell.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.time.plus_seconds(MAX_AGE_SECONDS) > now && self.time <= now.plus_seconds(MAX_AHEAD_SECONDS)
    }
}

/// Opens a note with any of the keys; gives the statement and the best key that made it.
pub(crate) fn open<'a>(
    note: &str,
    keys: impl Iterator<Item = &'a ApproverKey>,
) -> Result<(Statement, &'a ApproverKey), Fault> {
    let (mut any, mut found) = (false, None);
    for known in keys {
        any = true;
        let Ok(verifier) = Verifier::parse(known.key.as_str()) else { continue };
        if let Ok(text) = verifier.open(note) {
            let better =
                found.as_ref().is_none_or(|(_, best): &(&str, &ApproverKey)| best.standing < known.standing);
            if better {
                found = Some((text, known));
            }
        }
    }
    match found {
        Some((text, key)) => Ok((Statement::read(text)?, key)),
        None if any => Err(Fault::NotTheirs),
        None => Err(Fault::NoKey),
    }
}

/// Checks the signature of a recorded approval from nothing but the record and the keys.
pub fn check(
    note: &str,
    (model, number): (&ModelName, VersionNumber),
    given: &ApprovalGiven,
    rules: &Rules,
) -> Result<Standing, Fault> {
    // The keys of the moment of signing: a key that came later proves nothing about it.
    let time = open(
        note,
        rules.keys.iter().filter(|key| key.person == given.approver.id && key.standing > Standing::Withdrawn),
    )
    .map(|(said, _)| said.time)?;
    let (said, key) = open(note, rules.keys_of(&given.approver.id, time))?;
    let facts = [
        ("approver", said.approver == given.approver.id),
        ("role", said.role == given.role),
        ("model", said.model == *model),
        ("version", said.version == number),
        ("artefact", said.artefact == given.artefact),
        ("charter", said.charter == given.charter),
        ("validation", said.validation == given.validation),
        ("results", given.results == Some(said.results)),
        ("time", said.is_fresh(given.time)),
        ("expiry", given.expires == Some(said.expires)),
    ];
    match facts.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(Fault::Differs(what)),
        None => Ok(key.standing),
    }
}
