//! All layers together as one formula. The algebra is that of [`crate::decide`].

use super::ask::element;
use super::problem::{Caller, Formula, Piece, Pieces};
use super::witness::Frame;
use crate::eval::{ActionTest, Layers, Level, Outcome, Program, decide};
use crate::policy::{Effect, Policy, PolicyKind, Statement};
use crate::request::{AwsSort, Principal, Request};

/// The layers, and whether nothing is known of what callers may by themselves: then it is asked what the policy of the
/// resource lets through, as for a caller of another account who may do everything there.
pub(super) struct Setting<'l> {
    layers: &'l Layers,
    open: bool,
    /// With policies of the caller, if there are none, that allow everything.
    confirming: Layers,
}

/// No account has this number.
const NOBODYS: &str = "000000000000";

const EVERYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

impl<'l> Setting<'l> {
    pub(super) fn of(layers: &'l Layers) -> Self {
        let open = layers.identity.is_empty() && layers.resource.is_some();
        let mut confirming = layers.clone();
        if open {
            let all = Policy::parse("", EVERYTHING);
            let everything = |kind| all.iter().map(|policy| Program::new(policy.clone(), kind)).collect();
            confirming.identity = everything(PolicyKind::Identity);
            // Federated users have what their session policy says.
            if confirming.session.is_empty() {
                confirming.session = everything(PolicyKind::Session);
            }
        }
        Self { layers, open, confirming }
    }

    /// What the evaluator says.
    pub(super) fn allows(&self, request: &Request) -> bool {
        if !self.open {
            return decide(&self.confirming, request).outcome == Outcome::Allowed;
        }
        let other = request.of_account(NOBODYS);
        if crate::s3::restricts(self.layers, request) || !crate::s3::restricts(self.layers, &other) {
            return decide(&self.confirming, &other).outcome == Outcome::Allowed;
        }
        // Whoever is of the resource's account is not kept out by Block Public Access.
        let mut within = self.confirming.clone();
        within.s3.block_public_access.clear();
        decide(&within, &other).outcome == Outcome::Allowed
    }
}

/// All policies of all layers.
pub(super) fn every(layers: &Layers) -> Vec<&Program> {
    let levels = layers.scp.iter().chain(&layers.rcp).flat_map(|level| &level.policies);
    let own = layers.identity.iter().chain(&layers.boundaries).chain(&layers.session).chain(&layers.endpoint);
    layers.resource.iter().chain(own).chain(levels).collect()
}

/// Allow with `NotPrincipal` is outside of what is decided: AWS no longer stores it, but old policies may grant by it.
pub(super) fn legacy(programs: &[&Program]) -> Option<&'static str> {
    let statement = |s: &Statement| {
        s.effect == Effect::Allow && s.principal.as_ref().is_some_and(|principal| principal.negated)
    };
    let any = programs.iter().any(|program| program.source().statements.iter().any(statement));
    any.then_some("`NotPrincipal` with `Allow` may grant to everybody in policies from before AWS refused it")
}

/// What the formulas below do not express.
pub(super) fn outside_fragment(layers: &Layers) -> Option<&'static str> {
    let programs: Vec<&Program> = layers.resource.iter().collect();
    if !layers.grants.is_empty() {
        return Some("grants on KMS keys are not part of what is proved");
    }
    if !layers.s3.bucket_acl.is_empty() || !layers.s3.object_acl.is_empty() {
        return Some("access control lists are not part of what is proved");
    }
    legacy(&programs)
}

/// When all layers together let a request of this caller through.
pub(super) fn joined(pieces: &mut Pieces, setting: &Setting<'_>, frame: &Frame) -> Formula {
    let layers = setting.layers;
    let principal = frame.principal();
    let caller = Caller { bounded: !layers.boundaries.is_empty(), ..Caller::any(principal) };
    let resource: &[Program] = layers.resource.as_slice();
    let mut bounds: Vec<&[Program]> = vec![&layers.endpoint];
    if principal.account().is_some() {
        bounds.extend([layers.identity.as_slice(), &layers.boundaries, &layers.session]);
    }
    let levels = if crate::reserved::scp_applies(principal) { layers.scp.as_slice() } else { &[] };
    let mut all = Vec::new();
    for programs in
        bounds.into_iter().chain([resource]).chain(levels.iter().map(|level| level.policies.as_slice()))
    {
        all.push(pieces.some(programs, Effect::Deny, &caller).not());
    }
    for level in levels {
        all.push(pieces.some(&level.policies, Effect::Allow, &caller));
    }
    if !layers.endpoint.is_empty() {
        all.push(pieces.some(&layers.endpoint, Effect::Allow, &caller));
    }
    for level in &layers.rcp {
        all.push(pieces.some(&level.policies, Effect::Deny, &caller).not());
    }
    all.extend(unrestricted(pieces, layers, frame));
    all.push(core(pieces, setting, frame, &caller));
    Formula::All(all)
}

/// What Block Public Access leaves to somebody outside: everything but S3.
pub(super) fn unrestricted(pieces: &mut Pieces, layers: &Layers, frame: &Frame) -> Option<Formula> {
    let object = "arn:aws:s3:::bucket/key";
    let probe = Request::new(
        frame.principal().clone(),
        "s3:GetObject",
        object,
        Some(&frame.account),
        crate::request::Context::default(),
    );
    let restricted = probe.is_ok_and(|request| crate::s3::restricts(layers, &request));
    restricted.then(|| pieces.piece(Piece::Action(ActionTest::new(&element(&["s3:*"])))).not())
}

fn core(pieces: &mut Pieces, setting: &Setting<'_>, frame: &Frame, caller: &Caller<'_>) -> Formula {
    let (layers, open) = (setting.layers, setting.open);
    let resource = layers.resource.as_slice();
    let at = |pieces: &mut Pieces, least: Level, most: Level| {
        pieces.some(resource, Effect::Allow, &Caller { least, most, ..*caller })
    };
    let direct = at(pieces, Level::Direct, Level::Direct);
    let Some(own) = frame.principal().account() else { return direct };
    let bound = |pieces: &mut Pieces, programs: &[Program]| {
        if programs.is_empty() { Formula::always() } else { pieces.some(programs, Effect::Allow, caller) }
    };
    let bounds = vec![bound(pieces, &layers.boundaries), bound(pieces, &layers.session)];
    let root = matches!(frame.principal(), Principal::Aws(aws) if aws.sort == AwsSort::Root);
    let identity =
        if open || root { Formula::always() } else { pieces.some(&layers.identity, Effect::Allow, caller) };
    let mut ident = vec![identity];
    ident.extend(bounds.iter().cloned());
    if open || own != &*frame.account {
        ident.push(at(pieces, Level::Account, Level::Direct));
        return Formula::All(ident);
    }
    let delegated =
        layers.resource.as_ref().is_some_and(|r| matches!(r.kind(), PolicyKind::KmsKey | PolicyKind::Trust));
    if delegated {
        ident.push(at(pieces, Level::Account, Level::Account));
    }
    let mut role = vec![at(pieces, Level::Role, Level::Role)];
    role.extend(bounds);
    Formula::Any(vec![direct, Formula::All(role), Formula::All(ident)])
}
