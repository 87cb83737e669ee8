//! What a charter means for an account of AWS: which roles there are, what each does with which key, data and model.

use crate::template::{arn, get, logical, to};
use crate::{Authoriser, Settings};
use charter::model::{Charter, Dataset, Key, Model, Service};
use facts::{DataClassification, ModelStage, RoleId, TagSet, Tags};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The key that signs; all others encrypt.
const SIGNING_KEY: &str = "model-signing";
/// The role that reads everything that happened.
const AUDITOR: &str = "auditor";
/// How long evidence is kept if no model says it: ten years (EU AI Act Art. 18).
const EVIDENCE_DAYS: u32 = 3650;
/// How long things are locked for which the charter names no time.
pub(crate) const SHORT_LOCK_DAYS: u32 = 30;

/// A charter with what follows from it.
pub(crate) struct Site<'a> {
    pub(crate) charter: &'a Charter,
    pub(crate) settings: Settings,
    pub(crate) roles: BTreeMap<&'a RoleId, Role<'a>>,
}

/// What a role does.
#[derive(Default)]
pub(crate) struct Role<'a> {
    /// Whether people hold it; else only services do.
    pub(crate) held_by_people: bool,
    pub(crate) administers: Vec<&'a Key>,
    pub(crate) uses: Vec<&'a Key>,
    pub(crate) reads: Vec<&'a Dataset>,
    pub(crate) writes: Vec<&'a Dataset>,
    pub(crate) trains: Vec<&'a Model>,
    pub(crate) consumes: Vec<&'a Model>,
    pub(crate) audits: bool,
}

impl Role<'_> {
    /// Whether programs that touch data run under it.
    pub(crate) fn works(&self) -> bool {
        !(self.uses.is_empty() && self.reads.is_empty() && self.writes.is_empty() && self.trains.is_empty())
    }
}

/// What is said of an asset in tags.
pub(crate) struct About {
    pub(crate) tags: Tags,
    pub(crate) purpose: String,
    pub(crate) retention_days: Option<u32>,
}

impl<'a> Site<'a> {
    pub(crate) fn new(charter: &'a Charter, settings: Settings) -> Self {
        let mut roles: BTreeMap<&RoleId, Role<'_>> = BTreeMap::new();
        for key in &charter.keys {
            key.administrators.iter().for_each(|id| roles.entry(id).or_default().administers.push(key));
            key.users.iter().for_each(|id| roles.entry(id).or_default().uses.push(key));
        }
        for dataset in &charter.datasets {
            dataset.readers.iter().for_each(|id| roles.entry(id).or_default().reads.push(dataset));
            dataset.writers.iter().for_each(|id| roles.entry(id).or_default().writes.push(dataset));
        }
        for model in &charter.models {
            let trainer = charter.services.iter().find(|service| service.id == model.training.service);
            for id in trainer.into_iter().flat_map(|service| &service.roles) {
                roles.entry(id).or_default().trains.push(model);
            }
            model.endpoint.consumers.iter().for_each(|id| roles.entry(id).or_default().consumes.push(model));
        }
        for id in charter.people.iter().flat_map(|person| &person.roles).filter(|id| id.as_str() == AUDITOR) {
            roles.entry(id).or_default().audits = true;
        }
        let held: BTreeSet<&RoleId> = charter.people.iter().flat_map(|person| &person.roles).collect();
        roles.iter_mut().for_each(|(id, role)| role.held_by_people = held.contains(id));
        Self { charter, settings, roles }
    }

    /// The short id of the organisation, which names begin with.
    pub(crate) fn org(&self) -> &str {
        self.charter.organisation.id.as_str()
    }

    /// Whether callers of the API sign in with Cognito.
    pub(crate) fn by_cognito(&self) -> bool {
        self.settings.authoriser == Authoriser::Cognito
    }

    /// Whether the API is reached through PrivateLink only. Its policy cannot name those that Cognito knows, so then it
    /// names the way.
    pub(crate) fn is_private(&self) -> bool {
        self.settings.private || self.by_cognito()
    }

