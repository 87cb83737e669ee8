//! What a charter says: plain types, from which the JSON Schema is generated. A [`Charter`] can be had only from
//! [`crate::read`], which has checked everything that can be checked about it.

use facts::serving::ServeOn;
use facts::{
    AlertRule, ColumnName, ControlRule, Criterion, DataClassification, DatasetId, Days, DocumentKind,
    EndpointName, GateId, KeyId, LineageKind, ModelName, ModelStage, PersonId, RoleId, Tags, TeamId,
    VerifierKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The constitution of an organisation's models: who there is, what is demanded, and what happens when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// The version of this format: 1.
    pub charter: u32,
    /// Whose charter it is.
    pub organisation: Organisation,
    /// Roles beside the built-in ones (see [`crate::BUILT_IN_ROLES`]).
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The teams.
    #[serde(default)]
    pub teams: Vec<Team>,
    /// The people.
    pub people: Vec<Person>,
    /// E-mail addresses of those who commit code and are none of the people: contractors, robots, the Git server itself.
    /// As soon as any address is listed, it must be known of every version who committed its code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_committers: Vec<String>,
    /// The programs that act under an identity of their own.
    #[serde(default)]
    pub services: Vec<Service>,
    /// The tag standard.
    pub tag_standard: TagStandard,
    /// The keys that protect data at rest.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// The data sets.
    #[serde(default)]
    pub datasets: Vec<Dataset>,
    /// The models.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Controls to check, as `{rule, scope, remediation}`.
    #[serde(default)]
    pub controls: Vec<ControlRule>,
    /// Further Cedar policies of this organisation. They can forbid more and permit more; they cannot lift the
    /// product's own `forbid` policies, because in Cedar a forbid always wins.
    #[serde(default)]
    pub policies: Vec<Policy>,
}

/// Whose charter it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Short id, used in names and as origin of the ledger: `first-example-bank`.
    pub id: TeamId,
    /// The full name.
    pub name: String,
}

/// A role of this organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// What those who hold it answer for.
    pub description: String,
}

/// A team: owner of assets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its id, which is also the value of the tag `owner`.
    pub id: TeamId,
    /// The full name.
    pub name: String,
    /// Who belongs to it.
    pub people: Vec<PersonId>,
}

/// A natural person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The id under which the person acts and is recorded.
    pub id: PersonId,
    /// The full name.
    pub name: String,
    /// The roles that the person holds.
    pub roles: Vec<RoleId>,
    /// The key with which the person signs approvals, as `wardmote key new` prints it. If it is named here, no other counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<VerifierKey>,
    /// The e-mail addresses under which the person commits code: whoever committed a version's code cannot approve it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
}

/// A program with an identity of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The id under which it acts and is recorded.
    pub id: PersonId,
    /// What it does.
    pub description: String,
    /// The roles that it holds.
    pub roles: Vec<RoleId>,
    /// How much it may call endpoints.
    #[serde(default)]
    pub quota: Option<Quota>,
}

/// A usage plan, as Amazon API Gateway has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Steady rate.
    pub requests_per_second: f64,
    /// How many requests may come at once.
    pub burst: u32,
    /// The most in one UTC day; no limit if absent.
    #[serde(default)]
    pub requests_per_day: Option<u64>,
}

/// Which tags every asset must carry, and the values allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagStandard {
    /// Tags that may not be missing, beside `owner`, `dataClassification` and `complianceScope`.
    #[serde(default)]
    pub required: Vec<String>,
    /// For tags with a closed list of values: the list.
    #[serde(default)]
    pub allowed: BTreeMap<String, Vec<String>>,
}

/// A key-encryption key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// What it protects.
    pub description: String,
    /// The roles that may create, disable, enable and rotate it. They must not be users of it.
    pub administrators: Vec<RoleId>,
    /// The roles that may encrypt and decrypt with it. They must not be administrators of it.
    pub users: Vec<RoleId>,
}

/// What the ids of keys begin with that sign checkpoints of the ledger.
const LEDGER_SIGNING: &str = "ledger-signing";

