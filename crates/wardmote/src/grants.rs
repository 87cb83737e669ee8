//! `wardmote key grant`, `key grants` and `key revoke-grant`: uses of a key for somebody who does not use it otherwise.

use crate::answer::evidence;
use crate::commands::{At, Run};
use crate::failure::Exit;
use clap::{ArgAction, Args, ValueEnum};
use engine::{GrantRequest, GrantState, GrantView, KeyGrant};
use facts::{Arn, KeyId, RoleId, SnapshotName, Timestamp};
use std::collections::BTreeMap;
use std::process::ExitCode;
use world::{EncryptionContext, Grant, GrantConstraint, GrantOperation};

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// The key.
    key: KeyId,
    /// The role of the charter that gets it.
    role: RoleId,
    /// How AWS KMS knows the role, where keys are there.
    #[arg(long, value_name = "ARN")]
    principal: Option<Arn>,
    /// What the role may do; may be repeated.
    #[arg(long = "operation", value_enum, default_value = "decrypt", action = ArgAction::Append)]
    operations: Vec<Operation>,
    /// For what is sealed with this in its encryption context; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, required_unless_present = "snapshot")]
    context: Vec<(String, String)>,
    /// For this snapshot: `NAME/SNAPSHOT`, or `s3://datasets/NAME/SNAPSHOT/`.
    #[arg(long, value_parser = SnapshotName::called, conflicts_with = "context")]
    snapshot: Option<SnapshotName>,
    /// For exactly this context, and not for those that have more in them.
    #[arg(long)]
    exactly: bool,
    /// When it ends: a date (its midnight in UTC) or a time in RFC 3339; until it is taken back by default.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Why; goes on record.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct GrantsArgs {
    /// The key; all of the charter by default.
    key: Option<KeyId>,
    /// Take back those whose time is over.
    #[arg(long)]
    ended: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeGrantArgs {
    /// The key.
    key: KeyId,
    /// The id of the grant, as `key grants` shows it.
    grant: String,
    /// Why; goes on record.
    #[arg(long)]
    reason: String,
}

/// What a grant lets somebody do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Operation {
    /// Unwrap data keys, and so read.
    Decrypt,
    /// Make data keys, and so write.
    GenerateDataKey,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let wrong =
        || format!("`{}` is not a part of an encryption context: expected KEY=VALUE", text.escape_debug());
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    if key.is_empty() || value.is_empty() { Err(wrong()) } else { Ok((key.to_owned(), value.to_owned())) }
}

impl GrantArgs {
    fn constraint(&self) -> GrantConstraint {
        let context: EncryptionContext = match &self.snapshot {
            Some(name) => BTreeMap::from([
                ("kind".to_owned(), "snapshots".to_owned()),
                ("subject".to_owned(), name.to_string()),
            ]),
            None => self.context.iter().cloned().collect(),
        };
        if self.exactly {
            GrantConstraint::EncryptionContextEquals(context)
        } else {
            GrantConstraint::EncryptionContextSubset(context)
        }
    }

    fn request(&self) -> GrantRequest {
        let operation = |one: &Operation| match one {
            Operation::Decrypt => GrantOperation::Decrypt,
            Operation::GenerateDataKey => GrantOperation::GenerateDataKey,
        };
        GrantRequest {
            key: self.key.clone(),
            role: self.role.clone(),
            principal: self.principal.as_ref().map(ToString::to_string),
            operations: self.operations.iter().map(operation).collect(),
            constraint: self.constraint(),
            until: self.until,
            reason: self.reason.clone(),
        }
    }
}

impl At<'_> {
    pub(crate) fn grant(&self, args: &GrantArgs) -> Run {
        self.with(|engine, actor| {
            let done = engine.grant_key(actor, args.request())?;
            self.answers.give(&done, |done| {
                let KeyGrant { key, role, grant, until, .. } = &done.answer;
                let until = until.map_or_else(String::new, |until| format!(" until {until}"));
                format!("{role} may use {key}{until}\n{}{}", terms(grant), evidence(&done.evidence))
            })
        })
    }

    /// All grants; ends with 6 if one is not as the record has it.
    pub(crate) fn grants(&self, args: &GrantsArgs) -> Run {
        if args.ended {
            return self.end_grants(args.key.as_ref());
        }
        let views = self.house.open_read_only()?.key_grants(args.key.as_ref())?;
        let strange = views.iter().any(|view| view.state != GrantState::InForce);
        self.answers.give(&views, |views| match views.as_slice() {
            [] => "there are no grants".to_owned(),
            views => views.iter().map(line).collect(),
        })?;
        Ok(if strange { ExitCode::from(Exit::Conflict as u8) } else { ExitCode::SUCCESS })
    }

    fn end_grants(&self, key: Option<&KeyId>) -> Run {
        self.with(|engine, actor| {
            let done = engine.end_key_grants(actor, key)?;
            self.answers.give(&done, |done| {
                let one = |view: &GrantView| {
                    format!("{} may no longer use {}\n", view.grant.terms.grantee, view.key)
                };
                match done.answer.as_slice() {
                    [] => "no grant has ended that is not taken back".to_owned(),
                    views => views.iter().map(one).collect::<String>() + &evidence(&done.evidence),
                }
            })
        })
    }

    pub(crate) fn retire_grant(&self, args: &RevokeGrantArgs) -> Run {
        self.with(|engine, actor| {
            let done = engine.retire_key_grant(actor, &args.key, (&args.grant, &args.reason))?;
            self.answers.give(&done, |done| {
                let KeyGrant { key, role, .. } = &done.answer;
                format!("{role} gave back its use of {key}\n{}", evidence(&done.evidence))
            })
        })
    }

    pub(crate) fn revoke_grant(&self, args: &RevokeGrantArgs) -> Run {
        self.with(|engine, actor| {
            let done = engine.revoke_key_grant(actor, &args.key, (&args.grant, &args.reason))?;
            self.answers.give(&done, |done| {
                let who = &done.answer.grant.terms.grantee;
                format!("{who} may no longer use {}\n{}", args.key, evidence(&done.evidence))
            })
        })
    }
}

fn terms(Grant { id, terms }: &Grant) -> String {
    let operations: Vec<String> = terms.operations.iter().map(|one| format!("{one:?}")).collect();
    let pairs: Vec<String> =
        terms.constraint.context().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let how = match (&terms.constraint, pairs.is_empty()) {
        (_, true) => "for everything".to_owned(),
        (GrantConstraint::EncryptionContextEquals(_), _) => format!("for exactly {}", pairs.join(" ")),
        (GrantConstraint::EncryptionContextSubset(_), _) => format!("for {}", pairs.join(" ")),
    };
    format!("  {} {how}\n  as {}, grant {id}\n", operations.join(", "), terms.grantee)
}

fn line(view: &GrantView) -> String {
    let state = match view.state {
        GrantState::InForce => "in force",
        GrantState::Ended => "ENDED, not yet taken back",
        GrantState::Outside => "OUTSIDE: on no record",
        GrantState::Gone => "GONE: on record, and not in the key service",
    };
    let given = view.given.as_ref().map_or_else(String::new, |given| {
        format!("  given by {} on {}: {} ({})\n", given.by, given.time.date(), given.reason, given.evidence)
    });
    let until = view.until.map_or_else(String::new, |until| format!("  until {until}\n"));
    format!("{}: {state}\n{}{until}{given}", view.key, terms(&view.grant))
}
