//! What can be asked: every action there is, and the resources as policies see them.

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression};
use facts::{DataClassification, DatasetId, EndpointName, KeyId, ModelName, PersonId, RoleId};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// Declares the actions once: variant and name.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Something that somebody may or may not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $variant),* }

        impl Action {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Action] = &[$(Action::$variant),*];

            /// The name in policies and in the ledger.
            pub fn as_str(self) -> &'static str {
                match self { $(Action::$variant => $name),* }
            }
        }
    };
}

actions! {
    /// Put a charter in force.
    CharterApply = "charter.apply",
    /// Read the charter.
    CharterRead = "charter.read",
    /// Issue an access key.
    CredentialIssue = "credential.issue",
    /// Register one's own key for signing approvals.
    SigningKeyRegister = "signing_key.register",
    /// Stand for somebody else's key for signing approvals.
    SigningKeyConfirm = "signing_key.confirm",
    /// Withdraw somebody else's key for signing approvals.
    SigningKeyWithdraw = "signing_key.withdraw",
    /// Make a key.
    KeyCreate = "key.create",
    /// Disable, enable or rotate a key.
    KeyAdminister = "key.administer",
    /// Encrypt, decrypt, derive or sign with a key.
    KeyUse = "key.use",
    /// Take in a snapshot.
    DataImport = "data.import",
    /// Make a pseudonymised snapshot.
    DataPseudonymise = "data.pseudonymise",
    /// Read a snapshot.
    DataRead = "data.read",
    /// Read held-back rows with sensitive columns.
    DataFairnessRead = "data.fairness_read",
    /// Start training.
    ModelTrain = "model.train",
    /// Have a version trained again, to compare.
    ModelReproduce = "model.reproduce",
    /// Register a version.
    ModelRegister = "model.register",
    /// Roll back.
    ModelRollback = "model.rollback",
    /// Evaluate a window of traffic.
    MonitorRun = "monitor.run",
    /// Import late labels.
    LabelsImport = "labels.import",
    /// Measure a version.
    ModelValidate = "model.validate",
    /// Approve a version.
    ModelApprove = "model.approve",
    /// Take back an approval.
    ModelRevokeApproval = "model.revoke_approval",
    /// Refuse a version for good.
    ModelReject = "model.reject",
    /// Deploy a version.
    ModelDeploy = "model.deploy",
    /// Deploy a version without approvals, in an emergency.
    ModelBreakGlass = "model.break_glass",
    /// Name the version to fall back to.
    ModelNameFallback = "model.name_fallback",
    /// Look at a decision afterwards.
    ModelReview = "model.review",
    /// Let nobody use a version until somebody else has looked at it.
    ModelQuarantine = "model.quarantine",
    /// Let a version out of quarantine.
    ModelRelease = "model.release",
    /// Take a version out of use for good.
    ModelRetire = "model.retire",
    /// Write a document about a version.
    DocumentWrite = "document.write",
    /// Run an endpoint.
    EndpointServe = "endpoint.serve",
    /// Call an endpoint.
    EndpointInvoke = "endpoint.invoke",
    /// Plan what puts the resources of an account right.
    RemediationPlan = "remediation.plan",
    /// Approve such a plan.
    RemediationApprove = "remediation.approve",
    /// Carry such a plan out, or undo it.
    RemediationApply = "remediation.apply",
    /// Make, change or delete a stack that follows from the charter.
    StackChange = "stack.change",
    /// Put into a bucket's lifecycle how long the charter keeps what.
    LifecyclePut = "lifecycle.put",
    /// Watch an account and put on record what changes.
    WatchRun = "watch.run",
    /// Take an incident in hand.
    IncidentAcknowledge = "incident.acknowledge",
    /// Let something broken stay as it is for a while.
    WaiverGrant = "waiver.grant",
    /// Take that back before its time.
    WaiverWithdraw = "waiver.withdraw",
    /// Read the history.
    HistoryRead = "history.read",
    /// Verify the ledger.
    LedgerVerify = "ledger.verify",
    /// Read experiments, runs and their artefacts.
    TrackingRead = "tracking.read",
    /// Write experiments, runs and their artefacts.
    TrackingWrite = "tracking.write",
    /// Look at registered models, and load approved versions.
    RegistryRead = "registry.read",
    /// Make and change registered models and versions: nothing that says what is in production.
    RegistryWrite = "registry.write",
    /// Say by an alias or a stage that a version is in production.
    RegistryPromote = "registry.promote",
    /// Load a version that is not approved.
    RegistryLoadUnapproved = "registry.load_unapproved",
}

