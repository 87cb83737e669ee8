//! What the ledger says: the body of every entry is one [`Fact`]. The state of the house is these facts replayed;
//! nothing is known that is not here.

use crate::checkpoints::CheckpointSigner;
use crate::grants::KeyGrant;
use facts::{
    ColumnName, DatasetId, Digest, EndpointName, EvidenceId, KeyId, ModelName, PersonId, SnapshotName,
    Timestamp, Verdict, VerifierKey,
};
use guard::HashedKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that happened, or was refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A charter was put in force. Its canonical text is the object `charters/<digest>`.
    CharterApplied {
        /// Digest of the canonical text.
        digest: Digest,
        /// What it changed, in sentences.
        changes: Vec<String>,
    },
    /// An access key was issued; only its hash is kept. An earlier key of the holder stops working.
    CredentialIssued {
        /// Who may act with it.
        holder: PersonId,
        /// The hash.
        key: HashedKey,
    },
    /// An access key stopped working without a successor.
    CredentialRevoked {
        /// Who held it.
        holder: PersonId,
    },
    /// A person registered the key with which that person signs approvals.
    SigningKeyRegistered {
        /// The public half.
        key: VerifierKey,
        /// The key that it replaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<VerifierKey>,
        /// What it says of itself, signed with it and with the one that it replaces.
        note: String,
    },
    /// Somebody else stands for a person's signing key.
    SigningKeyConfirmed {
        /// Whose key.
        holder: PersonId,
        /// The public half.
        key: VerifierKey,
    },
    /// A signing key was withdrawn: nothing that it signed counts any more.
    SigningKeyWithdrawn {
        /// Whose key.
        holder: PersonId,
        /// The public half.
        key: VerifierKey,
        /// Why.
        reason: String,
    },
    /// A key was made, disabled, enabled or rotated.
    KeyAdministered {
        /// Which.
        key: KeyId,
        /// What was done.
        change: KeyChange,
    },
    /// From here on a key of the key service signs checkpoints beside the ledger's own.
    CheckpointSigner(CheckpointSigner),
    /// A role that does not use a key got to, for one encryption context.
    KeyGranted(Box<KeyGrant>),
    /// A grant was taken back.
    KeyGrantRevoked {
        /// Of which key.
        key: KeyId,
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// A grant was given back by whoever had it.
    KeyGrantRetired {
        /// Of which key.
        key: KeyId,
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// A key was used. Written before the use, so that no use can go unrecorded.
    KeyUsed {
        /// Which.
        key: KeyId,
        /// For what: `encrypt`, `decrypt`, `sign`, `derive`.
        operation: String,
        /// What the use was bound to.
        context: BTreeMap<String, String>,
        /// The grant by which it was used, by somebody who does not use it otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
    },
    /// A snapshot of a data set came to be.
    SnapshotMade(Box<Snapshot>),
    /// Rows of a snapshot were handed out.
    SnapshotRead {
        /// Which.
        snapshot: SnapshotName,
        /// Which part: `whole`, `training`, `validation`.
        view: String,
        /// How many rows.
        rows: u64,
        /// Why.
        purpose: String,
    },
    /// A training program ran to its end, well or not.
    TrainingRun(Box<TrainingRun>),
    /// A version was trained again, to compare.
    Reproduced(Box<Reproduced>),
    /// The registry moved.
    Registry {
        /// What happened to a version.
        event: Box<registry::Event>,
    },
    /// A document about a version was made.
    DocumentMade {
        /// The model.
        model: ModelName,
        /// The version it is about.
        version: registry::VersionNumber,
        /// What it is: `model-card`.
        kind: String,
        /// File name and digest.
        files: BTreeMap<String, Digest>,
    },
    /// A stretch of captured traffic was sealed.
    TrafficCaptured(Segment),
    /// Calls of an endpoint were refused, so many of a kind.
    CallsRefused(RefusedCalls),
    /// Late labels arrived.
    LabelsImported(LabelBatch),
    /// The monitor looked at a window.
    Monitored(Box<MonitorReport>),
    /// An alert rule fired.
    AlertFired {
        /// The model.
        model: ModelName,
        /// The rule as the charter has it.
        rule: facts::AlertRule,
        /// The sentence with the numbers.
        sentence: String,
        /// The report that it fired on.
        report: EvidenceId,
    },
    /// Something happened to a registered model, as MLflow's clients see it.
    Catalogue {
        /// What.
        event: Box<mlflow::catalogue::Event>,
    },
    /// Somebody wanted a version in production that is not approved.
    ApprovalRequested(ApprovalRequested),
    /// A plan that puts an account right came further.
    Remediation {
        /// The plan.
        plan: Digest,
        /// What happened.
        event: crate::remediation_record::RemediationEvent,
    },
    /// Something became known of the posture of an account.
    Posture {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// What.
        event: crate::posture::PostureEvent,
    },
    /// Something happened to an incident.
    Incident {
        /// Its id: `I-1`.
        incident: String,
        /// What.
        event: crate::posture::IncidentEvent,
    },
    /// The mirror of a version in another registry was written.
    Mirrored {
        /// The mirror: `ACCOUNT/REGION/GROUP`.
        mirror: String,
        /// The version.
        version: registry::VersionNumber,
        /// How far it came.
        event: crate::mirror::MirrorEvent,
    },
    /// A waiver was granted or ended.
    Waiver {
        /// Its id: `W-1`.
        waiver: String,
        /// What.
        event: crate::posture::WaiverEvent,
    },
    /// Something happened at an endpoint on another platform.
    Rollout {
        /// The endpoint.
        endpoint: EndpointName,
        /// What.
        event: crate::rollout_record::RolloutEvent,
    },
    /// A stack that follows from the charter is changed, or was.
    Stack {
        /// Its name.
        stack: String,
        /// What.
        event: crate::stack_record::StackEvent,
    },
    /// The lifecycle of a bucket is changed, or was.
    Lifecycle {
        /// The bucket.
        bucket: String,
        /// What.
        event: crate::lifecycle_record::LifecycleEvent,
    },
    /// A server was started with other doors than before.
    DoorsOpened {
        /// By what callers are known, in a few words each.
        doors: Vec<String>,
        /// Digest of what `house.json` says of them.
        settings: Digest,
    },
    /// It was refused.
    Refused(Refused),
    /// It was allowed and then failed.
    Failed {
        /// How.
        reason: String,
    },
}

/// What was done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// Made, to encrypt with.
    Created,
    /// Made, to sign with.
    CreatedSigning,
    /// Disabled.
    Disabled,
    /// Enabled again.
    Enabled,
    /// New key material.
    Rotated,
}