impl Key {
    /// Whether it signs checkpoints of the ledger: `ledger-signing`, or `ledger-signing-` and more. Of several, the last one in
    /// the charter does; another one is how they are rotated, because a key that signs never gets other material.
    pub fn signs_checkpoints(&self) -> bool {
        let rest = self.id.as_str().strip_prefix(LEDGER_SIGNING);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// A data set: its columns, who may read it, and how it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// What is in it and where it comes from.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
    /// The key that encrypts its snapshots.
    pub key: KeyId,
    /// The roles that may import or make snapshots.
    pub writers: Vec<RoleId>,
    /// The roles that may read its snapshots.
    pub readers: Vec<RoleId>,
    /// The columns, in order. A file with others is refused.
    pub columns: Vec<Column>,
    /// If this data set is pseudonymised from another: which, and how.
    #[serde(default)]
    pub pseudonymised_from: Option<Pseudonymisation>,
    /// How many days a snapshot is kept.
    #[serde(default)]
    pub retention_days: Option<Days>,
}

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// Names a person directly, or a key that does.
    Identifier,
    /// Known to others about a person: counts towards the re-identification risk; may be used for training.
    QuasiIdentifier,
    /// A sensitive attribute: readable for fairness checks only, never given to training.
    Sensitive,
    /// An input of the model.
    Feature,
    /// What the model learns to predict.
    Label,
}

/// Whether a column holds numbers or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Numbers.
    Number,
    /// Words from a list, not ordered.
    Category,
}

/// A column of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As the header has it.
    pub name: ColumnName,
    /// What it means.
    pub role: ColumnRole,
    /// Numbers or words.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// How a pseudonymised data set is made from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pseudonymisation {
    /// The data set that it is made from.
    pub source: DatasetId,
    /// Column of the source, and what becomes of it. Every column of the source must be named.
    pub columns: BTreeMap<ColumnName, Transformation>,
    /// The most that may remain; a snapshot above it is refused.
    #[serde(default)]
    pub risk_limits: RiskLimits,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transformation {
    /// Left out.
    Drop,
    /// Kept as it is.
    Keep,
    /// Replaced by a keyed token (HMAC-SHA-256). The same value gives the same token within one domain, and
    /// unrelated ones in different domains.
    Token {
        /// The pseudonymisation domain.
        domain: String,
    },
    /// A number becomes the band that it falls in: `30-39`.
    Band {
        /// Width of a band.
        width: f64,
        /// Everything below falls in one band.
        #[serde(default)]
        from: Option<f64>,
        /// Everything from here on falls in one band.
        #[serde(default)]
        to: Option<f64>,
    },
    /// A number is rounded to a multiple, and stays a number.
    Round {
        /// The multiple.
        to: f64,
    },
    /// Words become coarser words; words that are not named become `other`.
    Map {
        /// Word, and the coarser word.
        words: BTreeMap<String, String>,
    },
}

/// The most re-identification risk that may remain. What is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskLimits {
    /// The smallest group of records that look alike.
    #[serde(default)]
    pub min_k: Option<u32>,
    /// The largest share of records that are alone in their group, from 0 to 1.
    #[serde(default)]
    pub max_unique_share: Option<f64>,
}

/// A model under governance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name in the registry.
    pub name: ModelName,
    /// What it is for.
    pub purpose: String,
    /// Its tags.
    pub tags: Tags,
    /// The risk tier (EU AI Act).
    pub risk_tier: RiskTier,
    /// How a version is trained.
    pub training: Training,
    /// What a version must show before anybody may approve it.
    pub acceptance: Vec<Criterion>,
    /// Further gates, each decided by a program; see `docs/approvals.md` for what it gets and what it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// What must be on record of a version before anybody may approve it, beside what it was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Who must approve, in order.
    pub approvals: Vec<Approval>,
    /// That whoever had a hand in a version cannot be kept from approving it, and what stands in for that. Where this is
    /// absent, they are kept from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separation: Option<Separation>,
    /// Who may deploy a version without approvals in an emergency. Where this is absent, nobody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// Who looks at a rollback afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// Where it serves.
    pub endpoint: Endpoint,
    /// How it is watched.
    pub monitor: Monitor,
    /// What happens when it is no longer good.
    #[serde(default)]
    pub alerts: Vec<AlertRule>,
    /// How long records are kept.
    pub retention: Retention,
}

/// Risk tiers of the EU AI Act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RiskTier {
    /// No duties of its own.
    Minimal,
    /// Duties of transparency.
    Limited,
    /// Annex III and Annex I systems.
    High,
}

/// How a version is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The data set that training reads.
    pub dataset: DatasetId,
    /// The service under whose identity the program runs.
    pub service: PersonId,
    /// Program and arguments, run in the folder of the charter. See the manual for the environment it gets.
    pub command: Vec<String>,
    /// The folder of the program's source, in a Git checkout, from which the commit is recorded; the folder of the
    /// charter if absent.
    #[serde(default)]
    pub code: Option<String>,
    /// Hyperparameters to start from.
    #[serde(default)]
    pub hyperparameters: BTreeMap<String, String>,
    /// The value of the label column that counts as positive.
    pub positive_label: String,
    /// The share of a snapshot that is held back from training and used for validation, from 0 to 1.
    pub validation_share: f64,
    /// Whether figures that an MLflow run logged about its own model may meet the acceptance criteria, where the house
    /// cannot measure the model itself (it is not ONNX). They are claims of whoever trained it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_run_metrics: bool,
    /// Seconds after which the program is stopped.
    #[serde(default = "default_time_limit_seconds")]
    pub time_limit_seconds: u32,
}

