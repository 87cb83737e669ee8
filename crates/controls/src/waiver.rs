//! Waivers: what is broken and may stay so for a while, because somebody who may say so has said it. The verdict stays as
//! it is; only whether it counts changes, and only until the waiver expires.

use crate::checks::controls_named;
use crate::customer::Rules;
use crate::node::Node;
use crate::policies::covers;
use crate::read::{Unreadable, either};
use crate::report::{Finding, Report};
use serde::Serialize;

/// One waiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// The control, by its id.
    pub control: String,
    /// Which resources, by id or name; wildcards are allowed.
    pub resource: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Who allowed it; another than the owner.
    pub approver: String,
    /// The last day on which it counts, as `2026-12-31`.
    pub expires: String,
    /// The line of the file.
    pub line: u32,
}

const FIELDS: [&str; 6] = ["control", "resource", "owner", "reason", "approver", "expires"];
const HELP: &str =
    "a waiver has `control`, `resource`, `owner`, `reason`, `approver` and `expires`, all of them texts";

/// Reads a file of waivers, YAML or JSON: `waivers:` with a list. They are for controls of ours and for these rules.
///
/// # Errors
/// If it is none, or a waiver lacks something, is about no control, has no date, or was approved by its owner.
pub fn waivers(file: &str, text: &str, rules: &Rules) -> Result<Vec<Waiver>, Unreadable> {
    let root = either(file, text)?;
    let Some(list) = root.get("waivers") else {
        return Err(Unreadable::new(root.at, "expected `waivers`, a list of waivers", HELP).in_file(file));
    };
    let mut all = Vec::new();
    for item in list.items() {
        all.extend(one(item, rules).map_err(|wrong| wrong.in_file(file))?);
    }
    Ok(all)
}

fn one(item: &Node, rules: &Rules) -> Result<Vec<Waiver>, Unreadable> {
    if let Some(member) = item.members().iter().find(|member| !FIELDS.contains(&member.key.as_str())) {
        return Err(Unreadable::new(member.at, format!("a waiver has no `{}`", member.key), HELP));
    }
    let field = |name: &str| -> Result<(String, &Node), Unreadable> {
        let node = item.get(name).filter(|node| node.text().is_some_and(|text| !text.trim().is_empty()));
        let missing = || Unreadable::new(item.at, format!("the waiver says no `{name}`"), HELP);
        let node = node.ok_or_else(missing)?;
        Ok((node.text().unwrap_or_default().to_owned(), node))
    };
    let (control, control_node) = field("control")?;
    let ours = controls_named(&control).map(|control| control.id.to_owned());
    let ids: Vec<String> = ours.chain(rules.named(&control).map(|rule| rule.id.clone())).collect();
    if ids.is_empty() {
        let message = format!("there is no control `{control}`");
        return Err(Unreadable::new(control_node.at, message, "`wardmote controls list` shows them all"));
    }
    let ((owner, _), (approver, approver_node)) = (field("owner")?, field("approver")?);
    if owner.eq_ignore_ascii_case(&approver) {
        let message = format!("`{approver}` approves a waiver of his own");
        return Err(Unreadable::new(
            approver_node.at,
            message,
            "somebody else than the owner must approve it",
        ));
    }
    let (expires, expires_node) = field("expires")?;
    if !is_date(&expires) {
        let message = format!("`{expires}` is no date; expected one such as `2026-12-31`");
        return Err(Unreadable::new(expires_node.at, message, "a waiver ends on a day"));
    }
    let ((resource, _), (reason, _)) = (field("resource")?, field("reason")?);
    let waiver = |id: String| Waiver {
        control: id,
        resource: resource.clone(),
        owner: owner.clone(),
        reason: reason.clone(),
        approver: approver.clone(),
        expires: expires.clone(),
        line: item.at.line,
    };
    Ok(ids.into_iter().map(waiver).collect())
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    match parts.as_slice() {
        [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2] => {
            number(year).is_some()
                && number(month).is_some_and(|month| (1..=12).contains(&month))
                && number(day).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

impl Waiver {
    /// Whether it is over on a day such as `2026-12-31`.
    #[must_use]
    pub fn is_over(&self, today: &str) -> bool {
        self.expires.as_str() < today
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn is_for(&self, finding: &Finding) -> bool {
        let named =
            finding.control() == self.control || finding.about.part_of() == Some(self.control.as_str());
        let names = [Some(&finding.subject.id), finding.subject.name.as_ref()];
        named && names.into_iter().flatten().any(|name| covers(&self.resource, name))
    }
}

impl Report {
    /// Puts waivers that are not over on what does not pass. Says for each whether it was of use.
    pub fn waive(&mut self, waivers: &[Waiver], today: &str) -> Vec<bool> {
        let mut used = vec![false; waivers.len()];
        for finding in self.findings_mut().iter_mut().filter(|finding| !finding.verdict.passes()) {
            let of = |(_, waiver): &(usize, &Waiver)| !waiver.is_over(today) && waiver.is_for(finding);
            if let Some((at, waiver)) = waivers.iter().enumerate().find(of) {
                used[at] = true;
                finding.waiver = Some(Box::new(waiver.clone()));
            }
        }
        used
    }
}
