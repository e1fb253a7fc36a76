use routing::InsertFailure;
use simulations::{Ended, Network, Settings, signed_block};

use crate::{assert_at_rest, twelve_nodes};

#[test]
fn a_second_document_under_one_signed_key_meets_the_first() {
    for seed in 0..20 {
        let mut network = twelve_nodes(Settings::default(), seed);
        let (first, second) = (signed_block(1, b"first"), signed_block(1, b"second"));
        assert_eq!(first.key(), second.key());
        let publisher = network.random_node(None);
        network.insert(publisher, first.clone());
        network.run();

        let other = network.random_node(Some(publisher));
        let insert = network.insert(other, second);
        network.run();

        match &network.report(insert).ended {
            Some((_, Ended::Insert(Err(InsertFailure::Collision(existing))))) => {
                assert_eq!(existing.bytes(), first.bytes(), "seed {seed}");
            }
            ended => panic!("seed {seed}: no collision: {ended:?}"),
        }
        assert_eq!(
            versions(&network, &first),
            1,
            "seed {seed}: the first stays, everywhere"
        );
        assert_at_rest(&network, seed);
    }
}

#[test]
fn the_same_signed_block_can_be_inserted_again() {
    let mut network = twelve_nodes(Settings::default(), 3);
    let block = signed_block(1, b"same");
    for node in [2, 2, 9] {
        let insert = network.insert(node, block.clone());
        network.run();
        assert!(
            network.report(insert).is_success(),
            "{:?}",
            network.report(insert)
        );
    }
}

/// How many different blocks the nodes have under the key of `block`.
fn versions(network: &Network, block: &crypto::VerifiedBlock) -> usize {
    let key = block.key();
    let holders = network.holders(&key).collect::<Vec<_>>();
    let bytes = holders
        .into_iter()
        .filter_map(|node| network.stored(node, &key))
        .map(|block| block.bytes());
    bytes.collect::<std::collections::BTreeSet<_>>().len()
}
