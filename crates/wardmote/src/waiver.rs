//! `wardmote waiver`: what may stay broken for a while, on the ledger.

use crate::answer::{self, Answers};
use crate::failure::Failure;
use crate::house::House;
use clap::Subcommand;
use engine::{GrantedWaiver, WaiverRequest};
use facts::{EvidenceId, PersonId};
use local::SystemClock;
use serde_json::{Value, json};
use std::process::ExitCode;
use world::Clock as _;

#[derive(Debug, Subcommand)]
pub(crate) enum WaiverCommand {
    /// Let something broken stay for a while. Who acts is the approver, and cannot be the owner.
    Grant {
        /// The control: an id such as S3-12, or what others call it.
        control: String,
        /// Which resources, by id or name; wildcards are allowed.
        resource: String,
        /// Who answers for it.
        #[arg(long, value_name = "ID")]
        owner: PersonId,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The last day on which it counts, such as 2026-12-31.
        #[arg(long, value_name = "DATE")]
        expires: String,
    },
    /// End a waiver before its time.
    Withdraw {
        /// Its id, such as W-1.
        id: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// List all waivers, with how they stand today.
    List,
}

pub(crate) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    command: &WaiverCommand,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    let today = SystemClock.now().date();
    let shown = |waiver: &GrantedWaiver, evidence: &[EvidenceId]| {
        let value = json!({"waiver": told(waiver, &today), "evidence": evidence});
        answers.give(&value, |_| format!("{}{}", line(waiver, &today), answer::evidence(evidence)))
    };
    match command {
        WaiverCommand::List => {
            let engine = house.open_read_only()?;
            let all: Vec<&GrantedWaiver> = engine.state().waivers().iter().collect();
            let values: Vec<Value> = all.iter().map(|one| told(one, &today)).collect();
            answers.give(&values, |_| match all.as_slice() {
                [] => "there are no waivers".to_owned(),
                all => all.iter().map(|one| line(one, &today)).collect(),
            })?;
        }
        WaiverCommand::Grant { control, resource, owner, reason, expires } => {
            let mut engine = house.open()?;
            let actor = house.sign_in(&engine, act_as)?;
            let request = WaiverRequest {
                control: control.clone(),
                resource: resource.clone(),
                owner: owner.clone(),
                reason: reason.clone(),
                expires: expires.clone(),
            };
            let done = engine.grant_waiver(&actor, &request)?;
            shown(&done.answer, &done.evidence)?;
        }
        WaiverCommand::Withdraw { id, reason } => {
            let mut engine = house.open()?;
            let actor = house.sign_in(&engine, act_as)?;
            let done = engine.withdraw_waiver(&actor, id, reason.clone())?;
            shown(&done.answer, &done.evidence)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn stands(waiver: &GrantedWaiver, today: &str) -> &'static str {
    match &waiver.withdrawn {
        Some(_) => "withdrawn",
        None if waiver.granted.what.is_over(today) => "over",
        None => "in_force",
    }
}

fn told(waiver: &GrantedWaiver, today: &str) -> Value {
    let what = &waiver.granted.what;
    json!({"id": waiver.id, "control": what.control, "resource": what.resource, "owner": what.owner, "reason": what.reason,
        "approver": what.approver, "expires": what.expires, "stands": stands(waiver, today), "granted": waiver.granted.evidence,
        "withdrawn": waiver.withdrawn.as_ref().map(|entry| &entry.evidence)})
}

fn line(waiver: &GrantedWaiver, today: &str) -> String {
    let what = &waiver.granted.what;
    let stands = match &waiver.withdrawn {
        Some(entry) => format!("withdrawn by {}", entry.by),
        None if what.is_over(today) => format!("over since {}", what.expires),
        None => format!("until {}", what.expires),
    };
    format!(
        "{}  {} on {}  {stands}\n  owner {}, approved by {}: {}\n",
        waiver.id, what.control, what.resource, what.owner, what.approver, what.reason
    )
}