    /// The ARNs of the roles of these ids.
    pub(crate) fn arns<'r>(&self, ids: impl IntoIterator<Item = &'r RoleId>) -> Vec<Value> {
        let known: BTreeSet<&RoleId> = ids.into_iter().collect();
        known.into_iter().map(|id| arn(&role_id(id))).collect()
    }

    /// The administrators of all keys.
    pub(crate) fn administrators(&self) -> Vec<&'a RoleId> {
        self.roles.iter().filter(|(_, role)| !role.administers.is_empty()).map(|(id, _)| *id).collect()
    }

    /// Those who read what happened.
    pub(crate) fn auditors(&self) -> Vec<&'a RoleId> {
        self.roles.iter().filter(|(_, role)| role.audits).map(|(id, _)| *id).collect()
    }

    /// Those who work in the house: they use keys or data, or read what happened.
    pub(crate) fn members(&self) -> Vec<&'a RoleId> {
        self.roles.iter().filter(|(_, role)| role.works() || role.audits).map(|(id, _)| *id).collect()
    }

    /// The key of the data that a model learns from.
    pub(crate) fn key_of(&self, model: &Model) -> Option<&'a Key> {
        let dataset = self.charter.datasets.iter().find(|dataset| dataset.id == model.training.dataset)?;
        self.charter.keys.iter().find(|key| key.id == dataset.key)
    }

    /// The roles that make a model: those that train it, and those of its data's key that are services.
    pub(crate) fn makers(&self, model: &Model) -> BTreeSet<&'a RoleId> {
        let users = self.key_of(model).map(|key| key.users.as_slice()).unwrap_or_default();
        let makes = |(id, role): &(&&'a RoleId, &Role<'_>)| {
            role.trains.iter().any(|one| one.name == model.name)
                || (users.contains(id) && !role.held_by_people)
        };
        self.roles.iter().filter(makes).map(|(id, _)| *id).collect()
    }

    /// The services that may call a model.
    pub(crate) fn callers(&self) -> impl Iterator<Item = &'a Service> {
        let consumers: BTreeSet<&RoleId> =
            self.charter.models.iter().flat_map(|model| &model.endpoint.consumers).collect();
        let calls = move |service: &&Service| service.roles.iter().any(|role| consumers.contains(role));
        self.charter.services.iter().filter(calls)
    }

    /// For how long evidence is kept: the longest time that any model asks for.
    pub(crate) fn evidence_days(&self) -> u32 {
        let days = self.charter.models.iter().map(|model| model.retention.documents_days.get());
        days.max().unwrap_or(EVIDENCE_DAYS)
    }

    /// The tags of what all share: the first team answers for it, and it is as sensitive as the most sensitive thing.
    pub(crate) fn shared(&self) -> Tags {
        let own = || {
            let datasets = self.charter.datasets.iter().map(|dataset| &dataset.tags);
            datasets.chain(self.charter.models.iter().map(|model| &model.tags))
        };
        let scope = own().map(|tags| tags.compliance_scope.as_str()).find(|scope| *scope != "none");
        let owner = self.charter.teams.first().map(|team| team.id.to_string());
        Tags {
            owner: owner.unwrap_or_else(|| self.org().to_owned()),
            data_classification: own()
                .map(|tags| tags.data_classification)
                .max()
                .unwrap_or(DataClassification::Internal),
            model_stage: own().filter_map(|tags| tags.model_stage).max().or(Some(ModelStage::Production)),
            compliance_scope: scope.unwrap_or("none").to_owned(),
            other: BTreeMap::new(),
        }
    }

    /// The standard tags, as most services take them.
    pub(crate) fn tags(&self, tags: &Tags) -> Value {
        list(&self.set(tags))
    }

    /// The standard tags of what all share.
    pub(crate) fn shared_tags(&self) -> Value {
        self.tags(&self.shared())
    }

    /// The standard tags as an object, as some services take them.
    pub(crate) fn tag_map(&self) -> Value {
        json!(self.set(&self.shared()))
    }

    /// The tags of a bucket: the standard ones, and what the controls on buckets ask for.
    pub(crate) fn bucket_tags(&self, about: &About) -> Value {
        let mut set = self.set(&about.tags);
        let retention = about.retention_days.map_or("not set".to_owned(), |days| format!("{days} days"));
        set.insert("data-class".to_owned(), about.tags.data_classification.to_string());
        set.insert("purpose".to_owned(), about.purpose.clone());
        set.insert("retention".to_owned(), retention);
        list(&set)
    }

    /// The standard tags, and one more.
    pub(crate) fn tags_and(&self, key: &str, value: &str) -> Value {
        let mut set = self.set(&self.shared());
        set.insert(key.to_owned(), value.to_owned());
        list(&set)
    }

    fn set(&self, tags: &Tags) -> BTreeMap<String, String> {
        let TagSet(mut set) = TagSet::from(tags);
        let stage = self.shared_stage();
        set.entry("modelStage".to_owned()).or_insert(stage);
        set
    }

    fn shared_stage(&self) -> String {
        let stages = self.charter.models.iter().filter_map(|model| model.tags.model_stage);
        stages.max().unwrap_or(ModelStage::Production).to_string()
    }
}

fn list(set: &BTreeMap<String, String>) -> Value {
    set.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The logical id of a role of the charter.
pub(crate) fn role_id(id: &RoleId) -> String {
    format!("{}Role", logical(id.as_str()))
}

/// The logical id of a key of the charter.
pub(crate) fn key_id(key: &Key) -> String {
    format!("{}Key", logical(key.id.as_str()))
}

/// The logical id of the key of what is made of a model: artefacts, captured traffic, volumes.
pub(crate) fn model_key(model: &Model) -> String {
    format!("{}ModelKey", logical(model.name.as_str()))
}

/// Whether a key signs.
pub(crate) fn signs(key: &Key) -> bool {
    key.id.as_str() == SIGNING_KEY || key.signs_checkpoints()
}

/// The logical ids of the buckets of a data set and of a model.
pub(crate) fn data_bucket(dataset: &Dataset) -> String {
    format!("{}Data", logical(dataset.id.as_str()))
}

pub(crate) fn artefacts(model: &Model) -> String {
    format!("{}Artefacts", logical(model.name.as_str()))
}

pub(crate) fn capture(model: &Model) -> String {
    format!("{}Capture", logical(model.name.as_str()))
}

/// The subnets and the security group in which models and their jobs run.
pub(crate) fn vpc_config() -> Value {
    json!({"Subnets": [to("SubnetA"), to("SubnetB")], "SecurityGroupIds": [get("WorkloadGroup", "GroupId")]})
}
