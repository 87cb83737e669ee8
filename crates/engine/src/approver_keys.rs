//! The keys with which people sign approvals. Private halves never come here: their owners make them and keep them.
//!
//! Whoever runs the house holds the record and could write a key into it. Hence three things: a key is registered with a
//! note that the key itself signed; a later key is signed for by the one before it, or the one before it is withdrawn
//! first; and what counts where signatures are demanded is a key for which somebody else stands, at best the charter,
//! which is in Git and whose digest every statement holds.

use crate::governance::GOVERNOR;
use crate::record::{Fact, Refused};
use crate::{Done, Engine, Error};
use charter::Checked;
use facts::{Actor, ActorKind, EvidenceId, PersonId, Timestamp, VerifierKey};
use guard::{Action, Resource};
use ledger::Verifier;
use registry::{ApproverKey, Standing};
use serde::{Deserialize, Serialize};

const KIND: &str = "wardmote-signing-key/1";

/// What a person says about the own key, signed with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBinding {
    #[serde(rename = "type")]
    kind: String,
    /// Whose.
    pub person: PersonId,
    /// The public half.
    pub key: VerifierKey,
    /// The key that it replaces, which signs as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<VerifierKey>,
}

impl KeyBinding {
    /// A binding to be signed.
    pub fn new(person: PersonId, key: VerifierKey, replaces: Option<VerifierKey>) -> Self {
        Self { kind: KIND.to_owned(), person, key, replaces }
    }

    /// The text to be signed: one line of canonical JSON.
    pub fn text(&self) -> Result<String, Error> {
        let text = serde_json_canonicalizer::to_string(self);
        text.map(|text| text + "\n").map_err(|error| Error::damaged(format!("cannot encode a key: {error}")))
    }

    /// Reads a note; the key itself must have signed it, and the one that it replaces.
    pub(crate) fn open(note: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::input("this is not a signing key, signed by itself")
                .with_help("make one with `wardmote key new --as ID`")
        };
        let (text, _) = note.split_once("\n\n").ok_or_else(wrong)?;
        let binding: Self = serde_json::from_str(text).map_err(|_| wrong())?;
        let signed = |key: &VerifierKey| {
            Verifier::parse(key.as_str())
                .is_ok_and(|verifier| verifier.open(note).is_ok_and(|signed| signed.trim_end() == text))
        };
        let whole = binding.kind == KIND && binding.text()?.trim_end() == text;
        if whole && signed(&binding.key) && binding.replaces.as_ref().is_none_or(signed) {
            Ok(binding)
        } else {
            Err(wrong())
        }
    }
}

/// A key as the record has it.
#[derive(Debug, Clone, Serialize)]
pub struct RegisteredKey {
    /// Whose.
    pub person: PersonId,
    /// The public half.
    pub key: VerifierKey,
    /// When it was registered.
    pub since: Timestamp,
    /// The entry of that, which holds the note that the key itself signed.
    pub evidence: EvidenceId,
    /// The key before it, which signed for it.
    pub replaces: Option<VerifierKey>,
    /// Who stands for it, and the entry.
    pub confirmed: Option<(PersonId, EvidenceId)>,
    /// When and why it was withdrawn, and the entry.
    pub withdrawn: Option<(Timestamp, String, EvidenceId)>,
}

/// All keys that were ever registered, oldest first.
#[derive(Debug, Clone, Default)]
pub struct ApproverKeys {
    keys: Vec<RegisteredKey>,
}

impl ApproverKeys {
    /// All of them.
    pub fn all(&self) -> &[RegisteredKey] {
        &self.keys
    }

    /// The key that a person has now: the last one, unless it was withdrawn.
    pub fn of(&self, person: &PersonId) -> Option<&RegisteredKey> {
        let last = self.keys.iter().rev().find(|key| key.person == *person);
        last.filter(|key| key.withdrawn.is_none())
    }

