//! Where a version serves, from the record alone: nothing outside is asked.

use crate::Engine;
use facts::{EndpointName, EvidenceId, ModelName, Timestamp};
use registry::VersionNumber;
use serde::Serialize;
use std::collections::BTreeSet;

/// How a version is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceState {
    /// It serves there.
    Serves,
    /// It was put there, and may serve no more: an emergency is over, or its bytes are not what was registered.
    Withheld,
    /// It was begun there, and not seen to end.
    Unsettled,
}

/// A place at which a version serves, or may.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServingPlace {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The platform; none if it is the gateway of the house.
    pub on: Option<String>,
    /// The name of its release on the platform.
    pub release: Option<String>,
    /// How it is there.
    pub state: PlaceState,
    /// The largest share of the traffic, in per cent, that it may have by the weights on record.
    pub at_most_percent: u32,
    /// Since when.
    pub since: Timestamp,
    /// The entry that says so.
    pub evidence: EvidenceId,
}

impl Engine {
    /// Where a version serves, as the record says: what was deployed last, and what was begun and not seen to end.
    pub fn places(&self, model: &ModelName, version: VersionNumber) -> Vec<ServingPlace> {
        let rollouts = self.state().rollouts();
        let stretch = self.state().registry().model(model).and_then(|known| known.serving());
        let mut places = Vec::new();
        if let Some(stretch) = stretch.filter(|stretch| stretch.version == version) {
            let endpoint = &stretch.endpoint;
            let settled = rollouts.settled(endpoint).filter(|settled| settled.what.version == version);
            let (smallest, _) = rollouts.weighed(endpoint).unwrap_or_default();
            let other = rollouts.open(endpoint).is_some_and(|open| open.what.version != version);
            places.push(ServingPlace {
                endpoint: endpoint.clone(),
                on: settled.and_then(|_| rollouts.platform(endpoint)).map(str::to_owned),
                release: settled.map(|settled| settled.what.release.clone()),
                state: match self.serves(model) {
                    Some(serves) if serves == version => PlaceState::Serves,
                    _ => PlaceState::Withheld,
                },
                at_most_percent: if other { 100_u32.saturating_sub(smallest) } else { 100 },
                since: stretch.since,
                evidence: stretch.evidence.clone(),
            });
        }
        let own = self.charter().ok().and_then(|charter| charter.model(model));
        let endpoints = own.map(|model| model.endpoint.name.clone()).into_iter();
        let endpoints: BTreeSet<EndpointName> =
            endpoints.chain(stretch.map(|stretch| stretch.endpoint.clone())).collect();
        for endpoint in endpoints {
            let open = rollouts.open(&endpoint).filter(|open| open.what.version == version);
            places.extend(open.map(|open| ServingPlace {
                on: rollouts.platform(&endpoint).map(str::to_owned),
                release: Some(open.what.release.clone()),
                state: PlaceState::Unsettled,
                // Without weights it may have got all of it.
                at_most_percent: rollouts.weighed(&endpoint).map_or(100, |(_, largest)| largest),
                since: open.time,
                evidence: open.evidence.clone(),
                endpoint,
            }));
        }
        places
    }
}
