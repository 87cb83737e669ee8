//! Stories in which each call fails in every way: what is told is what happened, and the same step goes on where it was.

use crate::support::proxy::{Fate, Proxy, json_error, operation, xml_error};
use crate::support::{Emulator, settings, variables};
use aws::Client;
use std::collections::BTreeSet;
use std::time::Duration;
use world::{Kind, PortError};

/// Who is in a hurry waits for so long, and asks once.
const SHORT: Duration = Duration::from_millis(150);

/// What happens to every call of an operation, and what kind of error is told of it. What is done although nobody hears of it
/// comes last, and another first for each operation. A call that went through all of it at an earlier step has one of them again.
pub(crate) fn troubles(operation: &str, turn: usize, known: bool) -> Vec<(Fate, Kind)> {
    // Names with a dot are of services that speak JSON, as is the one that this proxy answers for.
    let json = operation.contains('.') || operation.starts_with("kubernetes ");
    let error = if json { json_error } else { xml_error };
    let throttled = if json { "ThrottlingException" } else { "SlowDown" };
    let elsewhere = "<html>there is no such page</html>".to_owned();
    let mut all = vec![
        (error(500, "InternalError"), Kind::Failed),
        (error(403, "AccessDenied"), Kind::Denied),
        (error(429, throttled), Kind::Busy),
        (Fate::Answer(404, String::new(), elsewhere), Kind::Failed),
        (Fate::Answer(200, String::new(), "<html>sign in first</html>".to_owned()), Kind::Failed),
        (Fate::Reset, Kind::Failed),
        (Fate::Silence, Kind::Failed),
    ];
    let mut done = [Fate::Lost, Fate::Half, Fate::Stall];
    done.rotate_left(turn % 3);
    all.extend(done.map(|fate| (fate, Kind::Failed)));
    if known { vec![all.swap_remove(turn % all.len())] } else { all }
}

/// Settings of somebody behind a proxy: with time and a second attempt, and in a hurry.
pub(crate) fn patient_and_hasty(proxy: &Proxy) -> [Client; 2] {
    ["2", "1"].map(|attempts| {
        let mut all = variables(proxy.address);
        all.insert("AWS_MAX_ATTEMPTS".into(), attempts.into());
        let settings = settings(all);
        Client::new(if attempts == "1" { settings.with_timeout(SHORT) } else { settings }).unwrap()
    })
}

/// What is told is the trouble of the call, or that it came to its end all the same. Who is in a hurry may hear of another
/// call that took its time.
pub(crate) fn told(result: Result<(), PortError>, kind: Kind, call: Option<&str>, what: &str) {
    let Err(error) = result else { return };
    assert_eq!(error.kind(), kind, "{what}: {error}");
    let Some(call) = call else { return };
    let named = match call.split_once(' ') {
        None => call.rsplit('.').next().unwrap(),
        Some(("s3", _)) => "`s3:",
        Some(("eks", _)) => "DescribeCluster",
        Some(("securityhub", _)) => "`securityhub:",
        Some(_) => "the cluster `models`",
    };
    assert!(error.to_string().contains(named), "{what}: {error}");
}

/// A step, to be done again after a failure. It gets the name of what is its own in this telling.
pub(crate) type Step<T> = (&'static str, fn(&T, &str) -> Result<(), PortError>);

/// Tells a story once as it should go, and a second time in which every call of every step fails in every way, each alone, before
/// the step is done. `make` sets up what a telling needs, `open` makes what the story is about, from a client and the name of the
/// telling, and `rest` waits until what an attempt began has ended. Gives the operations that were called.
pub(crate) fn suffer<T>(
    of: &str,
    make: impl Fn(&str),
    open: impl Fn(Client, &str) -> T,
    rest: impl Fn(&str),
    story: &[Step<T>],
) -> BTreeSet<String> {
    let proxy = Proxy::before(Some(Emulator::get().address));
    let calm = format!("calm-{of}");
    make(&calm);
    let [patient, _] = patient_and_hasty(&proxy).map(|client| open(client, &calm));
    proxy.seen();
    let called: Vec<BTreeSet<String>> = story
        .iter()
        .map(|(name, step)| {
            step(&patient, &calm).unwrap_or_else(|error| panic!("{name}: {error}"));
            rest(&calm);
            proxy.seen().iter().map(|request| operation(request)).collect()
        })
        .collect();
    let torn = format!("torn-{of}");
    make(&torn);
    let [patient, hasty] = patient_and_hasty(&proxy).map(|client| open(client, &torn));
    let mut known = BTreeSet::new();
    for ((name, step), calls) in story.iter().zip(&called) {
        for (turn, call) in calls.iter().enumerate() {
            for (fate, kind) in troubles(call, turn, !known.insert(call)) {
                proxy.always_of(call, fate.clone());
                let hurry = matches!(fate, Fate::Silence | Fate::Stall);
                let done = step(if hurry { &hasty } else { &patient }, &torn);
                told(done, kind, (!hurry).then_some(call), &format!("{name}, {call}: {fate:?}"));
                proxy.calm();
                rest(&torn);
            }
        }
        step(&patient, &torn).unwrap_or_else(|error| panic!("{name} goes on: {error}"));
        rest(&torn);
    }
    called.into_iter().flatten().collect()
}
