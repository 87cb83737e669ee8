//! The rules of deployment, decided from the log, one sentence at a time.

use super::world::{FRESH_DAYS, VALID_DAYS, World, model};
use facts::{ActorKind, Digest, EvidenceId, Timestamp, Verdict};
use registry::{
    ApproverKey, At, Committers, Compensation, EmergencyRequest, Event, Registration, ReleaseRequest, Rules,
    Separation, Standing, VersionNumber,
};
use serde_json::json;
use std::collections::BTreeSet;

/// Whether a version may be deployed now, and if not the first reason.
pub(crate) fn may_deploy(world: &World, version: VersionNumber, rules: &Rules) -> Result<(), &'static str> {
    let about = |event: &Event| match event {
        Event::Registered { version: number, .. }
        | Event::Validated { version: number, .. }
        | Event::GateAsked { version: number, .. }
        | Event::ApprovalGiven { version: number, .. }
        | Event::ApprovalRevoked { version: number, .. }
        | Event::Signed { version: number, .. }
        | Event::Tampered { version: number, .. }
        | Event::Restored { version: number, .. }
        | Event::Released { version: number, .. }
        | Event::Rejected { version: number, .. }
        | Event::Retired { version: number, .. } => *number == version,
        _ => false,
    };
    let mine: Vec<&(Event, At)> = world.log.iter().filter(|(event, _)| about(event)).collect();
    let registration = mine.iter().find_map(|(event, at)| match event {
        Event::Registered { registration, .. } => Some((registration, at.time)),
        _ => None,
    });
    let (registration, registered) = registration.ok_or("it was never registered")?;
    if mine.iter().any(|(event, _)| matches!(event, Event::Rejected { .. } | Event::Retired { .. })) {
        return Err("it was rejected or retired");
    }
    if is_tampered(world, version) {
        return Err("it is not what was registered");
    }
    if bytes_are_held(world, version) {
        return Err("it is in quarantine, or its bytes are");
    }
    if !is_signed(world, version) {
        return Err("it was never signed by the house, or not since it was in quarantine");
    }
    let serving = serving(world);
    if serving == Some(version) {
        return Err("it serves already");
    }
    let committers = &registration.code.committers;
    if rules.known_committers && *committers != Some(Committers::Known { strangers: 0 }) {
        return Err("who committed its code is not known");
    }
    let validated = mine.iter().rev().find_map(|(event, at)| match event {
        Event::Validated { report, .. } => Some((report, at)),
        _ => None,
    });
    let (report, at) = validated.ok_or("it was never validated")?;
    let (validation, measured) = (&at.evidence, at.time);
    if report.artefact != registration.artefact || report.charter != rules.charter {
        return Err("another artefact was validated, or under another charter");
    }
    if report.metrics.get("auc").is_none_or(|auc| *auc < 0.7) {
        return Err("it is not good enough");
    }
    if !gates_are_open(world, (&mine, registration, validation, serving), rules) {
        return Err("a gate is not open");
    }
    if !is_on_record(world, (version, registration, measured), rules) {
        return Err("what the charter demands is not on record, or too old");
    }
    let hands: BTreeSet<&str> = registration.involved.iter().map(|hand| hand.person.as_str()).collect();
    let steps = Steps { world, version, mine: &mine, hands, registration, registered, validation };
    steps.are_done(rules)
}

/// The last that was said of its bytes is that they are other ones.
fn is_tampered(world: &World, version: VersionNumber) -> bool {
    let said = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Tampered { version: number, .. } if *number == version => Some(true),
        Event::Restored { version: number, .. } if *number == version => Some(false),
        _ => None,
    });
    said == Some(true)
}

/// The last that was said of it is that nobody may use it.
fn is_held(world: &World, version: VersionNumber) -> bool {
    let said = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Quarantined { version: number, .. } if *number == version => Some(true),
        Event::Released { version: number, .. } if *number == version => Some(false),
        _ => None,
    });
    said == Some(true)
}

/// It or another version of the same bytes is in quarantine.
pub(crate) fn bytes_are_held(world: &World, version: VersionNumber) -> bool {
    let bytes = artefact_of(world, version);
    world.log.iter().any(|(event, _)| match event {
        Event::Registered { version: other, registration } => {
            registration.artefact == bytes && is_held(world, *other)
        }
        _ => false,
    })
}

