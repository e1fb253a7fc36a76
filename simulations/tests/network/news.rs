//! Blocks that come after somebody asked for them.

use routing::Block;
use simulations::{ElidedBlock, Network, Settings, Topology};

/// A node asks for a block that nobody has; another one subscribes to it; then it is inserted.
#[test]
fn who_subscribes_is_told_of_a_block_and_finds_it() {
    let mut told = 0;
    let mut found = 0;
    for seed in 1..=20 {
        let settings = Settings {
            traced: false,
            ..Settings::default()
        };
        let mut network: Network<ElidedBlock> =
            Network::new(&Topology::small_world(500, 8, seed), settings, seed);
        network.run();
        let block = ElidedBlock::signed(seed, 1);
        let reader = network.random_node(None);
        network.subscribe(reader, block.key());
        network.run_for(std::time::Duration::from_secs(5));
        assert_eq!(network.appeared(), []);

        let publisher = network.random_node(Some(reader));
        let insert = network.insert(publisher, block.clone());
        network.run_for(std::time::Duration::from_secs(30));
        assert!(network.report(insert).is_success(), "seed {seed}");
        let heard = network.appeared() == [(reader, block.key())];
        told += u32::from(heard);
        let fetch = network.fetch(reader, block.key());
        network.run_for(std::time::Duration::from_secs(30));
        found += u32::from(network.report(fetch).is_success());
    }
    assert_eq!((told, found), (20, 20));
}

/// Without subscriptions: news travel back the way of the search that failed, and nobody else hears of them.
#[test]
fn nodes_on_the_way_of_a_failed_search_hear_of_the_block() {
    let settings = Settings {
        traced: false,
        ..Settings::default()
    };
    let mut network: Network<ElidedBlock> =
        Network::new(&Topology::small_world(500, 8, 1), settings, 1);
    network.run();
    let block = ElidedBlock::content(1);
    let reader = network.random_node(None);
    let early = network.fetch(reader, block.key());
    network.run_for(std::time::Duration::from_secs(30));
    assert!(!network.report(early).is_success());
    let waiting = |network: &Network<ElidedBlock>| {
        (0..500)
            .filter(|&node| network.router(node).load().interests > 0)
            .count()
    };
    assert!(
        waiting(&network) >= 15,
        "{} nodes remember",
        waiting(&network)
    );

    let before = network.counters();
    let publisher = network.random_node(Some(reader));
    network.insert(publisher, block.clone());
    network.run_for(std::time::Duration::from_secs(30));
    let sent = network.counters().since(&before).messages;
    // Each node that asked hears of it at most once: no storm
    assert!(sent < 200, "{sent} messages");
    let late = network.fetch(reader, block.key());
    network.run_for(std::time::Duration::from_secs(30));
    assert!(network.report(late).is_success());
    network.run();
    assert_eq!(waiting(&network), 0, "everything is forgotten in the end");
}
