//! What is done with a text: it is compiled and evaluated twice, once with fewer steps. Nothing may panic, the steps are
//! kept to, and what fewer steps lead to is the same or a stop.

use cel::{Budget, Environment, Fault, MAX_STEPS, NoHost, Program};

/// Whether the text is an expression.
pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(program) = Program::compile(text, &Environment::default()) else { return false };
    let mut budget = Budget::default();
    let all = program.evaluate(&mut NoHost, &mut budget);
    assert!(budget.taken() <= MAX_STEPS, "{text}");
    let fewer = program.evaluate(&mut NoHost, &mut Budget::of(budget.taken() / 2));
    match (&fewer, &all) {
        (Err(Fault::Stopped(_)), _) => {}
        (fewer, all) => assert_eq!(format!("{fewer:?}"), format!("{all:?}"), "{text}"),
    }
    true
}
