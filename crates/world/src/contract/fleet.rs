//! The contract of platforms: releases are found again and not made twice, traffic goes where it is sent and back, and what
//! serves is never removed.

use crate::{Condition, Fleet, Kind, Observed, Pace, PortError, Release, Site};
use facts::Digest;
use std::collections::{BTreeMap, BTreeSet};

const LOOKS: u32 = 200;

fn release(version: u32, content: &[u8]) -> Option<Release> {
    let artefact = Digest::of(content);
    "contract".parse().ok().map(|model| Release { model, version, artefact, recorded: None })
}

fn settled(fleet: &dyn Fleet, site: &Site) -> Option<Observed> {
    for looks in 0..LOOKS {
        match fleet.describe(site) {
            Ok(observed) if observed.condition != Condition::Changing => return Some(observed),
            _ => {
                fleet.wait(site, looks);
            }
        }
    }
    None
}

/// Checks an endpoint at which nothing serves and for which nothing was made; `open` opens the same platform again.
///
/// # Panics
/// When the platform does not keep the contract.
pub fn check(open: &dyn Fn() -> Box<dyn Fleet>, site: &Site) {
    let fleet = open();
    let kind = |result: Result<(), PortError>| result.err().map(|error| error.kind());
    let serves = |name: &str| settled(fleet.as_ref(), site).is_some_and(|observed| observed.serves(name));
    let first = release(1, b"one").zip(release(2, b"two"));
    assert!(first.is_some(), "the suite has releases");
    let Some((one, two)) = first else { return };
    let files = |content: &[u8]| BTreeMap::from([("model.onnx".to_owned(), content.to_vec())]);

    assert_eq!(
        settled(fleet.as_ref(), site).map(|seen| seen.condition),
        Some(Condition::Absent),
        "nothing serves"
    );
    assert_eq!(fleet.find(site, &one).ok(), Some(None), "nothing was made");
    assert!(fleet.stop(site).is_ok(), "nothing can be stopped");

    assert_eq!(
        kind(fleet.prepare(site, &one, &files(b"two")).map(|_| ())),
        Some(Kind::Invalid),
        "another artefact is not taken for it"
    );
    let made = |made: Result<String, PortError>| {
        assert!(made.is_ok(), "a release can be made: {made:?}");
        made.unwrap_or_default()
    };
    let name = made(fleet.prepare(site, &one, &files(b"one")));
    assert_eq!(name, one.name(site), "its name follows from what is in it");
    assert_eq!(
        open().prepare(site, &one, &files(b"one")).ok(),
        Some(name.clone()),
        "and it is not made twice"
    );
    assert_eq!(open().find(site, &one).ok(), Some(Some(name.clone())), "it is found again");
    assert_eq!(
        settled(fleet.as_ref(), site).map(|seen| seen.condition),
        Some(Condition::Absent),
        "making a release moves no traffic"
    );
    assert_eq!(fleet.examine(site, &one, &name).ok(), Some(Vec::new()), "it is what it should be");

    assert!(fleet.shift(site, &name, Pace::Staged).is_ok() && serves(&name), "traffic goes to it");
    assert!(fleet.shift(site, &name, Pace::Staged).is_ok() && serves(&name), "where it is, it stays");
    assert_eq!(
        kind(fleet.shift(site, "contract-v9-000000000000", Pace::Staged)),
        Some(Kind::Absent),
        "there is nothing to shift to"
    );
    assert!(serves(&name), "what serves goes on");

    let second = made(fleet.prepare(site, &two, &files(b"two")));
    assert_ne!(name, second, "other releases have other names");
    assert!(serves(&name), "it has no traffic yet");
    assert!(fleet.shift(site, &second, Pace::Staged).is_ok() && serves(&second), "traffic goes over");
    let recorded = Release { recorded: Some(name.clone()), ..one.clone() };
    assert_eq!(fleet.find(site, &recorded).ok(), Some(Some(name.clone())), "the former one is still there");
    assert!(fleet.shift(site, &name, Pace::AtOnce).is_ok() && serves(&name), "traffic goes back");

    gone_and_back(fleet.as_ref(), site, (&one, &name), (&two, &second));
}

