//! How the time of a version ends that serves: its emergency is over, or somebody puts it in quarantine; how it comes out; and who looks at that.

use super::world::{World, model};
use facts::{ActorKind, Digest, EvidenceId, PersonId};
use registry::{Command, QuarantineRequest, ReleaseRequest, ReviewRequest, VersionNumber};

impl World {
    pub(crate) fn review(&mut self) {
        let name = self.person();
        let by = self.actor(name);
        let upheld = self.below(2) == 0;
        let model = model();
        self.run(&Command::Review(ReviewRequest { model: &model, of: None, by: &by, upheld, note: "seen" }));
    }

    /// What served in an emergency may have run out of its time.
    pub(crate) fn lapse(&mut self) {
        let model = model();
        let serving = self.state.model(&model).and_then(|known| known.serving());
        let Some((version, cause)) = serving.map(|stretch| (stretch.version, stretch.evidence.clone()))
        else {
            return;
        };
        self.run(&Command::LoseEvidence(&model, version, &cause));
    }

    pub(crate) fn quarantine(&mut self, version: VersionNumber) {
        let name = self.person();
        let (model, mut by) = (model(), self.actor(name));
        // Half the time it is what serves.
        let serving =
            self.state.model(&model).and_then(|known| known.serving()).map(|stretch| stretch.version);
        let version = serving.filter(|_| self.below(2) == 0).unwrap_or(version);
        let alert = EvidenceId::new(0, &Digest::of(b"alert"));
        let alarms = self.below(4) == 0;
        by.kind = if alarms { ActorKind::Alert } else { by.kind };
        let reason = "poisoned data";
        let alert = alarms.then_some(&alert);
        self.run(&Command::Quarantine(QuarantineRequest { model: &model, version, by: &by, reason, alert }));
    }

    pub(crate) fn release(&mut self, version: VersionNumber) {
        let name = self.person();
        let (model, by) = (model(), self.actor(name));
        let all = self.state.model(&model).map_or(&[] as &[_], |known| &known.versions);
        let held = all.iter().rev().find(|version| version.quarantined().is_some()).map(|held| held.version);
        let version = held.filter(|_| self.below(4) > 0).unwrap_or(version);
        let finding = "the data were clean";
        self.run(&Command::Release(ReleaseRequest { model: &model, version, by: &by, finding }));
    }

    /// What is in quarantine and has its place at the endpoint goes: something else comes, or nothing does.
    pub(crate) fn take_out(&mut self) {
        let Some((model, version)) = self.state.held_in_place().pop() else { return };
        let by: PersonId = self.person().parse().unwrap();
        self.taken_out += 1;
        if self.below(2) == 0 {
            self.run(&Command::Rollback(&model, "quarantine", &by));
            return;
        }
        let cause = self.state.version(&model, version).and_then(|version| version.quarantined());
        let cause = cause.unwrap().evidence.clone();
        self.run(&Command::LoseEvidence(&model, version, &cause));
        assert!(self.state.model(&model).unwrap().serving().is_none(), "seed {}", self.seed);
    }
}
