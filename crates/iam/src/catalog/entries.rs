//! The entries of the catalogue: small copies of a record that look up what they point to when they are asked.

use super::blob::{ActionRecord, Blob, KeyRecord, ResourceTypeRecord, ServiceRecord, begins, compare};
use serde::Deserialize;
use std::fmt;
use std::ops::Range;

/// The number of an action: dense from 0 in a catalogue, and another one in the next release of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(u16);

impl ActionId {
    /// The id of this number.
    pub fn new(number: u16) -> Self {
        Self(number)
    }

    /// As an index into a table of all actions.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// What AWS says an action does, from harmless to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Sees that resources exist.
    List,
    /// Reads their content.
    Read,
    /// Creates, changes or deletes them.
    Write,
    /// Changes tags, which may decide who has access.
    Tagging,
    /// Grants or changes permissions.
    PermissionsManagement,
}

impl AccessLevel {
    /// As AWS writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

/// The type of the values of a condition key. The arrays are multivalued keys, which need a set operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum KeyType {
    /// Text.
    String,
    /// An Amazon Resource Name.
    #[serde(rename = "ARN")]
    Arn,
    /// `true` or `false`.
    Bool,
    /// A number.
    Numeric,
    /// A point in time.
    Date,
    /// An address or a range of addresses.
    #[serde(rename = "IPAddress")]
    IpAddress,
    /// Many texts.
    ArrayOfString,
    /// Many ARNs.
    #[serde(rename = "ArrayOfARN")]
    ArrayOfArn,
    /// Many truth values.
    ArrayOfBool,
}

impl KeyType {
    /// Whether a request can carry many values of such a key.
    pub fn is_multivalued(self) -> bool {
        matches!(self, Self::ArrayOfString | Self::ArrayOfArn | Self::ArrayOfBool)
    }

    /// The type of each value.
    pub fn element(self) -> Self {
        match self {
            Self::ArrayOfString => Self::String,
            Self::ArrayOfArn => Self::Arn,
            Self::ArrayOfBool => Self::Bool,
            single => single,
        }
    }

    /// As AWS writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Arn => "ARN",
            Self::Bool => "Bool",
            Self::Numeric => "Numeric",
            Self::Date => "Date",
            Self::IpAddress => "IPAddress",
            Self::ArrayOfString => "ArrayOfString",
            Self::ArrayOfArn => "ArrayOfARN",
            Self::ArrayOfBool => "ArrayOfBool",
        }
    }
}

pub(super) fn service_prefix<'a>(blob: &Blob<'a>, record: &ServiceRecord) -> &'a str {
    let [p0, p1, p2, p3, ..] = *record;
    blob.text(u32::from_le_bytes([p0, p1, p2, p3]))
}

pub(super) fn key_name<'a>(blob: &Blob<'a>, record: &KeyRecord) -> &'a str {
    let [n0, n1, n2, n3, ..] = *record;
    blob.text(u32::from_le_bytes([n0, n1, n2, n3]))
}

/// A service.
#[derive(Clone, Copy)]
pub struct Service<'a> {
    blob: &'a Blob<'a>,
    prefix: &'a str,
    name: u32,
    actions: (u16, u16),
    resource_types: (u16, u16),
    keys: u16,
    category: u8,
    flags: u8,
}

impl<'a> Service<'a> {
    pub(super) fn new(blob: &'a Blob<'a>, record: &ServiceRecord) -> Self {
        let [_, _, _, _, n0, n1, n2, n3, rest @ ..] = *record;
        let [a0, a1, ac0, ac1, t0, t1, tc0, tc1, k0, k1, category, flags] = rest;
        Self {
            blob,
            prefix: service_prefix(blob, record),
            name: u32::from_le_bytes([n0, n1, n2, n3]),
            actions: (u16::from_le_bytes([a0, a1]), u16::from_le_bytes([ac0, ac1])),
            resource_types: (u16::from_le_bytes([t0, t1]), u16::from_le_bytes([tc0, tc1])),
            keys: u16::from_le_bytes([k0, k1]),
            category,
            flags,
        }
    }

