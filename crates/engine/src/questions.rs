//! Questions to the record, each with the entries that its answer rests on: who approved a version, and what is different
//! between two. The entries can be taken along as proofs that verify offline.

use crate::{Engine, Error};
use facts::{Digest, EvidenceId, ModelName, PersonId, RoleId, Timestamp};
use registry::{ApprovalGiven, Approved, OwnWork, Quarantine, Revoked, Status, Version, VersionNumber};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Who approved a version.
#[derive(Debug, Clone, Serialize)]
pub struct WhoApproved {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Where it is in its life.
    pub status: Status,
    /// Digest of its artefact.
    pub artefact: Digest,
    /// The entry of the latest validation.
    pub validation: Option<EvidenceId>,
    /// All approvals, oldest first.
    pub approvals: Vec<ApprovalView>,
    /// What is missing for a deployment now; none if nothing is.
    pub missing: Option<String>,
    /// The entries that this rests on.
    pub evidence: Vec<EvidenceId>,
}

/// An approval with everything that is recorded of it.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalView {
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: RoleId,
    /// When.
    pub time: Timestamp,
    /// From when on it no longer counts.
    pub expires: Option<Timestamp>,
    /// The entry.
    pub evidence: EvidenceId,
    /// Whether it counts for a deployment now.
    pub counts: bool,
    /// The note with the signed statement, if the approver signed.
    pub signed: Option<String>,
    /// The approver's key, and the entry of its registration; or that the charter names it.
    pub key: Option<String>,
    /// Whether and why it was taken back.
    pub revoked: Option<Revoked>,
    /// That the approver had a hand in the version, and what stands in for separation of duties.
    pub own_work: Option<OwnWork>,
}

/// What is different between two versions.
#[derive(Debug, Clone, Serialize)]
pub struct VersionDiff {
    /// The model.
    pub model: ModelName,
    /// One version.
    pub from: VersionNumber,
    /// The other.
    pub to: VersionNumber,
    /// What is different; what is the same is not listed.
    pub changes: Vec<Difference>,
    /// The entries that this rests on.
    pub evidence: Vec<EvidenceId>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `data`, `code`, `parameters`, `metrics`, `documents`, `people`.
    pub area: &'static str,
    /// What.
    pub name: String,
    /// In the first version; none if it has no such thing.
    pub from: Option<String>,
    /// In the second.
    pub to: Option<String>,
}

impl Engine {
    /// Who approved a version, with which key, and whether it counts now.
    pub fn who_approved(&self, name: &ModelName, number: VersionNumber) -> Result<WhoApproved, Error> {
        let version = self.version(name, number)?;
        let rules = self.rules(self.model(name)?)?;
        let checked = Approved::check(self.state.registry(), name, number, &rules, self.now());
        let counting: BTreeSet<EvidenceId> = match &checked {
            Ok(approved) => approved.approvals().iter().map(|given| given.evidence.clone()).collect(),
            Err(_) => BTreeSet::new(),
        };
        let mut evidence = said_of(&version);
        let mut approvals = Vec::new();
        for given in &version.approvals {
            let key =
                given.signed.as_deref().and_then(|note| self.key_of(&given.approver.id, note, &mut evidence));
            approvals.push(ApprovalView { key, counts: counting.contains(&given.evidence), ..given.into() });
        }
        Ok(WhoApproved {
            model: name.clone(),
            version: number,
            status: version.status,
            artefact: version.registration.artefact,
            validation: version.validation.as_ref().map(|(_, entry)| entry.clone()),
            approvals,
            missing: checked.err().map(|refusal| refusal.to_string()),
            evidence: evidence.into_iter().collect(),
        })
    }

    /// The key that signed a note, in words; its registration joins the evidence.
    fn key_of(&self, person: &PersonId, note: &str, evidence: &mut BTreeSet<EvidenceId>) -> Option<String> {
        let made = |key: &facts::VerifierKey| {
            ledger::Verifier::parse(key.as_str()).is_ok_and(|verifier| verifier.open(note).is_ok())
        };
        let charter = self.charter().ok()?;
        let pinned = charter.person(person).and_then(|person| person.public_key.clone()).filter(made);
        if let Some(key) = pinned {
            return Some(format!("{key}, named by the charter"));
        }
        let known = self
            .state
            .approver_keys()
            .all()
            .iter()
            .find(|known| known.person == *person && made(&known.key))?;
        evidence.insert(known.evidence.clone());
        let standing = match (&known.withdrawn, &known.confirmed) {
            (Some((_, _, entry)), _) => {
                evidence.insert(entry.clone());
                "withdrawn since".to_owned()
            }
            (None, Some((by, entry))) => {
                evidence.insert(entry.clone());
                format!("confirmed by {by}")
            }
            (None, None) => "confirmed by nobody".to_owned(),
        };
        Some(format!("{}, registered as {}, {standing}", known.key, known.evidence))
    }

