//! A version taken out of the house, so that others can check it without us.

use crate::approval::ARTEFACT;
use crate::documents::CardFiles;
use crate::record::Fact as Recorded;
use crate::{Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, Digest, EvidenceId, ModelName};
use guard::Action;
use ledger::TlogProof;
use registry::{Version, VersionNumber};
use std::collections::BTreeMap;

impl Engine {
    /// A version as others can verify it: its files in `artefact/`, and beside them the signature bundle with the proof that
    /// it was recorded (`model.sig`), the public key (`key.pub`) and the key of the ledger (`log.vkey`). `model_signing verify
    /// key` needs nothing else.
    pub fn export(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<CardFiles>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::DocumentWrite, &resource)?;
        self.refuse_held((actor, Action::DocumentWrite), (name, number))?;
        let automation = self.automation()?;
        let artefact = self.artefact_files(&automation, &model, &version)?;
        let mut files: BTreeMap<String, Vec<u8>> =
            artefact.into_iter().map(|(name, bytes)| (format!("artefact/{name}"), bytes)).collect();
        if let Some((_, object, evidence)) = &version.signature {
            files.insert("model.sig".to_owned(), self.bundle_with_proof(object, evidence)?);
            files.insert("key.pub".to_owned(), self.public_signing_key()?.into_bytes());
            files.insert(
                "log.vkey".to_owned(),
                format!("{}\n", self.ports.ledger.verifier()?.vkey()).into_bytes(),
            );
        }
        let digests = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let fact = Recorded::DocumentMade {
            model: name.clone(),
            version: number,
            kind: "export".to_owned(),
            files: digests,
        };
        let evidence = self.record(vec![Self::done(actor, Action::DocumentWrite, &resource.name(), fact)])?;
        Ok(Done { answer: CardFiles { version: number, files }, evidence })
    }

    /// A recorded bundle with the proof of the entry that recorded it.
    fn bundle_with_proof(&self, object: &str, evidence: &EvidenceId) -> Result<Vec<u8>, Error> {
        let index = evidence.index();
        let entry = self.ports.ledger.read(index, 1)?.into_iter().next();
        let leaf = entry.and_then(|receipt| receipt.entry.encode().ok());
        let proof = TlogProof::parse(&self.ports.ledger.proof(index)?);
        let bundle = self.ports.objects.get(object)?;
        let log = self.ports.ledger.verifier()?;
        leaf.zip(proof)
            .and_then(|(leaf, proof)| signing::with_proof(&bundle, &leaf, &proof, &log))
            .ok_or_else(|| Error::damaged(format!("the ledger does not prove its entry {evidence}")))
    }

    /// All files of a version's artefact.
    pub(crate) fn artefact_files(
        &mut self,
        automation: &Actor,
        model: &Model,
        version: &Version,
    ) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let registration = &version.registration;
        if registration.files.is_none() {
            let artefact = self.artefact(automation, model, version)?.to_vec();
            return Ok(BTreeMap::from([(ARTEFACT.to_owned(), artefact)]));
        }
        let read = self.folder_files(&registration.object, &registration.artefact);
        self.noticing((model.name.as_str(), version.version.0), read)
    }

    fn folder_files(&mut self, object: &str, artefact: &Digest) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut files = BTreeMap::new();
        for (name, record) in self.manifest(object, artefact)?.files {
            files.insert(name, self.read_file(record)?.to_vec());
        }
        Ok(files)
    }
}
