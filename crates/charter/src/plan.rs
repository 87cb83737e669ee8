//! What a charter means, and what a new one changes, in sentences.

use crate::Checked;
use crate::model::{Charter, Compensation, Model};
use serde::Serialize;
use std::fmt;

/// One consequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about: `people`, `keys`, `data`, `models`.
    pub area: &'static str,
    /// The sentence.
    pub sentence: String,
    /// Whether less is demanded, or more is allowed, than before.
    pub loosens: bool,
}

/// Everything that follows from putting a charter in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Whether there was none before.
    pub first: bool,
    /// Whether anything changes at all.
    pub unchanged: bool,
    /// The consequences.
    pub changes: Vec<Change>,
}

impl Plan {
    /// The sentences, for the record.
    pub fn sentences(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.sentence.clone()).collect()
    }

    /// Whether anything is loosened.
    pub fn loosens(&self) -> bool {
        self.changes.iter().any(|change| change.loosens)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unchanged {
            return writeln!(f, "this charter is in force already; nothing would change");
        }
        let mut area = "";
        for change in &self.changes {
            if change.area != area {
                area = change.area;
                writeln!(f, "{area}")?;
            }
            writeln!(
                f,
                "  {}{}",
                change.sentence,
                if change.loosens && !self.first { "  [loosens]" } else { "" }
            )?;
        }
        Ok(())
    }
}

/// What putting `new` in force would mean, `old` being in force now.
pub fn plan(old: Option<&Checked>, new: &Checked) -> Plan {
    let after = statements(new.charter());
    let Some(old) = old else {
        return Plan {
            first: true,
            unchanged: false,
            changes: after.into_iter().map(|s| s.change("")).collect(),
        };
    };
    let before = statements(old.charter());
    let mut changes = Vec::new();
    for gone in
        before.iter().filter(|statement| !after.iter().any(|other| other.sentence == statement.sentence))
    {
        changes.push(Change { loosens: gone.demands, ..gone.change("no longer: ") });
    }
    for come in
        after.iter().filter(|statement| !before.iter().any(|other| other.sentence == statement.sentence))
    {
        changes.push(Change { loosens: !come.demands, ..come.change("new: ") });
    }
    changes.sort_by_key(|change| change.area);
    Plan { first: false, unchanged: old.digest() == new.digest(), changes }
}

/// Something that a charter says, either a demand or a permission.
struct Statement {
    area: &'static str,
    sentence: String,
    demands: bool,
}

impl Statement {
    fn change(&self, prefix: &str) -> Change {
        Change { area: self.area, sentence: format!("{prefix}{}", self.sentence), loosens: !self.demands }
    }
}

fn statements(charter: &Charter) -> Vec<Statement> {
    let mut list = Vec::new();
    let mut say = |area, demands, sentence: String| list.push(Statement { area, sentence, demands });
    for person in &charter.people {
        say("people", false, format!("{} ({}) acts as {}", person.name, person.id, words(&person.roles)));
        if let Some(key) = &person.public_key {
            say("people", true, format!("{} signs approvals with the key {key} and no other", person.id));
        }
        if !person.emails.is_empty() {
            say("people", true, format!("{} commits code as {}", person.id, words(&person.emails)));
        }
    }
    if !charter.outside_committers.is_empty() {
        let text = format!(
            "code is also committed, by nobody of the people, as {}",
            words(&charter.outside_committers)
        );
        say("people", false, text);
    }
    for service in &charter.services {
        say("people", false, format!("the service {} acts as {}", service.id, words(&service.roles)));
        if let Some(quota) = service.quota {
            let day = quota.requests_per_day.map_or_else(String::new, |day| format!(", {day} a day"));
            let text = format!(
                "{} may call {} times a second, {} at once{day}",
                service.id, quota.requests_per_second, quota.burst
            );
            say("people", true, text);
        }
    }
    for key in &charter.keys {
        let text = format!(
            "the key {} is administered by {} and used by {}",
            key.id,
            words(&key.administrators),
            words(&key.users)
        );
        say("keys", false, text);
    }
    for dataset in &charter.datasets {
        let text = format!(
            "{} ({}) is read by {} and written by {}",
            dataset.id,
            dataset.tags.data_classification,
            words(&dataset.readers),
            words(&dataset.writers)
        );
        say("data", false, text);
        if let Some(rule) = &dataset.pseudonymised_from {
            say("data", true, format!("{} is pseudonymised from {}", dataset.id, rule.source));
        }
    }
    for model in &charter.models {
        model_statements(model, &mut say);
    }
    for policy in &charter.policies {
        say("policies", true, format!("the policy {} of this organisation holds", policy.id));
    }
    list
}

