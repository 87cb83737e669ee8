//! Each call of each platform fails in every way, and goes on failing, at each step of a story: what is told is what happened,
//! nothing is taken for another state, nothing is made twice, and the same step goes on where it was.

use crate::fleet::{cluster_at, ecs, eks, release, sagemaker, settled};
use crate::story::{patient_and_hasty, told, troubles};
use crate::support::kubernetes::ApiServer;
use crate::support::proxy::{Fate, Proxy, operation};
use crate::support::{Emulator, client};
use aws::fleet::AwsFleet;
use serde_json::json;
use std::collections::BTreeSet;
use world::{Fleet, Pace, PortError, Site};

/// A step of the story: what is done, to be done again after a failure.
type Step = fn(&AwsFleet, &Site) -> Result<(), PortError>;

const STORY: [(&str, Step); 10] = [
    ("look at nothing", |fleet, site| fleet.find(site, &release(1).0).map(|_| ())),
    ("make one", |fleet, site| make(fleet, site, 1)),
    ("begin with one", |fleet, site| shift(fleet, site, 1, Pace::Staged)),
    ("see it", |fleet, site| fleet.describe(site).map(|_| ())),
    ("make another", |fleet, site| make(fleet, site, 2)),
    ("go over", |fleet, site| shift(fleet, site, 2, Pace::Staged)),
    ("examine it", |fleet, site| {
        let (two, _) = release(2);
        let found = fleet.examine(site, &two, &two.name(site))?;
        assert_eq!(found, Vec::<String>::new(), "it is what it should be");
        Ok(())
    }),
    ("go back", |fleet, site| shift(fleet, site, 1, Pace::AtOnce)),
    ("remove what is not needed", |fleet, site| {
        let two = release(2).0.name(site);
        let gone = fleet.prune(site, &BTreeSet::new())?;
        assert!(gone.iter().all(|name| *name == two), "{gone:?}");
        Ok(())
    }),
    ("stop", |fleet, site| fleet.stop(site)),
];

fn make(fleet: &AwsFleet, site: &Site, version: u32) -> Result<(), PortError> {
    let (release, files) = release(version);
    assert_eq!(fleet.prepare(site, &release, &files)?, release.name(site));
    assert_eq!(fleet.find(site, &release)?, Some(release.name(site)));
    Ok(())
}

fn shift(fleet: &AwsFleet, site: &Site, version: u32, pace: Pace) -> Result<(), PortError> {
    fleet.shift(site, &release(version).0.name(site), pace)
}

/// The way to a platform: whoever goes through the proxies hears what they let pass.
struct Way {
    /// The proxies, and how the operations of what is behind each are named.
    proxies: Vec<Proxy>,
    /// Through the proxies, with time.
    fleet: AwsFleet,
    /// Through the proxies, in a hurry.
    hasty: AwsFleet,
    /// Past them.
    sure: AwsFleet,
}

impl Way {
    fn of(proxies: Vec<Proxy>, sure: AwsFleet) -> Self {
        let [fleet, hasty] = patient_and_hasty(&proxies[0]).map(AwsFleet::new);
        Self { proxies, fleet, hasty, sure }
    }

    /// The operations that each step of the story calls when nothing fails; one of many identifiers counts as one.
    fn calls(&self, site: &Site) -> Vec<BTreeSet<(usize, String)>> {
        let seen = |step: &(&str, Step)| {
            step.1(&self.fleet, site).unwrap();
            let mut all = BTreeSet::new();
            for (n, proxy) in self.proxies.iter().enumerate() {
                all.extend(proxy.seen().iter().map(|request| (n, operation(request))));
            }
            settled(&self.sure, site);
            all
        };
        STORY.iter().map(seen).collect()
    }

    /// Every call of every step fails in every way before the step is done.
    fn suffer(&self, called: &[BTreeSet<(usize, String)>], site: &Site, keep: &dyn Fn(&Self)) {
        let (mut known, mut turn) = (BTreeSet::new(), 0);
        for ((name, step), calls) in STORY.iter().zip(called) {
            for (n, call) in calls {
                turn += 1;
                for (fate, kind) in troubles(call, turn, !known.insert(call)) {
                    let what = format!("{name}, {call}: {fate:?}");
                    self.proxies[*n].always_of(call, fate.clone());
                    let hurry = matches!(fate, Fate::Silence | Fate::Stall);
                    let fleet = if hurry { &self.hasty } else { &self.fleet };
                    told(step(fleet, site), kind, (!hurry).then_some(call.as_str()), &what);
                    // A look is right, or it is none.
                    if let Ok(seen) = fleet.describe(site) {
                        let sure = settled(&self.sure, site);
                        assert!(
                            seen == sure || seen.condition == world::Condition::Changing,
                            "{what}: {seen:?}, {sure:?}"
                        );
                    }
                    settled(&self.sure, site);
                    self.proxies.iter().for_each(Proxy::calm);
                    keep(self);
                }
            }
            step(&self.fleet, site).unwrap_or_else(|error| panic!("{name} goes on: {error}"));
            settled(&self.sure, site);
        }
        assert_eq!(settled(&self.sure, site).condition, world::Condition::Absent);
        assert_eq!(
            self.sure.prune(site, &BTreeSet::new()).unwrap(),
            [release(1).0.name(site)],
            "and nothing else was made"
        );
    }
}

fn on_aws() -> Way {
    let address = Emulator::get().address;
    Way::of(vec![Proxy::before(Some(address))], AwsFleet::new(client(address)))
}

#[test]
fn endpoints_of_sagemaker_come_through_whatever_fails() {
    let way = on_aws();
    let called = way.calls(&sagemaker("calm-faults-sm", &json!({})));
    let all: BTreeSet<&str> = called.iter().flatten().map(|(_, call)| call.as_str()).collect();
    assert_eq!(all.len(), 16, "{all:?}");
    way.suffer(&called, &sagemaker("faults-sm", &json!({})), &|_| {});
}

#[test]
fn services_of_ecs_come_through_whatever_fails() {
    let way = on_aws();
    let called = way.calls(&ecs("calm-faults-ecs", &json!({})));
    let all: BTreeSet<&str> = called.iter().flatten().map(|(_, call)| call.as_str()).collect();
    assert_eq!(all.len(), 10, "{all:?}");
    way.suffer(&called, &ecs("faults-ecs", &json!({})), &|_| {});
}

#[test]
fn deployments_in_a_cluster_come_through_whatever_fails() {
    let server = ApiServer::start("models");
    let before = Proxy::before(Some(server.address));
    let aws = Proxy::before(Some(Emulator::get().address));
    let known = |proxy: &Proxy, address| proxy.always("GET /clusters/models", cluster_at(address));
    let direct = Proxy::before(Some(Emulator::get().address));
    known(&direct, server.address);
    let sure = AwsFleet::new(client(direct.address));
    let through = before.address;
    known(&aws, through);
    let way = Way::of(vec![aws, before], sure);
    let called = way.calls(&eks("calm-faults-eks", &json!({})));
    // Where the cluster is, the proxy itself says.
    let called: Vec<_> = called
        .into_iter()
        .map(|all| all.into_iter().filter(|(_, call)| !call.starts_with("eks ")).collect())
        .collect();
    way.suffer(&called, &eks("faults-eks", &json!({})), &|way| known(&way.proxies[0], through));
}
