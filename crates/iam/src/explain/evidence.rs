//! Where the statements of a decision stand, layer by layer, in the order of answers. What each layer is asked is what
//! `decide` asks it.

use super::finding::{self, NearMiss};
use super::{Citation, Finding, Lack, Need, Path, listed, same_account};
use crate::eval::{Compiled, Layer, Layers, Level, Program, Sayings};
use crate::policy::{Effect, Statement};
use crate::request::{AwsSort, Principal, Request};
use crate::{kms, reserved};

/// How many near misses are worth reading.
const NEAREST: usize = 3;

/// The policies of a layer that are united; in an organisation those of one level.
pub(super) struct Sheet<'a> {
    pub(super) layer: Layer,
    organization: Option<&'a str>,
    programs: &'a [Program],
    /// A caller with a boundary is never spared by `NotPrincipal` of the resource's policy.
    bounded: bool,
}

/// A statement, and how closely it means the caller.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) policy: usize,
    pub(super) statement: usize,
    pub(super) compiled: &'a Compiled,
    pub(super) source: &'a Statement,
    pub(super) level: Level,
}

/// The layers that bear on the caller.
pub(super) fn sheets<'a>(layers: &'a Layers, request: &Request) -> impl Iterator<Item = Sheet<'a>> + use<'a> {
    let caller = request.principal();
    let aws = matches!(caller, Principal::Aws(_));
    let scp = reserved::scp_applies(caller);
    let rcp = !layers.rcp.is_empty() && reserved::rcp_applies(request);
    let levels = |layer: Layer, on: bool| {
        let levels = if layer == Layer::Scp { &layers.scp } else { &layers.rcp };
        levels.iter().filter(move |_| on).map(move |level| Sheet {
            layer,
            organization: Some(&*level.id),
            programs: &level.policies,
            bounded: false,
        })
    };
    let bounded = !layers.boundaries.is_empty();
    let own: [(Layer, &'a [Program], bool); 5] = [
        (Layer::Endpoint, &layers.endpoint, true),
        (Layer::Resource, layers.resource.as_slice(), true),
        (Layer::Identity, &layers.identity, aws),
        (Layer::Boundary, &layers.boundaries, aws),
        (Layer::Session, &layers.session, aws),
    ];
    let single = own.into_iter().filter(|(_, _, on)| *on).map(move |(layer, programs, _)| Sheet {
        layer,
        organization: None,
        programs,
        bounded: bounded && layer == Layer::Resource,
    });
    levels(Layer::Scp, scp).chain(levels(Layer::Rcp, rcp)).chain(single)
}

impl<'a> Sheet<'a> {
    /// The statements with this effect that can be about the service of the request.
    fn statements<'r>(
        &self,
        request: &'r Request,
        effect: Effect,
    ) -> impl Iterator<Item = Found<'a>> + use<'a, 'r> {
        let bounded = self.bounded;
        self.programs.iter().enumerate().flat_map(move |(policy, program)| {
            let about = program.about(request);
            let wanted = about.filter(move |(_, compiled)| compiled.effect == effect);
            wanted.filter_map(move |(statement, compiled)| {
                let level = compiled.level(request.principal(), bounded);
                let source = program.source().statements.get(statement)?;
                Some(Found { policy, statement, compiled, source, level })
            })
        })
    }

    /// Those that match.
    pub(super) fn matching<'r>(
        &self,
        request: &'r Request,
        effect: Effect,
    ) -> impl Iterator<Item = Found<'a>> + use<'a, 'r> {
        self.statements(request, effect)
            .filter(|found| found.level > Level::None && found.compiled.matches(request))
    }

    pub(super) fn allows(&self, request: &Request) -> bool {
        self.matching(request, Effect::Allow).next().is_some()
    }

    pub(super) fn place(&self, found: &Found<'a>, conditions: Vec<Finding<'a>>) -> Citation<'a> {
        let named = found.compiled.principal.is_some() && found.level > Level::None;
        Citation {
            layer: self.layer,
            organization: self.organization,
            policy: found.policy,
            statement: found.statement,
            sid: found.source.sid.as_ref().map(|sid| sid.text.as_str()),
            span: found.source.span,
            effect: found.source.effect,
            means: named.then(|| level_name(found.level)),
            conditions,
        }
    }

    /// What this layer lacks, with the statements about the action that came nearest.
    pub(super) fn lack(&self, need: Need, request: &'a Request) -> Lack<'a> {
        let mut near: Vec<(usize, Found<'a>)> = Vec::new();
        let about = self.statements(request, Effect::Allow);
        for found in about.filter(|found| found.compiled.action.matches(request)) {
            let misses = finding::count(&found, need, request);
            // A small ordered list: what is no nearer than its last entry is passed over without being moved.
            let at = near.partition_point(|(count, _)| *count <= misses);
            if at < NEAREST && misses > 0 {
                near.truncate(NEAREST - 1);
                near.insert(at, (misses, found));
            }
        }
        let nearest = near.iter().map(|(_, found)| NearMiss {
            statement: self.place(found, Vec::new()),
            misses: finding::misses(found, need, request),
        });
        Lack {
            layer: self.layer,
            organization: self.organization,
            need,
            policies: self.programs.len(),
            nearest: nearest.collect(),
        }
    }
}

pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Account => "account",
        Level::Role => "role",
        Level::Direct => "direct",
    }
}

