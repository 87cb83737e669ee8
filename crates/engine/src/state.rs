//! What the ledger's entries add up to. Built by replay only; nothing here is ever written back.

use crate::Error;
use crate::approver_keys::ApproverKeys;
use crate::catalogue::{PRODUCTION, QUARANTINE_TAG, SEPARATION_TAG};
use crate::checkpoints::CheckpointSigner;
use crate::documents::MODEL_CARD;
use crate::grants::KeyGrants;
use crate::lifecycle_record::Lifecycles;
use crate::mirror::Mirrors;
use crate::posture::{Postures, Waivers};
use crate::record::{
    ApprovalRequested, Fact, KeyChange, LabelBatch, MonitorReport, Segment, Snapshot, TrainingRun,
};
use crate::remediation_record::Remediations;
use crate::rollout_record::Rollouts;
use crate::stack_record::Stacks;
use charter::Checked;
use facts::{
    AlertRule, Digest, EndpointName, EvidenceId, KeyId, ModelName, PersonId, SnapshotName, StreamName,
    Timestamp,
};
use guard::{AccessKey, HashedKey};
use mlflow::catalogue::{At, Catalogue, Event};
use registry::VersionNumber;
use std::collections::{BTreeMap, BTreeSet};
use world::Receipt;

/// File names and digests.
type FileDigests = BTreeMap<String, Digest>;

/// Something, and the entry that says so.
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    /// What.
    pub what: T,
    /// The entry.
    pub evidence: EvidenceId,
    /// When.
    pub time: Timestamp,
    /// Who did it.
    pub by: PersonId,
}

/// The ledger, replayed.
#[derive(Default)]
pub struct State {
    size: u64,
    streams: BTreeMap<StreamName, u64>,
    charter: Option<Checked>,
    charters: Vec<Recorded<Digest>>,
    credentials: Credentials,
    approver_keys: ApproverKeys,
    snapshots: Vec<Recorded<Snapshot>>,
    trainings: Vec<Recorded<TrainingRun>>,
    registry: registry::State,
    segments: BTreeMap<EndpointName, Vec<Recorded<Segment>>>,
    labels: BTreeMap<ModelName, Vec<Recorded<LabelBatch>>>,
    reports: BTreeMap<ModelName, Vec<Recorded<MonitorReport>>>,
    alerts: BTreeMap<ModelName, Vec<Recorded<FiredAlert>>>,
    catalogue: Catalogue,
    requests: Vec<Recorded<ApprovalRequested>>,
    readers: BTreeMap<SnapshotName, BTreeSet<PersonId>>,
    remediations: Remediations,
    /// Since when the material of each key is what it is.
    key_material: BTreeMap<KeyId, Timestamp>,
    key_grants: KeyGrants,
    checkpoint_signers: Vec<Recorded<CheckpointSigner>>,
    /// The entries of model cards.
    cards: BTreeMap<(ModelName, VersionNumber), EvidenceId>,
    postures: Postures,
    waivers: Waivers,
    mirrors: Mirrors,
    rollouts: Rollouts,
    stacks: Stacks,
    lifecycles: Lifecycles,
    documents: BTreeMap<(ModelName, VersionNumber), Vec<Recorded<FileDigests>>>,
    /// What the last server's doors were.
    doors: Option<Digest>,
}

/// An alert that fired.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FiredAlert {
    /// The rule as the charter had it.
    pub rule: AlertRule,
    /// The sentence with the numbers.
    pub sentence: String,
}

/// The access keys in force, by holder.
#[derive(Default)]
pub struct Credentials {
    by_holder: BTreeMap<PersonId, HashedKey>,
}

impl Credentials {
    /// Whose key this is.
    pub fn verify(&self, key: &AccessKey) -> Option<&PersonId> {
        self.by_holder.iter().find(|(_, hashed)| hashed.verify(key)).map(|(holder, _)| holder)
    }