/// Checks that two releases share the traffic of an endpoint at which nothing serves and for which nothing was made.
///
/// # Panics
/// When the platform does not keep the contract.
pub fn check_weights(open: &dyn Fn() -> Box<dyn Fleet>, site: &Site) {
    let fleet = open();
    let kind = |result: Result<(), PortError>| result.err().map(|error| error.kind());
    let make = |version: u32| {
        let content = format!("weighed {version}").into_bytes();
        let release = release(version, &content)?;
        fleet.prepare(site, &release, &BTreeMap::from([("model.onnx".to_owned(), content)])).ok()
    };
    let made = make(1).zip(make(2)).zip(make(3));
    assert!(made.is_some(), "releases can be made");
    let Some(((one, two), three)) = made else { return };
    let shares = |first: (&str, f64), second: (&str, f64)| {
        let seen = settled(fleet.as_ref(), site);
        seen.is_some_and(|seen| {
            let near = |(name, percent): (&str, f64)| (seen.share_of(name) - percent).abs() < 0.01;
            seen.condition == Condition::Steady && seen.serving.len() == 2 && near(first) && near(second)
        })
    };
    let serves = |name: &str| settled(fleet.as_ref(), site).is_some_and(|observed| observed.serves(name));

    assert_eq!(kind(fleet.weigh(site, &two, 10)), Some(Kind::Conflict), "there is nothing to share with");
    assert!(fleet.shift(site, &one, Pace::Staged).is_ok() && serves(&one));
    for percent in [0, 100] {
        assert_eq!(kind(fleet.weigh(site, &two, percent)), Some(Kind::Invalid), "{percent} is no share");
    }
    assert_eq!(
        kind(fleet.weigh(site, "contract-v9-000000000000", 10)),
        Some(Kind::Absent),
        "there is nothing to share"
    );
    assert_eq!(kind(fleet.weigh(site, &one, 10)), Some(Kind::Conflict), "it cannot share with itself");
    assert!(serves(&one), "nothing of that moved any traffic");
    for percent in [10, 10, 50] {
        assert_eq!(kind(open().weigh(site, &two, percent)), None);
        let (rest, share) = (f64::from(100 - percent), f64::from(percent));
        assert!(shares((&one, rest), (&two, share)), "{percent} % go over");
    }
    assert_eq!(kind(fleet.weigh(site, &three, 10)), Some(Kind::Conflict), "two others share it");
    assert_eq!(fleet.watch(site, 0).ok(), Some(None), "nothing speaks against it");
    let gone = fleet.prune(site, &BTreeSet::new()).unwrap_or_default();
    assert!(
        gone.contains(&three) && !gone.contains(&one) && !gone.contains(&two),
        "what shares is not removed"
    );
    assert!(shares((&one, 50.0), (&two, 50.0)), "and goes on");
    assert!(fleet.shift(site, &two, Pace::Staged).is_ok() && serves(&two), "the rest goes over");
    assert_eq!(kind(fleet.weigh(site, &one, 20)), None);
    assert!(shares((&two, 80.0), (&one, 20.0)), "the former one can have a share again");
    assert!(fleet.shift(site, &two, Pace::AtOnce).is_ok() && serves(&two), "all of it goes back");
    let gone = fleet.prune(site, &BTreeSet::new()).unwrap_or_default();
    assert!(gone.contains(&one) && !gone.contains(&two) && serves(&two), "what has no share is removed");
    assert!(fleet.stop(site).is_ok());
}

/// What can be removed, and what stopping leaves.
fn gone_and_back(
    fleet: &dyn Fleet,
    site: &Site,
    (one, name): (&Release, &str),
    (two, second): (&Release, &str),
) {
    let serves = |name: &str| settled(fleet, site).is_some_and(|observed| observed.serves(name));
    let removed = fleet.prune(site, &BTreeSet::new());
    assert_eq!(
        removed.ok(),
        Some(vec![second.to_owned()]),
        "what does not serve and is not named is removed"
    );
    assert_eq!(fleet.find(site, two).ok(), Some(None), "it is gone");
    assert!(serves(name), "what serves is never removed");

    assert!(fleet.hold(site, two, true).is_ok(), "what is gone can be held");
    for held in [true, true, false, false] {
        assert!(fleet.hold(site, one, held).is_ok(), "a release can be held, and let go");
        assert!(serves(name), "that alone moves no traffic");
    }
    assert!(fleet.stop(site).is_ok() && fleet.stop(site).is_ok(), "stopping twice is fine");
    assert_eq!(settled(fleet, site).map(|seen| seen.condition), Some(Condition::Absent), "nothing serves");
    assert_eq!(fleet.find(site, one).ok(), Some(Some(name.to_owned())), "and can serve again");
    assert!(fleet.shift(site, name, Pace::AtOnce).is_ok() && serves(name), "as it did");
    assert!(fleet.stop(site).is_ok());
}
