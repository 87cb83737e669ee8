//! The smallest change that was found which makes a check hold.

use super::Proof;
use super::difference::kind;
use crate::eval::{Level, Program};
use crate::policy::{Effect, Policy};

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
