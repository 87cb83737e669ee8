//! What the gateway knows: compiled, immutable, exchanged as a whole.

use facts::{EndpointName, PersonId, Timestamp};
use guard::quota::{Admission, Meter, Plan};
use guard::{AccessKey, HashedKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};
use world::LoadedModel;

/// Somebody who may call.
#[derive(Clone)]
pub struct Principal {
    /// Who.
    pub id: PersonId,
    /// The hash of their access key.
    pub key: HashedKey,
    /// Their usage plan; none for no limit.
    pub plan: Option<Plan>,
}

/// What serves behind an endpoint.
pub struct Route {
    /// The model.
    pub model: String,
    /// The number of the version.
    pub version: u32,
    /// The version, loaded.
    pub loaded: Box<dyn LoadedModel>,
    /// The label that counts as positive.
    pub positive_label: String,
    /// Who may call it.
    pub allowed: BTreeSet<PersonId>,
    /// The share of requests that is captured.
    pub capture_share: f64,
}

impl Route {
    /// The name of the variant, as SageMaker's headers and capture folders have it.
    pub fn variant(&self) -> String {
        format!("v{}", self.version)
    }
}

/// Everything.
#[derive(Clone, Default)]
pub struct Bundle {
    /// Endpoints; those without a deployed version are known and have no route.
    pub routes: BTreeMap<EndpointName, Option<Arc<Route>>>,
    /// Who may sign in.
    pub principals: Vec<Principal>,
}

impl Bundle {
    /// Whose key this is.
    pub(crate) fn sign_in(&self, key: &AccessKey) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.key.verify(key))
    }
}

/// Where the bundle in force is. Requests that have begun keep the one they began with. Quotas are kept across
/// exchanges: a deployment gives nobody a fresh bucket.
#[derive(Clone, Default)]
pub struct BundleSlot {
    bundle: Arc<RwLock<Arc<Bundle>>>,
    meters: Arc<Mutex<BTreeMap<PersonId, (Plan, Meter)>>>,
}

impl BundleSlot {
    /// Puts a bundle in force.
    pub fn put(&self, bundle: Bundle) {
        if let Ok(mut slot) = self.bundle.write() {
            *slot = Arc::new(bundle);
        }
    }

    /// The bundle in force.
    pub fn get(&self) -> Arc<Bundle> {
        self.bundle.read().map(|slot| Arc::clone(&slot)).unwrap_or_default()
    }

    /// Takes one request of a principal's quota.
    pub(crate) fn take(&self, principal: &Principal, now: Timestamp) -> Admission {
        let Some(plan) = principal.plan else { return Admission::Admitted };
        let Ok(mut meters) = self.meters.lock() else {
            // Fail closed: without a count there is no admission.
            return Admission::Limited {
                retry_after_seconds: 1,
                limit: "the quota cannot be counted".to_owned(),
            };
        };
        let entry = meters.entry(principal.id.clone()).or_insert_with(|| (plan, Meter::new(plan, now)));
        if entry.0 != plan {
            *entry = (plan, Meter::new(plan, now));
        }
        entry.1.take(now)
    }
}