    /// Holders and hashes, for the gateway.
    pub fn iter(&self) -> impl Iterator<Item = (&PersonId, &HashedKey)> {
        self.by_holder.iter()
    }

    /// Whether `holder` has a key.
    pub fn has(&self, holder: &PersonId) -> bool {
        self.by_holder.contains_key(holder)
    }
}

impl State {
    /// Entries taken in so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The charter in force.
    pub fn charter(&self) -> Option<&Checked> {
        self.charter.as_ref()
    }

    /// All charters ever in force, oldest first.
    pub fn charters(&self) -> &[Recorded<Digest>] {
        &self.charters
    }

    /// The access keys in force.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The keys with which people sign approvals.
    pub fn approver_keys(&self) -> &ApproverKeys {
        &self.approver_keys
    }

    /// All snapshots, oldest first.
    pub fn snapshots(&self) -> &[Recorded<Snapshot>] {
        &self.snapshots
    }

    /// One snapshot by name.
    pub fn snapshot(&self, name: &SnapshotName) -> Option<&Recorded<Snapshot>> {
        self.snapshots.iter().find(|snapshot| snapshot.what.name == *name)
    }

    /// All training runs, oldest first.
    pub fn trainings(&self) -> &[Recorded<TrainingRun>] {
        &self.trainings
    }

    /// Versions, approvals, deployments.
    pub fn registry(&self) -> &registry::State {
        &self.registry
    }

    /// Captured traffic of an endpoint, oldest first.
    pub fn segments(&self, endpoint: &EndpointName) -> &[Recorded<Segment>] {
        self.segments.get(endpoint).map_or(&[], Vec::as_slice)
    }

    /// Label batches of a model, oldest first.
    pub fn labels(&self, model: &ModelName) -> &[Recorded<LabelBatch>] {
        self.labels.get(model).map_or(&[], Vec::as_slice)
    }

    /// When the key material in use was made; nothing if it is not on record.
    pub fn key_material_since(&self, key: &KeyId) -> Option<Timestamp> {
        self.key_material.get(key).copied()
    }

    /// Who has signed checkpoints beside the ledger, oldest first; the last one does now.
    pub fn checkpoint_signers(&self) -> &[Recorded<CheckpointSigner>] {
        &self.checkpoint_signers
    }

    /// Grants of keys that were not taken back.
    pub fn key_grants(&self) -> &KeyGrants {
        &self.key_grants
    }

    /// The entry of the latest model card of a version.
    pub fn card(&self, model: &ModelName, version: VersionNumber) -> Option<&EvidenceId> {
        self.cards.get(&(model.clone(), version))
    }

    /// Monitor reports of a model, oldest first.
    pub fn reports(&self, model: &ModelName) -> &[Recorded<MonitorReport>] {
        self.reports.get(model).map_or(&[], Vec::as_slice)
    }

    /// Alerts of a model, oldest first.
    pub fn alerts(&self, model: &ModelName) -> &[Recorded<FiredAlert>] {
        self.alerts.get(model).map_or(&[], Vec::as_slice)
    }

    /// Registered models as MLflow's clients see them.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// All requests for approval, oldest first.
    pub fn requests(&self) -> &[Recorded<ApprovalRequested>] {
        &self.requests
    }

    /// Whether `person` read `snapshot`, as far as the record shows.
    pub(crate) fn has_read(&self, snapshot: &SnapshotName, person: &PersonId) -> bool {
        self.readers.get(snapshot).is_some_and(|readers| readers.contains(person))
    }

    /// Plans that put accounts right, and what became of them.
    pub fn remediations(&self) -> &Remediations {
        &self.remediations
    }

    /// What was written on mirrors of the registry.
    pub fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// What is known of the posture of accounts, and incidents.
    pub fn postures(&self) -> &Postures {
        &self.postures
    }

    /// What may stay broken for a while, and who said so.
    pub fn waivers(&self) -> &Waivers {
        &self.waivers
    }

    /// Endpoints on other platforms.
    pub fn rollouts(&self) -> &Rollouts {
        &self.rollouts
    }

