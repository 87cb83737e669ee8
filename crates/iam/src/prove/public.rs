//! Does a policy of a resource let anybody in from outside.

use super::Proof;
use super::ask::{HOME, Question};
use super::axioms::axioms;
use super::caller_keys::caller_keys;
use super::callers::{Sample, all_representatives, mentions, stranger};
use super::conditions::Asked;
use super::difference::{lets_through, through};
use super::joint::{every, legacy, unrestricted};
use super::outsider::outsider;
use super::problem::{Caller, Formula};
use super::witness::Frame;
use crate::eval::{Layers, Level, Program};
use crate::policy::{Effect, Policy, PolicyKind};
use crate::request::Request;

/// A request by which somebody outside gets in: anonymous, or of an account that the policy does not name, with no
/// network, organisation or service of those that it names.
#[must_use]
pub fn no_public_access(policy: &Policy) -> Proof {
    no_public_access_within(policy, &Layers::default())
}

/// The same, past the resource control policies and the Block Public Access of these layers. Other layers do not bind
/// somebody outside.
#[must_use]
pub fn no_public_access_within(policy: &Policy, layers: &Layers) -> Proof {
    let program = Program::new(policy.clone(), PolicyKind::Resource);
    if let Some(cause) = legacy(&[&program]) {
        return Proof::Unknown(cause);
    }
    let layers = Layers {
        resource: Some(program.clone()),
        rcp: layers.rcp.clone(),
        s3: layers.s3.clone(),
        ..Layers::default()
    };
    let programs = every(&layers);
    let asked = Asked::by(&programs);
    let strange = stranger(&programs, &[]).principal.account().unwrap_or_default().to_owned();
    let (samples, left_out) = outsiders(&programs, &asked);
    let question = Question {
        programs: &programs,
        formula: &|pieces, frame| {
            let mut all = vec![through(pieces, &program, frame.principal())];
            for level in &layers.rcp {
                let denied = pieces.some(&level.policies, Effect::Deny, &Caller::any(frame.principal()));
                all.push(denied.not());
            }
            all.extend(unrestricted(pieces, &layers, frame));
            all.extend(caller_keys(pieces, &asked, &frame.sample, &[]));
            all.extend(axioms(pieces, &asked, frame.sample.signs()));
            let caller = frame.principal().account();
            all.extend(outsider(pieces, &programs, &asked, (caller, caller.unwrap_or(&strange))));
            Formula::All(all)
        },
        confirm: &|request| {
            lets_through(&program, request)
                && !layers.rcp.iter().flat_map(|level| &level.policies).any(|rcp| denies(rcp, request))
                && !crate::s3::restricts(&layers, request)
        },
    };
    match question.ask(samples.into_iter().map(|sample| Frame { account: HOME.into(), ..Frame::own(sample) }))
    {
        Proof::Proved if left_out => Proof::Unknown("a condition lists a pattern of accounts"),
        proof => proof,
    }
}

/// Who is outside: somebody without a signature, somebody of an account that is not named, and somebody of accounts that
/// are only described by a pattern.
fn outsiders(programs: &[&Program], asked: &Asked) -> (Vec<Sample>, bool) {
    let (known, left_out) = all_representatives(programs, asked, &[]);
    let unnamed = |sample: &Sample| {
        let account = sample.principal.account();
        sample.of_many && account.is_some_and(|account| !programs.iter().any(|p| mentions(p, account)))
    };
    let mut all = vec![Sample::anonymous()];
    all.extend(known.into_iter().filter(unnamed));
    (all, left_out)
}

/// Whether some statement refuses the request.
fn denies(program: &Program, request: &Request) -> bool {
    program.statements.iter().any(|statement| {
        statement.effect == Effect::Deny
            && statement.level(request.principal(), false) > Level::None
            && statement.matches(request)
    })
}