    /// What its actions begin with, such as `s3`.
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// Such as `Amazon S3`.
    pub fn name(&self) -> &'a str {
        self.blob.text(self.name)
    }

    /// Key and name of its category, such as `storage` and `Storage`.
    pub fn category(&self) -> (&'a str, &'a str) {
        self.blob.category(self.category)
    }

    /// Whether resource control policies reach its resources.
    pub fn supports_rcp(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Its actions, by name.
    pub fn actions(self) -> impl ExactSizeIterator<Item = Action<'a>> + use<'a> {
        let (first, count) = self.actions;
        Action::range(self.blob, first..first.saturating_add(count))
    }

    /// Its action of this name, without prefix.
    pub fn action(&self, name: &str) -> Option<Action<'a>> {
        let range = self.actions_from(name);
        Action::at(self.blob, ActionId(range.start))
            .filter(|action| !range.is_empty() && compare(action.name(), name).is_eq())
    }

    /// The numbers of its actions whose names begin so.
    pub(super) fn actions_beginning(&self, start: &str) -> Range<u16> {
        let range = self.actions_from(start);
        let rest = self.records(range.start, range.end);
        let fitting = rest.partition_point(|record| begins(action_name(self.blob, record), start));
        range.start..range.start.saturating_add(u16::try_from(fitting).unwrap_or_default())
    }

    /// The numbers of its actions from this name on.
    fn actions_from(&self, name: &str) -> Range<u16> {
        let (first, count) = self.actions;
        let end = first.saturating_add(count);
        let before = self
            .records(first, end)
            .partition_point(|record| compare(action_name(self.blob, record), name).is_lt());
        first.saturating_add(u16::try_from(before).unwrap_or_default())..end
    }

    fn records(&self, first: u16, end: u16) -> &'a [ActionRecord] {
        self.blob.actions.get(usize::from(first)..usize::from(end)).unwrap_or_default()
    }

    /// Its types of resources, by name.
    pub fn resource_types(self) -> impl ExactSizeIterator<Item = ResourceType<'a>> + use<'a> {
        self.type_records().iter().map(move |record| ResourceType::new(self.blob, record))
    }

    /// Its type of resource of this name.
    pub fn resource_type(&self, name: &str) -> Option<ResourceType<'a>> {
        let records = self.type_records();
        let at = records
            .partition_point(|record| compare(ResourceType::new(self.blob, record).name(), name).is_lt());
        let found = ResourceType::new(self.blob, records.get(at)?);
        compare(found.name(), name).is_eq().then_some(found)
    }

    fn type_records(&self) -> &'a [ResourceTypeRecord] {
        let (first, count) = self.resource_types;
        let first = usize::from(first);
        self.blob.resource_types.get(first..first + usize::from(count)).unwrap_or_default()
    }

    /// The condition keys that it defines or supports.
    pub fn condition_keys(&self) -> impl Iterator<Item = ConditionKey<'a>> + use<'a> {
        keys(self.blob, self.keys)
    }

    /// What a condition key is in this service. A name that fits the variable part of a key finds that key.
    pub fn condition_key(&self, name: &str) -> Option<ConditionKey<'a>> {
        let exact = self.condition_keys().find(|key| compare(key.name(), name).is_eq());
        exact.or_else(|| {
            self.condition_keys().filter(|key| key.matches(name)).max_by_key(|key| key.name().len())
        })
    }
}

impl fmt::Debug for Service<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({})", self.prefix)
    }
}

fn keys<'a>(blob: &'a Blob<'a>, set: u16) -> impl Iterator<Item = ConditionKey<'a>> + use<'a> {
    blob.key_set(set).filter_map(move |id| ConditionKey::at(blob, id))
}

fn action_name<'a>(blob: &Blob<'a>, record: &ActionRecord) -> &'a str {
    let [n0, n1, n2, n3, ..] = *record;
    blob.text(u32::from_le_bytes([n0, n1, n2, n3]))
}

/// An action.
#[derive(Clone, Copy)]
pub struct Action<'a> {
    blob: &'a Blob<'a>,
    id: ActionId,
    name: &'a str,
    level: u16,
    service: u16,
    uses: u16,
    keys: u16,
    dependents: u16,
}

