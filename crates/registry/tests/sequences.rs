//! No sequence of commands deploys what must not be deployed. Random commands by random people under changing charters,
//! the state held against a second, slow account of what happened.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{
    Actor, ActorKind, Criterion, Days, Digest, EvidenceId, GateId, LineageKind, ModelName, PersonId,
    Timestamp, Verdict,
};
use proptest::prelude::*;
use registry::{
    ApprovalRequest, At, Basis, BreakGlassRules, CodeVersion, Command, Compensation, EmergencyRequest,
    Environment, Event, GateResult, How, Incumbent, Involvement, Registration, ReviewRequest, ReviewRules,
    Rules, Separation, Stage, State, Status, Step, TrainedOn, Trigger, ValidationReport, VersionNumber,
};
use std::collections::BTreeMap;

const PEOPLE: [&str; 4] = ["ada", "bruno", "nadia", "carla"];

#[derive(Debug, Clone)]
enum Wish {
    Register { submitter: usize },
    Validate { version: u32, good: bool },
    Approve { version: u32, who: usize, robot: bool },
    Sign { version: u32 },
    Deploy { version: u32 },
    Rollback,
    Reject { version: u32 },
    Retire { version: u32 },
    ChangeCharter,
    LetDaysPass { days: u32 },
}

fn wish() -> impl Strategy<Value = Wish> {
    let version = || 1u32..5;
    prop_oneof![
        2 => (0usize..4).prop_map(|submitter| Wish::Register { submitter }),
        4 => (version(), prop::bool::weighted(0.8)).prop_map(|(version, good)| Wish::Validate { version, good }),
        6 => (version(), 0usize..4, prop::bool::weighted(0.1)).prop_map(|(version, who, robot)| Wish::Approve { version, who, robot }),
        4 => version().prop_map(|version| Wish::Sign { version }),
        4 => version().prop_map(|version| Wish::Deploy { version }),
        2 => Just(Wish::Rollback),
        1 => version().prop_map(|version| Wish::Reject { version }),
        1 => version().prop_map(|version| Wish::Retire { version }),
        1 => Just(Wish::ChangeCharter),
        1 => (1u32..60).prop_map(|days| Wish::LetDaysPass { days }),
    ]
}

struct World {
    state: State,
    log: Vec<(Event, At)>,
    charter: u8,
    now: Timestamp,
}

impl World {
    fn rules(&self) -> Rules {
        let step = |role: &str, count| Step {
            role: role.parse().unwrap(),
            count,
            valid_days: Days::try_from(90).unwrap(),
            signed: false,
        };
        let approvals = vec![step("reviewer", 1), step("owner", 1)];
        Rules::new(Digest::of(&[self.charter]), approvals, Vec::new())
    }

    fn grant(&mut self, wish: &Wish) {
        self.now = self.now.plus_seconds(1);
        let model = "credit".parse().unwrap();
        let (rules, ada) = (self.rules(), "ada".parse().unwrap());
        let bundle = (Digest::of(b"bundle"), "signatures/x".to_owned());
        let actor;
        let command = match wish {
            Wish::ChangeCharter => return self.charter = self.charter.wrapping_add(1),
            Wish::LetDaysPass { days } => return self.now = self.now.plus_seconds(i64::from(*days) * 86_400),
            Wish::Register { submitter } => {
                Command::Register(Box::new(registration(self.log.len(), PEOPLE[*submitter])))
            }
            Wish::Validate { version, good } => {
                let Some(known) = self.state.version(&model, VersionNumber(*version)) else { return };
                Command::Validate(
                    &model,
                    VersionNumber(*version),
                    Box::new(report(known.registration.artefact, rules.charter, *good)),
                )
            }
            Wish::Approve { version, who, robot } => {
                let kind = if *robot { ActorKind::Service } else { ActorKind::Human };
                let roles = if *who % 2 == 0 {
                    vec!["reviewer".parse().unwrap()]
                } else {
                    vec!["owner".parse().unwrap(), "reviewer".parse().unwrap()]
                };
                actor = Actor::new(PEOPLE[*who].parse().unwrap(), kind, roles);
                Command::Approve(ApprovalRequest {
                    model: &model,
                    version: VersionNumber(*version),
                    approver: &actor,
                    signed: None,
                })
            }
            Wish::Sign { version } => Command::Sign(&model, VersionNumber(*version), bundle),
            Wish::Deploy { version } => {
                Command::Deploy(&model, VersionNumber(*version), ("credit".parse().unwrap(), &ada))
            }
            Wish::Rollback => Command::Rollback(&model, "anomaly", &ada),
            Wish::Reject { version } => Command::Reject(&model, VersionNumber(*version), "no"),
            Wish::Retire { version } => Command::Retire(&model, VersionNumber(*version), "old"),
        };
        match self.state.decide(&command, &rules, self.now) {
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
            Ok(event) => {
                let at = At {
                    time: self.now,
                    evidence: EvidenceId::new(self.log.len() as u64, &Digest::of(b"x")),
                };
                if let Event::Deployed { version, .. } = &event {
                    self.may_deploy(*version, &rules);
                }
                // What is recorded reads back as itself.
                let text = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
                self.state.apply(&event, &at).unwrap();
                self.log.push((event, at));
            }
        }
    }