    /// The keys with which people sign under a charter. Where it names one, it is the only one.
    pub fn in_force(&self, charter: &Checked) -> Vec<ApproverKey> {
        let mut list = Vec::new();
        for person in &charter.charter().people {
            if let Some(key) = &person.public_key {
                let (person, key) = (person.id.clone(), key.clone());
                list.push(ApproverKey {
                    person,
                    key,
                    since: Timestamp::EPOCH,
                    until: None,
                    standing: Standing::Pinned,
                });
                continue;
            }
            let theirs: Vec<&RegisteredKey> =
                self.keys.iter().filter(|key| key.person == person.id).collect();
            let mut before: Option<(&VerifierKey, Standing)> = None;
            for (at, key) in theirs.iter().enumerate() {
                // Signed for by the key before it: as good as that one, if that one was never withdrawn.
                let before_it = before.filter(|(old, _)| key.replaces.as_ref() == Some(*old));
                let standing = match (&key.withdrawn, &key.confirmed) {
                    (Some(_), _) => Standing::Withdrawn,
                    (None, Some(_)) => Standing::Confirmed,
                    (None, None) => {
                        before_it.map_or(Standing::Claimed, |(_, old)| old.max(Standing::Claimed))
                    }
                };
                before = Some((&key.key, standing));
                list.push(ApproverKey {
                    person: person.id.clone(),
                    key: key.key.clone(),
                    since: key.since,
                    until: theirs.get(at + 1).map(|next| next.since),
                    standing,
                });
            }
        }
        list
    }