    /// Stacks that follow from the charter.
    pub fn stacks(&self) -> &Stacks {
        &self.stacks
    }

    /// Lifecycles of buckets.
    pub fn lifecycles(&self) -> &Lifecycles {
        &self.lifecycles
    }

    pub(crate) fn doors(&self) -> Option<Digest> {
        self.doors
    }

    /// Documents about a version: file names and digests, oldest first.
    pub fn documents(&self, model: &ModelName, version: VersionNumber) -> &[Recorded<FileDigests>] {
        self.documents.get(&(model.clone(), version)).map_or(&[], Vec::as_slice)
    }

    /// The number that the next entry of `stream` will have, as far as this state has seen.
    pub(crate) fn next_seq(&self, stream: &StreamName) -> u64 {
        self.streams.get(stream).copied().unwrap_or(0)
    }

    pub(crate) fn set_charter(&mut self, charter: Checked) {
        self.charter = Some(charter);
    }

    /// Takes in the next entry. Returns the digest of a charter that came in force with it, for the caller to load.
    pub(crate) fn apply(&mut self, receipt: &Receipt) -> Result<Option<Digest>, Error> {
        let entry = &receipt.entry;
        if receipt.evidence.index() != self.size {
            return Err(Error::damaged(format!(
                "the ledger gave entry {} where entry {} was due",
                receipt.evidence.index(),
                self.size
            )));
        }
        let fact = Fact::deserialize_from(&entry.body)
            .map_err(|error| Error::damaged(format!("entry {} cannot be read: {error}", receipt.evidence)))?;
        self.size += 1;
        self.streams.insert(entry.stream.clone(), entry.stream_seq + 1);
        self.take(fact, receipt)
    }

    /// Takes in what became of access keys, and of keys of the key service.
    fn keyed(&mut self, fact: Fact, entry: Recorded<()>) {
        let Recorded { evidence, time, by, .. } = entry;
        match fact {
            Fact::CredentialIssued { holder, key } => {
                self.credentials.by_holder.insert(holder, key);
            }
            Fact::CredentialRevoked { holder } => {
                self.credentials.by_holder.remove(&holder);
            }
            Fact::KeyAdministered { key, change } => {
                if matches!(change, KeyChange::Created | KeyChange::CreatedSigning | KeyChange::Rotated) {
                    self.key_material.insert(key, time);
                }
            }
            Fact::KeyGranted(grant) => self.key_grants.given(Recorded { what: *grant, evidence, time, by }),
            Fact::KeyGrantRevoked { key, id, .. } | Fact::KeyGrantRetired { key, id, .. } => {
                self.key_grants.revoked(&key, &id);
            }
            Fact::CheckpointSigner(signer) => {
                self.checkpoint_signers.push(Recorded { what: signer, evidence, time, by });
            }
            _ => {}
        }
    }

    fn documented(&mut self, of: (ModelName, VersionNumber), kind: &str, files: Recorded<FileDigests>) {
        if kind == MODEL_CARD {
            self.cards.insert(of.clone(), files.evidence.clone());
        }
        if let Ok(kind) = kind.parse() {
            self.registry.documented((&of.0, of.1), kind, files.evidence.clone());
        }
        keep(&mut self.documents, of, files);
    }

