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

#[test]
fn nodes_that_stored_the_second_document_replace_it_when_they_learn_of_the_first() {
    let (mut collisions, mut replaced) = (0, 0);
    for seed in 0..60 {
        let mut network = twelve_nodes(Settings::default(), seed);
        let (first, second) = (signed_block(1, b"first"), signed_block(1, b"second"));
        // Only one node has the first, so that others may store the second before they ask it
        let holder = network.random_node(None);
        network.give(holder, first.clone());
        let publisher = network.random_node(Some(holder));
        let insert = network.insert(publisher, second);
        network.run();
        assert_at_rest(&network, seed);
        if network.report(insert).is_success() {
            continue;
        }
        collisions += 1;
        replaced += network.holders(&first.key()).count() - 1;
        assert_eq!(versions(&network, &first), 1, "seed {seed}: two documents");
    }
    assert!(
        collisions > 10 && replaced > 10,
        "{collisions} collisions, {replaced} replaced"
    );
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
