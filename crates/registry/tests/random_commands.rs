//! 125,000 random commands by honest and dishonest people, under changing charters and keys, with approvals that are
//! forged, edited, replayed and written into the record past every check, and with artefacts exchanged in the record.
//! Whether a version may be deployed is decided a second time, slowly, from the log alone and without cryptography: the
//! world remembers who really signed what. Both decisions must agree, each time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "random_commands/endings.rs"]
mod endings;
#[path = "random_commands/slow.rs"]
mod slow;
#[path = "random_commands/world.rs"]
mod world;

use world::World;

const WORLDS: u64 = 250;
const COMMANDS: usize = 500;

#[test]
fn nothing_is_deployed_that_must_not_be() {
    let (mut deployed, mut taken_out, mut released) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        for _ in 0..COMMANDS {
            world.step();
        }
        deployed += world.deployed;
        taken_out += world.taken_out;
        released += world.released;
    }
    // A test in which nothing is ever deployed proves nothing.
    assert!(deployed > WORLDS, "only {deployed} deployments in {} commands", WORLDS as usize * COMMANDS);
    assert!(taken_out > WORLDS / 4 && released > WORLDS, "{taken_out} were taken out, {released} let out");
}
