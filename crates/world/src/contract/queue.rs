//! The contract of queues: nothing is lost before it is taken out, and taking out twice is as once.

use crate::Queue;

/// Checks an empty queue; `say` puts a message into it.
///
/// # Panics
/// When the queue does not keep the contract.
pub fn check(queue: &dyn Queue, say: &mut dyn FnMut(&str)) {
    let receive = || queue.receive(1).unwrap_or_default();
    assert!(receive().is_empty(), "an empty queue has nothing");
    let texts = ["{}", "two \u{e4}\u{20ac} & <more>", "three"];
    texts.iter().for_each(|text| say(text));
    let mut all = Vec::new();
    for _ in 0..20 {
        all.extend(receive());
        if all.len() >= texts.len() {
            break;
        }
    }
    let mut bodies: Vec<&str> = all.iter().map(|letter| letter.body.as_str()).collect();
    bodies.sort_unstable();
    let mut wanted = texts;
    wanted.sort_unstable();
    assert_eq!(bodies, wanted, "what is said is heard as it is");
    assert!(all.iter().all(|letter| letter.received >= 1 && !letter.id.is_empty()));
    let letters: Vec<_> = all.iter().collect();
    for _ in 0..2 {
        assert!(queue.delete(&letters).is_ok(), "taking out twice is as once");
    }
    assert!(queue.delete(&[]).is_ok(), "nothing can be taken out");
    assert!(receive().is_empty(), "what was taken out does not come again");
}