/// Something that is acted upon, with what policies may ask about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// The charter.
    Charter,
    /// The ledger.
    Ledger,
    /// A key.
    Key {
        /// Which.
        id: KeyId,
        /// The roles that administer it.
        administrators: Vec<RoleId>,
        /// The roles that use it.
        users: Vec<RoleId>,
    },
    /// A data set.
    Dataset {
        /// Which.
        id: DatasetId,
        /// How protected it is.
        classification: DataClassification,
        /// The roles that read it.
        readers: Vec<RoleId>,
        /// The roles that write it.
        writers: Vec<RoleId>,
    },
    /// A model.
    Model {
        /// Which.
        name: ModelName,
        /// The roles that approve its versions.
        approver_roles: Vec<RoleId>,
        /// The roles that review what was decided without somebody else.
        reviewer_roles: Vec<RoleId>,
        /// The service that trains it.
        training_service: PersonId,
    },
    /// A version of a model.
    Version {
        /// The model.
        model: ModelName,
        /// Its number.
        version: u32,
        /// The roles that approve it.
        approver_roles: Vec<RoleId>,
        /// The roles that deploy it without approvals in an emergency.
        breaker_roles: Vec<RoleId>,
        /// Who had a hand in it.
        involved: Vec<PersonId>,
        /// Whether they can be kept from approving it; where not, the registry asks for what stands in for that.
        separated: bool,
    },
    /// An account in a cloud.
    Account {
        /// Its number.
        id: String,
    },
    /// A stack of CloudFormation that follows from the charter.
    Stack {
        /// Its name.
        name: String,
    },
    /// A bucket.
    Bucket {
        /// Its name.
        name: String,
    },
    /// Leave for something broken to stay as it is for a while.
    Waiver {
        /// Its id: `W-1`.
        id: String,
        /// Who answers for it.
        owner: PersonId,
    },
    /// An endpoint.
    Endpoint {
        /// Which.
        name: EndpointName,
        /// The roles that call it.
        consumers: Vec<RoleId>,
    },
    /// An experiment: a group of runs.
    Experiment {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// A registered model, by whatever name.
    RegisteredModel {
        /// Its name.
        name: String,
        /// Whether the charter names it.
        chartered: bool,
    },
}

impl Resource {
    /// The name in the ledger: `model/credit-scoring/2`.
    pub fn name(&self) -> String {
        match self {
            Self::Charter => "charter".to_owned(),
            Self::Ledger => "ledger".to_owned(),
            Self::Key { id, .. } => format!("key/{id}"),
            Self::Dataset { id, .. } => format!("dataset/{id}"),
            Self::Model { name, .. } => format!("model/{name}"),
            Self::Version { model, version, .. } => format!("model/{model}/{version}"),
            Self::Endpoint { name, .. } => format!("endpoint/{name}"),
            Self::Experiment { id, .. } => format!("experiments/{id}"),
            Self::RegisteredModel { name, .. } => format!("registered-models/{name}"),
            Self::Account { id } => format!("account/{id}"),
            Self::Stack { name } => format!("stack/{name}"),
            Self::Bucket { name } => format!("bucket/{name}"),
            // Streams have lower-case names.
            Self::Waiver { id, .. } => format!("waivers/{}", id.to_lowercase()),
        }
    }

