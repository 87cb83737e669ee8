//! What types cannot say: references that lead nowhere, thresholds that nothing can meet, approvers who do not exist.

use crate::BUILT_IN_ROLES;
use crate::model::{Charter, ColumnRole, Dataset, Model, RiskTier, Transformation};
use crate::node::{Node, Step};
use crate::shape::{Misfit, suggest};
use facts::{PersonId, RoleId};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Display;

/// The metrics that alert rules can watch, and whether each lies between 0 and 1.
pub(crate) const ALERT_METRICS: [(&str, bool); 12] = [
    ("model_accuracy", true),
    ("model_auc", true),
    ("model_precision", true),
    ("model_recall", true),
    ("model_f1", true),
    ("positive_rate", true),
    ("max_feature_psi", false),
    ("drifted_features", false),
    ("requests", false),
    ("labels", false),
    ("demographic_parity_difference", true),
    ("equal_opportunity_difference", true),
];

/// Errors and warnings.
pub(crate) fn check(charter: &Charter, tree: &Node) -> (Vec<Misfit>, Vec<Misfit>) {
    let mut checker = Checker { charter, tree, errors: Vec::new(), warnings: Vec::new() };
    checker.version();
    checker.people();
    checker.keys();
    charter.datasets.iter().enumerate().for_each(|(at, dataset)| checker.dataset(at, dataset));
    charter.models.iter().enumerate().for_each(|(at, model)| checker.model(at, model));
    checker.unique("models", "model", charter.models.iter().map(|model| model.name.as_str()), "name");
    checker.unique("datasets", "data set", charter.datasets.iter().map(|dataset| dataset.id.as_str()), "id");
    (checker.errors, checker.warnings)
}

pub(crate) struct Checker<'a> {
    pub(crate) charter: &'a Charter,
    tree: &'a Node,
    errors: Vec<Misfit>,
    warnings: Vec<Misfit>,
}

use Step::{Item, Key, KeyItself};

