//! The rules of deployment, decided from the log, one sentence at a time.

use super::world::{VALID_DAYS, World, model};
use facts::{ActorKind, Digest, EvidenceId, Timestamp};
use registry::{ApproverKey, At, Event, Rules, Standing, VersionNumber};
use std::collections::BTreeSet;

/// Whether a version may be deployed now, and if not the first reason.
pub(crate) fn may_deploy(world: &World, version: VersionNumber, rules: &Rules) -> Result<(), &'static str> {
    let about = |event: &Event| match event {
        Event::Registered { version: number, .. }
        | Event::Validated { version: number, .. }
        | Event::ApprovalGiven { version: number, .. }
        | Event::ApprovalRevoked { version: number, .. }
        | Event::Signed { version: number, .. }
        | Event::Rejected { version: number, .. }
        | Event::Retired { version: number, .. } => *number == version,
        _ => false,
    };
    let mine: Vec<&(Event, At)> = world.log.iter().filter(|(event, _)| about(event)).collect();
    let registration = mine.iter().find_map(|(event, _)| match event {
        Event::Registered { registration, .. } => Some(registration),
        _ => None,
    });
    let registration = registration.ok_or("it was never registered")?;
    if mine.iter().any(|(event, _)| matches!(event, Event::Rejected { .. } | Event::Retired { .. })) {
        return Err("it was rejected or retired");
    }
    if !mine.iter().any(|(event, _)| matches!(event, Event::Signed { .. })) {
        return Err("it was never signed by the house");
    }
    let serving = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Deployed { version, .. } => Some(*version),
        Event::RolledBack { to, .. } => Some(*to),
        _ => None,
    });
    if serving == Some(version) {
        return Err("it serves already");
    }
    let validated = mine.iter().rev().find_map(|(event, at)| match event {
        Event::Validated { report, .. } => Some((report, &at.evidence)),
        _ => None,
    });
    let (report, validation) = validated.ok_or("it was never validated")?;
    if report.artefact != registration.artefact || report.charter != rules.charter {
        return Err("another artefact was validated, or under another charter");
    }
    if report.metrics.get("auc").is_none_or(|auc| *auc < 0.7) {
        return Err("it is not good enough");
    }
    let hands: BTreeSet<&str> = registration.involved.iter().map(|hand| hand.person.as_str()).collect();
    let mut counted: BTreeSet<&str> = BTreeSet::new();
    for step in &rules.approvals {
        let mut people = BTreeSet::new();
        for (event, at) in &mine {
            let Event::ApprovalGiven { approver, role, artefact, charter, .. } = event else { continue };
            let counts = *role == step.role
                && approver.roles.contains(&step.role)
                && approver.kind == ActorKind::Human
                && *artefact == registration.artefact
                && *charter == rules.charter
                && !hands.contains(approver.id.as_str())
                && !counted.contains(approver.id.as_str())
                && in_time(world, event, (at, version))
                && rests_on(event, validation)
                && !revoked(&mine, &at.evidence)
                && signature_is_right(world, event, (at, step.signed), rules);
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

fn rests_on(event: &Event, latest: &EvidenceId) -> bool {
    matches!(event, Event::ApprovalGiven { validation, .. } if validation == latest)
}

fn revoked(mine: &[&(Event, At)], entry: &EvidenceId) -> bool {
    mine.iter()
        .any(|(event, _)| matches!(event, Event::ApprovalRevoked { approval, .. } if approval == entry))
}

/// Given after the last time the version was taken back, and not run out.
fn in_time(world: &World, event: &Event, (at, version): (&At, VersionNumber)) -> bool {
    let Event::ApprovalGiven { expires, .. } = event else { return false };
    let taken_back = world.log.iter().rev().find_map(|(event, at)| match event {
        Event::RolledBack { from, .. } if *from == version => Some(at.time),
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
    let report = world.log[..at.evidence.index() as usize].iter().rev().find_map(|(event, _)| match event {
        Event::Validated { version: number, report, .. } if number == version => Some(report),
        _ => None,
    });
    let results =
        report.map(|report| Digest::of(&serde_json_canonicalizer::to_vec(report).unwrap()).to_string());
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