/// A request for approval, opened by the attempt that failed for want of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequested {
    /// Its id: `AR-3`.
    pub request: String,
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: registry::VersionNumber,
    /// What was wanted: `alias champion`.
    pub wanted: String,
}

/// A refusal: what is missing, who can supply it, what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The sentence.
    pub reason: String,
    /// The next command, or who can help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The policies that decided, if policies did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
}

impl Refused {
    /// As the registry said it.
    pub(crate) fn by(refusal: &registry::Refusal) -> Self {
        Self { reason: refusal.to_string(), help: refusal.help(), policies: Vec::new() }
    }
}

/// An immutable snapshot of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `credit-raw/2025-10-01`.
    pub name: SnapshotName,
    /// The data set.
    pub dataset: DatasetId,
    /// Digest of the plain CSV.
    pub digest: Digest,
    /// The object that holds it, encrypted: name, and digest of the stored bytes.
    pub object: String,
    /// Digest of the stored bytes.
    pub object_digest: Digest,
    /// How many rows.
    pub rows: u64,
    /// The columns, in order.
    pub columns: Vec<ColumnName>,
    /// The key that encrypts it.
    pub key: KeyId,
    /// How it came to be.
    pub origin: Origin,
}

/// How a snapshot came to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Imported from a file.
    File {
        /// The name of the file, without its folder.
        file: String,
    },
    /// Pseudonymised from another snapshot.
    Pseudonymised {
        /// The source.
        source: SnapshotName,
        /// Digest of the policy, as the charter has it.
        policy: Digest,
        /// Re-identification risk before and after.
        risk: Box<privacy::risk::Comparison>,
    },
    /// An earlier snapshot, and captured requests with the labels that arrived for them.
    Feedback {
        /// The earlier snapshot.
        base: SnapshotName,
        /// Rows added from production.
        labelled_requests: u64,
        /// The entries that hold the captured traffic and the labels.
        sources: Vec<EvidenceId>,
    },
}

