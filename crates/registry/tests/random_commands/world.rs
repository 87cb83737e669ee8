//! The world in which random commands happen.

use super::slow;
use facts::{
    Actor, ActorKind, Criterion, Days, Digest, EvidenceId, GateId, LineageKind, ModelName, PersonId,
    Timestamp, Verdict, VerifierKey,
};
use ledger::Signer;
use registry::{
    ApprovalRequest, Approved, ApproverKey, At, Basis, BreakGlassRules, CodeVersion, Command, Committers,
    Compensation, EmergencyRequest, Environment, Event, GateResult, How, Incumbent, Involvement, OwnWork,
    Registration, ReviewRules, Revocation, Rules, Separation, Stage, Standing, State, Step, TrainedOn,
    Trigger, ValidationReport, VersionNumber,
};
use std::collections::{BTreeMap, BTreeSet};

/// Who there is. `mallory` approves nothing, but holds a pen.
pub(crate) const PEOPLE: [&str; 6] = ["ada", "bruno", "nadia", "carla", "omar", "mallory"];
pub(crate) const VALID_DAYS: u32 = 90;
/// How long a validation counts, where that is demanded.
pub(crate) const FRESH_DAYS: u32 = 20;

/// A signature that somebody really made, by the text of its note: whose key, and the words.
pub(crate) struct Made {
    pub(crate) key: VerifierKey,
    pub(crate) text: String,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    chance: u64,
    pub(crate) state: State,
    pub(crate) log: Vec<(Event, At)>,
    pub(crate) documented: BTreeSet<VersionNumber>,
    pub(crate) made: BTreeMap<String, Made>,
    keys: Vec<ApproverKey>,
    charter: u8,
    signed: bool,
    /// How small the team says that it is.
    small: u64,
    pub(crate) now: Timestamp,
    pub(crate) deployed: u64,
    /// How many were put in quarantine while they served, and how many were let out.
    pub(crate) taken_out: u64,
    pub(crate) released: u64,
}

fn key_of(person: &str, generation: u8) -> Signer {
    let mut seed = [generation; 32];
    seed[..person.len()].copy_from_slice(person.as_bytes());
    Signer::new(&format!("bank/{person}"), &seed).unwrap()
}

fn vkey(signer: &Signer) -> VerifierKey {
    signer.verifier().vkey().parse().unwrap()
}

