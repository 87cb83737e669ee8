//! What AWS knows: every service, action, resource type and condition key, as of a date. Embedded, looked up by binary
//! search in the bytes themselves, without allocation. Names match whatever their case, as in IAM.
//!
//! ```
//! use iam::catalog::{Availability, availability, catalog};
//!
//! let action = catalog().action("S3:getobject").expect("an action of S3");
//! assert_eq!(action.name(), "GetObject");
//! assert!(action.lists_key("s3:ExistingObjectTag/project"));
//! assert_eq!(catalog().actions_matching("s3:*Bucket").filter(|a| a.name() == "ListBucket").count(), 1);
//! assert_eq!(availability("s3:GetObject", "aws:SourceVpce"), Availability::Sometimes);
//! ```
//!
//! The data and their licence are described in `crates/iam/data/README.md`.

mod availability;
mod blob;
mod entries;
mod glob;

pub use availability::{
    Availability, GlobalKey, GlobalKeys, Presence, availability, availability_for, global_key, global_keys,
};
pub use blob::CatalogError;
pub use entries::{AccessLevel, Action, ActionId, ConditionKey, KeyType, ResourceType, ResourceUse, Service};

use blob::{Blob, compare};

static BYTES: &[u8] = include_bytes!("../../data/actions.bin");
// A file whose header or size is wrong does not compile.
const _: () = assert!(Blob::read(BYTES).is_ok(), "data/actions.bin is not a catalogue");
static EMBEDDED: Catalog<'static> = Catalog {
    blob: match Blob::read(BYTES) {
        Ok(blob) => blob,
        Err(_) => Blob::EMPTY,
    },
};

/// The catalogue that this program carries.
pub fn catalog() -> &'static Catalog<'static> {
    &EMBEDDED
}

/// Services, actions, resource types and condition keys, looked up in the bytes of a compiled catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Catalog<'a> {
    blob: Blob<'a>,
}

impl<'a> Catalog<'a> {
    /// Reads a catalogue. Header and sizes are checked here; damage beyond them gives empty names and missing
    /// entries, never a panic.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CatalogError> {
        Blob::read(bytes).map(|blob| Self { blob })
    }

    /// The day of the data, as `2026-09-26`.
    pub fn as_of(&self) -> &'a str {
        self.blob.text(self.blob.date)
    }

    /// The version of the package that the data come from.
    pub fn source_version(&self) -> &'a str {
        self.blob.text(self.blob.version)
    }

    /// The service with this prefix, such as `s3`.
    pub fn service(&'a self, prefix: &str) -> Option<Service<'a>> {
        let at = self
            .blob
            .services
            .partition_point(|record| compare(entries::service_prefix(&self.blob, record), prefix).is_lt());
        self.service_at(u16::try_from(at).ok()?).filter(|service| compare(service.prefix(), prefix).is_eq())
    }

    /// All services, by prefix.
    pub fn services(&'a self) -> impl ExactSizeIterator<Item = Service<'a>> + use<'a> {
        self.blob.services.iter().map(|record| Service::new(&self.blob, record))
    }

    /// Whether resource control policies reach the resources of a service.
    pub fn supports_rcp(&self, prefix: &str) -> bool {
        self.service(prefix).is_some_and(|service| service.supports_rcp())
    }

    /// The action of this full name, such as `s3:GetObject`.
    pub fn action(&'a self, full: &str) -> Option<Action<'a>> {
        let (service, name) = full.split_once(':')?;
        self.action_of(service, name)
    }

    /// The action of this name in a service.
    pub fn action_of(&'a self, service: &str, name: &str) -> Option<Action<'a>> {
        self.service(service)?.action(name)
    }

    /// The action of this number.
    pub fn action_by_id(&'a self, id: ActionId) -> Option<Action<'a>> {
        Action::at(&self.blob, id)
    }

    /// The actions of a service, by name; none if there is no such service.
    pub fn actions(&'a self, service: &str) -> impl Iterator<Item = Action<'a>> + use<'a> {
        self.service(service).into_iter().flat_map(Service::actions)
    }

    /// All actions, by service and name. Their numbers are 0, 1, 2 and so on.
    pub fn all_actions(&'a self) -> impl ExactSizeIterator<Item = Action<'a>> + use<'a> {
        let count = u16::try_from(self.blob.actions.len()).unwrap_or(u16::MAX);
        Action::range(&self.blob, 0..count)
    }

    /// The actions whose full name fits a pattern of an `Action` element: `*` is any text, `?` is any one character.
    pub fn actions_matching<'p>(
        &'a self,
        pattern: &'p str,
    ) -> impl Iterator<Item = Action<'a>> + use<'a, 'p> {
        let literal = pattern.split(['*', '?']).next().unwrap_or_default();
        let range = match literal.split_once(':') {
            Some((service, start)) => {
                self.service(service).map_or(0..0, |service| service.actions_beginning(start))
            }
            None => 0..u16::try_from(self.blob.actions.len()).unwrap_or(u16::MAX),
        };
        Action::range(&self.blob, range)
            .filter(|action| glob::matches(pattern, action.service().prefix(), action.name()))
    }

    /// The type of resource of this name in a service, such as `bucket` of `s3`.
    pub fn resource_type(&'a self, service: &str, name: &str) -> Option<ResourceType<'a>> {
        self.service(service)?.resource_type(name)
    }

    /// What a condition key is, if a service defines it. A key with a variable part is found under any name that fits
    /// it: `kms:EncryptionContext:project`, `aws:ResourceTag/owner`, and `aws:ResourceTag/${TagKey}` itself.
    ///
    /// One key, `identitystore:UserId`, has two types in the data; this is the single-valued one, and
    /// [`Service::condition_key`] gives that of a service. Keys of no service are in [`global_key`].
    pub fn condition_key(&'a self, name: &str) -> Option<ConditionKey<'a>> {
        let at = self
            .blob
            .keys
            .partition_point(|record| compare(entries::key_name(&self.blob, record), name).is_lt());
        let exact = u16::try_from(at).ok().and_then(|at| ConditionKey::at(&self.blob, at));
        exact.filter(|key| compare(key.name(), name).is_eq()).or_else(|| {
            let templates = self.blob.templates.iter().map(|id| u16::from_le_bytes(*id));
            let fitting = templates.filter_map(|id| ConditionKey::at(&self.blob, id));
            fitting.filter(|key| key.matches(name)).max_by_key(|key| key.name().len())
        })
    }

    /// All condition keys, by name.
    pub fn condition_keys(&'a self) -> impl ExactSizeIterator<Item = ConditionKey<'a>> + use<'a> {
        self.blob.keys.iter().map(|record| ConditionKey::new(&self.blob, record))
    }

    /// Prefixes of condition keys that are not the prefix of a service, with the service that defines such keys:
    /// `saml` of `sts`, `token.actions.githubusercontent.com` of `sts`.
    pub fn foreign_prefixes(
        &'a self,
    ) -> impl ExactSizeIterator<Item = (&'a str, Option<Service<'a>>)> + use<'a> {
        self.blob.prefixes.iter().map(|[t0, t1, t2, t3, s0, s1]| {
            let prefix = self.blob.text(u32::from_le_bytes([*t0, *t1, *t2, *t3]));
            (prefix, self.service_at(u16::from_le_bytes([*s0, *s1])))
        })
    }

    fn service_at(&'a self, number: u16) -> Option<Service<'a>> {
        Some(Service::new(&self.blob, self.blob.services.get(usize::from(number))?))
    }
}