/// A run of a training program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRun {
    /// The model.
    pub model: ModelName,
    /// What it read.
    pub snapshot: SnapshotName,
    /// Digest of the whole snapshot that it read from.
    pub snapshot_digest: Digest,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The identity it ran under.
    pub service: PersonId,
    /// Hyperparameters as given.
    pub hyperparameters: BTreeMap<String, String>,
    /// Exit code; none if it was killed.
    pub exit_code: Option<i32>,
    /// How long it ran.
    pub duration_ms: u64,
    /// The last lines that it printed, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// A version beside what the same training makes now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reproduced {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: registry::VersionNumber,
    /// The entry of the training run that was repeated.
    pub run: EvidenceId,
    /// The commit at which it was repeated; none if the code is what is there now.
    pub at_commit: Option<String>,
    /// Digest of the version's artefact.
    pub artefact: Digest,
    /// Digest of what was made now; none if nothing was.
    pub made: Option<Digest>,
    /// How far a metric may be off, as a share of the earlier figure.
    pub tolerance: f64,
    /// What was measured on the held-back rows.
    pub metrics: BTreeMap<String, Compared>,
    /// What comes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A metric, earlier and now; none if it was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// When the version was validated.
    pub then: Option<f64>,
    /// Of what was made now.
    pub now: Option<f64>,
}

/// A sealed stretch of captured traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The variant: `v2`.
    pub variant: String,
    /// Time of the first request.
    pub first: Timestamp,
    /// Time of the last request.
    pub last: Timestamp,
    /// How many requests.
    pub count: u64,
    /// Digest of the plain JSON Lines.
    pub digest: Digest,
    /// The object that holds it, encrypted.
    pub object: String,
    /// The key that encrypts it.
    pub key: KeyId,
    /// The file of the platform that it was read from, if the house's gateway did not capture it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Refused calls of one kind. Without a principal, nobody had proved who they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedCalls {
    /// The endpoint that was called; none if there is no such name.
    pub endpoint: Option<EndpointName>,
    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PersonId>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How many.
    pub count: u64,
    /// What the last of them was told.
    pub reason: String,
}

/// A batch of late labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelBatch {
    /// The model.
    pub model: ModelName,
    /// How many labels.
    pub count: u64,
    /// Digest of the plain JSON Lines.
    pub digest: Digest,
    /// The object that holds it, encrypted.
    pub object: String,
    /// The key that encrypts it.
    pub key: KeyId,
}

/// What the monitor found in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorReport {
    /// The model.
    pub model: ModelName,
    /// The version that served.
    pub version: registry::VersionNumber,
    /// The first request of the window.
    pub from: Timestamp,
    /// The last request of the window.
    pub to: Timestamp,
    /// Requests in the window.
    pub requests: u64,
    /// Of which have a label.
    pub labelled: u64,
    /// Per feature.
    pub drift: monitor::drift::DriftReport,
    /// Every number that a rule may ask for.
    pub measurements: monitor::measure::Measurements,
    /// What was left out or is approximate because a window is held in bounded memory, in sentences. What is
    /// approximate about a feature stands with the feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What each rule of the charter said.
    pub rules: Vec<RuleOutcome>,
}

/// What one alert rule said about one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule as the charter has it.
    pub rule: facts::AlertRule,
    /// What came of it.
    pub outcome: monitor::rules::Outcome,
}
