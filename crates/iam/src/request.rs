//! What somebody asks of AWS: who, which action, on which resource, with which context keys.

use crate::value::{same, split_arn};
use std::fmt;

/// A request, read and ready to be decided as often as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    principal: Principal,
    action: Box<str>,
    written: Box<str>,
    service: usize,
    special: Special,
    sieve: Sieve,
    resource: Box<str>,
    fields: Option<Box<[Box<str>; 6]>>,
    account: Option<Box<str>>,
    context: Context,
}

/// The services with rules of their own, of which every decision must ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    S3,
    Kms,
    Sts,
    Iam,
    /// It has none.
    Not,
}

impl Special {
    fn of(service: &str) -> Self {
        match service {
            "s3" => Self::S3,
            "kms" => Self::Kms,
            "sts" => Self::Sts,
            "iam" => Self::Iam,
            _ => Self::Not,
        }
    }
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody signed the request.
    Anonymous,
    /// A service of AWS, for instance `cloudtrail.amazonaws.com`.
    Service(Box<str>),
    /// A user, role or session of an account.
    Aws(AwsPrincipal),
    /// Somebody known to an identity provider, or by a canonical id.
    Other(Box<str>),
}

/// A principal of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsPrincipal {
    pub(crate) arn: Box<str>,
    pub(crate) partition: Box<str>,
    pub(crate) account: Box<str>,
    pub(crate) sort: AwsSort,
}

/// Which sort of principal an ARN names. Names come without their path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AwsSort {
    Root,
    User { name: Box<str> },
    Role { name: Box<str>, service_linked: bool },
    Session { role: Box<str> },
    FederatedUser { name: Box<str> },
}

impl AwsPrincipal {
    /// Reads the ARN of a principal, or an account id, which means its root user.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_account(text) {
            return Self::parse(&format!("arn:aws:iam::{text}:root"));
        }
        let [_, partition, service, _, account, rest] = split_arn(text)?;
        let last = |path: &str| Box::from(path.rsplit('/').next().unwrap_or(path));
        let sort = match (service, rest.split_once('/')) {
            ("iam", None) if rest == "root" => AwsSort::Root,
            ("iam", Some(("user", path))) => AwsSort::User { name: last(path) },
            ("iam", Some(("role", path))) => {
                AwsSort::Role { name: last(path), service_linked: path.starts_with("aws-service-role/") }
            }
            ("sts", Some(("assumed-role", path))) => {
                AwsSort::Session { role: path.split('/').next().unwrap_or(path).into() }
            }
            ("sts", Some(("federated-user", name))) => AwsSort::FederatedUser { name: name.into() },
            _ => return None,
        };
        Some(Self { arn: text.into(), partition: partition.into(), account: account.into(), sort })
    }

    /// The account's id.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

/// Some actions: a bit of 16 for each of their services, and a bit of 48 for each of their names. An action of which
/// a bit is missing is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sieve(u64);

impl Sieve {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u64::MAX);
    const SERVICES: u64 = 16;

    /// An action in lower case.
    pub(crate) fn of(action: &str) -> Self {
        let service = action.split_once(':').map_or("", |(service, _)| service);
        let name = Self::SERVICES + hash_of(action) % (64 - Self::SERVICES);
        Self((1 << (hash_of(service) % Self::SERVICES)) | (1 << name))
    }

    /// All actions of a service in lower case.
    pub(crate) fn of_service(service: &str) -> Self {
        Self((1 << (hash_of(service) % Self::SERVICES)) | (u64::MAX << Self::SERVICES))
    }

    /// These and those.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether these may be among those.
    #[inline]
    pub(crate) fn falls_through(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// FNV-1a.
pub(crate) fn hash_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

impl Principal {
    /// Reads a principal: an ARN, an account id (its root user), a service name; anything else is the name by which an
    /// identity provider or S3 knows somebody.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(aws) = AwsPrincipal::parse(text) {
            return Self::Aws(aws);
        }
        if text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") {
            return Self::Service(text.into());
        }
        Self::Other(text.into())
    }

    /// Its account, if it has one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Aws(aws) => Some(&aws.account),
            _ => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Service(name) | Self::Other(name) => f.write_str(name),
            Self::Aws(aws) => f.write_str(&aws.arn),
        }
    }
}

/// What a context key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// One value.
    One(Box<str>),
    /// A list of values; an empty one is no value at all.
    Many(Box<[Box<str>]>),
}

/// One context key. Names that differ mostly have different hashes, which are compared faster.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    hash: u64,
    name: Box<str>,
    values: Values,
}

/// The context keys of a request, by lower-case name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    keys: Vec<Held>,
    /// How keys are spelled where that is not in lower case.
    spelled: Vec<Box<str>>,
}

