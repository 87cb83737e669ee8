//! Why a request is answered as it is: the statements that decide, the values that made them fit, and for what nothing
//! allows, which layer lacks an allow and which statements came nearest. The answer itself is that of [`crate::decide`].

mod evidence;
mod finding;
mod text;

pub(crate) use finding::condition_sentence;
pub use finding::{Finding, Miss, NearMiss};

use crate::eval::{Decision, Layer, Layers, Level, Outcome, Sayings, decide, join, listen};
use crate::policy::Effect;
use crate::request::{Principal, Request};
use crate::text::Span;
use crate::{reserved, s3};
use evidence::{Sheet, sheets};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// A decision with its reason. `Display` writes it for people, `Serialize` for programs.
#[derive(Debug, Clone)]
pub struct Explanation<'a> {
    /// The answer, always that of [`crate::decide`].
    pub decision: Decision,
    /// What was asked.
    pub request: &'a Request,
    /// Why.
    pub reason: Reason<'a>,
}

/// Why a request is answered as it is.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reason<'a> {
    /// AWS asks for no permission here.
    NeedsNoPermission,
    /// Policies let it through.
    Granted {
        /// The way that the permission takes.
        path: Path,
        /// Other ways that would do alone.
        also: Vec<Path>,
        /// Which grant of the KMS key, from 0, if the way is that of a grant.
        grant: Option<usize>,
        /// A statement that allows, for each layer that must.
        by: Vec<Citation<'a>>,
    },
    /// Statements deny it.
    Denied {
        /// All of them; the first is named as the decisive one.
        by: Vec<Citation<'a>>,
    },
    /// `RestrictPublicBuckets` keeps out who is not of the bucket's account, because the bucket policy is public.
    PublicAccessBlocked,
    /// It would change what belongs to AWS.
    BelongsToAws,
    /// Nothing denies it, but not everything that must allow it does.
    Lacking {
        /// The layers without an allow.
        layers: Vec<Lack<'a>>,
    },
}

/// The way that a permission takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Path {
    /// Policies of the caller, within its account.
    Identity,
    /// The root user of the account, who needs no policy.
    RootUser,
    /// Policies of the caller, to which the policy of the resource leaves the decision.
    IdentityByDelegation,
    /// The policy of the resource names the caller itself or everyone.
    ResourceDirect,
    /// The policy of the resource names the role or user behind the session.
    ResourceRole,
    /// A grant on the KMS key.
    Grant,
    /// An access control list.
    AccessControlList,
    /// Policies of the caller in its account and the policy of the resource in another.
    IdentityAndResource,
    /// Policies of the caller in its account and a grant on a KMS key in another.
    IdentityAndGrant,
    /// Policies of the caller in its account and an access control list in another.
    IdentityAndAccessControlList,
}

/// A statement, by its place.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Citation<'a> {
    /// The layer.
    pub layer: Layer,
    /// In layers of an organisation, the id of the root, unit or account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<&'a str>,
    /// Which policy of the layer, from 0.
    pub policy: usize,
    /// Which statement of it, from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<&'a str>,
    /// Where it stands in the text of its policy, in bytes.
    pub span: Span,
    /// What it does.
    pub effect: Effect,
    /// How closely it means the caller: `direct`, `role` or `account`; nothing for policies without principals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<&'static str>,
    /// Its conditions, with what the request says to each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Finding<'a>>,
}

/// A layer that must allow and does not.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lack<'a> {
    /// The layer.
    pub layer: Layer,
    /// In layers of an organisation, the id of the root, unit or account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<&'a str>,
    /// What is wanted of it.
    pub need: Need,
    /// How many policies it has.
    pub policies: usize,
    /// The statements about the action that came nearest to allowing it, the nearest first; at most three.
    pub nearest: Vec<NearMiss<'a>>,
}

/// What is wanted of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Need {
    /// An allow, without which nothing helps.
    Allow,
    /// The policy of the resource must leave the decision to the caller's account.
    Delegation,
    /// An allow for the caller itself or its role would do instead.
    Instead,
    /// A session policy: without one a federated user gets nothing from policies of identities.
    Policy,
}

/// Explains a request.
#[must_use]
pub fn explain<'a>(layers: &'a Layers, request: &'a Request) -> Explanation<'a> {
    if reserved::always_allowed(request) {
        let decision = decide(layers, request);
        return Explanation { decision, request, reason: Reason::NeedsNoPermission };
    }
    let says = listen(layers, request);
    let decision = join(layers, request, &says);
    let reason = match decision.outcome {
        Outcome::ExplicitlyDenied => denied(layers, request),
        Outcome::Allowed => granted(layers, request, &says),
        Outcome::ImplicitlyDenied => lacking(layers, request, &says),
    };
    Explanation { decision, request, reason }
}