/// The house signed it after it was last let out of quarantine, or ever if it never was there.
fn is_signed(world: &World, version: VersionNumber) -> bool {
    let said = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Signed { version: number, .. } if *number == version => Some(true),
        Event::Quarantined { version: number, .. } | Event::Released { version: number, .. }
            if *number == version =>
        {
            Some(false)
        }
        _ => None,
    });
    said == Some(true)
}

/// Let out by a person who approves, who neither put it there nor had a hand in it where that can be helped, and not while
/// it still has its place at an endpoint.
pub(crate) fn release_is_right(world: &World, request: &ReleaseRequest<'_>, rules: &Rules) {
    assert!(is_held(world, request.version), "what was not in quarantine was let out");
    assert_eq!(request.by.kind, ActorKind::Human);
    assert!(request.by.roles.iter().any(|role| role.as_str() == "reviewer" || role.as_str() == "owner"));
    let last = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Quarantined { version, by, .. } if *version == request.version => Some(by),
        _ => None,
    });
    assert_ne!(last, Some(&request.by.id), "let out by who put it there");
    let registered = world.log.iter().find_map(|(event, _)| match event {
        Event::Registered { version, registration } if *version == request.version => Some(registration),
        _ => None,
    });
    let hand = registered.unwrap().involved.iter().any(|hand| hand.person == request.by.id);
    assert!(!hand || rules.separation != Separation::Demanded, "let out by who had a hand in it");
    assert_ne!(serving(world), Some(request.version), "let out while it serves");
}

/// Every gate said last that it holds, about this artefact under this charter.
fn gates_are_open(
    world: &World,
    (mine, registration, validation, serving): (
        &[&(Event, At)],
        &Registration,
        &EvidenceId,
        Option<VersionNumber>,
    ),
    rules: &Rules,
) -> bool {
    for gate in &rules.gates {
        let said = mine.iter().rev().find_map(|(event, at)| match event {
            Event::GateAsked { result, .. } if result.gate == *gate => Some((result, at)),
            _ => None,
        });
        let open = said.is_some_and(|(said, at)| {
            let passes = match gate.as_str() {
                // Compared since it was measured, with what serves now; or nothing else serves, and that was said.
                "incumbent" => {
                    let other = serving.map(|other| (other, artefact_of(world, other)));
                    let with = said.incumbent.as_ref().map(|with| (with.version, with.artefact));
                    at.evidence.index() > validation.index()
                        && with == other
                        && match &said.verdict {
                            Verdict::Holds => true,
                            Verdict::NotApplicable { .. } => other.is_none(),
                            _ => false,
                        }
                }
                _ => said.verdict == Verdict::Holds,
            };
            passes && said.artefact == registration.artefact && said.charter == rules.charter
        });
        if !open {
            return false;
        }
    }
    true
}

/// The version that was put in place last, unless it was an emergency that was found to be over, or a quarantine ended it.
fn serving(world: &World) -> Option<VersionNumber> {
    let is_over = |cause: &EvidenceId, found: Timestamp| match &world.log[cause.index() as usize].0 {
        Event::BrokeGlass { glass, .. } => glass.until <= found,
        Event::Quarantined { .. } => true,
        _ => false,
    };
    let last = world.log.iter().rev().find_map(|(event, at)| match event {
        Event::Deployed { version, .. } | Event::BrokeGlass { version, .. } => Some(Some(*version)),
        Event::RolledBack { to, .. } => Some(Some(*to)),
        Event::EvidenceLost { cause, .. } if is_over(cause, at.time) => Some(None),
        _ => None,
    });
    last.flatten()
}

fn artefact_of(world: &World, version: VersionNumber) -> Digest {
    let registered = world.log.iter().find_map(|(event, _)| match event {
        Event::Registered { version: number, registration } if *number == version => {
            Some(registration.artefact)
        }
        _ => None,
    });
    registered.unwrap()
}

/// Where a version comes from, its document, and how old its figures are; each as far as it is demanded.
fn is_on_record(
    world: &World,
    (version, registration, measured): (VersionNumber, &Registration, Timestamp),
    rules: &Rules,
) -> bool {
    if rules.demands.lineage.is_empty() {
        return true;
    }
    let (code, made_in) = (&registration.code, &registration.environment);
    code.git_commit.is_some()
        && !code.dirty
        && made_in.lock_files.contains_key("uv.lock")
        && made_in.image.as_ref().is_some_and(|image| image.contains("@sha256:"))
        && registration.hyperparameters.contains_key("random_state")
        && world.documented.contains(&version)
        && world.now.seconds_since(measured) < i64::from(FRESH_DAYS) * 86_400
}