impl<'a> Action<'a> {
    fn new(blob: &'a Blob<'a>, id: ActionId, record: &ActionRecord) -> Self {
        let [_, _, _, _, s0, s1, u0, u1, k0, k1, d0, d1] = *record;
        let service = u16::from_le_bytes([s0, s1]);
        Self {
            blob,
            id,
            name: action_name(blob, record),
            level: service >> 12,
            service: service & 0x0fff,
            uses: u16::from_le_bytes([u0, u1]),
            keys: u16::from_le_bytes([k0, k1]),
            dependents: u16::from_le_bytes([d0, d1]),
        }
    }

    pub(super) fn at(blob: &'a Blob<'a>, id: ActionId) -> Option<Self> {
        blob.actions.get(id.index()).map(|record| Self::new(blob, id, record))
    }

    /// The actions of these numbers; none if one of them does not exist.
    pub(super) fn range(
        blob: &'a Blob<'a>,
        range: Range<u16>,
    ) -> impl ExactSizeIterator<Item = Self> + use<'a> {
        let records = blob.actions.get(usize::from(range.start)..usize::from(range.end));
        let records = records.unwrap_or_default().iter().zip(range);
        records.map(move |(record, number)| Self::new(blob, ActionId(number), record))
    }

    /// Its number.
    pub fn id(&self) -> ActionId {
        self.id
    }

    /// Its name without the prefix of the service, as AWS writes it.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its service.
    pub fn service(&self) -> Service<'a> {
        const NOTHING: ServiceRecord = [0; 20];
        Service::new(self.blob, self.blob.services.get(usize::from(self.service)).unwrap_or(&NOTHING))
    }

    /// What it does, as AWS classifies it.
    pub fn access_level(&self) -> AccessLevel {
        match self.level {
            0 => AccessLevel::List,
            1 => AccessLevel::Read,
            2 => AccessLevel::Write,
            3 => AccessLevel::Tagging,
            _ => AccessLevel::PermissionsManagement,
        }
    }

    /// The types of resources that it acts on, by name. Some stand here twice, with different condition keys.
    pub fn resource_types(&self) -> impl Iterator<Item = ResourceUse<'a>> + use<'a> {
        let blob = self.blob;
        blob.use_set(self.uses).filter_map(move |(id, required, keys)| {
            let record = blob.resource_types.get(usize::from(id))?;
            Some(ResourceUse { resource_type: ResourceType::new(blob, record), required, keys })
        })
    }

    /// Whether it knows no resources: a statement must name `*`.
    pub fn is_wildcard_only(&self) -> bool {
        self.blob.use_set(self.uses).len() == 0
    }

    /// The condition keys of the action itself, by name. Those of its resources are at [`Action::resource_types`].
    pub fn condition_keys(&self) -> impl Iterator<Item = ConditionKey<'a>> + use<'a> {
        keys(self.blob, self.keys)
    }

    /// Whether a condition key is listed for the action, for a resource in this action, or for a resource of such a
    /// type. A name that fits the variable part of a key counts.
    pub fn lists_key(&self, name: &str) -> bool {
        self.condition_keys().any(|key| key.is(name))
            || self.resource_types().any(|used| {
                used.condition_keys().chain(used.resource_type().condition_keys()).any(|key| key.is(name))
            })
    }

    /// Other actions that a caller needs for this one. Releases of the data up to the present one name none at all:
    /// that there are none here does not mean that none are needed.
    pub fn dependent_actions(&self) -> impl Iterator<Item = Action<'a>> + use<'a> {
        let blob = self.blob;
        blob.action_set(self.dependents).filter_map(move |id| Action::at(blob, ActionId(id)))
    }
}

impl fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.name)
    }
}

impl fmt::Debug for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({self})")
    }
}

/// A type of resource in an action.
#[derive(Debug, Clone, Copy)]
pub struct ResourceUse<'a> {
    resource_type: ResourceType<'a>,
    required: bool,
    keys: u16,
}

impl<'a> ResourceUse<'a> {
    /// The type.
    pub fn resource_type(&self) -> ResourceType<'a> {
        self.resource_type
    }

    /// Whether the action always acts on such a resource.
    pub fn required(&self) -> bool {
        self.required
    }

    /// The condition keys that this action has for such a resource.
    pub fn condition_keys(&self) -> impl Iterator<Item = ConditionKey<'a>> + use<'a> {
        keys(self.resource_type.blob, self.keys)
    }
}