fn default_time_limit_seconds() -> u32 {
    3600
}

/// A gate that a program decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its id.
    pub id: GateId,
    /// Program and arguments, run in the folder of the charter.
    pub command: Vec<String>,
    /// Seconds after which the program is stopped, which is no pass.
    #[serde(default = "default_gate_seconds")]
    pub time_limit_seconds: u32,
}

fn default_gate_seconds() -> u32 {
    600
}

/// What must be on record of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Where it comes from, beside its data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<LineageKind>,
    /// Documents about it, by kind: `model-card`, or a word of this organisation for what `wardmote model document` keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentKind>,
    /// After so many days what validation found is too old to approve or deploy on; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_days: Option<Days>,
}

/// One step of approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The role that approves.
    pub role: RoleId,
    /// How many different people.
    #[serde(default = "one")]
    pub count: u32,
    /// After so many days an approval no longer counts for a deployment.
    pub valid_days: Days,
    /// Whether only an approval counts that is signed with the approver's own key, for which a compliance officer or
    /// this charter stands. Who has a key signs in any case.
    #[serde(default, skip_serializing_if = "no")]
    pub signed: bool,
}

/// A team too small for separation of duties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Separation {
    /// Why it cannot be achieved, in a sentence; shown wherever a version is.
    pub not_achievable: String,
    /// What stands in for it: all of these.
    pub compensating: Vec<Compensation>,
}

/// What stands in for separation of duties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Compensation {
    /// The approval is signed with the approver's own key, for which somebody else or this charter stands.
    SignedApproval,
    /// So much time lies between registration and approval.
    CoolingOff {
        /// Hours.
        hours: u32,
    },
    /// Somebody who had no hand in it looks at the deployment afterwards.
    Review(Review),
}

/// Who looks at a decision afterwards, and how soon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The role.
    pub role: RoleId,
    /// How soon.
    pub within_hours: u32,
}

/// Deployment without approvals in an emergency. The gates are not lifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// The roles that may.
    pub roles: Vec<RoleId>,
    /// The longest that a version may serve without approvals.
    pub max_hours: u32,
    /// Who looks at it afterwards.
    pub review: Review,
}

/// What follows a rollback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Who looks at it afterwards.
    pub review: Review,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn no(flag: &bool) -> bool {
    !flag
}

fn one() -> u32 {
    1
}

/// Where a model serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name, the `{name}` in `POST /endpoints/{name}/invocations`.
    pub name: EndpointName,
    /// The roles that may invoke it.
    pub consumers: Vec<RoleId>,
    /// The share of requests that is captured, from 0 to 1.
    #[serde(default = "all")]
    pub capture_share: f64,
    /// Where it serves, if not on the house's own gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serve_on: Option<ServeOn>,
}

fn all() -> f64 {
    1.0
}

/// How a model is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// How many of the latest requests make one window.
    pub window_requests: u32,
    /// The fewest requests (or labels) from which anything is concluded.
    pub min_samples: u32,
    /// A feature has drifted if its PSI is above this and the difference is significant.
    pub drift_psi: f64,
    /// The level of significance, over all features of a window together.
    #[serde(default = "one_percent")]
    pub significance: f64,
    /// The sensitive columns by which quality is compared, where labels carry them.
    #[serde(default)]
    pub groups: Vec<ColumnName>,
}

fn one_percent() -> f64 {
    0.01
}

/// How long records are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Captured requests and responses (EU AI Act Art. 19 and 26(6): at least six months).
    pub capture_days: Days,
    /// Documents of a version (EU AI Act Art. 18: ten years).
    pub documents_days: Days,
}

/// A Cedar policy of this organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its id, named in decisions.
    pub id: String,
    /// The Cedar text.
    pub cedar: String,
}

/// The tag values that [`facts::Tags`] itself closes, for messages.
pub const CLASSIFICATIONS: [DataClassification; 4] = [
    DataClassification::Public,
    DataClassification::Internal,
    DataClassification::Confidential,
    DataClassification::Restricted,
];

/// The stages that [`facts::Tags`] itself closes, for messages.
pub const STAGES: [ModelStage; 4] =
    [ModelStage::Development, ModelStage::Staging, ModelStage::Production, ModelStage::Retired];