impl Context {
    /// A context of these keys; of two that differ only in case, the later counts.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = (String, Values)>) -> Self {
        let mut context = Self::default();
        for (key, values) in keys {
            context.set(&key, values);
        }
        context
    }

    /// How a key is to be spelled when it is shown.
    pub(crate) fn spell(&mut self, key: &str) {
        if !self.spelled.iter().any(|other| other.eq_ignore_ascii_case(key)) {
            self.spelled.push(key.into());
        }
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, values: Values) {
        let name: Box<str> = key.to_lowercase().into();
        self.keys.retain(|held| held.name != name);
        if !matches!(&values, Values::Many(list) if list.is_empty()) {
            self.keys.push(Held { hash: hash_of(&name), name, values });
        }
    }

    /// The values of a key given in lower case.
    #[inline]
    pub(crate) fn get(&self, key: &str) -> Option<&Values> {
        self.keys.iter().find(|held| same(&held.name, key)).map(|held| &held.values)
    }

    /// The same for a key with its [`hash_of`].
    #[inline]
    pub(crate) fn get_hashed(&self, hash: u64, key: &str) -> Option<&Values> {
        let held = self.keys.iter().find(|held| held.hash == hash)?;
        if same(&held.name, key) { Some(&held.values) } else { self.get_of_many(key) }
    }

    /// The same where another key has the same hash.
    #[cold]
    fn get_of_many(&self, key: &str) -> Option<&Values> {
        self.get(key)
    }

    /// The value of a key that has exactly one, not in a list.
    pub(crate) fn single(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Values::One(value) => Some(value),
            Values::Many(_) => None,
        }
    }

    /// All keys with their values, as they are spelled where they were named first.
    pub fn spelled(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.iter().map(|(key, values)| {
            let spelled = self.spelled.iter().find(|other| other.to_lowercase() == key);
            (spelled.map_or(key, |name| &**name), values)
        })
    }

    /// All keys in lower case with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.keys.iter().map(|held| (&*held.name, &held.values))
    }
}

/// Why something is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRequest(pub String);

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRequest {}

impl Request {
    /// A request. `account` is the account of the resource; without it, it is that in the resource's ARN, or else the
    /// caller's (see [`crate::quirks`]).
    ///
    /// # Errors
    /// If the action is not `service:Name`, or the resource is empty.
    pub fn new(
        principal: Principal,
        action: &str,
        resource: &str,
        account: Option<&str>,
        context: Context,
    ) -> Result<Self, BadRequest> {
        let written: Box<str> = action.into();
        let action: Box<str> = action.to_ascii_lowercase().into();
        let service = action.find(':').filter(|at| *at > 0 && at + 1 < action.len());
        let Some(service) = service else {
            return Err(BadRequest(format!(
                "`{action}` is no action; expected `service:Name`, for instance `s3:GetObject`"
            )));
        };
        if resource.is_empty() {
            return Err(BadRequest(
                "the resource is empty; expected an ARN, or `*` for actions without one".to_owned(),
            ));
        }
        let fields = fields_of(resource);
        let named = split_arn(resource).map(|fields| fields[4]).filter(|account| is_account(account));
        let account = account.or(named).or(principal.account()).map(Box::from);
        let (sieve, special) = (Sieve::of(&action), Special::of(&action[..service]));
        Ok(Self {
            principal,
            action,
            written,
            special,
            service,
            sieve,
            resource: resource.into(),
            fields,
            account,
            context,
        })
    }

    /// The same request of another caller.
    pub(crate) fn by(&self, principal: Principal, context: Context) -> Self {
        Self { principal, context, ..self.clone() }
    }

    /// The same request with other context keys.
    pub(crate) fn set_context(&mut self, context: Context) {
        self.context = context;
    }

    /// The same request for another resource, of which the account is known.
    pub(crate) fn aim(&mut self, resource: &str, account: Option<&str>) {
        self.fields = fields_of(resource);
        self.resource = resource.into();
        self.account = account.map(Box::from);
    }

    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The action, in lower case.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The action as it was written.
    #[must_use]
    pub fn written_action(&self) -> &str {
        &self.written
    }

    /// The service of the action.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.action[..self.service]
    }

    /// Which of the services with rules of their own it is.
    #[inline]
    pub(crate) fn special(&self) -> Special {
        self.special
    }

    /// The sieve of its action.
    pub(crate) fn sieve(&self) -> Sieve {
        self.sieve
    }

    /// The name of the action, without its service, in lower case.
    #[must_use]
    pub fn action_name(&self) -> &str {
        &self.action[self.service + 1..]
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The account that the resource belongs to.
    #[must_use]
    pub fn resource_account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The same request for a resource of another account.
    pub(crate) fn of_account(&self, account: &str) -> Self {
        Self { account: Some(account.into()), ..self.clone() }
    }

    /// Spells the context keys as these policies do.
    pub(crate) fn spell_like(&mut self, policies: &[&crate::policy::Policy]) {
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        for condition in statements.flat_map(|statement| &statement.conditions) {
            self.context.spell(&condition.key.text);
        }
    }

    /// The context keys.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The six fields of the resource's ARN.
    pub(crate) fn arn(&self) -> Option<&[Box<str>; 6]> {
        self.fields.as_deref()
    }
}

/// The fields of an ARN, kept apart because every decision looks at them many times.
fn fields_of(resource: &str) -> Option<Box<[Box<str>; 6]>> {
    split_arn(resource).map(|fields| Box::new(fields.map(Box::from)))
}