fn denied<'a>(layers: &'a Layers, request: &'a Request) -> Reason<'a> {
    let mut by = Vec::new();
    for sheet in sheets(layers, request) {
        by.extend(sheet.matching(request, Effect::Deny).map(|found| sheet.cite(&found, request)));
    }
    if by.is_empty() { Reason::PublicAccessBlocked } else { Reason::Denied { by } }
}

fn granted<'a>(layers: &'a Layers, request: &'a Request, says: &Sayings) -> Reason<'a> {
    let grant = layers.grants.iter().position(|grant| request.service() == "kms" && grant.allows(request));
    let mut paths = evidence::paths(layers, request, says, grant.is_some());
    // Allowed, so there is one.
    let path = if paths.is_empty() { Path::ResourceDirect } else { paths.remove(0) };
    let mut by = Vec::new();
    for sheet in sheets(layers, request) {
        let needed = |level: Level| path.needs(sheet.layer, level);
        let found = sheet.matching(request, Effect::Allow).find(|found| needed(found.level));
        by.extend(found.map(|found| sheet.cite(&found, request)));
    }
    let by_grant = matches!(path, Path::Grant | Path::IdentityAndGrant);
    Reason::Granted { path, also: paths, grant: grant.filter(|_| by_grant), by }
}

fn lacking<'a>(layers: &'a Layers, request: &'a Request, says: &Sayings) -> Reason<'a> {
    let wants = evidence::wants(layers, request, says);
    let mut lacks = Vec::new();
    for sheet in sheets(layers, request) {
        let need = match sheet.layer {
            Layer::Scp if !sheet.allows(request) => Some(Need::Allow),
            Layer::Endpoint if !says.endpoint.allow => Some(Need::Allow),
            Layer::Resource => wants.resource,
            Layer::Identity => wants.identity,
            Layer::Boundary if wants.boundary => Some(Need::Allow),
            Layer::Session => wants.session,
            _ => None,
        };
        lacks.extend(need.map(|need| sheet.lack(need, request)));
    }
    // What is only another way is said last.
    lacks.sort_by_key(|lack| lack.need == Need::Instead);
    if lacks.is_empty() { Reason::BelongsToAws } else { Reason::Lacking { layers: lacks } }
}

impl Path {
    /// Whether this way needs an allow of the layer that means the caller this closely.
    pub(crate) fn needs(self, layer: Layer, level: Level) -> bool {
        let bound = !matches!(self, Self::ResourceDirect);
        match layer {
            Layer::Scp | Layer::Endpoint => true,
            Layer::Rcp | Layer::BlockPublicAccess => false,
            Layer::Boundary | Layer::Session => bound,
            Layer::Identity => !matches!(
                self,
                Self::ResourceDirect | Self::ResourceRole | Self::Grant | Self::AccessControlList
            ),
            Layer::Resource => match self {
                Self::IdentityByDelegation => level == Level::Account,
                Self::ResourceDirect => level == Level::Direct,
                Self::ResourceRole => level == Level::Role,
                Self::IdentityAndResource => true,
                _ => false,
            },
        }
    }
}

impl Explanation<'_> {
    /// The layer that decided: of a permission the one that grants it, of a refusal the first that denies or lacks an
    /// allow; none where AWS itself decides.
    #[must_use]
    pub fn decided_by(&self) -> Option<Layer> {
        match &self.reason {
            Reason::NeedsNoPermission | Reason::BelongsToAws => None,
            Reason::PublicAccessBlocked => Some(Layer::BlockPublicAccess),
            Reason::Denied { by } => by.first().map(|first| first.layer),
            Reason::Granted { path, .. } => match path {
                Path::Identity | Path::IdentityByDelegation | Path::RootUser => Some(Layer::Identity),
                _ => Some(Layer::Resource),
            },
            Reason::Lacking { layers } => layers.first().map(|first| first.layer),
        }
    }
}

impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Explanation", 7)?;
        out.serialize_field("decision", &self.decision.outcome)?;
        out.serialize_field("blockedBy", &self.decision.blocked_by().collect::<Vec<_>>())?;
        out.serialize_field("principal", &self.request.principal().to_string())?;
        out.serialize_field("action", &text::action(self.request))?;
        out.serialize_field("resource", self.request.resource())?;
        out.serialize_field("decidedBy", &self.decided_by())?;
        out.serialize_field("reason", &self.reason)?;
        out.end()
    }
}

/// Whether the caller belongs to the account of the resource.
fn same_account(request: &Request) -> bool {
    matches!(request.principal(), Principal::Aws(aws) if request.resource_account() == Some(aws.account()))
}

/// Whether an access control list lets the caller in.
fn listed(layers: &Layers, request: &Request) -> bool {
    s3::list_allows(layers, request)
}

impl<'a> Sheet<'a> {
    fn cite(&self, found: &evidence::Found<'a>, request: &'a Request) -> Citation<'a> {
        let conditions = finding::findings(found, request.context());
        self.place(found, conditions)
    }
}