    fn take(&mut self, fact: Fact, receipt: &Receipt) -> Result<Option<Digest>, Error> {
        let time = receipt.entry.time;
        let evidence = receipt.evidence.clone();
        let by = receipt.entry.actor.id.clone();
        match fact {
            Fact::CharterApplied { digest, .. } => {
                self.charters.push(Recorded { what: digest, evidence, time, by });
                return Ok(Some(digest));
            }
            fact @ (Fact::SigningKeyRegistered { .. }
            | Fact::SigningKeyConfirmed { .. }
            | Fact::SigningKeyWithdrawn { .. }) => self.approver_keys.take(&fact, (&by, time, &evidence)),
            Fact::SnapshotMade(snapshot) => {
                self.snapshots.push(Recorded { what: *snapshot, evidence, time, by });
            }
            Fact::TrainingRun(run) => self.trainings.push(Recorded { what: *run, evidence, time, by }),
            Fact::SnapshotRead { snapshot, .. } => {
                self.readers.entry(snapshot).or_default().insert(by);
            }
            Fact::Catalogue { event } => {
                let known = self.catalogue.apply(&event, &at(time, by));
                known.map_err(|error| lost(receipt, "the catalogue cannot follow it", &error))?;
            }
            Fact::ApprovalRequested(request) => {
                self.requests.push(Recorded { what: request, evidence, time, by });
            }
            Fact::Registry { event } => self.decided(&event, (time, by), receipt)?,
            Fact::TrafficCaptured(segment) => {
                let key = segment.endpoint.clone();
                keep(&mut self.segments, key, Recorded { what: segment, evidence, time, by });
            }
            Fact::LabelsImported(batch) => {
                keep(&mut self.labels, batch.model.clone(), Recorded { what: batch, evidence, time, by });
            }
            Fact::Monitored(report) => {
                keep(&mut self.reports, report.model.clone(), Recorded { what: *report, evidence, time, by });
            }
            Fact::AlertFired { model, rule, sentence, .. } => {
                let fired = FiredAlert { rule, sentence };
                keep(&mut self.alerts, model, Recorded { what: fired, evidence, time, by });
            }
            Fact::Mirrored { mirror, version, event } => self.mirrors.take(mirror, version, event),
            fact @ (Fact::Remediation { .. }
            | Fact::Posture { .. }
            | Fact::Incident { .. }
            | Fact::Waiver { .. }
            | Fact::Rollout { .. }
            | Fact::Stack { .. }
            | Fact::Lifecycle { .. }) => {
                self.watched(fact, Recorded { what: (), evidence, time, by }, receipt)?;
            }
            fact @ (Fact::CredentialIssued { .. }
            | Fact::CredentialRevoked { .. }
            | Fact::KeyAdministered { .. }
            | Fact::KeyGranted(_)
            | Fact::KeyGrantRevoked { .. }
            | Fact::KeyGrantRetired { .. }
            | Fact::CheckpointSigner(_)) => self.keyed(fact, Recorded { what: (), evidence, time, by }),
            Fact::DocumentMade { model, version, kind, files } => {
                self.documented((model, version), &kind, Recorded { what: files, evidence, time, by });
            }
            Fact::DoorsOpened { settings, .. } => self.doors = Some(settings),
            Fact::Reproduced(_)
            | Fact::KeyUsed { .. }
            | Fact::CallsRefused(_)
            | Fact::Refused(_)
            | Fact::Failed { .. } => {}
        }
        Ok(None)
    }
}

fn keep<K: Ord, T>(lists: &mut BTreeMap<K, Vec<Recorded<T>>>, key: K, what: Recorded<T>) {
    lists.entry(key).or_default().push(what);
}

/// An entry that cannot follow what is recorded before it.
fn lost(receipt: &Receipt, what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::damaged(format!("entry {}: {what}: {why}", receipt.evidence))
}

fn at(time: Timestamp, by: PersonId) -> At {
    At { time_ms: time.unix_ms(), by }
}