impl Checker<'_> {
    pub(crate) fn error(&mut self, path: &[Step<'_>], message: String, help: impl Into<Option<String>>) {
        self.errors.push(Misfit { at: self.tree.place_of(path), message, help: help.into() });
    }

    pub(crate) fn warning(&mut self, path: &[Step<'_>], message: String, help: &str) {
        self.warnings.push(Misfit { at: self.tree.place_of(path), message, help: Some(help.to_owned()) });
    }

    fn version(&mut self) {
        if self.charter.charter != 1 {
            let message =
                format!("this is a charter of version {}, and only version 1 is known", self.charter.charter);
            self.error(&[Key("charter")], message, "write `charter: 1`".to_owned());
        }
    }

    fn unique<'n>(
        &mut self,
        list: &'static str,
        what: &str,
        names: impl Iterator<Item = &'n str>,
        key: &'static str,
    ) {
        let mut seen = BTreeSet::new();
        for (at, name) in names.enumerate() {
            if !seen.insert(name) {
                self.error(
                    &[Key(list), Item(at), Key(key)],
                    format!("there are two {what}s named `{name}`"),
                    "rename one of them".to_owned(),
                );
            }
        }
    }

    /// Complains unless `name` is one of `known`.
    pub(crate) fn refers(&mut self, path: &[Step<'_>], what: &str, name: &impl Display, known: &[String]) {
        let name = name.to_string();
        if !known.contains(&name) {
            let help = if known.is_empty() {
                format!("there is no {what} at all yet")
            } else {
                suggest(&name, known)
            };
            self.error(path, format!("there is no {what} `{name}`"), help);
        }
    }

    pub(crate) fn roles(&self) -> Vec<String> {
        let own = self.charter.roles.iter().map(|role| role.id.to_string());
        own.chain(BUILT_IN_ROLES.iter().map(|(id, _)| (*id).to_owned())).collect()
    }

    pub(crate) fn refers_to_roles(&mut self, path: &[Step<'_>], roles: &[RoleId]) {
        let known = self.roles();
        for (at, role) in roles.iter().enumerate() {
            let path: Vec<Step<'_>> = path.iter().copied().chain([Item(at)]).collect();
            self.refers(&path, "role", role, &known);
        }
    }

    fn people(&mut self) {
        let charter = self.charter;
        self.emails();
        let mut seen: BTreeSet<&PersonId> = BTreeSet::new();
        for (at, person) in charter.people.iter().enumerate() {
            if !seen.insert(&person.id) {
                self.error(
                    &[Key("people"), Item(at), Key("id")],
                    format!("there are two people with the id `{}`", person.id),
                    "give one of them another id".to_owned(),
                );
            }
            self.refers_to_roles(&[Key("people"), Item(at), Key("roles")], &person.roles);
            let expected = format!("{}/{}", charter.organisation.id, person.id);
            if let Some(key) = person.public_key.as_ref().filter(|key| key.name() != expected) {
                let message = format!("this is the key of `{}`, not of `{expected}`", key.name());
                let help = format!("`wardmote key new --as {}` makes one and prints it", person.id);
                self.error(&[Key("people"), Item(at), Key("public_key")], message, help);
            }
        }
        for (at, service) in charter.services.iter().enumerate() {
            if !seen.insert(&service.id) {
                let message = format!("the id `{}` is taken by another person or service", service.id);
                self.error(
                    &[Key("services"), Item(at), Key("id")],
                    message,
                    "give one of them another id".to_owned(),
                );
            }
            self.refers_to_roles(&[Key("services"), Item(at), Key("roles")], &service.roles);
            if let Some(quota) = service.quota.filter(|quota| {
                quota.requests_per_second.partial_cmp(&0.0) != Some(Ordering::Greater) || quota.burst == 0
            }) {
                let path = [Key("services"), Item(at), Key("quota")];
                let message = format!(
                    "a quota of {} requests a second with a burst of {} admits nothing",
                    quota.requests_per_second, quota.burst
                );
                self.error(
                    &path,
                    message,
                    "leave `quota` out for no limit; take the role away for no access".to_owned(),
                );
            }
        }
        let known: Vec<String> = charter.people.iter().map(|person| person.id.to_string()).collect();
        for (at, team) in charter.teams.iter().enumerate() {
            for (n, person) in team.people.iter().enumerate() {
                self.refers(&[Key("teams"), Item(at), Key("people"), Item(n)], "person", person, &known);
            }
        }
        self.unique("teams", "team", charter.teams.iter().map(|team| team.id.as_str()), "id");
        if self.holders("compliance-officer").is_empty() {
            let help =
                "give the role to somebody: only a compliance officer puts charters in force".to_owned();
            self.error(&[KeyItself("people")], "nobody has the role `compliance-officer`".to_owned(), help);
        }
    }

    pub(crate) fn holders(&self, role: &str) -> Vec<&PersonId> {
        let holds = |roles: &[RoleId]| roles.iter().any(|held| held.as_str() == role);
        self.charter.people.iter().filter(|person| holds(&person.roles)).map(|person| &person.id).collect()
    }

    fn keys(&mut self) {
        let charter = self.charter;
        self.unique("keys", "key", charter.keys.iter().map(|key| key.id.as_str()), "id");
        for (at, key) in charter.keys.iter().enumerate() {
            self.refers_to_roles(&[Key("keys"), Item(at), Key("administrators")], &key.administrators);
            self.refers_to_roles(&[Key("keys"), Item(at), Key("users")], &key.users);
            let both = charter.people.iter().find(|person| {
                let has = |roles: &[RoleId]| person.roles.iter().any(|role| roles.contains(role));
                has(&key.administrators) && has(&key.users)
            });
            if let Some(person) = both {
                let message = format!("`{}` could both administer and use the key `{}`", person.id, key.id);
                let help =
                    "whoever administers a key must not use it: take one of the roles from them".to_owned();
                self.error(&[Key("keys"), Item(at), Key("users")], message, help);
            }
        }
    }

    fn tags(&mut self, path: &[Step<'_>], tags: &facts::Tags, stage_needed: bool) {
        let flat = facts::TagSet::from(tags).0;
        let standard = &self.charter.tag_standard;
        let with = |key: &'static str| -> Vec<Step<'_>> {
            path.iter().copied().chain([Key("tags"), Key(key)]).collect()
        };
        let teams: Vec<String> = self.charter.teams.iter().map(|team| team.id.to_string()).collect();
        let missing: Vec<&String> = standard
            .required
            .iter()
            .filter(|key| !flat.contains_key(*key) && (stage_needed || *key != "modelStage"))
            .collect();
        let wrong: Vec<(&String, &String)> = flat
            .iter()
            .filter(|(key, value)| standard.allowed.get(*key).is_some_and(|allowed| !allowed.contains(value)))
            .collect();
        let base: Vec<Step<'_>> = path.iter().copied().chain([KeyItself("tags")]).collect();
        for key in missing {
            self.error(&base, format!("the tag `{key}` is missing, which the tag standard demands"), None);
        }
        for (key, value) in wrong {
            let allowed = self.charter.tag_standard.allowed.get(key).cloned().unwrap_or_default();
            let place: Vec<Step<'_>> = path.iter().copied().chain([Key("tags"), Key(key)]).collect();
            self.error(
                &place,
                format!("the tag standard does not allow `{value}` for the tag `{key}`"),
                suggest(value, &allowed),
            );
        }
        self.refers(&with("owner"), "team", &tags.owner, &teams);
    }

    fn dataset(&mut self, at: usize, dataset: &Dataset) {
        let base = [Key("datasets"), Item(at)];
        let inside = |key: &'static str| [Key("datasets"), Item(at), Key(key)];
        self.tags(&base, &dataset.tags, false);
        let keys: Vec<String> = self.charter.keys.iter().map(|key| key.id.to_string()).collect();
        self.refers(&inside("key"), "key", &dataset.key, &keys);
        self.refers_to_roles(&inside("writers"), &dataset.writers);
        self.refers_to_roles(&inside("readers"), &dataset.readers);
        let mut seen = BTreeSet::new();
        for (n, column) in dataset.columns.iter().enumerate() {
            if !seen.insert(&column.name) {
                let path = [Key("datasets"), Item(at), Key("columns"), Item(n), Key("name")];
                self.error(&path, format!("there are two columns named `{}`", column.name), None);
            }
        }
        self.pseudonymisation(at, dataset);
    }

    fn pseudonymisation(&mut self, at: usize, dataset: &Dataset) {
        let Some(rule) = &dataset.pseudonymised_from else { return };
        let path = [Key("datasets"), Item(at), Key("pseudonymised_from"), Key("source")];
        let known: Vec<String> = self.charter.datasets.iter().map(|dataset| dataset.id.to_string()).collect();
        self.refers(&path, "data set", &rule.source, &known);
        let Some(source) = self.charter.datasets.iter().find(|other| other.id == rule.source) else { return };
        let columns: Vec<String> = source.columns.iter().map(|column| column.name.to_string()).collect();
        let list = [Key("datasets"), Item(at), Key("pseudonymised_from"), KeyItself("columns")];
        for column in &source.columns {
            match rule.columns.get(&column.name) {
                None => {
                    let help = "name a transformation, `drop` if nothing else".to_owned();
                    self.error(
                        &list,
                        format!("nothing is said about the column `{}` of `{}`", column.name, source.id),
                        help,
                    );
                }
                Some(Transformation::Keep) if column.role == ColumnRole::Identifier => {
                    let path = [
                        Key("datasets"),
                        Item(at),
                        Key("pseudonymised_from"),
                        Key("columns"),
                        Key(column.name.as_str()),
                    ];
                    let help = "use `drop`, or `token: {domain: ...}`".to_owned();
                    self.error(
                        &path,
                        format!("the identifier `{}` would be kept as it is", column.name),
                        help,
                    );
                }
                Some(_) => {}
            }
        }
        for name in rule.columns.keys() {
            let path = [
                Key("datasets"),
                Item(at),
                Key("pseudonymised_from"),
                Key("columns"),
                KeyItself(name.as_str()),
            ];
            self.refers(&path, "column", name, &columns);
        }
        let dropped =
            |name: &facts::ColumnName| matches!(rule.columns.get(name), Some(Transformation::Drop) | None);
        let made: Vec<&facts::ColumnName> =
            source.columns.iter().map(|column| &column.name).filter(|name| !dropped(name)).collect();
        let declared: Vec<&facts::ColumnName> = dataset.columns.iter().map(|column| &column.name).collect();
        if made != declared && made.iter().all(|name| rule.columns.contains_key(*name)) {
            let names = |list: &[&facts::ColumnName]| {
                list.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            };
            let message = format!("the transformations make other columns than `{}` declares", dataset.id);
            self.error(
                &[Key("datasets"), Item(at), KeyItself("columns")],
                message,
                format!("they make {}", names(&made)),
            );
        }
    }

    fn model(&mut self, at: usize, model: &Model) {
        let inside = |key: &'static str| [Key("models"), Item(at), Key(key)];
        self.tags(&[Key("models"), Item(at)], &model.tags, true);
        self.refers_to_roles(
            &[Key("models"), Item(at), Key("endpoint"), Key("consumers")],
            &model.endpoint.consumers,
        );
        self.training(at, model);
        if model.acceptance.is_empty() {
            self.error(
                &inside("acceptance"),
                format!("nothing is demanded of `{}`", model.name),
                "name at least one criterion, such as `{metric: accuracy, at_least: 0.7}`".to_owned(),
            );
        }
        self.acceptance(at, model);
        self.approvals(at, model);
        self.gates(at, model);
        self.evidence(at, model);
        self.exceptions(at, model);
        self.serving(at, model);
        self.monitor(at, model);
        let days = model.retention.capture_days.get();
        if model.risk_tier == RiskTier::High && days < 183 {
            let path = [Key("models"), Item(at), Key("retention"), Key("capture_days")];
            let message = format!("logs of a high-risk system are kept for {days} days only");
            self.warning(
                &path,
                message,
                "the EU AI Act (Art. 19 and 26(6)) asks for at least six months: 183 days or more",
            );
        }
    }

    fn training(&mut self, at: usize, model: &Model) {
        let inside = |key: &'static str| [Key("models"), Item(at), Key("training"), Key(key)];
        let datasets: Vec<String> =
            self.charter.datasets.iter().map(|dataset| dataset.id.to_string()).collect();
        let services: Vec<String> =
            self.charter.services.iter().map(|service| service.id.to_string()).collect();
        self.refers(&inside("dataset"), "data set", &model.training.dataset, &datasets);
        self.refers(&inside("service"), "service", &model.training.service, &services);
        if model.training.command.is_empty() {
            self.error(
                &inside("command"),
                "the training command is empty".to_owned(),
                "name a program".to_owned(),
            );
        }
        let share = model.training.validation_share;
        if !(share > 0.0 && share < 1.0) {
            let message = format!(
                "a validation share of {share} leaves nothing to train on, or nothing to validate with"
            );
            self.error(
                &inside("validation_share"),
                message,
                "choose a number between 0 and 1, such as 0.3".to_owned(),
            );
        }
        let dataset = self.charter.datasets.iter().find(|dataset| dataset.id == model.training.dataset);
        let labels = dataset
            .map(|dataset| dataset.columns.iter().filter(|column| column.role == ColumnRole::Label).count());
        if labels.is_some_and(|labels| labels != 1) {
            let message = format!(
                "`{}` has {} label columns, and training needs one",
                model.training.dataset,
                labels.unwrap_or(0)
            );
            self.error(&inside("dataset"), message, "give one column `role: label`".to_owned());
        }
    }

    fn approvals(&mut self, at: usize, model: &Model) {
        if model.approvals.is_empty() {
            let help = "name at least one role, such as `business-owner`".to_owned();
            self.error(
                &[Key("models"), Item(at), Key("approvals")],
                format!("nobody has to approve `{}`", model.name),
                help,
            );
        }
        let known = self.roles();
        for (n, approval) in model.approvals.iter().enumerate() {
            let inside = |key: &'static str| [Key("models"), Item(at), Key("approvals"), Item(n), Key(key)];
            self.refers(&inside("role"), "role", &approval.role, &known);
            if !known.contains(&approval.role.to_string()) {
                continue;
            }
            let holders = self.holders(approval.role.as_str());
            let (count, ids) =
                (holders.len(), holders.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "));
            if approval.count == 0 {
                self.error(
                    &inside("count"),
                    "an approval by nobody is no approval".to_owned(),
                    "write 1 or more".to_owned(),
                );
            } else if count < approval.count as usize {
                let who = if count == 0 { "nobody holds".to_owned() } else { format!("only {ids} holds") };
                let message = format!(
                    "{} people with the role `{}` must approve, and {who} it",
                    approval.count, approval.role
                );
                self.error(
                    &inside("role"),
                    message,
                    "give the role to more people, or ask for fewer".to_owned(),
                );
            }
            let engineers = self.holders("ml-engineer");
            let free = self
                .holders(approval.role.as_str())
                .iter()
                .filter(|id| engineers.len() > 1 || !engineers.contains(id))
                .count();
            let separated = model.separation.is_none() && count >= approval.count as usize;
            if separated && free < approval.count as usize {
                let message =
                    format!("the only people who could approve `{}` are the ones who make it", model.name);
                self.error(
                    &inside("role"),
                    message,
                    "nobody approves their own work: give the role to somebody else".to_owned(),
                );
            } else if separated {
                self.granted(&inside("role"), model, approval);
            }
        }
    }

    fn monitor(&mut self, at: usize, model: &Model) {
        let inside = |key: &'static str| [Key("models"), Item(at), Key("monitor"), Key(key)];
        if model.monitor.min_samples == 0 || model.monitor.window_requests < model.monitor.min_samples {
            let message = format!(
                "a window of {} requests can never hold {} samples",
                model.monitor.window_requests, model.monitor.min_samples
            );
            self.error(
                &inside("min_samples"),
                message,
                "make the window larger, and `min_samples` at least 1".to_owned(),
            );
        }
        if model.monitor.drift_psi.partial_cmp(&0.0) != Some(Ordering::Greater) {
            self.error(
                &inside("drift_psi"),
                "a PSI above 0 is nothing unusual".to_owned(),
                "0.1 and 0.2 are customary".to_owned(),
            );
        }
        let known: Vec<String> = ALERT_METRICS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for (n, rule) in model.alerts.iter().enumerate() {
            let inside = |key: &'static str| [Key("models"), Item(at), Key("alerts"), Item(n), Key(key)];
            self.refers(&inside("metric"), "metric", &rule.metric, &known);
            let bounded =
                ALERT_METRICS.iter().any(|(name, bounded)| *bounded && *name == rule.metric.as_str());
            if !rule.threshold.is_finite() || (bounded && !(0.0..=1.0).contains(&rule.threshold)) {
                let message = format!(
                    "`{}` lies between 0 and 1, so a threshold of {} fires always or never",
                    rule.metric, rule.threshold
                );
                self.error(&inside("threshold"), message, "choose a number from 0 to 1".to_owned());
            }
        }
    }
}