pub(crate) fn model() -> ModelName {
    "credit".parse().unwrap()
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            state: State::default(),
            log: Vec::new(),
            documented: BTreeSet::new(),
            made: BTreeMap::new(),
            keys: Vec::new(),
            charter: 0,
            signed: seed.is_multiple_of(2),
            small: if seed.is_multiple_of(3) { seed / 3 % 4 } else { 0 },
            now: "2026-01-01".parse().unwrap(),
            deployed: 0,
            taken_out: 0,
            released: 0,
        }
    }

    /// A number below `n` (xorshift64*).
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.chance ^= self.chance >> 12;
        self.chance ^= self.chance << 25;
        self.chance ^= self.chance >> 27;
        ((self.chance.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % n
    }

    pub(crate) fn person(&mut self) -> &'static str {
        PEOPLE[self.below(PEOPLE.len())]
    }

    pub(crate) fn actor(&mut self, id: &str) -> Actor {
        let kind = if self.below(20) == 0 { ActorKind::Service } else { ActorKind::Human };
        let roles: &[&str] = match id {
            "ada" | "nadia" => &["reviewer"],
            "bruno" | "omar" => &["owner", "reviewer"],
            "carla" => &["owner"],
            _ => &[],
        };
        Actor::new(id.parse().unwrap(), kind, roles.iter().map(|role| role.parse().unwrap()).collect())
    }

    pub(crate) fn rules(&self) -> Rules {
        let step = |role: &str, signed| Step {
            role: role.parse().unwrap(),
            count: 1,
            valid_days: Days::try_from(VALID_DAYS).unwrap(),
            signed,
        };
        let approvals = vec![step("reviewer", false), step("owner", self.signed)];
        let review = ReviewRules { role: "owner".parse().unwrap(), within_hours: 200 };
        let mut rules = Rules::new(Digest::of(&[self.charter]), approvals, self.keys.clone());
        rules.break_glass = Some(BreakGlassRules {
            roles: vec!["reviewer".parse().unwrap()],
            max_hours: 48,
            review: review.clone(),
        });
        rules.rollback_review = Some(review.clone());
        if self.seed % 2 == 1 {
            rules.gates = vec!["robustness".parse().unwrap()];
        }
        if self.seed % 4 > 1 {
            rules.gates.push(GateId::incumbent());
        }
        if self.seed % 7 == 1 {
            rules.demands.lineage = vec![LineageKind::Commit, LineageKind::Environment];
            rules.demands.lineage.extend([LineageKind::Image, LineageKind::Seed]);
            rules.demands.documents = vec!["impact".parse().unwrap()];
            rules.demands.validation_days = Some(Days::try_from(FRESH_DAYS).unwrap());
        }
        rules.known_committers = self.seed.is_multiple_of(5);
        rules.separation = match self.small {
            0 => Separation::Demanded,
            1 => Separation::NotAchievable(vec![Compensation::SignedApproval]),
            2 => Separation::NotAchievable(vec![
                Compensation::CoolingOff { hours: 24 },
                Compensation::Review(review),
            ]),
            _ => Separation::NotAchievable(vec![
                Compensation::CoolingOff { hours: 1 },
                Compensation::SignedApproval,
            ]),
        };
        rules
    }

    pub(crate) fn step(&mut self) {
        self.now = self.now.plus_seconds(1);
        let version = self.version();
        match self.below(51) {
            0 => self.register(),
            1..=7 => self.validate(version),
            8..=18 => {
                let (name, honest) = (self.person(), self.below(3) > 0);
                self.approve(version, name, honest);
            }
            19..=22 => self.run(&Command::Sign(&model(), version, (Digest::of(b"b"), "signatures/x".into()))),
            23..=28 => self.deploy(version),
            29 => self.emergency(version),
            30 => {
                let by: PersonId = self.person().parse().unwrap();
                match self.below(3) {
                    0 => self.run(&Command::NameFallback(&model(), version)),
                    1 => self.review(),
                    _ => self.run(&Command::Rollback(&model(), "anomaly", &by)),
                }
            }
            31 if self.below(4) == 0 => self.run(&Command::Reject(&model(), version, "no")),
            32 if self.below(4) == 0 => self.run(&Command::Retire(&model(), version, "old")),
            33 => {
                let of: PersonId = self.person().parse().unwrap();
                self.run(&Command::Revoke(Revocation {
                    model: &model(),
                    version,
                    of: &of,
                    reason: "second thoughts",
                }));
            }
            34 => self.change_key(),
            35 if self.below(6) == 0 => self.charter = self.charter.wrapping_add(1),
            36 if self.below(6) == 0 => self.signed = !self.signed,
            37 if self.below(3) == 0 => self.now = self.now.plus_seconds(self.below(60) as i64 * 86_400),
            38 => self.forge(version),
            39 if self.below(4) == 0 => self.exchange_artefact(version),
            40 | 43 => self.business_as_usual(version),
            41 => self.compare(version),
            42 => self.document(version),
            44 if self.below(3) == 0 => {
                self.run(&Command::FindTampered(&model(), version, "its digest differs"));
            }
            45 => self.run(&Command::Restore(&model(), version)),
            46 => self.lapse(),
            47 if self.below(5) == 0 => self.quarantine(version),
            48 | 50 => self.release(version),
            49 => self.take_out(),
            _ => {}
        }
    }

    /// Everybody who may approve does, and it is deployed: without this, hardly anything ever gets that far.
    fn business_as_usual(&mut self, version: VersionNumber) {
        if self.below(4) > 0 {
            self.compare(version);
            self.document(version);
        }
        for name in ["ada", "nadia", "carla", "bruno", "omar"] {
            self.approve(version, name, true);
        }
        self.run(&Command::Sign(&model(), version, (Digest::of(b"b"), "signatures/x".into())));
        self.deploy(version);
    }

    /// A version is compared with what serves, or with something else, and now and then with another outcome than it
    /// should have.
    fn compare(&mut self, version: VersionNumber) {
        let Some(known) = self.state.version(&model(), version) else { return };
        let artefact = known.registration.artefact;
        let serving = self.state.incumbent(&model(), version);
        let mut incumbent = serving.map(|serving| Incumbent {
            version: serving.version,
            artefact: serving.registration.artefact,
            figures: BTreeMap::new(),
            basis: Basis::Claimed { snapshot: "data/1".parse().unwrap() },
        });
        let verdict = match (self.below(12), &incumbent) {
            (0, _) => Verdict::Broken { reason: "worse".into() },
            (1, _) => Verdict::Unknown { missing: "it cannot be loaded".into() },
            (2, _) | (_, None) => Verdict::NotApplicable { reason: "nothing serves".into() },
            _ => Verdict::Holds,
        };
        match (self.below(12), &mut incumbent) {
            (0, incumbent) => *incumbent = None,
            (1, Some(incumbent)) => incumbent.version = VersionNumber(incumbent.version.0 + 1),
            (2, Some(incumbent)) => incumbent.artefact = Digest::of(b"other"),
            _ => {}
        }
        let charter = Digest::of(&[self.charter.wrapping_sub(u8::from(self.below(12) == 0))]);
        let gate = GateId::incumbent();
        let result = GateResult { gate, charter, verdict, incumbent, ..self.answer(artefact) };
        self.run(&Command::AskGate(&model(), version, Box::new(result)));
    }

    /// An answer that holds.
    fn answer(&self, artefact: Digest) -> GateResult {
        GateResult {
            gate: "robustness".parse().unwrap(),
            stage: Stage::Validation,
            artefact,
            charter: Digest::of(&[self.charter]),
            verdict: Verdict::Holds,
            figures: BTreeMap::new(),
            inputs: BTreeMap::new(),
            output: None,
            archived: Vec::new(),
            incumbent: None,
        }
    }

    fn document(&mut self, version: VersionNumber) {
        let entry = EvidenceId::new(0, &Digest::of(b"document"));
        self.state.documented((&model(), version), "impact".parse().unwrap(), entry);
        self.documented.insert(version);
    }

    fn deploy(&mut self, version: VersionNumber) {
        let by: PersonId = self.person().parse().unwrap();
        self.run(&Command::Deploy(&model(), version, ("credit".parse().unwrap(), &by)));
    }

    fn emergency(&mut self, version: VersionNumber) {
        let name = self.person();
        let by = self.actor(name);
        let until = self.now.plus_seconds(self.below(60) as i64 * 3600);
        let model = model();
        let request = EmergencyRequest { model: &model, version, by: &by, reason: "fire", until };
        let bundle = (Digest::of(b"e"), "signatures/e".into());
        self.run(&Command::BreakGlass(request, "credit".parse().unwrap(), bundle));
    }

    /// One of the last three versions, or one that is not there yet.
    fn version(&mut self) -> VersionNumber {
        let count = self.state.model(&model()).map_or(0, |model| model.versions.len());
        let back = self.below(3);
        let ahead = usize::from(self.below(30) == 0);
        VersionNumber(u32::try_from((count + ahead).saturating_sub(back).max(1)).unwrap())
    }

    /// Decides, compares with the slow decision, and records.
    pub(crate) fn run(&mut self, command: &Command<'_>) {
        let rules = self.rules();
        let decided = self.state.decide(command, &rules, self.now);
        if let (Command::BreakGlass(request, ..), Ok(_)) = (command, &decided) {
            slow::emergency_is_right(self, request, &rules);
        }
        if let (Command::Release(request), Ok(_)) = (command, &decided) {
            slow::release_is_right(self, request, &rules);
            self.released += 1;
        }
        if let Ok(
            Event::Deployed { version, .. }
            | Event::BrokeGlass { version, .. }
            | Event::RolledBack { to: version, .. }
            | Event::ApprovalGiven { version, .. }
            | Event::Signed { version, .. }
            | Event::FallbackNamed { version, .. },
        ) = &decided
        {
            assert!(!slow::bytes_are_held(self, *version), "seed {}: version {version} was used", self.seed);
        }
        if let (Command::Rollback(..), Ok(Event::RolledBack { to, .. })) = (command, &decided) {
            slow::fallback_is_right(self, *to);
        }
        if let Command::Deploy(_, version, _) = command {
            let slowly = slow::may_deploy(self, *version, &rules);
            let quickly = decided.as_ref().map(|_| ()).map_err(ToString::to_string);
            assert_eq!(
                quickly.is_ok(),
                slowly.is_ok(),
                "seed {}, version {version}: {quickly:?} or {slowly:?}?",
                self.seed
            );
            self.deployed += u64::from(slowly.is_ok());
            if slowly.is_ok() {
                self.quorum_is_right(*version, &rules);
            }
        }
        match decided {
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
            Ok(event) => self.record(event),
        }
    }

    /// Nobody counts who had a hand in the version, unless the record says so; and all approved what is deployed.
    fn quorum_is_right(&self, version: VersionNumber, rules: &Rules) {
        let approved = Approved::check(&self.state, &model(), version, rules, self.now).unwrap();
        let known = self.state.version(&model(), version).unwrap();
        for given in approved.approvals() {
            let hand = known.registration.involved.iter().any(|hand| hand.person == given.approver.id);
            assert!(!hand || self.small > 0 && given.own_work.is_some(), "seed {}: {given:?}", self.seed);
            assert_eq!(given.artefact, known.registration.artefact, "seed {}", self.seed);
        }
    }

    fn record(&mut self, event: Event) {
        let leaf = Digest::of(&(self.log.len() as u64).to_be_bytes());
        let at = At { time: self.now, evidence: EvidenceId::new(self.log.len() as u64, &leaf) };
        if self.state.apply(&event, &at).is_ok() {
            self.log.push((event, at));
        }
    }

    fn register(&mut self) {
        let hand = |person: &str, how| Involvement { person: person.parse().unwrap(), how };
        let how = [How::Submitted, How::Trained, How::Committed, How::Labelled][self.below(4)];
        let involved = vec![hand(self.person(), how), hand(self.person(), How::Trained)];
        let registration = Registration {
            model: model(),
            artefact: self.bytes(),
            object: "artefacts/x".into(),
            size_bytes: 1,
            files: None,
            data: Some(TrainedOn {
                dataset: "data".parse().unwrap(),
                snapshot: "data/1".parse().unwrap(),
                snapshot_digest: Digest::of(b"data"),
            }),
            run: None,
            code: CodeVersion {
                git_commit: (self.below(12) > 0).then(|| "c0ffee".to_owned()),
                dirty: self.below(12) == 0,
                committers: self.committers(),
            },
            environment: self.environment(),
            hyperparameters: (self.below(12) > 0)
                .then(|| ("random_state".to_owned(), "7".to_owned()))
                .into_iter()
                .collect(),
            claimed_metrics: BTreeMap::new(),
            document: None,
            involved,
            trigger: Trigger::Person,
        };
        self.run(&Command::Register(Box::new(registration)));
    }

    /// Bytes that nobody has seen, or now and then those of the version before.
    fn bytes(&mut self) -> Digest {
        let last = self.state.model(&model()).and_then(|known| known.versions.last());
        let again = last.map(|version| version.registration.artefact);
        again.filter(|_| self.below(3) == 0).unwrap_or_else(|| Digest::of(&self.log.len().to_be_bytes()))
    }

    fn environment(&mut self) -> Environment {
        let image = match self.below(12) {
            0 => None,
            1 => Some("trainer:latest".to_owned()),
            _ => Some(format!("bank/trainer@sha256:{}", Digest::of(b"image").to_hex())),
        };
        let lock_files = (self.below(12) > 0).then(|| ("uv.lock".to_owned(), Digest::of(b"lock")));
        Environment { lock_files: lock_files.into_iter().collect(), image }
    }

    fn committers(&mut self) -> Option<Committers> {
        match self.below(20) {
            0 => None,
            1 => Some(Committers::Unknown { missing: "no Git".into() }),
            2 => Some(Committers::Known { strangers: 1 }),
            _ => Some(Committers::Known { strangers: 0 }),
        }
    }

    fn validate(&mut self, version: VersionNumber) {
        let Some(known) = self.state.version(&model(), version) else { return };
        let artefact = known.registration.artefact;
        // A version that was validated already rarely is again: that voids its approvals.
        if known.validation.as_ref().is_some_and(|(report, _)| {
            report.charter == Digest::of(&[self.charter]) && report.artefact == artefact
        }) && self.below(12) > 0
        {
            return;
        }
        let criterion: Criterion = serde_json::from_str(r#"{"metric":"auc","at_least":0.7}"#).unwrap();
        let measured = if self.below(6) == 0 { 0.6 } else { 0.7 + self.below(100) as f64 / 1000.0 };
        let report = ValidationReport::judge(
            artefact,
            Digest::of(&[self.charter]),
            ("data/1".parse().unwrap(), 300),
            BTreeMap::from([("auc".to_owned(), measured)]),
            &[criterion],
        );
        self.run(&Command::Validate(&model(), version, Box::new(report)));
        if self.below(4) > 0 {
            self.ask_gate(version, artefact);
        }
    }

    /// A gate answers; now and then with something else than a pass.
    fn ask_gate(&mut self, version: VersionNumber, artefact: Digest) {
        let verdict = match self.below(8) {
            0 => Verdict::Broken { reason: "not robust".into() },
            1 => Verdict::Unknown { missing: "its program was killed".into() },
            _ => Verdict::Holds,
        };
        let result = GateResult { verdict, ..self.answer(artefact) };
        self.run(&Command::AskGate(&model(), version, Box::new(result)));
        if self.below(2) == 0 {
            self.compare(version);
        }
    }

    /// An approval: honest, or with a signature that is not what it should be.
    fn approve(&mut self, version: VersionNumber, name: &str, honest: bool) {
        let approver = self.actor(name);
        let signs = self.keys.iter().any(|key| key.person == approver.id);
        let note = match self.below(10) {
            _ if honest && signs => self.note(version, &approver, 8),
            _ if honest => None,
            0 => None,
            trick => self.note(version, &approver, trick),
        };
        let model = model();
        let request =
            ApprovalRequest { model: &model, version, approver: &approver, signed: note.as_deref() };
        self.run(&Command::Approve(request));
    }

    /// A signed statement, made as a person or a cheat would.
    fn note(&mut self, version: VersionNumber, approver: &Actor, trick: usize) -> Option<String> {
        let rules = self.rules();
        let about = if trick == 3 { VersionNumber(version.0 + 1) } else { version };
        let statement = self.state.statement((&model(), about), approver, &rules, self.now).ok()?;
        let held = self.keys.iter().filter(|key| key.person == approver.id).count();
        let generation = u8::try_from(held.saturating_sub(1 + usize::from(trick == 4))).unwrap();
        let pen = if trick == 5 { "mallory" } else { approver.id.as_str() };
        let signer = key_of(pen, generation);
        let note = signer.sign(&statement.text());
        self.made.insert(note.clone(), Made { key: vkey(&signer), text: statement.text() });
        Some(match trick {
            // Edited after it was signed.
            6 => note.replace("\"version\":", "\"version\":1"),
            // Signed under the right name with the wrong key.
            7 => Signer::new(&format!("bank/{}", approver.id), &[9; 32]).unwrap().sign(&statement.text()),
            _ => note,
        })
    }

    /// A key comes, gets somebody to stand for it, is replaced or withdrawn.
    fn change_key(&mut self) {
        let name = self.person();
        let person: PersonId = name.parse().unwrap();
        let now = self.now;
        let chance = self.below(10);
        let generation = self.keys.iter().filter(|key| key.person == person).count();
        match (self.keys.iter_mut().rev().find(|key| key.person == person), chance) {
            (Some(key), 0) => return key.standing = Standing::Withdrawn,
            (Some(key), 1..=7) if key.standing > Standing::Withdrawn => {
                return key.standing = Standing::Confirmed;
            }
            (Some(key), _) => key.until = Some(now),
            (None, 0..=4) => {}
            (None, _) => return,
        }
        let key = vkey(&key_of(name, u8::try_from(generation).unwrap()));
        self.keys.push(ApproverKey { person, key, since: now, until: None, standing: Standing::Claimed });
    }

    /// Whoever keeps the ledger writes an approval into it that nobody gave.
    fn forge(&mut self, version: VersionNumber) {
        let name = self.person();
        let approver = self.actor(name);
        let trick = 3 + self.below(8);
        let note = if self.below(2) == 0 { None } else { self.note(version, &approver, trick) };
        let nth = self.below(self.made.len().max(1));
        let replayed = self.made.keys().nth(nth).cloned();
        let signed = if self.below(3) == 0 { replayed } else { note };
        let Some(known) = self.state.version(&model(), version) else { return };
        let Some((_, validation)) = known.validation.clone() else { return };
        let artefact = known.registration.artefact;
        let role = if self.below(2) == 0 { "owner" } else { "reviewer" };
        let own_work = self.below(2) == 0;
        self.record(Event::ApprovalGiven {
            model: model(),
            version,
            approver,
            role: role.parse().unwrap(),
            artefact,
            charter: Digest::of(&[self.charter]),
            validation,
            expires: Some(self.now.plus_seconds(i64::from(VALID_DAYS) * 86_400)),
            signed,
            own_work: own_work.then(|| OwnWork { how: Vec::new(), compensated_by: Vec::new() }),
        });
    }

    /// Whoever keeps the ledger exchanges the artefact of a version in it.
    fn exchange_artefact(&mut self, version: VersionNumber) {
        let fresh = Digest::of(format!("exchanged {}", self.log.len()).as_bytes());
        for (event, _) in &mut self.log {
            if let Event::Registered { version: number, registration } = event
                && *number == version
            {
                registration.artefact = fresh;
            }
        }
        self.state = State::replay(self.log.iter().map(|(event, at)| (event, at))).unwrap();
        for version in self.documented.clone() {
            self.document(version);
        }
    }
}