impl State {
    /// Takes in what became known of accounts, what is put right in them, and what may stay as it is.
    fn watched(&mut self, fact: Fact, entry: Recorded<()>, receipt: &Receipt) -> Result<(), Error> {
        let Recorded { evidence, time, by, .. } = entry;
        let of = |what: String| Recorded { what, evidence: evidence.clone(), time, by: by.clone() };
        let known = match fact {
            Fact::Incident { incident, event } => self.postures.follow(event, of(incident)),
            Fact::Waiver { waiver, event } => self.waivers.take(event, of(waiver)),
            Fact::Stack { stack, event } => self.stacks.take(event, of(stack)),
            Fact::Lifecycle { bucket, event } => self.lifecycles.take(event, of(bucket)),
            Fact::Rollout { endpoint, event } => {
                self.rollouts.take(event, Recorded { what: endpoint, evidence, time, by });
                return Ok(());
            }
            Fact::Remediation { plan, event } => {
                let entry = Recorded { what: plan, evidence, time, by };
                let about = "nobody made the plan or the step that it is about";
                let known = self.remediations.take(event, entry);
                return known.map(|_| ()).ok_or_else(|| lost(receipt, "the plans cannot follow it", &about));
            }
            Fact::Posture { account, region, event } => {
                self.postures.take((account, region), event, (time, evidence));
                Some(())
            }
            _ => Some(()),
        };
        known.ok_or_else(|| lost(receipt, "what is watched cannot follow it", &"nobody opened or granted it"))
    }

    /// Takes in what the registry decided.
    fn decided(
        &mut self,
        event: &registry::Event,
        (time, by): (Timestamp, PersonId),
        receipt: &Receipt,
    ) -> Result<(), Error> {
        self.follow(event, &at(time, by.clone()));
        let before = self.serving(event.model());
        let known = self.registry.apply(event, &registry::At { time, evidence: receipt.evidence.clone() });
        known.map_err(|error| lost(receipt, "the registry cannot follow it", &error))?;
        if before.is_some() && self.serving(event.model()).is_none() {
            let (name, alias) = (event.model().to_string(), PRODUCTION.to_owned());
            self.catalogue.follow(&Event::AliasSet { name, alias, version: None }, &at(time, by));
        }
        Ok(())
    }

    fn serving(&self, model: &ModelName) -> Option<VersionNumber> {
        self.registry.model(model)?.serving().map(|stretch| stretch.version)
    }

    /// What the registry decides shows in the catalogue: versions, and which one is in production.
    fn follow(&mut self, event: &registry::Event, at: &At) {
        let alias = |name: &ModelName, version: VersionNumber| Event::AliasSet {
            name: name.to_string(),
            alias: PRODUCTION.to_owned(),
            version: Some(version.0),
        };
        match event {
            registry::Event::Registered { version, registration } => {
                self.catalogue.registered(registration.model.as_str(), version.0, at);
            }
            registry::Event::Deployed { model, version, .. }
            | registry::Event::BrokeGlass { model, version, .. } => {
                self.catalogue.follow(&alias(model, *version), at);
            }
            registry::Event::RolledBack { model, to, .. } => {
                self.catalogue.follow(&alias(model, *to), at);
            }
            registry::Event::ApprovalGiven { model, version, own_work: Some(own), .. } => {
                let (key, value) = (SEPARATION_TAG.to_owned(), Some(own.to_string()));
                let (name, version) = (model.to_string(), version.0);
                self.catalogue.follow(&Event::VersionTagged { name, version, key, value }, at);
            }
            registry::Event::Quarantined { model, version, by, reason, .. } => {
                let value = format!("put there by {by}: {reason}");
                self.tag_held((model, *version), Some(value), at);
                let (name, alias) = (model.to_string(), PRODUCTION.to_owned());
                let aliases = self.catalogue.model(&name).map(|known| &known.aliases);
                if aliases.and_then(|known| known.get(&alias)) == Some(&version.0) {
                    self.catalogue.follow(&Event::AliasSet { name, alias, version: None }, at);
                }
            }
            registry::Event::Released { model, version, .. } => self.tag_held((model, *version), None, at),
            _ => {}
        }
    }

    fn tag_held(&mut self, (model, version): (&ModelName, VersionNumber), value: Option<String>, at: &At) {
        let (name, version, key) = (model.to_string(), version.0, QUARANTINE_TAG.to_owned());
        self.catalogue.follow(&Event::VersionTagged { name, version, key, value }, at);
    }
}

impl Fact {
    fn deserialize_from(body: &serde_json::Value) -> Result<Self, serde_json::Error> {
        use serde::Deserialize;
        Self::deserialize(body)
    }
}