/// What the steps of approval are judged by.
struct Steps<'a> {
    world: &'a World,
    version: VersionNumber,
    mine: &'a [&'a (Event, At)],
    hands: BTreeSet<&'a str>,
    registration: &'a Registration,
    registered: Timestamp,
    validation: &'a EvidenceId,
}

impl Steps<'_> {
    fn are_done(&self, rules: &Rules) -> Result<(), &'static str> {
        let Self { world, version, mine, hands, registration, registered, validation } = self;
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for step in &rules.approvals {
            let mut people = BTreeSet::new();
            for (event, at) in mine.iter() {
                let Event::ApprovalGiven { approver, role, artefact, charter, .. } = event else { continue };
                let counts = *role == step.role
                    && approver.roles.contains(&step.role)
                    && approver.kind == ActorKind::Human
                    && *artefact == registration.artefact
                    && *charter == rules.charter
                    && !counted.contains(approver.id.as_str())
                    && in_time(world, event, (at, *version))
                    && rests_on(event, validation)
                    && !revoked(mine, &at.evidence)
                    && own_work_is_right(
                        event,
                        hands.contains(approver.id.as_str()),
                        (at, *registered),
                        rules,
                    )
                    && signature_is_right(
                        world,
                        event,
                        (
                            at,
                            step.signed || hands.contains(approver.id.as_str()) && own_work_is_signed(rules),
                        ),
                        rules,
                    );
                if counts {
                    people.insert(approver.id.as_str());
                }
            }
            if (people.len() as u64) < u64::from(step.count) {
                return Err("an approval is missing");
            }
            counted.extend(people);
        }
        Ok(())
    }
}

fn rests_on(event: &Event, latest: &EvidenceId) -> bool {
    matches!(event, Event::ApprovalGiven { validation, .. } if validation == latest)
}

fn revoked(mine: &[&(Event, At)], entry: &EvidenceId) -> bool {
    mine.iter()
        .any(|(event, _)| matches!(event, Event::ApprovalRevoked { approval, .. } if approval == entry))
}

/// Given after the last time the version was taken back or was in quarantine, and not run out.
fn in_time(world: &World, event: &Event, (at, version): (&At, VersionNumber)) -> bool {
    let Event::ApprovalGiven { expires, .. } = event else { return false };
    let taken_back = world.log.iter().rev().find_map(|(event, at)| match event {
        Event::RolledBack { from, .. } if *from == version => Some(at.time),
        Event::Quarantined { version: number, .. } | Event::Released { version: number, .. }
            if *number == version =>
        {
            Some(at.time)
        }
        _ => None,
    });
    let longest = at.time.plus_seconds(i64::from(VALID_DAYS) * 86_400);
    taken_back.is_none_or(|time| at.time > time)
        && world.now < longest
        && expires.is_none_or(|end| world.now < end)
}

/// Signed by the approver with a key that was theirs then, over exactly this approval; or not signed by somebody who had
/// no key, where that is enough.
fn signature_is_right(world: &World, event: &Event, (at, demanded): (&At, bool), rules: &Rules) -> bool {
    let Event::ApprovalGiven {
        version, approver, role, artefact, charter, validation, expires, signed, ..
    } = event
    else {
        return false;
    };
    let theirs: Vec<&ApproverKey> = rules.keys.iter().filter(|key| key.person == approver.id).collect();
    let Some(note) = signed else {
        return !demanded && !theirs.iter().any(|key| key.since <= at.time);
    };
    // What nobody made is not looked at any further.
    let Some(made) = world.made.get(note) else { return false };
    let said: serde_json::Value = serde_json::from_str(&made.text).unwrap();
    let time: Timestamp = said["time"].as_str().unwrap().parse().unwrap();
    let key = theirs.iter().find(|key| {
        key.key == made.key
            && key.standing > Standing::Withdrawn
            && key.since <= time
            && key.until.is_none_or(|until| time < until)
    });
    let Some(key) = key else { return false };
    let before = &world.log[..at.evidence.index() as usize];
    let report = before.iter().rev().find_map(|(event, _)| match event {
        Event::Validated { version: number, report, .. } if number == version => Some(report),
        _ => None,
    });
    let answers: Vec<_> = before
        .iter()
        .filter_map(|(event, _)| match event {
            Event::GateAsked { version: number, result, .. } if number == version => Some(result),
            _ => None,
        })
        .collect();
    let seen = |report| match answers.as_slice() {
        [] => serde_json_canonicalizer::to_vec(report),
        answers => serde_json_canonicalizer::to_vec(&json!({ "validation": report, "gates": answers })),
    };
    let results = report.map(|report| Digest::of(&seen(report).unwrap()).to_string());
    let age = at.time.seconds_since(time);
    let expected = [
        ("approver", approver.id.to_string()),
        ("role", role.to_string()),
        ("model", model().to_string()),
        ("artefact", artefact.to_string()),
        ("charter", charter.to_string()),
        ("validation", validation.to_string()),
        ("results", results.unwrap_or_default()),
        ("expires", expires.map(|time| time.to_string()).unwrap_or_default()),
    ];
    said["version"] == version.0
        && expected.iter().all(|(name, value)| said[name] == value.as_str())
        && (0..86_400).contains(&age)
        && (!demanded || key.standing >= Standing::Confirmed)
}

