//! Checks of gates that programs decide, and of what a charter allows beside the ordinary way: approval of one's own work, emergencies, and the reviews that
//! follow. An exception that nobody looks at is not one.

use crate::check::Checker;
use crate::checked::granters;
use crate::model::{Approval, Compensation, Model, Review};
use crate::node::Step::{self, Item, Key};
use facts::GateId;
use std::collections::{BTreeMap, BTreeSet};

impl Checker<'_> {
    /// Gates that a program decides need a program, and a name each.
    pub(crate) fn gates(&mut self, at: usize, model: &Model) {
        let mut seen = BTreeSet::new();
        for (n, gate) in model.gates.iter().enumerate() {
            let inside = |key: &'static str| [Key("models"), Item(at), Key("gates"), Item(n), Key(key)];
            if !seen.insert(&gate.id) {
                self.error(
                    &inside("id"),
                    format!("there are two gates named `{}`", gate.id),
                    "rename one of them".to_owned(),
                );
            }
            if gate.id == GateId::incumbent() {
                let message =
                    "the gate `incumbent` is the house's own: it compares a version with the one that serves";
                self.error(&inside("id"), message.to_owned(), "choose another name".to_owned());
            }
            if gate.command.is_empty() || gate.time_limit_seconds == 0 {
                let message =
                    format!("the gate `{}` could never hold: it has no program, or no time", gate.id);
                self.error(&inside("command"), message, "name a program, and a second or more".to_owned());
            }
        }
    }

    /// What must be on record is asked for once.
    pub(crate) fn evidence(&mut self, at: usize, model: &Model) {
        let Some(evidence) = &model.evidence else { return };
        let mut twice = |key: &'static str, words: Vec<String>| {
            for (n, word) in words.iter().enumerate().filter(|(n, word)| words[..*n].contains(word)) {
                let path = [Key("models"), Item(at), Key("evidence"), Key(key), Item(n)];
                self.error(&path, format!("`{word}` stands here twice"), "keep one of the two".to_owned());
            }
        };
        twice("lineage", evidence.lineage.iter().map(ToString::to_string).collect());
        twice("documents", evidence.documents.iter().map(ToString::to_string).collect());
    }

    pub(crate) fn exceptions(&mut self, at: usize, model: &Model) {
        let inside = |key: &'static str, of: &'static str| [Key("models"), Item(at), Key(key), Key(of)];
        if let Some(separation) = &model.separation {
            if separation.not_achievable.trim().is_empty() {
                let help = "say it in a sentence: it is shown wherever a version is".to_owned();
                let message = "it is not said why separation of duties cannot be achieved".to_owned();
                self.error(&inside("separation", "not_achievable"), message, help);
            }
            if separation.compensating.is_empty() {
                let message = "nothing stands in for separation of duties".to_owned();
                let help = "name at least one of `signed_approval`, `cooling_off` and `review`".to_owned();
                self.error(&inside("separation", "compensating"), message, help);
            }
            for (n, one) in separation.compensating.iter().enumerate() {
                let mut path = inside("separation", "compensating").to_vec();
                path.push(Item(n));
                match one {
                    Compensation::Review(review) => {
                        path.push(Key("review"));
                        self.review(&path, review);
                    }
                    Compensation::CoolingOff { hours: 0 } => {
                        path.extend([Key("cooling_off"), Key("hours")]);
                        let message = "a cooling-off of 0 hours is none".to_owned();
                        self.error(&path, message, "write 1 or more".to_owned());
                    }
                    Compensation::CoolingOff { .. } | Compensation::SignedApproval => {}
                }
            }
        }
        if let Some(glass) = &model.break_glass {
            self.refers_to_roles(&inside("break_glass", "roles"), &glass.roles);
            self.review(&inside("break_glass", "review"), &glass.review);
            if glass.max_hours == 0 || glass.roles.is_empty() {
                let message = format!("nobody could ever deploy `{}` in an emergency", model.name);
                let help = "name a role and 1 hour or more, or leave `break_glass` out".to_owned();
                self.error(&inside("break_glass", "roles"), message, help);
            }
        }
        if let Some(rollback) = &model.rollback {
            self.review(&inside("rollback", "review"), &rollback.review);
        }
    }

    fn review(&mut self, path: &[Step<'_>], review: &Review) {
        let inside = |key: &'static str| path.iter().copied().chain([Key(key)]).collect::<Vec<_>>();
        let known = self.roles();
        self.refers(&inside("role"), "role", &review.role, &known);
        if known.contains(&review.role.to_string()) && self.holders(review.role.as_str()).is_empty() {
            let message =
                format!("nobody holds the role `{}`, so that there would be no review", review.role);
            self.error(&inside("role"), message, "give the role to somebody".to_owned());
        }
        if review.within_hours == 0 {
            let message = "a review within 0 hours is late before it begins".to_owned();
            self.error(&inside("within_hours"), message, "write 1 or more".to_owned());
        }
    }

    /// An address is one person's, or an outsider's.
    pub(crate) fn emails(&mut self) {
        let charter = self.charter;
        let mut all: Vec<(Vec<Step<'_>>, &str, &str)> = Vec::new();
        for (at, person) in charter.people.iter().enumerate() {
            let with = |(n, address)| {
                (vec![Key("people"), Item(at), Key("emails"), Item(n)], address, person.id.as_str())
            };
            all.extend(person.emails.iter().map(String::as_str).enumerate().map(with));
        }
        let with = |(n, address)| (vec![Key("outside_committers"), Item(n)], address, "outside_committers");
        all.extend(charter.outside_committers.iter().map(String::as_str).enumerate().map(with));
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (path, address, holder) in all {
            if !address.contains('@') || address.contains(char::is_whitespace) {
                let help = "write it as Git has it: `git log --format=%ae`".to_owned();
                self.error(&path, format!("`{address}` is not an e-mail address"), help);
            } else if let Some(other) = seen.insert(address.to_lowercase(), holder) {
                let message = format!("the address `{address}` stands with `{other}` as well");
                self.error(&path, message, "an address is one person's: take one of them out".to_owned());
            }
        }
    }

    /// Whoever lets the data be used has a hand in what is made of them.
    pub(crate) fn granted(&mut self, path: &[Step<'_>], model: &Model, approval: &Approval) {
        let charter = self.charter;
        let mut granting = BTreeSet::new();
        let mut dataset = Some(&model.training.dataset);
        // A data set that is made from itself is another check's to complain about.
        for _ in 0..=charter.datasets.len() {
            let Some(current) = dataset.take() else { break };
            granting.extend(granters(charter, current));
            let made = charter.datasets.iter().find(|known| known.id == *current);
            dataset = made.and_then(|made| made.pseudonymised_from.as_ref()).map(|from| &from.source);
        }
        let holders = self.holders(approval.role.as_str());
        let free = holders.iter().filter(|id| !granting.contains(**id)).count();
        if free < approval.count as usize {
            let message = format!(
                "`{}` cannot be approved: who holds the role `{}` is of a team that owns its data",
                model.name, approval.role
            );
            self.warning(path, message, "give the role to somebody of another team");
        }
    }
}
