use std::collections::BTreeSet;

use simulations::{Network, Sabotage, Settings, content_block};

use crate::{assert_at_rest, insert_somewhere, twelve_nodes};

#[test]
fn what_was_inserted_is_found_after_three_of_twelve_nodes_are_gone() {
    for seed in 0..20 {
        let mut network = twelve_nodes(Settings::default(), seed);
        for number in 0..40 {
            let (_, insert) = insert_somewhere(&mut network, number);
            network.run();
            assert!(
                network.report(insert).is_success(),
                "seed {seed}: {:?}",
                network.report(insert)
            );
        }
        for node in three_nodes(&mut network) {
            network.stop_node(node);
        }
        for number in 0..40 {
            let reader = network.random_node(None);
            let fetch = network.fetch(reader, content_block(number).key());
            network.run();
            let report = network.report(fetch);
            assert!(
                report.is_success(),
                "seed {seed}, block {number}: {report:?}"
            );
        }
        assert_at_rest(&network, seed);
    }
}

#[test]
fn an_insert_makes_its_copies_although_nodes_fail_while_it_runs() {
    for seed in 0..20 {
        let mut network = twelve_nodes(Settings::default(), seed);
        let (publisher, insert) = insert_somewhere(&mut network, 1);
        for _ in 0..2 {
            // Somewhere within the second or third hop
            for _ in 0..12 {
                network.step();
            }
            let node = network.random_node(Some(publisher));
            network.stop_node(node);
        }
        network.run();
        assert_at_rest(&network, seed);
        let copies = network.report(insert).copies();
        assert!(
            copies >= Some(2),
            "seed {seed}: {:?}",
            network.report(insert)
        );
    }
}

#[test]
fn an_insert_says_how_many_nodes_stored_it_and_its_publisher_stores_nothing() {
    for seed in 0..20 {
        let mut network = twelve_nodes(Settings::default(), seed);
        let (publisher, insert) = insert_somewhere(&mut network, 1);
        network.run();
        let holders: BTreeSet<_> = network.holders(&content_block(1).key()).collect();
        assert!(!holders.contains(&publisher), "seed {seed}");
        assert!((4..=5).contains(&holders.len()), "seed {seed}: {holders:?}");
        assert_eq!(
            network.report(insert).copies().map(usize::from),
            Some(holders.len()),
            "seed {seed}"
        );
    }
}

#[test]
fn an_insert_fails_when_no_store_keeps_it() {
    let settings = Settings {
        sabotage: Sabotage::FailingStores,
        ..Settings::default()
    };
    let mut network = twelve_nodes(settings, 1);
    let (_, insert) = insert_somewhere(&mut network, 1);
    network.run();
    assert!(
        !network.report(insert).is_success(),
        "{:?}",
        network.report(insert)
    );
    assert_at_rest(&network, 1);
}

#[test]
fn a_network_that_was_stopped_altogether_finds_what_was_published_before() {
    let mut network = twelve_nodes(Settings::default(), 1);
    for number in 0..10 {
        insert_somewhere(&mut network, number);
    }
    network.run();
    for node in 0..12 {
        network.stop_node(node);
    }
    for node in 0..12 {
        network.restart_node(node);
    }
    for number in 0..10 {
        let reader = network.random_node(None);
        let fetch = network.fetch(reader, content_block(number).key());
        network.run();
        assert!(network.report(fetch).is_success(), "block {number}");
    }
    assert_at_rest(&network, 1);
}

/// Three nodes without which the others are still linked with each other.
fn three_nodes(network: &mut Network) -> [usize; 3] {
    loop {
        let nodes = [(); 3].map(|()| network.random_node(None));
        let distinct = nodes[0] != nodes[1] && nodes[1] != nodes[2] && nodes[0] != nodes[2];
        if distinct && network.topology().is_connected(&nodes) {
            return nodes;
        }
    }
}
