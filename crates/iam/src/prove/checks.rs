//! The questions: is there a request that one policy lets through and the other does not; is anybody outside let in;
//! are certain actions granted to anybody but some.

use super::Proof;
use super::callers::{representatives, stranger};
use super::outsider::outsider;
use super::problem::{Caller, Formula, Piece, Pieces};
use super::search::{Search, Searched};
use super::witness::{Frame, request};
use crate::eval::{ActionTest, Layers, Level, Outcome, Program, ResourceTest, decide};
use crate::policy::{Effect, Element, Policy, PolicyKind, Version};
use crate::request::{Context, Principal, Request};
use crate::text::{Span, Spanned};

/// The account in which requests are imagined when nothing says otherwise.
const HOME: &str = "111122223333";

/// Looks for a request for which a formula holds, caller by caller.
fn ask(
    callers: Vec<Frame>,
    programs: &[&Program],
    formula: &mut dyn FnMut(&mut Pieces, &Frame) -> Formula,
    confirm: &dyn Fn(&Request) -> bool,
) -> Proof {
    let mut doubt = None;
    for frame in callers {
        let mut pieces = Pieces::default();
        let formula = formula(&mut pieces, &frame);
        let mut finish = |pieces: &Pieces, literals: &super::search::Literals| {
            let Some(found) = request(pieces, literals, &frame)? else { return Ok(None) };
            if confirm(&found) {
                Ok(Some(found))
            } else {
                Err("prover and evaluator disagree on a request; please report it")
            }
        };
        match Search::new(&pieces, &mut finish).run(&formula) {
            Searched::Yes(mut found) => {
                let sources: Vec<&Policy> = programs.iter().map(|program| program.source()).collect();
                found.spell_like(&sources);
                return Proof::Witness(Box::new(found));
            }
            Searched::No => {}
            Searched::Unknown(cause) => doubt = Some(cause),
        }
    }
    doubt.map_or(Proof::Proved, Proof::Unknown)
}

/// Whether a policy by itself lets a request through: some statement allows it and none denies it. A resource policy
/// does so at any closeness.
fn lets_through(program: &Program, request: &Request) -> bool {
    let (mut allow, mut deny) = (false, false);
    for statement in &program.statements {
        if statement.level(request.principal(), false) > Level::None && statement.matches(request) {
            match statement.effect {
                Effect::Allow => allow = true,
                Effect::Deny => deny = true,
            }
        }
    }
    allow && !deny
}

/// The formula of [`lets_through`].
fn through(pieces: &mut Pieces, program: &Program, principal: &Principal) -> Formula {
    let programs = std::slice::from_ref(program);
    let caller = Caller::any(principal);
    let allow = pieces.some(programs, Effect::Allow, &caller);
    let deny = pieces.some(programs, Effect::Deny, &caller);
    Formula::All(vec![allow, deny.not()])
}

/// Callers for questions about single policies.
fn frames(programs: &[&Program]) -> Vec<Frame> {
    let frame = |principal: Principal| {
        let account = principal.account().unwrap_or(HOME).into();
        Frame { principal, account, context: Context::default(), by_itself: false }
    };
    if programs.iter().all(|program| !program.kind().has_principals()) {
        let alone = frame(Principal::parse(&format!("arn:aws:iam::{HOME}:user/somebody")));
        return vec![Frame { by_itself: true, ..alone }];
    }
    representatives(programs).into_iter().map(frame).collect()
}

/// What a policy is, if nobody says: one of a resource if a statement names a principal.
fn kind(policies: &[&Policy]) -> PolicyKind {
    let names = policies.iter().any(|policy| policy.statements.iter().any(|s| s.principal.is_some()));
    if names { PolicyKind::Resource } else { PolicyKind::Identity }
}

/// A request that `a` lets through and `b` does not, each policy taken by itself and any context key taken to have any
/// value or none.
#[must_use]
pub fn difference(a: &Policy, b: &Policy) -> Proof {
    let kind = kind(&[a, b]);
    let (a, b) = (Program::new(a.clone(), kind), Program::new(b.clone(), kind));
    if let Some(cause) = legacy(&[&a, &b]) {
        return Proof::Unknown(cause);
    }
    ask(
        frames(&[&a, &b]),
        &[&a, &b],
        &mut |pieces, frame| {
            let yes = through(pieces, &a, &frame.principal);
            let no = through(pieces, &b, &frame.principal).not();
            Formula::All(vec![yes, no])
        },
        &|request| lets_through(&a, request) && !lets_through(&b, request),
    )
}

/// A request that the new policy lets through and the old one did not.
#[must_use]
pub fn no_new_access(old: &Policy, new: &Policy) -> Proof {
    difference(new, old)
}

