//! Waivers on the ledger: who lets something broken stay as it is, until when, and who answers for it.

use super::record::{GrantedWaiver, WaiverEvent};
use crate::core::NewEntry;
use crate::record::Fact;
use crate::{Done, Engine, Error};
use controls::controls_named;
use facts::{Actor, PersonId, Timestamp};
use guard::{Action, Resource};

/// What somebody asks to let stay.
#[derive(Debug, Clone)]
pub struct WaiverRequest {
    /// The control: its id, or a name that others have for it and for no other.
    pub control: String,
    /// Which resources, by id or name; wildcards are allowed.
    pub resource: String,
    /// Who answers for it.
    pub owner: PersonId,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, as `2026-12-31`.
    pub expires: String,
}

/// Longer texts are not reasons.
const LONGEST: usize = 2_000;

impl Engine {
    /// Grants a waiver. The approver is who acts, and is not the owner.
    pub fn grant_waiver(
        &mut self,
        actor: &Actor,
        request: &WaiverRequest,
    ) -> Result<Done<GrantedWaiver>, Error> {
        let control = one_control(&request.control)?;
        let today = self.now().date();
        let is_date = request.expires.len() == 10 && request.expires.parse::<Timestamp>().is_ok();
        if !is_date {
            return Err(Error::input(format!(
                "`{}` is no date; expected one such as `2026-12-31`",
                request.expires.escape_debug()
            ))
            .with_help("a waiver ends on a day"));
        }
        if request.expires < today {
            return Err(Error::input(format!("`{}` is over; today is {today}", request.expires))
                .with_help("name a day that is still to come"));
        }
        for (name, text) in [("reason", &request.reason), ("resource", &request.resource)] {
            if text.trim().is_empty() || text.len() > LONGEST {
                return Err(Error::input(format!(
                    "the waiver's {name} is empty or longer than {LONGEST} bytes"
                ))
                .with_help(format!("say the {name} in a few words")));
            }
        }
        // Somebody who answers for it is somebody whom the charter knows.
        self.actor(&request.owner)?;
        let id = format!("W-{}", self.state.waivers().count() + 1);
        let resource = Resource::Waiver { id: id.clone(), owner: request.owner.clone() };
        self.authorise(actor, Action::WaiverGrant, &resource)?;
        let event = WaiverEvent::Granted {
            control: control.to_owned(),
            resource: request.resource.clone(),
            owner: request.owner.clone(),
            reason: request.reason.clone(),
            expires: request.expires.clone(),
        };
        self.waiver_event(actor, (Action::WaiverGrant, &resource, &id), event)
    }

    /// Ends a waiver before its time.
    pub fn withdraw_waiver(
        &mut self,
        actor: &Actor,
        id: &str,
        reason: Option<String>,
    ) -> Result<Done<GrantedWaiver>, Error> {
        let known = self.state.waivers().of(id).ok_or_else(|| {
            Error::not_found(format!("there is no waiver `{}`", id.escape_debug()))
                .with_help("`wardmote waiver list` shows them all")
        })?;
        if let Some(before) = &known.withdrawn {
            return Err(Error::conflict(format!("`{}` withdrew the waiver `{id}` before", before.by)));
        }
        let owner: PersonId = known.granted.what.owner.parse().map_err(|error: facts::ParseError| {
            Error::damaged(format!("the owner of the waiver `{id}`: {error}"))
        })?;
        let resource = Resource::Waiver { id: id.to_owned(), owner };
        self.authorise(actor, Action::WaiverWithdraw, &resource)?;
        self.waiver_event(actor, (Action::WaiverWithdraw, &resource, id), WaiverEvent::Withdrawn { reason })
    }

    fn waiver_event(
        &mut self,
        actor: &Actor,
        (action, resource, id): (Action, &Resource, &str),
        event: WaiverEvent,
    ) -> Result<Done<GrantedWaiver>, Error> {
        let (name, fact) = (resource.name(), Fact::Waiver { waiver: id.to_owned(), event });
        let entry: NewEntry<'_> = Self::done(actor, action, &name, fact);
        let evidence = self.record(vec![entry])?;
        let answer = self.state.waivers().of(id).cloned();
        let answer = answer.ok_or_else(|| Error::damaged(format!("the waiver `{id}` was not recorded")))?;
        Ok(Done { answer, evidence })
    }
}

fn one_control(name: &str) -> Result<&'static str, Error> {
    let mut ids: Vec<&'static str> = controls_named(name).map(|control| control.id).collect();
    if let Some(own) = ids.iter().find(|id| id.eq_ignore_ascii_case(name)) {
        return Ok(own);
    }
    ids.dedup();
    match ids.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::not_found(format!("there is no control `{}`", name.escape_debug()))
            .with_help("`wardmote controls list` shows them all")),
        several => {
            let all: Vec<String> = several.iter().map(|id| format!("`{id}`")).collect();
            Err(Error::input(format!("`{}` is a name of several controls", name.escape_debug()))
                .with_help(format!("name one of {}", all.join(", "))))
        }
    }
}