/// A type of resource.
#[derive(Clone, Copy)]
pub struct ResourceType<'a> {
    blob: &'a Blob<'a>,
    name: u32,
    arn: u32,
    service: u16,
    keys: u16,
}

impl<'a> ResourceType<'a> {
    fn new(blob: &'a Blob<'a>, record: &ResourceTypeRecord) -> Self {
        let [n0, n1, n2, n3, a0, a1, a2, a3, s0, s1, k0, k1] = *record;
        Self {
            blob,
            name: u32::from_le_bytes([n0, n1, n2, n3]),
            arn: u32::from_le_bytes([a0, a1, a2, a3]),
            service: u16::from_le_bytes([s0, s1]),
            keys: u16::from_le_bytes([k0, k1]),
        }
    }

    /// Its name in the service, such as `bucket`.
    pub fn name(&self) -> &'a str {
        self.blob.text(self.name)
    }

    /// The prefix of its service.
    pub fn service(&self) -> &'a str {
        let record = self.blob.services.get(usize::from(self.service));
        record.map_or("", |record| service_prefix(self.blob, record))
    }

    /// Its ARN with variable parts, such as `arn:${Partition}:s3:::${BucketName}`.
    pub fn arn(&self) -> &'a str {
        self.blob.text(self.arn)
    }

    /// The condition keys that tell something about such a resource.
    pub fn condition_keys(&self) -> impl Iterator<Item = ConditionKey<'a>> + use<'a> {
        keys(self.blob, self.keys)
    }
}

impl fmt::Debug for ResourceType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceType({}:{})", self.service(), self.name())
    }
}

/// A condition key.
#[derive(Clone, Copy)]
pub struct ConditionKey<'a> {
    blob: &'a Blob<'a>,
    name: &'a str,
    kind: u8,
    flags: u8,
}

impl<'a> ConditionKey<'a> {
    pub(super) fn new(blob: &'a Blob<'a>, record: &KeyRecord) -> Self {
        let [.., kind, flags] = *record;
        Self { blob, name: key_name(blob, record), kind, flags }
    }

    pub(super) fn at(blob: &'a Blob<'a>, id: u16) -> Option<Self> {
        blob.keys.get(usize::from(id)).map(|record| Self::new(blob, record))
    }

    /// Its name as AWS writes it, its variable part included: `s3:ExistingObjectTag/<key>`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The type of its values.
    pub fn kind(&self) -> KeyType {
        match self.kind {
            1 => KeyType::Arn,
            2 => KeyType::Bool,
            3 => KeyType::Numeric,
            4 => KeyType::Date,
            5 => KeyType::IpAddress,
            6 => KeyType::ArrayOfString,
            7 => KeyType::ArrayOfArn,
            8 => KeyType::ArrayOfBool,
            _ => KeyType::String,
        }
    }

    /// Whether its name has a variable part.
    pub fn is_template(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether a name is this key, or fits its variable part.
    pub fn is(&self, name: &str) -> bool {
        compare(self.name, name).is_eq() || self.matches(name)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.is_template() && fits(self.name, name)
    }

    /// The services that define or support it.
    pub fn services(&self) -> impl Iterator<Item = Service<'a>> + use<'a> {
        let Self { blob, name, .. } = *self;
        let services = blob.services.iter().map(move |record| Service::new(blob, record));
        services.filter(move |service| service.condition_keys().any(|key| key.name == name))
    }
}

impl fmt::Debug for ConditionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConditionKey({}: {})", self.name, self.kind().name())
    }
}

/// Whether a name stands for a template: something where `${...}` or `<...>` is, the rest equal but for case.
pub(super) fn fits(template: &str, name: &str) -> bool {
    let part = match template.split_once("${") {
        Some((before, rest)) => rest.split_once('}').map(|(_, after)| (before, after)),
        None => template
            .split_once('<')
            .and_then(|(before, rest)| rest.split_once('>').map(|(_, after)| (before, after))),
    };
    part.is_some_and(|(before, after)| {
        let ends = || {
            let tail = name.len().checked_sub(after.len()).and_then(|at| name.as_bytes().get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(after.as_bytes()))
        };
        name.len() > before.len() + after.len() && begins(name, before) && ends()
    })
}