fn own_work_is_signed(rules: &Rules) -> bool {
    matches!(&rules.separation, Separation::NotAchievable(instead) if instead.contains(&Compensation::SignedApproval))
}

/// Whoever had a hand in it counts only where separation cannot be achieved, where the record says so, and late enough.
fn own_work_is_right(event: &Event, hand: bool, (at, registered): (&At, Timestamp), rules: &Rules) -> bool {
    let Event::ApprovalGiven { own_work, .. } = event else { return false };
    match &rules.separation {
        _ if !hand => true,
        Separation::Demanded => false,
        Separation::NotAchievable(instead) => {
            let hours = instead.iter().map(|one| match one {
                Compensation::CoolingOff { hours } => *hours,
                _ => 0,
            });
            own_work.is_some()
                && at.time.seconds_since(registered) >= i64::from(hours.max().unwrap_or(0)) * 3600
        }
    }
}

/// The glass was broken by a person in the role, for at most two days, on a version that passed its gates, and no review is late.
pub(crate) fn emergency_is_right(world: &World, request: &EmergencyRequest<'_>, rules: &Rules) {
    assert_eq!(request.by.kind, ActorKind::Human);
    assert!(request.by.roles.iter().any(|role| role.as_str() == "reviewer"));
    assert!(request.until > world.now && request.until.seconds_since(world.now) <= 48 * 3600);
    let mut late = 0;
    for (event, at) in &world.log {
        match event {
            Event::BrokeGlass { .. } | Event::RolledBack { .. } | Event::Quarantined { .. } => {
                let asked = match event {
                    Event::BrokeGlass { review, .. } => Some(review),
                    Event::RolledBack { review, .. } | Event::Quarantined { review, .. } => review.as_ref(),
                    _ => None,
                };
                let answered = world.log.iter().any(|(event, _)| {
                    matches!(event, Event::Reviewed { of, by, .. } if *of == at.evidence && asked.is_some_and(|asked| asked.decided_by != *by))
                });
                late += u32::from(!answered && asked.is_some_and(|asked| world.now >= asked.due));
            }
            Event::Deployed { review: Some(asked), .. } => {
                let answered = world
                    .log
                    .iter()
                    .any(|(event, _)| matches!(event, Event::Reviewed { of, .. } if *of == at.evidence));
                late += u32::from(!answered && world.now >= asked.due);
            }
            _ => {}
        }
    }
    assert!(!is_tampered(world, request.version) && !bytes_are_held(world, request.version));
    assert_eq!(late, 0, "the glass was broken over a late review");
    let passing = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Validated { version, report, .. } if *version == request.version => Some(report),
        _ => None,
    });
    assert!(passing.is_some_and(|report| report.charter == rules.charter && report.metrics["auc"] >= 0.7));
}

/// Only what was approved and signed is fallen back to, and never what was rejected, retired, taken back or revoked.
pub(crate) fn fallback_is_right(world: &World, to: VersionNumber) {
    let mut approved = false;
    for (event, _) in &world.log {
        match event {
            Event::ApprovalGiven { version, .. } if *version == to => approved = true,
            Event::ApprovalRevoked { version, .. }
            | Event::Rejected { version, .. }
            | Event::Retired { version, .. } => {
                assert_ne!(*version, to);
            }
            _ => {}
        }
    }
    assert!(!is_tampered(world, to) && !bytes_are_held(world, to));
    assert!(is_signed(world, to) && approved, "version {to} came back and was never approved");
}
