//! Deciding a request takes nothing from the heap.

mod cases;
#[path = "random/mod.rs"]
mod random;

use cases::{read_layers, read_request};
use random::{Dice, THEMES};

#[test]
fn a_decision_allocates_nothing() {
    for (seed, theme) in (40..).zip(&THEMES) {
        let mut dice = Dice(seed);
        for _ in 0..400 {
            let policies = random::layers(&mut dice, theme);
            let layers = read_layers(&policies, theme.actions[0]).unwrap();
            let value = random::requests::request(&mut dice, theme);
            let request = read_request(&value).unwrap();
            // What is computed once for the process is not meant.
            let first = iam::decide(&layers, &request);
            let mut again = first;
            let used = allocation_counter::measure(|| again = iam::decide(&layers, &request));
            assert_eq!(used.count_total, 0, "{policies}\n{value}");
            assert_eq!(first, again);
        }
    }
}

#[test]
fn the_counter_counts() {
    let used = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 64])));
    assert_eq!(used.count_total, 1);
}