    /// The slow account: looks through the whole log for a reason why this deployment is right.
    fn may_deploy(&self, version: VersionNumber, rules: &Rules) {
        let mut artefact = None;
        let mut involved = Vec::new();
        let mut passing = false;
        let mut approvals: BTreeMap<String, String> = BTreeMap::new();
        for (event, at) in &self.log {
            match event {
                Event::Registered { version: number, registration } if *number == version => {
                    artefact = Some(registration.artefact);
                    involved = registration.involved.iter().map(|i| i.person.to_string()).collect();
                }
                Event::Validated { version: number, report, .. } if *number == version => {
                    passing = report.passes()
                        && report.charter == rules.charter
                        && Some(report.artefact) == artefact;
                }
                Event::ApprovalGiven {
                    version: number, approver, role, artefact: approved, charter, ..
                } if *number == version => {
                    let fresh = at.time.plus_seconds(90 * 86_400) > self.now;
                    if fresh
                        && *charter == rules.charter
                        && Some(*approved) == artefact
                        && approver.kind == ActorKind::Human
                    {
                        approvals.insert(approver.id.to_string(), role.to_string());
                    }
                }
                Event::RolledBack { from, .. } if *from == version => approvals.clear(),
                Event::Rejected { version: number, .. } | Event::Retired { version: number, .. } => {
                    assert_ne!(*number, version);
                }
                _ => {}
            }
        }
        assert!(passing, "version {version} was deployed without passing its gates");
        approvals.retain(|person, _| !involved.contains(person));
        for role in ["reviewer", "owner"] {
            assert!(
                approvals.values().any(|given| given == role),
                "version {version} was deployed without a `{role}`: {approvals:?}"
            );
        }
    }
}

fn registration(seed: usize, submitter: &str) -> Registration {
    Registration {
        model: "credit".parse().unwrap(),
        artefact: Digest::of(&seed.to_be_bytes()),
        object: "artefacts/x".into(),
        size_bytes: 1,
        files: None,
        data: Some(TrainedOn {
            dataset: "data".parse().unwrap(),
            snapshot: "data/1".parse().unwrap(),
            snapshot_digest: Digest::of(b"data"),
        }),
        run: None,
        code: CodeVersion { git_commit: None, dirty: false, committers: None },
        environment: Environment::default(),
        hyperparameters: BTreeMap::new(),
        claimed_metrics: BTreeMap::new(),
        document: None,
        involved: vec![Involvement { person: submitter.parse().unwrap(), how: How::Submitted }],
        trigger: Trigger::Person,
    }
}