    /// The roles that the charter names for `action` on this very resource, if it names any.
    pub(crate) fn named_roles(&self, action: Action) -> &[RoleId] {
        match (self, action) {
            (Self::Key { administrators, .. }, Action::KeyCreate | Action::KeyAdminister) => administrators,
            (Self::Key { users, .. }, Action::KeyUse) => users,
            (Self::Dataset { readers, .. }, Action::DataRead | Action::DataFairnessRead) => readers,
            (Self::Dataset { writers, .. }, Action::DataImport | Action::DataPseudonymise) => writers,
            (
                Self::Version { approver_roles, .. },
                Action::ModelApprove
                | Action::ModelRevokeApproval
                | Action::ModelReject
                | Action::ModelRelease,
            ) => approver_roles,
            (Self::Endpoint { consumers, .. }, Action::EndpointInvoke) => consumers,
            _ => &[],
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Charter => "Charter",
            Self::Ledger => "Ledger",
            Self::Key { .. } => "Key",
            Self::Dataset { .. } => "Dataset",
            Self::Model { .. } => "Model",
            Self::Version { .. } => "Version",
            Self::Endpoint { .. } => "Endpoint",
            Self::Experiment { .. } => "Experiment",
            Self::RegisteredModel { .. } => "RegisteredModel",
            Self::Account { .. } => "Account",
            Self::Stack { .. } => "Stack",
            Self::Bucket { .. } => "Bucket",
            Self::Waiver { .. } => "Waiver",
        }
    }

    pub(crate) fn entity(&self) -> Result<Entity, String> {
        let mut attributes = HashMap::new();
        let mut put = |name: &str, value: RestrictedExpression| attributes.insert(name.to_owned(), value);
        match self {
            Self::Charter
            | Self::Ledger
            | Self::Account { .. }
            | Self::Stack { .. }
            | Self::Bucket { .. } => {}
            Self::Waiver { owner, .. } => {
                put("owner", RestrictedExpression::new_string(owner.to_string()));
            }
            Self::Key { administrators, users, .. } => {
                put("administrators", roles(administrators)?);
                put("users", roles(users)?);
            }
            Self::Dataset { classification, readers, writers, .. } => {
                put("classification", RestrictedExpression::new_string(classification.to_string()));
                put("readers", roles(readers)?);
                put("writers", roles(writers)?);
            }
            Self::Model { approver_roles, reviewer_roles, training_service, .. } => {
                put("reviewers", roles(reviewer_roles)?);
                put("approvers", roles(approver_roles)?);
                put("trainingService", RestrictedExpression::new_string(training_service.to_string()));
            }
            Self::Version { approver_roles, breaker_roles, involved, separated, .. } => {
                put("breakers", roles(breaker_roles)?);
                put("separated", RestrictedExpression::new_bool(*separated));
                put("approvers", roles(approver_roles)?);
                let people =
                    involved.iter().map(|person| RestrictedExpression::new_string(person.to_string()));
                put("involved", RestrictedExpression::new_set(people));
            }
            Self::Endpoint { consumers, .. } => {
                put("consumers", roles(consumers)?);
            }
            Self::Experiment { name, .. } => {
                put("name", RestrictedExpression::new_string(name.clone()));
            }
            Self::RegisteredModel { name, chartered } => {
                put("name", RestrictedExpression::new_string(name.clone()));
                put("chartered", RestrictedExpression::new_bool(*chartered));
            }
        }
        Entity::new(uid(self.kind(), &self.name())?, attributes, HashSet::new())
            .map_err(|error| error.to_string())
    }
}

/// `Wardmote::Kind::"id"`. Names of kinds are read once: there are few, and each question needs several.
pub(crate) fn uid(kind: &'static str, id: &str) -> Result<EntityUid, String> {
    static KINDS: RwLock<BTreeMap<&str, EntityTypeName>> = RwLock::new(BTreeMap::new());
    let known = KINDS.read().unwrap_or_else(PoisonError::into_inner).get(kind).cloned();
    let name = match known {
        Some(name) => name,
        None => {
            let name: EntityTypeName =
                format!("Wardmote::{kind}").parse().map_err(|error: ParseErrors| error.to_string())?;
            KINDS.write().unwrap_or_else(PoisonError::into_inner).insert(kind, name.clone());
            name
        }
    };
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

fn roles(roles: &[RoleId]) -> Result<RestrictedExpression, String> {
    let uids = roles.iter().map(|role| uid("Role", role.as_str()).map(RestrictedExpression::new_entity_uid));
    Ok(RestrictedExpression::new_set(uids.collect::<Result<Vec<_>, _>>()?))
}