    /// Takes in what an entry says of keys.
    pub(crate) fn take(&mut self, fact: &Fact, (by, time, evidence): (&PersonId, Timestamp, &EvidenceId)) {
        match fact {
            Fact::SigningKeyRegistered { key, replaces, .. } => self.keys.push(RegisteredKey {
                person: by.clone(),
                key: key.clone(),
                since: time,
                evidence: evidence.clone(),
                replaces: replaces.clone(),
                confirmed: None,
                withdrawn: None,
            }),
            Fact::SigningKeyConfirmed { holder, key } => {
                if let Some(known) = self.named(holder, key) {
                    known.confirmed = Some((by.clone(), evidence.clone()));
                }
            }
            Fact::SigningKeyWithdrawn { holder, key, reason } => {
                if let Some(known) = self.named(holder, key) {
                    known.withdrawn = Some((time, reason.clone(), evidence.clone()));
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, holder: &PersonId, key: &VerifierKey) -> Option<&mut RegisteredKey> {
        self.keys.iter_mut().rev().find(|known| known.person == *holder && known.key == *key)
    }
}

impl Engine {
    /// The name that a person's signing key carries.
    pub fn signing_key_name(&self, person: &PersonId) -> Result<String, Error> {
        Ok(format!("{}/{person}", self.charter()?.charter().organisation.id))
    }

    /// Registers a person's own signing key, from the note that it signed itself.
    pub fn register_signing_key(&mut self, actor: &Actor, note: &str) -> Result<Done<RegisteredKey>, Error> {
        let binding = KeyBinding::open(note)?;
        self.authorise(actor, Action::SigningKeyRegister, &Resource::Charter)?;
        let expected = self.signing_key_name(&actor.id)?;
        if binding.person != actor.id || binding.key.name() != expected {
            let text = format!(
                "`{}` can register a key named `{expected}`, not `{}` of `{}`",
                actor.id,
                binding.key.name(),
                binding.person
            );
            return Err(Error::input(text).with_help("everybody registers their own key"));
        }
        if self.state.approver_keys().all().iter().any(|known| known.key == binding.key) {
            return Err(Error::conflict(format!(
                "the key {} is registered already",
                binding.key.fingerprint()
            )));
        }
        let current = self.state.approver_keys().of(&actor.id).map(|known| known.key.clone());
        if let Some(current) = current.filter(|current| binding.replaces.as_ref() != Some(current)) {
            let why = Refused {
                reason: format!(
                    "`{}` has the key {} already, and the new one is not signed for by it",
                    actor.id,
                    current.fingerprint()
                ),
                help: Some(format!(
                    "add `--replaces FILE` with the private half of the old one; if it is lost, withdraw it first: `wardmote key withdraw {} --reason TEXT --as ID`",
                    actor.id
                )),
                policies: Vec::new(),
            };
            return Err(self.refuse(actor, Action::SigningKeyRegister.as_str(), &resource(&actor.id), why));
        }
        let fact = Fact::SigningKeyRegistered {
            key: binding.key,
            replaces: binding.replaces,
            note: note.to_owned(),
        };
        self.keys_changed(actor, Action::SigningKeyRegister, (&actor.id, fact))
    }

    /// Stands for somebody else's key, after comparing it with its owner.
    pub fn confirm_signing_key(
        &mut self,
        actor: &Actor,
        holder: &PersonId,
        key: &VerifierKey,
    ) -> Result<Done<RegisteredKey>, Error> {
        self.authorise(actor, Action::SigningKeyConfirm, &Resource::Charter)?;
        let known = self.current_key(holder)?;
        if known.key != *key {
            let text = format!(
                "the key that `{holder}` has in the record is {}, and not the one to be confirmed",
                known.key
            );
            return Err(Error::conflict(text).with_help(
                "ask its owner which is right; a wrong one is withdrawn with `wardmote key withdraw`",
            ));
        }
        if actor.id == *holder {
            let why = Refused {
                reason: format!("`{holder}` cannot stand for the own key"),
                help: Some("another compliance officer can, or the charter with `public_key`".to_owned()),
                policies: Vec::new(),
            };
            return Err(self.refuse(actor, Action::SigningKeyConfirm.as_str(), &resource(holder), why));
        }
        let fact = Fact::SigningKeyConfirmed { holder: holder.clone(), key: key.clone() };
        self.keys_changed(actor, Action::SigningKeyConfirm, (holder, fact))
    }

    /// Withdraws a key, one's own or, as a compliance officer, anybody's: nothing that it ever signed counts any more.
    pub fn withdraw_signing_key(
        &mut self,
        actor: &Actor,
        holder: &PersonId,
        reason: &str,
    ) -> Result<Done<RegisteredKey>, Error> {
        let own = actor.id == *holder;
        let action = if own { Action::SigningKeyRegister } else { Action::SigningKeyWithdraw };
        self.authorise(actor, action, &Resource::Charter)?;
        let key = self.current_key(holder)?.key.clone();
        if reason.trim().is_empty() {
            return Err(Error::input("a reason is needed").with_help("give one with `--reason`"));
        }
        let fact =
            Fact::SigningKeyWithdrawn { holder: holder.clone(), key, reason: reason.trim().to_owned() };
        self.keys_changed(actor, Action::SigningKeyWithdraw, (holder, fact))
    }

    fn current_key(&self, holder: &PersonId) -> Result<&RegisteredKey, Error> {
        self.state.approver_keys().of(holder).ok_or_else(|| {
            Error::not_found(format!("`{holder}` has no signing key"))
                .with_help(format!("`{holder}` makes one with `wardmote key new --as {holder}`"))
        })
    }

    fn keys_changed(
        &mut self,
        actor: &Actor,
        action: Action,
        (holder, fact): (&PersonId, Fact),
    ) -> Result<Done<RegisteredKey>, Error> {
        let name = resource(holder);
        let evidence = self.record(vec![Self::done(actor, action, &name, fact)])?;
        let last =
            self.state.approver_keys().all().iter().rev().find(|known| known.person == *holder).cloned();
        let answer = last.ok_or_else(|| Error::damaged("a signing key was not recorded"))?;
        Ok(Done { answer, evidence })
    }

    /// Whether an approval may be taken back by this actor: the own, or anybody's as a compliance officer.
    pub(crate) fn may_revoke(&self, actor: &Actor, of: &PersonId) -> bool {
        actor.kind == ActorKind::Human
            && (actor.id == *of || actor.roles.iter().any(|role| role.as_str() == GOVERNOR))
    }
}

fn resource(holder: &PersonId) -> String {
    format!("signing-key/{holder}")
}