fn report(artefact: Digest, charter: Digest, good: bool) -> ValidationReport {
    let criterion: Criterion = serde_json::from_str(r#"{"metric":"auc","at_least":0.7}"#).unwrap();
    let metrics = BTreeMap::from([("auc".to_owned(), if good { 0.8 } else { 0.6 })]);
    ValidationReport::judge(artefact, charter, ("data/1".parse().unwrap(), 300), metrics, &[criterion])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn nothing_is_deployed_that_must_not_be(wishes in proptest::collection::vec(wish(), 1..200)) {
        let mut world = World { state: State::default(), log: Vec::new(), charter: 0, now: "2026-01-01".parse().unwrap() };
        for wish in &wishes {
            world.grant(wish);
        }
        let model = "credit".parse().unwrap();
        let Some(known) = world.state.model(&model) else { return Ok(()) };
        // At most one version serves, and it is the one whose stretch is open.
        let serving: Vec<VersionNumber> = known.versions.iter().filter(|v| v.status == Status::Deployed).map(|v| v.version).collect();
        prop_assert_eq!(serving, known.serving().map(|stretch| stretch.version).into_iter().collect::<Vec<_>>());
        // The time machine agrees with replaying the log up to that moment.
        for (_, at) in &world.log {
            let until = world.log.iter().filter(|(_, other)| other.time <= at.time).map(|(event, at)| (event, at));
            let then = State::replay(until).unwrap();
            let replayed = then.model(&model).and_then(|model| model.serving()).map(|stretch| stretch.version);
            prop_assert_eq!(world.state.as_of(&model, at.time).map(|serving| serving.stretch.version), replayed);
        }
    }
}

#[test]
fn an_impossible_event_is_an_error_and_changes_nothing() {
    let mut state = State::default();
    let at = At { time: "2026-01-01".parse().unwrap(), evidence: EvidenceId::new(0, &Digest::of(b"x")) };
    let event = Event::Deployed {
        model: "credit".parse().unwrap(),
        version: VersionNumber(1),
        endpoint: "credit".parse().unwrap(),
        replaced: None,
        review: None,
    };
    let error = state.apply(&event, &at).unwrap_err();
    insta::assert_snapshot!(error, @"an event of `credit` does not follow from what is recorded before it");
    assert_eq!(state, State::default());
}

/// A version that passed, and the rules under which it may serve in an emergency; bruno had a hand in it.
fn passed() -> (State, Rules, At) {
    let mut state = State::default();
    let at = At { time: "2026-01-01".parse().unwrap(), evidence: EvidenceId::new(0, &Digest::of(b"x")) };
    let step = Step {
        role: "owner".parse().unwrap(),
        count: 1,
        valid_days: Days::try_from(90).unwrap(),
        signed: false,
    };
    let review = ReviewRules { role: "owner".parse().unwrap(), within_hours: 1 };
    let mut rules = Rules::new(Digest::of(b"charter"), vec![step], Vec::new());
    rules.break_glass = Some(BreakGlassRules { roles: vec!["owner".parse().unwrap()], max_hours: 2, review });
    let registration = registration(1, "bruno");
    let model = registration.model.clone();
    let report = report(registration.artefact, rules.charter, true);
    for command in [
        Command::Register(Box::new(registration)),
        Command::Validate(&model, VersionNumber(1), Box::new(report)),
    ] {
        let event = state.decide(&command, &rules, at.time).unwrap();
        state.apply(&event, &at).unwrap();
    }
    (state, rules, at)
}

#[test]
fn what_is_refused_beside_the_ordinary_way_has_its_words() {
    let (mut state, mut rules, at) = passed();
    let (model, one) = ("credit".parse().unwrap(), VersionNumber(1));
    let human = |id: &str| Actor::new(id.parse().unwrap(), ActorKind::Human, vec!["owner".parse().unwrap()]);
    let (bruno, service) =
        (human("bruno"), Actor::new("job".parse().unwrap(), ActorKind::Service, Vec::new()));
    let bundle = || (Digest::of(b"b"), "signatures/x".to_owned());
    let mut all = String::new();
    let mut say = |state: &State, command: &Command<'_>, rules: &Rules, now| {
        let refusal = state.decide(command, rules, now).unwrap_err();
        all.push_str(&format!("{refusal}\n  help: {}\n", refusal.help().unwrap_or_default()));
    };
    let glass = |by, reason, hours: i64, now: Timestamp| {
        let until = now.plus_seconds(hours * 3600);
        let request = EmergencyRequest { model: &model, version: one, by, reason, until };
        Command::BreakGlass(request, "credit".parse().unwrap(), bundle())
    };
    let now = at.time;
    say(&state, &glass(&service, "fire", 1, now), &rules, now);
    say(&state, &glass(&bruno, " ", 1, now), &rules, now);
    say(&state, &glass(&bruno, "fire", 3, now), &rules, now);
    let allowed = rules.break_glass.take();
    say(&state, &glass(&bruno, "fire", 1, now), &rules, now);
    rules.break_glass = allowed;
    let event = state.decide(&glass(&bruno, "fire", 1, now), &rules, now).unwrap();
    state.apply(&event, &at).unwrap();
    say(&state, &glass(&bruno, "fire", 1, now), &rules, now);
    let later = now.plus_seconds(3600);
    say(&state, &glass(&bruno, "fire", 1, later), &rules, later);
    let review = |by, note| ReviewRequest { model: &model, of: None, by, upheld: true, note };
    say(&state, &Command::Review(review(&bruno, "fine")), &rules, now);
    say(&state, &Command::Review(review(&service, "fine")), &rules, now);
    say(&state, &Command::Review(review(&human("omar"), " ")), &rules, now);
    say(&state, &Command::NameFallback(&model, one), &rules, now);
    // An approval that was taken while separation could not be achieved counts no more when it can.
    rules.separation = Separation::NotAchievable(vec![Compensation::CoolingOff { hours: 0 }]);
    let request = ApprovalRequest { model: &model, version: one, approver: &bruno, signed: None };
    let event = state.decide(&Command::Approve(request), &rules, now).unwrap();
    state.apply(&event, &at).unwrap();
    rules.separation =
        Separation::NotAchievable(vec![Compensation::Review(rules.break_glass.clone().unwrap().review)]);
    let request = ApprovalRequest { model: &model, version: one, approver: &bruno, signed: None };
    say(&state, &Command::Approve(request), &rules, later);
    rules.separation = Separation::Demanded;
    let by = bruno.id.clone();
    say(&state, &Command::Deploy(&model, one, ("credit".parse().unwrap(), &by)), &rules, now);
    rules.gates = vec!["robustness".parse().unwrap()];
    say(&state, &Command::Deploy(&model, one, ("credit".parse().unwrap(), &by)), &rules, now);
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_demanded_and_not_there_has_its_words() {
    let (mut state, mut rules, at) = passed();
    let (model, one): (ModelName, _) = ("credit".parse().unwrap(), VersionNumber(1));
    let omar = Actor::new("omar".parse().unwrap(), ActorKind::Human, vec!["owner".parse().unwrap()]);
    let mut all = String::new();
    let mut say = |state: &State, rules: &Rules, days: i64| {
        let request = ApprovalRequest { model: &model, version: one, approver: &omar, signed: None };
        let now = at.time.plus_seconds(days * 86_400);
        match state.decide(&Command::Approve(request), rules, now) {
            Ok(_) => all.push_str("it is approved\n"),
            Err(refusal) => {
                all.push_str(&format!("{refusal}\n  help: {}\n", refusal.help().unwrap_or_default()));
            }
        }
    };
    rules.demands.lineage = vec![LineageKind::Commit, LineageKind::Seed];
    say(&state, &rules, 0);
    rules.demands.lineage = vec![LineageKind::Environment, LineageKind::Image];
    say(&state, &rules, 0);
    rules.demands.lineage.clear();
    rules.demands.documents = vec!["model-card".parse().unwrap(), "impact-assessment".parse().unwrap()];
    say(&state, &rules, 0);
    state.documented((&model, one), "model-card".parse().unwrap(), at.evidence.clone());
    say(&state, &rules, 0);
    state.documented((&model, one), "impact-assessment".parse().unwrap(), at.evidence.clone());
    rules.demands.validation_days = Some(Days::try_from(30).unwrap());
    say(&state, &rules, 30);
    say(&state, &rules, 29);
    rules.gates = vec![GateId::incumbent()];
    say(&state, &rules, 0);
    let artefact = state.version(&model, one).unwrap().registration.artefact;
    let mut answer = GateResult {
        gate: GateId::incumbent(),
        stage: Stage::Validation,
        artefact,
        charter: rules.charter,
        verdict: Verdict::Holds,
        figures: BTreeMap::new(),
        inputs: BTreeMap::new(),
        output: None,
        archived: Vec::new(),
        incumbent: Some(Incumbent {
            version: VersionNumber(7),
            artefact,
            figures: BTreeMap::new(),
            basis: Basis::Unknown,
        }),
    };
    let asked = |answer: &GateResult| Command::AskGate(&model, one, Box::new(answer.clone()));
    let event = state.decide(&asked(&answer), &rules, at.time).unwrap();
    state.apply(&event, &at).unwrap();
    say(&state, &rules, 0);
    answer.incumbent = None;
    answer.verdict = Verdict::NotApplicable { reason: "nothing serves".into() };
    let event = state.decide(&asked(&answer), &rules, at.time).unwrap();
    state.apply(&event, &at).unwrap();
    say(&state, &rules, 0);
    insta::assert_snapshot!(all);
}

/// A rehearsal knows what served then, and compares with it by what was measured then.
#[test]
fn a_rehearsal_compares_with_what_served_then() {
    let (mut state, mut rules, at) = passed();
    let (model, omar): (ModelName, PersonId) = ("credit".parse().unwrap(), "omar".parse().unwrap());
    let owner = Actor::new(omar.clone(), ActorKind::Human, vec!["owner".parse().unwrap()]);
    let mut next = 1;
    let mut run = |state: &mut State, command: &Command<'_>| {
        let event = state.decide(command, &rules, at.time).unwrap();
        let evidence = EvidenceId::new(next, &Digest::of(&next.to_be_bytes()));
        next += 1;
        state.apply(&event, &At { time: at.time, evidence }).unwrap();
    };
    let second = registration(2, "bruno");
    let artefact = second.artefact;
    run(&mut state, &Command::Register(Box::new(second)));
    for (number, auc) in [(1, 0.8), (2, 0.75)] {
        let known = state.version(&model, VersionNumber(number)).unwrap().registration.artefact;
        let mut report = report(known, rules.charter, true);
        report.metrics.insert("auc".to_owned(), auc);
        run(&mut state, &Command::Validate(&model, VersionNumber(number), Box::new(report)));
        let request =
            ApprovalRequest { model: &model, version: VersionNumber(number), approver: &owner, signed: None };
        run(&mut state, &Command::Approve(request));
        let bundle = (artefact, "signatures/x".to_owned());
        run(&mut state, &Command::Sign(&model, VersionNumber(number), bundle));
    }
    run(&mut state, &Command::Deploy(&model, VersionNumber(1), ("credit".parse().unwrap(), &omar)));
    rules.gates = vec![GateId::incumbent()];
    let criterion = |by: &str| -> Criterion {
        let text =
            format!(r#"{{"metric":"auc","at_least":0.7,"against_incumbent":{{"worse_by_at_most":{by}}}}}"#);
        serde_json::from_str(&text).unwrap()
    };
    let again = |by| {
        let under = (&rules, &[criterion(by)] as &[_]);
        state
            .rehearse((&model, VersionNumber(2)), under, at.time)
            .map(|_| ())
            .map_err(|refusal| refusal.to_string())
    };
    assert_eq!(again("0.05"), Ok(()));
    insta::assert_snapshot!(again("0.01").unwrap_err(), @"version 2 of `credit` does not pass the gate `incumbent`: broken: `auc` is 0.7500, and 0.8000 of version 1: worse by 0.0500, and worse by 0.01 at most is accepted");
}

/// What nobody approved ends when the emergency does, whenever that is put on record, and what replaces it changes nothing.
#[test]
fn an_emergency_ends_when_its_time_is_over() {
    let (mut state, rules, at) = passed();
    let (model, one): (ModelName, _) = ("credit".parse().unwrap(), VersionNumber(1));
    let omar = Actor::new("omar".parse().unwrap(), ActorKind::Human, vec!["owner".parse().unwrap()]);
    let over = at.time.plus_seconds(3600);
    let request = EmergencyRequest { model: &model, version: one, by: &omar, reason: "fire", until: over };
    let bundle = (Digest::of(b"b"), "signatures/x".to_owned());
    let event = state
        .decide(&Command::BreakGlass(request, "credit".parse().unwrap(), bundle), &rules, at.time)
        .unwrap();
    let entry =
        |n: u64, time: Timestamp| At { time, evidence: EvidenceId::new(n, &Digest::of(&n.to_be_bytes())) };
    let began = entry(1, at.time);
    state.apply(&event, &began).unwrap();
    let later = over.plus_seconds(7200);
    let lost = Command::LoseEvidence(&model, one, &began.evidence);
    // While its time lasts, a loss ends nothing.
    let mut early = state.clone();
    early.apply(&early.decide(&lost, &rules, at.time).unwrap(), &entry(2, at.time)).unwrap();
    assert!(early.model(&model).unwrap().serving().is_some());
    state.apply(&state.decide(&lost, &rules, later).unwrap(), &entry(2, later)).unwrap();
    assert!(state.model(&model).unwrap().serving().is_none());
    assert_eq!(state.version(&model, one).unwrap().status, Status::Validated);
    assert!(state.as_of(&model, over).is_none());
    let before = state.as_of(&model, over.plus_seconds(-1)).unwrap();
    assert_eq!(before.stretch.until, Some(over));
    assert_eq!(before.losses.len(), 1);
    // It is approved and deployed like any other version afterwards.
    let request = ApprovalRequest { model: &model, version: one, approver: &omar, signed: None };
    state.apply(&state.decide(&Command::Approve(request), &rules, later).unwrap(), &entry(3, later)).unwrap();
    let sign = Command::Sign(&model, one, (Digest::of(b"b"), "signatures/y".to_owned()));
    state.apply(&state.decide(&sign, &rules, later).unwrap(), &entry(4, later)).unwrap();
    let by = omar.id.clone();
    let deploy = Command::Deploy(&model, one, ("credit".parse().unwrap(), &by));
    state.apply(&state.decide(&deploy, &rules, later).unwrap(), &entry(5, later)).unwrap();
    assert_eq!(state.model(&model).unwrap().serving().map(|stretch| stretch.since), Some(later));
}