    /// What is different between two versions of a model.
    pub fn diff(
        &self,
        name: &ModelName,
        (from, to): (VersionNumber, VersionNumber),
    ) -> Result<VersionDiff, Error> {
        let (one, two) = (self.version(name, from)?, self.version(name, to)?);
        let made = |number| -> Vec<&BTreeMap<String, Digest>> {
            self.state.documents(name, number).iter().map(|made| &made.what).collect()
        };
        let changes = differences((&one, from, &made(from)), (&two, to, &made(to)));
        let mut evidence = BTreeSet::new();
        for (number, version) in [(from, &one), (to, &two)] {
            evidence.extend(said_of(version));
            evidence.extend(self.state.documents(name, number).iter().map(|made| made.evidence.clone()));
            let snapshot = version.registration.snapshot().and_then(|name| self.state.snapshot(name));
            evidence.extend(snapshot.map(|made| made.evidence.clone()));
        }
        let evidence = evidence.into_iter().collect();
        Ok(VersionDiff { model: name.clone(), from, to, changes, evidence })
    }

    /// Entries with their proofs, as files: each entry as it was hashed, its C2SP tlog-proof, and the checkpoint.
    pub fn proofs(&self, entries: &[EvidenceId]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut files = BTreeMap::new();
        for entry in entries {
            let index = entry.index();
            let receipt = self.ports.ledger.read(index, 1)?.into_iter().next();
            let receipt = receipt.filter(|receipt| receipt.evidence == *entry);
            let receipt =
                receipt.ok_or_else(|| Error::damaged(format!("the ledger has no entry {entry}")))?;
            let bytes = receipt.entry.encode().map_err(|error| Error::damaged(error.to_string()))?;
            files.insert(format!("{index}.json"), bytes);
            files.insert(format!("{index}.tlog-proof"), self.ports.ledger.proof(index)?.into_bytes());
        }
        files.insert("checkpoint".to_owned(), self.ports.ledger.checkpoint()?.into_bytes());
        Ok(files)
    }
}

impl From<&ApprovalGiven> for ApprovalView {
    /// What stands in the record; whether it counts, and with which key it was signed, is for others to say.
    fn from(given: &ApprovalGiven) -> Self {
        Self {
            person: given.approver.id.clone(),
            role: given.role.clone(),
            time: given.time,
            expires: given.expires,
            evidence: given.evidence.clone(),
            counts: false,
            signed: given.signed.clone(),
            key: None,
            revoked: given.revoked.clone(),
            own_work: given.own_work.clone(),
        }
    }
}

/// The entries in which stands what is said of a version until it is signed.
fn said_of(version: &Version) -> BTreeSet<EvidenceId> {
    let mut all = BTreeSet::from([version.registered_by.clone()]);
    all.extend(version.validation.iter().map(|(_, entry)| entry.clone()));
    all.extend(version.gates.iter().map(|(_, entry)| entry.clone()));
    for given in &version.approvals {
        all.extend([given.evidence.clone(), given.validation.clone()]);
        all.extend(given.revoked.iter().map(|revoked| revoked.evidence.clone()));
    }
    all.extend(version.signature.iter().map(|(_, _, entry)| entry.clone()));
    all.extend(version.quarantines.iter().flat_map(Quarantine::entries).cloned());
    all
}

/// A version, its number, and the files of the documents that were made of it.
pub(crate) type Side<'a> = (&'a Version, VersionNumber, &'a [&'a BTreeMap<String, Digest>]);

/// What is different between two versions.
pub(crate) fn differences(one: Side<'_>, two: Side<'_>) -> Vec<Difference> {
    let side = |(version, number, documents): Side<'_>| {
        let mut all = described(version);
        for (file, digest) in documents.iter().copied().flatten() {
            all.insert(("documents", file.replace(&format!("-v{number}"), "")), digest.to_string());
        }
        all
    };
    let (before, after) = (side(one), side(two));
    let names: BTreeSet<&(&'static str, String)> = before.keys().chain(after.keys()).collect();
    let change = |key: &(&'static str, String)| {
        let (from, to) = (before.get(key).cloned(), after.get(key).cloned());
        (from != to).then(|| Difference { area: key.0, name: key.1.clone(), from, to })
    };
    names.into_iter().filter_map(change).collect()
}

/// Everything about a version that can be different, by area and name.
fn described(version: &Version) -> BTreeMap<(&'static str, String), String> {
    let r = &version.registration;
    let mut all = BTreeMap::new();
    let mut put = |area, name: &str, value: String| all.insert((area, name.to_owned()), value);
    if let Some(data) = &r.data {
        put("data", "data set", data.dataset.to_string());
        put("data", "snapshot", data.snapshot.to_string());
        put("data", "digest", data.snapshot_digest.to_string());
    }
    if let Some(commit) = &r.code.git_commit {
        put("code", "commit", commit.clone());
        put("code", "changes in no commit", if r.code.dirty { "yes" } else { "no" }.to_owned());
    }
    put("code", "artefact", r.artefact.to_string());
    for (name, value) in &r.hyperparameters {
        put("parameters", name, value.clone());
    }
    if let Some((report, _)) = &version.validation {
        for (name, value) in &report.metrics {
            put("metrics", name, format!("{value:.4}"));
        }
        for result in &report.criteria {
            put("metrics", &format!("criterion {}", result.criterion), result.verdict.to_string());
        }
    }
    for (result, _) in &version.gates {
        put("metrics", &format!("gate {}", result.gate), result.verdict.to_string());
    }
    for hand in &r.involved {
        put("people", hand.person.as_str(), hand.how.to_string());
    }
    for given in version.approvals.iter().filter(|given| given.revoked.is_none()) {
        put("people", &format!("approved by {}", given.approver.id), format!("as {}", given.role));
    }
    all
}