/// Allow with `NotPrincipal` is outside of what is decided: AWS no longer stores it, but old policies may grant by it.
fn legacy(programs: &[&Program]) -> Option<&'static str> {
    let statement = |s: &crate::policy::Statement| {
        s.effect == Effect::Allow && s.principal.as_ref().is_some_and(|principal| principal.negated)
    };
    let any = programs.iter().any(|program| program.source().statements.iter().any(statement));
    any.then_some("`NotPrincipal` with `Allow` may grant to everybody in policies from before AWS refused it")
}

/// A request by which somebody outside gets in: anonymous, or of an account that the policy does not name, with no
/// network, organisation or service of those that it names.
#[must_use]
pub fn no_public_access(policy: &Policy) -> Proof {
    let program = Program::new(policy.clone(), PolicyKind::Resource);
    if let Some(cause) = legacy(&[&program]) {
        return Proof::Unknown(cause);
    }
    let account = stranger(&[&program]);
    let user = Principal::parse(&format!("arn:aws:iam::{account}:user/somebody"));
    let frames = [Principal::Anonymous, user].map(|principal| Frame {
        principal,
        account: HOME.into(),
        context: Context::default(),
        by_itself: false,
    });
    ask(
        frames.into(),
        &[&program],
        &mut |pieces, frame| {
            let mut all = vec![through(pieces, &program, &frame.principal)];
            all.extend(outsider(pieces, &program, frame, &account));
            Formula::All(all)
        },
        &|request| lets_through(&program, request),
    )
}

/// What must not be granted.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Actions, with wildcards; none means any.
    pub actions: Vec<String>,
    /// ARNs, with wildcards; none means any.
    pub resources: Vec<String>,
    /// Principals who may; everybody else may not.
    pub except: Vec<String>,
}

/// A request of those that must not be granted which the layers let through, all of them taken together.
#[must_use]
pub fn access_not_granted(layers: &Layers, grants: &Grants, account: Option<&str>) -> Proof {
    if let Some(cause) = outside_fragment(layers) {
        return Proof::Unknown(cause);
    }
    let programs: Vec<&Program> = layers.resource.iter().collect();
    let account = account.unwrap_or(HOME);
    let callers: Vec<Principal> = if programs.is_empty() {
        vec![Principal::parse(&format!("arn:aws:iam::{account}:user/somebody"))]
    } else {
        let mut callers = representatives(&programs);
        callers.push(Principal::parse(&format!("arn:aws:iam::{account}:user/somebody")));
        callers
    };
    let allowed: Vec<Principal> = grants.except.iter().map(|name| Principal::parse(name)).collect();
    let frames = callers
        .into_iter()
        .filter(|caller| !allowed.iter().any(|other| excepts(other, caller)))
        .map(|principal| Frame {
            principal,
            account: account.into(),
            context: Context::default(),
            by_itself: false,
        });
    // Without policies of the caller nobody knows what he may by himself: then it is asked what the policy of the
    // resource lets through, as for a caller of another account who may do everything there.
    let open = layers.identity.is_empty() && layers.resource.is_some();
    let mut confirming = layers.clone();
    if open {
        confirming.identity = Policy::parse("", EVERYTHING)
            .map_or_else(|_| Vec::new(), |policy| vec![Program::new(policy, PolicyKind::Identity)]);
    }
    ask(
        frames.collect(),
        &every(layers),
        &mut |pieces, frame| {
            let mut all = vec![joined(pieces, layers, frame, open)];
            all.extend(wanted(pieces, grants));
            Formula::All(all)
        },
        &|request| {
            let other = request.of_account(NOBODYS);
            decide(&confirming, if open { &other } else { request }).outcome == Outcome::Allowed
        },
    )
}

/// No account has this number.
const NOBODYS: &str = "000000000000";

const EVERYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

/// The fewest statements that were found whose removal makes a check hold: taken away one by one as long as there is a
/// witness that one of them lets through, then put back if it holds without them too.
#[must_use]
pub fn repair(policy: &Policy, check: &dyn Fn(&Policy) -> Proof) -> Option<Vec<usize>> {
    let without = |gone: &[usize]| {
        let mut rest = policy.clone();
        let mut at = 0;
        rest.statements.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
        rest
    };
    let kind = kind(&[policy]);
    let program = Program::new(policy.clone(), kind);
    let mut gone: Vec<usize> = Vec::new();
    for _ in 0..MAX_REPAIRS {
        match check(&without(&gone)) {
            Proof::Unknown(_) => return None,
            Proof::Witness(request) => {
                let lets = |(at, s): &(usize, &crate::eval::Compiled)| {
                    !gone.contains(at)
                        && s.effect == Effect::Allow
                        && s.level(request.principal(), false) > Level::None
                        && s.matches(&request)
                };
                let (at, _) = program.statements.iter().enumerate().find(lets)?;
                gone.push(at);
            }
            Proof::Proved => {
                for at in gone.clone() {
                    let fewer: Vec<usize> = gone.iter().copied().filter(|other| *other != at).collect();
                    if check(&without(&fewer)) == Proof::Proved {
                        gone = fewer;
                    }
                }
                gone.sort_unstable();
                return Some(gone);
            }
        }
    }
    None
}

