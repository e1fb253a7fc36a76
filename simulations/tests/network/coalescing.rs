use std::time::Duration;

use simulations::{Network, Settings, Topology, content_block};

use crate::{assert_at_rest, twelve_nodes};

#[test]
fn fetches_of_one_key_at_one_node_share_one_search() {
    let mut network = twelve_nodes(Settings::default(), 1);
    network.insert(0, content_block(1));
    network.run();
    let reader = (0..12)
        .find(|&node| network.stored(node, &content_block(1).key()).is_none())
        .unwrap();

    let before = network.counters();
    network.fetch(reader, content_block(1).key());
    network.run();
    let alone = network.counters().since(&before);

    let before = network.counters();
    let fetches = [(); 5].map(|()| network.fetch(reader, content_block(1).key()));
    network.run();
    assert!(
        fetches
            .iter()
            .all(|&fetch| network.report(fetch).is_routed_success())
    );
    assert_eq!(network.counters().since(&before).fetches, alone.fetches);
}

/// In a star whose centre does not have the block, the block crosses the link to the one leaf that has it once.
#[test]
fn fetches_of_one_key_through_one_node_share_one_search() {
    let mut topology = Topology::line(2, 1);
    let [centre, holder] = if topology.locations[0] < topology.locations[1] {
        [0, 1]
    } else {
        [1, 0]
    };
    for leaf in 2..10 {
        topology.locations.push(topology.locations[centre]);
        topology.link(centre, leaf);
    }
    let mut network = Network::new(&topology, Settings::default(), 1);
    let block = content_block(1);
    network.give(holder, block.clone());

    let fetches: Vec<_> = (2..10)
        .map(|leaf| network.fetch(leaf, block.key()))
        .collect();
    network.run();

    for fetch in fetches {
        assert!(
            network.report(fetch).is_routed_success(),
            "{:?}",
            network.report(fetch)
        );
    }
    // Nine are needed. Without sharing there would be sixteen; those that may not wait ask again after a pause
    let blocks = network.counters().blocks;
    assert!((9..=11).contains(&blocks), "{blocks} blocks sent");
}

#[test]
fn all_nodes_may_ask_for_one_block_at_once() {
    let mut all_missed = 0;
    for seed in 0..200 {
        let mut network = twelve_nodes(Settings::default(), seed);
        network.insert(0, content_block(1));
        network.run();
        let fetches: Vec<_> = (0..12)
            .map(|node| network.fetch(node, content_block(1).key()))
            .collect();
        network.run();
        assert_at_rest(&network, seed);
        let missed = fetches
            .iter()
            .filter(|&&fetch| !network.report(fetch).is_success())
            .count();
        for report in network.reports() {
            let duration = report.duration().expect("all have ended");
            assert!(
                duration < Duration::from_secs(3),
                "seed {seed}: {duration:?}"
            );
        }
        all_missed += missed;
    }
    // The rule that keeps nodes from waiting for each other may cost one its block, until it asks again
    assert!(all_missed <= 2, "{all_missed} of 2400");
}

/// Nobody has the block, so that every wait for another's search lasts as long as it can.
#[test]
fn nodes_that_ask_for_a_missing_block_at_once_do_not_wait_for_each_other() {
    for seed in 0..100 {
        let mut network = twelve_nodes(Settings::default(), seed);
        let fetches: Vec<_> = (0..12)
            .map(|node| network.fetch(node, content_block(1).key()))
            .collect();
        network.run();
        assert_at_rest(&network, seed);
        for fetch in fetches {
            let report = network.report(fetch);
            assert!(report.fetch_failure().is_some(), "seed {seed}: {report:?}");
            let duration = report.duration().expect("all have ended");
            assert!(
                duration < Duration::from_secs(10),
                "seed {seed}: {duration:?}"
            );
        }
        // A wait that only a timer ends is taken back
        assert_eq!(network.counters().cancels, 0, "seed {seed}");
    }
}