/// Every way that would do alone, the most ordinary first. Nothing denies, or this would not be asked.
pub(super) fn paths(layers: &Layers, request: &Request, says: &Sayings, granted: bool) -> Vec<Path> {
    let list = listed(layers, request);
    let mut paths = Vec::with_capacity(2);
    let mut way = |open: bool, path: Path| {
        if open {
            paths.push(path);
        }
    };
    let Principal::Aws(aws) = request.principal() else {
        way(says.resource == Level::Direct, Path::ResourceDirect);
        way(list, Path::AccessControlList);
        return paths;
    };
    let bounded = says.boundary.allow && says.session.allow;
    let identity = says.identity.allow && bounded;
    if same_account(request) {
        let own = match (reserved::needs_delegation(request), &aws.sort) {
            (true, _) => Path::IdentityByDelegation,
            (false, AwsSort::Root) => Path::RootUser,
            (false, _) => Path::Identity,
        };
        way(identity && (own != Path::IdentityByDelegation || says.delegates), own);
        way(says.resource == Level::Direct, Path::ResourceDirect);
        way(says.resource == Level::Role && bounded, Path::ResourceRole);
        way(granted && bounded, Path::Grant);
        way(list && bounded, Path::AccessControlList);
    } else {
        way(identity && says.resource > Level::None, Path::IdentityAndResource);
        way(identity && granted, Path::IdentityAndGrant);
        way(identity && list, Path::IdentityAndAccessControlList);
    }
    paths
}

/// Which of the layers that give permission lack an allow, and what is wanted of them.
#[derive(Default)]
pub(super) struct Wants {
    pub(super) identity: Option<Need>,
    pub(super) resource: Option<Need>,
    pub(super) boundary: bool,
    pub(super) session: Option<Need>,
}

pub(super) fn wants(layers: &Layers, request: &Request, says: &Sayings) -> Wants {
    let granted = kms::granted(&layers.grants, request);
    if !paths(layers, request, says, granted).is_empty() {
        return Wants::default();
    }
    let Principal::Aws(aws) = request.principal() else {
        return Wants { resource: Some(Need::Allow), ..Wants::default() };
    };
    let unbound = matches!(aws.sort, AwsSort::FederatedUser { .. }) && layers.session.is_empty();
    let session = if unbound { Some(Need::Policy) } else { (!says.session.allow).then_some(Need::Allow) };
    let own = (!says.identity.allow && !unbound).then_some(Need::Allow);
    let boundary = !says.boundary.allow;
    if !same_account(request) {
        let given = says.resource > Level::None || granted || listed(layers, request);
        return Wants { identity: own, resource: (!given).then_some(Need::Allow), boundary, session };
    }
    // A role that the resource names, a grant or a list needs nothing but to stay within the bounds.
    if says.resource == Level::Role || granted || listed(layers, request) {
        return Wants { boundary, session, ..Wants::default() };
    }
    let resource = if reserved::needs_delegation(request) && !says.delegates {
        Some(Need::Delegation)
    } else {
        (own.is_some() && layers.resource.is_some()).then_some(Need::Instead)
    };
    Wants { identity: own, resource, boundary, session }
}