/// More statements than this are no small repair.
const MAX_REPAIRS: usize = 16;

/// All policies of all layers.
fn every(layers: &Layers) -> Vec<&Program> {
    let levels = layers.scp.iter().chain(&layers.rcp).flat_map(|level| &level.policies);
    let own = layers.identity.iter().chain(&layers.boundaries).chain(&layers.session).chain(&layers.endpoint);
    layers.resource.iter().chain(own).chain(levels).collect()
}

/// Whether a principal that may is this one, or that of which it is a session, or its whole account.
fn excepts(allowed: &Principal, caller: &Principal) -> bool {
    use crate::eval::WhoTest;
    match allowed {
        Principal::Aws(aws) if matches!(aws.sort, crate::request::AwsSort::Root) => {
            caller.account() == Some(aws.account())
        }
        Principal::Aws(aws) => WhoTest::Aws(aws.clone()).level(caller) > Level::None,
        other => other == caller,
    }
}

/// What is asked about: one of these actions, on one of these resources.
fn wanted(pieces: &mut Pieces, grants: &Grants) -> Vec<Formula> {
    let element = |texts: &[String]| Element {
        negated: false,
        items: texts.iter().map(|text| Spanned { text: text.clone(), span: Span::default() }).collect(),
        span: Span::default(),
    };
    let mut all = Vec::new();
    if !grants.actions.is_empty() {
        all.push(pieces.piece(Piece::Action(ActionTest::new(&element(&grants.actions)))));
    }
    if !grants.resources.is_empty() {
        let test = ResourceTest::new(&element(&grants.resources), Version::V2008, PolicyKind::Resource);
        all.push(pieces.piece(Piece::Resource(test)));
    }
    all
}

/// What the formulas below do not express.
fn outside_fragment(layers: &Layers) -> Option<&'static str> {
    let programs: Vec<&Program> = layers.resource.iter().collect();
    if !layers.grants.is_empty() {
        return Some("grants on KMS keys are not part of what is proved");
    }
    if !layers.s3.bucket_acl.is_empty() || !layers.s3.object_acl.is_empty() {
        return Some("access control lists are not part of what is proved");
    }
    legacy(&programs)
}

/// When all layers together let a request of this caller through. The algebra is that of [`crate::decide`].
fn joined(pieces: &mut Pieces, layers: &Layers, frame: &Frame, open: bool) -> Formula {
    let principal = &frame.principal;
    let caller = Caller { bounded: !layers.boundaries.is_empty(), ..Caller::any(principal) };
    let mut all = Vec::new();
    let resource: &[Program] = layers.resource.as_slice();
    let own = principal.account().is_some();
    let mut bounds: Vec<&[Program]> = vec![&layers.endpoint];
    if own {
        bounds.extend([layers.identity.as_slice(), &layers.boundaries, &layers.session]);
    }
    let levels = if crate::reserved::scp_applies(principal) { layers.scp.as_slice() } else { &[] };
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
    all.push(core(pieces, layers, (frame, open), &caller));
    Formula::All(all)
}

fn core(pieces: &mut Pieces, layers: &Layers, (frame, open): (&Frame, bool), caller: &Caller<'_>) -> Formula {
    let resource = layers.resource.as_slice();
    let at = |pieces: &mut Pieces, least: Level, most: Level| {
        pieces.some(resource, Effect::Allow, &Caller { least, most, ..*caller })
    };
    let direct = at(pieces, Level::Direct, Level::Direct);
    let Some(own) = frame.principal.account() else { return direct };
    let bound = |pieces: &mut Pieces, programs: &[Program]| {
        if programs.is_empty() { Formula::always() } else { pieces.some(programs, Effect::Allow, caller) }
    };
    let bounds = vec![bound(pieces, &layers.boundaries), bound(pieces, &layers.session)];
    let identity = if open
        || matches!(&frame.principal, Principal::Aws(aws) if aws.sort == crate::request::AwsSort::Root)
    {
        Formula::always()
    } else {
        pieces.some(&layers.identity, Effect::Allow, caller)
    };
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
