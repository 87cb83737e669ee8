//! The tree, the proofs and the notes against a slow and obvious RFC 6962, and against three implementations by others.

use facts::Digest;
use ledger::{
    Checkpoint, Signer, TlogProof, Tree, Verifier, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// RFC 6962, section 2.1, as it is written.
fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

fn grow(size: u64) -> (Tree, Vec<Digest>) {
    let mut tree = Tree::default();
    let leaves: Vec<Digest> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    (tree, leaves)
}

#[test]
fn every_small_tree_and_every_proof() {
    let (tree, leaves) = grow(70);
    for size in 0..=70u64 {
        let root = tree.root_at(size).unwrap();
        assert_eq!(root, mth(&leaves[..size as usize]), "{size}");
        for index in 0..size {
            let proof = tree.inclusion(index, size).unwrap();
            verify_inclusion(&leaves[index as usize], index, size, &proof, &root).unwrap();
            let other = (index + 1) % size;
            assert!(
                size == 1 || verify_inclusion(&leaves[index as usize], other, size, &proof, &root).is_err()
            );
        }
        for old in 0..=size {
            let proof = tree.consistency(old, size).unwrap();
            let old_root = tree.root_at(old).unwrap();
            verify_consistency((old, &old_root), (size, &root), &proof).unwrap();
            let forged = Digest::of(b"forged");
            assert!(old == 0 || verify_consistency((old, &forged), (size, &root), &proof).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn ct_merkle_agrees(size in 1u64..600, at in 0u64..600) {
        let (tree, _) = grow(size);
        let index = at % size;
        let mut theirs = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        (0..size).for_each(|n| theirs.push(n.to_be_bytes().to_vec()));
        let (ours, root) = (tree.root(), theirs.root());
        prop_assert_eq!(ours.as_bytes().to_vec(), root.as_bytes().to_vec());
        let proof: Vec<u8> = tree.inclusion(index, size).unwrap().iter().flat_map(|hash| *hash.as_bytes()).collect();
        prop_assert_eq!(proof, theirs.prove_inclusion(index as usize).as_bytes().to_vec());
    }
}

#[test]
fn signed_note_of_others_accepts_ours() {
    use signed_note::{Note, StandardVerifier, VerifierList};
    let signer = Signer::new("first-example-bank.wardmote", &[7; 32]).unwrap();
    let checkpoint =
        Checkpoint { origin: "first-example-bank.wardmote".into(), size: 3, root: Digest::of(b"root") };
    let note = checkpoint.sign(&signer);
    let theirs = StandardVerifier::new(&signer.verifier().vkey()).unwrap();
    let list: Vec<Box<dyn signed_note::Verifier>> = vec![Box::new(theirs)];
    let (verified, _) = Note::from_bytes(note.as_bytes()).unwrap().verify(&VerifierList::new(list)).unwrap();
    assert_eq!(verified.len(), 1);
    assert_eq!(Checkpoint::open(&note, &signer.verifier()).unwrap(), checkpoint);
}

#[test]
fn a_note_with_any_changed_bit_is_refused() {
    let signer = Signer::new("log", &[7; 32]).unwrap();
    let note = Checkpoint { origin: "log".into(), size: 12, root: Digest::of(b"root") }.sign(&signer);
    let verifier = Verifier::parse(&signer.verifier().vkey()).unwrap();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(Checkpoint::open(&text, &verifier).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_travelling_proof_verifies_offline() {
    let (tree, leaves) = grow(9);
    let signer = Signer::new("log", &[7; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "log".into(), size: 9, root: tree.root() }.sign(&signer);
    let proof = TlogProof { index: 4, path: tree.inclusion(4, 9).unwrap(), checkpoint };
    let read = TlogProof::parse(&proof.to_text()).unwrap();
    assert_eq!(read, proof);
    assert!(read.verify(&leaves[4], &signer.verifier()).is_ok());
    assert!(read.verify(&leaves[5], &signer.verifier()).is_err());
}

/// The hashes that tlog_tiles stores, read back from memory.
struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

#[test]
fn tlog_tiles_has_the_same_roots_and_proofs() {
    let (tree, _) = grow(300);
    let mut stored = Stored(Vec::new());
    for n in 0..300u64 {
        let hashes = tlog_tiles::stored_hashes(n, &n.to_be_bytes(), &stored).unwrap();
        stored.0.extend(hashes);
    }
    for size in [1u64, 2, 3, 7, 8, 9, 255, 256, 257, 300] {
        assert_eq!(tlog_tiles::tree_hash(size, &stored).unwrap().0, *tree.root_at(size).unwrap().as_bytes());
        for index in [0, size / 2, size - 1] {
            let theirs = tlog_tiles::prove_record(size, index, &stored).unwrap();
            let ours = tree.inclusion(index, size).unwrap();
            assert_eq!(
                theirs.iter().map(|hash| hash.0).collect::<Vec<_>>(),
                ours.iter().map(|hash| *hash.as_bytes()).collect::<Vec<_>>()
            );
        }
    }
}
