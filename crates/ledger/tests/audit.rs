//! The audit names what was done to a log: changed, left out, exchanged, cut off.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{Actor, ActorKind};
use ledger::audit::Auditor;
use ledger::{Checkpoint, Draft, Outcome, Sequencer, Signer};

fn log(count: usize) -> (Vec<Vec<u8>>, String, Signer) {
    let mut sequencer = Sequencer::default();
    let mut leaves = Vec::new();
    for n in 0..count {
        let draft = Draft {
            stream: ["model/a", "key/b"][n % 2].parse().unwrap(),
            expected_seq: None,
            time: "2026-11-21".parse().unwrap(),
            actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec![]),
            action: "model.train".into(),
            resource: "model/a".into(),
            outcome: Outcome::Done,
            body: serde_json::json!({ "n": n }),
        };
        let planned = sequencer.plan(vec![draft]).unwrap().remove(0);
        sequencer.replay(&planned.entry, planned.hash);
        leaves.push(planned.leaf);
    }
    let signer = Signer::new("log", &[1; 32]).unwrap();
    let note =
        Checkpoint { origin: "log".into(), size: count as u64, root: sequencer.tree().root() }.sign(&signer);
    (leaves, note, signer)
}

fn audit(leaves: &[Vec<u8>], note: &str, signer: &Signer) -> Vec<String> {
    let mut auditor = Auditor::default();
    leaves.iter().enumerate().for_each(|(n, leaf)| auditor.leaf(n as u64, leaf));
    auditor.checkpoint("the checkpoint", note, &signer.verifier());
    auditor.finish().findings.into_iter().map(|finding| finding.what).collect()
}

#[test]
fn an_untouched_log_has_no_findings() {
    let (leaves, note, signer) = log(9);
    assert_eq!(audit(&leaves, &note, &signer), Vec::<String>::new());
}

#[test]
fn each_kind_of_tampering_is_named() {
    let (leaves, note, signer) = log(6);
    let text = |leaf: &[u8]| String::from_utf8(leaf.to_vec()).unwrap();
    let mut changed = leaves.clone();
    changed[2] = text(&leaves[2]).replace("ada", "eve").into_bytes();
    insta::assert_snapshot!(audit(&changed, &note, &signer).join("\n"), @r"
    entry 4 does not follow the previous entry of the stream `model/a`
    entries 0 to 5 do not lead to the root that the checkpoint was signed over
    ");
    let mut left_out = leaves.clone();
    left_out.remove(3);
    insta::assert_snapshot!(audit(&left_out, &note, &signer).join("\n"), @r"
    entry 4 is number 2 of the stream `key/b`, where number 1 was due
    the checkpoint was signed over 6 entries and only 5 are there: entries 5 to 5 are missing
    ");
    let mut broken = leaves.clone();
    broken[5] = text(&leaves[5]).replace('{', "[").into_bytes();
    assert!(audit(&broken, &note, &signer)[0].starts_with("entry 5 is damaged: the bytes are not an entry"));
    let (_, _, other) = (0, 0, Signer::new("log", &[2; 32]).unwrap());
    let forged = Checkpoint { origin: "log".into(), size: 6, root: facts::Digest::of(b"") }.sign(&other);
    insta::assert_snapshot!(audit(&leaves, &forged, &signer).join("\n"), @"the checkpoint cannot be trusted, so no entry up to 5 is covered by it: the note is not signed by `log`");
}