fn model_statements(model: &Model, say: &mut impl FnMut(&'static str, bool, String)) {
    let name = &model.name;
    for criterion in &model.acceptance {
        say("models", true, format!("{name} is accepted only with {criterion}"));
    }
    for gate in &model.gates {
        let program = gate.command.join(" ");
        say(
            "models",
            true,
            format!("{name} is accepted only if `{program}` says that the gate {} holds", gate.id),
        );
    }
    evidence(model, say);
    for approval in &model.approvals {
        let people =
            if approval.count == 1 { "1 person".to_owned() } else { format!("{} people", approval.count) };
        say(
            "models",
            true,
            format!(
                "{name} needs the approval of {people} with the role {}, valid for {} days{}",
                approval.role,
                approval.valid_days.get(),
                if approval.signed { ", signed with their own keys" } else { "" }
            ),
        );
    }
    exceptions(model, say);
    say(
        "models",
        false,
        format!("{name} is trained as {} on {}", model.training.service, model.training.dataset),
    );
    say(
        "models",
        false,
        format!(
            "{name} is served at /endpoints/{}/invocations to {}",
            model.endpoint.name,
            words(&model.endpoint.consumers)
        ),
    );
    if let Some(on) = &model.endpoint.serve_on {
        say("models", false, crate::serving::sentence(model, on));
    }
    for rule in &model.alerts {
        let side = match rule.direction() {
            facts::Direction::Below => "below",
            facts::Direction::Above => "above",
        };
        say(
            "models",
            true,
            format!("{name}: {} {side} {} leads to {}", rule.metric, rule.threshold, rule.action),
        );
    }
    let retention = &model.retention;
    say(
        "models",
        true,
        format!(
            "{name}: captured traffic is kept {} days, documents {} days",
            retention.capture_days.get(),
            retention.documents_days.get()
        ),
    );
}

/// What must be on record.
fn evidence(model: &Model, say: &mut impl FnMut(&'static str, bool, String)) {
    let (name, Some(evidence)) = (&model.name, &model.evidence) else { return };
    for kind in &evidence.lineage {
        say("models", true, format!("{name} is approved only if {} is on record", kind.spoken()));
    }
    for kind in &evidence.documents {
        say("models", true, format!("{name} is approved only if the document {kind} is on record"));
    }
    if let Some(days) = evidence.validation_days {
        let text =
            format!("{name} is approved and deployed only on a validation of the last {} days", days.get());
        say("models", true, text);
    }
}

/// What is allowed beside the ordinary way, and who looks at it.
fn exceptions(model: &Model, say: &mut impl FnMut(&'static str, bool, String)) {
    let name = &model.name;
    if let Some(separation) = &model.separation {
        let why = &separation.not_achievable;
        say("models", false, format!("{name}: separation of duties is not achieved: {why}"));
        for one in &separation.compensating {
            let text = match one {
                Compensation::SignedApproval => "a signed approval".to_owned(),
                Compensation::CoolingOff { hours } => {
                    format!("{hours} hours between registration and approval")
                }
                Compensation::Review(review) => {
                    format!("a review by {} within {} hours of deployment", review.role, review.within_hours)
                }
            };
            say("models", true, format!("{name}: for separation of duties stands {text}"));
        }
    }
    if let Some(glass) = &model.break_glass {
        let text = format!(
            "{name} may be deployed without approvals by {} for at most {} hours, with a review by {} within {} hours",
            words(&glass.roles),
            glass.max_hours,
            glass.review.role,
            glass.review.within_hours
        );
        say("models", false, text);
    }
    if let Some(rollback) = &model.rollback {
        let review = &rollback.review;
        let text =
            format!("{name}: a rollback is reviewed by {} within {} hours", review.role, review.within_hours);
        say("models", true, text);
    }
}

fn words(list: &[impl fmt::Display]) -> String {
    if list.is_empty() {
        return "nobody".to_owned();
    }
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
